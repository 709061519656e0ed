//! Whoever acts by what is not finite chooses no action at its best, and learns from none.

use gymnast_core::{
    compression::Quantization,
    nn::{Mlp, MlpConfig},
};
use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Distribution, Dqn, DqnConfig, Mbpo, MbpoConfig, Ppo, PpoConfig, Reinforce, ReinforceConfig,
    Sac, SacConfig, Td3, Td3Config, distillation::NetworkPolicy,
};
use gymnast_envs::{
    Env, EnvError, Obs, Seed, SyncVectorEnv, VectorEnv as _,
    classic::{CartPole, Pendulum},
};
use gymnast_harness::{Agent, AgentError, Demonstrations, Mode, Plan, Policy};

fn plan() -> Plan {
    Plan { seed: Seed::new(3), num_envs: 1, env_steps: 1_000 }
}

fn vector<E: Env>(env: E) -> SyncVectorEnv<E> {
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(1)).unwrap();
    envs.reset().unwrap();
    envs
}

/// Seeing `lost`, which makes every output NaN, it leaves the environments no action to take.
fn assert_acts_by_numbers_alone<E: Env>(
    policy: &impl Policy<E::ObservationSpace, E::ActionSpace>,
    env: E,
    lost: &Obs<E>,
) {
    let (mut envs, mut rng, mut actions) = (vector(env), Seed::new(2).rng(), Vec::new());
    policy.act(envs.observations(), Mode::Exploit, &mut rng, &mut actions);
    assert_eq!(actions.len(), 1);
    policy.act(&[lost.clone()], Mode::Exploit, &mut rng, &mut actions);
    let refused = envs.step(&actions).err();
    assert!(matches!(refused, Some(EnvError::WrongBatch { expected: 1, got: 0 })), "{refused:?}");
}

/// Nor does it learn from an action that it explored with.
fn assert_told<E: Env + Clone>(
    agent: &mut impl Agent<E::ObservationSpace, E::ActionSpace>,
    env: E,
    lost: &Obs<E>,
) {
    assert_acts_by_numbers_alone(&*agent, env.clone(), lost);
    let (mut envs, mut rng, mut actions) = (vector(env), Seed::new(2).rng(), Vec::new());
    agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions);
    agent.learn(envs.step(&actions).unwrap()).unwrap();
    agent.act(&[lost.clone()], Mode::Explore, &mut rng, &mut actions);
    let error = agent.learn(envs.step(&actions).unwrap()).unwrap_err();
    assert!(matches!(error, AgentError::Diverged { env_steps: 1, .. }), "{error}");
}

#[test]
fn agents_of_finite_actions() {
    let (pole, lost) = (CartPole::default(), [f32::NAN; 4]);
    let (seen, done) = (pole.observation_space(), pole.action_space());
    let head = || Categorical::new(done);
    let rainbow = DqnConfig {
        dueling: true,
        noise: 0.5,
        distribution: Distribution::Categorical,
        ..DqnConfig::default()
    };
    for config in [DqnConfig::default(), rainbow] {
        assert_told(&mut Dqn::new(seen, done, config, &plan()).unwrap(), pole.clone(), &lost);
    }
    let mut ppo = Ppo::new(seen, head(), PpoConfig::default(), &plan()).unwrap();
    assert_told(&mut ppo, pole.clone(), &lost);
    let mut a2c = A2c::new(seen, head(), A2cConfig::default(), &plan()).unwrap();
    assert_told(&mut a2c, pole.clone(), &lost);
    let mut reinforce = Reinforce::new(seen, head(), ReinforceConfig::default(), &plan()).unwrap();
    assert_told(&mut reinforce, pole.clone(), &lost);
    let a3c = A3c::new(seen, head(), A3cConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&a3c, pole.clone(), &lost);
    let mut actions = vec![0];
    a3c.act(&[lost], Mode::Explore, &mut Seed::new(2).rng(), &mut actions);
    assert!(actions.is_empty(), "its workers are told, and nobody else");
    let mut episodes = Demonstrations::new(seen, done);
    episodes.record(&mut vector(pole.clone()), 1_000, |_| Ok::<_, EnvError>(1)).unwrap();
    let mut clone = Bc::new(&episodes, head(), &BcConfig::default(), &plan()).unwrap();
    assert_told(&mut clone, pole, &lost);
}

#[test]
fn agents_of_real_valued_actions() {
    let (pendulum, lost) = (Pendulum::default(), [f32::NAN; 3]);
    let (seen, done) = (pendulum.observation_space(), pendulum.action_space());
    let ppo = PpoConfig { normalize_observations: true, ..PpoConfig::default() };
    let mut ppo = Ppo::new(seen, DiagonalGaussian::new(done), ppo, &plan()).unwrap();
    assert_told(&mut ppo, pendulum.clone(), &lost);
    // The network chooses from the first step on.
    let (hidden, buffer_size, batch_size, learning_starts) = (vec![8], 100, 2, 0);
    let sac = SacConfig {
        hidden: hidden.clone(),
        buffer_size,
        batch_size,
        learning_starts,
        ..SacConfig::default()
    };
    let mut agent = Sac::new(seen, done, sac.clone(), &plan()).unwrap();
    assert_told(&mut agent, pendulum.clone(), &lost);
    let mbpo = MbpoConfig { sac, model_hidden: vec![8], ..MbpoConfig::default() };
    let mut mbpo = Mbpo::new(seen, done, mbpo, &plan()).unwrap();
    assert_told(&mut mbpo, pendulum.clone(), &lost);
    let td3 = Td3Config {
        hidden: hidden.clone(),
        buffer_size,
        batch_size,
        learning_starts,
        ..Td3Config::default()
    };
    let mut td3 = Td3::new(seen, done, td3, &plan()).unwrap();
    assert_told(&mut td3, pendulum.clone(), &lost);
    let ddpg =
        DdpgConfig { hidden, buffer_size, batch_size, learning_starts, ..DdpgConfig::default() };
    let mut ddpg = Ddpg::new(seen, done, ddpg, &plan()).unwrap();
    assert_told(&mut ddpg, pendulum, &lost);
}

#[test]
fn distilled_policies() {
    let (pole, lost) = (CartPole::default(), [f32::NAN; 4]);
    let (seen, done) = (pole.observation_space(), pole.action_space());
    let network = Mlp::new(&MlpConfig::default(), 4, 2, &mut Seed::new(0).rng()).unwrap();
    let whole = NetworkPolicy::new(seen, done, &network).unwrap();
    assert_acts_by_numbers_alone(&whole, pole.clone(), &lost);
    let quantized = NetworkPolicy::quantized(seen, done, &network, Quantization::Dynamic).unwrap();
    assert_acts_by_numbers_alone(&quantized, pole, &lost);
}
