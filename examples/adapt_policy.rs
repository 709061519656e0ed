//! Adapts a policy trained on one pole to poles of other lengths: fine-tunes the whole network or
//! its last layers only, and compares with training from scratch.
//!
//! ```text
//! cargo run --release --example adapt_policy
//! ```

use std::error::Error;

use gymnast::{
    BoxSpace, Discrete, Env as _, EnvError, Plan, Presets as _, Seed, SyncVectorEnv, VectorEnv,
    core::{
        optim::ParamGroup,
        statistics::{Bootstrap, mean},
    },
    deep::{Categorical, Networks as _, Ppo, PpoConfig},
    envs::{classic::CartPole, wrappers::TimeLimit},
    harness::{Trainer, Training, evaluate_policy},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Poles = Box<dyn VectorEnv<BoxSpace<4>, Discrete>>;
type Agent = Ppo<BoxSpace<4>, Categorical<Discrete>>;

const SEEDS: u64 = 10;
/// The presets were tuned on the seeds 0 to 9.
const FIRST_SEED: u64 = 100;
const LOOK_EVERY: u64 = 2_000;
/// The number of env steps of a training on a new pole.
const ENV_STEPS: u64 = 50_000;
const SOLVED: f64 = 475.0;

fn poles(length: f64, n: usize, seed: Seed) -> std::result::Result<Poles, EnvError> {
    let mut pole = CartPole::default();
    pole.length = length;
    Ok(Box::new(SyncVectorEnv::new(vec![TimeLimit::new(pole, 500); n], seed)?))
}

fn mean_return(agent: &Agent, length: f64, seed: Seed) -> Result<f64> {
    let make = move |n, seed| poles(length, n, seed);
    let episodes = evaluate_policy(agent, &make, 20, 500, seed)?;
    Ok(mean(&episodes.returns).ok_or("a return is not finite")?)
}

fn agent(seed: Seed, env_steps: Option<u64>) -> Result<(Agent, Training)> {
    let preset = PpoConfig::preset("CartPole-v1").ok_or("no preset")?;
    let (pole, mut training) = (CartPole::default(), preset.training);
    training.env_steps = env_steps.unwrap_or(training.env_steps);
    training.eval_every = LOOK_EVERY;
    let plan = Plan { seed, num_envs: training.num_envs, env_steps: training.env_steps };
    let head = Categorical::new(pole.action_space());
    Ok((Ppo::new(pole.observation_space(), head, preset.settings, &plan)?, training))
}

/// Trains on poles of this length. Returns the env steps until an evaluation reached 475 and the
/// last return.
fn learn_on(
    agent: &mut Agent,
    training: &Training,
    length: f64,
    seed: Seed,
) -> Result<(Option<u64>, f64)> {
    let mut envs = poles(length, training.num_envs, seed.child("envs", 0))?;
    let evaluations = Trainer::new(training, 0, agent, &mut *envs)
        .root(seed)
        .evaluate_in(move |n, seed| poles(length, n, seed))
        .run()?
        .evaluations;
    let reached = evaluations.iter().find(|evaluation| evaluation.mean_return >= SOLVED);
    let last = evaluations.last().ok_or("no evaluation")?;
    Ok((reached.map(|evaluation| evaluation.env_step), last.mean_return))
}

/// The results of one way, over all seeds.
#[derive(Default)]
struct Way {
    trained: usize,
    before: Vec<f64>,
    reached: Vec<Option<u64>>,
    last: Vec<f64>,
}

fn interval(values: &[f64]) -> Result<String> {
    let interval = Bootstrap::default().interval(values, mean, &mut Seed::new(0).rng())?;
    Ok(format!("{:.0} [{:.0}, {:.0}]", interval.estimate, interval.low, interval.high))
}

fn main() -> Result<()> {
    let lengths = [1.0, 2.0];
    let ways = ["from scratch", "all of the source policy", "its last layers alone"];
    let mut results = lengths.map(|_| ways.map(|_| Way::default()));
    for seed in FIRST_SEED..FIRST_SEED + SEEDS {
        let (mut source, training) = agent(Seed::new(seed), None)?;
        learn_on(&mut source, &training, CartPole::default().length, Seed::new(seed))?;
        for (length, results) in lengths.into_iter().zip(&mut results) {
            for (way, result) in results.iter_mut().enumerate() {
                let seed = Seed::new(1_000 + seed);
                let (mut agent, training) = agent(seed, Some(ENV_STEPS))?;
                let parameters = source.networks().parameters().len();
                result.trained = parameters;
                if way > 0 {
                    agent.begin_from(&source)?;
                }
                if way == 2 {
                    let last = agent.networks().last_layers();
                    result.trained = last.iter().map(ExactSizeIterator::len).sum();
                    let ranges = outside(&last, parameters);
                    agent.set_param_groups(&[ParamGroup {
                        ranges,
                        frozen: true,
                        ..ParamGroup::default()
                    }])?;
                }
                result.before.push(mean_return(&agent, length, seed.child("evaluation", 0))?);
                let (reached, last) = learn_on(&mut agent, &training, length, seed)?;
                result.reached.push(reached);
                result.last.push(last);
            }
        }
        eprintln!("seed {seed}");
    }
    println!(
        "PPO learned CartPole-v1 (a pole of half-length 0.5 m); {SEEDS} seeds, mean [95 %].\n"
    );
    println!(
        "| half-length, m | way | trained parameters | return before | env steps to {SOLVED} | return at the end |"
    );
    println!("|---|---|---|---|---|---|");
    for (length, results) in lengths.iter().zip(&results) {
        for (way, Way { trained, before, reached, last }) in ways.iter().zip(results) {
            let (before, last) = (interval(before)?, interval(last)?);
            let found: Vec<f64> = reached.iter().flatten().map(|&steps| steps as f64).collect();
            let steps = match found.len() {
                0 => "never".to_owned(),
                1 => format!("{:.0} (1 of {SEEDS})", found[0]),
                n => format!("{} ({n} of {SEEDS})", interval(&found)?),
            };
            println!("| {length} | {way} | {trained} | {before} | {steps} | {last} |");
        }
    }
    Ok(())
}

/// Returns the parts of `0..length` outside these ranges.
fn outside(ranges: &[std::ops::Range<usize>], length: usize) -> Vec<std::ops::Range<usize>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_by_key(|range| range.start);
    let starts = [0].into_iter().chain(sorted.iter().map(|range| range.end));
    let ends = sorted.iter().map(|range| range.start).chain([length]);
    starts.zip(ends).map(|(start, end)| start..end).filter(|range| !range.is_empty()).collect()
}
