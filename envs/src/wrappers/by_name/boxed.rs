//! One environment with its type erased.

use std::sync::Arc;

use crate::{
    Act, Env, EnvError, EnvOptions, Obs, Rng, Space, Step, Transition, erased::Codec, kind::Kind,
    spec::limited, vector::Gate, wrappers::TimeLimit,
};

/// An environment of any type with these spaces, for wrappers by name.
///
/// Each step is a virtual call.
pub struct BoxedEnv<O: Space, A: Space> {
    env: Box<dyn Env<ObservationSpace = O, ActionSpace = A>>,
}

impl<O: Space, A: Space> BoxedEnv<O, A> {
    /// Erases the type of an environment.
    pub fn new(env: impl Env<ObservationSpace = O, ActionSpace = A> + 'static) -> Self {
        Self { env: Box::new(env) }
    }
}

impl<O: Space, A: Space> Env for BoxedEnv<O, A> {
    type ObservationSpace = O;
    type ActionSpace = A;

    fn step(&mut self, action: &A::Element, rng: &mut Rng) -> Result<Step<O::Element>, EnvError> {
        self.env.step(action, rng)
    }

    crate::wrappers::forward! { env: reset, spaces, snapshot, state, set_state, model, render }
}

/// An environment of a [kind](crate::kind) with its type erased.
pub type Boxed<K> = BoxedEnv<<K as Kind>::Observation, <K as Kind>::Action>;

/// Creates environments with complete options.
pub(crate) type MakeBoxed<O, A> =
    Arc<dyn Fn(&EnvOptions) -> Result<BoxedEnv<O, A>, EnvError> + Send + Sync>;

/// Turns a constructor of typed environments into one of erased environments.
pub(crate) fn boxed<E, OC, AC, F>(id: &str, make: Arc<F>) -> MakeBoxed<OC::Target, AC::Target>
where
    E: Env + 'static,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
    F: Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
{
    let id = id.to_owned();
    Arc::new(move |options| {
        Ok(BoxedEnv::new(Encoded::<E, OC, AC>::new(&id, limited(&*make, options)?)))
    })
}

/// An environment whose observations and actions are converted by codecs.
struct Encoded<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    id: String,
    env: TimeLimit<E>,
    observations: E::ObservationSpace,
    actions: E::ActionSpace,
    observation_space: OC::Target,
    action_space: AC::Target,
    /// The memory of the next observation.
    spare: Option<Target<OC, E::ObservationSpace>>,
}

type Target<C, S> = <<C as Codec<S>>::Target as Space>::Element;

impl<E, OC, AC> Encoded<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    fn new(id: &str, env: TimeLimit<E>) -> Self {
        let (observations, actions) = (env.observation_space(), env.action_space());
        Self {
            id: id.to_owned(),
            observation_space: OC::target(&observations),
            action_space: AC::target(&actions),
            env,
            observations,
            actions,
            spare: None,
        }
    }

    fn encode(&self, observation: &Obs<E>) -> Target<OC, E::ObservationSpace> {
        OC::encoded(&self.observations, observation)
    }

    /// Checks an observation and reward before encoding, as a vector of typed environments does.
    fn show(
        &mut self,
        observation: Obs<E>,
        reward: f64,
    ) -> Result<Target<OC, E::ObservationSpace>, EnvError> {
        let gate = Gate { space: &self.observations, env: &self.id, index: None };
        gate.step(&observation, reward, u64::from(self.env.elapsed_steps()))?;
        let shown = match self.spare.take() {
            None => self.encode(&observation),
            Some(mut shown) => {
                OC::encode(&self.observations, &observation, &mut shown);
                shown
            }
        };
        self.env.recycle(observation);
        Ok(shown)
    }
}

impl<E, OC, AC> Env for Encoded<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    type ObservationSpace = OC::Target;
    type ActionSpace = AC::Target;

    fn observation_space(&self) -> OC::Target {
        self.observation_space.clone()
    }

    fn action_space(&self) -> AC::Target {
        self.action_space.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.show(observation, 0.0)
    }

    fn step(&mut self, action: &Act<Self>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError> {
        let action = AC::decode(&self.actions, action)?;
        let Step { observation, reward, outcome } = self.env.step(&action, rng)?;
        Ok(Step { observation: self.show(observation, reward)?, reward, outcome })
    }

    fn recycle(&mut self, shown: Obs<Self>) {
        self.spare = Some(shown);
    }

    fn observe(&self) -> Option<Obs<Self>> {
        let observation = self.env.observe().filter(|seen| self.observations.admits(seen))?;
        Some(self.encode(&observation))
    }

    fn transitions(
        &self,
        observation: &Obs<Self>,
        action: &Act<Self>,
    ) -> Option<Vec<Transition<Obs<Self>>>> {
        let observation = OC::decode(&self.observations, observation).ok()?;
        let action = AC::decode(&self.actions, action).ok()?;
        let transitions = self.env.transitions(&observation, &action)?;
        Some(transitions.into_iter().map(|t| t.map(|next| self.encode(&next))).collect())
    }

    fn initial_states(&self) -> Option<Vec<(f64, Obs<Self>)>> {
        let starts = self.env.initial_states()?;
        Some(starts.iter().map(|(p, start)| (*p, self.encode(start))).collect())
    }

    crate::wrappers::forward! { env: snapshot, state, set_state, render }
}
