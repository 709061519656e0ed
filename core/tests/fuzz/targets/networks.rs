//! `nn`: descriptions of networks, and what networks are fed.

use gymnast_core::cost::{Hardware, NetworkCost, pfs_days, training_flop};
use gymnast_core::init::Init;
use gymnast_core::nn::*;
use gymnast_core::self_supervised::{ByolNetwork, FineTuning};
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor, kind::FLOAT_CPU};

use super::{configs, finite};
use crate::source::Source;

/// Usually small; a network of it may be as large as one may be.
fn width(source: &mut Source) -> usize {
    if source.one_in(8) { source.count() } else { source.up_to(5) }
}

/// What fits into a test: networks beyond it are only described.
const MOST: usize = 1 << 18;

pub(super) fn network_config(source: &mut Source) -> NetworkConfig {
    let layers =
        |source: &mut Source| (0..source.up_to(4)).map(|_| configs::layer(source)).collect();
    let (encoder, head) = (layers(source), layers(source));
    NetworkConfig { encoder, head, dropout_seed: source.u64() }
}

/// A network of any description that is one and fits into a test.
pub(super) fn sequential(source: &mut Source) -> Option<Sequential> {
    let config = match source.up_to(3) {
        0 => NetworkConfig::mlp(&[3], configs::activation(source)).linear_head(2),
        1 => NetworkConfig::cnn(&[2], 3, Activation::Relu).linear_head(2),
        _ => network_config(source),
    };
    let shape = match source.up_to(4) {
        0 => source.shape(),
        1 => vec![4, 4],
        2 => vec![4, 5, 2],
        _ => vec![4],
    };
    let cost = NetworkCost::of(&config, &shape, 3).ok()?;
    let fits = cost.parameters() < MOST && cost.activation_bytes() < 1 << 24;
    fits.then(|| Sequential::new(&config, &shape, &mut source.rng()).ok()).flatten()
}

pub(super) fn descriptions(source: &mut Source) {
    let (config, shape) = (network_config(source), source.shape());
    let with_init = config.clone().with_init(configs::init(source), configs::init(source));
    for config in [config.clone(), with_init, config.with_head(vec![configs::layer(source)])] {
        let _ = config.check(&shape);
        if let Ok(cost) = NetworkCost::of(&config, &shape, source.count()) {
            assert!(cost.parameters() <= MAX_PARAMETERS && !cost.to_string().is_empty());
            let flop = training_flop(cost.forward_flop(), source.u64(), source.u64());
            let _ = pfs_days(flop);
            if let Ok(hardware) = Hardware::new(source.number(), source.share()) {
                let _ = (hardware.seconds(flop), hardware.pfs_days(1.0));
            }
        }
    }
    let _ = LayerShape::of(&shape);
    let rng = &mut source.rng();
    let conv = |source: &mut Source| ConvConfig {
        channels: width(source),
        kernel: width(source),
        stride: width(source),
    };
    let mlp = MlpConfig {
        hidden: (0..source.up_to(3)).map(|_| width(source)).collect(),
        activation: configs::activation(source),
        weight: configs::init(source),
        ..MlpConfig::default()
    };
    let convolutions: Vec<_> = (0..source.up_to(2)).map(|_| conv(source)).collect();
    let q = QNetworkConfig {
        encoder: ConvConfig::layers(&convolutions, configs::activation(source)),
        hidden: mlp.hidden_layers(),
        dueling: source.one_in(2),
        atoms: width(source),
        noise: source.one_in(2).then(|| source.f32()),
        dropout_seed: source.u64(),
    };
    let transformer = TransformerConfig {
        places: width(source),
        width: width(source),
        heads: width(source),
        feed_forward: width(source),
        layers: width(source),
        norm_first: source.one_in(2),
        ..TransformerConfig::default()
    };
    let (inputs, outputs) = (width(source), width(source));
    // The widest networks are only described: 2²⁶ parameters are allowed, and slow.
    let widest = mlp.hidden.iter().chain([&inputs, &outputs, &transformer.width]).max();
    if widest.is_some_and(|&widest| (1 << 10..1 << 27).contains(&widest)) {
        return;
    }
    let _ = mlp.build(inputs, outputs, rng).is_ok();
    let _ = q.build(&[shape.clone(), vec![inputs]], outputs, rng).is_ok();
    let _ = Transformer::new(&transformer, inputs, outputs, rng).is_ok();
    let tau = source.f32();
    let config = NetworkConfig::mlp(&[3], Activation::Relu).linear_head(2);
    let _ = ByolNetwork::new(&config, &shape, tau, rng).is_ok();
}

fn feed(network: &mut dyn Network, source: &mut Source) {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    for training in [false, true] {
        network.set_training(training);
        let rows = source.rows(inputs);
        if let Ok(answers) = network.try_forward(&rows) {
            assert_eq!(answers.size(), [rows.size()[0], outputs as i64]);
            let _ = network.parameters_mut().backward(&answers.sum(Kind::Float));
        }
    }
    network.set_training(false);
    let batch = source.up_to(3);
    let (given, asked) = (source.about(batch * inputs), source.about(batch * outputs));
    let claimed = if source.one_in(5) { source.count() } else { batch };
    let mut out = vec![0.0; asked];
    let _ = network.evaluate(&source.f32s(given), claimed, &mut Scratch::default(), &mut out);
    if let Ok(mut snapshot) = Snapshot::of(network) {
        let _ = snapshot.refresh(network);
        let _ = snapshot.evaluate(&source.f32s(given), claimed, &mut Scratch::default(), &mut out);
    }
    let buffers = Buffers { numbers: source.f32s(given), draws: source.u64() };
    let _ = network.load_buffers(&buffers);
}

pub(super) fn forward(source: &mut Source) {
    let rng = &mut source.rng();
    let mlp = MlpConfig { hidden: vec![3], ..MlpConfig::default() };
    let q =
        QNetworkConfig { atoms: 2, dueling: true, noise: Some(0.5), ..QNetworkConfig::default() };
    let transformer = TransformerConfig { places: 2, width: 4, heads: 2, ..Default::default() };
    let mut networks: [Box<dyn Network>; 3] = [
        Box::new(mlp.build(4, 2, rng).expect("a small network")),
        Box::new(q.build(&[vec![2, 2]], 2, rng).expect("a small network")),
        Box::new(Transformer::new(&transformer, 4, 2, rng).expect("a small network")),
    ];
    for network in &mut networks {
        feed(network.as_mut(), source);
    }
    let (Some(mut network), other) = (sequential(source), sequential(source)) else { return };
    feed(&mut network, source);
    network.set_encoder_frozen(source.one_in(2));
    feed(&mut network, source);
    if let Some(other) = other {
        let _ = network.load_encoder(&other);
    }
    let rows = Tensor::zeros([2, network.inputs() as i64], FLOAT_CPU);
    let features = network.embed(&rows);
    let _ = (network.encode(&rows), network.forward_head(&features));
    let (from_layer, lr_factor) = (source.count(), source.number());
    for kind in [
        FineTuning::LinearProbe,
        FineTuning::Partial { from_layer, lr_factor },
        FineTuning::Full { lr_factor },
    ] {
        let _ = kind.prepare(&mut network);
    }
}

pub(super) fn parts(source: &mut Source) {
    let builder = &mut ParametersBuilder::new();
    let (a, b, shape) = (width(source), width(source), source.shape());
    let (weight, bias) = (configs::init(source), configs::init(source));
    let fans = gymnast_core::init::Fans { fan_in: a, fan_out: b };
    if [a, b].iter().chain(&shape).any(|n| (1 << 10..1 << 27).contains(n)) {
        return; // allowed, and slow
    }
    let _ = builder.parameter(&shape, weight, fans);
    let linear = Linear::new(a, b, weight, bias, builder);
    let picture = [width(source), 4, width(source)];
    let convolutions = [ConvConfig { channels: a, kernel: width(source), stride: width(source) }];
    let convolutions = ConvConfig::layers(&convolutions, Activation::Relu);
    let conv = LayerShape::of(&picture)
        .and_then(|picture| Layers::new(&convolutions, &source.text(), picture, 0, builder));
    let dueling = DuelingHead::new(a, b, width(source), (weight, bias), builder);
    let attention = MultiheadAttention::new(a, b, &source.text(), builder);
    let config = TransformerConfig { width: a, heads: b, feed_forward: 4, ..Default::default() };
    let block = TransformerEncoderLayer::new(&config, &source.text(), builder);
    let builder = std::mem::take(builder);
    let rng: &mut ChaCha8Rng = &mut source.rng();
    let (rows, cube) = (
        |n: usize| Tensor::zeros([2, n as i64], FLOAT_CPU),
        |n: usize| Tensor::zeros([2, 3, n as i64], FLOAT_CPU),
    );
    let parameters = match (&linear, source.one_in(2)) {
        (Ok(linear), true) => builder.build_noisy(&[linear], source.f32(), rng),
        _ => builder.build(rng),
    };
    let Ok(mut parameters) = parameters else { return };
    if let Ok(linear) = &linear {
        let _ = linear.forward(&rows(a));
        let plan = Plan::new(a).then(linear, Activation::Tanh);
        let values = parameters.to_vec();
        let _ =
            plan.run(&values, &vec![0.5; 2 * a], 2, &mut Scratch::default(), &mut vec![0.0; 2 * b]);
    }
    if let Ok(conv) = &conv {
        let _ = conv.forward(&rows(conv.inputs()), source.one_in(2));
        let _ = (conv as &dyn Module).plan();
    }
    if let Ok(head) = &dueling {
        let _ = (head.forward(&rows(a)), Plan::new(a).dueling(head));
    }
    if let Ok(attention) = &attention {
        let _ = attention.forward(&cube(a), None);
    }
    if let Ok(block) = &block {
        let _ = block.forward(&cube(a), None);
    }
    parameters.draw_noise(rng);
    if let Some(noise) = parameters.noise() {
        let mut noise = noise.clone();
        noise.draw(rng);
        let mut weights = vec![0.0; parameters.effective().len()];
        noise.apply(parameters.values(), &mut weights);
    }
    let length = source.about(parameters.len().min(100));
    let _ = (parameters.load(&source.f32s(length)), parameters.range_of(&source.text()));
    let _ = parameters.load_named("parameter.0", &source.f32s(length));
    let chosen = parameters.ranges_where(|name| name.len() % 2 == 0);
    assert!(chosen.iter().all(|range| range.end <= parameters.len()));
    let mut other = ParametersBuilder::new();
    let _ = other.parameter(&[2], Init::Zeros, fans);
    if let Ok(other) = other.build(rng) {
        let _ = parameters.copy_from(&other);
        let _ = parameters.polyak(&other, source.f32());
    }
    let mut values = source.f32s(length);
    let activation = configs::activation(source);
    let (before, mut gradient) = (values.clone(), source.f32s(values.len()));
    activation.apply(&mut values);
    activation.backward(&before, &values, &mut gradient);
    let _ = activation.forward(Tensor::from_slice(&before));
    finite("a flop", Ok::<_, ()>(pfs_days(1.0)));
}
