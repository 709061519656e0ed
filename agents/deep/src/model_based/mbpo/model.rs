//! The learned model of the environment: what follows from a state and an action, with its doubt.

use gymnast_core::{
    likelihood::sigmoid,
    nn::{Activation, Scratch},
};
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::{
    ensemble::{Bounded, Ensemble, Shape},
    normalizer::Normalizer,
};

/// An ensemble that predicts the change of the state, the reward, and whether the episode ends.
pub(super) struct Model {
    pub(super) ensemble: Ensemble,
    pub(super) input: Normalizer,  // [width + A]
    pub(super) target: Normalizer, // [width + 1]: the change of the state, the reward
    /// The members that predict; none before the first training.
    pub(super) elites: Vec<usize>,
    /// Whether an end was among what the model was trained on.
    pub(super) knows_ends: bool,
    pub(super) shuffle_rng: Rng,
    width: usize,
    rows: Vec<f32>,            // [N, width + A], of one member
    pub(super) said: Vec<f32>, // [N, 2 T + 1], of one member
    pub(super) scratch: Scratch,
    bounded: Bounded,
}

/// What the model draws as the consequences of N actions.
#[derive(Default)]
pub(super) struct Imagined {
    pub(super) next_observations: Vec<f32>, // [N, width]
    pub(super) rewards: Vec<f32>,           // [N]
    pub(super) ends: Vec<bool>,             // [N]
}

impl Model {
    pub(super) fn new(
        members: usize,
        hidden: &[usize],
        (width, actions): (usize, usize),
        weight_decay: f64,
        seed: Seed,
    ) -> Result<Self, AgentError> {
        let shape = Shape { members, inputs: width + actions, hidden, targets: width + 1 };
        let mut rng = seed.child("init", 0).rng();
        Ok(Self {
            ensemble: Ensemble::new(&shape, Activation::Silu, weight_decay, &mut rng)?,
            input: Normalizer::new(width + actions),
            target: Normalizer::new(width + 1),
            elites: Vec::new(),
            knows_ends: false,
            shuffle_rng: seed.child("shuffle", 0).rng(),
            width,
            rows: Vec::new(),
            said: Vec::new(),
            scratch: Scratch::default(),
            bounded: Bounded::default(),
        })
    }

    /// Draws what follows from each of the rows `observations` and `actions`, every row from an
    /// elite drawn for it.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the rows do not have the networks' width.
    ///
    /// # Panics
    /// Before the first training.
    pub(super) fn step(
        &mut self,
        observations: &[f32], // [N, width]
        actions: &[f32],      // [N, A]
        rng: &mut Rng,
        imagined: &mut Imagined,
    ) -> Result<(), AgentError> {
        let Self { ensemble, input, target, rows, said, scratch, bounded, .. } = self;
        let (width, targets) = (self.width, self.width + 1);
        let n = observations.len() / width;
        let action_width = actions.len() / n;
        imagined.next_observations.clear();
        imagined.next_observations.extend_from_slice(observations);
        imagined.rewards.resize(n, 0.0);
        imagined.ends.clear();
        imagined.ends.resize(n, false);
        let mut by_elite = vec![Vec::new(); self.elites.len()];
        let elites = self.elites.len() as u64;
        (0..n).for_each(|i| by_elite[rng.random_range(0..elites) as usize].push(i));
        for (&elite, chosen) in self.elites.iter().zip(&by_elite) {
            rows.clear();
            for &i in chosen {
                rows.extend_from_slice(&observations[i * width..][..width]);
                rows.extend_from_slice(&actions[i * action_width..][..action_width]);
            }
            input.normalize(rows);
            ensemble.predict(elite, rows, chosen.len(), scratch, said)?;
            ensemble.bend(elite, said, bounded);
            for (&i, said) in chosen.iter().zip(said.chunks_exact(2 * targets + 1)) {
                let drawn = |j: usize, rng: &mut Rng| {
                    let std = (0.5 * said[targets + j]).exp();
                    target.restore(j, said[j] + std * rng.sample::<f32, _>(StandardNormal))
                };
                let next = &mut imagined.next_observations[i * width..][..width];
                next.iter_mut().enumerate().for_each(|(j, x)| *x += drawn(j, rng));
                imagined.rewards[i] = drawn(width, rng);
            }
            if self.knows_ends {
                for (&i, said) in chosen.iter().zip(said.chunks_exact(2 * targets + 1)) {
                    imagined.ends[i] = rng.random::<f32>() < sigmoid(said[2 * targets]);
                }
            }
        }
        Ok(())
    }
}

impl Checkpoint for Model {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("ensemble", &self.ensemble)?;
        state.insert_part("input", &self.input)?;
        state.insert_part("target", &self.target)?;
        state.insert("elites", &self.elites)?;
        state.insert("knows_ends", &self.knows_ends)?;
        state.insert("shuffle_rng", &self.shuffle_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("ensemble", &mut self.ensemble)?;
        state.load_part("input", &mut self.input)?;
        state.load_part("target", &mut self.target)?;
        let members = self.ensemble.members();
        let expected = format!("at most {members} numbers below {members}");
        self.elites = state.get_checked("elites", &expected, |elites: &Vec<usize>| {
            elites.len() <= members && elites.iter().all(|&elite| elite < members)
        })?;
        self.knows_ends = state.get("knows_ends")?;
        self.shuffle_rng = state.get("shuffle_rng")?;
        Ok(())
    }
}
