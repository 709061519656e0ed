use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Kind;

use super::*;
use crate::init::Init;
use crate::nn::{Activation, Scratch, Snapshot};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn build(config: &NetworkConfig, input: &[usize]) -> Sequential {
    Sequential::new(config, input, &mut rng()).unwrap()
}

fn rows(batch: usize, width: usize) -> Tensor {
    let numbers: Vec<f32> = (0..batch * width).map(|i| (1.3 * i as f32).sin()).collect();
    Tensor::from_slice(&numbers).view([batch as i64, width as i64])
}

fn numbers_of(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape(-1)).unwrap()
}

fn dropout() -> NetworkConfig {
    let layers = vec![LayerConfig::Dropout { p: 0.25 }, LayerConfig::Dropout { p: 0.5 }];
    NetworkConfig { encoder: layers, head: vec![], dropout_seed: 7 }
}

#[test]
fn dropout_keeps_the_mean_and_its_share() {
    let mut network = build(&NetworkConfig { head: vec![], ..dropout() }, &[40_000]);
    let ones = Tensor::ones([1, 40_000], tch::kind::FLOAT_CPU);
    assert_eq!(network.forward(&ones), ones); // a new network is in evaluation mode
    assert!(!network.training());
    network.set_training(true);
    assert!(network.training());
    let values = numbers_of(&network.forward(&ones));
    let kept = values.iter().filter(|&&x| x != 0.0).count() as f64 / 40_000.0;
    assert!((kept - 0.75 * 0.5).abs() < 0.01, "{kept}");
    let expected = 1.0 / (0.75 * 0.5);
    assert!(values.iter().all(|&x| x == 0.0 || (x - expected).abs() < 1e-6));
}

#[test]
fn masks_differ_and_go_on_from_where_they_were() {
    let mut network = build(&dropout(), &[50]);
    network.set_training(true);
    let ones = Tensor::ones([2, 50], tch::kind::FLOAT_CPU);
    let first = numbers_of(&network.forward(&ones));
    let buffers = network.buffers();
    assert_eq!(buffers, Buffers { numbers: vec![], draws: 2 });
    let second = numbers_of(&network.forward(&ones));
    assert_ne!(first, second);
    let _ = network.predict(&ones);
    assert_eq!(network.buffers().draws, 4);

    let mut resumed = build(&dropout(), &[50]);
    resumed.set_training(true);
    resumed.load_buffers(&buffers).unwrap();
    assert_eq!(numbers_of(&resumed.forward(&ones)), second);

    let mut other = build(&NetworkConfig { dropout_seed: 8, ..dropout() }, &[50]);
    other.set_training(true);
    assert_ne!(numbers_of(&other.forward(&ones)), first);
}

#[test]
fn dropped_numbers_have_no_gradient() {
    let mut network = build(&dropout(), &[50]);
    network.set_training(true);
    let x = Tensor::ones([2, 50], tch::kind::FLOAT_CPU).set_requires_grad(true);
    let y = network.forward(&x);
    y.sum(Kind::Float).backward();
    assert_eq!(numbers_of(&x.grad()), numbers_of(&y));
}

/// A picture network with everything that training changes, as config, parameters and buffers.
fn trained() -> Sequential {
    let mut config = NetworkConfig::cnn(&[3], 5, Activation::Relu).linear_head(2);
    config.head.insert(0, LayerConfig::Dropout { p: 0.5 });
    config.head.insert(0, LayerConfig::batch_norm());
    let mut network = build(&config, &[4, 4, 2]);
    network.set_training(true);
    for _ in 0..3 {
        let _ = network.forward(&rows(6, 32));
    }
    network
}

#[test]
fn rebuilds_from_config_parameters_and_buffers() {
    let network = trained();
    let json = serde_json::to_string(&(network.config(), network.buffers())).unwrap();
    let (config, buffers): (NetworkConfig, Buffers) = serde_json::from_str(&json).unwrap();
    let mut rebuilt =
        Sequential::new(&config, &[4, 4, 2], &mut ChaCha8Rng::seed_from_u64(9)).unwrap();
    rebuilt.parameters_mut().load(network.parameters().values()).unwrap();
    rebuilt.load_buffers(&buffers).unwrap();
    rebuilt.set_training(true);
    let x = rows(5, 32);
    assert_eq!(rebuilt.predict(&x), network.predict(&x));
    assert_eq!(rebuilt.forward(&x), network.forward(&x));
    assert_eq!(rebuilt.buffers(), network.buffers());
    assert_ne!(rebuilt.buffers(), buffers);

    let short = Buffers { numbers: vec![0.0; 3], draws: 0 };
    assert!(matches!(rebuilt.load_buffers(&short), Err(NetworkError::Length { .. })));
}

/// Steps of gradient descent towards the sum of a picture's pixels; the last loss.
fn descend(network: &mut Sequential, steps: usize) -> f64 {
    let x = rows(8, 32);
    let target = x.sum_dim_intlist(1, true, Kind::Float).tanh();
    network.set_training(true);
    for _ in 0..steps {
        let loss = (network.forward(&x) - &target).square().mean(Kind::Float);
        network.parameters_mut().backward(&loss).unwrap();
        let (values, gradients) = network.parameters_mut().values_and_gradients();
        values.iter_mut().zip(gradients).for_each(|(x, g)| *x -= 0.05 * g);
    }
    (network.predict(&x) - target).square().mean(Kind::Float).double_value(&[])
}

#[test]
fn learns_and_resumes_bit_for_bit() {
    let config = trained().config().clone();
    let new = || build(&config, &[4, 4, 2]);
    let (mut straight, mut first, mut resumed) = (new(), new(), new());
    let (before, after) = (descend(&mut straight, 5), descend(&mut straight, 295));
    assert!(after < 0.5 * before, "{before} {after}");

    descend(&mut first, 5);
    resumed.parameters_mut().load(first.parameters().values()).unwrap();
    resumed.load_buffers(&first.buffers()).unwrap();
    descend(&mut resumed, 295);
    assert_eq!(resumed.parameters().values(), straight.parameters().values());
    assert_eq!(resumed.buffers(), straight.buffers());
}

#[test]
fn encoder_and_head_share_one_vector() {
    let network = trained();
    let named = network.named_parameters();
    let names: Vec<&str> = named.iter().map(|parameter| parameter.name.as_str()).collect();
    let expected = [
        "encoder.0.weight",
        "encoder.0.bias",
        "encoder.1.weight",
        "encoder.1.bias",
        "encoder.5.weight",
        "encoder.5.bias",
        "head.0.weight",
        "head.0.bias",
        "head.2.weight",
        "head.2.bias",
    ];
    assert_eq!(names, expected);
    assert_eq!(named[0].shape, [3, 2, 3, 3]);
    let encoder = 3 * 2 * 9 + 3 + 2 * 3 + 12 * 5 + 5;
    assert_eq!(network.encoder_range(), 0..encoder);
    assert_eq!(network.head_range(), encoder..encoder + 2 * 5 + 5 * 2 + 2);
    assert_eq!(network.head_range().end, network.parameters().len());
    assert_eq!(named.last().unwrap().range.end, network.parameters().len());
    assert_eq!((network.inputs(), network.features(), network.outputs()), (32, 5, 2));
}

#[test]
fn the_head_reads_what_the_encoder_returns() {
    let config = NetworkConfig::mlp(&[6, 5], Activation::Tanh).linear_head(2);
    let network = build(&config, &[3]);
    let mut head = build(&NetworkConfig::default().linear_head(2), &[5]);
    let values = network.parameters().values()[network.head_range()].to_vec();
    head.parameters_mut().load(&values).unwrap();
    let x = rows(4, 3);
    let features = network.encode(&x);
    assert_eq!(features.size(), [4, 5]);
    assert_eq!(head.forward(&features), network.forward(&x));
}

#[test]
fn a_first_activation_does_not_overwrite_the_input() {
    let network = build(&NetworkConfig::default().with_head(vec![Activation::Relu.into()]), &[3]);
    let x = rows(4, 3);
    let before = numbers_of(&x);
    assert!(before.iter().any(|&x| x < 0.0));
    assert_ne!(numbers_of(&network.forward(&x)), before);
    assert_eq!(numbers_of(&x), before);
}

#[test]
fn an_encoder_moves_to_another_head() {
    let from = trained();
    let mut config = from.config().clone();
    config = config.with_init(Init::Zeros, Init::Zeros).linear_head(7);
    let mut to = Sequential::new(&config, &[4, 4, 2], &mut ChaCha8Rng::seed_from_u64(5)).unwrap();
    let x = rows(5, 32);
    let (head, before) = (to.head_range(), to.parameters().to_vec());
    to.load_encoder(&from).unwrap();
    let mut from = from;
    from.set_training(false);
    assert_eq!(to.encode(&x), from.encode(&x));
    assert_eq!(to.parameters().values()[head.clone()], before[head]);

    // A frozen encoder keeps its statistics, though the head trains.
    to.set_encoder_frozen(true);
    to.set_training(true);
    let buffers = to.buffers();
    let _ = to.forward(&x);
    assert_eq!(to.buffers(), buffers);
    to.set_encoder_frozen(false);
    let _ = to.forward(&x);
    assert_ne!(to.buffers(), buffers);

    let mut other = build(&NetworkConfig::mlp(&[5], Activation::Relu), &[32]);
    assert!(matches!(other.load_encoder(&from), Err(NetworkError::Encoders)));
}

#[test]
fn a_perceptron_has_a_plan_and_others_have_none() {
    let mut config = NetworkConfig::mlp(&[6, 5], Activation::Tanh).linear_head(2);
    config.head.insert(0, LayerConfig::Dropout { p: 0.5 });
    let network = build(&config, &[3]);
    let snapshot = Snapshot::of(&network).unwrap();
    let (x, mut out) = (rows(4, 3), vec![f32::NAN; 8]);
    snapshot.evaluate(&numbers_of(&x), 4, &mut Scratch::default(), &mut out).unwrap();
    for (ours, theirs) in out.iter().zip(numbers_of(&network.forward(&x))) {
        assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    }
    let head = vec![LayerConfig::linear(2), Activation::Relu.into(), LayerConfig::Softmax];
    let softmax = build(&NetworkConfig::default().with_head(head), &[3]);
    assert!(matches!(Snapshot::of(&softmax), Err(NetworkError::NoPlan)));

    let network = trained();
    let scratch = &mut Scratch::default();
    let error = network.evaluate(&[0.0; 31], 1, scratch, &mut [0.0; 2]);
    assert!(matches!(error, Err(NetworkError::Length { .. })));
    let error = network.evaluate(&[0.0; 32], 1, scratch, &mut [0.0; 3]);
    assert!(matches!(error, Err(NetworkError::Length { .. })));
    network.evaluate(&[], 0, scratch, &mut []).unwrap();
}

#[test]
fn inputs_that_do_not_fit_are_errors() {
    let mut network = trained();
    let error = |network: &Sequential, x: &Tensor| network.try_forward(x).map(drop).unwrap_err();
    assert!(matches!(error(&network, &rows(4, 31)), NetworkError::Input { width: 32, .. }));
    let cube = rows(4, 32).view([4, 4, 8]);
    assert!(matches!(error(&network, &cube), NetworkError::Input { .. }));
    let double = rows(4, 32).to_kind(Kind::Double);
    assert!(matches!(error(&network, &double), NetworkError::Kind { got: Kind::Double }));
    // The head normalises rows by themselves.
    let one = rows(1, 32);
    assert!(matches!(error(&network, &one), NetworkError::Rows { least: 2, got: 1 }));
    let mut pictures = build(&NetworkConfig::cnn(&[3], 5, Activation::Relu), &[4, 4, 2]);
    pictures.set_training(true);
    let none = one.narrow(0, 0, 0);
    assert!(matches!(error(&pictures, &none), NetworkError::Rows { least: 1, got: 0 }));
    assert_eq!(pictures.try_forward(&one).unwrap().size(), [1, 5]);
    network.set_training(false);
    assert_eq!(network.try_forward(&one).unwrap().size(), [1, 2]);
    assert_eq!(network.try_forward(&none).unwrap().size(), [0, 2]);
}

#[test]
fn parameters_are_loaded_by_name() {
    let mut network = build(&NetworkConfig::mlp(&[2], Activation::Relu), &[1]);
    network.parameters_mut().load_named("encoder.0.bias", &[3.0, 4.0]).unwrap();
    assert_eq!(network.parameters().values()[2..], [3.0, 4.0]);
    let error = network.parameters_mut().load_named("encoder.0.bias", &[3.0]).unwrap_err();
    assert!(matches!(error, NetworkError::Length { expected: 2, got: 1, .. }));
    let error = network.parameters_mut().load_named("head.0.bias", &[3.0]).unwrap_err();
    assert!(error.to_string().contains("encoder.0.weight"), "{error}");
}

#[test]
fn one_rule_initialises_all_layers() {
    let (weight, bias) = (Init::Constant { value: 2.0 }, Init::Zeros);
    let config =
        NetworkConfig::cnn(&[3], 5, Activation::Relu).linear_head(2).with_init(weight, bias);
    let network = build(&config, &[4, 4, 2]);
    for parameter in network.named_parameters() {
        let expected = match parameter.name.as_str() {
            "encoder.1.weight" => 1.0, // the normalisation's
            name if name.ends_with("weight") => 2.0,
            _ => 0.0,
        };
        let values = &network.parameters().values()[parameter.range.clone()];
        assert!(values.iter().all(|&x| x == expected), "{}", parameter.name);
    }
}

#[test]
fn a_network_can_move_to_another_thread() {
    let network: Box<dyn Network> = Box::new(trained());
    let outputs = std::thread::spawn(move || network.outputs()).join().unwrap();
    assert_eq!(outputs, 2);
}
