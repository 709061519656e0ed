//! What one step of Adam costs, ours against libtorch's fused kernel and tch's optimiser.
//!
//! tch does not offer the kernel, so `benches/fused_adam.py FILE` writes a script that calls it:
//! `cargo bench -p gymnast-core --bench optim -- FILE`; without a file the column stays empty. One
//! thread; the least of many interleaved calls, in microseconds.

use std::time::Instant;

use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::{Parameters, ParametersBuilder};
use gymnast_core::optim::{Adam, AdamConfig, Optimizer as _, ParamGroup, ParamGroups};
use gymnast_core::threads;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::nn::{self, OptimizerConfig as _};
use tch::{CModule, Device, Kind, Tensor};

const GRADIENT: f32 = 0.01;

fn main() {
    threads::single_threaded();
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let fused = file.map(|file| CModule::load(file).expect("a script of fused_adam.py"));
    println!("{:<12} {:>10} {:>10} {:>10} {:>10}", "µs", "gymnast", "in groups", "fused", "tch");
    for (length, calls) in [(1_000, 20_000), (100_000, 2_000), (10_000_000, 30)] {
        bench(length, calls, fused.as_ref());
    }
}

fn bench(length: usize, calls: usize, fused: Option<&CModule>) {
    let mut whole = parameters(length);
    let mut adam = Adam::new(AdamConfig::default(), &whole).expect("good settings");
    let mut parts = parameters(length);
    let mut grouped = Adam::new(AdamConfig::default(), &parts).expect("good settings");
    let tenth = length / 10;
    let slow = ParamGroup {
        ranges: (0..5).map(|i| 2 * i * tenth..(2 * i + 1) * tenth).collect(),
        lr_factor: 0.5,
        ..ParamGroup::default()
    };
    let groups = ParamGroups::new(&parts, &[slow]).expect("apart");
    grouped.set_groups(groups).expect("as many");

    let tensor =
        |value: f32| Tensor::full([length as i64], f64::from(value), (Kind::Float, Device::Cpu));
    let step = Tensor::zeros([0_i64; 0], (Kind::Float, Device::Cpu));
    let theirs = [tensor(1.0), tensor(GRADIENT), tensor(0.0), tensor(0.0), step];

    let store = nn::VarStore::new(Device::Cpu);
    let variable = store.root().ones("value", &[length as i64]);
    (&variable * f64::from(GRADIENT)).sum(Kind::Float).backward();
    let mut tch_adam = nn::Adam::default().build(&store, 1e-3).expect("an optimiser");

    let mut times = [f64::INFINITY; 4];
    for _ in 0..calls {
        let mut time = |i: usize, call: &mut dyn FnMut()| {
            let start = Instant::now();
            call();
            times[i] = times[i].min(start.elapsed().as_secs_f64() * 1e6);
        };
        time(0, &mut || adam.step(&mut whole, 1e-3).expect("alike"));
        time(1, &mut || grouped.step(&mut parts, 1e-3).expect("alike"));
        if let Some(fused) = fused {
            time(2, &mut || {
                let _guard = tch::no_grad_guard();
                let _ = fused.forward_ts(&theirs).expect("the script's arguments");
            });
        }
        time(3, &mut || tch_adam.step());
    }
    if fused.is_some() {
        let (ours, theirs) = (whole.values()[0], theirs[0].double_value(&[0]) as f32);
        assert!((ours - theirs).abs() < 1e-4, "the same steps: {ours}, {theirs}");
    }
    let [ours, groups, fused, tch] = times;
    println!("{length:<12} {ours:>10.2} {groups:>10.2} {fused:>10.2} {tch:>10.2}");
}

fn parameters(length: usize) -> Parameters {
    let mut builder = ParametersBuilder::new();
    let fans = Fans { fan_in: 1, fan_out: 1 };
    builder.parameter(&[length], Init::Constant { value: 1.0 }, fans).expect("a vector");
    let mut parameters = builder.build(&mut ChaCha8Rng::seed_from_u64(1)).expect("one parameter");
    parameters.gradients_mut().fill(GRADIENT);
    parameters
}
