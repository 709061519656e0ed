//! The deterministic policy: a = tanh(network(s)), with a target network that follows it.

use gymnast_core::nn::{Activation, Net, Network as _, Scratch};
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Mode, checkpoint};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use crate::networks::{
    io::{Acting, Io},
    learned::{Descent, Learned, backend, evaluate},
};

/// An actor without chance of its own: noise is added where it explores.
///
/// Source: Silver et al., "Deterministic policy gradient algorithms" (2014).
pub struct DeterministicActor {
    online: Learned,
    target: Net,
    action: Vec<f32>,    // [B, A]
    by_action: Vec<f32>, // [B, A]
    scratch: Scratch,
}

impl DeterministicActor {
    /// An actor with a stream below `seed`.
    pub(crate) fn new(io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        // The same stream each time: the target starts as a copy.
        let make = || io.actor(io.widths().action, &mut seed.child("actor", 0).rng());
        let (online, target) = (Learned::new(make()?)?, make()?);
        Ok(Self { online, target, action: vec![], by_action: vec![], scratch: Scratch::default() })
    }

    /// The network whose outputs are squashed, observations to actions.
    #[must_use]
    pub fn network(&self) -> &Net {
        &self.online.network
    }

    /// The network and its target, by name.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (String, &Net)> {
        [("actor".to_owned(), self.network()), ("target_actor".to_owned(), &self.target)]
            .into_iter()
    }

    /// The same, to change.
    pub(crate) fn networks_mut(&mut self) -> impl Iterator<Item = &mut Net> {
        [&mut self.online.network, &mut self.target].into_iter()
    }

    /// μ(s) for `n` rows: `actions` becomes `[n, A]`, with noise of that deviation where it explores.
    pub(crate) fn act(
        &self,
        observations: &[f32],
        n: usize,
        noise: f64,
        acting: Acting<'_>,
        actions: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let Acting { mode, rng, scratch, .. } = acting;
        self.online.evaluate(observations, n, scratch, actions)?;
        Activation::Tanh.apply(actions);
        if mode == Mode::Explore {
            add_noise(actions, noise as f32, f32::INFINITY, rng);
        }
        Ok(())
    }

    /// μ'(s') for `batch` rows, by the target network: `next_action` becomes `[B, A]`.
    pub(crate) fn next_action(
        &mut self,
        next_observation: &[f32],
        batch: usize,
        next_action: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        evaluate(&self.target, next_observation, batch, &mut self.scratch, next_action)?;
        Activation::Tanh.apply(next_action);
        Ok(())
    }

    /// One step up the gradient of mean Q(s, μ(s)), for B observations. `climb` is given the actions
    /// `[B, A]`, writes ∇ₐ Q(s, a) for each, `[B, A]`, and returns the mean of Q, as this does.
    pub(crate) fn ascend(
        &mut self,
        observation: &[f32],
        batch: usize,
        climb: impl FnOnce(&[f32], &mut Vec<f32>) -> Result<f64, AgentError>,
        descent: Descent,
    ) -> Result<f64, AgentError> {
        let Self { online, action, by_action, .. } = self;
        action.clear();
        action.extend_from_slice(online.forward(observation, batch)?);
        Activation::Tanh.apply(action); // μ(s)
        let q = climb(action, by_action)?;
        // The optimiser goes down, so it is given −mean Q.
        by_action.iter_mut().for_each(|slope| *slope /= -(batch as f32));
        Activation::Tanh.backward(&[], action, by_action);
        online.descend(by_action, descent)?;
        Ok(q)
    }

    /// The target network moves by this share of the way to the actor.
    pub(crate) fn follow(&mut self, tau: f64) -> Result<(), AgentError> {
        let online = self.online.network.parameters();
        self.target.parameters_mut().polyak(online, tau as f32).map_err(backend)
    }
}

/// Adds normal noise of deviation `std`, itself cut to ±`limit`, and cuts the sums to `[−1, 1]`.
pub(crate) fn add_noise(actions: &mut [f32], std: f32, limit: f32, rng: &mut Rng) {
    for action in actions {
        let noise = std * rng.sample::<f32, _>(StandardNormal);
        *action = (*action + noise.clamp(-limit, limit)).clamp(-1.0, 1.0);
    }
}

checkpoint!(DeterministicActor { part online, part target });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::network::perceptrons;

    #[test]
    fn it_climbs_its_critic() {
        // No hidden layer: a = tanh(w s + b), with w = 0.5, b = 0.
        let build = perceptrons(&[], Activation::Relu);
        let io = Io::new(vec![vec![1]], 1, &build);
        let mut actor = DeterministicActor::new(&io, Seed::new(0)).unwrap();
        actor.online.network.parameters_mut().load(&[0.5, 0.0]).unwrap();
        actor.target.parameters_mut().load(&[0.5, 0.0]).unwrap();
        // Q = s a², so ∇ₐ Q = 2 s a; s = 1 gives a = tanh 0.5 and Q = tanh² 0.5.
        let states = [1.0, -2.0];
        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            let pairs = states.iter().zip(action);
            by_action.extend(pairs.clone().map(|(s, a)| 2.0 * s * a));
            Ok(f64::from(pairs.map(|(s, a)| s * a * a).sum::<f32>()) / 2.0)
        };
        let descent = Descent { rate: 0.1, env_steps: 0 };
        let q = actor.ascend(&states, 2, climb, descent).unwrap();
        let (a, b) = (0.5_f64.tanh(), (-1.0_f64).tanh());
        assert!((q - (a * a - 2.0 * b * b) / 2.0).abs() < 1e-6);
        // ∇ = −½ Σ 2 s a (1 − a²) (s, 1): of −Q, as the optimiser goes down.
        let slope = |s: f64, a: f64| -0.5 * 2.0 * s * a * (1.0 - a * a);
        let gradient = [slope(1.0, a) - 2.0 * slope(-2.0, b), slope(1.0, a) + slope(-2.0, b)];
        let parameters = actor.online.network.parameters();
        for (got, expected) in parameters.gradients().iter().zip(gradient) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} {expected}");
        }
        // Adam's first step is the rate, against the gradient's sign.
        for ((value, before), gradient) in parameters.values().iter().zip([0.5, 0.0]).zip(gradient)
        {
            assert!((f64::from(*value) - (before - 0.1 * gradient.signum())).abs() < 1e-5);
        }
        actor.follow(0.5).unwrap();
        let middle = 0.5 * (0.5 + actor.online.network.parameters().values()[0]);
        assert!((actor.target.parameters().values()[0] - middle).abs() < 1e-6);
    }

    #[test]
    fn noise_keeps_its_limits() {
        let rng = &mut Seed::new(0).rng();
        let mut actions = [0.3; 1000];
        add_noise(&mut actions, 0.2, 0.5, rng);
        let (least, greatest) =
            actions.iter().fold((1.0_f32, -1.0_f32), |(l, g), &x| (l.min(x), g.max(x)));
        assert!(least >= -0.2 && greatest <= 0.8 && greatest - least > 0.9);
        let mean = actions.iter().sum::<f32>() / 1000.0;
        assert!((mean - 0.3).abs() < 0.02);
        add_noise(&mut actions, 10.0, f32::INFINITY, rng);
        assert!(actions.iter().all(|x| x.abs() <= 1.0) && actions.contains(&1.0));
    }
}
