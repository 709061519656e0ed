//! Playing the environment under test.

use super::Make;
use crate::{Act, Env, EnvError, Obs, Outcome, Rng, Seed, Space, Step};

/// Why a check could not be finished: itself a finding.
pub(super) struct Trouble {
    pub(super) problem: String,
    pub(super) advice: &'static str,
}

/// A new environment.
pub(super) fn made<E: Env>(make: Make<'_, E>) -> Result<E, Trouble> {
    make().map_err(|error| Trouble {
        problem: format!("the environment cannot be created: {error}"),
        advice: "Fix its constructor or the given options.",
    })
}

/// An environment in play: its stream, and another for the actions.
pub(super) struct Play<E: Env> {
    pub(super) env: E,
    pub(super) rng: Rng,
    pub(super) actions: Rng,
    pub(super) action_space: E::ActionSpace,
    pub(super) observation: Obs<E>,
}

impl<E: Env> Play<E> {
    /// The first episode of a new environment. Streams and actions depend on `seed` alone.
    pub(super) fn start(make: Make<'_, E>, seed: u64) -> Result<Self, Trouble> {
        Self::start_with(made(make)?, Seed::new(seed).child("env", 0).rng())
    }

    /// The next episode of this environment, from this stream; the actions are always the same.
    pub(super) fn start_with(mut env: E, mut rng: Rng) -> Result<Self, Trouble> {
        let observation = env.reset(&mut rng).map_err(|error| reset_failed(&error))?;
        let actions = Seed::new(0).child("actions", 0).rng();
        Ok(Self { action_space: env.action_space(), env, rng, actions, observation })
    }

    pub(super) fn reset(&mut self) -> Result<(), Trouble> {
        self.observation = self.env.reset(&mut self.rng).map_err(|error| reset_failed(&error))?;
        Ok(())
    }

    /// Draws an action.
    pub(super) fn draw(&mut self) -> Act<E> {
        self.action_space.sample(&mut self.actions)
    }

    /// Takes an action; at an episode's end the environment stays finished.
    pub(super) fn take(&mut self, action: &Act<E>) -> Result<Step<Obs<E>>, Trouble> {
        let step = self.env.step(action, &mut self.rng).map_err(|error| Trouble {
            problem: format!("`step` failed on {action:?}, drawn from the action space: {error}"),
            advice: "Accept every action of the action space in every state that is not final, \
                     or make the space smaller.",
        })?;
        self.observation.clone_from(&step.observation);
        Ok(step)
    }

    /// Takes a random action and starts a new episode where one ends.
    pub(super) fn advance(&mut self) -> Result<Step<Obs<E>>, Trouble> {
        let action = self.draw();
        let step = self.take(&action)?;
        if step.outcome.is_final() {
            self.reset()?;
        }
        Ok(step)
    }

    /// Plays up to `steps` steps, but leaves the environment in mid-episode.
    pub(super) fn into_mid_episode(mut self, steps: usize) -> Result<Self, Trouble> {
        for _ in 0..steps {
            self.advance()?;
        }
        Ok(self)
    }

    /// Whether the episode is over after at most `limit` steps.
    pub(super) fn finish(&mut self, limit: usize) -> Result<bool, Trouble> {
        for _ in 0..limit {
            let action = self.draw();
            if self.take(&action)?.outcome != Outcome::Continues {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next `steps` steps, over the ends of episodes, each followed by what is seen then.
    pub(super) fn record(&mut self, steps: usize) -> Result<Vec<Moment<E>>, Trouble> {
        let record = |_| Ok((self.advance()?, self.observation.clone()));
        (0..steps).map(record).collect()
    }
}

/// A step, and what the next action was chosen from.
pub(super) type Moment<E> = (Step<Obs<E>>, Obs<E>);

fn reset_failed(error: &EnvError) -> Trouble {
    Trouble {
        problem: format!("`reset` failed: {error}"),
        advice: "Let `reset` start a new episode whenever it is called.",
    }
}

/// Where two recordings first differ, in words. NaN equals itself here.
pub(super) fn difference<E: Env>(one: &[Moment<E>], other: &[Moment<E>]) -> Option<String> {
    let mut steps = one.iter().zip(other).enumerate();
    steps.find_map(|(i, (a, b))| {
        // As text, since NaN differs from itself.
        let texts = [
            ("observation", format!("{:?}", a.0.observation), format!("{:?}", b.0.observation)),
            ("reward", format!("{:?}", a.0.reward), format!("{:?}", b.0.reward)),
            ("outcome", format!("{:?}", a.0.outcome), format!("{:?}", b.0.outcome)),
            ("first observation after a reset", format!("{:?}", a.1), format!("{:?}", b.1)),
        ];
        let (what, a, b) = texts.into_iter().find(|(_, a, b)| a != b)?;
        Some(format!("the {what} of step {} was {a} and then {b}", i + 1))
    })
}
