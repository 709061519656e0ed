use gymnast_core::nn::Engine;
use gymnast_envs::Seed;
use tch::{Kind, Tensor};

use super::*;
use crate::networks::{critics::Critics, network::perceptrons};

#[test]
fn the_actors_gradient_is_that_of_its_loss() {
    for engine in [Engine::Plan, Engine::Libtorch] {
        let (seed, build) = (Seed::new(3), perceptrons(&[8], Activation::Tanh));
        let io = Io::new(vec![vec![3]], 2, &build);
        let settings = SoftActorSettings { alpha: 0.3, target_entropy: None, average: 0.0 };
        let mut actor = SoftActor::new(&settings, &io, seed).unwrap();
        let mut critics = Critics::new(2, &io, seed).unwrap();
        for network in actor.networks_mut().chain(critics.networks_mut()) {
            network.set_engine(engine).unwrap();
        }
        let mut observation = Vec::new();
        fill_normal(&mut observation, 15, &mut seed.child("data", 0).rng());
        let rng = &mut seed.child("noise", 0).rng();

        // The loss as the paper writes it, differentiated by libtorch through actor and critics at once.
        let mut noise = Vec::new();
        fill_normal(&mut noise, 10, &mut rng.clone());
        let rows = |numbers: &[f32]| Tensor::from_slice(numbers).view([5, -1]);
        let head = actor.network().forward(&rows(&observation)).chunk(2, 1);
        let (mean, log_std) = (&head[0], head[1].clamp(-20.0, 2.0));
        let action = (mean + log_std.exp() * rows(&noise)).tanh(); // [5, 2]
        let density = rows(&noise).square() * -0.5 - log_std - 0.5 * std::f64::consts::TAU.ln();
        let log_prob: Tensor = density - (action.square() * -1.0 + 1.0).log();
        let log_prob = log_prob.sum_dim_intlist([1_i64].as_slice(), false, Kind::Float);
        let rows = Tensor::cat(&[rows(&observation), action], 1);
        let names: Vec<_> = critics.networks().collect();
        let q = |i: usize| names[i].1.forward(&rows).view(-1);
        let q = q(0).minimum(&q(1));
        let loss = (&log_prob * 0.3 - &q).mean(Kind::Float);
        let (expected_q, entropy) = (q.mean(Kind::Float), -log_prob.mean(Kind::Float));
        actor.online.network.parameters_mut().backward(&loss).unwrap();
        let expected = actor.network().parameters().gradients().to_vec();
        assert!(expected.iter().any(|g| g.abs() > 1e-3));

        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            critics.climb_least(&observation, action, by_action)
        };
        let descent = Descent { rate: 0.0, env_steps: 0 };
        let ascent = actor.ascend(&observation, 5, climb, rng, descent).unwrap();
        assert!((ascent.q - expected_q.double_value(&[])).abs() < 1e-6);
        assert!((ascent.entropy - entropy.double_value(&[])).abs() < 1e-5);
        for (ours, expected) in actor.network().parameters().gradients().iter().zip(&expected) {
            assert!((ours - expected).abs() < 1e-6, "{engine:?}: {ours} is not {expected}");
        }
    }
}
