//! The seeds of other programs as runs, which the report takes.

use std::{num::NonZeroUsize, path::PathBuf};

use gymnast_envs::ReferenceReturns;

use super::{
    ForeignError, ForeignSeed, MEAN_OF_EPISODES, Program, ReturnAt, TrainingReturns,
    seed::mean_alone,
};
use crate::{
    Evaluation,
    report::{Returns, RunResults, SeedResults},
};

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
        let window = common_window(&seeds);
        let is_normalized = seeds.iter().all(|seed| seed.is_normalized);
        let results = |(seed, &number): (&ForeignSeed, &u64)| SeedResults {
            seed: number,
            evaluations: seed.results(window),
            env_steps_per_s: None,
        };
        Ok(Self {
            program: seeds[0].program,
            results: RunResults {
                run: seeds[0].path.display().to_string(),
                agent,
                env,
                returns,
                threshold: None,
                reference: is_normalized.then_some(ReferenceReturns { random: 0.0, best: 1.0 }),
                seeds: seeds.iter().zip(&numbers).map(results).collect(),
            },
            paths: seeds.iter().map(|seed| seed.path.clone()).collect(),
            training: seeds.into_iter().map(|seed| seed.training).collect(),
        })
    }
}

impl ForeignSeed {
    /// What its results are.
    fn returns(&self) -> Returns {
        if self.evaluations.is_empty() { Returns::Training } else { Returns::Evaluation }
    }

    /// The evaluations, or the means over `window` training episodes in their place.
    fn results(&self, window: NonZeroUsize) -> Vec<Evaluation> {
        match self.returns() {
            Returns::Evaluation => self.evaluations.clone(),
            Returns::Training => self.training.means_over(window).iter().map(mean_alone).collect(),
        }
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

/// The number of episodes in a mean: so many that each seed has one at the last env step that all have
/// reached.
fn common_window(seeds: &[ForeignSeed]) -> NonZeroUsize {
    let episodes: Vec<&[ReturnAt]> = seeds
        .iter()
        .filter_map(|seed| match &seed.training {
            TrainingReturns::Episodes(episodes) if !episodes.is_empty() => Some(&episodes[..]),
            _ => None,
        })
        .collect();
    let ends = episodes.iter().filter_map(|episodes| episodes.last()).map(|last| last.env_step);
    let end = ends.min().unwrap_or(0);
    let until_end =
        |episodes: &&[ReturnAt]| episodes.partition_point(|point| point.env_step <= end);
    let fewest = episodes.iter().map(until_end).min().unwrap_or(0);
    NonZeroUsize::new(fewest).unwrap_or(NonZeroUsize::MIN).min(MEAN_OF_EPISODES)
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
    fn short_trainings_are_averaged_where_all_have_a_mean() {
        let explored = |steps: &[u64]| {
            let point = |&env_step: &u64| ReturnAt {
                env_step,
                wall_time_s: f64::NAN,
                value: env_step as f64,
            };
            let training = TrainingReturns::Episodes(steps.iter().map(point).collect());
            ForeignSeed { evaluations: Vec::new(), training, ..seed("ppo", None) }
        };
        // At 25 the second has two episodes.
        let seeds = vec![explored(&[5, 10, 20, 25]), explored(&[15, 25, 90])];
        let runs = ForeignRun::group(seeds).unwrap();
        let points = |index: usize| -> Vec<_> {
            let evaluations = &runs[0].results.seeds[index].evaluations;
            evaluations.iter().map(|e| (e.env_step, e.mean_return)).collect()
        };
        assert_eq!(points(0), [(10, 7.5), (20, 15.0), (25, 22.5)]);
        assert_eq!(points(1), [(25, 20.0), (90, 57.5)]);
        let row = &crate::report::Report::of(&[runs[0].results.clone()], &[]).unwrap().rows[0];
        assert_eq!((row.env_steps, row.mean.estimate), (25, 21.25));
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
