//! By what is not finite no action is chosen.

use gymnast_core::{compression::Quantization, nn::MlpConfig};
use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Distribution, Dqn, DqnConfig, Mbpo, MbpoConfig, Ppo, PpoConfig, Reinforce, ReinforceConfig,
    Sac, SacConfig, Td3, Td3Config, distillation::NetworkPolicy,
};
use gymnast_envs::{
    Env, Obs, Seed, SyncVectorEnv, VectorEnv as _,
    classic::{CartPole, Pendulum},
};
use gymnast_harness::{AgentError, Demonstrations, Mode, Plan, Policy};

fn plan() -> Plan {
    Plan { seed: Seed::new(3), num_envs: 1, env_steps: 1_000 }
}

fn vector<E: Env>(env: E) -> SyncVectorEnv<E> {
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(1)).unwrap();
    envs.reset().unwrap();
    envs
}

/// Seeing `lost`, which makes every output NaN, it says so, whether it explores or not.
fn assert_acts_by_numbers_alone<E: Env>(
    policy: &impl Policy<E::ObservationSpace, E::ActionSpace>,
    env: E,
    lost: &Obs<E>,
) {
    let (envs, mut rng, mut actions) = (vector(env), Seed::new(2).rng(), Vec::new());
    for mode in [Mode::Exploit, Mode::Explore] {
        policy.act(envs.observations(), mode, &mut rng, &mut actions).unwrap();
        assert_eq!(actions.len(), 1);
        let error =
            policy.act(std::slice::from_ref(lost), mode, &mut rng, &mut actions).unwrap_err();
        assert!(matches!(error, AgentError::NoAction { value } if value.is_nan()), "{error}");
    }
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
        assert_acts_by_numbers_alone(
            &Dqn::new(seen, done, config, &plan()).unwrap(),
            pole.clone(),
            &lost,
        );
    }
    let ppo = Ppo::new(seen, head(), PpoConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&ppo, pole.clone(), &lost);
    let a2c = A2c::new(seen, head(), A2cConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&a2c, pole.clone(), &lost);
    let reinforce = Reinforce::new(seen, head(), ReinforceConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&reinforce, pole.clone(), &lost);
    let a3c = A3c::new(seen, head(), A3cConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&a3c, pole.clone(), &lost);
    let mut episodes = Demonstrations::new(seen, done);
    episodes.record(&mut vector(pole.clone()), 1_000, |_| Ok::<_, AgentError>(1)).unwrap();
    let clone = Bc::new(&episodes, head(), &BcConfig::default(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&clone, pole, &lost);
}

#[test]
fn agents_of_real_valued_actions() {
    let (pendulum, lost) = (Pendulum::default(), [f32::NAN; 3]);
    let (seen, done) = (pendulum.observation_space(), pendulum.action_space());
    let ppo = PpoConfig { normalize_observations: true, ..PpoConfig::default() };
    let ppo = Ppo::new(seen, DiagonalGaussian::new(done), ppo, &plan()).unwrap();
    assert_acts_by_numbers_alone(&ppo, pendulum.clone(), &lost);
    // The network chooses from the first step on.
    let (hidden, buffer_size, batch_size, learning_starts) = (vec![8], 100, 2, 0);
    let sac = SacConfig {
        hidden: hidden.clone(),
        buffer_size,
        batch_size,
        learning_starts,
        ..SacConfig::default()
    };
    let agent = Sac::new(seen, done, sac.clone(), &plan()).unwrap();
    assert_acts_by_numbers_alone(&agent, pendulum.clone(), &lost);
    let mbpo = MbpoConfig { sac, model_hidden: vec![8], ..MbpoConfig::default() };
    let mbpo = Mbpo::new(seen, done, mbpo, &plan()).unwrap();
    assert_acts_by_numbers_alone(&mbpo, pendulum.clone(), &lost);
    let td3 = Td3Config {
        hidden: hidden.clone(),
        buffer_size,
        batch_size,
        learning_starts,
        ..Td3Config::default()
    };
    let td3 = Td3::new(seen, done, td3, &plan()).unwrap();
    assert_acts_by_numbers_alone(&td3, pendulum.clone(), &lost);
    let ddpg =
        DdpgConfig { hidden, buffer_size, batch_size, learning_starts, ..DdpgConfig::default() };
    let ddpg = Ddpg::new(seen, done, ddpg, &plan()).unwrap();
    assert_acts_by_numbers_alone(&ddpg, pendulum, &lost);
}

#[test]
fn distilled_policies() {
    let (pole, lost) = (CartPole::default(), [f32::NAN; 4]);
    let (seen, done) = (pole.observation_space(), pole.action_space());
    let network = MlpConfig::default().build(4, 2, &mut Seed::new(0).rng()).unwrap();
    let whole = NetworkPolicy::new(seen, done, &network).unwrap();
    assert_acts_by_numbers_alone(&whole, pole.clone(), &lost);
    let quantized = NetworkPolicy::quantized(seen, done, &network, Quantization::Dynamic).unwrap();
    assert_acts_by_numbers_alone(&quantized, pole, &lost);
}
