//! Action values of real-valued actions: networks that read rows `[observation, action]`, each with
//! a target network that follows it.

use gymnast_core::{
    loss,
    nn::{Net, Network as _, Scratch},
};
use gymnast_envs::Seed;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};
use tch::{Kind, Tensor};

use crate::networks::{
    io::Io,
    learned::{Descent, Learned, backend, evaluate},
};

/// One critic or more: with two, the least of their values counts, as each alone overestimates
/// (Fujimoto, van Hoof and Meger, 2018, section 4.2).
pub(crate) struct Critics {
    online: Vec<Learned>,
    target: Vec<Net>,
    rows: Vec<f32>,   // [B, width + A]
    values: Vec<f32>, // [B]
    scratch: Scratch,
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
        join(next_observation, next_action, batch, rows);
        for (i, critic) in target.iter().enumerate() {
            let out = if i == 0 { &mut *next_value } else { &mut *values };
            evaluate(critic, rows, batch, scratch, out)?;
            if i > 0 {
                // Not `min`: a NaN must stay one.
                let smaller =
                    |least: f32, q: f32| if least.is_nan() || least < q { least } else { q };
                next_value
                    .iter_mut()
                    .zip(&*values)
                    .for_each(|(least, q)| *least = smaller(*least, *q));
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
        let batch = target.len();
        join(observation, action, batch, &mut self.rows);
        let rows = Tensor::from_slice(&self.rows).view([batch as i64, -1]); // [B, width + A]
        let target = Tensor::from_slice(target);
        let (mut losses, mut values) = (0.0, 0.0);
        for critic in &mut self.online {
            let q = critic.network.forward(&rows).view(-1); // [B]
            let loss = loss::mse(&q, &target, None).map_err(backend)?; // []
            critic.minimize(&loss, descent)?;
            losses += loss.double_value(&[]);
            values += q.mean(None).double_value(&[]);
        }
        let count = self.online.len() as f64;
        Ok((losses / count, values / count))
    }

    /// Q₁ of rows `[B, width + A]`: `[B]`.
    pub(crate) fn first(&self, rows: &Tensor) -> Tensor {
        self.online[0].network.forward(rows).view(-1)
    }

    /// min Q of rows `[B, width + A]`: `[B]`.
    pub(crate) fn least(&self, rows: &Tensor) -> Tensor {
        let values = self.online.iter().map(|critic| critic.network.forward(rows).view(-1));
        values.reduce(|a, b| a.minimum(&b)).expect("there is a critic")
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

/// The gradient by the action, ∇ₐ Q(s, a): `[B, A]`, for `observation` `[B, width]` and `action`
/// `[B, A]`. `value` maps rows `[B, width + A]` to `[B]`. Returns Q beside it.
///
/// It is all that an actor learns from its critic (Silver et al., "Deterministic policy gradient
/// algorithms", 2014, theorem 1: ∇θ Q(s, μ(s)) = ∇θ μ(s) ∇ₐ Q(s, a)). Asking for this alone
/// leaves the critic's own gradients untouched, and spares their cost. It is the same where the caller
/// has switched gradients off.
///
/// # Errors
/// [`AgentError::Backend`] where Q does not depend on the action: there is no gradient then, which is not
/// one of zeros.
pub(crate) fn action_gradient(
    value: impl Fn(&Tensor) -> Tensor,
    observation: &Tensor,
    action: &Tensor,
) -> Result<(Tensor, Tensor), AgentError> {
    let action = action.detach().set_requires_grad(true);
    tch::with_grad(|| {
        let q = value(&Tensor::cat(&[observation, &action], 1)); // [B]
        let sum = q.sum(Kind::Float);
        // libtorch crashes where nothing has a gradient, and where only others have one it leaves this one
        // undefined.
        let gradients = if q.requires_grad() {
            Tensor::f_run_backward(&[&sum], &[&action], false, false).map_err(backend)?
        } else {
            Vec::new()
        };
        let Some(gradient) = gradients.into_iter().find(Tensor::defined) else {
            let reason = "expected values that depend on the actions, got ones without a gradient";
            return Err(AgentError::Backend(reason.to_owned()));
        };
        Ok((q.detach(), gradient))
    })
}

/// Puts two columns of rows side by side.
fn join(left: &[f32], right: &[f32], batch: usize, rows: &mut Vec<f32>) {
    rows.clear();
    let (left_width, right_width) = (left.len() / batch, right.len() / batch);
    for (left, right) in left.chunks_exact(left_width).zip(right.chunks_exact(right_width)) {
        rows.extend_from_slice(left);
        rows.extend_from_slice(right);
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
    use gymnast_core::nn::Activation;

    use super::*;
    use crate::networks::network::perceptrons;

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
        let observation = Tensor::from_slice(&observation).view([2, 2]);
        let action = Tensor::from_slice(&action).view([2, 1]);
        let numbers = |tensor: &Tensor| Vec::<f32>::try_from(tensor.view(-1)).unwrap();
        let of_least =
            || action_gradient(|rows| critics.least(rows), &observation, &action).unwrap();
        // Also where gradients are off.
        for (q, gradient) in [of_least(), tch::no_grad(of_least)] {
            assert_eq!((numbers(&q), numbers(&gradient)), (vec![-0.5, -4.0], vec![1.0, 3.0]));
        }
        let of_first = action_gradient(|rows| critics.first(rows), &observation, &action);
        let (q, gradient) = of_first.unwrap();
        assert_eq!((numbers(&q), numbers(&gradient)), (vec![5.5, -4.0], vec![3.0, 3.0]));
        // The actor's question leaves nothing behind for the critics' next step.
        for critic in &critics.online {
            assert!(critic.network.parameters().gradients().iter().all(|&g| g == 0.0));
        }
    }

    #[test]
    fn values_that_do_not_depend_on_the_action_have_no_gradient() {
        let critics = linear(&[[1.0, 2.0, 3.0, 1.0]]);
        let rows = |width| Tensor::ones([2, width], tch::kind::FLOAT_CPU);
        let (observation, action) = (rows(2), rows(1));
        type Value<'a> = &'a dyn Fn(&Tensor) -> Tensor;
        let detached: Value<'_> = &|rows| tch::no_grad(|| critics.first(rows));
        let constant: Value<'_> = &|rows| critics.first(&rows.detach());
        for value in [detached, constant] {
            let error = action_gradient(value, &observation, &action).unwrap_err();
            assert!(matches!(error, AgentError::Backend(_)), "{error}");
        }
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
