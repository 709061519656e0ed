//! Every deep agent learns, and resumes bit for bit, with convolutions, with layers of every kind and with
//! a network of one's own.

mod dot;
mod waves;

use gymnast_core::{
    data::Augmentation,
    nn::{Activation, LayerConfig, Network as _, NetworkConfig, ParametersBuilder, Sequential},
    supervised::FitConfig,
};
use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Dqn, DqnConfig, Networks, Ppo, PpoConfig, PretrainConfig, Reinforce, ReinforceConfig, Sac,
    SacConfig, Td3, Td3Config, Wanted, random_play,
};
use gymnast_envs::{BoxSpace, Discrete, Seed, SyncVectorEnv};
use gymnast_harness::{
    AgentError, Checkpoint, Demonstrations, Plan, Schedule, StateDict,
    testing::{assert_learns, assert_resumes_exactly, setup, training},
};

use dot::{Dot, Point, Say, Seen};
use waves::waves;

/// Where the layers come from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layers {
    /// Convolutions, in the settings.
    Encoder,
    /// Normalisation, a residual block and dropout, in the settings.
    Head { dropout: bool },
    /// A module of one's own, in code.
    Own,
}

const KINDS: [Layers; 3] = [Layers::Encoder, Layers::Head { dropout: true }, Layers::Own];

impl Layers {
    fn encoder(self) -> Vec<LayerConfig> {
        match self {
            Self::Encoder => {
                let conv = LayerConfig::conv2d(6, 3, 1);
                vec![conv, Activation::Tanh.into(), LayerConfig::Flatten]
            }
            Self::Head { .. } | Self::Own => vec![],
        }
    }

    fn head(self) -> Vec<LayerConfig> {
        let Self::Head { dropout } = self else { return vec![] };
        let block = vec![LayerConfig::linear(24), Activation::Tanh.into()];
        let mut head = vec![
            LayerConfig::linear(24),
            LayerConfig::layer_norm(),
            Activation::Tanh.into(),
            LayerConfig::Residual { layers: block },
        ];
        head.extend(dropout.then_some(LayerConfig::Dropout { p: 0.05 }));
        head
    }

    fn hidden(self) -> Vec<usize> {
        if matches!(self, Self::Head { .. }) { vec![] } else { vec![24] }
    }
}

/// An agent with these layers.
macro_rules! agent {
    ($agent:ident, $config:expr, $layers:expr, $seen:expr, $done:expr, $plan:expr) => {{
        let (mut config, layers): (_, Layers) = ($config, $layers);
        (config.encoder, config.head) = (layers.encoder(), layers.head());
        config.hidden = layers.hidden();
        if layers == Layers::Own {
            $agent::with_network($seen, $done, config, $plan, &waves)
        } else {
            $agent::new($seen, $done, config, $plan)
        }
    }};
}

/// An agent learns, and resumes exactly, with layers of each kind.
macro_rules! assert_learns_with {
    ($agent:ident, $config:expr, $kinds:expr, $env:ident, $head:expr, ($steps:expr, $envs:expr), $at_least:expr) => {
        for layers in $kinds {
            let make = |plan: &Plan| {
                setup(plan, $env::default, |seen, done| {
                    agent!($agent, $config, layers, seen, $head(done), plan)
                })
            };
            println!("{layers:?}");
            assert_learns(make, &training($steps, $envs), $at_least);
            assert_resumes_exactly(make, &training($steps / 4, $envs));
        }
    };
}

fn itself<T>(space: T) -> T {
    space
}

#[test]
fn dqn_learns_with_any_layers() {
    let config = || DqnConfig {
        buffer_size: 1_000,
        batch_size: 32,
        learning_starts: 100,
        learning_rate: 3e-3.into(),
        average: 0.1,
        ..DqnConfig::default()
    };
    assert_learns_with!(Dqn, config(), KINDS, Say, itself, (1_200, 1), 0.9);
}

#[test]
fn dqn_learns_what_is_seen_once_it_knows_it_again() {
    // A picture alone, of which views can be made.
    let config = || DqnConfig {
        encoder: Layers::Encoder.encoder(),
        contrastive: 0.1,
        noise: 0.3,
        epsilon: 0.0.into(),
        batch_size: 16,
        learning_starts: 50,
        ..DqnConfig::default()
    };
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 100 };
    let picture = Dot::space().0;
    assert!(Dqn::new(picture, Discrete::new(2), config(), &plan).is_ok());
    let error = Dqn::new(BoxSpace::<3>::unbounded(), Discrete::new(2), config(), &plan).err();
    assert!(error.unwrap().to_string().starts_with("encoder ="));
}

fn ppo() -> PpoConfig {
    PpoConfig {
        learning_rate: Schedule::Constant(5e-3),
        n_steps: 16,
        batch_size: 32,
        epochs: 4,
        average: 0.1,
        ..PpoConfig::default()
    }
}

#[test]
fn ppo_learns_with_any_layers() {
    assert_learns_with!(Ppo, ppo(), KINDS, Say, Categorical::new, (4_000, 4), 0.9);
    let kinds = [Layers::Encoder];
    assert_learns_with!(Ppo, ppo(), kinds, Point, DiagonalGaussian::new, (6_000, 4), -0.1);
}

#[test]
fn a2c_learns_with_any_layers() {
    let config = || A2cConfig { learning_rate: Schedule::Constant(3e-3), ..A2cConfig::default() };
    assert_learns_with!(A2c, config(), KINDS, Say, Categorical::new, (8_000, 4), 0.9);
}

#[test]
fn a3c_learns_with_any_layers_that_have_a_plan() {
    let config = || A3cConfig {
        learning_rate: Schedule::Constant(3e-3),
        entropy_coefficient: 0.0,
        ..A3cConfig::default()
    };
    let kinds = [Layers::Encoder, Layers::Head { dropout: false }];
    assert_learns_with!(A3c, config(), kinds, Say, Categorical::new, (8_000, 2), 0.9);
    let plan = Plan { seed: Seed::new(0), num_envs: 2, env_steps: 100 };
    for (layers, named) in [(Layers::Head { dropout: true }, "Dropout"), (Layers::Own, "waves")] {
        let head = Categorical::new(Discrete::new(2));
        let made = agent!(A3c, config(), layers, Dot::space(), head, &plan);
        let error = made.err().unwrap();
        assert!(matches!(error, AgentError::Mismatch { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn reinforce_learns_with_any_layers() {
    let config = || ReinforceConfig {
        learning_rate: Schedule::Constant(1e-2),
        episodes_per_update: 16,
        ..ReinforceConfig::default()
    };
    assert_learns_with!(Reinforce, config(), KINDS, Say, Categorical::new, (4_000, 2), 0.9);
}

/// The settings of an off-policy agent that learns in a few hundred steps.
macro_rules! small {
    ($config:ident) => {
        || $config {
            activation: Activation::Tanh,
            learning_rate: 2e-3.into(),
            tau: 0.05,
            buffer_size: 2_000,
            batch_size: 64,
            learning_starts: 100,
            ..$config::default()
        }
    };
}

#[test]
fn sac_learns_with_any_layers() {
    let config = small!(SacConfig);
    let config = || SacConfig { alpha: 0.1, average: 0.1, ..config() };
    assert_learns_with!(Sac, config(), KINDS, Point, itself, (1_600, 1), -0.1);
}

#[test]
fn td3_learns_with_any_layers() {
    let config = small!(Td3Config);
    assert_learns_with!(Td3, config(), KINDS, Point, itself, (1_600, 1), -0.1);
}

#[test]
fn ddpg_learns_with_any_layers() {
    let config = small!(DdpgConfig);
    assert_learns_with!(Ddpg, config(), KINDS, Point, itself, (1_600, 1), -0.1);
}

#[test]
fn a_clone_learns_with_any_layers() {
    let mut recorded = Demonstrations::new(Dot::space(), Discrete::new(2));
    let mut envs = SyncVectorEnv::new(vec![Say::default()], Seed::new(1)).unwrap();
    for _ in 0..200 {
        let right = |(picture, _): &(Vec<f32>, _)| {
            i64::from(picture.iter().position(|&x| x > 0.0).unwrap() % 4 >= 2)
        };
        recorded.record(&mut envs, 10, |seen: &_| Ok::<_, AgentError>(right(seen))).unwrap();
    }
    for layers in KINDS {
        let config = BcConfig {
            encoder: layers.encoder(),
            head: layers.head(),
            hidden: layers.hidden(),
            learning_rate: 1e-2,
            ..BcConfig::default()
        };
        let make = |plan: &Plan| {
            setup(plan, Say::default, |_, done| {
                let head = Categorical::new(done);
                if layers == Layers::Own {
                    Bc::with_network(&recorded, head, &config, plan, &waves)
                } else {
                    Bc::new(&recorded, head, &config, plan)
                }
            })
        };
        assert_learns(make, &training(400, 1), 0.9);
        assert_resumes_exactly(make, &training(100, 1));
    }
}

fn plan() -> Plan {
    Plan { seed: Seed::new(0), num_envs: 1, env_steps: 100 }
}

fn ppo_of(config: PpoConfig) -> Result<Ppo<Seen, Categorical<Discrete>>, AgentError> {
    Ppo::new(Dot::space(), Categorical::new(Discrete::new(2)), config, &plan())
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let error = |config| ppo_of(config).err().map(|error| error.to_string()).unwrap_or_default();
    let norm = || vec![LayerConfig::batch_norm()];
    let large = vec![LayerConfig::conv2d(2, 5, 0)];
    let kinds = Layers::Head { dropout: false };
    for (config, start) in [
        (PpoConfig { encoder: norm(), ..ppo() }, "encoder ="),
        (PpoConfig { head: norm(), ..ppo() }, "head ="),
        (PpoConfig { encoder: large, ..ppo() }, "encoder ="),
        (PpoConfig { head: vec![LayerConfig::conv2d(2, 3, 0)], ..ppo() }, "head ="),
        (PpoConfig { head: kinds.head(), hidden: vec![7], ..ppo() }, "head ="),
        (PpoConfig { hidden: vec![0], ..ppo() }, "hidden ="),
        (PpoConfig { head: kinds.head(), ..ppo() }, ""),
        (PpoConfig { head: kinds.head(), hidden: vec![], ..ppo() }, ""),
    ] {
        let error = error(config);
        assert!(error.starts_with(start) && error.is_empty() == start.is_empty(), "{error}");
    }
    let both = DqnConfig {
        conv: gymnast_core::nn::ConvConfig::min_atar(),
        encoder: Layers::Encoder.encoder(),
        ..DqnConfig::default()
    };
    let error = Dqn::new(Dot::space(), Discrete::new(2), both, &plan()).err().unwrap();
    assert!(error.to_string().starts_with("encoder ="), "{error}");
    let other = |wanted: &Wanted<'_>, builder: &mut ParametersBuilder| {
        waves(&Wanted { outputs: wanted.outputs + 1, ..*wanted }, builder)
    };
    let made = Sac::with_network(
        Dot::space(),
        BoxSpace::symmetric([1.0]),
        SacConfig::default(),
        &plan(),
        &other,
    );
    assert!(matches!(made.err().unwrap(), AgentError::Mismatch { .. }));
}

#[test]
fn agents_say_what_evaluates_them() {
    let of = |layers: Layers| {
        let head = Categorical::new(Discrete::new(2));
        agent!(Ppo, ppo(), layers, Dot::space(), head, &plan()).unwrap().evaluated_by()
    };
    assert_eq!(of(Layers::Encoder), "plain Rust");
    assert_eq!(of(Layers::Head { dropout: false }), "plain Rust");
    assert_eq!(of(Layers::Head { dropout: true }), "libtorch");
    assert_eq!(of(Layers::Own), "libtorch");
}

/// A pretrained encoder of pictures of 4 by 4 pixels.
fn pretrained(channels: usize) -> Sequential {
    let encoder =
        vec![LayerConfig::conv2d(channels, 3, 1), Activation::Relu.into(), LayerConfig::Flatten];
    let config = NetworkConfig { encoder, ..NetworkConfig::default() }.linear_head(3);
    Sequential::new(&config, &[4, 4, 1], &mut Seed::new(9).rng()).unwrap()
}

/// The tensors of all networks by name.
fn by_tensor(agent: &impl Networks) -> Vec<(String, Vec<f32>)> {
    let tensors = agent.named_parameters().into_iter().flat_map(|(network, parameters)| {
        let named = parameters.named().into_iter();
        named.map(move |one| {
            (network.clone() + " " + &one.name, parameters.values()[one.range].to_vec())
        })
    });
    tensors.collect()
}

#[test]
fn a_pretrained_encoder_is_taken_over_by_every_agent() {
    let (source, other) = (pretrained(6), pretrained(5));
    let encoder = &source.parameters().values()[source.encoder_range()];
    let holds = |agent: &dyn Checkpoint, network: &str| {
        let mut state = StateDict::new();
        agent.save(&mut state).unwrap();
        let (_, numbers) = state.array_of_any_shape::<f32>(network).unwrap();
        numbers.windows(encoder.len()).any(|window| window == encoder)
    };
    let mut rng = Seed::new(4).rng();
    let seen = random_play(&mut Say::default(), 128, &mut rng).unwrap();
    // A picture and a number: a shift is of one picture alone.
    let noise = Augmentation::GaussianNoise { std: 0.1 };
    let fit = FitConfig { epochs: 2, augmentations: vec![noise], ..FitConfig::adam(1e-2) };
    let pretraining = PretrainConfig { fit, ..PretrainConfig::default() };
    macro_rules! assert_taken_over {
        ($agent:expr, $networks:expr) => {
            let mut agent = $agent().unwrap();
            assert!(agent.load_encoder(&other).is_err());
            let fresh = $agent().unwrap();
            assert!($networks.iter().all(|network| !holds(&agent, network)));
            agent.load_encoder(&source).unwrap();
            for network in $networks {
                assert!(holds(&agent, network), "{network}");
            }
            // Another agent begins from it, whatever it had in its networks before.
            let mut beginner = fresh;
            let values = |agent: &_| {
                let named = Networks::named_parameters(agent).into_iter();
                named.map(|(name, network)| (name, network.to_vec())).collect::<Vec<_>>()
            };
            assert_ne!(values(&beginner), values(&agent));
            beginner.begin_from(&agent).unwrap();
            assert_eq!(values(&beginner), values(&agent));
            // Pretraining changes the encoder, in all networks to the same, and nothing else.
            let before = by_tensor(&agent);
            let history = agent.pretrain(&Dot::space(), &seen, &pretraining, Seed::new(3)).unwrap();
            assert!(history.epochs[1].train_loss < history.epochs[0].train_loss, "{history:?}");
            for ((name, old), (_, new)) in before.iter().zip(by_tensor(&agent)) {
                assert_eq!(*old != new, name.contains("encoder."), "{name}");
            }
            assert!($networks.iter().all(|network| !holds(&agent, network)));
            let filters = by_tensor(&agent).into_iter();
            let mut filters = filters.filter(|(name, _)| name.ends_with("encoder.0.weight"));
            let (_, first) = filters.next().unwrap();
            assert!(filters.all(|(_, other)| other == first));
        };
    }
    let (encoder_only, discrete) = (Layers::Encoder, || Discrete::new(2));
    let unit = || BoxSpace::symmetric([1.0]);
    let dqn = || agent!(Dqn, DqnConfig::default(), encoder_only, Dot::space(), discrete(), &plan());
    assert_taken_over!(dqn, ["online/values", "target/values"]);
    let head = || Categorical::new(discrete());
    let made = || agent!(Ppo, ppo(), encoder_only, Dot::space(), head(), &plan());
    assert_taken_over!(made, ["networks/parameters/values", "networks/average/mean"]);
    let made = || agent!(A3c, A3cConfig::default(), encoder_only, Dot::space(), head(), &plan());
    assert_taken_over!(made, ["shared/networks/parameters/values"]);
    let made = || agent!(Sac, SacConfig::default(), encoder_only, Dot::space(), unit(), &plan());
    let names = [
        "learner/actor/online/network/values",
        "learner/critics/0/network/values",
        "learner/critics/1/target/values",
    ];
    assert_taken_over!(made, names);
    let made = || agent!(Td3, Td3Config::default(), encoder_only, Dot::space(), unit(), &plan());
    assert_taken_over!(made, ["learner/actor/target/values", "learner/critics/0/network/values"]);
    // Without an encoder there is nothing to take over, and without a picture alone nothing to shift.
    assert!(ppo_of(ppo()).unwrap().load_encoder(&source).is_err());
    let pretrain = |config| {
        let head = Categorical::new(discrete());
        let mut agent = agent!(Ppo, ppo(), encoder_only, Dot::space(), head, &plan()).unwrap();
        agent.pretrain(&Dot::space(), &seen, &config, Seed::new(3)).unwrap_err().to_string()
    };
    assert!(pretrain(PretrainConfig::default()).starts_with("shift ="));
    // An agent of other layers is none to begin from.
    let tanh = ppo_of(ppo()).unwrap();
    let mut relu = ppo_of(PpoConfig { activation: Activation::Relu, ..ppo() }).unwrap();
    assert!(matches!(relu.begin_from(&tanh), Err(AgentError::Mismatch { .. })));
}

#[test]
fn settings_are_read_from_toml() {
    let text = r#"{
        "encoder": [{ "conv2d": { "channels": 16, "kernel": 3 } }, { "activation": "relu" }, "flatten"],
        "head": [{ "linear": { "outputs": 64 } }, { "layer_norm": {} }, { "dropout": { "p": 0.1 } }],
        "hidden": []
    }"#;
    let config: PpoConfig = serde_json::from_str(text).unwrap();
    assert_eq!((config.encoder.len(), config.head.len()), (3, 3));
    let again = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
    assert_eq!(config, again);
}
