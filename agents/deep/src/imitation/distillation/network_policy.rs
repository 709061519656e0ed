//! A network that acts.

use std::cell::RefCell;

use gymnast_core::{
    compression::{Quantization, QuantizedNetwork, QuantizedScratch},
    nn::{Network, Scratch, Snapshot},
};
use gymnast_envs::{FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{AgentError, Mode, Policy};

use super::{ActionPreferences, require_no_mask};
use crate::{
    mathematics::targets::argmax,
    networks::learned::{backend, write_features},
};

/// A policy that takes the action with the largest output of a network, in either mode. It does not learn.
/// If an output is not finite, it returns [`AgentError::NoAction`]. It holds a copy of the weights, whole
/// or of one byte each, and needs no libtorch.
pub struct NetworkPolicy<O, A> {
    observation_space: O,
    action_space: A,
    weights: Weights,
    bytes: usize,
    acting: RefCell<Acting>,
}

enum Weights {
    Whole(Snapshot),
    Quantized(QuantizedNetwork),
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Acting {
    features: Vec<f32>,    // [N, width]
    preferences: Vec<f32>, // [N, A]
    scratch: Scratch,
    quantized: QuantizedScratch,
}

impl<O: FeatureSpace, A: FiniteSpace> NetworkPolicy<O, A> {
    /// Creates a policy that acts by a copy of the network's weights.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] unless the network reads these observations and puts out one number
    /// for each action, and where the observations say which actions are allowed;
    /// [`AgentError::Mismatch`] where a weight is not finite; [`AgentError::Backend`] for a network that only libtorch evaluates.
    pub fn new(
        observation_space: O,
        action_space: A,
        network: &dyn Network,
    ) -> Result<Self, AgentError> {
        let weights = Weights::Whole(Snapshot::of(network).map_err(backend)?);
        let bytes = size_of_val(network.parameters().values());
        Self::with(observation_space, action_space, network, weights, bytes)
    }

    /// Creates a policy that acts by a copy of the network's weights, of one byte each
    /// ([centred](QuantizedNetwork::centred), as only differences between actions count).
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Backend`] for a network that cannot be quantised.
    pub fn quantized(
        observation_space: O,
        action_space: A,
        network: &dyn Network,
        quantization: Quantization,
    ) -> Result<Self, AgentError> {
        let quantized = QuantizedNetwork::centred(network, quantization).map_err(backend)?;
        let bytes = quantized.bytes();
        let weights = Weights::Quantized(quantized);
        Self::with(observation_space, action_space, network, weights, bytes)
    }

    fn with(
        observation_space: O,
        action_space: A,
        network: &dyn Network,
        weights: Weights,
        bytes: usize,
    ) -> Result<Self, AgentError> {
        require_no_mask(&observation_space)?;
        let mut values = network.parameters().values().iter();
        if let Some(got) = values.find(|value| !value.is_finite()) {
            let (what, expected) = ("the network's parameters", "finite numbers".to_owned());
            return Err(AgentError::Mismatch { what, expected, got: got.to_string() });
        }
        let (inputs, outputs) = (network.inputs(), network.outputs());
        let fits = inputs == observation_space.width() && outputs == action_space.size();
        let expected = "one that reads the observations and has one output for each action";
        AgentError::require(fits, "network", &format_args!("{inputs} → {outputs}"), expected)?;
        let acting = RefCell::default();
        Ok(Self { observation_space, action_space, weights, bytes, acting })
    }

    /// Returns the bytes that the weights take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn evaluate(&self, observations: &[O::Element], acting: &mut Acting) {
        let Acting { features, preferences, scratch, quantized } = acting;
        let n = observations.len();
        write_features(&self.observation_space, observations, features);
        preferences.resize(n * self.action_space.size(), 0.0);
        match &self.weights {
            Weights::Whole(network) => {
                network
                    .evaluate(features, n, scratch, preferences)
                    .expect("the widths were checked");
            }
            Weights::Quantized(network) => {
                let result = network.evaluate(features, n, quantized, preferences);
                result.expect("the widths were checked");
            }
        }
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Policy<O, A> for NetworkPolicy<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        _mode: Mode,
        _rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(observations, acting);
        // Finite weights put out a NaN only where the observation holds one, or too large numbers.
        AgentError::check_outputs(&acting.preferences)?;
        actions.clear();
        let rows = acting.preferences.chunks_exact(self.action_space.size());
        actions.extend(
            rows.map(|row| self.action_space.element(argmax(row).expect("the numbers are finite"))),
        );
        Ok(())
    }
}

impl<O: FeatureSpace, A: FiniteSpace> ActionPreferences<O, A> for NetworkPolicy<O, A> {
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>) {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(observations, acting);
        preferences.clone_from(&acting.preferences);
    }
}
