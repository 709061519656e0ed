//! Several environments of classic control that advance at once.

#[cfg(doc)]
use crate::sine;
use crate::{Rng, Step};

/// The number of environments that advance at once.
pub(super) const BLOCK: usize = 32;
/// From this number on it pays.
pub(super) const FEW: usize = 4;

/// Returns whether every force or torque is a finite number.
#[inline(always)]
pub(super) fn are_finite(actions: &[[f32; 1]]) -> bool {
    // Without a jump for each.
    actions.iter().fold(true, |all, action| all & action[0].is_finite())
}

/// Several environments before a step, a row for each number.
pub(super) struct Before<const S: usize> {
    pub(super) states: [[f64; BLOCK]; S],
    /// The force or torque of the step.
    pub(super) pushes: [f64; BLOCK],
    /// What else the step depends on.
    pub(super) options: [[f64; BLOCK]; 2],
}

/// Several environments after a step, a row for each number.
pub(super) struct After<const S: usize, const O: usize> {
    pub(super) states: [[f64; BLOCK]; S],
    pub(super) observations: [[f32; BLOCK]; O],
    pub(super) rewards: [f64; BLOCK],
    pub(super) terminated: [bool; BLOCK],
    /// Whether all angles were within those for [`sine::sin_cos`]: the others advance alone.
    pub(super) is_within: [bool; BLOCK],
}

impl<const S: usize> Default for Before<S> {
    fn default() -> Self {
        let zeros = [0.0; BLOCK];
        Self { states: [zeros; S], pushes: zeros, options: [zeros; 2] }
    }
}

impl<const S: usize, const O: usize> Default for After<S, O> {
    fn default() -> Self {
        Self {
            states: [[0.0; BLOCK]; S],
            observations: [[0.0; BLOCK]; O],
            rewards: [0.0; BLOCK],
            terminated: [false; BLOCK],
            is_within: [false; BLOCK],
        }
    }
}

/// An environment several of which can advance at once.
pub(super) trait Abreast<const S: usize, const O: usize> {
    /// Returns what a step depends on besides the state and the push.
    fn options(&self) -> [f64; 2];

    /// Returns the numbers that a step changes.
    fn state_mut(&mut self) -> &mut [f64; S];

    /// Advances several environments.
    fn advance_all(before: &Before<S>, after: &mut After<S, O>);

    /// Advances by one step under a force or torque, to the same bits.
    fn advance(&mut self, push: f64) -> Step<[f32; O]>;
}

/// Advances each environment by one step, the i-th under `push(i)`. See
/// [`Env::step_together`](crate::Env::step_together).
#[inline(always)] // with what `each` does in it
pub(super) fn step_abreast<H, E: Abreast<S, O>, const S: usize, const O: usize>(
    holders: &mut [H],
    env: impl Fn(&mut H) -> &mut E,
    push: impl Fn(usize) -> f64,
    rngs: &mut [Rng],
    mut each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; O]>),
) {
    if holders.len() < FEW {
        for (i, (holder, rng)) in holders.iter_mut().zip(rngs).enumerate() {
            let step = env(holder).advance(push(i));
            each(i, holder, rng, step);
        }
        return;
    }
    // For one block after the other: an array that is new is filled and moved first.
    let mut room: Option<(Before<S>, After<S, O>)> = None;
    let blocks = holders.chunks_mut(BLOCK).zip(rngs.chunks_mut(BLOCK));
    for (block, (holders, rngs)) in blocks.enumerate() {
        let push = |i| push(block * BLOCK + i);
        let after = (holders.len() >= FEW).then(|| {
            let (before, after) = room.get_or_insert_with(Default::default);
            for (i, holder) in holders.iter_mut().enumerate() {
                let env = env(holder);
                let options = env.options();
                (before.options[0][i], before.options[1][i]) = (options[0], options[1]);
                before.pushes[i] = push(i);
                for j in 0..S {
                    before.states[j][i] = env.state_mut()[j];
                }
            }
            E::advance_all(before, after);
            &*after
        });
        for (i, (holder, rng)) in holders.iter_mut().zip(rngs).enumerate() {
            let env = env(holder);
            let step = if let Some(after) = after.filter(|after| after.is_within[i]) {
                for j in 0..S {
                    env.state_mut()[j] = after.states[j][i];
                }
                let observation = std::array::from_fn(|j| after.observations[j][i]);
                Step::new(observation, after.rewards[i], after.terminated[i])
            } else {
                env.advance(push(i))
            };
            // In one place, so that it is no call with the step in memory.
            each(block * BLOCK + i, holder, rng, step);
        }
    }
}
