//! No agent joins a lost episode to the next, and none takes harm from a checkpoint with wrong contents.

use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Distribution, Dqn, DqnConfig, Mbpo, MbpoConfig, MultiCategorical, Ppo, PpoConfig, Reinforce,
    ReinforceConfig, Sac, SacConfig, Td3, Td3Config,
};
use gymnast_envs::{
    Discrete, Env, EnvError, MultiDiscrete, Rng, Seed, Space, Step, SyncVectorEnv,
    classic::{CartPole, Pendulum},
    wrappers::TimeLimit,
};
use gymnast_harness::{
    Agent, AgentError, Checkpoint as _, Demonstrations, Plan, Setup, StateDict, TrainError,
    Training,
    testing::{Unsavable, assert_survives_damage, setup, state_after_a_lost_episode, training},
};

fn cart_pole() -> TimeLimit<CartPole> {
    TimeLimit::new(CartPole::default(), 12)
}

fn pendulum() -> TimeLimit<Pendulum> {
    TimeLimit::new(Pendulum::default(), 12)
}

/// Two integers to choose, and nothing to see.
struct TwoChoices;

impl Env for TwoChoices {
    type ObservationSpace = Discrete;
    type ActionSpace = MultiDiscrete<2>;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> MultiDiscrete<2> {
        MultiDiscrete::new([3, 2]).expect("the sizes fit")
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        Ok(0)
    }

    fn step(&mut self, action: &[i64; 2], _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        Ok(Step::new(0, action[0] as f64, action[1] == 0))
    }
}

/// The state of an agent after three env steps of an episode that was then lost, and two of the next.
fn after_a_loss<E, G>(
    make_env: impl Fn() -> E + Send + Sync + Clone + 'static,
    make_agent: impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) -> StateDict
where
    E: Env + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace> + 'static,
{
    let make = |plan: &Plan| {
        let make_env = make_env.clone();
        setup(plan, move || Unsavable(make_env()), |o, a| make_agent(o, a, plan))
    };
    state_after_a_lost_episode(make, &training(100, 1), 3, 2)
}

const NONE: u32 = u32::MAX;

fn assert_successors(state: &StateDict, name: &str) {
    let successors = state.array::<u32>(name, &[5]).unwrap();
    assert_eq!(successors, [1, 2, NONE, 4, NONE], "{name}");
}

#[test]
fn no_replay_joins_a_lost_episode_to_the_next() {
    let state = after_a_loss(cart_pole, |o, a, plan| {
        Dqn::new(o, a, DqnConfig { n_step: 3, ..DqnConfig::default() }, plan)
    });
    assert_successors(&state, "replay/successors");
    let state = after_a_loss(pendulum, |o, a, plan| Sac::new(o, a, small_sac(), plan));
    assert_successors(&state, "replay/successors");
    let state = after_a_loss(pendulum, |o, a, plan| Td3::new(o, a, small_td3(), plan));
    assert_successors(&state, "replay/successors");
    let state = after_a_loss(pendulum, |o, a, plan| Ddpg::new(o, a, small_ddpg(), plan));
    assert_successors(&state, "replay/successors");
    let state = after_a_loss(pendulum, |o, a, plan| Mbpo::new(o, a, small_mbpo(), plan));
    assert_successors(&state, "sac/replay/successors");
}

#[test]
fn no_policy_gradient_flows_over_a_lost_episode() {
    let head = Categorical::<Discrete>::new;
    let expected = [0.5, 0.5, 0.0, 0.5, 0.5];
    let traces = |state: &StateDict| state.array::<f32>("rollout/traces", &[5]).unwrap();
    let state = after_a_loss(cart_pole, |o, a, plan| {
        Ppo::new(o, head(a), PpoConfig { gamma: 0.5, ..PpoConfig::default() }, plan)
    });
    assert_eq!(traces(&state), expected);
    let state = after_a_loss(cart_pole, |o, a, plan| {
        Ppo::new(o, head(a), PpoConfig { gamma: 0.5, ..PpoConfig::default() }, plan)
    });
    assert_eq!(traces(&state), expected);
    let state = after_a_loss(cart_pole, |o, a, plan| {
        let config = A2cConfig { gamma: 0.5, n_steps: 8, ..A2cConfig::default() };
        A2c::new(o, head(a), config, plan)
    });
    assert_eq!(traces(&state), expected);
    // A return is that of one episode.
    let state = after_a_loss(cart_pole, |o, a, plan| {
        Reinforce::new(o, head(a), ReinforceConfig::default(), plan)
    });
    assert_eq!(state.array_len::<f32>("episodes/running/0/returns").unwrap(), 2);
    assert_eq!(state.array_len::<f32>("episodes/finished/returns").unwrap(), 0);
    // What a worker has played ahead belongs to the episode that is lost.
    let make = |plan: &Plan| {
        setup(
            plan,
            || Unsavable(cart_pole()),
            |o, a| A3c::new(o, head(a), A3cConfig { t_max: 2, ..A3cConfig::default() }, plan),
        )
    };
    let state = state_after_a_lost_episode(make, &training(100, 1), 4, 0);
    assert_eq!(state.get::<Vec<(f64, String)>>("workers/0/steps").unwrap(), []);
}

fn small_sac() -> SacConfig {
    let hidden = vec![6];
    let (buffer_size, batch_size, learning_starts, n_step) = (120, 8, 30, 3);
    SacConfig {
        hidden,
        buffer_size,
        batch_size,
        learning_starts,
        n_step,
        average: 0.1,
        ..SacConfig::default()
    }
}

fn small_td3() -> Td3Config {
    let (buffer_size, batch_size, learning_starts, n_step) = (120, 8, 30, 3);
    let hidden = vec![6];
    Td3Config { hidden, buffer_size, batch_size, learning_starts, n_step, ..Td3Config::default() }
}

fn small_ddpg() -> DdpgConfig {
    let (buffer_size, batch_size, learning_starts, n_step) = (120, 8, 30, 3);
    let hidden = vec![6];
    DdpgConfig { hidden, buffer_size, batch_size, learning_starts, n_step, ..DdpgConfig::default() }
}

fn small_mbpo() -> MbpoConfig {
    MbpoConfig {
        ensemble: 3,
        elites: 2,
        model_hidden: vec![6],
        model_batch_size: 16,
        max_epochs: 2,
        model_train_every: 20,
        rollouts: 3,
        model_retain: 20,
        sac: SacConfig { gradient_steps: 1, ..small_sac() },
        ..MbpoConfig::default()
    }
}

/// Lets an agent be damaged after 100 env steps of a longer training.
fn damage<E, G>(
    num_envs: usize,
    make_env: impl Fn() -> E + Send + Sync + Clone + 'static,
    make_agent: impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) where
    E: Env + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace> + 'static,
{
    let make = |plan: &Plan| -> Result<Setup<E::ObservationSpace, E::ActionSpace>, TrainError> {
        setup(plan, make_env.clone(), |o, a| make_agent(o, a, plan))
    };
    let training: Training = training(1_000, num_envs);
    assert_survives_damage(make, &training, 100);
}

fn small_dqn() -> DqnConfig {
    DqnConfig {
        hidden: vec![6],
        buffer_size: 60,
        batch_size: 8,
        learning_starts: 16,
        train_every: 2,
        target_every: 10,
        n_step: 3,
        ..DqnConfig::default()
    }
}

#[test]
fn dqn_takes_no_harm() {
    let config = DqnConfig { priority_exponent: 0.6, double: true, average: 0.1, ..small_dqn() };
    damage(2, cart_pole, |o, a, plan| Dqn::new(o, a, config.clone(), plan));
}

#[test]
fn rainbow_takes_no_harm() {
    let config = DqnConfig {
        dueling: true,
        noise: 0.5,
        priority_exponent: 0.5,
        distribution: Distribution::Categorical,
        atoms: 5,
        ..small_dqn()
    };
    damage(1, cart_pole, |o, a, plan| Dqn::new(o, a, config.clone(), plan));
}

#[test]
fn sac_takes_no_harm() {
    damage(2, pendulum, |o, a, plan| Sac::new(o, a, small_sac(), plan));
}

#[test]
fn td3_takes_no_harm() {
    damage(1, pendulum, |o, a, plan| Td3::new(o, a, small_td3(), plan));
}

#[test]
fn ddpg_takes_no_harm() {
    damage(1, pendulum, |o, a, plan| Ddpg::new(o, a, small_ddpg(), plan));
}

#[test]
fn mbpo_takes_no_harm() {
    damage(1, pendulum, |o, a, plan| Mbpo::new(o, a, small_mbpo(), plan));
}

/// Not only once they are drawn, which may be an hour later.
#[test]
fn remembered_actions_that_are_none_are_refused_at_once() {
    let plan = Plan { seed: Seed::new(3), num_envs: 1, env_steps: 100 };
    let (pole, swing) = (cart_pole(), pendulum());
    let make = |o, a, plan: &Plan| Dqn::new(o, a, DqnConfig::default(), plan);
    let mut dqn = make(pole.observation_space(), pole.action_space(), &plan).unwrap();
    let mut state = after_a_loss(cart_pole, make);
    for action in [0, 1, 2, -1, i64::MAX] {
        state.insert_array("replay/actions", &[5, 1], &[0, 1, 0, 1, action]);
        let loaded = dqn.load(&state);
        assert_eq!(loaded.is_ok(), (0..2).contains(&action), "{action}: {loaded:?}");
        assert!(loaded.err().is_none_or(|error| error.to_string().contains("replay/actions")));
    }
    let make = |o, a, plan: &Plan| Sac::new(o, a, small_sac(), plan);
    let mut sac = make(swing.observation_space(), swing.action_space(), &plan).unwrap();
    let mut state = after_a_loss(pendulum, make);
    for action in [0.5, f32::NAN, f32::INFINITY] {
        let name = "replay/actions";
        state.insert_array(name, &[5, 1], &[0.0, 1.0, -1.0, 0.0, action]);
        let loaded = sac.load(&state);
        assert_eq!(loaded.is_ok(), action.is_finite(), "{action}: {loaded:?}");
    }
}

fn small_ppo() -> PpoConfig {
    PpoConfig { hidden: vec![6], n_steps: 32, batch_size: 16, epochs: 2, ..PpoConfig::default() }
}

#[test]
fn ppo_takes_no_harm() {
    damage(2, cart_pole, |o, a, plan| Ppo::new(o, Categorical::new(a), small_ppo(), plan));
    damage(1, || TwoChoices, |o, a, plan| Ppo::new(o, MultiCategorical::new(a), small_ppo(), plan));
    damage(1, pendulum, |o, a, plan| {
        let config = PpoConfig { normalize_observations: true, ..small_ppo() };
        Ppo::new(o, DiagonalGaussian::new(a), config, plan)
    });
}

#[test]
fn a2c_takes_no_harm() {
    let config = A2cConfig { hidden: vec![6], n_steps: 8, ..A2cConfig::default() };
    damage(2, cart_pole, |o, a, plan| A2c::new(o, Categorical::new(a), config.clone(), plan));
}

#[test]
fn a3c_takes_no_harm() {
    let config = A3cConfig { hidden: vec![6], t_max: 4, ..A3cConfig::default() };
    damage(2, cart_pole, |o, a, plan| A3c::new(o, Categorical::new(a), config.clone(), plan));
}

#[test]
fn reinforce_takes_no_harm() {
    let config =
        ReinforceConfig { hidden: vec![6], episodes_per_update: 7, ..ReinforceConfig::default() };
    damage(2, cart_pole, |o, a, plan| Reinforce::new(o, Categorical::new(a), config.clone(), plan));
}

#[test]
fn bc_takes_no_harm() {
    let env = cart_pole();
    let mut recorded = Demonstrations::new(env.observation_space(), env.action_space());
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(1)).unwrap();
    let mut rng = Seed::new(2).rng();
    for _ in 0..6 {
        let choose = |_: &_| Ok::<_, AgentError>(Discrete::new(2).sample(&mut rng));
        recorded.record(&mut envs, 1_000, choose).unwrap();
    }
    let config = BcConfig { hidden: vec![6], batch_size: 8, ..BcConfig::default() };
    damage(1, cart_pole, |_, a, plan| Bc::new(&recorded, Categorical::new(a), &config, plan));
}

/// A checkpoint is refused by an agent whose network differs, though it has as many parameters.
#[test]
fn a_network_of_another_activation_is_refused() {
    use gymnast_core::nn::Activation::{Relu, Tanh};

    fn refuses<E, G>(make_env: fn() -> E, make: impl Fn(bool, &Plan) -> G)
    where
        E: Env + 'static,
        G: Agent<E::ObservationSpace, E::ActionSpace>,
    {
        let _ = make_env;
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 100 };
        let mut state = StateDict::new();
        make(true, &plan).save(&mut state).unwrap();
        make(true, &plan).load(&state).unwrap();
        let error = make(false, &plan).load(&state).unwrap_err().to_string().to_lowercase();
        assert!(error.contains("tanh") && error.contains("relu"), "{error}");
    }
    let activation = |is_tanh| if is_tanh { Tanh } else { Relu };
    let (pole, swing) = (cart_pole(), pendulum());
    let (o, a) = (pole.observation_space(), pole.action_space());
    let (p, b) = (swing.observation_space(), swing.action_space());
    refuses(cart_pole, |is_tanh, plan| {
        let config = DqnConfig { activation: activation(is_tanh), ..small_dqn() };
        Dqn::new(o, a, config, plan).unwrap()
    });
    refuses(cart_pole, |is_tanh, plan| {
        let config = PpoConfig { activation: activation(is_tanh), ..small_ppo() };
        Ppo::new(o, Categorical::new(a), config, plan).unwrap()
    });
    refuses(pendulum, |is_tanh, plan| {
        let config = SacConfig { activation: activation(is_tanh), ..small_sac() };
        Sac::new(p, b, config, plan).unwrap()
    });
    refuses(pendulum, |is_tanh, plan| {
        let config = Td3Config { activation: activation(is_tanh), ..small_td3() };
        Td3::new(p, b, config, plan).unwrap()
    });
    refuses(pendulum, |is_tanh, plan| {
        let config = DdpgConfig { activation: activation(is_tanh), ..small_ddpg() };
        Ddpg::new(p, b, config, plan).unwrap()
    });
}
