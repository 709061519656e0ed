//! Going on where an episode under way was lost.

use gymnast_envs::{Env, EnvError, Restored, Rng, Space, Step};

use super::drive::drive;
use crate::{Plan, Setup, StateDict, TrainError, Training};

/// An environment that cannot be saved in mid-episode, even if the wrapped one can.
#[derive(Clone, Debug, Default)]
pub struct Unsavable<E>(pub E);

impl<E: Env> Env for Unsavable<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> E::ObservationSpace {
        self.0.observation_space()
    }

    fn action_space(&self) -> E::ActionSpace {
        self.0.action_space()
    }

    fn reset(
        &mut self,
        rng: &mut Rng,
    ) -> Result<<E::ObservationSpace as Space>::Element, EnvError> {
        self.0.reset(rng)
    }

    fn step(
        &mut self,
        action: &<E::ActionSpace as Space>::Element,
        rng: &mut Rng,
    ) -> Result<Step<<E::ObservationSpace as Space>::Element>, EnvError> {
        self.0.step(action, rng)
    }
}

/// Trains for `before` env steps, saves, resumes with fresh objects as in environments that [cannot
/// be saved](Unsavable), and trains for `after` more. Returns the agent's state, which shows
/// whether it joins steps across the break.
///
/// # Panics
/// If the environments can be saved, or anything fails.
pub fn state_after_a_lost_episode<O: Space, A: Space>(
    make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError>,
    training: &Training,
    before: u64,
    after: u64,
) -> StateDict {
    let plan = training.plan(3);
    let mut rng = plan.seed.child("policy", 0).rng();
    let mut first = make(&plan).expect("the agent can be made");
    first.envs.reset().expect("the environments can be reset");
    drive(&mut first, &mut rng, 0, before).expect("the training goes on");
    let mut state = StateDict::new();
    state.insert_part("agent", &*first.agent).expect("the agent can be saved");

    let mut second = make(&plan).expect("the agent can be made");
    state.load_part("agent", &mut *second.agent).expect("the state fits");
    let restored = second.envs.restore(&first.envs.save()).expect("the environments fit");
    assert_eq!(restored, Restored::AtEpisodeStart, "environments that cannot be saved");
    second.agent.begin_episodes();
    drive(&mut second, &mut rng, before, before + after).expect("the training goes on");
    let mut state = StateDict::new();
    second.agent.save(&mut state).expect("the agent can be saved");
    state
}
