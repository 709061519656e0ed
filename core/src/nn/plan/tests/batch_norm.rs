//! Batch normalisation in plans, in training and in evaluation.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::close;
use crate::nn::{
    Activation, LayerConfig, Network, NetworkConfig, NetworkError, Scratch, Sequential, Snapshot,
    Tape,
};

fn wave(length: usize, step: f32) -> Vec<f32> {
    (0..length).map(|i| (step * i as f32).sin() + 0.5).collect()
}

fn tensor(numbers: &[f32], batch: usize) -> Tensor {
    Tensor::from_slice(numbers).view([batch as i64, -1])
}

fn network(input: &[usize], layers: Vec<LayerConfig>) -> Sequential {
    let config = NetworkConfig::default().with_head(layers);
    let mut network = Sequential::new(&config, input, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let values = wave(network.parameters().len(), 1.3);
    network.parameters_mut().load(&values).unwrap();
    network.set_training(true);
    network
}

/// Pictures of few and of many channels, rows, and a block that is added to its inputs.
fn networks() -> Vec<Sequential> {
    let (conv, norm) = (LayerConfig::conv2d, LayerConfig::batch_norm);
    let gelu = || LayerConfig::from(Activation::Gelu);
    let relu = || LayerConfig::from(Activation::Relu);
    let block = |channels| LayerConfig::Residual {
        layers: vec![norm(), relu(), conv(channels, 3, 1), norm()],
    };
    let settings = LayerConfig::BatchNorm { momentum: 0.3, eps: 0.01 };
    vec![
        network(&[5, 4, 1], vec![conv(3, 3, 1), norm(), relu(), LayerConfig::Flatten]),
        network(&[5, 4, 2], vec![norm(), conv(70, 2, 0), norm(), gelu(), LayerConfig::max_pool(2)]),
        network(&[4, 4, 16], vec![block(16), relu(), settings]),
        network(
            &[7],
            vec![norm(), LayerConfig::linear(65), norm(), relu(), LayerConfig::linear(3)],
        ),
        network(&[1, 1, 6], vec![conv(5, 1, 0), norm(), gelu()]),
    ]
}

#[test]
fn trains_and_evaluates_as_libtorch() {
    let (tape, scratch) = (&mut Tape::default(), &mut Scratch::default());
    for (i, mut network) in networks().into_iter().enumerate() {
        let (inputs, outputs, start) = (network.inputs(), network.outputs(), network.buffers());
        // Of two rows, every row is normalised to 1 or −1: what reaches the layers below is rounding.
        for batch in [5, 33, 300] {
            let what = |of: &str| format!("network {i}, {batch} rows, {of}");
            let (x, weight) = (wave(batch * inputs, 0.7), wave(batch * outputs, 2.1));
            network.load_buffers(&start).unwrap();
            let input = tensor(&x, batch).set_requires_grad(true);
            let y = network.forward(&input);
            let loss = (&y * tensor(&weight, batch)).sum(Kind::Float);
            network.parameters_mut().backward(&loss).unwrap();
            let theirs = network.parameters().gradients().to_vec();
            let running = network.buffers();
            let of = |tensor: &Tensor| Vec::<f32>::try_from(tensor.reshape(-1)).unwrap();

            network.load_buffers(&start).unwrap();
            let plan = network.training_plan().unwrap().clone();
            let values = network.parameters().values();
            plan.forward(values, &x, batch, tape).unwrap();
            close(&what("outputs"), tape.outputs(), &of(&y));
            close(&what("running"), &network.buffers().numbers, &running.numbers);
            let mut gradients = vec![0.0; values.len()];
            plan.backward(values, &weight, tape, &mut gradients).unwrap();
            close(&what("by parameters"), &gradients, &theirs);
            let mut by_input = vec![f32::NAN; x.len()];
            plan.backward_inputs(values, &weight, tape, 0..inputs, &mut by_input).unwrap();
            close(&what("by inputs"), &by_input, &of(&input.grad()));

            let mut out = vec![f32::NAN; batch * outputs];
            network.evaluate(&x, batch, scratch, &mut out).unwrap();
            close(&what("evaluated"), &out, &of(&network.predict(&tensor(&x, batch))));
        }
    }
}

#[test]
fn one_number_for_each_channel_has_no_variance() {
    let (tape, networks) = (&mut Tape::default(), networks());
    for (network, least) in networks.iter().zip([1, 1, 1, 2, 2]) {
        let (plan, values) = (network.training_plan().unwrap(), network.parameters().values());
        for got in 0..3 {
            let x = wave(got * network.inputs(), 0.7);
            match plan.forward(values, &x, got, tape) {
                Ok(()) => assert!(got >= least),
                Err(NetworkError::Rows { least: said, got: given }) => {
                    assert!(got < least && (said, given) == (least as i64, got as i64));
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

/// The rows of a batch depend on each other: a gradient of some of them is one of all.
#[test]
fn some_rows_of_a_batch_have_no_gradient_of_their_own() {
    let (tape, network) = (&mut Tape::default(), &networks()[3]);
    let (plan, values) = (network.training_plan().unwrap(), network.parameters().values());
    plan.forward(values, &wave(3 * 7, 0.7), 3, tape).unwrap();
    tape.keep_rows(&[0, 2]);
    let result = plan.backward(values, &[1.0; 6], tape, &mut vec![0.0; values.len()]);
    assert!(matches!(result, Err(NetworkError::Length { expected: 3, got: 2, .. })));
}

#[test]
fn a_snapshot_keeps_the_running_statistics_of_its_moment() {
    let (tape, scratch) = (&mut Tape::default(), &mut Scratch::default());
    for network in networks() {
        let (x, mut outputs) = (wave(4 * network.inputs(), 0.7), vec![0.0; 4 * network.outputs()]);
        let mut evaluate = |snapshot: &Snapshot| {
            snapshot.evaluate(&x, 4, scratch, &mut outputs).unwrap();
            outputs.clone()
        };
        let mut snapshot = Snapshot::of(&network).unwrap();
        let before = evaluate(&snapshot);
        network
            .training_plan()
            .unwrap()
            .forward(network.parameters().values(), &x, 4, tape)
            .unwrap();
        assert_eq!(evaluate(&snapshot), before);
        snapshot.refresh(&network).unwrap();
        assert_ne!(evaluate(&snapshot), before);
    }
}

#[test]
fn a_frozen_encoder_keeps_its_statistics() {
    let config = NetworkConfig::cnn(&[3], 5, Activation::Relu).linear_head(2);
    let mut network = Sequential::new(&config, &[4, 4], &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    assert!(network.training_plan().is_some());
    network.set_encoder_frozen(true);
    assert!(network.training_plan().is_none(), "its plan would use the batch's");
}

#[test]
fn statistics_of_another_forward_pass_are_refused() {
    let norm = network(&[12], vec![LayerConfig::batch_norm()]);
    let other = network(&[12], vec![LayerConfig::layer_norm()]);
    let (tape, x) = (&mut Tape::default(), wave(4 * 12, 0.7));
    let forward = |network: &Sequential, tape: &mut Tape| {
        let (plan, values) = (network.training_plan().unwrap(), network.parameters().values());
        plan.forward(values, &x, 4, tape).unwrap();
    };
    let backward = |tape: &mut Tape| {
        let (plan, values) = (norm.training_plan().unwrap(), norm.parameters().values());
        plan.backward(values, &[1.0; 4 * 12], tape, &mut vec![0.0; values.len()])
    };
    forward(&norm, tape);
    assert!(backward(tape).is_ok());
    // A tape that was used again still holds what it noted before.
    forward(&other, tape);
    assert!(matches!(backward(tape), Err(NetworkError::Length { .. })));
}
