//! Digits of which few have a label, for the examples that pretrain.

use std::error::Error;

use gymnast::core::{
    data::{Augmentation, Dataset, Shape},
    lr_schedule::LrSchedule,
    supervised::FitConfig,
};

const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };
pub(crate) const INPUT: [usize; 2] = [8, 8];

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What leaves a digit the same digit. Pretraining has the strong ones.
pub(crate) fn augmentations(strong: bool) -> Vec<Augmentation> {
    let degrees = if strong { 15.0 } else { 10.0 };
    let turned = Augmentation::Rotation { shape: SHAPE, degrees: (-degrees, degrees) };
    let shifted = Augmentation::RandomCrop { shape: SHAPE, padding: 1 };
    if !strong {
        return vec![turned, shifted, Augmentation::GaussianNoise { std: 0.05 }];
    }
    let cutout = Augmentation::Cutout { shape: SHAPE, height: 3, width: 3, value: 0.0 };
    vec![
        turned,
        Augmentation::RandomResizedCrop { shape: SHAPE, scale: (0.8, 1.0) },
        shifted,
        Augmentation::RandomApply { probability: 0.5, augmentation: Box::new(cutout) },
        Augmentation::GaussianNoise { std: 0.05 },
    ]
}

pub(crate) fn settings(lr: f64, strong: bool) -> FitConfig {
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let augmentations = augmentations(strong);
    FitConfig { augmentations, lr_schedule, patience: 0, ..FitConfig::adam_w(lr, 1e-4) }
}

/// The first rows of each class, so many of each.
pub(crate) fn first_of_each(data: &Dataset, order: &[usize], labels: usize) -> Result<Dataset> {
    let (classes, mut counts) = (data.classes()?, [0; 10]);
    let chosen = order.iter().copied().filter(|&row| {
        counts[classes[row]] += 1;
        counts[classes[row]] <= labels
    });
    Ok(data.select(&chosen.collect::<Vec<_>>())?)
}
