//! A checkpoint is that of one training.

use super::*;
use crate::checkpoint::CheckpointError;
use crate::compression::Distillation;
use crate::self_supervised::{InfoNce, NtXent};
use crate::transfer::{Lora, LoraConfig};

fn network(activation: Activation, seed: u64) -> Sequential {
    let config = NetworkConfig::mlp(&[4], activation).linear_head(2);
    Sequential::new(&config, &[1], &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
}

fn data() -> Dataset {
    rows(&[0.0, 0.2, 0.4, 0.6], &[0.0, 0.0, 1.0, 1.0])
}

/// Trains to the end, or takes up what was.
fn train<N: Network>(
    path: &std::path::Path,
    mut network: N,
    rng: ChaCha8Rng,
    objective: &impl Objective<N>,
) -> Result<History, FitError> {
    let augmentations = vec![Augmentation::GaussianNoise { std: 0.1 }];
    let config = FitConfig { epochs: 2, views: 2, augmentations, ..config() };
    let config = FitConfig { batch_size: 4, ..config };
    Trainer::new(config, rng)?.checkpoint(path).fit(
        &mut network,
        &data(),
        &rows(&[], &[]),
        objective,
    )
}

fn is_another(result: &Result<History, FitError>) -> bool {
    matches!(result, Err(FitError::Checkpoint(CheckpointError::Mismatch { .. })))
}

#[test]
fn another_objective_network_or_stream_is_another_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    let tanh = |seed| network(Activation::Tanh, seed);
    let objective = NtXent { temperature: 0.5 };
    let history = train(&path, tanh(1), rng(), &objective).unwrap();
    assert_eq!(train(&path, tanh(2), rng(), &objective).unwrap(), history);
    assert!(is_another(&train(&path, tanh(1), rng(), &NtXent { temperature: 0.6 })));
    let info_nce = InfoNce { temperature: 0.5, direction: Default::default() };
    assert!(is_another(&train(&path, tanh(1), rng(), &info_nce)));
    assert!(is_another(&train(&path, network(Activation::Relu, 1), rng(), &objective)));
    let (mut elsewhere, mut later) = (rng(), rng());
    elsewhere.set_stream(1);
    later.set_word_pos(1);
    assert!(is_another(&train(&path, tanh(1), elsewhere, &objective)));
    assert!(is_another(&train(&path, tanh(1), later, &objective)));
}

#[test]
fn another_teacher_or_network_underneath_is_another_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("distillation.safetensors");
    let student = || network(Activation::Tanh, 1);
    let by = |teacher: &Sequential, temperature| {
        train(&path, student(), rng(), &Distillation { teacher, temperature, alpha: 1.0 })
    };
    let teacher = network(Activation::Relu, 2);
    let history = by(&teacher, 1.0).unwrap();
    assert_eq!(by(&teacher, 1.0).unwrap(), history);
    assert!(is_another(&by(&teacher, 4.0)));
    assert!(is_another(&by(&network(Activation::Relu, 3), 1.0)));

    let path = folder.path().join("adapted.safetensors");
    let adapted = |seed, alpha| {
        let config = LoraConfig { rank: 1, alpha, ..LoraConfig::default() };
        let lora = Lora::new(network(Activation::Tanh, seed), &config, &mut rng()).unwrap();
        train(&path, lora, rng(), &Loss::cross_entropy())
    };
    let history = adapted(1, 8.0).unwrap();
    assert_eq!(adapted(1, 8.0).unwrap(), history);
    assert!(is_another(&adapted(2, 8.0)));
    assert!(is_another(&adapted(1, 4.0)));
}

#[test]
fn an_objective_that_cannot_be_told_from_others_keeps_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    fn mean(network: &Sequential, batch: &Batch) -> tch::Tensor {
        network.forward(&batch.inputs()).square().mean(tch::Kind::Float)
    }
    // Of what it captures nothing is known, and two that capture nothing have one name.
    let factor = 0.5;
    let scaled = move |network: &Sequential, batch: &Batch| mean(network, batch) * factor;
    let halved = |network: &Sequential, batch: &Batch| mean(network, batch) * 0.5;
    fn described(objective: &impl Objective<Sequential>) -> Option<String> {
        objective.description()
    }
    assert_eq!((described(&scaled), described(&halved)), (None, None));
    let before = network(Activation::Tanh, 1);
    let mut trained = network(Activation::Tanh, 1);
    let mut trainer = Trainer::new(config(), rng()).unwrap().checkpoint(&path);
    let error = trainer.fit(&mut trained, &data(), &data(), &scaled).unwrap_err();
    assert!(matches!(error, FitError::Undescribed), "{error}");
    assert!(error.to_string().contains("implement `Objective` with `description`"), "{error}");
    assert_eq!(trained.parameters().values(), before.parameters().values());
    assert!(!path.exists());
    // Without a checkpoint it is as good as any; a function may have one.
    Trainer::new(config(), rng()).unwrap().fit(&mut trained, &data(), &data(), &scaled).unwrap();
    trainer.fit(&mut trained, &data(), &data(), &mean).unwrap();
    assert!(path.exists());
}
