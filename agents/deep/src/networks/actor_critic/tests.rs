use gymnast_envs::{BoxSpace, Outcome, Seed};
use gymnast_harness::{Checkpoint as _, Mode, StateDict};

use super::*;
use crate::{distributions::policy_head::DiagonalGaussian, networks::network::Networks as _};

type Space1 = BoxSpace<1>;

fn actor_critic(normalize: bool) -> ActorCritic<Space1, DiagonalGaussian<Space1>> {
    made_by(&ActorCriticConfig { normalize_observations: normalize, ..small() })
}

fn small() -> ActorCriticConfig {
    ActorCriticConfig { hidden: vec![8], log_std: 0.5, ..ActorCriticConfig::default() }
}

fn made_by(config: &ActorCriticConfig) -> ActorCritic<Space1, DiagonalGaussian<Space1>> {
    let head = DiagonalGaussian::new(BoxSpace::symmetric([1.0]));
    ActorCritic::new(BoxSpace::unbounded(), head, config, &mut Seed::new(3).rng()).unwrap()
}

#[test]
fn actions_are_kept_as_they_were_drawn() {
    let (networks, mut rng) = (actor_critic(false), Seed::new(1).rng());
    let mut actions = Vec::new();
    networks.act(&[[0.0]; 32], Mode::Explore, &mut rng, &mut actions).unwrap();
    assert!(actions.iter().all(|[a]| a.abs() <= 1.0));
    let mut exploiting = Vec::new();
    networks.act(&[[0.0]; 50], Mode::Exploit, &mut rng, &mut exploiting).unwrap();
    let mut kept = [[0.0]; 32];
    for (i, row) in kept.iter_mut().enumerate() {
        networks.write_action(i, &actions[i], row);
        assert_eq!([row[0].clamp(-1.0, 1.0)], actions[i]);
    }
    assert!(kept.iter().any(|[a]| a.abs() > 1.0), "{kept:?}");
    // Somebody else's action counts as it was taken.
    networks.write_action(0, &[0.125], &mut kept[0]);
    assert_eq!(kept[0], [0.125]);
}

#[test]
fn statistics_change_with_what_is_learned_from_alone() {
    let mut networks = actor_critic(true);
    let mut experience = Experience {
        observations: vec![[4.0], [100.0]],
        actions: vec![[0.0]; 2],
        rewards: vec![0.0; 2],
        next_observations: vec![[0.0]; 2],
        outcomes: vec![Outcome::Continues; 2],
        is_reset: vec![false, true],
    };
    networks.observe(&experience).unwrap();
    networks.act(&[[9.0]], Mode::Explore, &mut Seed::new(1).rng(), &mut Vec::new()).unwrap();
    experience.observations[0] = [6.0];
    networks.observe(&experience).unwrap();
    let mut state = StateDict::new();
    networks.save(&mut state).unwrap();
    let mut other = actor_critic(true);
    other.load(&state).unwrap();
    // Of 4 and 6 (the reset's 100 left out): mean 5, deviation 1, but for the prior.
    let mut features = [0.0];
    other.write_features(&[7.0], &mut features);
    assert!((features[0] - 2.0).abs() < 1e-2, "{features:?}");
    other.write_features(&[1e9], &mut features);
    assert_eq!(features, [10.0]);
}

#[test]
fn plain_values_agree_with_libtorch() {
    let networks = actor_critic(false);
    let features = [0.5, -1.0, 3.0];
    let mut plain = Vec::new();
    networks.values(&features, &mut plain);
    let theirs = networks.value(&networks.tensor(&features));
    for (a, b) in plain.iter().zip(Vec::<f32>::try_from(theirs.detach()).unwrap()) {
        assert!((a - b).abs() < 1e-6);
    }
}

#[test]
fn copies_know_the_same() {
    let (mut source, mut copy) = (actor_critic(true), actor_critic(true));
    source.parameters_mut().values_mut().fill(0.5);
    let experience = Experience {
        observations: vec![[4.0]; 2],
        actions: vec![[0.0]; 2],
        rewards: vec![0.0; 2],
        next_observations: vec![[0.0]; 2],
        outcomes: vec![Outcome::Continues; 2],
        is_reset: vec![false; 2],
    };
    source.observe(&experience).unwrap();
    copy.begin_from(&source).unwrap();
    assert_eq!(copy.parameters().values(), source.parameters().values());
    let features = |networks: &ActorCritic<_, _>| {
        let mut features = [0.0];
        networks.write_features(&[7.0], &mut features);
        features
    };
    assert_eq!(features(&copy), features(&source));
    assert_ne!(features(&copy), features(&actor_critic(true)));
    let error = copy.begin_from(&actor_critic(false)).unwrap_err();
    assert!(error.to_string().starts_with("normalize_observations"), "{error}");
}

#[test]
fn parts_of_the_parameters() {
    // The policy 1 → 8 → 1, the value function 1 → 8 → 1, the logarithm of the deviation.
    let networks = actor_critic(false);
    assert_eq!(networks.policy_range(), 0..25);
    assert_eq!(networks.last_layers(), [16..24, 24..25, 41..49, 49..50, 50..51]);
    assert_eq!(networks.parameters().len(), 51);
}

#[test]
fn it_exploits_by_averaged_weights_where_asked_to() {
    let config = || ActorCriticConfig { average: 0.75, ..small() };
    let mut networks = made_by(&config());
    let first = networks.parameters().values().to_vec();
    // Small, so that no action is clipped.
    for value in [0.1, -0.2] {
        networks.parameters_mut().values_mut().fill(value);
        networks.follow_update();
    }
    for (first, mean) in first.iter().zip(networks.exploiting()) {
        // The newest counts 1 / (1 + ¾), then 1 / (1 + ¾ · 2).
        let second = first + (0.1 - first) / 1.75;
        let third = second + (-0.2 - second) / 2.5;
        assert!((mean - third).abs() < 1e-6, "{mean} {third}");
    }
    let greedy = |networks: &ActorCritic<Space1, DiagonalGaussian<Space1>>| {
        let mut actions = Vec::new();
        networks.act(&[[0.3]], Mode::Exploit, &mut Seed::new(1).rng(), &mut actions).unwrap();
        actions
    };
    // As a network does whose weights are the mean; exploring goes by the newest weights.
    let mut plain = made_by(&small());
    plain.parameters_mut().values_mut().copy_from_slice(networks.exploiting());
    assert_eq!(greedy(&networks), greedy(&plain));
    plain.parameters_mut().values_mut().fill(-0.2);
    assert_ne!(greedy(&networks), greedy(&plain));
    let explored = |networks: &ActorCritic<Space1, DiagonalGaussian<Space1>>| {
        let mut actions = Vec::new();
        networks.act(&[[0.3]; 8], Mode::Explore, &mut Seed::new(1).rng(), &mut actions).unwrap();
        actions
    };
    assert_eq!(explored(&networks), explored(&plain));
    // A checkpoint holds the mean; a copy begins another one.
    let mut state = StateDict::new();
    networks.save(&mut state).unwrap();
    let mut resumed = made_by(&config());
    resumed.load(&state).unwrap();
    assert_eq!(resumed.exploiting(), networks.exploiting());
    resumed.begin_from(&plain).unwrap();
    assert_eq!(resumed.exploiting(), plain.parameters().values());
}

#[test]
fn the_deviation_does_not_fall_below_its_bound() {
    let mut networks = made_by(&ActorCriticConfig { min_log_std: -1.0, ..small() });
    let last = networks.parameters().len() - 1;
    for (learned, kept) in [(-3.0, -1.0), (-0.5, -0.5)] {
        networks.parameters_mut().values_mut()[last] = learned;
        networks.follow_update();
        assert_eq!(networks.parameters().values()[last], kept);
    }
    // What has gone wrong is not hidden.
    networks.parameters_mut().values_mut()[last] = f32::NAN;
    networks.follow_update();
    assert!(networks.parameters().values()[last].is_nan());
}

#[test]
fn settings_out_of_range_are_refused() {
    for (key, config) in [
        ("log_std", ActorCriticConfig { log_std: 3.0, ..small() }),
        ("min_log_std", ActorCriticConfig { min_log_std: 1.0, ..small() }),
        ("min_log_std", ActorCriticConfig { min_log_std: f64::NAN, ..small() }),
        ("average", ActorCriticConfig { average: 1.5, ..small() }),
    ] {
        let head = DiagonalGaussian::new(BoxSpace::symmetric([1.0]));
        let space = BoxSpace::<1>::unbounded();
        let made = ActorCritic::new(space, head, &config, &mut Seed::new(3).rng());
        let error = made.err().unwrap().to_string();
        assert!(error.starts_with(key), "{error}");
    }
}
