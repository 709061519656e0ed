//! A network together with the optimiser that trains it.

use gymnast_core::{
    nn::{Activation, Mlp, MlpConfig, Network, Parameters, Scratch},
    optim::{Adam, AdamConfig, AdamState, Optimizer as _, RmsProp, RmsPropState},
};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};
use tch::Tensor;

use crate::dqn::backend;

/// A perceptron and the Adam that trains it.
pub(crate) struct Learned {
    pub(crate) network: Mlp,
    optimizer: Adam,
}

impl Learned {
    pub(crate) fn new(
        hidden: &[usize],
        activation: Activation,
        inputs: usize,
        outputs: usize,
        rng: &mut Rng,
    ) -> Result<Self, AgentError> {
        let config = MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() };
        let network = Mlp::new(&config, inputs, outputs, rng).map_err(backend)?;
        let optimizer = Adam::new(AdamConfig::default(), network.parameters()).map_err(backend)?;
        Ok(Self { network, optimizer })
    }

    /// `batch` rows to as many, in plain Rust; see `Network::evaluate`.
    pub(crate) fn evaluate(
        &self,
        rows: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        evaluate(&self.network, rows, batch, scratch, out)
    }

    /// One step down the gradient of `loss`.
    pub(crate) fn minimize(&mut self, loss: &Tensor, rate: f64) -> Result<(), AgentError> {
        let parameters = self.network.parameters_mut();
        self.optimizer.minimize(loss, parameters, rate, None).map_err(backend)?;
        Ok(())
    }
}

/// `batch` rows to as many, in plain Rust, into a vector that is resized to fit.
pub(crate) fn evaluate(
    network: &dyn Network,
    rows: &[f32],
    batch: usize,
    scratch: &mut Scratch,
    out: &mut Vec<f32>,
) -> Result<(), AgentError> {
    out.resize(batch * network.outputs(), 0.0);
    network.evaluate(rows, batch, scratch, out).map_err(backend)
}

/// Writes a network's parameters.
pub(crate) fn save_network(state: &mut StateDict, name: &str, network: &dyn Network) {
    save_parameters(state, name, network.parameters());
}

/// Reads a network's parameters.
pub(crate) fn load_network(
    state: &StateDict,
    name: &str,
    network: &mut dyn Network,
) -> Result<(), CheckpointError> {
    load_parameters(state, name, network.parameters_mut())
}

/// Writes parameters.
pub(crate) fn save_parameters(state: &mut StateDict, name: &str, parameters: &Parameters) {
    state.insert_array(name, &[parameters.len()], parameters.values());
}

/// Reads parameters.
pub(crate) fn load_parameters(
    state: &StateDict,
    name: &str,
    parameters: &mut Parameters,
) -> Result<(), CheckpointError> {
    let values: Vec<f32> = state.array(name, &[parameters.len()])?;
    let expected = format!("{} parameters", values.len());
    parameters.load(&values).map_err(|error| CheckpointError::Mismatch {
        name: name.to_owned(),
        expected,
        got: error.to_string(),
    })
}

/// Writes what Adam remembers.
pub(crate) fn save_adam(state: &mut StateDict, adam: &Adam) -> Result<(), CheckpointError> {
    let AdamState { m, v, step } = adam.state();
    state.insert_array("adam/m", &[m.len()], m);
    state.insert_array("adam/v", &[v.len()], v);
    state.insert("adam/step", &step)
}

/// Reads what Adam remembers.
pub(crate) fn load_adam(state: &StateDict, adam: &mut Adam) -> Result<(), CheckpointError> {
    let len = [adam.state().m.len()];
    let m: Vec<f32> = state.array("adam/m", &len)?;
    let v: Vec<f32> = state.array("adam/v", &len)?;
    let saved = AdamState { m: &m, v: &v, step: state.get("adam/step")? };
    adam.load_state(saved).map_err(|error| CheckpointError::Mismatch {
        name: "adam".to_owned(),
        expected: format!("{} parameters", len[0]),
        got: error.to_string(),
    })
}

/// Writes what RMSprop remembers, neither centred nor with momentum.
pub(crate) fn save_rms_prop(state: &mut StateDict, rms_prop: &RmsProp) {
    let RmsPropState { square, .. } = rms_prop.state();
    state.insert_array("rms_prop/square", &[square.len()], square);
}

/// Reads what RMSprop remembers, neither centred nor with momentum.
pub(crate) fn load_rms_prop(
    state: &StateDict,
    rms_prop: &mut RmsProp,
) -> Result<(), CheckpointError> {
    let len = rms_prop.state().square.len();
    let square: Vec<f32> = state.array("rms_prop/square", &[len])?;
    // The mean stays zero, and the last direction is no part of the next.
    let zeros = vec![0.0; len];
    rms_prop
        .load_state(RmsPropState { square: &square, mean: &zeros, momentum: &zeros })
        .expect("the lengths were checked");
    Ok(())
}

impl Checkpoint for Learned {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        save_network(state, "network", &self.network);
        save_adam(state, &self.optimizer)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        load_network(state, "network", &mut self.network)?;
        load_adam(state, &mut self.optimizer)
    }
}
