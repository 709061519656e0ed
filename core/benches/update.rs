//! What one update and one forward pass for acting cost, against tch's own layers and optimiser.
//!
//! `cargo bench -p gymnast-core --bench update`. One thread; the least of many interleaved blocks,
//! in microseconds.

use std::hint::black_box;
use std::time::Instant;

use gymnast_core::nn::{
    Activation, ConvConfig, LayerConfig, MlpConfig, Net, Network, QNetworkConfig, Scratch, Tape,
};
use gymnast_core::optim::{Adam, AdamConfig, Optimizer};
use gymnast_core::{loss, threads};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::nn::{self, Module, OptimizerConfig};
use tch::{Device, Kind, Tensor};

const BLOCKS: usize = 300;
const MAX_NORM: f32 = 10.0;

fn main() {
    threads::single_threaded();
    println!("{:<42} {:>10} {:>10} {:>8}", "µs", "gymnast", "tch", "ratio");
    for width in [64, 256] {
        bench_update(width, 64);
    }
    for width in [64, 256] {
        for batch in [1, 20, 60, 64, 66] {
            bench_acting(width, batch);
        }
    }
    for (width, batch) in [(16, 20), (64, 64), (64, 256), (256, 64), (256, 256), (400, 256)] {
        bench_backpropagation(width, batch);
    }
    let layers = |conv: &[ConvConfig]| ConvConfig::layers(conv, Activation::Relu);
    bench_convolutions("10·5·1, Catch", layers(&ConvConfig::min_atar()), [10, 5, 1], 64);
    bench_convolutions("10·10·4, MinAtar", layers(&ConvConfig::min_atar()), [10, 10, 4], 128);
    bench_convolutions("84·84·4, Nature", layers(&ConvConfig::nature()), [84, 84, 4], 512);
    let block = |channels| {
        let (conv, pool) = (LayerConfig::conv2d(channels, 3, 1), LayerConfig::max_pool(2));
        [conv, Activation::Relu.into(), pool]
    };
    let layers = [16, 32].into_iter().flat_map(block).chain([LayerConfig::Flatten]);
    bench_convolutions("8·8·1, digits, pooled", layers.collect(), [8, 8, 1], 64);
    for width in [64, 256] {
        bench_parts(width);
    }
}

fn ours(width: usize) -> Net {
    network(width, Activation::Relu)
}

fn tanh(width: usize) -> Net {
    network(width, Activation::Tanh)
}

fn network(width: usize, activation: Activation) -> Net {
    let config = MlpConfig { hidden: vec![width, width], activation, ..MlpConfig::default() };
    config.build(4, 2, &mut ChaCha8Rng::seed_from_u64(1)).expect("a good configuration")
}

fn theirs(width: i64) -> (nn::VarStore, nn::Sequential) {
    let store = nn::VarStore::new(Device::Cpu);
    let root = store.root();
    let layer =
        |name, inputs, outputs| nn::linear(&root / name, inputs, outputs, Default::default());
    let network = nn::seq()
        .add(layer("1", 4, width))
        .add_fn(Tensor::relu)
        .add(layer("2", width, width))
        .add_fn(Tensor::relu)
        .add(layer("3", width, 2));
    (store, network)
}

fn bench_update(width: usize, batch: i64) {
    let observations = Tensor::rand([batch, 4], (Kind::Float, Device::Cpu));
    let actions = Tensor::randint(2, [batch, 1], (Kind::Int64, Device::Cpu));
    let target = Tensor::rand([batch], (Kind::Float, Device::Cpu));
    let pick = |q: &Tensor| q.gather(1, &actions, false).squeeze_dim(1); // [B]

    let mut network = ours(width);
    let mut adam = Adam::new(AdamConfig::default(), network.parameters()).expect("good settings");
    let (store, tch_network) = theirs(width as i64);
    let mut tch_adam = nn::Adam::default().build(&store, 1e-3).expect("an optimiser");
    let [ours, theirs] = least([
        &mut || {
            let loss = loss::huber(&pick(&network.forward(&observations)), &target, 1.0, None)
                .expect("alike");
            adam.minimize(&loss, network.parameters_mut(), 1e-3, Some(MAX_NORM)).expect("alike");
        },
        &mut || {
            let q = pick(&tch_network.forward(&observations));
            let loss = q.huber_loss(&target, tch::Reduction::Mean, 1.0);
            tch_adam.zero_grad();
            loss.backward();
            tch_adam.clip_grad_norm(f64::from(MAX_NORM));
            tch_adam.step();
        },
    ]);
    row(&format!("update 4-{width}-{width}-2, batch {batch}, clipped"), ours, theirs);
}

fn bench_acting(width: usize, batch: usize) {
    let observations = vec![0.1_f32; batch * 4];
    let network = ours(width);
    let (_store, tch_network) = theirs(width as i64);
    let (mut scratch, mut out) = (Scratch::default(), vec![0.0; batch * 2]);
    let mut tch_out = out.clone();
    let [ours, theirs] = least([
        &mut || {
            let observations = black_box(observations.as_slice());
            network.evaluate(observations, batch, &mut scratch, &mut out).expect("lengths");
            black_box(&out);
        },
        &mut || {
            let _guard = tch::no_grad_guard();
            let x = Tensor::from_slice(&observations).view([batch as i64, 4]);
            let length = tch_out.len();
            tch_network.forward(&x).copy_data(&mut tch_out, length);
            black_box(&tch_out);
        },
    ]);
    row(&format!("acting 4-{width}-{width}-2, batch {batch}"), ours, theirs);
}

/// The gradient of a loss that is known by the network's outputs: ours without libtorch, and with it.
fn bench_backpropagation(width: usize, batch: usize) {
    let observations: Vec<f32> = (0..batch * 4).map(|i| (i % 7) as f32 - 3.0).collect();
    let by_output: Vec<f32> = (0..batch * 2).map(|i| (i % 5) as f32 - 2.0).collect();
    let rows = |numbers: &[f32]| Tensor::from_slice(numbers).view([batch as i64, -1]);
    let mut network = tanh(width);
    let mut other = tanh(width);
    let plan = network.plan().expect("perceptrons have one").clone();
    let mut tape = Tape::default();
    let [ours, theirs] = least([
        &mut || {
            let (values, gradients) = network.parameters_mut().values_and_gradients_mut();
            plan.forward(values, &observations, batch, &mut tape).expect("lengths");
            plan.backward(values, &by_output, &mut tape, gradients).expect("lengths");
        },
        &mut || {
            let loss = other.forward(&rows(&observations)) * rows(&by_output);
            other.parameters_mut().backward(&loss.sum(Kind::Float)).expect("a loss");
            black_box(other.parameters_mut());
        },
    ]);
    row(&format!("gradient 4-{width}-{width}-2, batch {batch}, tanh"), ours, theirs);
}

/// The same of a network for pictures, as DQN's for MinAtar or Atari.
fn bench_convolutions(name: &str, encoder: Vec<LayerConfig>, shape: [usize; 3], width: usize) {
    let batch = 32;
    let hidden = MlpConfig { hidden: vec![width], ..MlpConfig::default() }.hidden_layers();
    let config = QNetworkConfig { encoder, hidden, ..QNetworkConfig::default() };
    let build = || config.build(&[shape.to_vec()], 3, &mut ChaCha8Rng::seed_from_u64(1));
    let [mut network, mut other] = [build(), build()].map(|built| built.expect("a good network"));
    let length = batch * network.inputs();
    let observations: Vec<f32> = (0..length).map(|i| (i % 7) as f32 / 7.0).collect();
    let by_output: Vec<f32> = (0..batch * 3).map(|i| (i % 5) as f32 - 2.0).collect();
    let rows = |numbers: &[f32]| Tensor::from_slice(numbers).view([batch as i64, -1]);
    let plan = network.training_plan().expect("all of its layers have one").clone();
    let mut tape = Tape::default();
    let [ours, theirs] = least([
        &mut || {
            let (values, gradients) = network.parameters_mut().values_and_gradients_mut();
            plan.forward(values, &observations, batch, &mut tape).expect("lengths");
            plan.backward(values, &by_output, &mut tape, gradients).expect("lengths");
        },
        &mut || {
            let loss = other.forward(&rows(&observations)) * rows(&by_output);
            other.parameters_mut().backward(&loss.sum(Kind::Float)).expect("a loss");
            black_box(other.parameters_mut());
        },
    ]);
    row(&format!("gradient {name}, batch {batch}"), ours, theirs);
}

fn bench_parts(width: usize) {
    let mut network = ours(width);
    let mut target = ours(width);
    let observations = Tensor::rand([64, 4], (Kind::Float, Device::Cpu));
    let mut adam = Adam::new(AdamConfig::default(), network.parameters()).expect("good settings");
    let [pass] = least([&mut || {
        let loss = network.forward(&observations).sum(Kind::Float);
        network.parameters_mut().backward(&loss).expect("a loss");
    }]);
    let parameters = network.parameters_mut();
    let [zero] = least([&mut || parameters.zero_grad()]);
    parameters.gradients_mut().fill(0.01);
    let [clip] = least([&mut || {
        black_box(gymnast_core::optim::clip_grad_norm(parameters, 1e9).expect("it is positive"));
    }]);
    let [step] = least([&mut || adam.step(parameters, 1e-3).expect("alike")]);
    let [polyak] =
        least([&mut || target.parameters_mut().polyak(parameters, 0.01).expect("alike")]);
    println!(
        "4-{width}-{width}-2: forward and backward {pass:.1}, zero_grad {zero:.2}, norm {clip:.2}, \
         Adam {step:.2}, Polyak {polyak:.2}"
    );
}

/// The least time of one call among many blocks, in microseconds.
fn least<const N: usize>(mut candidates: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut best = [f64::INFINITY; N];
    let mut calls = [0; N];
    for (candidate, calls) in candidates.iter_mut().zip(&mut calls) {
        let start = Instant::now();
        for _ in 0..20 {
            candidate();
        }
        let once = start.elapsed().as_secs_f64() / 20.0;
        *calls = (1e-3 / once).ceil() as usize;
    }
    for _ in 0..BLOCKS {
        for ((candidate, best), &calls) in candidates.iter_mut().zip(&mut best).zip(&calls) {
            let start = Instant::now();
            for _ in 0..calls {
                candidate();
            }
            *best = best.min(start.elapsed().as_secs_f64() * 1e6 / calls as f64);
        }
    }
    best
}

fn row(what: &str, ours: f64, theirs: f64) {
    println!("{what:<42} {ours:>10.2} {theirs:>10.2} {:>8.2}", theirs / ours);
}
