//! `gymnast evaluate`: evaluates a trained agent.

use std::{io::Write, path::PathBuf, process::ExitCode};

use gymnast_core::text::columns;
use gymnast_envs::{Seed, with_kind};
use gymnast_harness::{
    Callback as _, Mode, Policy as _, SeedDir, TrainError, evaluate_policy_while,
};
use gymnast_tabular::Model;
use serde::Serialize;

use super::{
    CommandError, Names, StopOnInterrupt, numbers::whole, run_dir, table::optional, write_json,
};
use crate::{Run, task::AnyTask, trained::LoadedAgent};

/// Evaluate the newest checkpoint of each seed over greedy episodes
#[derive(clap::Args)]
#[command(
    after_help = "Where the environment tells its transitions, each policy's expected return is computed too, without\n\
    episodes, and its regret: what the best policy reaches more, knowing the time that is left. Among\n\
    equally good actions a table chooses each as often.\n\n\
    Examples:\n  \
    gymnast evaluate runs/q-learning-FrozenLake-v1 --episodes 1000\n  \
    gymnast evaluate runs/q-learning-FrozenLake-v1/seed-3 --json"
)]
pub(crate) struct Evaluate {
    /// The directory of a run or of one of its seeds
    run: PathBuf,
    /// The number of episodes for each seed's agent
    #[arg(long, default_value_t = 100, value_parser = whole::<u32>(1..=1_000_000), allow_negative_numbers = true)]
    episodes: u32,
    /// The seed of the episodes. The same seed gives the same episodes; each agent has its own
    #[arg(long, default_value_t = 0, value_parser = whole::<u64>(0..=u64::MAX), allow_negative_numbers = true)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How often a policy is asked for its action in each state. Tables choose equally among their best
/// actions: of ten, one is missed once in 10⁴ states.
const DRAWS: u32 = 100;

/// The results of the agents.
#[derive(Serialize)]
struct Played {
    agent: &'static str,
    env: String,
    episodes: u32,
    seeds: Vec<OfSeed>,
    /// The mean of the seeds' mean returns.
    mean_return: f64,
    /// The sample standard deviation of the seeds' mean returns (n − 1). `None` for one seed.
    std_return: Option<f64>,
    /// The highest expected return. `None` without known transitions.
    best_return: Option<f64>,
}

#[derive(Serialize)]
struct OfSeed {
    seed: u64,
    env_steps: u64,
    mean_return: f64,
    /// The standard deviation over the episodes (n). `None` for one episode.
    std_return: Option<f64>,
    min_return: f64,
    max_return: f64,
    mean_length: f64,
    /// The expected return of the policy. `None` without known transitions.
    exact_return: Option<f64>,
    /// What the best policy reaches more.
    regret: Option<f64>,
}

pub(crate) fn run(
    args: &Evaluate,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let (run, dirs) = run_dir::open(&args.run, names)?;
    let mut interrupt = StopOnInterrupt::install();
    let mut seeds = Vec::new();
    let exact = Exact::of(&run)?;
    for dir in &dirs {
        let exact_return = exact.as_ref().map(|exact| exact.value(&run, dir, args.seed));
        let exact_return = exact_return.transpose()?.flatten();
        let (env_steps, episodes) = with_kind!(&run.task, (_, task) => {
            let LoadedAgent { agent, env_steps, .. } = run_dir::load_agent(&run, task, dir)?;
            let (count, limit) = (args.episodes as usize, run.training.max_eval_steps);
            let seed = Seed::new(args.seed).child("evaluate", dir.seed);
            let look = &mut || interrupt.on_evaluation_step();
            (env_steps, evaluate_policy_while(&*agent, task.eval_envs(), count, limit, seed, look)?)
        });
        let Some(episodes) = episodes else {
            return Ok(super::interrupted("the run is unchanged"));
        };
        let summary = episodes.summarize(env_steps, 0.0);
        let steps: u64 = episodes.lengths.iter().sum();
        seeds.push(OfSeed {
            seed: dir.seed,
            env_steps,
            mean_return: summary.mean_return,
            std_return: Some(summary.std_return).filter(|_| args.episodes > 1),
            min_return: summary.min_return,
            max_return: summary.max_return,
            mean_length: steps as f64 / f64::from(args.episodes),
            exact_return,
            regret: exact_return.zip(exact.as_ref()).map(|(value, exact)| exact.best - value),
        });
    }
    let means: Vec<f64> = seeds.iter().map(|seed| seed.mean_return).collect();
    let mean_return = gymnast_core::statistics::mean(&means).unwrap_or(f64::NAN);
    let std_return = gymnast_core::statistics::sample_std(&means);
    let (agent, env) = (run.agent.name, run.env.id().to_owned());
    let best_return = exact.map(|exact| exact.best);
    let episodes = args.episodes;
    let result = Played { agent, env, episodes, seeds, mean_return, std_return, best_return };
    if args.json {
        write_json(out, &result)?;
    } else {
        write!(out, "{}", to_text(&result))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known of an environment with known transitions.
struct Exact {
    model: Model,
    /// The most steps of an episode.
    steps: u32,
    /// The highest expected return.
    best: f64,
}

impl Exact {
    /// `None` unless observations and actions are finite, episodes limited and transitions known.
    fn of(run: &Run) -> Result<Option<Self>, CommandError> {
        let options = run.evaluation_options()?;
        let Some(steps) = options.max_episode_steps(run.env.id())? else { return Ok(None) };
        let env = run.env.for_evaluation().make(0, &options)?;
        let model = Model::of_dyn(&*env)?;
        Ok(model.map(|model| Self { best: model.optimal_within(steps), model, steps }))
    }

    /// Returns the expected return of a seed's policy; `None` unless it is a table.
    fn value(&self, run: &Run, dir: &SeedDir, seed: u64) -> Result<Option<f64>, CommandError> {
        let AnyTask::Finite(task) = &run.task else { return Ok(None) };
        let LoadedAgent { agent, .. } = run_dir::load_agent(run, task, dir)?;
        let states: Vec<i64> = (0..).take(self.model.states()).collect();
        let (mut actions, mut policy) = (Vec::new(), vec![Vec::new(); states.len()]);
        let rng = &mut Seed::new(seed).child("evaluate", dir.seed).child("ties", 0).rng();
        for _ in 0..DRAWS {
            agent.act(&states, Mode::Exploit, rng, &mut actions).map_err(TrainError::from)?;
            for (of_state, action) in policy.iter_mut().zip(&actions) {
                // Tables count both from 0.
                let action = *action as usize;
                if !of_state.contains(&action) {
                    of_state.push(action);
                }
            }
        }
        Ok(Some(self.model.mixed_policy_value(&policy, self.steps)))
    }
}

fn to_text(result: &Played) -> String {
    let headings = ["seed", "trained for", "mean return", "std", "min", "max", "mean length"];
    let row = |s: &OfSeed| {
        [
            s.seed.to_string(),
            format!("{} steps", s.env_steps),
            format!("{:.3}", s.mean_return),
            optional(s.std_return.map(|std| format!("{std:.3}"))),
            format!("{:.3}", s.min_return),
            format!("{:.3}", s.max_return),
            format!("{:.1}", s.mean_length),
        ]
    };
    let rows: Vec<_> =
        std::iter::once(headings.map(str::to_owned)).chain(result.seeds.iter().map(row)).collect();
    let mut exact = vec![["seed", "expected return", "regret"].map(str::to_owned)];
    for seed in &result.seeds {
        if let (Some(value), Some(regret)) = (seed.exact_return, seed.regret) {
            exact.push([seed.seed.to_string(), format!("{value:.4}"), format!("{regret:.4}")]);
        }
    }
    let exact = match result.best_return {
        Some(best) if exact.len() > 1 => format!(
            "\nexactly, by the environment's transitions; the best policy reaches {best:.4}\n\n{}",
            columns(&exact)
        ),
        _ => String::new(),
    };
    let std = result.std_return.map(|std| format!(" ± {std:.3}")).unwrap_or_default();
    format!(
        "{} in {}, {} greedy episodes a seed\n\n{}\nmean over seeds: {:.3}{std}\n{exact}",
        result.agent,
        result.env,
        result.episodes,
        columns(&rows),
        result.mean_return,
    )
}
