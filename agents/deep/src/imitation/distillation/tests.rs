use gymnast_core::{
    compression::Quantization,
    nn::{MlpConfig, Network as _},
};
use gymnast_envs::{
    Discrete, Env as _, Rng, RowSpace, Seed, SyncVectorEnv, classic::CartPole, wrappers::TimeLimit,
};
use gymnast_harness::{Demonstrations, Plan, SettingError, evaluate_policy};

use super::*;
use crate::{
    imitation::bc::BcConfig,
    on_policy::{
        a3c::A3cConfig,
        ppo::{Ppo, PpoConfig},
    },
    value_based::dqn::DqnConfig,
};

type Observations = gymnast_envs::BoxSpace<4>;
type Poles = SyncVectorEnv<TimeLimit<CartPole>>;

fn poles(n: usize, seed: Seed) -> Poles {
    SyncVectorEnv::new(vec![TimeLimit::new(CartPole::default(), 200); n], seed).unwrap()
}

fn spaces() -> (Observations, Discrete) {
    (CartPole::default().observation_space(), CartPole::default().action_space())
}

fn mean_return(policy: &dyn Policy<Observations, Discrete>) -> f64 {
    let make = |n, seed| Ok(Box::new(poles(n, seed)) as Box<dyn VectorEnv<_, _>>);
    let episodes = evaluate_policy(policy, &make, 20, 200, Seed::new(7)).unwrap();
    episodes.summarize(0, 0.0).mean_return
}

/// Pushes towards where the pole leans and moves, which balances it.
struct Expert;

impl Policy<Observations, Discrete> for Expert {
    fn act(
        &self,
        seen: &[[f32; 4]],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<i64>,
    ) -> Result<(), AgentError> {
        let _ = (mode, rng);
        actions.clear();
        actions.extend(
            seen.iter().map(|[x, v, a, w]| i64::from(0.1 * x + 0.3 * v + 3.0 * a + w > 0.0)),
        );
        Ok(())
    }
}

impl ActionPreferences<Observations, Discrete> for Expert {
    fn write_preferences(&self, seen: &[[f32; 4]], preferences: &mut Vec<f32>) {
        preferences.clear();
        preferences.extend(seen.iter().flat_map(|[x, v, a, w]| {
            let push = 0.1 * x + 0.3 * v + 3.0 * a + w;
            [-5.0 * push, 5.0 * push]
        }));
    }
}

#[test]
fn a_student_balances_as_its_teacher_does() {
    let expert = mean_return(&Expert);
    assert!(expert > 190.0, "{expert}");
    let config = DistilConfig { hidden: vec![4], env_steps: 1_000, ..DistilConfig::default() };
    let distil =
        || distil_policy(&Expert, &mut poles(4, Seed::new(1)), &config, Seed::new(2)).unwrap();
    let student = distil();
    assert_eq!(student.parameters().values(), distil().parameters().values());
    let (seen, done) = spaces();
    let policy = NetworkPolicy::new(seen, done, &student).unwrap();
    assert!(mean_return(&policy) > 0.95 * expert);
    let quantized = NetworkPolicy::quantized(seen, done, &student, Quantization::Dynamic).unwrap();
    assert!(mean_return(&quantized) > 0.95 * expert);
    assert_eq!((policy.bytes(), quantized.bytes()), (30 * 4, 24 + 2 * 6 * 4));
}

#[test]
fn agents_say_what_they_prefer() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1_000 };
    let (seen, done) = spaces();
    let dqn = Dqn::new(seen, done, DqnConfig::default(), &plan).unwrap();
    let ppo = Ppo::new(seen, Categorical::new(done), PpoConfig::default(), &plan).unwrap();
    let observations: Vec<[f32; 4]> =
        (0..20).map(|i| std::array::from_fn(|j| (1.7 * (4 * i + j) as f32).sin())).collect();
    let (mut actions, mut preferences) = (vec![], vec![]);
    let mut episodes = Demonstrations::new(seen, done);
    episodes.record(&mut poles(1, plan.seed), 1, |_| Ok(1)).unwrap();
    let bc = Bc::new(&episodes, Categorical::new(done), &BcConfig::default(), &plan).unwrap();
    let a3c = A3c::new(seen, Categorical::new(done), A3cConfig::default(), &plan).unwrap();
    for agent in [&dqn as &dyn ActionPreferences<_, _>, &ppo, &bc, &a3c] {
        agent.act(&observations, Mode::Exploit, &mut Seed::new(1).rng(), &mut actions).unwrap();
        agent.write_preferences(&observations, &mut preferences);
        let preferred = preferences.chunks_exact(2).map(|row| i64::from(row[1] > row[0]));
        assert!(preferred.eq(actions.iter().copied()));
    }
}

#[test]
fn what_cannot_be_distilled_is_an_error() {
    let bad = DistilConfig { temperature: 0.0, ..DistilConfig::default() };
    let error = distil_policy(&Expert, &mut poles(1, Seed::new(1)), &bad, Seed::new(2));
    assert!(error.unwrap_err().to_string().starts_with("temperature"));
    let (seen, done) = spaces();
    let network = |inputs, outputs| {
        let rng = &mut Seed::new(0).rng();
        MlpConfig::default().build(inputs, outputs, rng).unwrap()
    };
    assert!(NetworkPolicy::new(seen, done, &network(4, 2)).is_ok());
    for (inputs, outputs) in [(4, 3), (5, 2)] {
        let policy = NetworkPolicy::new(seen, done, &network(inputs, outputs));
        assert!(matches!(
            policy,
            Err(AgentError::InvalidConfig(SettingError { key: "network", .. }))
        ));
    }
    let masked = RowSpace::new(vec![0.0; 4], vec![1.0; 4], vec![4]).unwrap();
    let masked = masked.with_action_mask(2..4).unwrap();
    let policy = NetworkPolicy::new(masked, done, &network(4, 2));
    assert!(matches!(
        policy,
        Err(AgentError::InvalidConfig(SettingError { key: "action_mask", .. }))
    ));
}
