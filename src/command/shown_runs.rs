//! The runs that `report` and `plot` show: ours, and those of other programs.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use gymnast_envs::EnvSpec;
use gymnast_harness::{
    SeedDir,
    foreign::{self, ForeignRun, ForeignSeed, Program},
    read_records,
    report::{Returns, RunResults, SeedResults, TrainingReturns},
};
use toml::{Table, Value};

use super::{CommandError, Names, run_dir, say};
use crate::{
    run::{CONFIG_FILE, read_toml},
    trained::Place,
};

/// The runs on the command line.
#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// Directories of runs or of their seeds; files and folders of other programs. NAME=PATH names the
    /// agent; of other programs NAME@ENV#SEED=PATH, or a part of it, the environment and the seed too
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<OsString>,
    /// The series of TensorBoard's and W&B's files to read [default: eval/mean_reward,
    /// charts/episodic_return or rollout/ep_rew_mean]
    #[arg(long)]
    tag: Option<String>,
}

/// What other programs' files may be, for the help.
pub(crate) const OTHER_PROGRAMS: &str = "Other programs:\n  \
    Stable-Baselines3    monitor.csv (training), evaluations.npz, or the folder that holds them\n  \
    rl-zoo               logs, logs/ppo or logs/ppo/CartPole-v1_1: each CartPole-v1_N is a seed\n  \
    CleanRL              runs/CartPole-v1__ppo__1__1700000000, or the folder of several (training)\n  \
    TensorBoard          events.out.tfevents.*, or its folder; --tag chooses the series\n  \
    W&B                  the CSV of a chart: each run is a column\n  \
    rliable              scores as .npz or .json: {agent: [runs][games]}";

/// Where a run's other records are.
pub(crate) enum Source {
    /// The directory of one of our runs, or of a seed.
    Own(PathBuf),
    /// Files of another program: the training returns of each seed, which were read with its results.
    Foreign { program: Program, paths: Vec<PathBuf>, training: Vec<TrainingReturns> },
}

impl Source {
    /// Returns the returns of training episodes, of each seed of the run.
    ///
    /// # Errors
    /// If another program's run has none, or one of ours cannot be read.
    pub(crate) fn training(&self, run: &RunResults) -> Result<Vec<TrainingReturns>, CommandError> {
        let dir = match self {
            Self::Own(dir) => Place::of(dir).run,
            Self::Foreign { training, .. } if training.iter().any(TrainingReturns::is_empty) => {
                let run = &run.run;
                return Err(CommandError::failed(format!(
                    "{run} holds evaluations only, no returns of training episodes: show it without --episodes"
                )));
            }
            Self::Foreign { training, .. } => return Ok(training.clone()),
        };
        let read = |seed: &SeedResults| {
            Ok(read_records(&SeedDir::below(&dir, seed.seed).path)?.into_iter().collect())
        };
        run.seeds.iter().map(read).collect()
    }

    /// Returns the settings of a run; for another program's run where it was read from.
    pub(crate) fn settings(&self) -> Result<Table, CommandError> {
        match self {
            Self::Own(dir) => Ok(read_toml(&Place::of(dir).run.join(CONFIG_FILE))?),
            Self::Foreign { program, paths, .. } => {
                let path = |path: &PathBuf| Value::from(path.display().to_string());
                let paths: Vec<Value> = paths.iter().map(path).collect();
                let mut table = Table::new();
                table.insert("written_by".to_owned(), program.to_string().into());
                table.insert("read_from".to_owned(), paths.into());
                Ok(table)
            }
        }
    }
}

/// Reads the runs on the command line, each with its source.
pub(crate) fn read(
    args: &RunArgs,
    threshold: Option<f64>,
    names: &Names,
) -> Result<(Vec<RunResults>, Vec<Source>), CommandError> {
    let arguments = args.runs.iter().map(|run| Argument::parse(run));
    let arguments = distinct(arguments.collect::<Result<Vec<_>, _>>()?);
    // Each with the place of its argument.
    let mut shown: Vec<(usize, RunResults, Source)> = Vec::new();
    let mut foreign: Vec<(usize, ForeignSeed)> = Vec::new();
    for (index, argument) in arguments.into_iter().enumerate() {
        if is_own(&argument.path) {
            let (results, source) = argument.own(threshold, names)?;
            shown.push((index, results, source));
        } else {
            let seeds = argument.foreign(args.tag.as_deref())?;
            foreign.extend(seeds.into_iter().map(|seed| (index, seed)));
        }
    }
    if args.tag.is_some() && foreign.is_empty() {
        return Err(CommandError::usage(
            "--tag chooses a series of another program's files: expected such a file",
        ));
    }
    let (places, seeds): (Vec<_>, Vec<_>) = foreign.into_iter().unzip();
    let paths: Vec<_> = seeds.iter().map(|seed| seed.path.clone()).collect();
    for run in ForeignRun::group(seeds)? {
        let first = paths.iter().position(|path| *path == run.paths[0]);
        let (results, source) = completed(run, threshold, names);
        shown.push((first.map_or(usize::MAX, |first| places[first]), results, source));
    }
    shown.sort_by_key(|(place, ..)| *place);
    Ok(shown.into_iter().map(|(_, results, source)| (results, source)).unzip())
}

/// Puts the returns of training episodes in the place of all evaluations.
pub(crate) fn take_training(
    runs: &mut [RunResults],
    sources: &[Source],
) -> Result<(), CommandError> {
    for (run, source) in runs.iter_mut().zip(sources) {
        let training = source.training(run)?;
        run.returns = Returns::Training;
        for (seed, means) in run.seeds.iter_mut().zip(TrainingReturns::evaluations_of(&training)) {
            seed.evaluations = means;
        }
    }
    Ok(())
}

/// Gives a run of another program what is known of its environment.
fn completed(run: ForeignRun, threshold: Option<f64>, names: &Names) -> (RunResults, Source) {
    let ForeignRun { program, mut results, training, paths } = run;
    let spec = names.registry.spec(&results.env).ok();
    results.threshold = threshold.or_else(|| spec?.threshold());
    results.reference = spec.and_then(EnvSpec::reference).or(results.reference);
    (results, Source::Foreign { program, paths, training })
}

/// Returns whether a path is one of our runs or of its seeds.
fn is_own(path: &Path) -> bool {
    Place::of(path).run.join(CONFIG_FILE).is_file()
}

/// A run on the command line: `[AGENT][@ENV][#SEED]=PATH`, or the path alone.
#[derive(Debug, Default, PartialEq, Eq)]
struct Argument {
    agent: Option<String>,
    env: Option<String>,
    seed: Option<u64>,
    path: PathBuf,
}

impl Argument {
    fn parse(text: &OsStr) -> Result<Self, CommandError> {
        let alone = Self { path: text.into(), ..Self::default() };
        let parts = text.to_str().filter(|_| !alone.path.exists()).and_then(|t| t.split_once('='));
        let Some((name, path)) = parts else { return Ok(alone) };
        let (name, seed) = match name.split_once('#') {
            Some((name, seed)) => (name, Some(seed)),
            None => (name, None),
        };
        let (agent, env) = match name.split_once('@') {
            Some((agent, env)) => (agent, Some(env)),
            None => (name, None),
        };
        // A name does not lead anywhere: this is the path of a folder like `runs/alpha=0.1`.
        if agent.contains('/') {
            return Ok(alone);
        }
        let usage = |what: &str| {
            let text = text.to_string_lossy();
            CommandError::usage(format!("{text}: {what}, as in ppo@CartPole-v1#3=PATH"))
        };
        let seed = seed.map(|seed| seed.parse().map_err(|_| usage("expected a number behind #")));
        let (seed, agent) = (seed.transpose()?, Some(agent).filter(|agent| !agent.is_empty()));
        if env == Some("") || (agent, env, seed) == (None, None, None) || path.is_empty() {
            return Err(usage("expected a name before = and a path behind it"));
        }
        let owned = |text: &str| text.to_owned();
        Ok(Self { agent: agent.map(owned), env: env.map(owned), seed, path: path.into() })
    }

    /// Reads one of our runs.
    fn own(
        self,
        threshold: Option<f64>,
        names: &Names,
    ) -> Result<(RunResults, Source), CommandError> {
        if self.env.is_some() || self.seed.is_some() {
            let path = self.path.display();
            return Err(CommandError::usage(format!(
                "{path} says its environment and seeds: expected {path} or NAME={path}"
            )));
        }
        let mut results = run_dir::results_of(&self.path, threshold, names, |_| true)?;
        results.agent = self.agent.unwrap_or(results.agent);
        Ok((results, Source::Own(self.path)))
    }

    /// Reads the seeds of another program's file or folder, under the names given.
    fn foreign(self, tag: Option<&str>) -> Result<Vec<ForeignSeed>, CommandError> {
        let mut seeds = foreign::read(&self.path, tag)?;
        let path = self.path.display();
        // The names of W&B's runs are no agents' names.
        let is_agent =
            |seed: &&ForeignSeed| seed.program != Program::WeightsAndBiases || seed.env.is_some();
        let agents = seeds.iter().filter(is_agent).filter_map(|seed| seed.agent.as_deref());
        expect_one("agents", agents, self.agent.as_deref(), &self.path)?;
        let envs = seeds.iter().filter_map(|seed| seed.env.as_deref());
        expect_one("environments", envs, self.env.as_deref(), &self.path)?;
        if self.seed.is_some() && seeds.len() > 1 {
            let count = seeds.len();
            return Err(CommandError::usage(format!(
                "{path} holds {count} seeds: one number cannot name them"
            )));
        }
        let mut said: Vec<&String> = Vec::new();
        for remark in seeds.iter().flat_map(|seed| &seed.remarks) {
            if !said.contains(&remark) {
                say(&format!("{path}: {remark}"));
                said.push(remark);
            }
        }
        for seed in &mut seeds {
            if let Some(agent) = &self.agent {
                (seed.agent, seed.is_named) = (Some(agent.clone()), true);
            }
            seed.env = self.env.clone().or(seed.env.take());
            seed.seed = self.seed.or(seed.seed);
        }
        Ok(seeds)
    }
}

/// Refuses one name for what has several.
fn expect_one<'a>(
    what: &str,
    found: impl Iterator<Item = &'a str>,
    name: Option<&str>,
    path: &Path,
) -> Result<(), CommandError> {
    let mut found: Vec<_> = found.collect();
    found.sort_unstable();
    found.dedup();
    let Some(name) = name.filter(|_| found.len() > 1) else { return Ok(()) };
    let (path, found) = (path.display(), found.join(", "));
    Err(CommandError::usage(format!(
        "{path} holds several {what}, which {name} cannot name: {found}"
    )))
}

/// Removes arguments whose paths lead to the same place as an earlier one.
fn distinct(arguments: Vec<Argument>) -> Vec<Argument> {
    let paths: Vec<_> = arguments.iter().map(|argument| argument.path.clone()).collect();
    let kept = run_dir::distinct(&paths);
    let mut arguments = arguments;
    let mut next = kept.iter().peekable();
    arguments.retain(|argument| next.next_if(|path| **path == argument.path).is_some());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Argument {
        Argument::parse(OsStr::new(text)).unwrap()
    }

    fn argument(agent: &str, env: &str, seed: Option<u64>, path: &str) -> Argument {
        let name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Argument { agent: name(agent), env: name(env), seed, path: path.into() }
    }

    #[test]
    fn a_path_may_have_names_before_it() {
        for (text, expected) in [
            ("logs/ppo", argument("", "", None, "logs/ppo")),
            ("sb3=logs/ppo", argument("sb3", "", None, "logs/ppo")),
            ("sb3@A-v1=x", argument("sb3", "A-v1", None, "x")),
            ("@ALE/Pong-v5=x", argument("", "ALE/Pong-v5", None, "x")),
            ("sb3@A-v1#7=x=y", argument("sb3", "A-v1", Some(7), "x=y")),
            ("#7=x", argument("", "", Some(7), "x")),
            ("runs/alpha=0.1", argument("", "", None, "runs/alpha=0.1")),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        for (text, part) in [
            ("=x", "a name before ="),
            ("a=", "a path behind it"),
            ("a@=x", "a name before ="),
            ("a#b=x", "a number behind #"),
            ("a#-1=x", "a number behind #"),
        ] {
            let error = Argument::parse(OsStr::new(text)).unwrap_err();
            assert!(error.message().unwrap().contains(part), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_path_that_is_there_is_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alpha=0.1");
        std::fs::write(&path, "").unwrap();
        let text = path.to_str().unwrap();
        assert_eq!(parse(text), argument("", "", None, text));
    }

    #[test]
    fn a_path_counts_once() {
        let all = ["a=src", "src", "b=src/run", "./src"].map(parse);
        let kept = distinct(all.into());
        assert_eq!(kept, [argument("a", "", None, "src"), argument("b", "", None, "src/run")]);
    }
}
