//! Pruning chooses what PyTorch's does, and distillation descends what PyTorch computes: held against
//! what `reference/compression.py` recorded.
#![cfg(feature = "torch")]

use gymnast_core::compression::{Mask, distillation_loss};
use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::{Parameters, ParametersBuilder};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tch::Tensor;

#[derive(Deserialize)]
struct Reference {
    l1_unstructured: Vec<[Vec<u8>; 2]>,
    global_unstructured: Vec<[Vec<u8>; 2]>,
    ln_structured: [Vec<u8>; 2],
    distillation: Vec<Distilled>,
}

#[derive(Deserialize)]
struct Distilled {
    temperature: f64,
    loss: f64,
    gradient: Vec<f32>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/compression.json")).expect("the script wrote it")
}

fn numbers(count: usize, step: f64, scale: f64) -> Vec<f32> {
    (0..count).map(|i| (scale * (step * i as f64).sin()) as f32).collect()
}

/// `parameter.0` `[5, 7]`, `parameter.1` `[7, 3]`, `parameter.2` `[4, 2, 3, 3]`.
fn parameters() -> Parameters {
    let mut builder = ParametersBuilder::new();
    for shape in [&[5, 7][..], &[7, 3], &[4, 2, 3, 3]] {
        let fans = Fans { fan_in: 1, fan_out: 1 };
        builder.parameter(shape, Init::Zeros, fans).unwrap();
    }
    let mut parameters = builder.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let values = [numbers(35, 0.7, 1.0), numbers(21, 1.9, 1.0), numbers(72, 2.3, 1.0)].concat();
    parameters.load(&values).unwrap();
    parameters
}

fn layers(name: &str) -> bool {
    name != "parameter.2"
}

fn assert_masks(mask: &Mask, expected: &[Vec<u8>; 2]) {
    let kept: Vec<u8> = mask.kept().iter().map(|&kept| u8::from(kept)).collect();
    assert_eq!(kept[..35], expected[0]);
    assert_eq!(kept[35..56], expected[1]);
    assert!(mask.kept()[56..].iter().all(|&kept| kept));
}

#[test]
fn unstructured_pruning() {
    let (parameters, reference) = (parameters(), reference());
    let mut mask = Mask::new(&parameters, layers);
    for (amount, expected) in [0.3, 0.25].into_iter().zip(&reference.l1_unstructured) {
        mask.l1_unstructured(&parameters, amount).unwrap();
        assert_masks(&mask, expected);
    }
    let mut mask = Mask::new(&parameters, layers);
    for (amount, expected) in [0.5, 0.3].into_iter().zip(&reference.global_unstructured) {
        mask.global_unstructured(&parameters, amount).unwrap();
        assert_masks(&mask, expected);
    }
}

#[test]
fn structured_pruning() {
    let parameters = parameters();
    let mut mask = Mask::new(&parameters, |_| true);
    mask.ln_structured(&parameters, "parameter.0", 0.4, 2.0).unwrap();
    mask.ln_structured(&parameters, "parameter.2", 0.5, 1.0).unwrap();
    let kept: Vec<u8> = mask.kept().iter().map(|&kept| u8::from(kept)).collect();
    let [layer, filters] = reference().ln_structured;
    assert_eq!(kept[..35], layer);
    assert_eq!(kept[56..], filters);
}

#[test]
fn distillation() {
    for Distilled { temperature, loss, gradient } in reference().distillation {
        let student = Tensor::from_slice(&numbers(12, 1.3, 3.0)).view([3, 4]);
        let student = student.set_requires_grad(true);
        let teacher = Tensor::from_slice(&numbers(12, 0.8, 4.0)).view([3, 4]);
        let ours = distillation_loss(&student, &teacher, temperature).unwrap();
        ours.backward();
        let ours = ours.double_value(&[]);
        assert!((ours - loss).abs() <= 1e-6 * loss.max(1.0), "{temperature}: {ours} {loss}");
        let ours = Vec::<f32>::try_from(student.grad().reshape(-1)).unwrap();
        for (a, b) in ours.iter().zip(&gradient) {
            assert!((a - b).abs() <= 1e-6, "{temperature}: {a} {b}");
        }
    }
}
