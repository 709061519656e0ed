//! A step allocates nothing once it is warm: neither where the types are known nor where they are erased,
//! episodes that begin anew included.

mod counting;

use counting::allocations;
use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvOptions, FeatureSpace, MultiBinary, MultiDiscrete, Registry,
    RowSpace, Seed, Space, SyncVectorEnv, VectorEnv,
    bsuite::Catch,
    classic::{CartPole, Pendulum},
    each_kind,
    minatar::Breakout,
    serde_json::json,
    toy_text::{Blackjack, FrozenLake},
    wrappers::{FrameStack, NormalizeObservation, RepeatAction, StackSpace, TimeLimit},
};

/// Takes 1,000 random steps after as many that warm the vector, in which episodes begin anew.
fn steps_allocate_nothing<O: Space, A: Space>(envs: &mut dyn VectorEnv<O, A>, what: &str) {
    let (n, mut rng) = (envs.num_envs(), Seed::new(1).rng());
    let space = envs.action_space().clone();
    let batches: Vec<Vec<A::Element>> =
        (0..2_000).map(|_| (0..n).map(|_| space.sample(&mut rng)).collect()).collect();
    envs.reset().unwrap();
    let mut ends = 0;
    let mut play = |batches: &[Vec<A::Element>]| {
        for actions in batches {
            let step = envs.step(actions).unwrap();
            ends += step.outcomes.iter().filter(|outcome| outcome.is_final()).count();
        }
    };
    play(&batches[..1_000]);
    assert_eq!(allocations(|| play(&batches[1_000..])), 0, "{what}");
    assert!(ends >= 10 * n, "{what}: {ends} episodes ended");
}

/// A vector of three, each within a step limit.
fn typed<E: Env + Clone>(env: E) {
    let envs = vec![TimeLimit::new(env, 50); 3];
    let mut envs = SyncVectorEnv::new(envs, Seed::new(0)).unwrap();
    steps_allocate_nothing(&mut envs, std::any::type_name::<E>());
}

#[test]
fn a_typed_step_allocates_nothing() {
    typed(CartPole::default());
    typed(Pendulum::default());
    typed(FrozenLake::default());
    typed(Blackjack::default());
    typed(Breakout::default());
    typed(Catch::default());
    typed(FrameStack::<_, 4>::new(CartPole::default()));
    typed(FrameStack::<_, 4>::new(Breakout::default()));
    typed(RepeatAction::new(Breakout::default(), 3).unwrap());
    typed(NormalizeObservation::new(Breakout::default(), 1e-8).unwrap());
}

/// By name, in each form that agents may ask for.
#[test]
fn an_erased_step_allocates_nothing() {
    let (registry, seed) = (Registry::builtin(), Seed::new(0));
    let options = EnvOptions::none().with("max_episode_steps", 50);
    let mut forms = 0;
    for id in [
        "CartPole-v1",
        "Pendulum-v1",
        "FrozenLake-v1",
        "Taxi-v4",
        "Blackjack-v1",
        "MinAtarBreakout-v1",
        "Catch-v0",
        "TicTacToe-v0",
    ] {
        let spec = registry.spec(id).unwrap();
        each_kind!(kind => {
            if let Some(envs) = spec.vector(kind, 3, seed, &options) {
                steps_allocate_nothing(&mut *envs.unwrap(), id);
                forms += 1;
            }
        });
    }
    assert_eq!(forms, 12);
}

/// In a wrapper by name, in each form too.
#[test]
fn a_wrapped_step_allocates_nothing() {
    let registry = Registry::builtin();
    let options = EnvOptions::none().with("max_episode_steps", 50);
    let wrappers = json!([{ "name": "FrameStack", "k": 3 }, "NormalizeReward"]);
    for id in ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1", "MinAtarBreakout-v1"] {
        let spec = registry.wrapped(registry.spec(id).unwrap(), &wrappers).unwrap();
        each_kind!(kind => {
            if let Some(envs) = spec.vector(kind, 3, Seed::new(0), &options) {
                steps_allocate_nothing(&mut *envs.unwrap(), id);
            }
        });
    }
}

#[test]
fn a_width_allocates_nothing() {
    fn check(space: &impl FeatureSpace, width: usize) {
        assert_eq!(allocations(|| assert_eq!(space.width(), width)), 0, "{space:?}");
        assert_eq!(space.shape().iter().product::<usize>(), width);
    }
    let (five, line) = (Discrete::new(5), BoxSpace::symmetric([1.0; 3]));
    let row = RowSpace::new(vec![0.0; 6], vec![1.0; 6], vec![3, 2]).unwrap();
    check(&five, 5);
    check(&line, 3);
    check(&row, 6);
    check(&MultiDiscrete::new([2, 3]).unwrap(), 5);
    check(&MultiBinary::<4>, 4);
    check(&(five, line), 8);
    check(&(five, line, row.clone(), five), 19);
    check(&StackSpace::<_, 4>::new(five), 20);
    check(&row.with_action_mask(4..6).unwrap(), 6);
}
