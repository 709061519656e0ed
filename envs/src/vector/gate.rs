//! The one check of what environments bring: here it enters training, evaluation and everything else.

use crate::{EnvError, Space};

/// A message shows no more of a value than this.
const MAX_SHOWN: usize = 200;

/// Whose step is checked, for the message.
pub(crate) struct Gate<'a, S> {
    pub(crate) space: &'a S,
    /// The environment's id, or its type where it has none.
    pub(crate) env: &'a str,
    /// Its place in a vector of several.
    pub(crate) index: Option<usize>,
}

impl<S: Space> Gate<'_, S> {
    /// Refuses what an environment shows after `step` steps of an episode, unless the space admits it.
    #[inline]
    pub(crate) fn reset(&self, observation: &S::Element) -> Result<(), EnvError> {
        self.step(observation, 0.0, 0)
    }

    /// Refuses a step with a reward that is no finite number, or with an observation that the space
    /// does not admit. Nothing is allocated where all is well.
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
        Err(self.refusal(observation, reward, step))
    }

    #[cold]
    #[inline(never)]
    fn refusal(&self, observation: &S::Element, reward: f64, step: u64) -> EnvError {
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

/// A type's name without the paths of its parts: `TimeLimit<CartPole>`.
pub(crate) fn type_name<T>() -> String {
    let (mut name, mut part) = (String::new(), String::new());
    for c in std::any::type_name::<T>().chars() {
        match c {
            // The path so far says where, not what.
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
