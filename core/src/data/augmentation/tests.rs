use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::Dataset;

const IMAGE: Shape = Shape { height: 2, width: 3, channels: 1 };

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn apply(augmentation: &Augmentation, row: &[f32], seed: u64) -> Vec<f32> {
    let mut row = row.to_vec();
    augmentation.apply(&mut row, &mut rng(seed)).unwrap();
    row
}

#[test]
fn flips_keep_the_channels_of_a_pixel_together() {
    let shape = Shape { height: 2, width: 2, channels: 2 };
    let row = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5];
    let flip = Augmentation::HorizontalFlip { shape, probability: 1.0 };
    assert_eq!(apply(&flip, &row, 0), [2.0, 2.5, 1.0, 1.5, 4.0, 4.5, 3.0, 3.5]);
    let flip = Augmentation::VerticalFlip { shape, probability: 1.0 };
    assert_eq!(apply(&flip, &row, 0), [3.0, 3.5, 4.0, 4.5, 1.0, 1.5, 2.0, 2.5]);
    let never = Augmentation::VerticalFlip { shape, probability: 0.0 };
    assert_eq!(apply(&never, &row, 0), row);
}

#[test]
fn quarter_turns_are_exact() {
    let shape = Shape { height: 3, width: 3, channels: 1 };
    let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    for (angle, expected) in [
        (90.0, [3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0]),
        (180.0, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]),
        (360.0, row),
    ] {
        let turned = apply(&Augmentation::Rotation { shape, degrees: (angle, angle) }, &row, 0);
        let error = turned.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error < 1e-5, "{angle}: {turned:?}");
    }
}

#[test]
fn a_signal_is_stretched_about_its_middle() {
    let shape = Shape::signal(5, 1);
    let stretch = |rate| Augmentation::TimeStretch { shape, rate: (rate, rate) };
    let row = [0.0, 10.0, 20.0, 30.0, 40.0];
    assert_eq!(apply(&stretch(0.5), &row, 0), [10.0, 15.0, 20.0, 25.0, 30.0]);
    assert_eq!(apply(&stretch(2.0), &row, 0), [0.0, 0.0, 20.0, 40.0, 40.0]);
    assert_eq!(apply(&stretch(1.0), &row, 0), row);
    assert_eq!(apply(&stretch(1e308), &row, 0), [0.0, 0.0, 20.0, 40.0, 40.0]);
}

#[test]
fn a_crop_shifts_and_zeros_come_in() {
    let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let crop = Augmentation::RandomCrop { shape: IMAGE, padding: 1 };
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let shifted = apply(&crop, &row, seed);
        seen.insert(shifted.iter().map(|x| *x as u8).collect::<Vec<_>>());
    }
    assert_eq!(seen.len(), 9);
    for expected in [[1, 2, 3, 4, 5, 6], [5, 6, 0, 0, 0, 0], [0, 0, 0, 0, 1, 2], [0, 1, 2, 0, 4, 5]]
    {
        assert!(seen.contains(&expected[..]), "{expected:?} of {seen:?}");
    }
    let signal = Augmentation::RandomCrop { shape: Shape::signal(6, 1), padding: 1 };
    assert!(
        (0..50).all(|seed| apply(&signal, &row, seed).iter().filter(|x| **x > 0.0).count() >= 5)
    );
}

#[test]
fn a_resized_crop_of_the_whole_is_the_whole_and_of_a_part_lies_within_it() {
    let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let crop = |scale| Augmentation::RandomResizedCrop { shape: IMAGE, scale };
    assert_eq!(apply(&crop((1.0, 1.0)), &row, 3), row);
    // Half of a ramp rises half as much, wherever it begins.
    let shape = Shape::signal(8, 1);
    let ramp: Vec<f32> = (0_u8..8).map(f32::from).collect();
    let half = Augmentation::RandomResizedCrop { shape, scale: (0.5, 0.5) };
    let starts: Vec<f32> = (0..20)
        .map(|seed| {
            let part = apply(&half, &ramp, seed);
            assert!((part[5] - part[3] - 1.0).abs() < 1e-6, "{part:?}");
            part[3]
        })
        .collect();
    assert!(starts.iter().all(|x| (1.0..=5.5).contains(x)), "{starts:?}");
    assert!(starts.iter().any(|x| *x < 2.5) && starts.iter().any(|x| *x > 4.0), "{starts:?}");
}

#[test]
fn masks_replace_what_they_say() {
    let row = [1.0; 400];
    let shape = Shape { height: 20, width: 20, channels: 1 };
    let count = |row: &[f32]| row.iter().filter(|x| **x == -1.0).count();
    let cutout = Augmentation::Cutout { shape, height: 4, width: 5, value: -1.0 };
    let counts: Vec<usize> = (0..300).map(|seed| count(&apply(&cutout, &row, seed))).collect();
    assert_eq!(counts.iter().max(), Some(&20));
    assert!(counts.iter().any(|n| *n < 20) && counts.iter().all(|n| *n >= 6), "{counts:?}");
    let mask = Augmentation::FeatureMask { probability: 0.25, value: -1.0 };
    let total: usize = (0..50).map(|seed| count(&apply(&mask, &row, seed))).sum();
    assert!((4700..5300).contains(&total), "{total}"); // 5000 ± 61
    let mask = Augmentation::TimeMask { shape: Shape::signal(200, 2), max_length: 9, value: -1.0 };
    let masked: Vec<Vec<f32>> = (0..200).map(|seed| apply(&mask, &row, seed)).collect();
    assert!(masked.iter().all(|row| count(row) % 2 == 0 && count(row) <= 18));
    assert!(masked.iter().any(|row| count(row) == 18) && masked.iter().any(|row| count(row) == 0));
    assert!(masked.iter().all(|row| row.chunk_by(|a, b| a == b).count() <= 3));
}

#[test]
fn noise_has_its_standard_deviation() {
    let noisy = apply(&Augmentation::GaussianNoise { std: 2.0 }, &[5.0; 10_000], 1);
    let mean = noisy.iter().sum::<f32>() / 1e4;
    let variance = noisy.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e4;
    assert!((mean - 5.0).abs() < 0.08 && (variance - 4.0).abs() < 0.25, "{mean} {variance}");
}

#[test]
fn composed_augmentations_draw_anew_for_each_row_and_repeat_by_their_seed() {
    let steps = vec![
        Augmentation::GaussianNoise { std: 0.1 },
        Augmentation::RandomApply {
            probability: 0.5,
            augmentation: Box::new(Augmentation::HorizontalFlip { shape: IMAGE, probability: 1.0 }),
        },
    ];
    let compose = Compose::new(steps, 6).unwrap();
    let inputs = [0.0, 5.0, 10.0, 0.0, 5.0, 10.0].repeat(100);
    let data = Dataset::new(inputs, 6, vec![1.0; 100], 1).unwrap();
    let augmented = |seed| compose.apply_to_inputs(&data, &mut rng(seed)).unwrap();
    assert_eq!(augmented(1), augmented(1));
    assert_ne!(augmented(1), augmented(2));
    let flipped = augmented(1).inputs().chunks(6).filter(|row| row[0] > row[2]).count();
    assert!((30..70).contains(&flipped), "{flipped}");
    assert_eq!(augmented(1).targets(), data.targets());
}

#[test]
fn mixtures_lie_between_the_rows_that_they_were_made_of() {
    let inputs: Vec<f32> = (0_u8..10).map(f32::from).collect();
    let data = Dataset::new(inputs, 2, vec![0.0, 1.0, 2.0, 0.0, 1.0], 1).unwrap();
    let batch = data.one_hot(3).unwrap().batch(&[0, 1, 2, 3, 4]);
    let Mixed { batch: mixed, partner, lambda } = mixup(&batch, 0.4, &mut rng(3)).unwrap();
    assert!((0.0..=1.0).contains(&lambda));
    for (row, other) in partner.iter().enumerate() {
        for (numbers, mixed, width) in [
            (batch.input_numbers(), mixed.input_numbers(), 2),
            (batch.target_numbers(), mixed.target_numbers(), 3),
        ] {
            for i in 0..width {
                let (a, b) = (numbers[row * width + i], numbers[other * width + i]);
                assert_eq!(mixed[row * width + i], lambda * a + (1.0 - lambda) * b);
            }
        }
    }
    assert!(
        mixed.target_numbers().chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6)
    );
    let lambdas: Vec<f32> =
        (0..400).map(|seed| mixup(&batch, 0.4, &mut rng(seed)).unwrap().lambda).collect();
    let mean = lambdas.iter().sum::<f32>() / 400.0;
    let variance = lambdas.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 400.0;
    // Beta(α, α) has mean ½ and variance 1 / (4 (2 α + 1)) = 0.139.
    assert!((mean - 0.5).abs() < 0.06 && (variance - 0.139).abs() < 0.02, "{mean} {variance}");
    for alpha in [5e-324, 1e-300, 1e-30, 1e30, 1e300, f64::MAX] {
        for seed in 0..20 {
            let lambda = mixup(&batch, alpha, &mut rng(seed)).map(|mixed| mixed.lambda);
            assert!(lambda.is_err() || (0.0..=1.0).contains(&lambda.unwrap()), "{alpha} {seed}");
        }
    }
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(mixup(&batch, alpha, &mut rng(0)), Err(DataError::Setting(_))));
    }
}

#[test]
fn settings_out_of_range_are_errors_before_any_row_is_touched() {
    let (shape, signal) = (IMAGE, Shape::signal(6, 1));
    let bad = [
        Augmentation::GaussianNoise { std: f32::NAN },
        Augmentation::FeatureMask { probability: 1.1, value: 0.0 },
        Augmentation::FeatureMask { probability: 0.1, value: f32::INFINITY },
        Augmentation::Cutout { shape, height: 3, width: 1, value: 0.0 },
        Augmentation::Cutout { shape, height: 0, width: 1, value: 0.0 },
        Augmentation::TimeMask { shape: signal, max_length: 7, value: 0.0 },
        Augmentation::TimeMask { shape, max_length: 1, value: 0.0 },
        Augmentation::RandomCrop { shape, padding: 4 },
        Augmentation::RandomResizedCrop { shape, scale: (0.0, 1.0) },
        Augmentation::RandomResizedCrop { shape, scale: (0.9, 0.5) },
        Augmentation::HorizontalFlip { shape, probability: -0.1 },
        Augmentation::Rotation { shape, degrees: (0.0, f64::INFINITY) },
        Augmentation::Rotation { shape, degrees: (-1e308, 1e308) },
        Augmentation::TimeStretch { shape: signal, rate: (0.0, 1.0) },
    ];
    for augmentation in bad {
        let inner = Box::new(augmentation.clone());
        let nested = Augmentation::RandomApply { probability: 0.5, augmentation: inner };
        for augmentation in [augmentation, nested] {
            let error = Compose::new(vec![augmentation.clone()], 6).unwrap_err();
            assert!(matches!(error, DataError::Setting(_)), "{augmentation:?}: {error}");
        }
    }
    let flip = Augmentation::VerticalFlip { shape, probability: 1.0 };
    let error = flip.apply(&mut [0.0; 5], &mut rng(0)).unwrap_err();
    assert_eq!(error.to_string(), "got 5 numbers in a row, expected 6");
    let huge = Shape { height: usize::MAX, width: 2, channels: 0 };
    assert!(Compose::new(vec![Augmentation::RandomCrop { shape: huge, padding: 0 }], 0).is_err());
    let compose = Compose::new(vec![flip], 6).unwrap();
    assert!(matches!(compose.apply(&mut [0.0; 7], &mut rng(0)), Err(DataError::Ragged { .. })));
}
