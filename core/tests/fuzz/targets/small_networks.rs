//! What is done with a network that is there: plans, optimisers, compression, transfer.

use std::{collections::BTreeMap, iter};

use gymnast_core::compression::*;
use gymnast_core::init::Init;
use gymnast_core::loss::Penalty;
use gymnast_core::nn::*;
use gymnast_core::optim::*;
use gymnast_core::transfer::*;
use tch::{Kind, Tensor, kind::FLOAT_CPU};

use super::{configs, networks::sequential};
use crate::source::Source;

fn mlp(source: &mut Source) -> Net {
    let config = MlpConfig { hidden: vec![3], ..MlpConfig::default() };
    let mut network = config.build(2, 2, &mut source.rng()).expect("a small network");
    if source.one_in(4) {
        let values = source.f32s(network.parameters().len());
        network.parameters_mut().load(&values).expect("as many");
    }
    network
}

pub(super) fn plans(source: &mut Source) {
    let network = mlp(source);
    let plan = network.plan().expect("perceptrons have one").clone();
    let values = network.parameters().to_vec();
    let batch = if source.one_in(3) { source.count() } else { source.up_to(3) };
    let known = batch.min(4);
    let (inputs, outputs) = (source.about(2 * known), source.about(2 * known));
    let (inputs, by_output) = (source.f32s(inputs), source.f32s(outputs));
    let length = source.about(values.len());
    let mut values = values;
    values.resize(length, 0.5);
    let (mut tape, mut out) = (Tape::default(), vec![0.0; outputs]);
    let mut gradients = vec![0.0; source.about(values.len())];
    let _ = plan.forward(&values, &inputs, batch, &mut tape);
    let _ = plan.backward(&values, &by_output, &mut tape, &mut gradients);
    let _ = plan.run(&values, &inputs, batch, &mut Scratch::default(), &mut out);
    let _ =
        Plan::new(source.count()).run(&values, &inputs, batch, &mut Scratch::default(), &mut out);
}

pub(super) fn records(source: &mut Source) {
    let layers = [LayerConfig::linear(3), Activation::Tanh.into(), LayerConfig::linear(2)];
    let declare = |builder: &mut ParametersBuilder| -> Result<Box<dyn Module>, NetworkError> {
        Ok(Box::new(Layers::new(&layers, "layers", LayerShape::Row(2), 0, builder)?))
    };
    let mut network = Net::new(declare, &mut source.rng()).expect("a small network");
    let mut all = Net::new(declare, &mut source.rng()).expect("a small network");
    let compiled = Compiled::new({
        let mut builder = ParametersBuilder::new();
        declare(&mut builder).expect("layers")
    });
    let batch = if source.one_in(3) { source.count() } else { source.up_to(3) };
    let known = 2 * batch.min(4);
    for engine in [Engine::Plan, Engine::Libtorch] {
        network.set_engine(engine).expect("it has a plan");
        let (inputs, by_output) = (source.about(known), source.about(known));
        let (inputs, by_output) = (source.f32s(inputs), source.f32s(by_output));
        let columns = source.count()..source.up_to(3);
        let mut by_input = vec![0.0; source.about(known)];
        for recorded in [&mut Recorded::default(), &mut Recorded::for_inputs()] {
            let _ = network.record(&inputs, batch, recorded);
            let _ = network.input_gradient(&by_output, recorded, columns.clone(), &mut by_input);
            let _ = network.record(&inputs, batch, recorded);
            let _ = network.backward(&by_output, recorded, None);
        }
        let (recorded, parameters) = (&mut Recorded::default(), all.parameters_mut());
        let _ = compiled.record(parameters, &inputs, batch, recorded);
        let _ = compiled.accumulate(parameters, &by_output, recorded);
        let _ = compiled.input_gradient(parameters, &by_output, recorded, columns, &mut by_input);
        let (values, scratch) = (parameters.to_vec(), &mut Scratch::default());
        let _ = compiled.run(&values, &inputs, batch, scratch, &mut by_input);
    }
}

pub(super) fn optimisers(source: &mut Source) {
    let mut network = mlp(source);
    let mut group = || {
        let (start, end) = (source.up_to(20), source.count());
        ParamGroup {
            ranges: iter::once(start..if source.one_in(2) { start + 2 } else { end }).collect(),
            lr_factor: source.share(),
            weight_decay: source.one_in(2).then(|| source.number()),
            frozen: source.one_in(4),
        }
    };
    let groups = [group(), group()];
    let config = configs::optimizer(source);
    let (rate, norm) = (source.number(), source.f32());
    let (gradients, length) = (source.f32s(17), source.about(17));
    let parameters = network.parameters_mut();
    parameters.gradients_mut().copy_from_slice(&gradients);
    let state = source.f32s(length);
    let groups =
        ParamGroups::new(parameters, &groups).unwrap_or_else(|_| ParamGroups::all(parameters));
    let _ = groups.clip_grad_norm(parameters, norm);
    let _ = groups.clip_grad_value(parameters, norm);
    let _ = (clip_grad_norm(parameters, norm), clip_grad_value(parameters, norm));
    if let Ok(mut optimizer) = config.build(parameters) {
        let _ = optimizer.set_groups(groups);
        let saved = optimizer.state_dict();
        let _ = optimizer.step(parameters, rate);
        let _ = optimizer.descend(parameters, rate, Some(norm));
        let mut other = saved.clone();
        other.arrays.values_mut().for_each(|array| array.clone_from(&state));
        let _ = (optimizer.load_state_dict(&other), optimizer.load_state_dict(&saved));
    }
    match config {
        OptimizerConfig::Sgd(config) => drop(Sgd::new(config, parameters)),
        OptimizerConfig::Adam(config) => {
            let state = AdamState { m: &state, v: &state, step: source.u64() };
            let _ = Adam::new(config, parameters).map(|mut one| one.load_state(state));
        }
        OptimizerConfig::Adagrad(config) => drop(Adagrad::new(config, parameters)),
        OptimizerConfig::RmsProp(config) => drop(RmsProp::new(config, parameters)),
        OptimizerConfig::AdamW(_) => {}
    }
    let (alpha, l1_ratio) = (source.number(), source.share());
    let ranges = [0..3, source.up_to(20)..source.up_to(20)];
    for penalty in
        [Penalty::L1 { alpha }, Penalty::L2 { alpha }, Penalty::ElasticNet { alpha, l1_ratio }]
    {
        let _ = penalty.apply(parameters, ranges.clone());
    }
    let rows = source.tensor(&[2, 2]);
    if rows.kind() == Kind::Float {
        let loss = network.forward(&rows);
        let loss = if source.one_in(2) { loss.sum(Kind::Float) } else { loss };
        let _ = network.parameters_mut().backward(&loss);
        let _ = network.parameters_mut().backward(&loss);
    }
}

pub(super) fn compression(source: &mut Source) {
    let Some(mut network) = sequential(source) else { return };
    let (amount, n) = (source.share(), source.number());
    let name = match source.one_in(2) {
        true => source.text(),
        false => "encoder.0.weight".to_owned(),
    };
    let mut mask = Mask::new(network.parameters(), |name| name.ends_with("weight"));
    let _ = mask.l1_unstructured(network.parameters(), amount);
    let _ = mask.global_unstructured(network.parameters(), amount);
    let _ = mask.ln_structured(network.parameters(), &name, amount, n);
    let _ = mask.apply(network.parameters_mut());
    let _ = mask.apply(mlp(source).parameters_mut());
    let config = IterativePruning { rounds: source.up_to(3), amount };
    let _ = find_ticket::<_, CompressionError>(&mut network, &config, mask, |_, _| Ok(()));
    if let Ok(smaller) = prune_units(&network, amount, n) {
        assert!(smaller.parameters().len() <= network.parameters().len());
    }
    let units = source.length().min(4);
    let kept: BTreeMap<_, _> = hidden_layers(&network)
        .into_iter()
        .map(|layer| (layer.name, source.classes(units)))
        .collect();
    let _ = keep_units(&network, &kept).is_ok();
    let kind = source.pick(&[Quantization::Dynamic, Quantization::WeightOnly]);
    for quantized in
        [QuantizedNetwork::new(&network, kind), QuantizedNetwork::centred(&network, kind)]
    {
        let Ok(quantized) = quantized else { continue };
        let batch = if source.one_in(4) { source.count() } else { source.up_to(3) };
        let rows = batch.min(4);
        let (given, asked) = (rows * quantized.inputs(), rows * quantized.outputs());
        let (given, asked) = (source.about(given), source.about(asked));
        let (inputs, mut out) = (source.f32s(given), vec![0.0; asked]);
        let _ = quantized.evaluate(&inputs, batch, &mut QuantizedScratch::default(), &mut out);
        let state = quantized.state_dict().expect("it can be written");
        let _ = QuantizedNetwork::from_state_dict(&state).expect("and read");
    }
}

pub(super) fn transfer(source: &mut Source) {
    let rng = &mut source.rng();
    let (alpha, name) = (source.number(), source.text());
    let layers = if source.one_in(2) { vec![] } else { vec![name] };
    let config = LoraConfig { rank: source.count(), alpha, layers };
    // A rank of 2²⁰ is allowed for so narrow a network, and slow.
    let is_quick = |size: usize| !(1 << 12..=1 << 27).contains(&size);
    let network = sequential(source).filter(|_| is_quick(config.rank));
    if let Some(adapted) = network.and_then(|network| Lora::new(network, &config, rng).ok()) {
        let rows = Tensor::zeros([2, adapted.inputs() as i64], FLOAT_CPU);
        let _ = adapted.try_forward(&rows);
        let _ = adapted.merge().unmerge().into_base();
    }
    let small = TransformerConfig { places: 2, width: 4, heads: 2, ..Default::default() };
    let transformer = Transformer::new(&small, 4, 2, rng).expect("a small network");
    let prefix = |rows: i64, width: i64| Prefix {
        key: Tensor::ones([rows, width], FLOAT_CPU),
        value: Tensor::ones([rows, width], FLOAT_CPU),
    };
    let rows = Tensor::zeros([source.up_to(2) as i64, 4], FLOAT_CPU);
    let length = source.up_to(2) as i64;
    let _ = transformer.forward_prefixed(&rows, &[prefix(length, 4), prefix(length, 4)]);
    let prefixes = PrefixTuningConfig { length: source.count(), std: source.f32() };
    if is_quick(prefixes.length)
        && let Ok(tuned) = PrefixTuning::new(transformer, &prefixes, rng)
    {
        let _ = tuned.try_forward(&rows);
    }
    if let (Some(mut network), Some(other)) = (sequential(source), sequential(source)) {
        let _ = load_matching(&mut network, &other, |name| name.len() % 2 == 0);
    }
    let _ = Init::Zeros.check(&source.shape());
}
