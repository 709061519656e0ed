//! Encoders that learn before there is any reward, and encoders that are taken over.

use gymnast_core::{
    data::{Augmentation, Dataset, Shape},
    nn::{Buffers, Engine, Module, NamedParameter, Net, Network, NetworkError, Parameters},
    optim::ParamGroup,
    self_supervised::NtXent,
    supervised::{FitConfig, History, fit},
};
use gymnast_envs::{Env, EnvError, FeatureSpace, Obs, Rng, Seed, Space as _};
use gymnast_harness::{AgentError, SettingError};
use tch::Tensor;

use crate::{
    networks::learned::{backend, write_features},
    settings,
};

/// Plays `env_steps` random actions. Returns the observation that each action was chosen for.
///
/// # Errors
/// What the environment returns.
pub fn random_play<E: Env>(
    env: &mut E,
    env_steps: usize,
    rng: &mut Rng,
) -> Result<Vec<Obs<E>>, EnvError> {
    let actions = env.action_space();
    let mut seen = Vec::new();
    let mut observation = env.reset(rng)?;
    for _ in 0..env_steps {
        let step = env.step(&actions.sample(rng), rng)?;
        let next = if step.outcome.is_final() { env.reset(rng)? } else { step.observation };
        seen.push(std::mem::replace(&mut observation, next));
    }
    Ok(seen)
}

settings! {
    /// How [`Networks::pretrain`](crate::Networks::pretrain) trains an encoder.
    pub struct PretrainConfig {
        /// The temperature of the contrastive loss, by which it divides cosines; > 0.
        pub temperature: f64 = 0.1,
        /// The most pixels that a view of a picture is shifted by; ≥ 1. Not used where `fit` has
        /// augmentations.
        pub shift: usize = 1,
        /// The training: epochs, optimiser, augmentations. It trains on two views of each observation and
        /// has no parameter groups: only the encoder is trained.
        pub fit: FitConfig = FitConfig::default(),
    }
}

/// A network of an agent that reads observations, as [`Networks`](crate::Networks) trains and copies its
/// encoder.
pub trait EncoderNetwork: Send {
    /// The module that reads observations.
    fn module(&self) -> &dyn Module;

    /// What the names of the parameters of the module's encoder begin with.
    fn encoder_name(&self) -> &'static str;

    /// The parameters, of which the encoder's are a part.
    fn all_parameters(&self) -> &Parameters;

    /// The parameters, to change; call [`follow`](Self::follow) afterwards.
    fn all_parameters_mut(&mut self) -> &mut Parameters;

    /// Chooses what computes its gradients.
    ///
    /// # Errors
    /// [`NetworkError::NoPlan`] where only libtorch can.
    fn set_engine(&mut self, engine: Engine) -> Result<(), NetworkError>;

    /// Updates what follows the parameters: noisy weights, averages.
    ///
    /// # Errors
    /// Those of the network.
    fn follow(&mut self) -> Result<(), NetworkError>;
}

impl EncoderNetwork for Net {
    fn module(&self) -> &dyn Module {
        self.module()
    }

    fn encoder_name(&self) -> &'static str {
        "encoder."
    }

    fn all_parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn all_parameters_mut(&mut self) -> &mut Parameters {
        self.parameters_mut()
    }

    fn set_engine(&mut self, engine: Engine) -> Result<(), NetworkError> {
        self.set_engine(engine)
    }

    fn follow(&mut self) -> Result<(), NetworkError> {
        self.after_step()
    }
}

/// The encoder of an agent's network: observations to features. It trains without batch statistics, which
/// agents' networks do not have, so there are no buffers to keep.
struct Encoder<'a> {
    network: &'a mut dyn EncoderNetwork,
    features: usize,
    training: bool,
}

impl<'a> Encoder<'a> {
    /// # Errors
    /// [`AgentError::InvalidConfig`] where the network has no encoder with parameters.
    fn new(network: &'a mut dyn EncoderNetwork) -> Result<Self, AgentError> {
        let module = network.module();
        let row = Tensor::zeros([1, module.inputs() as i64], tch::kind::FLOAT_CPU);
        let features = module.encode(&row, false).map_or(0, |row| row.size()[1]);
        let name = network.encoder_name();
        let own = network.all_parameters().ranges_where(|other| other.starts_with(name));
        let expected =
            "layers with parameters, which read the observations (DQN: here or in `conv`)";
        AgentError::require(features > 0 && !own.is_empty(), "encoder", &"none", expected)?;
        Ok(Self { network, features: features as usize, training: false })
    }

    fn encode(&self, rows: &Tensor, training: bool) -> Tensor {
        self.network.module().encode(rows, training).expect("the network has an encoder")
    }
}

impl Network for Encoder<'_> {
    fn inputs(&self) -> usize {
        self.network.module().inputs()
    }

    fn outputs(&self) -> usize {
        self.features
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.encode(input, self.training)
    }

    fn parameters(&self) -> &Parameters {
        self.network.all_parameters()
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        self.network.all_parameters_mut()
    }

    fn training(&self) -> bool {
        self.training
    }

    fn set_training(&mut self, training: bool) {
        self.training = training;
    }

    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.network.follow()
    }

    fn description(&self) -> String {
        format!("the encoder of {}", self.network.module().description())
    }

    fn buffers(&self) -> Buffers {
        Buffers::default()
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        Vec::new()
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        buffers.check_none()
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        let _guard = tch::no_grad_guard();
        self.encode(input, false)
    }
}

/// Trains the encoder of the first network, and copies it to the others; see
/// [`Networks::pretrain`](crate::Networks::pretrain).
pub(crate) fn pretrain<O: FeatureSpace>(
    mut networks: Vec<&mut dyn EncoderNetwork>,
    observation_space: &O,
    observations: &[O::Element],
    config: &PretrainConfig,
    seed: Seed,
) -> Result<History, AgentError> {
    let PretrainConfig { temperature, shift, fit: ref settings } = *config;
    let groups = &settings.param_groups;
    AgentError::require(groups.is_empty(), "param_groups", groups, "none in pretraining")?;
    let first = networks.first_mut().expect("every agent has a network that reads observations");
    let mut encoder = Encoder::new(&mut **first)?;
    let mut settings = FitConfig { views: 2, ..settings.clone() };
    if settings.augmentations.is_empty() {
        settings.augmentations.push(random_shift("shift", shift, &observation_space.shape())?);
    }
    let name = encoder.network.encoder_name();
    let ranges = encoder.parameters().ranges_where(|other| !other.starts_with(name));
    if !ranges.is_empty() {
        settings.param_groups = vec![ParamGroup { ranges, frozen: true, ..ParamGroup::default() }];
    }
    let mut rows = Vec::new();
    write_features(observation_space, observations, &mut rows);
    // The contrastive loss reads no targets.
    let targets = vec![0.0; observations.len()];
    let rows = Dataset::new(rows, observation_space.width(), targets, 1).map_err(backend)?;
    let held_out = rows.select(&[]).map_err(backend)?;
    let rng = seed.child("pretraining", 0).rng();
    let history = fit(&mut encoder, &rows, &held_out, &settings, rng, &NtXent { temperature });
    let (named, values) = (encoder.named_parameters(), encoder.parameters().to_vec());
    load_encoders(networks, &named, &values)?;
    history.map_err(backend)
}

/// Returns a random shift by at most `shift` pixels of pictures of shape `[H, W]` or `[H, W, C]`; `key`
/// is the setting that says by how many.
pub(crate) fn random_shift(
    key: &'static str,
    shift: usize,
    shape: &[usize],
) -> Result<Augmentation, AgentError> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, channels] => (height, width, channels),
        _ => {
            let allowed = "observations that are one picture, of shape [H, W] or [H, W, C]";
            let value = format!("{shift} for observations of shape {shape:?}");
            return Err(SettingError { key, value, allowed: allowed.into() }.into());
        }
    };
    let fits = (1..height.min(width)).contains(&shift);
    AgentError::require(
        fits,
        key,
        &shift,
        "at least 1, and less than a picture's height and width",
    )?;
    Ok(Augmentation::RandomCrop { shape: Shape { height, width, channels }, padding: shift })
}

/// Copies the encoder among these parameters into each network.
pub(crate) fn load_encoders(
    networks: Vec<&mut dyn EncoderNetwork>,
    named: &[NamedParameter],
    values: &[f32],
) -> Result<(), AgentError> {
    // All are alike, so that the first refuses where any would.
    networks.into_iter().try_for_each(|network| {
        load_encoder(network.all_parameters_mut(), named, values)?;
        network.follow().map_err(backend)
    })
}

/// Copies parameters called `encoder.…` to where they are called so here, behind the name of a network
/// (`policy.encoder.…`) and for each picture (`encoder.part1.…`).
fn load_encoder(
    parameters: &mut Parameters,
    named: &[NamedParameter],
    values: &[f32],
) -> Result<(), AgentError> {
    let mismatch = |what, expected: &str, got: String| AgentError::Mismatch {
        what,
        expected: expected.to_owned(),
        got,
    };
    let mut copies = Vec::new();
    for here in parameters.named() {
        let Some(name) = name_in_encoder(&here.name) else { continue };
        let shared = without_part(name);
        let is_it = |other: &str| name_in_encoder(other).is_some_and(|o| o == name || o == shared);
        let found = named.iter().find(|other| is_it(&other.name));
        let Some(found) = found.filter(|other| other.shape == here.shape) else {
            let expected = format!("{shared} of shape {:?} in the pretrained network", here.shape);
            let got = found.map_or("none".to_owned(), |other| format!("{:?}", other.shape));
            return Err(mismatch("the encoder", &expected, got));
        };
        copies.push((here.range, found.range.clone()));
    }
    if copies.is_empty() {
        let got = "an agent without an encoder".to_owned();
        return Err(mismatch("the encoder", "one with parameters: set `encoder`", got));
    }
    for (here, there) in copies {
        parameters.values_mut()[here].copy_from_slice(&values[there]);
    }
    Ok(())
}

/// `policy.encoder.0.weight` as `encoder.0.weight`; `None` for a parameter of no encoder.
fn name_in_encoder(name: &str) -> Option<&str> {
    name.find("encoder.").map(|start| &name[start..])
}

/// `encoder.part1.0.weight` as `encoder.0.weight`.
fn without_part(name: &str) -> String {
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit());
    let parts = name.split('.').filter(|part| !part.strip_prefix("part").is_some_and(is_number));
    parts.collect::<Vec<_>>().join(".")
}
