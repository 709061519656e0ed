//! One environment of any type, with observations and actions as JSON.

use serde_json::Value;

use crate::{
    Env, EnvError, Obs, Rng, Seed, Space as _, SpaceDescription, Step, Transition, render::Frame,
    vector::Gate,
};

/// One environment of any type with its own random stream. Observations and actions are JSON.
///
/// [`Registry::make`](crate::Registry::make) returns it. Use it where speed does not matter: for
/// checking, replaying, watching.
pub trait DynEnv: Send {
    /// Returns the observation space.
    fn observation_space(&self) -> SpaceDescription;

    /// Returns the action space.
    fn action_space(&self) -> SpaceDescription;

    /// Starts an episode; with a seed, from a new random stream.
    ///
    /// # Errors
    /// The errors of the environment.
    fn reset(&mut self, seed: Option<u64>) -> Result<Value, EnvError>;

    /// Advances by one step.
    ///
    /// # Errors
    /// [`EnvError::Space`] if the action does not have the space's form;
    /// [`EnvError::InvalidAction`] if the environment rejects it; [`EnvError::NeedsReset`] before
    /// the first reset and after the end of an episode.
    fn step(&mut self, action: &Value) -> Result<Step<Value>, EnvError>;

    /// Draws an action from the action space.
    fn sample_action(&mut self) -> Value;

    /// Returns the state; see [`Env::state`].
    fn state(&self) -> Option<Vec<f64>>;

    /// Sets the state; see [`Env::set_state`]. The environment can be stepped from there without a
    /// reset.
    ///
    /// # Errors
    /// As [`Env::set_state`]; also [`EnvError::InvalidState`] if the observation of the state does
    /// not lie in the space. Then a reset is needed.
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError>;

    /// Returns the transitions from the current state; see [`Env::transitions`]. Successors are
    /// given as observations.
    ///
    /// # Errors
    /// As [`DynEnv::step`] for an invalid action.
    fn transitions(&self, action: &Value) -> Result<Option<Vec<Transition<Value>>>, EnvError>;

    /// Returns the transitions from the state that is seen as `observation`, like
    /// [`transitions`](DynEnv::transitions), wherever the environment is.
    ///
    /// # Errors
    /// [`EnvError::Space`] if the observation or the action does not have its space's form.
    fn transitions_from(
        &self,
        observation: &Value,
        action: &Value,
    ) -> Result<Option<Vec<Transition<Value>>>, EnvError>;

    /// Returns the probabilities and observations of the initial states; see
    /// [`Env::initial_states`].
    fn initial_states(&self) -> Option<Vec<(f64, Value)>>;

    /// Renders as text; see [`Env::render_ansi`].
    fn render_ansi(&self) -> Option<String>;

    /// Renders as a picture; see [`Env::render_rgb`].
    fn render_rgb(&self) -> Option<Frame>;
}

/// A typed environment with its random stream, as a [`DynEnv`].
pub(crate) struct Seeded<E: Env> {
    name: String,
    env: E,
    rng: Rng,
    /// A stream of its own, so that sampling does not shift the environment's.
    actions: Rng,
    current: Option<Obs<E>>,
    running: bool,
    /// The number of steps of the running episode.
    steps: u64,
}

/// The environment's random stream, and that of sampled actions.
fn streams(seed: u64) -> [Rng; 2] {
    let rng = Seed::new(seed).rng();
    let mut actions = rng.clone();
    actions.set_stream(1);
    [rng, actions]
}

impl<E: Env> Seeded<E> {
    pub(crate) fn new(name: &str, env: E, seed: u64) -> Self {
        let (name, [rng, actions]) = (name.to_owned(), streams(seed));
        Self { name, env, rng, actions, current: None, running: false, steps: 0 }
    }

    /// Checks the observation and reward as a vector does and converts the observation to JSON.
    fn show(&self, observation: &Obs<E>, reward: f64) -> Result<Value, EnvError> {
        let space = &self.env.observation_space();
        let gate = Gate { space, env: &self.name, index: None };
        gate.step(observation, reward, self.steps)?;
        Ok(space.to_jsonable(observation))
    }
}

impl<E: Env> Seeded<E> {
    fn transitions_to_jsonable(&self, model: Vec<Transition<Obs<E>>>) -> Vec<Transition<Value>> {
        let space = self.env.observation_space();
        model.into_iter().map(|t| t.map(|next| space.to_jsonable(&next))).collect()
    }
}

impl<E: Env> DynEnv for Seeded<E> {
    fn observation_space(&self) -> SpaceDescription {
        self.env.observation_space().describe()
    }

    fn action_space(&self) -> SpaceDescription {
        self.env.action_space().describe()
    }

    fn reset(&mut self, seed: Option<u64>) -> Result<Value, EnvError> {
        if let Some(seed) = seed {
            [self.rng, self.actions] = streams(seed);
        }
        let observation = self.env.reset(&mut self.rng)?;
        self.steps = 0;
        let json = self.show(&observation, 0.0)?;
        self.running = true;
        self.current = Some(observation);
        Ok(json)
    }

    fn step(&mut self, action: &Value) -> Result<Step<Value>, EnvError> {
        if !self.running {
            let ended = self.current.is_some();
            let when = if ended { "after the episode ended" } else { "before the first reset" };
            return Err(EnvError::NeedsReset { when });
        }
        let action = self.env.action_space().from_jsonable_unbounded(action)?;
        let Step { observation, reward, outcome } = self.env.step(&action, &mut self.rng)?;
        self.steps += 1;
        let json = self.show(&observation, reward)?;
        self.running = !outcome.is_final();
        self.current = Some(observation);
        Ok(Step { observation: json, reward, outcome })
    }

    fn sample_action(&mut self) -> Value {
        let space = self.env.action_space();
        space.to_jsonable(&space.sample(&mut self.actions))
    }

    fn state(&self) -> Option<Vec<f64>> {
        self.env.state()
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        let (space, observation) = (self.env.observation_space(), self.env.observe());
        self.steps = 0;
        self.running = observation.as_ref().is_none_or(|observation| space.admits(observation));
        self.current = observation.filter(|_| self.running);
        if self.running {
            return Ok(());
        }
        Err(EnvError::InvalidState {
            expected: format!("one seen as an element of {}, its numbers finite", space.describe()),
            got: format!("{state:?}"),
        })
    }

    fn transitions(&self, action: &Value) -> Result<Option<Vec<Transition<Value>>>, EnvError> {
        let action = self.env.action_space().from_jsonable(action)?;
        let model = self.current.as_ref().and_then(|now| self.env.transitions(now, &action));
        Ok(model.map(|model| self.transitions_to_jsonable(model)))
    }

    fn transitions_from(
        &self,
        observation: &Value,
        action: &Value,
    ) -> Result<Option<Vec<Transition<Value>>>, EnvError> {
        let observation = self.env.observation_space().from_jsonable(observation)?;
        let action = self.env.action_space().from_jsonable(action)?;
        let model = self.env.transitions(&observation, &action);
        Ok(model.map(|model| self.transitions_to_jsonable(model)))
    }

    fn initial_states(&self) -> Option<Vec<(f64, Value)>> {
        let space = self.env.observation_space();
        let states = self.env.initial_states()?;
        Some(states.into_iter().map(|(p, state)| (p, space.to_jsonable(&state))).collect())
    }

    fn render_ansi(&self) -> Option<String> {
        self.env.render_ansi()
    }

    fn render_rgb(&self) -> Option<Frame> {
        self.env.render_rgb()
    }
}
