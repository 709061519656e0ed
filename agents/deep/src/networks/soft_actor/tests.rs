use gymnast_envs::Seed;

use super::*;
use crate::networks::{critics::Critics, network::perceptrons};

#[test]
fn the_actors_gradient_is_that_of_its_loss() {
    let (seed, build) = (Seed::new(3), perceptrons(&[8], Activation::Tanh));
    let io = Io::new(vec![vec![3]], 2, &build);
    let mut actor = Learned::new(io.actor(4, &mut seed.rng()).unwrap()).unwrap();
    let critics = Critics::new(2, &io, seed).unwrap();
    let mut rng = seed.child("data", 0).rng();
    let mut normal = |shape: [i64; 2]| {
        let mut numbers = Vec::new();
        fill_normal(&mut numbers, (shape[0] * shape[1]) as usize, &mut rng);
        Tensor::from_slice(&numbers).view(shape)
    };
    let (observation, noise, alpha) = (normal([5, 3]), normal([5, 2]), 0.3);
    let head = actor.network.forward(&observation);
    let (action, log_prob) = tanh_normal::rsample(&head, &noise);
    let (_, ascent) = action_gradient(|rows| critics.least(rows), &observation, &action).unwrap();
    let loss = actor_loss(&action, &log_prob, &ascent, alpha);
    actor.network.parameters_mut().backward(&loss).unwrap();
    let ours = actor.network.parameters().gradients().to_vec();

    // The loss as the paper writes it, differentiated through actor and critics at once.
    let head = actor.network.forward(&observation);
    let (action, log_prob) = tanh_normal::rsample(&head, &noise);
    let q = critics.least(&Tensor::cat(&[&observation, &action], 1));
    let loss = (log_prob * alpha - q).mean(Kind::Float);
    actor.network.parameters_mut().backward(&loss).unwrap();
    let whole = actor.network.parameters().gradients();
    assert!(ours.iter().any(|g| g.abs() > 1e-3));
    for (whole, ours) in whole.iter().zip(&ours) {
        assert!((whole - ours).abs() < 1e-6, "{whole} is not {ours}");
    }
}
