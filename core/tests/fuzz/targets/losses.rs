//! `loss`, and the measures of embeddings.

use gymnast_core::compression::distillation_loss;
use gymnast_core::loss::*;
use gymnast_core::ood::outlier_exposure_loss;
use gymnast_core::self_supervised::*;
use tch::{Kind, Tensor};

use crate::source::Source;

/// A loss that is there is a number of its own.
#[track_caller]
fn is_scalar<E>(loss: Result<Tensor, E>) {
    if let Ok(loss) = loss {
        assert!(loss.size().is_empty(), "a loss of shape {:?}", loss.size());
    }
}

fn loss(source: &mut Source) -> Loss {
    let (a, b, length) = (source.number(), source.share(), source.up_to(4));
    let weights = source.one_in(2).then(|| source.f32s(length));
    source.pick(&[
        Loss::Mse,
        Loss::L1,
        Loss::Huber { delta: a },
        Loss::SmoothL1 { beta: a },
        Loss::GaussianNll { eps: a },
        Loss::BceWithLogits { pos_weight: weights.clone() },
        Loss::CrossEntropy { class_weight: weights.clone(), label_smoothing: b },
        Loss::BinaryFocal { gamma: a, alpha: Some(b) },
        Loss::Focal { gamma: a, alpha: weights.clone() },
        Loss::Hinge { margin: a },
        Loss::MultiMargin { p: length as u8, margin: a, class_weight: weights },
    ])
}

pub(super) fn losses(source: &mut Source) {
    let loss = loss(source);
    let (rows, width) = (source.up_to(4), 1 + source.up_to(3));
    let prediction = source.rows(width);
    let shape = prediction.size().iter().map(|&n| n as usize).collect::<Vec<_>>();
    let targets = [
        source.tensor(&shape),
        source.rows(width),
        source.labels(rows, width),
        source.labels(rows, 2),
    ];
    for target in &targets {
        is_scalar(loss.compute(&prediction, target));
    }
    let (eps, weight, temperature) = (source.number(), source.number(), source.number());
    let (other, variance) = (source.tensor(&shape), source.tensor(&shape));
    is_scalar(gaussian_nll(&prediction, &other, &variance, eps));
    is_scalar(outlier_exposure_loss(&prediction, &targets[2], weight));
    is_scalar(distillation_loss(&prediction, &other, temperature));
    // These ask for shapes that fit; what numbers they get is open.
    let (rows, width) = (1 + rows, width);
    let float = |source: &mut Source, shape: &[usize]| source.tensor(shape).to_kind(Kind::Float);
    let (a, b) = (float(source, &[rows, width]), float(source, &[rows, width]));
    let row = float(source, &[rows]);
    let weight = source.one_in(2).then_some(&row);
    let class = Tensor::zeros([rows as i64], (Kind::Int64, tch::Device::Cpu));
    let _ = (mse(&row, &row, weight), huber(&row, &row, 1.0, weight));
    let _ = class_cross_entropy(&a, &class, None);
    let _ = cross_entropy(&a, &b, weight);
    let _ = quantile_huber(&a, &b, 1.0, weight);
}

pub(super) fn sequences(source: &mut Source) {
    let (steps, rows, classes) = (source.up_to(4), source.up_to(3), source.up_to(4));
    let shape = if source.one_in(5) { source.small_shape() } else { vec![steps, rows, classes] };
    let scores = source.tensor(&shape);
    let length = source.up_to(3);
    let target = match source.one_in(4) {
        true => source.labels(length * rows, classes),
        false => source.labels(rows * length, classes).to_kind(Kind::Int64),
    };
    let target = target.f_view([rows as i64, length as i64]).unwrap_or(target);
    let mut lengths = |most: usize| -> Vec<usize> {
        let count = source.about(rows);
        (0..count)
            .map(|_| if source.one_in(6) { source.count() } else { source.up_to(most) })
            .collect()
    };
    let (inputs, targets) = (lengths(steps), lengths(length));
    let config = CtcConfig { blank: source.up_to(4), zero_infinity: source.one_in(2) };
    is_scalar(ctc(&scores, &target, &inputs, &targets, &config));
    let _ = ctc_greedy_decode(&scores, &inputs, source.count());
}

pub(super) fn embeddings(source: &mut Source) {
    let width = source.up_to(4);
    let (first, temperature) = (source.rows(width), source.number());
    let shape: Vec<usize> = first.size().iter().map(|&n| n as usize).collect();
    let second = if source.one_in(4) { source.rows(width) } else { source.tensor(&shape) };
    is_scalar(nt_xent(&first, &second, temperature));
    for direction in [Direction::QueryToKey, Direction::Both] {
        is_scalar(info_nce(&first, &second, temperature, direction));
    }
    is_scalar(negative_cosine_similarity(&first, &second));
    let _ = (alignment(&first, &second), uniformity(&first));
    let _ = (normalized_std(&first), effective_rank(&first));
    let thresholds = CollapseThresholds { std_share: source.share(), rank_share: source.share() };
    let _ = diagnose_collapse(&first, &thresholds);
    let side = 1 + source.up_to(3);
    let square = source.tensor(&[side, side]).to_kind(Kind::Float);
    let _ = (normalize(&square), diagonal_cross_entropy(&square));
}
