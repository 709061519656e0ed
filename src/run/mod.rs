//! Runs by names, as described by a `config.toml`.

mod config;
mod wrappers;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use gymnast_core::files;
use gymnast_envs::{EnvError, EnvOptions, EnvSpec, Registry, with_kind};
use gymnast_harness::{
    Callback, Existing, Experiment, Plan, ProgressDisplay, Quiet, RunIdentity, Summary, TrainError,
    Training, check_first_update,
};
use thiserror::Error;
use toml::Table;

use crate::{
    Catalog,
    catalog::{AgentEntry, UnknownAgent},
    settings::{self, SettingsError},
    task::{AnyTask, any_task},
};

use config::{check_parts, complete, complete_evaluation, part, put_together, take_name};
pub(crate) use config::{env_options, read_seeds, read_toml};
#[cfg(feature = "command")]
pub(crate) use config::{key_path, seeds_to_toml, set_key};
pub use config::{overlay, read_config};
#[cfg(feature = "command")]
pub(crate) use wrappers::parse_flags;

/// The file in a run's directory that describes the run.
pub const CONFIG_FILE: &str = "config.toml";
/// The pictures that the command draws into a run's directory.
pub(crate) const PICTURES: [&str; 2] = ["learning_curve.svg", "learning_curve.png"];
/// The default number of seeds.
const DEFAULT_SEEDS: u64 = 5;

/// The complete description of a run: agent, environment, training and seeds.
///
/// ```toml
/// seeds = [0, 1, 2, 3, 4]
///
/// [agent]
/// name = "q-learning"
/// alpha = 0.1
///
/// [env]
/// id = "FrozenLake-v1"
/// is_slippery = true
///
/// [training]
/// env_steps = 300000
/// ```
///
/// `env.wrappers` lists wrappers around the environment, from the innermost outward:
/// `["ClipAction", { name = "FrameStack", k = 4 }]`. Evaluations leave out those that change
/// rewards.
///
/// The part `[evaluation]` holds the options of the environment that differ in evaluations, if any:
/// for example the opponent of a game learned by self-play.
pub struct Run {
    /// The agent.
    pub agent: AgentEntry,
    /// All settings of the agent.
    pub settings: Table,
    /// The environment, inside its wrappers.
    pub env: EnvSpec,
    /// All options of the environment.
    pub options: Table,
    /// The options that differ in evaluations, with their values.
    pub evaluation: Table,
    /// The training.
    pub training: Training,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The agent in the environment.
    pub task: AnyTask,
}

/// Why a run cannot be created or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration cannot be read.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The run does not have this seed.
    #[error("{} has no seed {seed}: {}", path.display(), in_words(known))]
    NoSeed {
        /// The run's directory.
        path: PathBuf,
        /// The seed asked for.
        seed: u64,
        /// The available seeds.
        known: Vec<u64>,
    },
    /// The run of a [`Trainer`](gymnast_harness::Trainer) names no agent and no environment.
    #[error(
        "{} names no agent and no environment: record it with `Trainer::named`, or load its agent with \
         `Trained::load_into`",
        path.display()
    )]
    Unnamed {
        /// The run's directory.
        path: PathBuf,
    },
    /// A seed kept no best agent.
    #[error(
        "{} holds no best agent: train with `keep_best` (--set training.keep_best=true)",
        path.display()
    )]
    NoBest {
        /// The seed's directory.
        path: PathBuf,
    },
    /// A seed has no checkpoint yet.
    #[error("{} holds no checkpoint yet: continue the training first", path.display())]
    NoCheckpoint {
        /// The seed's directory.
        path: PathBuf,
    },
    /// The configuration is incomplete or has unknown parts.
    #[error("{0}")]
    Config(String),
    /// The agent does not support the environment.
    #[error(
        "{agent} cannot learn in {env}: it needs {needs}. Agents for {env}: {serving}. Environments \
         for {agent}: {served}"
    )]
    Impossible {
        /// The agent.
        agent: &'static str,
        /// The environment.
        env: String,
        /// What the agent needs.
        needs: String,
        /// The agents that support the environment.
        serving: String,
        /// The environments that the agent supports.
        served: String,
    },
    /// A wrapper learns statistics during training that an evaluation would not share.
    #[error("{wrapper} learns statistics that an evaluation would not share: {advice}")]
    Unshared {
        /// The wrapper.
        wrapper: &'static str,
        /// What to do instead.
        advice: String,
    },
    /// No agent has this name.
    #[error(transparent)]
    Agent(#[from] UnknownAgent),
    /// A setting is invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The environment cannot be created.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// The training is invalid.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Returns the options of an environment with those that differ in evaluations.
fn merged_options(id: &str, options: &Table, evaluation: &Table) -> Result<EnvOptions, RunError> {
    let mut all = options.clone();
    all.extend(evaluation.clone());
    env_options(id, &all)
}

/// The seeds of a run, in words.
fn in_words(seeds: &[u64]) -> String {
    match seeds {
        [] => "it has no seeds yet".to_owned(),
        _ => format!(
            "its seeds are {}",
            seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Returns the default number of seeds to train in parallel: the number of cores.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

impl Run {
    /// Returns the default configuration of an agent in an environment: its preset if there is one,
    /// else its defaults.
    ///
    /// # Errors
    /// [`RunError::Agent`] and [`RunError::Env`] for unknown names.
    pub fn defaults(
        catalog: &Catalog,
        registry: &Registry,
        agent: &str,
        env: &str,
    ) -> Result<Table, RunError> {
        let (entry, spec) = (catalog.agent(agent)?, registry.spec(env)?);
        let preset = entry.preset(spec.id());
        let training = preset.map(|preset| preset.training.clone()).unwrap_or_default();
        let mut agent = preset.map_or_else(|| entry.defaults.clone(), |p| p.settings.clone());
        agent.insert("name".to_owned(), entry.name.into());
        let env = Table::from_iter([("id".to_owned(), spec.id().into())]);
        let seeds = (0..DEFAULT_SEEDS).collect::<Vec<_>>();
        let evaluation = complete_evaluation(spec, &Table::new());
        Ok(put_together(Some(&seeds), agent, env, &training, evaluation))
    }

    /// Creates a run from a configuration. Creates the environment and the agent once, to check
    /// them.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn new(catalog: &Catalog, registry: &Registry, config: &Table) -> Result<Self, RunError> {
        let (mut agent, mut env) = (part(config, "agent")?, part(config, "env")?);
        let name = take_name(&mut agent, "agent", "name")?;
        let id = take_name(&mut env, "env", "id")?;
        let (entry, spec) = (catalog.agent(&name)?, registry.spec(&id)?);
        let spec = &wrappers::take(catalog, registry, spec, &mut env)?;
        let seeds = read_seeds(config)?;
        let training: Training =
            settings::parse("training", "training.", &part(config, "training")?)?;
        training.check()?;
        let configured = entry.configure(&agent)?;
        let env = complete(spec, &env);
        let options = env_options(&id, &env)?;
        let given = if config.contains_key("evaluation") {
            part(config, "evaluation")?
        } else {
            Table::new()
        };
        let evaluation = complete_evaluation(spec, &given);
        let eval_options = merged_options(&id, &env, &evaluation)?;
        let task = any_task(&configured, spec, &options, &eval_options)
            .ok_or_else(|| impossible(catalog, registry, entry, spec))?;
        let run = Self {
            agent: entry.clone(),
            settings: configured.settings,
            env: spec.clone(),
            options: env,
            evaluation,
            training,
            seeds,
            task,
        };
        let plan = run.plan(run.seeds[0]);
        with_kind!(&run.task, (_, task) => {
            task.setup(&plan)?;
            (task.eval_envs())(1, plan.seed)?;
        });
        Ok(run)
    }

    /// Returns the options of the environment in evaluations.
    #[cfg(feature = "command")]
    pub(crate) fn evaluation_options(&self) -> Result<EnvOptions, RunError> {
        merged_options(self.env.id(), &self.options, &self.evaluation)
    }

    /// Reads the run of a directory.
    ///
    /// # Errors
    /// [`RunError`]; [`TrainError::NoRun`] if the directory holds none.
    pub fn read(catalog: &Catalog, registry: &Registry, dir: &Path) -> Result<Self, RunError> {
        if !dir.join(CONFIG_FILE).is_file() {
            return Err(TrainError::NoRun { path: dir.to_owned() }.into());
        }
        let path = dir.join(CONFIG_FILE);
        let config: Table = read_toml(&path)?;
        if config.contains_key("settings") {
            return Err(RunError::Unnamed { path: dir.to_owned() });
        }
        check_parts(&path, &config)?;
        let named =
            |error: RunError| RunError::File { path: path.clone(), reason: error.to_string() };
        Self::new(catalog, registry, &config).map_err(named)
    }

    /// Returns the plan of one seed.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        self.training.plan(seed)
    }

    /// Returns an error for a training that would end before the agent's first update.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`]; the errors of the agent or the environment.
    pub fn check_first_update(&self) -> Result<(), TrainError> {
        let plan = self.plan(self.seeds[0]);
        let first = with_kind!(&self.task, (_, task) => task.setup(&plan)?.agent.first_update());
        check_first_update(first, &self.training)
    }

    /// Trains one seed and returns the summary. Writes no files.
    ///
    /// # Errors
    /// The errors of the training.
    pub fn train_in_memory(&self, seed: u64) -> Result<Summary, TrainError> {
        self.train_with_callbacks(seed, &mut [])
    }

    /// Trains one seed with callbacks, which may end it.
    ///
    /// # Errors
    /// The errors of the training.
    pub fn train_with_callbacks(
        &self,
        seed: u64,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Summary, TrainError> {
        with_kind!(&self.task, (_, task) => {
            let mut setup = task.setup(&self.plan(seed))?;
            let (trainer, callbacks) = (setup.trainer(&self.training, seed), callbacks.iter_mut());
            callbacks.fold(trainer, |trainer, callback| trainer.callback(&mut **callback)).run()
        })
    }

    /// Trains every seed on all cores and writes records to a directory, as `gymnast train` does,
    /// but shows no progress. For progress bars pass `ProgressBars` to
    /// [`train_with`](Self::train_with); to end cleanly at a signal call `StopOnInterrupt::install`
    /// first.
    ///
    /// # Errors
    /// As [`Experiment::run`].
    pub fn train(&self, dir: &Path, existing: Existing) -> Result<Vec<Summary>, TrainError> {
        self.train_with(dir, existing, cores(), Quiet)
    }

    /// Makes the directory of the run ready, without training: new, emptied or as it was left.
    #[cfg(feature = "command")]
    pub(crate) fn begin(&self, dir: &Path, existing: Existing) -> Result<(), TrainError> {
        if existing != Existing::Resume {
            self.check_first_update()?;
        }
        let experiment = self.experiment(dir, existing, 1, Arc::new(Quiet));
        experiment.begin_run(&self.to_toml())?;
        if existing == Existing::Replace {
            delete_pictures(dir)?;
        }
        Ok(())
    }

    /// Trains every seed, `jobs` at a time, with this progress display.
    ///
    /// # Errors
    /// As [`Experiment::run`].
    pub fn train_with(
        &self,
        dir: &Path,
        existing: Existing,
        jobs: usize,
        progress: impl ProgressDisplay + 'static,
    ) -> Result<Vec<Summary>, TrainError> {
        // Checked before the directory is created or an old run replaced. A resumed run was checked
        // when it began.
        if existing != Existing::Resume {
            self.check_first_update()?;
        }
        let experiment = self.experiment(dir, existing, jobs, Arc::new(progress));
        let config = self.to_toml();
        with_kind!(&self.task, (_, task) => experiment.run(&config, |plan| {
            // Only here the directory is known to be ours and the old run to be gone.
            if existing == Existing::Replace {
                delete_pictures(dir)?;
            }
            task.setup(plan)
        }))
    }

    /// Trains one of the run's seeds and joins others that work in the directory; `None`, at once, if
    /// one of them trains it.
    ///
    /// # Errors
    /// As [`Experiment::run_one`].
    #[cfg(feature = "command")]
    pub(crate) fn join_one(
        &self,
        dir: &Path,
        seed: u64,
        progress: Arc<dyn ProgressDisplay>,
    ) -> Result<Option<Summary>, TrainError> {
        let experiment = self.experiment(dir, Existing::Join, 1, progress);
        let config = self.to_toml();
        with_kind!(&self.task, (_, task) => experiment.run_one(&config, seed, |plan| task.setup(plan)))
    }

    fn experiment(
        &self,
        dir: &Path,
        existing: Existing,
        jobs: usize,
        progress: Arc<dyn ProgressDisplay>,
    ) -> Experiment {
        Experiment {
            dir: dir.to_owned(),
            training: self.training.clone(),
            seeds: self.seeds.clone(),
            defaults: self.config_defaults(),
            jobs,
            existing,
            progress,
        }
    }

    /// Returns the identity of a seed's checkpoints.
    #[must_use]
    pub fn identity(&self, seed: u64) -> RunIdentity {
        let defaults = self.config_defaults();
        RunIdentity { defaults, ..RunIdentity::new(&self.to_table(), seed) }
    }

    /// Returns a configuration with the default of every setting, for older runs that lack newer
    /// settings.
    fn config_defaults(&self) -> Table {
        let (agent, env) = (self.agent.defaults.clone(), complete(&self.env, &Table::new()));
        let evaluation = complete_evaluation(&self.env, &Table::new());
        put_together(None, agent, env, &Training::default(), evaluation)
    }

    /// Returns the complete configuration.
    #[must_use]
    pub fn to_table(&self) -> Table {
        let named = |key: &str, name: &str, rest: &Table| {
            let mut table = Table::from_iter([(key.to_owned(), name.into())]);
            table.extend(rest.clone());
            table
        };
        let mut options = self.options.clone();
        wrappers::insert(&mut options, &self.env);
        let agent = named("name", self.agent.name, &self.settings);
        let env = named("id", self.env.id(), &options);
        put_together(Some(&self.seeds), agent, env, &self.training, self.evaluation.clone())
    }

    /// Returns the complete configuration as the text of `config.toml`.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let header = "# Everything that makes this run. To run it again:\n\
                      # gymnast train --config THIS_FILE --out ANOTHER_DIRECTORY\n";
        format!("{header}{}", self.to_table())
    }
}

/// Deletes a run's pictures, so that no picture shows another run than the one beside it.
fn delete_pictures(dir: &Path) -> Result<(), TrainError> {
    PICTURES.map(|picture| dir.join(picture)).into_iter().try_for_each(|path| {
        files::remove_file(&path).map_err(|source| TrainError::File {
            action: "delete",
            path,
            source,
        })
    })
}

fn impossible(
    catalog: &Catalog,
    registry: &Registry,
    agent: &AgentEntry,
    env: &EnvSpec,
) -> RunError {
    let list = |names: Vec<&str>| match names.len() {
        0 => "none yet".to_owned(),
        _ => names.join(", "),
    };
    let served = registry.iter().filter(|spec| agent.serves(spec)).map(EnvSpec::id).collect();
    RunError::Impossible {
        agent: agent.name,
        env: env.title(),
        needs: agent.needs(),
        serving: list(catalog.serving(env)),
        served: list(served),
    }
}
