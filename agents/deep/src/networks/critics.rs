//! Action values of real-valued actions: networks that read rows `[observation, action]`, each with
//! a target network that follows it.

use gymnast_core::nn::{Net, Network as _, Scratch};
use gymnast_envs::Seed;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use crate::{
    mathematics::losses::{mean, squared_error},
    networks::{
        io::{Io, join_rows},
        learned::{Descent, Learned, backend, evaluate},
    },
};

/// One critic or more: with two, the least of their values counts, as each alone overestimates
/// (Fujimoto, van Hoof and Meger, 2018, section 4.2).
pub(crate) struct Critics {
    online: Vec<Learned>,
    target: Vec<Net>,
    rows: Vec<f32>,     // [B, width + A]
    values: Vec<f32>,   // [B]
    by_value: Vec<f32>, // [B]
    probe: Probe,
    scratch: Scratch,
}

/// What the question for the gradient by the actions writes to.
#[derive(Default)]
struct Probe {
    least: Vec<f32>,     // [B], the least value so far
    critic: Vec<usize>,  // [B], whose it is
    kept: Vec<usize>,    // the rows of one critic
    ones: Vec<f32>,      // [rows]
    by_action: Vec<f32>, // [rows, A]
}

impl Critics {
    /// `count` critics, with streams below `seed`.
    pub(crate) fn new(count: usize, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        let make = |i: usize| io.critic(1, &mut seed.child("critic", i as u64).rng());
        Ok(Self {
            online: (0..count).map(|i| Learned::new(make(i)?)).collect::<Result<_, _>>()?,
            // The same stream again: a target starts as a copy.
            target: (0..count).map(make).collect::<Result<_, _>>()?,
            rows: Vec::new(),
            values: Vec::new(),
            by_value: Vec::new(),
            probe: Probe::default(),
            scratch: Scratch::default(),
        })
    }

    /// The critics, then their targets, by name.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (String, &Net)> {
        let online = self.online.iter().map(|critic| &critic.network).enumerate();
        let online = online.map(|(i, network)| (format!("critic{i}"), network));
        let target = self.target.iter().enumerate();
        online.chain(target.map(|(i, network)| (format!("target_critic{i}"), network)))
    }

    /// The same, to change.
    pub(crate) fn networks_mut(&mut self) -> impl Iterator<Item = &mut Net> {
        self.online.iter_mut().map(|critic| &mut critic.network).chain(&mut self.target)
    }

    /// The least of the target networks' values, min Q'(s', a'): `next_value` becomes B numbers.
    pub(crate) fn next_value(
        &mut self,
        next_observation: &[f32], // [B, width]
        next_action: &[f32],      // [B, A]
        batch: usize,
        next_value: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let Self { target, rows, values, scratch, .. } = self;
        join_rows(next_observation, next_action, batch, rows);
        for (i, critic) in target.iter().enumerate() {
            let out = if i == 0 { &mut *next_value } else { &mut *values };
            evaluate(critic, rows, batch, scratch, out)?;
            if i > 0 {
                let pairs = next_value.iter_mut().zip(&*values);
                pairs.filter(|(least, q)| is_less(**q, **least)).for_each(|(least, q)| *least = *q);
            }
        }
        Ok(())
    }

    /// One step of every critic down the gradient of mean (Q(s, a) − y)². Returns the mean loss and
    /// the mean value.
    pub(crate) fn update(
        &mut self,
        observation: &[f32], // [B, width]
        action: &[f32],      // [B, A]
        target: &[f32],      // [B]
        descent: Descent,
    ) -> Result<(f64, f64), AgentError> {
        let Self { online, rows, by_value, .. } = self;
        join_rows(observation, action, target.len(), rows);
        let (mut losses, mut values) = (0.0, 0.0);
        for critic in &mut *online {
            let q = critic.forward(rows, target.len())?; // [B]
            values += mean(q.iter().copied());
            losses += squared_error(q, target, by_value)?;
            critic.descend(by_value, descent)?;
        }
        let count = online.len() as f64;
        Ok((losses / count, values / count))
    }

    /// ∇ₐ Q₁(s, a): `by_action` becomes `[B, A]`. Returns the mean of Q₁.
    ///
    /// It is all that an actor learns from its critic (Silver et al., "Deterministic policy gradient
    /// algorithms", 2014, theorem 1: ∇θ Q(s, μ(s)) = ∇θ μ(s) ∇ₐ Q(s, a)).
    pub(crate) fn climb_first(
        &mut self,
        observation: &[f32], // [B, width]
        action: &[f32],      // [B, A]
        by_action: &mut Vec<f32>,
    ) -> Result<f64, AgentError> {
        self.climb(1, observation, action, by_action)
    }

    /// ∇ₐ min Q(s, a), each row through the critic whose value is the least; otherwise as
    /// [`climb_first`](Self::climb_first).
    pub(crate) fn climb_least(
        &mut self,
        observation: &[f32],
        action: &[f32],
        by_action: &mut Vec<f32>,
    ) -> Result<f64, AgentError> {
        self.climb(self.online.len(), observation, action, by_action)
    }

    /// ∇ₐ of the least value of the first `count` critics.
    fn climb(
        &mut self,
        count: usize,
        observation: &[f32],
        action: &[f32],
        by_action: &mut Vec<f32>,
    ) -> Result<f64, AgentError> {
        let Self { online, rows, probe, .. } = self;
        let Probe { least, critic: owner, kept, ones, by_action: some } = probe;
        let width = online[0].network.inputs();
        let batch = rows_of(observation.len() + action.len(), width)?;
        let columns = width - action.len() / batch..width;
        join_rows(observation, action, batch, rows);
        least.clear();
        owner.clear();
        owner.resize(batch, 0);
        for (i, critic) in online[..count].iter_mut().enumerate() {
            let q = critic.probe(rows, batch)?; // [B]
            if i == 0 {
                least.extend_from_slice(q);
                continue;
            }
            for ((least, owner), &q) in least.iter_mut().zip(&mut *owner).zip(q) {
                if is_less(q, *least) {
                    (*least, *owner) = (q, i);
                }
            }
        }
        by_action.clear();
        by_action.resize(action.len(), 0.0);
        for (i, critic) in online[..count].iter_mut().enumerate() {
            kept.clear();
            kept.extend((0..batch).filter(|&row| owner[row] == i));
            ones.clear();
            ones.resize(kept.len(), 1.0);
            let some_rows = (kept.len() < batch).then_some(kept.as_slice());
            critic.input_gradient(some_rows, ones, columns.clone(), some)?;
            for (&row, some) in kept.iter().zip(some.chunks_exact(columns.len())) {
                by_action[row * columns.len()..][..columns.len()].copy_from_slice(some);
            }
        }
        Ok(mean(least.iter().copied()))
    }

    /// The target networks move by this share of the way to their critics.
    pub(crate) fn follow(&mut self, tau: f64) -> Result<(), AgentError> {
        for (target, online) in self.target.iter_mut().zip(&self.online) {
            let online = online.network.parameters();
            target.parameters_mut().polyak(online, tau as f32).map_err(backend)?;
        }
        Ok(())
    }
}

/// Whether a value is the lesser one. A NaN that came first stays.
fn is_less(q: f32, least: f32) -> bool {
    !least.is_nan() && (q.is_nan() || q < least)
}

/// The number of rows of this width that the numbers make.
fn rows_of(numbers: usize, width: usize) -> Result<usize, AgentError> {
    match numbers / width {
        rows if rows > 0 && rows * width == numbers => Ok(rows),
        _ => {
            let what = "the numbers of observations and actions";
            let (expected, got) = (format!("rows of {width}"), numbers.to_string());
            Err(AgentError::Mismatch { what, expected, got })
        }
    }
}

impl Checkpoint for Critics {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        for (i, (online, target)) in self.online.iter().zip(&self.target).enumerate() {
            state.insert_part(&format!("{i}"), online)?;
            state.insert_part(&format!("{i}/target"), target)?;
        }
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        for (i, (online, target)) in self.online.iter_mut().zip(&mut self.target).enumerate() {
            state.load_part(&format!("{i}"), online)?;
            state.load_part(&format!("{i}/target"), target)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_core::nn::{
        Activation, Buffers, Engine, Module, NamedParameter, NetworkError, ParametersBuilder,
    };
    use tch::Tensor;

    use super::*;
    use crate::networks::network::{Wanted, perceptrons};

    fn linear(weights: &[[f32; 4]]) -> Critics {
        let build = perceptrons(&[], Activation::Relu);
        let io = Io::new(vec![vec![2]], 1, &build);
        let mut critics = Critics::new(weights.len(), &io, Seed::new(0)).unwrap();
        for (i, weights) in weights.iter().enumerate() {
            critics.online[i].network.parameters_mut().load(weights).unwrap();
            critics.target[i].parameters_mut().load(weights).unwrap();
        }
        critics
    }

    #[test]
    fn the_least_value_counts() {
        // Q₁ = s₀ + 2 s₁ + 3 a + 1, Q₂ = −s₀ + a.
        let mut critics = linear(&[[1.0, 2.0, 3.0, 1.0], [-1.0, 0.0, 1.0, 0.0]]);
        let (observation, action) = ([1.0, 1.0, -4.0, 1.0], [0.5, -1.0]);
        let mut next_value = vec![f32::NAN; 5];
        critics.next_value(&observation, &action, 2, &mut next_value).unwrap();
        assert_eq!(next_value, [-0.5, -4.0]); // of (5.5, −0.5) and (−4, 3)
        for engine in [Engine::Plan, Engine::Libtorch] {
            for critic in &mut critics.online {
                critic.network.set_engine(engine).unwrap();
            }
            let mut by_action = vec![f32::NAN; 5];
            let q = critics.climb_least(&observation, &action, &mut by_action).unwrap();
            assert_eq!((q, &by_action[..]), (-2.25, &[1.0, 3.0][..]), "{engine:?}");
            let q = critics.climb_first(&observation, &action, &mut by_action).unwrap();
            assert_eq!((q, &by_action[..]), (0.75, &[3.0, 3.0][..]), "{engine:?}");
        }
        // The actor's question leaves nothing behind for the critics' next step.
        for critic in &critics.online {
            assert!(critic.network.parameters().gradients().iter().all(|&g| g == 0.0));
        }
        assert!(critics.climb_least(&observation, &action[1..], &mut vec![]).is_err());
    }

    /// Whose outputs do not depend on its inputs.
    #[derive(Debug)]
    struct Constant(Box<dyn Module>);

    impl Module for Constant {
        fn inputs(&self) -> usize {
            self.0.inputs()
        }

        fn outputs(&self) -> usize {
            self.0.outputs()
        }

        fn forward(&self, input: &Tensor, training: bool) -> Tensor {
            self.0.forward(&input.zeros_like(), training)
        }

        fn description(&self) -> String {
            "constant".to_owned()
        }

        fn buffers(&self) -> Buffers {
            self.0.buffers()
        }

        fn named_buffers(&self) -> Vec<NamedParameter> {
            self.0.named_buffers()
        }

        fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
            self.0.load_buffers(buffers)
        }
    }

    #[test]
    fn values_that_do_not_depend_on_the_action_have_no_gradient() {
        let build = perceptrons(&[], Activation::Relu);
        let constant = |wanted: &Wanted<'_>, builder: &mut ParametersBuilder| {
            Ok(Box::new(Constant(build(wanted, builder)?)) as Box<dyn Module>)
        };
        let io = Io::new(vec![vec![2]], 1, &constant);
        let mut critics = Critics::new(1, &io, Seed::new(0)).unwrap();
        let error = critics.climb_first(&[1.0; 4], &[0.5; 2], &mut vec![]).unwrap_err();
        assert!(matches!(error, AgentError::Backend(_)), "{error}");
    }

    #[test]
    fn an_update_goes_down_the_squared_error() {
        let mut critics = linear(&[[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0]]);
        let descent = Descent { rate: 0.1, env_steps: 7 };
        let (loss, q) = critics.update(&[1.0, 0.0], &[-1.0], &[2.0], descent).unwrap();
        assert_eq!((loss, q), (4.0, 2.0));
        // The gradients are ∓4 (1, 0, −1, 1), and Adam's first step is the rate along their signs.
        let signs = [1.0, 0.0, -1.0, 1.0];
        let towards = [([0.0; 4], 1.0), ([0.0, 0.0, 0.0, 4.0], -1.0)];
        for (critic, (before, sign)) in critics.online.iter().zip(towards) {
            for i in 0..4 {
                let expected = before[i] + 0.1 * sign * signs[i];
                assert!((critic.network.parameters().values()[i] - expected).abs() < 1e-6);
            }
        }
        critics.follow(0.5).unwrap();
        assert!((critics.target[0].parameters().values()[0] - 0.05).abs() < 1e-6);
        let error = critics.update(&[1.0, 0.0], &[-1.0], &[f32::NAN], descent).unwrap_err();
        assert!(matches!(error, AgentError::Diverged { env_steps: 7, .. }), "{error}");
    }
}
