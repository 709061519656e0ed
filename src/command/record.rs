//! `gymnast record`: records episodes to learn from.

use std::{io::Write, path::PathBuf, process::ExitCode};

use gymnast_core::{statistics, text::escape_name};
use gymnast_envs::{
    EnvError, EnvSpec, RowSpace, Seed, Space, VectorEnv, each_kind,
    kind::{self, AnyKind, Kind as _},
};
use gymnast_harness::{AgentError, Demonstrations, SeedDir};

use super::{
    CommandError, Names, StopOnInterrupt,
    numbers::whole,
    play::{self, Choose},
    run_dir,
};
use crate::{Run, task::Task};

/// Record episodes of a trained agent or of random actions, as demonstrations
#[derive(clap::Args)]
#[command(
    after_help = "Each line of the file is a JSON object, one step: episode, observation (as a network reads it),\n\
    action, reward, outcome.\n\n\
    Examples:\n  \
    gymnast record runs/ppo-CartPole-v1 --episodes 25 --out episodes.jsonl\n  \
    gymnast record runs/ppo-CartPole-v1/seed-3 --out third.jsonl\n  \
    gymnast record CartPole-v1 --out random.jsonl           random actions\n  \
    gymnast train bc CartPole-v1 --set demonstrations=episodes.jsonl"
)]
pub(crate) struct Record {
    /// A run's directory (its first seed's agent plays), the directory of one seed, or an
    /// environment
    what: PathBuf,
    /// The JSON Lines file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The number of episodes
    #[arg(long, default_value_t = 25, value_parser = whole::<u32>(1..=1_000_000), allow_negative_numbers = true)]
    episodes: u32,
    /// The seed of the episodes. The same seed gives the same episodes
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>(0..=u64::MAX), allow_negative_numbers = true)]
    seed: u64,
    /// The maximum number of steps of an episode
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = whole::<u64>(1..=u64::MAX), allow_negative_numbers = true)]
    max_steps: u64,
    /// Set an option of the environment; not for runs (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(
    args: &Record,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let path = args.out.display();
    super::check_free(&args.out, args.force)?;
    let recorded = match run_dir::run_or_env(&args.what, names)? {
        None => record_run(args, names)?,
        Some(spec) => record_random(args, spec)?,
    };
    let Some(Recorded { returns, steps }) = recorded else {
        return Ok(super::interrupted("nothing was written"));
    };
    let (episodes, mean) = (returns.len(), statistics::mean(&returns).unwrap_or(f64::NAN));
    let path = escape_name(&path.to_string()).into_owned();
    writeln!(out, "{path}: {episodes} episodes, {steps} steps, mean return {mean:.3}")?;
    Ok(ExitCode::SUCCESS)
}

/// The result of recording.
struct Recorded {
    returns: Vec<f64>,
    steps: usize,
}

/// Records the greedy policy of the first seed selected.
fn record_run(args: &Record, names: &Names) -> Result<Option<Recorded>, CommandError> {
    let (run, dir) = &play::open(&args.what, &args.set, names)?;
    match &run.task {
        AnyKind::Finite(task) => {
            let agent = run_dir::load_agent(run, task, dir)?.agent;
            let mut options = run.options.clone();
            options.extend(run.evaluation.clone());
            let options = crate::run::env_options(run.env.id(), &options)?;
            let make =
                |seed| served(run.env.for_evaluation().vector(kind::Discrete, 1, seed, &options));
            record(args, make, |seed, _| {
                // A table reads indices of states, but the file holds what a network reads. So the
                // episode is played in both forms: the same seed and actions give the same steps.
                let mut same = (task.eval_envs())(1, seed)?;
                same.reset()?;
                let mut choose = play::greedy(&*agent, seed);
                Ok(Box::new(move |_| {
                    let action = choose(&same.observations()[0])?;
                    same.step(&[action])?;
                    Ok(action)
                }))
            })
        }
        AnyKind::Discrete(task) => record_agent(args, run, task, dir),
        AnyKind::MultiDiscrete(task) => record_agent(args, run, task, dir),
        AnyKind::Continuous(task) => record_agent(args, run, task, dir),
    }
}

/// Records an agent that reads the recorded observations.
fn record_agent<A: Space>(
    args: &Record,
    run: &Run,
    task: &Task<RowSpace, A>,
    dir: &SeedDir,
) -> Result<Option<Recorded>, CommandError> {
    let agent = run_dir::load_agent(run, task, dir)?.agent;
    record(args, |seed| (task.eval_envs())(1, seed), |seed, _| Ok(play::greedy(&*agent, seed)))
}

fn record_random(args: &Record, spec: &EnvSpec) -> Result<Option<Recorded>, CommandError> {
    let options = &run_dir::options(spec.id(), &args.set)?;
    each_kind!(kind => if spec.serves(kind.rows()) {
        let make = |seed| served(spec.vector(kind.rows(), 1, seed, options));
        return record(args, make, |seed, envs| Ok(play::random(seed, envs)));
    });
    Err(CommandError::failed(format!("{} has no observations that a network can read", spec.id())))
}

/// Returns a vector of a kind that the environment supports, unless a wrapper leaves only tables.
fn served<T>(vector: Option<Result<T, EnvError>>) -> Result<T, EnvError> {
    let none = || EnvError::Failed("it has no observations that a network can read".to_owned());
    vector.unwrap_or_else(|| Err(none()))
}

/// Plays the episodes, each in a fresh environment with its own seed, and writes them. `None` if
/// the process was interrupted.
fn record<'a, A: Space>(
    args: &Record,
    make: impl Fn(Seed) -> Result<Box<dyn VectorEnv<RowSpace, A>>, EnvError>,
    choose: impl Fn(Seed, &dyn VectorEnv<RowSpace, A>) -> Result<Choose<'a, RowSpace, A>, EnvError>,
) -> Result<Option<Recorded>, CommandError> {
    let interrupt = StopOnInterrupt::install();
    let seed = |episode: u32| Seed::new(args.seed).child("record", episode.into());
    let envs = make(seed(0))?;
    let mut recorded =
        Demonstrations::new(envs.observation_space().clone(), envs.action_space().clone());
    for episode in 0..args.episodes {
        let mut envs = make(seed(episode))?;
        let mut choose = choose(seed(episode), &*envs)?;
        let played = recorded.record(&mut *envs, args.max_steps, |seen| {
            if interrupt.requested() {
                // Ends the episode; below it is known that this is not a failure.
                return Err(AgentError::Interrupted);
            }
            choose(seen)
        });
        if interrupt.requested() {
            return Ok(None);
        }
        played?;
    }
    recorded.write(&args.out)?;
    Ok(Some(Recorded { returns: recorded.returns(), steps: recorded.len() }))
}
