//! What an agent's networks look like: layers from its settings, or modules of one's own.

use gymnast_core::{
    nn::{
        Activation, Engine, Joined, LayerConfig, LayerShape, MlpConfig, Module, Net, Network,
        NetworkError, Parameters, ParametersBuilder, Sequential,
    },
    supervised::History,
};
use gymnast_envs::{FeatureSpace, Rng, Seed};
use gymnast_harness::{AgentError, SettingError};
use rand::Rng as _;

use crate::networks::{
    learned::{backend, check_widths},
    pretraining::{EncoderNetwork, PretrainConfig, load_encoders, pretrain},
};

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of a policy-gradient agent, or a clone: observations to what a distribution over actions is made of.
    Policy,
    /// Of a policy-gradient agent: observations to their values.
    Value,
    /// Of the DQN family: observations to the values of all actions, or to distributions of them.
    Q,
    /// Of an off-policy agent with real-valued actions: observations to what actions are made of.
    Actor,
    /// Of the same: an observation and an action side by side to their value, or its distribution.
    Critic,
}

/// The network that an agent asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What it is for.
    pub role: Role,
    /// The shapes of what a row holds, one after the other: the
    /// [parts](gymnast_envs::FeatureSpace::parts) of an observation; for a critic, then the action.
    pub parts: &'a [Vec<usize>],
    /// The width of a row that it returns.
    pub outputs: usize,
    /// What dropout's masks follow from.
    pub dropout_seed: u64,
}

/// The numbers of an observation and of an action as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Those of an observation.
    pub observation: usize,
    /// Those of an action.
    pub action: usize,
}

/// Builds the layers of a network that an agent asks for: what `with_network` takes. It is called once
/// for each network and for each of its targets, and must declare the same layers each time.
///
/// ```
/// use gymnast_core::nn::{
///     Activation, LayerConfig, LayerShape, Layers, Module, NetworkError, ParametersBuilder,
/// };
/// use gymnast_deep::{Categorical, Ppo, PpoConfig, Wanted};
/// use gymnast_envs::{BoxSpace, Discrete, Seed};
/// use gymnast_harness::Plan;
///
/// fn build(
///     wanted: &Wanted<'_>,
///     builder: &mut ParametersBuilder,
/// ) -> Result<Box<dyn Module>, NetworkError> {
///     let layers = [
///         LayerConfig::linear(32),
///         LayerConfig::layer_norm(),
///         Activation::Tanh.into(),
///         LayerConfig::linear(wanted.outputs),
///     ];
///     let width = wanted.parts.iter().map(|part| part.iter().product::<usize>()).sum();
///     let input = LayerShape::Row(width);
///     Ok(Box::new(Layers::new(&layers, "layers", input, wanted.dropout_seed, builder)?))
/// }
///
/// let (seen, head) = (BoxSpace::<4>::unbounded(), Categorical::new(Discrete::new(2)));
/// let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1_000 };
/// let agent = Ppo::with_network(seen, head, PpoConfig::default(), &plan, &build)?;
/// # Ok::<(), gymnast_harness::AgentError>(())
/// ```
pub type BuildNetwork<'a> =
    dyn Fn(&Wanted<'_>, &mut ParametersBuilder) -> Result<Box<dyn Module>, NetworkError> + 'a;

/// The settings that say what an agent's networks look like.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// Layers that read the pictures of an observation, each `[H, W, C]` or `[H, W]`; without a picture
    /// they read the whole row. Empty: everything is a row.
    pub encoder: Vec<LayerConfig>,
    /// Layers between the encoder and the output layer, in the place of `hidden`; empty: `hidden`.
    pub head: Vec<LayerConfig>,
    /// The widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    pub activation: Activation,
    /// What computes the gradients.
    pub engine: Engine,
}

impl Default for NetworkSettings {
    /// Two hidden layers of 64, each followed by tanh.
    fn default() -> Self {
        let (hidden, activation) = (vec![64, 64], Activation::Tanh);
        Self { encoder: vec![], head: vec![], hidden, activation, engine: Engine::Auto }
    }
}

impl NetworkSettings {
    /// Checks them; `usual` are the hidden layers where none are set.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] for widths out of range, for `head` beside `hidden`, and for batch
    /// normalisation, whose running statistics a target network does not follow.
    pub fn check(&self, usual: &[usize]) -> Result<(), AgentError> {
        let Self { encoder, head, hidden, .. } = self;
        check_widths("hidden", hidden)?;
        let alone = head.is_empty() || hidden.is_empty() || hidden == usual;
        let expected = "layers without `hidden` beside them: set `hidden = []`";
        AgentError::require(alone, "head", head, expected)?;
        for (key, layers) in [("encoder", encoder), ("head", head)] {
            let fits = !layers.iter().any(LayerConfig::has_batch_norm);
            let expected = "no batch_norm, which target networks do not follow: use layer_norm";
            AgentError::require(fits, key, layers, expected)?;
        }
        Ok(())
    }

    /// What builds networks of these settings, which are checked; `init` says how hidden layers and the
    /// output layer begin.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn builder(
        self,
        usual: &[usize],
        init: fn(Role) -> MlpConfig,
    ) -> Result<Box<BuildNetwork<'static>>, AgentError> {
        self.check(usual)?;
        Ok(Box::new(move |wanted: &Wanted<'_>, builder: &mut ParametersBuilder| {
            self.declare(wanted, &init(wanted.role), builder)
        }))
    }

    fn declare(
        &self,
        wanted: &Wanted<'_>,
        init: &MlpConfig,
        builder: &mut ParametersBuilder,
    ) -> Result<Box<dyn Module>, NetworkError> {
        let Wanted { role, parts, outputs, dropout_seed } = *wanted;
        let (observation, action) = match (role, parts.split_last()) {
            (Role::Critic, Some((action, observation))) => (observation, Some(action)),
            _ => (parts, None),
        };
        let parts = if self.encoder.is_empty() {
            vec![(LayerShape::Row(width(parts)), Vec::new())]
        } else {
            let mut parts = Joined::parts(observation, &self.encoder)?;
            parts.extend(action.map(|shape| (LayerShape::Row(shape.iter().product()), Vec::new())));
            parts
        };
        let mlp =
            MlpConfig { hidden: self.hidden.clone(), activation: self.activation, ..init.clone() };
        let (weight, bias) = (mlp.output_weight, mlp.bias);
        let mut head = self.hidden_layers(&mlp);
        head.push(LayerConfig::Linear { outputs, weight, bias });
        Ok(Box::new(Joined::new(&parts, &head, dropout_seed, builder)?))
    }

    /// `head`, or where it is empty `hidden`.
    pub(crate) fn hidden_layers(&self, mlp: &MlpConfig) -> Vec<LayerConfig> {
        if self.head.is_empty() { mlp.hidden_layers() } else { self.head.clone() }
    }
}

/// Initial weights as PyTorch's, for every layer.
pub(crate) fn torch_default(_: Role) -> MlpConfig {
    MlpConfig::default()
}

/// Builds a network and draws its weights from `rng`, and nothing else.
pub(crate) fn network(
    build: &BuildNetwork<'_>,
    role: Role,
    parts: &[Vec<usize>],
    outputs: usize,
    rng: &mut Rng,
) -> Result<Net, AgentError> {
    noisy_network(build, role, parts, outputs, None, rng)
}

/// The same with noise of that σ₀ on its fully connected layers.
pub(crate) fn noisy_network(
    build: &BuildNetwork<'_>,
    role: Role,
    parts: &[Vec<usize>],
    outputs: usize,
    sigma: Option<f32>,
    rng: &mut Rng,
) -> Result<Net, AgentError> {
    let wanted = Wanted { role, parts, outputs, dropout_seed: dropout_seed(rng) };
    let declare = |builder: &mut ParametersBuilder| build(&wanted, builder);
    let net = match sigma {
        None => Net::new(declare, rng),
        Some(sigma) => Net::noisy(declare, sigma, rng),
    };
    let net = net.map_err(misfit)?;
    check_module(net.module(), &wanted)?;
    Ok(net)
}

/// Of a copy, so that the weights are the same with and without dropout.
pub(crate) fn dropout_seed(rng: &Rng) -> u64 {
    rng.clone().next_u64()
}

/// Checks that a module is what was asked for.
pub(crate) fn check_module(module: &dyn Module, wanted: &Wanted<'_>) -> Result<(), AgentError> {
    let inputs = width(wanted.parts);
    for (what, expected, got) in [
        ("the width of a row that the network reads", inputs, module.inputs()),
        ("the width of a row that the network returns", wanted.outputs, module.outputs()),
    ] {
        if expected != got {
            let (expected, got) = (expected.to_string(), got.to_string());
            return Err(AgentError::Mismatch { what, expected, got });
        }
    }
    let running = module.buffers().numbers.len();
    if running > 0 {
        let what = "the running statistics of the network, which target networks do not follow";
        let (expected, got) = ("none: use layer_norm".to_owned(), running.to_string());
        return Err(AgentError::Mismatch { what, expected, got });
    }
    Ok(())
}

/// The numbers of all parts.
pub(crate) fn width(parts: &[Vec<usize>]) -> usize {
    parts.iter().map(|shape| shape.iter().product::<usize>()).sum()
}

/// Why a network cannot be built over the observations there are.
pub(crate) fn misfit(error: NetworkError) -> AgentError {
    let (key, allowed) = match &error {
        NetworkError::Layer { layer, .. } if !layer.contains("encoder") => {
            ("head", "layers that fit each other")
        }
        NetworkError::Layer { .. } | NetworkError::Kernel { .. } => {
            ("encoder", "layers that fit the observation, or none")
        }
        _ => return backend(error),
    };
    SettingError { key, value: error.to_string(), allowed: allowed.into() }.into()
}

/// The error where an engine cannot be had.
pub(crate) fn misengined(engine: Engine, error: NetworkError) -> AgentError {
    let NetworkError::NoPlan = error else { return backend(error) };
    let allowed = "`auto` or `libtorch`, for this network has layers that only libtorch trains";
    let value = format!("{:?}", engine.name());
    SettingError { key: "engine", value, allowed: allowed.into() }.into()
}

/// What the networks of every deep agent can be asked.
pub trait Networks {
    /// What evaluates them: "plain Rust", or "libtorch" where a layer has no plan, or is trained
    /// otherwise than it is evaluated (dropout).
    fn evaluated_by(&self) -> &'static str;

    /// All networks that read observations, targets and averages included; the first one learns.
    fn encoders_mut(&mut self) -> Vec<&mut dyn EncoderNetwork>;

    /// Chooses what computes the gradients of its networks, as the setting `engine` does: by default
    /// plain Rust where their layers allow it, else libtorch. The two agree up to rounding. A3C's workers
    /// need plain Rust.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where only libtorch can.
    fn set_engine(&mut self, engine: Engine) -> Result<(), AgentError> {
        let mut networks = self.encoders_mut().into_iter();
        networks.try_for_each(|network| {
            network.set_engine(engine).map_err(|error| misengined(engine, error))
        })
    }

    /// Takes over the encoder of a pretrained network in all networks that read observations, their
    /// targets included. Call it before the first step of a training; afterwards the features would no
    /// longer fit what was learned of them.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] unless each parameter of an encoder here is one there, of the same name and
    /// shape, and there are some; nothing has changed then.
    fn load_encoder(&mut self, pretrained: &Sequential) -> Result<(), AgentError> {
        let pretrained = pretrained.parameters();
        load_encoders(self.encoders_mut(), &pretrained.named(), pretrained.values())
    }

    /// Trains the encoder without rewards: of two random shifts of each picture, its features have to find
    /// each other among those of all pictures ([`NtXent`](gymnast_core::self_supervised::NtXent)). All
    /// networks that read observations take it over, their targets included; nothing else changes. The
    /// observations may come from [`random_play`](crate::random_play) or from recorded episodes. Call it
    /// before the first step of a training.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] without an encoder, and where observations are not one picture each and
    /// `fit` has no augmentations; [`AgentError::Backend`] for settings of the training out of range, or
    /// without observations.
    fn pretrain<O: FeatureSpace>(
        &mut self,
        observation_space: &O,
        observations: &[O::Element],
        config: &PretrainConfig,
        seed: Seed,
    ) -> Result<History, AgentError>
    where
        Self: Sized,
    {
        pretrain(self.encoders_mut(), observation_space, observations, config, seed)
    }

    /// The parameters of all its networks, each by the network's name: `online` and `target`; `actor`,
    /// `critic0` and `target_critic0`; `actor_critic` where a policy and a value function lie in one vector.
    fn named_parameters(&self) -> Vec<(String, &Parameters)>;

    /// Begins with what another agent of the same networks has learned, on a task like this one: their
    /// parameters, and statistics that normalise observations. Of its optimisers and its memory it takes
    /// nothing. Before the first step of a training.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] or [`AgentError::Backend`] where networks differ,
    /// [`AgentError::InvalidConfig`] where only one of the two normalises observations. Nothing has changed
    /// then.
    fn begin_from(&mut self, other: &Self) -> Result<(), AgentError>
    where
        Self: Sized;
}

/// Implements [`Networks`] for an agent all of whose networks lie in one of its fields, with methods of its
/// own in the place of defaults.
macro_rules! networks_in {
    ([$($generics:tt)*] $agent:ty, $($field:ident).+ $(, { $($other:item)* })?) => {
        impl<$($generics)*> $crate::networks::network::Networks for $agent {
            fn evaluated_by(&self) -> &'static str {
                self.$($field).+.evaluated_by()
            }

            fn encoders_mut(
                &mut self,
            ) -> Vec<&mut dyn $crate::networks::pretraining::EncoderNetwork> {
                self.$($field).+.encoders_mut()
            }

            fn named_parameters(&self) -> Vec<(String, &gymnast_core::nn::Parameters)> {
                self.$($field).+.named_parameters()
            }

            fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
                self.$($field).+.begin_from(&other.$($field).+)
            }

            $($($other)*)?
        }
    };
}
pub(crate) use networks_in;

/// Copies the parameters of an agent's networks from those of another, which come in the same order.
pub(crate) fn copy_networks<'a>(
    here: Vec<&mut Net>,
    there: impl IntoIterator<Item = &'a Net>,
) -> Result<(), AgentError> {
    let there: Vec<_> = there.into_iter().collect();
    let shapes = |networks: Vec<&Net>| {
        let descriptions = networks.into_iter().map(Network::description);
        descriptions.collect::<Vec<_>>().join("; ")
    };
    check_alike(shapes(here.iter().map(|network| &**network).collect()), shapes(there.clone()))?;
    here.into_iter().zip(there).try_for_each(|(here, there)| {
        here.parameters_mut().copy_from(there.parameters()).map_err(backend)?;
        here.after_step().map_err(backend)
    })
}

/// Checks the descriptions of the networks of two agents, one of which begins from the other's.
pub(crate) fn check_alike(expected: String, got: String) -> Result<(), AgentError> {
    if expected == got {
        return Ok(());
    }
    Err(AgentError::Mismatch { what: "the networks to begin from", expected, got })
}

/// The name of what evaluates a network.
pub(crate) fn evaluated_by(plain: bool) -> &'static str {
    if plain { "plain Rust" } else { "libtorch" }
}

/// Whether plain Rust evaluates and trains all of these.
pub(crate) fn all_plain<'a>(networks: impl IntoIterator<Item = &'a Net>) -> &'static str {
    evaluated_by(networks.into_iter().all(|network| network.engine() != Engine::Libtorch))
}

/// Perceptrons of these hidden layers, for tests.
#[cfg(test)]
pub(crate) fn perceptrons(
    hidden: &[usize],
    activation: Activation,
) -> impl Fn(&Wanted<'_>, &mut ParametersBuilder) -> Result<Box<dyn Module>, NetworkError> + use<> {
    let (encoder, head, hidden) = (vec![], vec![], hidden.to_vec());
    let settings = NetworkSettings { encoder, head, hidden, activation, engine: Engine::Auto };
    settings.builder(&[], torch_default).expect("the settings are in range")
}

#[cfg(test)]
mod tests;
