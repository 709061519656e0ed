//! Recorded episodes, for imitation learning.
//!
//! A file has one line for each step, a JSON object:
//!
//! ```json
//! {"episode":0,"observation":[0.01,-0.02,0.03,0.04],"action":1,"reward":1.0,"outcome":"Continues"}
//! ```
//!
//! Observations and actions have the format of their spaces ([`Space::to_jsonable`]). The outcome
//! is "Continues", "Terminated" or "Truncated"; an episode ends with one of the last two. Other
//! keys are ignored.

use std::{
    fs::File,
    io::{self, BufReader, Write as _},
    iter,
    ops::Range,
    path::{Path, PathBuf},
};

use gymnast_core::atomic_file::{self, WriteError};
use gymnast_envs::{
    Outcome, Space, VectorEnv,
    json_lines::{LineError, Lines, MAX_LINE, element, object, value},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::AgentError;

/// Recorded whole episodes.
///
/// ```
/// use gymnast_envs::{Env, Seed, SyncVectorEnv, classic::CartPole, wrappers::TimeLimit};
/// use gymnast_harness::Demonstrations;
///
/// let pole = TimeLimit::new(CartPole::default(), 500);
/// let mut episodes = Demonstrations::new(pole.observation_space(), pole.action_space());
/// let mut envs = SyncVectorEnv::new(vec![pole], Seed::new(0))?;
/// // Push the cart under the pole.
/// episodes.record(&mut envs, 500, |[_, _, angle, speed]| Ok((angle + 0.3 * speed > 0.0).into()))?;
/// assert_eq!(episodes.returns(), [500.0]);
/// # Ok::<(), gymnast_harness::AgentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Demonstrations<O: Space, A: Space> {
    observation_space: O,
    action_space: A,
    observations: Vec<O::Element>,
    actions: Vec<A::Element>,
    rewards: Vec<f64>,
    outcomes: Vec<Outcome>,
}

/// Why recorded episodes could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemonstrationsError {
    /// The file could not be opened.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line is not a step in these spaces.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The problem.
        problem: LineError,
    },
    /// The last line does not end its episode.
    #[error(
        "{}: the last episode does not end: expected \"Terminated\" or \"Truncated\" as its last \
         `outcome`",
        path.display()
    )]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
}

/// What chooses the actions of an episode.
type Choose<'a, O, A> =
    dyn FnMut(&<O as Space>::Element) -> Result<<A as Space>::Element, AgentError> + 'a;

/// One line of a file.
#[derive(Serialize)]
struct Line {
    episode: usize,
    observation: Value,
    action: Value,
    reward: f64,
    outcome: Outcome,
}

impl<O: Space, A: Space> Demonstrations<O, A> {
    /// Creates an empty recording.
    #[must_use]
    pub fn new(observation_space: O, action_space: A) -> Self {
        let (observations, actions) = (Vec::new(), Vec::new());
        let (rewards, outcomes) = (Vec::new(), Vec::new());
        Self { observation_space, action_space, observations, actions, rewards, outcomes }
    }

    /// Plays one episode in a vector of one environment, from a reset, and adds it. An episode that
    /// has not ended after `max_steps` is truncated.
    ///
    /// # Errors
    /// The errors of the environment or of `choose`; the episode is then dropped.
    pub fn record(
        &mut self,
        envs: &mut dyn VectorEnv<O, A>,
        max_steps: u64,
        mut choose: impl FnMut(&O::Element) -> Result<A::Element, AgentError>,
    ) -> Result<(), AgentError> {
        let before = self.len();
        let played = self.play(envs, max_steps, &mut choose);
        if played.is_err() {
            self.observations.truncate(before);
            self.actions.truncate(before);
            self.rewards.truncate(before);
            self.outcomes.truncate(before);
        }
        played
    }

    fn play(
        &mut self,
        envs: &mut dyn VectorEnv<O, A>,
        max_steps: u64,
        choose: &mut Choose<'_, O, A>,
    ) -> Result<(), AgentError> {
        envs.reset()?;
        for step in 1..=max_steps {
            let observation = envs.observations()[0].clone();
            let action = choose(&observation)?;
            let experience = envs.step(std::slice::from_ref(&action))?;
            let (reward, outcome) = (experience.rewards[0], experience.outcomes[0]);
            let is_cut = step == max_steps && !outcome.is_final();
            let outcome = if is_cut { Outcome::Truncated } else { outcome };
            self.push(observation, action, reward, outcome);
            if outcome.is_final() {
                break;
            }
        }
        Ok(())
    }

    fn push(&mut self, observation: O::Element, action: A::Element, reward: f64, outcome: Outcome) {
        self.observations.push(observation);
        self.actions.push(action);
        self.rewards.push(reward);
        self.outcomes.push(outcome);
    }

    /// Reads the episodes of a file and checks every line.
    ///
    /// # Errors
    /// [`DemonstrationsError`] with the number of the line.
    pub fn read(
        path: &Path,
        observation_space: O,
        action_space: A,
    ) -> Result<Self, DemonstrationsError> {
        let file = File::open(path)
            .map_err(|source| DemonstrationsError::File { path: path.to_owned(), source })?;
        let mut lines = Lines::new(BufReader::new(file));
        let mut episodes = Self::new(observation_space, action_space);
        let mut number = None;
        loop {
            match episodes.read_line(&mut lines, &mut number) {
                Ok(true) => {}
                Ok(false) => break,
                Err(problem) => {
                    let (path, line) = (path.to_owned(), lines.number());
                    return Err(DemonstrationsError::Line { path, line, problem });
                }
            }
        }
        match episodes.outcomes.last() {
            Some(Outcome::Continues) => {
                Err(DemonstrationsError::Unfinished { path: path.to_owned() })
            }
            _ => Ok(episodes),
        }
    }

    /// Reads one line into the episode of that number; whether there was one.
    fn read_line(
        &mut self,
        lines: &mut Lines<BufReader<File>>,
        number: &mut Option<u64>,
    ) -> Result<bool, LineError> {
        let Some(line) = lines.next_line()? else { return Ok(false) };
        let line = &object(line)?;
        let goes_on = self.outcomes.last() == Some(&Outcome::Continues);
        let (expected, fits): (_, &dyn Fn(u64) -> bool) = match *number {
            Some(last) if goes_on => (format!("{last}, which has not ended"), &move |n| n == last),
            Some(last) => (format!("a number above {last}, which has ended"), &move |n| n > last),
            None => ("a number from 0 on".to_owned(), &|_| true),
        };
        let fits = |value: &Value| value.as_u64().filter(|&n| fits(n));
        *number = Some(value(line, "episode", &expected, fits)?);
        let observation =
            element(line, "observation", |value| self.observation_space.from_jsonable(value))?;
        // As the environment took it, which may have clipped it.
        let action = |value: &Value| self.action_space.from_jsonable_unbounded(value);
        let action = element(line, "action", action)?;
        let reward = value(line, "reward", "a number", Value::as_f64)?;
        let names = "\"Continues\", \"Terminated\" or \"Truncated\"";
        let outcome = value(line, "outcome", names, |value| Outcome::deserialize(value).ok())?;
        self.push(observation, action, reward, outcome);
        Ok(true)
    }

    /// Writes the episodes to a file atomically.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        atomic_file::write_with(path, |file| {
            let mut text = Vec::new();
            for (episode, steps) in self.episodes().enumerate() {
                for i in steps {
                    let line = Line {
                        episode,
                        observation: self.observation_space.to_jsonable(&self.observations[i]),
                        action: self.action_space.to_jsonable(&self.actions[i]),
                        reward: self.rewards[i],
                        outcome: self.outcomes[i],
                    };
                    text.clear();
                    serde_json::to_writer(&mut text, &line)?;
                    if text.len() as u64 >= MAX_LINE {
                        return Err(io::Error::other("a step takes more than the 1 MiB of a line"));
                    }
                    text.push(b'\n');
                    file.write_all(&text)?;
                }
            }
            Ok(())
        })
    }

    /// Returns the range of steps of each episode.
    pub fn episodes(&self) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        iter::from_fn(move || {
            let length = self.outcomes[start..].iter().position(|outcome| outcome.is_final())?;
            let steps = start..start + length + 1;
            start = steps.end;
            Some(steps)
        })
    }

    /// Returns the sum of rewards of each episode.
    #[must_use]
    pub fn returns(&self) -> Vec<f64> {
        self.episodes().map(|steps| self.rewards[steps].iter().sum()).collect()
    }

    /// Returns the number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Returns whether there are no steps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// Returns the observation before each step.
    #[must_use]
    pub fn observations(&self) -> &[O::Element] {
        &self.observations
    }

    /// Returns the action of each step.
    #[must_use]
    pub fn actions(&self) -> &[A::Element] {
        &self.actions
    }

    /// Returns the space of the observations.
    #[must_use]
    pub fn observation_space(&self) -> &O {
        &self.observation_space
    }

    /// Returns the space of the actions.
    #[must_use]
    pub fn action_space(&self) -> &A {
        &self.action_space
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, Env, EnvError, Rng, Seed, Step, SyncVectorEnv};

    use super::*;

    /// Counts its steps and ends after three.
    struct Three(i64);

    impl Env for Three {
        type ObservationSpace = Discrete;
        type ActionSpace = Discrete;

        fn observation_space(&self) -> Discrete {
            Discrete::new(4)
        }

        fn action_space(&self) -> Discrete {
            Discrete::new(2)
        }

        fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
            self.0 = 0;
            Ok(0)
        }

        fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
            self.0 += 1;
            Ok(Step::new(self.0, 0.1 * *action as f64, self.0 == 3))
        }
    }

    type Episodes = Demonstrations<Discrete, Discrete>;

    fn envs() -> SyncVectorEnv<Three> {
        SyncVectorEnv::new(vec![Three(0)], Seed::new(0)).unwrap()
    }

    fn recorded() -> Episodes {
        let mut episodes = Demonstrations::new(Discrete::new(4), Discrete::new(2));
        episodes.record(&mut envs(), 10, |seen| Ok(seen % 2)).unwrap();
        episodes.record(&mut envs(), 2, |_| Ok(1)).unwrap();
        episodes
    }

    fn read(text: &str) -> Result<Episodes, DemonstrationsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("episodes.jsonl");
        std::fs::write(&path, text).unwrap();
        Demonstrations::read(&path, Discrete::new(4), Discrete::new(2))
    }

    #[test]
    fn an_episode_is_recorded_to_its_end_or_cut_short() {
        let episodes = recorded();
        assert_eq!(episodes.episodes().collect::<Vec<_>>(), [0..3, 3..5]);
        assert_eq!(episodes.observations(), [0, 1, 2, 0, 1]);
        assert_eq!(episodes.actions(), [0, 1, 0, 1, 1]);
        assert_eq!(episodes.returns(), [0.1, 0.2]);
        let ends = [Outcome::Terminated, Outcome::Truncated];
        assert_eq!([episodes.outcomes[2], episodes.outcomes[4]], ends);
    }

    #[test]
    fn an_episode_that_fails_leaves_nothing() {
        let mut episodes = recorded();
        let choose = |seen: &i64| match seen {
            0 => Ok(1),
            _ => Err(EnvError::Failed("gone".to_owned()).into()),
        };
        assert!(episodes.record(&mut envs(), 10, choose).is_err());
        assert_eq!((episodes.len(), episodes.actions().len()), (5, 5));
    }

    #[test]
    fn episodes_come_back_from_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("episodes.jsonl");
        let episodes = recorded();
        episodes.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let first =
            r#"{"episode":0,"observation":0,"action":0,"reward":0.0,"outcome":"Continues"}"#;
        assert_eq!(text.lines().next(), Some(first));
        let back = Demonstrations::read(&path, Discrete::new(4), Discrete::new(2)).unwrap();
        assert_eq!(format!("{back:?}"), format!("{episodes:?}"));
        let missing = folder.path().join("none.jsonl");
        let error = Episodes::read(&missing, Discrete::new(4), Discrete::new(2)).unwrap_err();
        assert!(error.to_string().contains("none.jsonl"), "{error}");
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn wrong_lines_are_errors_that_name_the_line() {
        let good = r#"{"episode":4,"observation":0,"action":1,"reward":1,"outcome":"Continues"}"#;
        let end = good.replace("Continues", "Truncated");
        let next = |number: &str| good.replace('4', number);
        for (second, says) in [
            ("no", "line 2: not JSON"),
            ("[]", "line 2: expected a JSON object"),
            (&good.replace("\"reward\":1,", ""), "line 2: `reward` is missing"),
            (&good.replace("\"reward\":1", "\"reward\":null"), "`reward`: expected a number"),
            (
                &good.replace(":0,", ":7,"),
                "`observation`: expected an element of Discrete(4), got 7",
            ),
            (&good.replace("\"action\":1", "\"action\":2"), "`action`: expected an element of"),
            (
                &good.replace("Continues", "done"),
                "`outcome`: expected \"Continues\", \"Terminated\"",
            ),
            (&next("5"), "`episode`: expected 4, which has not ended, got 5"),
            (&next("-1"), "`episode`"),
            (&format!("{end}\n{end}"), "line 3: `episode`: expected a number above 4"),
            (good, "the last episode does not end"),
        ] {
            let error = read(&format!("{good}\n{second}\n")).unwrap_err().to_string();
            assert!(error.contains("episodes.jsonl") && error.contains(says), "{error}");
        }
        assert_eq!(read(&format!("{good}\n{end}\n{}", end.replace('4', "9"))).unwrap().len(), 3);
    }
}
