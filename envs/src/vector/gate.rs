//! Checks every observation and reward before training and evaluation use them.

use crate::{EnvError, Space};

/// The maximum length of a value in a message.
const MAX_SHOWN: usize = 200;

/// Checks the steps of one environment and names it in messages.
pub(crate) struct Gate<'a, S> {
    pub(crate) space: &'a S,
    /// The environment's id, or its type if it has none.
    pub(crate) env: &'a str,
    /// Its index in a vector.
    pub(crate) index: Option<usize>,
}

impl<S: Space> Gate<'_, S> {
    /// Returns an error unless the space admits the observation of step `step` of an episode.
    #[inline]
    pub(crate) fn reset(&self, observation: &S::Element) -> Result<(), EnvError> {
        self.step(observation, 0.0, 0)
    }

    /// Returns an error if the reward is not finite or the space does not admit the observation.
    /// Allocates nothing otherwise.
    #[inline]
    pub(crate) fn step(
        &self,
        observation: &S::Element,
        reward: f64,
        step: u64,
    ) -> Result<(), EnvError> {
        if reward.is_finite() && self.space.admits(observation) {
            return Ok(());
        }
        // A copy: one that is borrowed for a call would be written to memory on every step.
        Err(Gate { ..*self }.refusal(observation, reward, step))
    }

    #[cold]
    #[inline(never)]
    fn refusal(self, observation: &S::Element, reward: f64, step: u64) -> EnvError {
        let (what, expected, got) = if reward.is_finite() {
            let expected = format!("an element of {}, its numbers finite", self.space.describe());
            ("an observation", expected, shortened(format!("{observation:?}")))
        } else {
            ("a reward", "a finite number".to_owned(), reward.to_string())
        };
        let (env, index) = (self.env.to_owned(), self.index);
        EnvError::InvalidStep { env, index, step, what, expected, got }
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Returns a type's name without module paths: `TimeLimit<CartPole>`.
pub(crate) fn type_name<T>() -> String {
    let (mut name, mut part) = (String::new(), String::new());
    for c in std::any::type_name::<T>().chars() {
        match c {
            // A path says where a type is defined, not what it is.
            ':' => part.clear(),
            c if c.is_alphanumeric() || c == '_' => part.push(c),
            c => {
                name.push_str(&part);
                part.clear();
                name.push(c);
            }
        }
    }
    name + &part
}
