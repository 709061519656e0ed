//! Sampled transitions.

/// Some transitions over `n` steps (fewer at an episode's end), in columns that the next batch
/// can use again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch<T> {
    /// The observations: `[B, width]`.
    pub observation: Vec<f32>,
    /// The actions: `[B, action_width]`.
    pub action: Vec<T>,
    /// The discounted sums of rewards, Σ γᵏ rₖ: `[B]`.
    pub reward: Vec<f32>,
    /// The observations after the last of the steps: `[B, width]`.
    pub next_observation: Vec<f32>,
    /// The factor on that state's value, γⁿ, or 0 after termination: `[B]`.
    pub discount: Vec<f32>,
    /// The rows of the memory that they start from: `[B]`.
    pub row: Vec<usize>,
    /// The importance weight of each, at most 1: `[B]`, or nothing where all count the same.
    pub weight: Vec<f32>,
}

impl<T> Batch<T> {
    /// Empties the columns and keeps their room.
    pub(super) fn clear(&mut self) {
        let Self { observation, action, reward, next_observation, discount, row, weight } = self;
        for column in [observation, reward, next_observation, discount, weight] {
            column.clear();
        }
        action.clear();
        row.clear();
    }
}
