//! Settings: drawn for the functions that take them, and read from JSON.

use gymnast_core::compression::{IterativePruning, Quantization};
use gymnast_core::data::{
    Augmentation, DataLoaderConfig, Pipeline, PipelineStep, Shape, SplitConfig, csv::CsvConfig,
};
use gymnast_core::imbalance::{ClassWeight, Resampler};
use gymnast_core::init::{Fans, Init};
use gymnast_core::loss::{Loss, Penalty};
use gymnast_core::lr_schedule::{Anneal, CyclicMode, LrSchedule};
use gymnast_core::nn::{
    Activation, Buffers, ConvConfig, LayerConfig, MlpConfig, NetworkConfig, TransformerConfig,
};
use gymnast_core::optim::{
    AdagradConfig, AdamConfig, AdamWConfig, OptimizerConfig, OptimizerState, ParamGroup,
    RmsPropConfig, SgdConfig,
};
use gymnast_core::supervised::FitConfig;
use gymnast_core::transfer::{LoraConfig, PrefixTuningConfig};
use gymnast_core::tune::{Distribution, ImportanceConfig, SearchSpace, StudyConfig};
use serde::{Serialize, de::DeserializeOwned};

use super::finite;
use crate::source::Source;

/// Reads it where it is one, and writes it again.
fn reads<T: DeserializeOwned + Serialize>(json: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(json).ok()?;
    let _ = serde_json::to_string(&read);
    Some(read)
}

const JSON: [&str; 24] = [
    r#"{"encoder":[{"linear":{"outputs":8}},{"activation":"relu"},{"batch_norm":{}}],"head":[{"linear":{"outputs":2}}]}"#,
    r#"{"encoder":[{"conv2d":{"channels":2,"kernel":3,"padding":1}},{"max_pool":{"kernel":2}},"flatten"],"dropout_seed":3}"#,
    r#"{"encoder":[{"group_norm":{"groups":2}},{"dropout":{"p":0.5}},{"p_relu":{}},"softmax",{"residual":{"layers":["flatten"]}}]}"#,
    r#"{"hidden":[64,64],"activation":"tanh","weight":{"orthogonal":{"gain":1.4}}}"#,
    r#"{"channels":4,"kernel":3,"stride":2}"#,
    r#"{"places":8,"width":32,"heads":4,"feed_forward":64,"layers":2,"norm_first":true}"#,
    r#"{"huber":{"delta":1.0}}"#,
    r#"{"cross_entropy":{"class_weight":[1.0,2.0],"label_smoothing":0.1}}"#,
    r#"{"warm_up":{"steps":10,"then":{"cosine":{"t_max":5}}}}"#,
    r#"{"one_cycle":{"pct_start":0.3,"three_phase":true}}"#,
    r#"{"adam":{"lr":0.001,"betas":[0.9,0.999]}}"#,
    r#"{"epochs":3,"batch_size":4,"views":2,"drop_last":true,"augmentations":[{"gaussian_noise":{"std":0.1}}]}"#,
    r#"{"smote":{"k_neighbors":5,"ratio":0.5}}"#,
    r#"{"effective_number":{"beta":0.9}}"#,
    r#"{"cutout":{"shape":{"height":2,"width":3,"channels":1},"height":1,"width":1,"value":0.0}}"#,
    r#"{"outlier_clipper":{"quantiles":{"low":0.1,"high":0.9}}}"#,
    r#"{"float":{"low":0.0001,"high":1.0,"scale":"log"}}"#,
    r#"{"direction":"maximize","sampler":{"tpe":{"n_startup_trials":3}},"pruner":{"median":{}},"seed":7}"#,
    r#"{"rank":4,"alpha":8.0,"layers":["encoder.0"]}"#,
    r#"{"train":6.0,"validation":2.0,"test":2.0,"stratify":"classes"}"#,
    r#"{"width":2,"steps":[{"standard_scaler":{"mean":[0.0,1.0],"scale":[1.0,2.0]}}]}"#,
    r#"{"step":3,"arrays":{"m":[0.0],"v":[1.0]}}"#,
    r#"{"numbers":[0.0,1.0],"draws":18446744073709551615}"#,
    r#"{"random_apply":{"probability":0.5,"augmentation":{"horizontal_flip":{"shape":{"height":1,"width":2,"channels":1},"probability":1.0}}}}"#,
];

pub(super) fn json(source: &mut Source) {
    let form = source.pick(&JSON);
    let deep = source.one_in(40);
    let json = match deep {
        true => r#"{"warm_up":{"steps":1,"then":"#.repeat(source.up_to(200_000)).into_bytes(),
        false => source.mutated(form.as_bytes()),
    };
    if let Some(config) = reads::<NetworkConfig>(&json) {
        let shape = source.shape();
        let _ = config.check(&shape);
    }
    reads::<MlpConfig>(&json);
    reads::<LayerConfig>(&json);
    reads::<ConvConfig>(&json);
    reads::<TransformerConfig>(&json);
    reads::<Buffers>(&json);
    reads::<Loss>(&json);
    reads::<Penalty>(&json);
    if let Some(schedule) = reads::<LrSchedule>(&json) {
        let _ = (schedule.check(), schedule.at(source.u64(), source.u64()));
    }
    reads::<OptimizerConfig>(&json);
    reads::<OptimizerState>(&json);
    reads::<ParamGroup>(&json);
    if let Some(config) = reads::<FitConfig>(&json) {
        let rows = source.count();
        let _ = (config.rows_per_epoch(rows), config.steps_per_epoch(rows));
    }
    reads::<Resampler>(&json);
    reads::<ClassWeight>(&json);
    reads::<Augmentation>(&json);
    reads::<PipelineStep>(&json);
    if let Some(pipeline) = reads::<Pipeline>(&json) {
        use gymnast_core::data::Transformer as _;
        let table = gymnast_core::data::Table::new(vec![1.0, 2.0], 2).expect("a row");
        let _ = pipeline.transform(&table);
    }
    reads::<SplitConfig>(&json);
    reads::<DataLoaderConfig>(&json);
    reads::<CsvConfig>(&json);
    reads::<LoraConfig>(&json);
    reads::<PrefixTuningConfig>(&json);
    reads::<IterativePruning>(&json);
    reads::<Quantization>(&json);
    if let Some(distribution) = reads::<Distribution>(&json) {
        let _ = (distribution.check("a"), distribution.extremes("a"));
    }
    if let Some(space) = reads::<SearchSpace>(&json) {
        let _ = space.check();
    }
    reads::<StudyConfig>(&json);
    reads::<ImportanceConfig>(&json);
}

pub(super) fn init(source: &mut Source) -> Init {
    let (a, b, gain) = (source.f32(), source.f32(), source.f32());
    let (low, high) = if source.one_in(2) { (a.min(b), a.max(b)) } else { (a, b) };
    source.pick(&[
        Init::LinearDefault,
        Init::Zeros,
        Init::Constant { value: a },
        Init::Uniform { low, high },
        Init::Normal { mean: a, std: b },
        Init::TruncatedNormal { mean: a, std: gain, low, high },
        Init::XavierUniform { gain },
        Init::XavierNormal { gain },
        Init::KaimingUniform { gain },
        Init::KaimingNormal { gain },
        Init::KaimingUniformFanOut { gain },
        Init::KaimingNormalFanOut { gain },
        Init::Orthogonal { gain },
    ])
}

pub(super) fn schedule(source: &mut Source) -> LrSchedule {
    let (a, b, c) = (source.share(), source.share(), source.number());
    let (step, steps) = (source.u64(), source.u64());
    let some = (!source.one_in(3)).then_some(steps);
    source.pick(&[
        LrSchedule::Constant,
        LrSchedule::Step { step_size: step, gamma: a },
        LrSchedule::Exponential { gamma: a },
        LrSchedule::Cosine { t_max: some, min_factor: a },
        LrSchedule::Linear { start_factor: a, end_factor: b, total_iters: some },
        LrSchedule::WarmUp {
            steps: step,
            start_factor: a,
            then: Box::new(LrSchedule::Exponential { gamma: b }),
        },
        LrSchedule::Cyclic {
            base_factor: a,
            step_size_up: step,
            step_size_down: some,
            mode: CyclicMode::ExpRange { gamma: b },
        },
        LrSchedule::OneCycle {
            pct_start: a,
            anneal_strategy: Anneal::Cos,
            div_factor: c,
            final_div_factor: c,
            three_phase: true,
        },
    ])
}

pub(super) fn init_and_schedule(source: &mut Source) {
    let (rule, shape, rng) = (init(source), source.shape(), &mut source.rng());
    let _ = rule.check(&shape);
    let numbers = shape.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    let length = numbers.filter(|&n| n < 10_000).unwrap_or(3);
    let mut out = vec![0.0; source.about(length)];
    let fans = Fans { fan_in: source.count(), fan_out: source.count() };
    if rule.fill(&shape, fans, rng, &mut out).is_ok() {
        assert!(out.iter().all(|x| x.is_finite()), "{rule:?} of {fans:?} draws {out:?}");
    }
    let schedule = schedule(source);
    let (at, total) = (source.u64(), source.u64());
    if schedule.check().is_ok() {
        finite("a factor of the learning rate", schedule.at(at, total));
    }
}

pub(super) fn optimizer(source: &mut Source) -> OptimizerConfig {
    let lr = if source.one_in(4) { source.number() } else { 0.1 };
    let (a, b, eps) = (source.share(), source.share(), source.number());
    let (weight_decay, flag) = (source.number(), source.one_in(2));
    let betas = if flag { (0.9, 0.999) } else { (a, b) };
    source.pick(&[
        OptimizerConfig::Sgd(SgdConfig { lr, ..SgdConfig::default() }),
        OptimizerConfig::Sgd(SgdConfig { lr, momentum: a, nesterov: flag, weight_decay }),
        OptimizerConfig::Adam(AdamConfig { lr, betas, ..AdamConfig::default() }),
        OptimizerConfig::Adam(AdamConfig { lr, betas, eps, weight_decay, decoupled: flag }),
        OptimizerConfig::AdamW(AdamWConfig { lr, betas, eps, weight_decay }),
        OptimizerConfig::Adagrad(AdagradConfig { lr, eps, ..AdagradConfig::default() }),
        OptimizerConfig::RmsProp(RmsPropConfig {
            lr,
            alpha: a,
            eps,
            eps_under_root: flag,
            weight_decay,
            momentum: b,
            centered: flag,
        }),
    ])
}

pub(super) fn activation(source: &mut Source) -> Activation {
    source
        .config(&[r#""relu""#, r#""tanh""#, r#""identity""#, r#""gelu""#])
        .unwrap_or(Activation::Relu)
}

pub(super) fn layer(source: &mut Source) -> LayerConfig {
    let n =
        |source: &mut Source| if source.one_in(8) { source.count() } else { 1 + source.up_to(4) };
    let (a, b, c) = (n(source), n(source), source.up_to(2));
    let eps = if source.one_in(4) { source.number() } else { 1e-5 };
    let (share, flag, rule) = (source.share(), source.one_in(2), init(source));
    let curved = activation(source);
    let (weight, bias) =
        if source.one_in(4) { (rule, Init::Zeros) } else { (Init::LinearDefault, Init::Zeros) };
    source.pick(&[
        LayerConfig::linear(a),
        LayerConfig::Linear { outputs: a, weight, bias },
        LayerConfig::conv2d(a, b, c),
        LayerConfig::Conv2d { channels: a, kernel: b, stride: 1 + c, padding: c, weight, bias },
        LayerConfig::Activation(curved),
        LayerConfig::PRelu { per_channel: flag, slope: share as f32 },
        LayerConfig::Softmax,
        LayerConfig::BatchNorm { momentum: share, eps },
        LayerConfig::LayerNorm { eps },
        LayerConfig::InstanceNorm { eps, affine: flag },
        LayerConfig::GroupNorm { groups: b, eps },
        LayerConfig::RmsNorm { eps: flag.then_some(eps) },
        LayerConfig::Dropout { p: share },
        LayerConfig::MaxPool { kernel: b, stride: flag.then_some(a), padding: c },
        LayerConfig::AvgPool { kernel: b, stride: flag.then_some(a), padding: c },
        LayerConfig::max_pool(b),
        LayerConfig::GlobalAvgPool,
        LayerConfig::Flatten,
        LayerConfig::Residual { layers: vec![curved.into(), LayerConfig::linear(a)] },
        LayerConfig::Residual { layers: vec![LayerConfig::batch_norm(), curved.into()] },
    ])
}

pub(super) fn shape(source: &mut Source) -> Shape {
    let (height, width) = (source.up_to(3), source.up_to(4));
    let channels = if source.one_in(6) { source.count() } else { source.up_to(2) };
    if source.one_in(3) {
        Shape::signal(width, channels)
    } else {
        Shape { height, width, channels }
    }
}
