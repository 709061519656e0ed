use gymnast_core::{
    init::Init,
    nn::{Layers, Scratch},
};
use gymnast_envs::{BoxSpace, Discrete, Seed};
use tch::Kind;

use super::*;
use crate::{
    actor_critic::{ActorCritic, ActorCriticConfig},
    policy_head::Categorical,
};

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

/// What a forward and a backward pass, and an evaluation, come to.
fn computed(network: &mut dyn Network) -> Vec<u32> {
    let rows: Vec<f32> = (0..15).map(|i| (0.7 * i as f32).sin()).collect();
    let input = tch::Tensor::from_slice(&rows).view([5, 3]);
    let outputs = network.forward(&input);
    network.parameters_mut().backward(&outputs.square().sum(Kind::Float)).unwrap();
    let mut evaluated = vec![0.0; 10];
    network.evaluate(&rows, 5, &mut Scratch::default(), &mut evaluated).unwrap();
    let outputs = Vec::<f32>::try_from(outputs.reshape(-1)).unwrap();
    let numbers = [network.parameters().values(), network.parameters().gradients()].concat();
    bits(&[numbers, outputs, evaluated].concat())
}

#[test]
fn hidden_layers_compute_what_a_perceptron_does_to_the_last_bit() {
    for activation in [Activation::Relu, Activation::Tanh] {
        let hidden = vec![7, 5];
        let config = MlpConfig { hidden: hidden.clone(), activation, ..MlpConfig::default() };
        let mut plain = config.build(3, 2, &mut Seed::new(1).rng()).unwrap();
        let (build, parts) = (perceptrons(&hidden, activation), [vec![2], vec![1]]);
        for role in [Role::Actor, Role::Critic, Role::Policy] {
            let mut net = network(&build, role, &parts, 2, &mut Seed::new(1).rng()).unwrap();
            net.set_training(true);
            assert_eq!(computed(&mut net), computed(&mut plain), "{role:?}");
        }
    }
}

#[test]
fn a_policy_and_its_values_begin_as_perceptrons_do() {
    let layers = |gain| MlpConfig {
        activation: Activation::Tanh,
        weight: Init::Orthogonal { gain: std::f32::consts::SQRT_2 },
        output_weight: Init::Orthogonal { gain },
        bias: Init::Zeros,
        ..MlpConfig::default()
    };
    let mut builder = ParametersBuilder::new();
    let row = LayerShape::Row(3);
    for (scope, gain, outputs) in [("policy", 0.01, 2), ("value", 1.0, 1)] {
        Layers::new(&layers(gain).layers(outputs), scope, row, 0, &mut builder).unwrap();
    }
    let plain = builder.build(&mut Seed::new(1).rng()).unwrap();
    let (space, head) = (BoxSpace::<3>::unbounded(), Categorical::new(Discrete::new(2)));
    let config = ActorCriticConfig::default();
    let networks = ActorCritic::new(space, head, &config, &mut Seed::new(1).rng()).unwrap();
    assert_eq!(bits(networks.parameters().values()), bits(plain.values()));
}
