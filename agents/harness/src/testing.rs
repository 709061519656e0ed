//! Tests that every agent must pass: it solves a two-armed bandit (a one-step quadratic task if
//! actions are real numbers), resumes from a checkpoint bit for bit, plays after loading as before
//! saving, and survives invalid checkpoints.
//!
//! Use them in the tests of your own agents:
//!
//! ```ignore
//! let make = |plan: &Plan| {
//!     testing::setup(plan, TwoArmedBandit::default, |o, a| MyAgent::new(o, a, config, plan))
//! };
//! testing::assert_learns(make, &training, 0.75);
//! testing::assert_resumes_exactly(make, &training);
//! testing::assert_survives_damage(make, &training, 100);
//! ```

mod bytes;
mod damage;
mod drive;
mod lost_episodes;

use std::{fs, path::Path, sync::Arc};

use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvError, Rng, Seed, Space, Step, SyncVectorEnv, VectorEnv, snapshot,
};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::{
    Agent, Callback, Ending, Episode, Evaluation, Existing, Flow, MetricRow, Plan, Progress,
    Record, RunIdentity, SeedDir, Setup, TrainError, Training, Which, evaluate_policy,
    run_directory::read_config, trainer::evaluation_seed,
};

pub use bytes::damaged_copy;
pub use damage::assert_survives_damage;
pub use lost_episodes::{Unsavable, state_after_a_lost_episode};

/// A bandit with two arms: the second pays 1 with probability 0.8, the first with 0.2. Each episode
/// is one pull.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TwoArmedBandit {}

impl Env for TwoArmedBandit {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        Ok(0)
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let wins = rand::RngExt::random_bool(rng, if *action == 1 { 0.8 } else { 0.2 });
        Ok(Step::new(0, f64::from(u8::from(wins)), true))
    }

    snapshot!();
}

/// A one-step task with a real-valued action between −2 and 4: for an observation s in [−1, 1] it
/// pays −(a − 1 − s)². The random policy gets −3.3 on average, the best one 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Quadratic {
    seen: f32,
}

impl Env for Quadratic {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::new([-2.0], [4.0]).expect("the bounds are ordered")
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 1], EnvError> {
        self.seen = rand::RngExt::random_range(rng, -1.0..1.0);
        Ok([self.seen])
    }

    fn step(&mut self, action: &[f32; 1], _rng: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        let miss = f64::from(action[0] - 1.0 - self.seen);
        Ok(Step::new([self.seen], -miss * miss, true))
    }

    snapshot!();
}

/// Returns a training of `env_steps` that evaluates, logs and saves more than once.
#[must_use]
pub fn training(env_steps: u64, num_envs: usize) -> Training {
    let (eval_every, log_every, checkpoint_every) = (env_steps / 4, env_steps / 3, env_steps / 2);
    Training { env_steps, num_envs, eval_every, log_every, checkpoint_every, ..Training::default() }
}

/// Creates an agent with environments of one type.
///
/// # Errors
/// The errors of `make_agent`.
pub fn setup<E, G>(
    plan: &Plan,
    make_env: impl Fn() -> E + Send + Sync + 'static,
    make_agent: impl FnOnce(E::ObservationSpace, E::ActionSpace) -> Result<G, crate::AgentError>,
) -> Result<Setup<E::ObservationSpace, E::ActionSpace>, TrainError>
where
    E: Env + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace> + 'static,
{
    let eval_envs = move |n: usize, seed: Seed| {
        let envs = SyncVectorEnv::new((0..n).map(|_| make_env()).collect(), seed)?;
        let envs: Box<dyn VectorEnv<E::ObservationSpace, E::ActionSpace>> = Box::new(envs);
        Ok(envs)
    };
    let envs = eval_envs(plan.num_envs, plan.seed.child("envs", 0))?;
    let agent = make_agent(envs.observation_space().clone(), envs.action_space().clone())?;
    Ok(Setup { agent: Box::new(agent), envs, eval_envs: Arc::new(eval_envs) })
}

/// Asserts that the mean final evaluation (100 episodes) over five seeds reaches `at_least`.
///
/// # Panics
/// If it does not, or a training fails.
pub fn assert_learns<O: Space, A: Space>(
    make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError>,
    training: &Training,
    at_least: f64,
) {
    let training = Training { eval_episodes: 100, eval_every: 0, ..training.clone() };
    let last = |seed| {
        let mut setup = make(&training.plan(seed)).expect("the agent can be made");
        let summary = setup.trainer(&training, seed).run().expect("the training ends");
        summary.evaluations.last().expect("a training ends with an evaluation").mean_return
    };
    let returns: Vec<f64> = (0..5).map(last).collect();
    let mean = returns.iter().sum::<f64>() / 5.0;
    assert!(mean >= at_least, "mean return {mean}, expected at least {at_least}: {returns:?}");
}

/// Asserts that a training stopped at several moments and resumed with fresh objects leaves the
/// same files as an uninterrupted one, and that the loaded agent plays the same greedy episodes.
///
/// # Panics
/// If it does not, or a training fails.
pub fn assert_resumes_exactly<O: Space, A: Space>(
    make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError>,
    training: &Training,
) {
    let folder = std::env::temp_dir().join(format!("gymnast-{}", std::process::id()));
    let name = std::thread::current().name().unwrap_or("test").replace(':', "-");
    let (whole, parts) =
        (folder.join(format!("{name}-whole")), folder.join(format!("{name}-parts")));
    let (seed, plan) = (7, training.plan(7));
    let run = |dir: &Path, stop_at: u64, existing: Existing| {
        let mut setup = make(&plan).expect("the agent can be made");
        let mut stop = StopAt(stop_at);
        let trainer = setup.trainer(training, seed).callback(&mut stop);
        let trainer = trainer.record_to(dir, existing, &Table::new()).expect("plain settings");
        trainer.run().expect("the training ends")
    };
    let uninterrupted = run(&whole, u64::MAX, Existing::Replace);
    assert_eq!(uninterrupted.ending, Ending::Budget);
    let n = training.num_envs as u64;
    let moments = [1, 2, 3, 5].map(|fifths| training.env_steps * fifths / 7 / n * n + n);
    for (i, moment) in moments.into_iter().enumerate() {
        let existing = if i == 0 { Existing::Replace } else { Existing::Resume };
        assert_eq!(run(&parts, moment, existing).ending, Ending::Stopped);
    }
    assert_eq!(run(&parts, u64::MAX, Existing::Resume).ending, Ending::Budget);
    let before = *uninterrupted.evaluations.last().expect("a training ends with an evaluation");
    for path in [&whole, &parts] {
        let mut loaded = make(&plan).expect("the agent can be made");
        let of_seed = SeedDir::below(path, seed);
        let identity = RunIdentity::new(&read_config(path).expect("a run"), seed);
        let saved = of_seed.saved(Which::Newest, &identity, |state| {
            Ok(state.load_part("agent", &mut *loaded.agent)?)
        });
        let saved = saved.expect("readable").expect("a final checkpoint");
        assert_eq!(saved.env_steps, training.env_steps);
        let (seed, count) = (evaluation_seed(plan.seed, before.env_step), training.eval_episodes);
        let limit = training.max_eval_steps;
        let played = evaluate_policy(&*loaded.agent, &*loaded.eval_envs, count, limit, seed);
        let after = played.expect("episodes").summarize(before.env_step, before.wall_time_s);
        assert_eq!(after, before, "greedy episodes after loading");
    }
    let last = format!("seed-{seed}/checkpoints/{:012}", training.env_steps);
    for file in ["arrays.safetensors", "values.json"] {
        let read = |dir: &Path| fs::read(dir.join(&last).join(file)).expect("a final checkpoint");
        assert!(read(&whole) == read(&parts), "{file} differs");
    }
    for file in [Episode::FILE, Evaluation::FILE, MetricRow::FILE] {
        let read = |dir: &Path| without_wall_time(&SeedDir::below(dir, seed).path.join(file));
        assert_eq!(read(&whole), read(&parts), "{file}");
    }
    fs::remove_dir_all(&whole).and_then(|()| fs::remove_dir_all(&parts)).expect("they are ours");
}

/// The rows of a CSV file without the column `wall_time_s`.
fn without_wall_time(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("the file is there");
    let mut rows = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
    let header: Vec<String> = rows.next().expect("a header");
    let column = header.iter().position(|name| name == "wall_time_s").expect("the column");
    let mut rows: Vec<Vec<String>> = rows.collect();
    rows.iter_mut().for_each(|row| drop(row.remove(column)));
    rows
}

/// Ends a training at this env step, or at the next that it sees. No checkpoint may be
/// passed over.
struct StopAt(u64);

impl Callback for StopAt {
    fn on_warning(&mut self, message: &str) {
        panic!("{message}");
    }

    fn on_step(&mut self, progress: &Progress) -> Flow {
        Flow::stop_if(progress.env_steps >= self.0)
    }
}
