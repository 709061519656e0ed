use gymnast_envs::Seed;
use rand::RngExt as _;
use rand_distr::StandardNormal;

use super::*;

const CONFIG: FitConfig =
    FitConfig { learning_rate: 3e-3, batch_size: 64, patience: 8, max_epochs: 40, elites: 2 };

/// The change of the state that the system below expects, and its deviation.
fn law(state: f32, action: f32) -> (f32, f32) {
    (0.5 * state - 2.0 * action, 0.2 * (0.5 * state).exp())
}

/// Transitions of a noisy linear system: s' = s + 0.5 s − 2 a + σ ε, r = 10 + a, where σ depends on
/// the state. The episode ends where s is above 1.
fn system(count: usize) -> Batch<f32> {
    let mut rng = Seed::new(5).rng();
    let mut batch = Batch::default();
    for _ in 0..count {
        let (state, action) = (rng.random_range(-2.0_f32..2.0), rng.random_range(-1.0_f32..1.0));
        let (change, std) = law(state, action);
        batch.observation.push(state);
        batch.action.push(action);
        batch.reward.push(10.0 + action);
        batch.next_observation.push(state + change + std * rng.sample::<f32, _>(StandardNormal));
        batch.discount.push(if state > 1.0 { 0.0 } else { 0.9 });
    }
    batch
}

fn dealt(count: usize) -> Bootstrap {
    let mut bootstrap = Bootstrap::new(3, count, 0.2, Seed::new(6).rng());
    bootstrap.push(count);
    bootstrap
}

fn model() -> Model {
    Model::new(3, &[32, 32], (1, 1), 0.0, Seed::new(7)).unwrap()
}

#[test]
fn a_noisy_linear_system_is_found_with_its_noise() {
    let (mut model, count) = (model(), 4_000);
    let fitted = model.fit(&system(count), &dealt(count), &CONFIG, 0).unwrap().unwrap();
    assert!(fitted.disagreement < 0.15 && model.elites.len() == 2, "{fitted:?}");
    let mut rng = Seed::new(8).rng();
    let mut imagined = crate::model_based::mbpo::model::Imagined::default();
    for (state, action) in [(-1.5, 0.5), (-0.5, -0.5), (0.6, 0.0), (1.6, 0.8)] {
        let (n, (change, std)) = (2_000, law(state, action));
        let (states, actions) = (vec![state; n], vec![action; n]);
        model.step(&states, &actions, &mut rng, &mut imagined).unwrap();
        let mean = imagined.next_observations.iter().sum::<f32>() / n as f32;
        let square = |x: &f32| (x - mean) * (x - mean);
        let spread = (imagined.next_observations.iter().map(square).sum::<f32>() / n as f32).sqrt();
        assert!((mean - state - change).abs() < 0.12, "{state}, {action}: {mean}");
        assert!((spread / std - 1.0).abs() < 0.4, "{state}, {action}: {spread} for {std}");
        let reward = imagined.rewards.iter().sum::<f32>() / n as f32;
        assert!((reward - 10.0 - action).abs() < 0.05, "{reward}");
        let ends = imagined.ends.iter().filter(|end| **end).count() as f32 / n as f32;
        assert!((ends - f32::from(u8::from(state > 1.0))).abs() < 0.1, "{state}: {ends}");
    }
}

#[test]
fn members_end_with_their_best_parameters() {
    let (transitions, bootstrap) = (system(200), dealt(200));
    let held_out = |model: &mut Model| {
        let rows = bootstrap.split().held_out;
        let held_out = model.examples(&transitions).pick(rows.into_iter());
        model.holdout_losses(&held_out).unwrap().0
    };
    let mut model = model();
    let start = held_out(&mut model);
    let fitted = model.fit(&transitions, &bootstrap, &CONFIG, 0).unwrap().unwrap();
    assert!(fitted.epochs > CONFIG.patience);
    let best = held_out(&mut model);
    let of_elites = model.elites.iter().map(|&elite| best[elite]).sum::<f64>() / 2.0;
    assert!((of_elites - fitted.holdout_loss).abs() < 1e-9);
    let worst = (0..3).max_by(|&a, &b| best[a].total_cmp(&best[b])).unwrap();
    assert!(!model.elites.contains(&worst) && best.iter().zip(&start).all(|(b, s)| b < s));
    // Steps that spoil everything leave no trace.
    let (before, config) = (
        model.ensemble.parameters().to_vec(),
        FitConfig { learning_rate: 0.5, patience: 3, ..CONFIG },
    );
    model.fit(&transitions, &bootstrap, &config, 0).unwrap();
    assert_eq!(model.ensemble.parameters().values(), before);
}

#[test]
fn a_cut_episode_has_not_ended() {
    // Of the discounts that a memory holds, only that of an ended episode is 0.
    let mut model = model();
    let mut transitions = system(3);
    transitions.discount = vec![0.9, 0.0, 0.9];
    let end = model.examples(&transitions).end.unwrap();
    assert_eq!(end, [0.0, 1.0, 0.0]);
    transitions.discount = vec![0.9; 3];
    assert!(model.examples(&transitions).end.is_none() && !model.knows_ends);
}

#[test]
fn too_little_is_no_training() {
    assert_eq!(model().fit(&system(1), &dealt(1), &CONFIG, 0).unwrap(), None);
}
