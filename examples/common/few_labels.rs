//! Digits with few labels, for the examples that pretrain.

use std::error::Error;

use gymnast::core::{
    data::{Augmentation, Dataset, Shape},
    lr_schedule::LrSchedule,
    supervised::FitConfig,
};

const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };
pub(crate) const INPUT: [usize; 2] = [8, 8];

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How much the digits are changed each time that they are seen.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "not every example has use for each")]
pub(crate) enum Strength {
    None,
    Light,
    Strong,
}

/// What leaves a digit the same digit.
pub(crate) fn augmentations(strength: Strength) -> Vec<Augmentation> {
    let turned = |by: f64| Augmentation::Rotation { shape: SHAPE, degrees: (-by, by) };
    let shifted = Augmentation::RandomCrop { shape: SHAPE, padding: 1 };
    let noise = Augmentation::GaussianNoise { std: 0.05 };
    let cutout = Augmentation::Cutout { shape: SHAPE, height: 3, width: 3, value: 0.0 };
    match strength {
        Strength::None => vec![],
        Strength::Light => vec![turned(10.0), shifted, noise],
        Strength::Strong => vec![
            turned(15.0),
            Augmentation::RandomResizedCrop { shape: SHAPE, scale: (0.8, 1.0) },
            shifted,
            Augmentation::RandomApply { probability: 0.5, augmentation: Box::new(cutout) },
            noise,
        ],
    }
}

pub(crate) fn settings(lr: f64, strength: Strength) -> FitConfig {
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let augmentations = augmentations(strength);
    FitConfig { augmentations, lr_schedule, patience: 0, ..FitConfig::adam_w(lr, 1e-4) }
}

/// The first rows of each class, the same number of each.
pub(crate) fn first_of_each(data: &Dataset, order: &[usize], labels: usize) -> Result<Dataset> {
    let (classes, mut counts) = (data.classes()?, [0; 10]);
    let chosen = order.iter().copied().filter(|&row| {
        counts[classes[row]] += 1;
        counts[classes[row]] <= labels
    });
    Ok(data.select(&chosen.collect::<Vec<_>>())?)
}
