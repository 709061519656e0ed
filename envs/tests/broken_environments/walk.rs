//! A walk that can be broken in many ways.

use std::sync::atomic::{AtomicUsize, Ordering};

use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvError, Outcome, Rng, Step, Transition, render::Frame,
};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is wrong with a [`Walk`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Fault {
    None,
    Reset(f32),
    Step(f32),
    Reward,
    Refuses,
    Accepts,
    OtherError,
    Panics,
    PanicsOutside,
    Endless,
    TruncatesAtOnce,
    OwnRandomness,
    OwnCounter,
    KeepsState,
    Grows,
    FailsInMidEpisode,
    NoSnapshot,
    ForgetsToSave,
    RefusesItsSnapshot,
    AcceptsAnything,
    NoSetState,
    OtherState,
    RefusesItsState,
    HiddenState,
    AcceptsAnyState,
    Probabilities,
    OtherModel,
    StrayModel,
    OtherStart,
    FrameSize,
    FrameBytes,
    TextEnds,
}
use Fault as F;

/// A walk from 0 to 3 or -3, where a step may slip.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Walk {
    fault: Fault,
    place: i64,
    steps: u32,
    resets: u32,
    slips: u32,
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

impl Walk {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, place: 0, steps: 0, resets: 0, slips: 0 }
    }

    fn seen(&self) -> [f32; 1] {
        [self.place as f32]
    }
}

impl Env for Walk {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([if self.fault == F::Grows { 3.0 + self.steps as f32 } else { 3.0 }])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 1], EnvError> {
        if self.fault == F::FailsInMidEpisode && self.steps > 0 {
            return Err(EnvError::Failed("the last episode is not over".to_owned()));
        }
        self.resets += 1;
        self.place = match self.fault {
            F::KeepsState => self.place % 3,
            F::OwnCounter => i64::from(self.resets % 2),
            _ => rng.random_range(-1..=1),
        };
        (self.steps, self.slips) = (0, 0);
        match self.fault {
            F::Reset(bad) => Ok([bad]),
            _ => Ok(self.seen()),
        }
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        if !(0..2).contains(action) {
            match self.fault {
                F::Accepts => {}
                F::OtherError => return Err(EnvError::Failed("no".to_owned())),
                F::PanicsOutside => panic!("index out of bounds"),
                _ => return Err(EnvError::invalid_action(&self.action_space(), action)),
            }
        }
        self.steps += 1;
        let slip = rng.random_bool(0.25);
        self.slips += u32::from(slip);
        self.place += if slip { 0 } else { action.signum() * 2 - 1 };
        if self.fault == F::OwnRandomness {
            self.place = (CALLS.fetch_add(1, Ordering::Relaxed) % 7).min(4) as i64 - 2;
        }
        if self.fault == F::Endless {
            self.place = self.place.clamp(-2, 2);
        }
        let is_last = self.place.abs() >= 3;
        let mut step = Step::new(self.seen(), f64::from(u8::from(is_last)), is_last);
        match self.fault {
            F::Step(bad) => step.observation = [bad],
            F::Reward => step.reward = 0.0 / f64::from(self.steps - 1),
            F::Refuses if *action == 1 => {
                return Err(EnvError::invalid_action(&self.action_space(), action));
            }
            F::Panics if self.steps == 3 => panic!("attempt to divide by zero"),
            F::TruncatesAtOnce => step.outcome = Outcome::Truncated,
            F::HiddenState | F::ForgetsToSave => step.reward = f64::from(self.steps),
            _ => {}
        }
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        let mut all = serde_json::to_value(self).unwrap();
        match self.fault {
            F::NoSnapshot => return None,
            F::ForgetsToSave => all["steps"] = json!(0),
            F::RefusesItsSnapshot => all["place"] = json!(f64::NAN),
            _ => {}
        }
        Some(all)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let read = serde_json::from_value(snapshot.clone());
        match read {
            Ok(walk) => *self = walk,
            Err(_) if self.fault == F::AcceptsAnything => {}
            Err(error) => return Err(EnvError::Failed(error.to_string())),
        }
        Ok(())
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.place as f64])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        match self.fault {
            F::NoSetState => {
                return Err(EnvError::Unsupported { env: "Walk", what: "it", method: "set_state" });
            }
            F::OtherState => self.place = state[0] as i64 + 1,
            F::AcceptsAnyState => self.place = state[0] as i64,
            F::RefusesItsState if state[0] == 0.0 => {
                return Err(EnvError::Failed("0 is no state".to_owned()));
            }
            _ => self.place = EnvError::expect_state::<1>(state, "[place]")?[0] as i64,
        }
        Ok(())
    }

    fn transitions(&self, seen: &[f32; 1], action: &i64) -> Option<Vec<Transition<[f32; 1]>>> {
        if self.fault == F::HiddenState || self.fault == F::ForgetsToSave {
            return None;
        }
        let [stays, moves] = match self.fault {
            F::Probabilities => [0.25, 0.25],
            F::OtherModel => [0.0, 1.0],
            _ => [0.25, 0.75],
        };
        let moved = seen[0] + action.signum() as f32 * 2.0 - 1.0;
        let one = |probability, next: f32| {
            let terminated = next.abs() >= 3.0;
            let reward = f64::from(u8::from(terminated));
            Transition { probability, next_state: [next], reward, terminated }
        };
        let mut model = vec![one(stays, seen[0]), one(moves, moved)];
        if self.fault == F::StrayModel {
            model.push(one(0.0, 4.0));
        }
        Some(model)
    }

    fn initial_states(&self) -> Option<Vec<(f64, [f32; 1])>> {
        match self.fault {
            F::OtherStart => Some(vec![(1.0, [0.0])]),
            _ => Some([-1.0, 0.0, 1.0].map(|place| (1.0 / 3.0, [place])).to_vec()),
        }
    }

    fn render_rgb(&self) -> Option<Frame> {
        let width = if self.fault == F::FrameSize { 2 + self.steps as usize } else { 2 };
        let bytes = if self.fault == F::FrameBytes { 4 } else { 3 };
        Some(Frame { width, height: 1, rgb: vec![0; bytes * width] })
    }

    fn render_ansi(&self) -> Option<String> {
        (self.fault != F::TextEnds || self.steps == 0).then(|| format!("{}\n", self.place))
    }
}
