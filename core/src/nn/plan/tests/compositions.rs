//! Layers of all sorts after, beside and within each other.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::close;
use crate::nn::{
    Activation, EncodedPart, Engine, Joined, LayerConfig, LayerShape, Net, Network, Recorded,
    Scratch, Tape,
};

fn numbers(seed: u64, length: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..length).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
}

fn conv(channels: usize, kernel: usize, stride: usize, padding: usize) -> LayerConfig {
    match LayerConfig::conv2d(channels, kernel, padding) {
        LayerConfig::Conv2d { channels, kernel, padding, weight, bias, .. } => {
            LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias }
        }
        _ => unreachable!("a convolution"),
    }
}

fn joined(parts: &[EncodedPart], head: &[LayerConfig]) -> Net {
    let declare =
        |builder: &mut crate::nn::ParametersBuilder| -> Result<Box<dyn crate::nn::Module>, _> {
            Ok(Box::new(Joined::new(parts, head, 0, builder)?))
        };
    let mut net = Net::new(declare, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
    let values: Vec<f32> = numbers(9, net.parameters().len()).iter().map(|x| x / 4.0).collect();
    net.parameters_mut().load(&values).unwrap();
    net
}

fn one(shape: &[usize], layers: Vec<LayerConfig>) -> Net {
    joined(&[(LayerShape::of(shape).unwrap(), layers)], &[])
}

/// Networks of all sorts of layers.
fn networks() -> Vec<(&'static str, Net)> {
    let relu = || LayerConfig::from(Activation::Relu);
    let gelu = || LayerConfig::from(Activation::Gelu);
    let (linear, norm) = (LayerConfig::linear, LayerConfig::layer_norm);
    let residual = |layers| LayerConfig::Residual { layers };
    let avg_pool = LayerConfig::AvgPool { kernel: 3, stride: Some(2), padding: 1 };
    let max_pool = LayerConfig::MaxPool { kernel: 3, stride: Some(2), padding: 1 };
    let rms = LayerConfig::RmsNorm { eps: None };
    let picture = |layers| (LayerShape::of(&[5, 6, 3]).unwrap(), layers);
    let row = |n, layers| (LayerShape::Row(n), layers);
    vec![
        ("a stride and padding", one(&[7, 5, 3], vec![conv(4, 3, 2, 1), gelu(), conv(2, 2, 1, 1)])),
        ("a wide stride", one(&[8, 9, 2], vec![conv(3, 2, 3, 1), relu(), LayerConfig::Flatten])),
        ("much padding", one(&[2, 3], vec![conv(3, 5, 2, 4), relu(), conv(2, 2, 1, 0)])),
        ("one pixel", one(&[1, 1, 5], vec![conv(3, 1, 1, 0), LayerConfig::Flatten, linear(2)])),
        (
            "a largest number",
            one(&[6, 7, 2], vec![max_pool.clone(), conv(3, 2, 1, 0), max_pool.clone()]),
        ),
        ("a mean", one(&[6, 7, 2], vec![conv(3, 2, 1, 0), gelu(), avg_pool.clone()])),
        (
            "many channels",
            one(&[6, 7, 2], vec![conv(18, 3, 1, 1), relu(), max_pool, conv(33, 3, 1, 1), avg_pool]),
        ),
        ("a whole mean", one(&[4, 5, 2], vec![conv(3, 2, 1, 0), LayerConfig::GlobalAvgPool])),
        ("pictures normalised", one(&[4, 5, 2], vec![norm(), conv(3, 3, 1, 1), norm(), gelu()])),
        ("rows normalised", one(&[37], vec![norm(), linear(35), rms, gelu(), linear(2), norm()])),
        ("activations alone", one(&[6], vec![gelu(), relu(), linear(3), relu(), gelu()])),
        ("a picture as it is", one(&[4, 5, 2], vec![gelu()])),
        ("nothing", one(&[4], vec![])),
        (
            "a residual row",
            one(&[6], vec![residual(vec![gelu(), linear(8), relu(), linear(6)]), linear(2)]),
        ),
        (
            "residuals of pictures",
            one(
                &[5, 4, 2],
                vec![
                    residual(vec![
                        conv(3, 3, 1, 1),
                        gelu(),
                        residual(vec![norm()]),
                        conv(2, 3, 1, 1),
                    ]),
                    relu(),
                    residual(vec![]),
                    conv(2, 2, 2, 0),
                ],
            ),
        ),
        (
            "parts side by side",
            joined(
                &[
                    row(3, vec![]),
                    picture(vec![conv(2, 3, 1, 0), relu(), LayerConfig::Flatten]),
                    row(4, vec![linear(5), gelu()]),
                    picture(vec![conv(2, 3, 2, 1)]),
                ],
                &[linear(7), norm(), relu(), linear(2)],
            ),
        ),
        ("rows side by side", joined(&[row(3, vec![]), row(2, vec![])], &[linear(2)])),
    ]
}

fn tensor(numbers: &[f32], batch: usize) -> Tensor {
    Tensor::from_slice(numbers).view([batch as i64, -1])
}

#[test]
fn agree_with_libtorch_forward_and_backward() {
    let (tape, scratch) = (&mut Tape::default(), &mut Scratch::default());
    for batch in [1, 7] {
        for (name, mut net) in networks() {
            let (inputs, outputs) = (net.inputs(), net.outputs());
            let (x, weight) = (numbers(4, batch * inputs), numbers(5, batch * outputs));
            let input = tensor(&x, batch).set_requires_grad(true);
            let y = net.forward(&input);
            let loss = (&y * tensor(&weight, batch)).sum(Kind::Float);
            loss.backward();
            let loss = (net.forward(&tensor(&x, batch)) * tensor(&weight, batch)).sum(Kind::Float);
            if net.parameters().is_empty() {
                assert!(!loss.requires_grad(), "{name}");
            } else {
                net.parameters_mut().backward(&loss).unwrap();
            }
            let (theirs, by_input): (Vec<f32>, Vec<f32>) =
                (y.reshape(-1).try_into().unwrap(), input.grad().reshape(-1).try_into().unwrap());

            assert_eq!(net.engine(), Engine::Plan, "{name}");
            let plan = net.plan().unwrap_or_else(|| panic!("{name} has a plan"));
            let values = net.parameters().values();
            let mut ours = vec![f32::NAN; batch * outputs];
            plan.run(values, &x, batch, scratch, &mut ours).unwrap();
            close(&format!("{name}, outputs"), &ours, &theirs);
            plan.forward(values, &x, batch, tape).unwrap();
            assert_eq!(tape.outputs(), ours, "{name}: the same bits");

            let mut gradients = vec![0.5; values.len()];
            plan.backward(values, &weight, tape, &mut gradients).unwrap();
            let expected: Vec<f32> = net.parameters().gradients().iter().map(|g| g + 0.5).collect();
            close(&format!("{name}, by parameters"), &gradients, &expected);
            let mut by_x = vec![f32::NAN; x.len()];
            plan.backward_inputs(values, &weight, tape, 0..inputs, &mut by_x).unwrap();
            close(&format!("{name}, by inputs"), &by_x, &by_input);
        }
    }
}

#[test]
fn gradients_of_some_rows_and_inputs_are_those_among_all() {
    for (name, mut net) in networks() {
        let (inputs, outputs, kept) = (net.inputs(), net.outputs(), [0, 3, 4]);
        let (x, weight) = (numbers(4, 6 * inputs), numbers(5, 6 * outputs));
        let pick = |numbers: &[f32], width: usize, columns: Range<usize>| -> Vec<f32> {
            let rows = kept.iter().flat_map(|row| &numbers[row * width..][columns.clone()]);
            rows.copied().collect()
        };
        let mut gradient = |engine, kept: &[usize], weight: &[f32], columns: Range<usize>| {
            net.set_engine(engine).unwrap();
            let recorded = &mut Recorded::for_inputs();
            for _ in 0..2 {
                net.record(&x, 6, recorded).unwrap(); // the second writes over the first
            }
            let rows = if kept.is_empty() { 6 } else { kept.len() };
            if !kept.is_empty() {
                recorded.keep_rows(kept);
            }
            assert_eq!(recorded.outputs().len(), rows * outputs);
            let mut by_input = vec![f32::NAN; rows * columns.len()];
            net.input_gradient(weight, recorded, columns, &mut by_input).unwrap();
            by_input
        };
        let all = gradient(Engine::Plan, &[], &weight, 0..inputs);
        for columns in [0..inputs, 0..1, inputs - 1..inputs] {
            let weight = pick(&weight, outputs, 0..outputs);
            let expected = pick(&all, inputs, columns.clone());
            let ours = gradient(Engine::Plan, &kept, &weight, columns.clone());
            close(&format!("{name}, {columns:?}"), &ours, &expected);
            let theirs = gradient(Engine::Libtorch, &kept, &weight, columns.clone());
            close(&format!("{name}, {columns:?}, libtorch"), &theirs, &expected);
        }
    }
}

#[test]
fn both_engines_give_the_same_gradients() {
    for (name, mut net) in networks() {
        let (x, weight) = (numbers(4, 3 * net.inputs()), numbers(5, 3 * net.outputs()));
        let [ours, theirs] = [Engine::Plan, Engine::Libtorch].map(|engine| {
            net.set_engine(engine).unwrap();
            let recorded = &mut Recorded::default();
            net.record(&x, 3, recorded).unwrap();
            let outputs = recorded.outputs().to_vec();
            if !net.parameters().is_empty() {
                net.parameters_mut().gradients_mut().fill(f32::NAN);
                net.backward(&weight, recorded, None).unwrap();
                assert!(net.backward(&weight[1..], recorded, None).is_err());
            }
            [outputs, net.parameters().gradients().to_vec()].concat()
        });
        close(name, &ours, &theirs);
    }
}

/// Layers wide enough that their products round, within each other, too.
fn wide() -> Net {
    let (linear, tanh) = (|| LayerConfig::linear(40), || LayerConfig::from(Activation::Tanh));
    let residual = LayerConfig::Residual { layers: vec![linear(), tanh()] };
    one(&[24], vec![linear(), LayerConfig::layer_norm(), tanh(), residual, linear()])
}

#[test]
fn rounded_products_give_nearly_the_same_gradients() {
    let mut net = wide();
    let (x, weight) = (numbers(4, 20 * 24), numbers(5, 20 * 40));
    let [rounded, exact, again] = [Engine::PlanBf16, Engine::Auto, Engine::Plan].map(|engine| {
        net.set_engine(engine).unwrap();
        let recorded = &mut Recorded::default();
        net.record(&x, 20, recorded).unwrap();
        net.parameters_mut().gradients_mut().fill(0.0);
        net.backward(&weight, recorded, None).unwrap();
        net.parameters().gradients().to_vec()
    });
    assert_eq!(exact, again);
    let norm = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
    let error = norm(&mut rounded.iter().zip(&exact).map(|(a, b)| a - b));
    let share = error / norm(&mut exact.iter().copied());
    assert!((1e-4..1e-2).contains(&share), "{share}");
}

#[test]
fn a_row_gives_the_same_bits_in_any_batch() {
    let scratch = &mut Scratch::default();
    let mut rounded = wide();
    rounded.set_engine(Engine::PlanBf16).unwrap();
    for (name, net) in networks().into_iter().chain([("rounded products", rounded)]) {
        let (inputs, outputs) = (net.inputs(), net.outputs());
        let x = numbers(6, 5 * inputs);
        let mut together = vec![0.0; 5 * outputs];
        net.evaluate(&x, 5, scratch, &mut together).unwrap();
        for (x, expected) in x.chunks(inputs).zip(together.chunks(outputs)) {
            let mut alone = vec![0.0; outputs];
            net.evaluate(x, 1, scratch, &mut alone).unwrap();
            assert_eq!(alone, expected, "{name}");
        }
    }
}

#[test]
fn a_tape_of_another_composition_is_an_error() {
    let nets = networks();
    for (i, (name, net)) in nets.iter().enumerate() {
        for (j, (other_name, other)) in nets.iter().enumerate() {
            let (plan, values) = (net.plan().unwrap(), net.parameters().values());
            let (theirs, mut tape) = (other.plan().unwrap(), Tape::default());
            let x = numbers(7, other.inputs());
            theirs.forward(other.parameters().values(), &x, 1, &mut tape).unwrap();
            let (by_output, mut sums) = (vec![1.0; net.outputs()], vec![0.0; values.len()]);
            let result = plan.backward(values, &by_output, &mut tape, &mut sums);
            assert!(i == j || result.is_err(), "{name} with a tape of {other_name}");
        }
    }
}
