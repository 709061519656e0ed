use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use crate::nn::{
    Activation, ConvConfig, MlpConfig, Network, Plan, QNetworkConfig, Tape, activation::tests::ALL,
};

fn numbers(seed: u64, length: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..length).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
}

fn networks(
    activation: Activation,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
) -> [Box<dyn Network>; 2] {
    let config = MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() };
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let hidden = config.hidden_layers();
    let dueling = QNetworkConfig { hidden, dueling: true, ..QNetworkConfig::default() };
    [
        Box::new(config.build(inputs, outputs, rng).unwrap()),
        Box::new(dueling.build(&[vec![inputs]], outputs, rng).unwrap()),
    ]
}

/// The gradient of Σ weight · output, added to what lies there already.
fn ours(network: &mut dyn Network, x: &[f32], batch: usize, weight: &[f32], tape: &mut Tape) {
    let plan = network.plan().unwrap().clone();
    let (values, gradients) = network.parameters_mut().values_and_gradients_mut();
    plan.forward(values, x, batch, tape).unwrap();
    plan.backward(values, weight, tape, gradients).unwrap();
}

#[test]
fn agrees_with_libtorch() {
    let shapes =
        [(4, &[64, 64][..], 2), (17, &[70, 33], 6), (3, &[5], 1), (9, &[], 3), (1, &[1, 2], 1)];
    let tape = &mut Tape::default();
    for activation in ALL {
        for (inputs, hidden, outputs) in shapes {
            for mut network in networks(activation, inputs, hidden, outputs) {
                for batch in [0, 1, 2, 7, 64, 150] {
                    let x = numbers(4, batch * inputs);
                    let weight = numbers(5, batch * outputs);
                    network.parameters_mut().gradients_mut().fill(0.25);
                    let rows = [batch as i64, -1];
                    if batch > 0 {
                        let y = network.forward(&Tensor::from_slice(&x).view(rows));
                        let weight = Tensor::from_slice(&weight).view(rows);
                        let loss = (y * weight).sum(Kind::Float);
                        network.parameters_mut().accumulate(&loss, 1.0).unwrap();
                    }
                    let theirs = network.parameters().gradients().to_vec();
                    network.parameters_mut().gradients_mut().fill(0.25);
                    ours(network.as_mut(), &x, batch, &weight, tape);
                    // Sums of so many numbers of either sign: what rounds is their size.
                    let size = theirs.iter().fold(1.0, |a, b| f32::max(a, b.abs()));
                    for (a, b) in network.parameters().gradients().iter().zip(&theirs) {
                        let differ = (a - b).abs();
                        assert!(differ <= 1e-5 * size, "{activation:?} {batch}: {a} {b}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_wide_network_agrees_with_libtorch() {
    let [mut network, _] = networks(Activation::Relu, 17, &[300, 257], 6);
    let (x, weight) = (numbers(4, 200 * 17), numbers(5, 200 * 6));
    let y = network.forward(&Tensor::from_slice(&x).view([200, 17]));
    let loss = (y * Tensor::from_slice(&weight).view([200, 6])).sum(Kind::Float);
    network.parameters_mut().backward(&loss).unwrap();
    let theirs = network.parameters().gradients().to_vec();
    network.parameters_mut().zero_grad();
    ours(network.as_mut(), &x, 200, &weight, &mut Tape::default());
    let size = theirs.iter().fold(1.0, |a, b| f32::max(a, b.abs()));
    for (a, b) in network.parameters().gradients().iter().zip(&theirs) {
        assert!((a - b).abs() <= 1e-5 * size, "{a} {b}");
    }
}

#[test]
fn convolutions_and_atoms_agree_with_libtorch() {
    let layer = |channels, kernel, stride| ConvConfig { channels, kernel, stride };
    let hidden = MlpConfig { hidden: vec![9], ..MlpConfig::default() }.hidden_layers();
    for conv in [vec![layer(5, 3, 1)], vec![layer(4, 3, 2), layer(6, 2, 1)], vec![]] {
        let (encoder, hidden) = (ConvConfig::layers(&conv, Activation::Relu), hidden.clone());
        let (dueling, atoms) = (true, 4);
        let config =
            QNetworkConfig { encoder, hidden, dueling, atoms, ..QNetworkConfig::default() };
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut network = config.build(&[vec![9, 8, 2]], 3, rng).unwrap();
        let (x, weight) = (numbers(4, 7 * 144), numbers(5, 7 * 12));
        let y = network.forward(&Tensor::from_slice(&x).view([7, 144]));
        let loss = (y * Tensor::from_slice(&weight).view([7, 12])).sum(Kind::Float);
        network.parameters_mut().backward(&loss).unwrap();
        let theirs = network.parameters().gradients().to_vec();
        network.parameters_mut().zero_grad();
        ours(&mut network, &x, 7, &weight, &mut Tape::default());
        let size = theirs.iter().fold(1.0, |a, b| f32::max(a, b.abs()));
        for (a, b) in network.parameters().gradients().iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-5 * size, "{config:?}: {a} {b}");
        }
    }
}

#[test]
fn forward_is_run() {
    for network in networks(Activation::Tanh, 17, &[70, 33], 5) {
        let (x, mut expected) = (numbers(4, 11 * 17), vec![0.0; 11 * 5]);
        network.evaluate(&x, 11, &mut Default::default(), &mut expected).unwrap();
        let mut tape = Tape::default();
        network.plan().unwrap().forward(network.parameters().values(), &x, 11, &mut tape).unwrap();
        assert_eq!(tape.outputs(), expected);
    }
}

#[test]
fn by_hand() {
    // y = 3 max(0, 2 x − 1) + 5 at x = 2 and −1, weighted with 10 and 100.
    let [mut network, _] = networks(Activation::Relu, 1, &[1], 1);
    network.parameters_mut().load(&[2.0, -1.0, 3.0, 5.0]).unwrap();
    let mut tape = Tape::default();
    ours(network.as_mut(), &[2.0, -1.0], 2, &[10.0, 100.0], &mut tape);
    assert_eq!(tape.outputs(), [14.0, 5.0]);
    assert_eq!(network.parameters().gradients(), [60.0, 30.0, 30.0, 110.0]);
}

#[test]
fn wrong_lengths_are_errors() {
    let [network, _] = networks(Activation::Tanh, 4, &[8], 2);
    let (plan, values) = (network.plan().unwrap(), network.parameters().values());
    let (mut tape, mut gradients) = (Tape::default(), vec![0.0; values.len()]);
    assert!(plan.backward(values, &[0.0; 2], &mut tape, &mut gradients).is_err());
    assert!(plan.forward(values, &[0.0; 3], 1, &mut tape).is_err());
    plan.forward(values, &[0.0; 4], 1, &mut tape).unwrap();
    assert!(plan.backward(values, &[0.0; 3], &mut tape, &mut gradients).is_err());
    assert!(plan.backward(values, &[0.0; 2], &mut tape, &mut gradients[1..]).is_err());
    plan.backward(values, &[0.0; 2], &mut tape, &mut gradients).unwrap();
}

#[test]
fn more_rows_than_can_be_counted_are_errors() {
    let scratch = &mut crate::nn::Scratch::default();
    for network in networks(Activation::Tanh, 4, &[8], 2) {
        let (plan, values) = (network.plan().unwrap(), network.parameters().values());
        for batch in [usize::MAX, 1 << 63, 1 << 62, 1 << 40] {
            let mut tape = Tape::default();
            assert!(plan.forward(values, &[0.0; 4], batch, &mut tape).is_err(), "{batch}");
            assert!(plan.run(values, &[0.0; 4], batch, scratch, &mut [0.0; 2]).is_err());
            assert!(network.evaluate(&[], batch, scratch, &mut []).is_err());
            assert!(Plan::new(4).run(values, &[], batch, scratch, &mut []).is_err());
        }
    }
}

#[test]
fn a_tape_of_another_network_is_an_error() {
    let [small, _] = networks(Activation::Tanh, 4, &[8], 2);
    let [large, _] = networks(Activation::Tanh, 4, &[9], 2);
    let mut tape = Tape::default();
    small.plan().unwrap().forward(small.parameters().values(), &[0.0; 4], 1, &mut tape).unwrap();
    let (plan, values) = (large.plan().unwrap(), large.parameters().values());
    let gradients = &mut vec![0.0; values.len()];
    let error = plan.backward(values, &[0.0; 2], &mut tape, gradients).unwrap_err();
    assert_eq!(error.to_string(), "a tape's layer: expected 9 numbers, got 8");
}
