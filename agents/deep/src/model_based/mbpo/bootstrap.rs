//! Which transitions each member of the ensemble learns from: decided once, when a transition comes.

use gymnast_envs::Rng;
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;
use rand_distr::{Distribution as _, Poisson};

/// A transition that no member learns from, so that it can judge them.
const HELD_OUT: u8 = u8::MAX;

/// The lots of the transitions of a replay memory, row by row.
///
/// A bootstrap sample of n rows has each of them Binomial(n, 1/n) times, which is Poisson(1) where n
/// is large, and Poisson(1) needs no n: a member's sample grows with the memory and is never drawn
/// anew (Oza and Russell, "Online bagging and boosting", 2001). So members stay different however
/// often they are trained.
pub(super) struct Bootstrap {
    /// How often each member learns from a row.
    lots: Vec<u8>, // [len, E]
    members: usize,
    capacity: usize,
    /// The row of the next transition.
    next: usize,
    holdout: f64,
    rng: Rng,
}

/// The rows that a training uses.
pub(super) struct Split {
    /// Those that each member learns from, as often as it does.
    pub(super) members: Vec<Vec<i64>>,
    /// Those that no member learns from.
    pub(super) held_out: Vec<i64>,
}

impl Bootstrap {
    /// For a memory of that capacity, of which a share `holdout` is held out.
    pub(super) fn new(members: usize, capacity: usize, holdout: f64, rng: Rng) -> Self {
        Self { lots: Vec::new(), members, capacity, next: 0, holdout, rng }
    }

    /// The number of transitions that have lots.
    pub(super) fn len(&self) -> usize {
        self.lots.len() / self.members
    }

    /// Draws the lots of `count` more transitions. As in the memory, the oldest give way.
    pub(super) fn push(&mut self, count: usize) {
        let poisson = Poisson::new(1.0).expect("a rate above 0");
        for _ in 0..count {
            let start = self.next * self.members;
            if start == self.lots.len() {
                self.lots.resize(start + self.members, 0);
            }
            let held_out = self.rng.random::<f64>() < self.holdout;
            for lot in &mut self.lots[start..start + self.members] {
                let times: f64 = poisson.sample(&mut self.rng);
                *lot = if held_out { HELD_OUT } else { times.min(f64::from(HELD_OUT - 1)) as u8 };
            }
            self.next = (self.next + 1) % self.capacity;
        }
    }

    /// Deals out the rows.
    pub(super) fn split(&self) -> Split {
        let mut split = Split { members: vec![Vec::new(); self.members], held_out: Vec::new() };
        for (row, lots) in self.lots.chunks_exact(self.members).enumerate() {
            if lots[0] == HELD_OUT {
                split.held_out.push(row as i64);
                continue;
            }
            for (rows, lot) in split.members.iter_mut().zip(lots) {
                rows.extend((0..*lot).map(|_| row as i64));
            }
        }
        split
    }
}

impl Checkpoint for Bootstrap {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let len = self.lots.len() / self.members;
        state.insert_array("lots", &[len, self.members], &self.lots);
        state.insert("next", &self.next)?;
        state.insert("rng", &self.rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let (shape, lots) = state.array_of_any_shape::<u8>("lots")?;
        let next: usize = state.get("next")?;
        let fits = shape.len() == 2 && shape[1] == self.members && shape[0] <= self.capacity;
        // A memory that is not full yet goes on at its end.
        if !fits || next >= self.capacity || (shape[0] < self.capacity && next != shape[0]) {
            return Err(CheckpointError::Mismatch {
                name: "lots".to_owned(),
                expected: format!("at most {} rows of {}", self.capacity, self.members),
                got: format!("{shape:?}, the next at {next}"),
            });
        }
        // Either no member learns from a row, or each has its lot.
        let is_mixed = |lots: &[u8]| {
            let held_out = lots.iter().filter(|&&lot| lot == HELD_OUT).count();
            held_out != 0 && held_out != lots.len()
        };
        if let Some(row) = lots.chunks_exact(self.members).position(is_mixed) {
            let expected = "rows that no member learns from, or each has a lot of";
            return Err(CheckpointError::mismatch("lots", expected, format!("row {row}")));
        }
        (self.lots, self.next, self.rng) = (lots, next, state.get("rng")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Seed;

    use super::*;

    #[test]
    fn a_lot_is_drawn_once_and_kept() {
        let mut bootstrap = Bootstrap::new(3, 1_000, 0.2, Seed::new(0).rng());
        bootstrap.push(500);
        let before = bootstrap.split();
        bootstrap.push(400);
        let after = bootstrap.split();
        let old = |rows: &[i64]| rows.iter().copied().filter(|&row| row < 500).collect::<Vec<_>>();
        assert_eq!(old(&after.held_out), before.held_out);
        for (after, before) in after.members.iter().zip(&before.members) {
            assert_eq!(&old(after), before);
        }
        // 900 · 0.2 held out, and as many draws as rows for each member: within 3 σ.
        assert!((after.held_out.len() as f64 - 180.0).abs() < 36.0);
        for rows in &after.members {
            assert!((rows.len() as f64 - 720.0).abs() < 90.0);
            assert!(rows.iter().all(|row| !after.held_out.contains(row)));
        }
        assert_ne!(after.members[0], after.members[1]);
    }

    #[test]
    fn the_oldest_rows_give_way() {
        let mut bootstrap = Bootstrap::new(2, 10, 0.5, Seed::new(0).rng());
        bootstrap.push(10);
        let before = bootstrap.lots.clone();
        bootstrap.push(13);
        assert_eq!((bootstrap.lots.len(), bootstrap.next), (20, 3));
        assert_ne!(bootstrap.lots, before);
        let mut state = StateDict::new();
        bootstrap.save(&mut state).unwrap();
        let mut again = Bootstrap::new(2, 10, 0.5, Seed::new(1).rng());
        again.load(&state).unwrap();
        bootstrap.push(5);
        again.push(5);
        assert_eq!(again.lots, bootstrap.lots);
        assert!(Bootstrap::new(2, 9, 0.5, Seed::new(1).rng()).load(&state).is_err());
    }
}
