//! The seeds of other programs as runs, which the report takes.

use std::path::PathBuf;

use gymnast_envs::ReferenceReturns;

use super::{ForeignError, ForeignSeed, Program};
use crate::report::{Returns, RunResults, SeedResults, TrainingReturns};

/// A run of another program: the seeds of one agent in one environment.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignRun {
    /// The program that wrote it.
    pub program: Program,
    /// The results, without a threshold; with reference returns only if they are normalised already.
    pub results: RunResults,
    /// The returns of training episodes, of each seed of the results.
    pub training: Vec<TrainingReturns>,
    /// The files or folders, of each seed of the results.
    pub paths: Vec<PathBuf>,
}

impl ForeignRun {
    /// Puts the seeds of one agent and environment together, in the order in which they come. A seed
    /// without a number gets the lowest that is free.
    ///
    /// The agent's name is the user's, or its own with the program: `ppo (SB3)`. It says `training` if
    /// the returns are those of training episodes.
    ///
    /// # Errors
    /// [`ForeignError::NoEnv`] if a seed does not say its environment, [`ForeignError::SameSeed`] if two
    /// seeds of a run have the same number.
    pub fn group(seeds: Vec<ForeignSeed>) -> Result<Vec<Self>, ForeignError> {
        let mut groups: Vec<(String, String, Returns, Vec<ForeignSeed>)> = Vec::new();
        for seed in seeds {
            let (label, returns) = (seed.label(), seed.returns());
            let env = seed.env.clone();
            let env = env.ok_or_else(|| ForeignError::NoEnv { path: seed.path.clone() })?;
            let of_same = |group: &&mut (String, String, Returns, Vec<ForeignSeed>)| {
                (&group.0, &group.1, group.2) == (&label, &env, returns)
            };
            match groups.iter_mut().find(of_same) {
                Some(group) => group.3.push(seed),
                None => groups.push((label, env, returns, vec![seed])),
            }
        }
        let run = |(agent, env, returns, seeds)| Self::of(agent, env, returns, seeds);
        groups.into_iter().map(run).collect()
    }

    fn of(
        agent: String,
        env: String,
        returns: Returns,
        seeds: Vec<ForeignSeed>,
    ) -> Result<Self, ForeignError> {
        let numbers = numbers(&format!("{agent} · {env}"), &seeds)?;
        let program = seeds[0].program;
        let is_normalized = seeds.iter().all(|seed| seed.is_normalized);
        let (paths, evaluations, training): (Vec<_>, Vec<_>, Vec<_>) =
            seeds.into_iter().map(|seed| (seed.path, seed.evaluations, seed.training)).collect();
        let evaluations = match returns {
            Returns::Evaluation => evaluations,
            Returns::Training => TrainingReturns::evaluations_of(&training),
        };
        let results =
            |(seed, evaluations)| SeedResults { seed, evaluations, env_steps_per_s: None };
        Ok(Self {
            program,
            results: RunResults {
                run: paths[0].display().to_string(),
                agent,
                env,
                returns,
                threshold: None,
                reference: is_normalized.then_some(ReferenceReturns { random: 0.0, best: 1.0 }),
                seeds: numbers.into_iter().zip(evaluations).map(results).collect(),
            },
            training,
            paths,
        })
    }
}

impl ForeignSeed {
    /// What its results are.
    fn returns(&self) -> Returns {
        if self.evaluations.is_empty() { Returns::Training } else { Returns::Evaluation }
    }

    /// The agent's name in a table, with what distinguishes it from ours.
    fn label(&self) -> String {
        let agent = self.agent.as_deref().unwrap_or("agent");
        let program = (!self.is_named).then(|| self.program.to_string());
        let training = (self.returns() == Returns::Training).then(|| "training".to_owned());
        let notes: Vec<_> = program.into_iter().chain(training).collect();
        if notes.is_empty() { agent.to_owned() } else { format!("{agent} ({})", notes.join(", ")) }
    }
}

/// The number of each seed.
fn numbers(run: &str, seeds: &[ForeignSeed]) -> Result<Vec<u64>, ForeignError> {
    let mut known = std::collections::BTreeMap::new();
    for seed in seeds {
        let Some(number) = seed.seed else { continue };
        if let Some(first) = known.insert(number, &seed.path) {
            let (first, second) = (first.clone(), seed.path.clone());
            return Err(ForeignError::SameSeed {
                run: run.to_owned(),
                seed: number,
                first,
                second,
            });
        }
    }
    let mut free = (0..).filter(|number| !known.contains_key(number));
    let mut next = || free.next().expect("there are more numbers than seeds");
    Ok(seeds.iter().map(|seed| seed.seed.unwrap_or_else(&mut next)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ReturnAt, mean_alone};

    fn seed(agent: &str, seed: Option<u64>) -> ForeignSeed {
        let point = ReturnAt { env_step: 10, wall_time_s: f64::NAN, value: 1.0 };
        ForeignSeed {
            path: format!("{agent}-{seed:?}").into(),
            program: Program::StableBaselines3,
            agent: Some(agent.to_owned()),
            is_named: false,
            env: Some("CartPole-v1".to_owned()),
            seed,
            is_normalized: false,
            evaluations: vec![mean_alone(&point)],
            training: TrainingReturns::default(),
            remarks: Vec::new(),
        }
    }

    fn numbers(run: &ForeignRun) -> Vec<u64> {
        run.results.seeds.iter().map(|seed| seed.seed).collect()
    }

    #[test]
    fn seeds_of_one_agent_and_environment_are_one_run() {
        let seeds =
            vec![seed("ppo", Some(1)), seed("dqn", None), seed("ppo", None), seed("ppo", Some(0))];
        let runs = ForeignRun::group(seeds).unwrap();
        let [ppo, dqn] = &runs[..] else { panic!("{runs:?}") };
        assert_eq!((&*ppo.results.agent, numbers(ppo)), ("ppo (SB3)", vec![1, 2, 0]));
        assert_eq!((&*dqn.results.agent, numbers(dqn)), ("dqn (SB3)", vec![0]));
        assert_eq!((ppo.paths.len(), ppo.training.len()), (3, 3));
    }

    #[test]
    fn training_returns_are_no_evaluations_and_say_so() {
        let point = ReturnAt { env_step: 10, wall_time_s: f64::NAN, value: 1.0 };
        let training = TrainingReturns::Episodes(vec![point]);
        let explored = ForeignSeed { evaluations: Vec::new(), training, ..seed("ppo", None) };
        let named = ForeignSeed { is_named: true, ..explored.clone() };
        let runs = ForeignRun::group(vec![seed("ppo", None), explored, named]).unwrap();
        let labels: Vec<_> = runs.iter().map(|run| &*run.results.agent).collect();
        assert_eq!(labels, ["ppo (SB3)", "ppo (SB3, training)", "ppo (training)"]);
        let returns: Vec<_> = runs.iter().map(|run| run.results.returns).collect();
        assert_eq!(returns, [Returns::Evaluation, Returns::Training, Returns::Training]);
        assert_eq!(runs[1].results.seeds[0].evaluations[0].mean_return, 1.0);
    }

    #[test]
    fn a_seed_twice_or_without_an_environment_is_an_error() {
        let error = ForeignRun::group(vec![seed("a", Some(3)), seed("a", Some(3))]).unwrap_err();
        assert!(error.to_string().contains("are both seed 3 of a (SB3) · CartPole-v1"), "{error}");
        let nowhere = ForeignSeed { env: None, ..seed("a", None) };
        let error = ForeignRun::group(vec![nowhere]).unwrap_err().to_string();
        assert!(error.contains("does not say its environment"), "{error}");
    }
}
