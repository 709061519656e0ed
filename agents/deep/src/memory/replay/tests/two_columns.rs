//! The memory against the simplest one: an observation and the next in two columns of `f32`.

use gymnast_envs::{Discrete, ElementType, Outcome, Rng, RowSpace, Seed};
use gymnast_harness::{Checkpoint as _, StateDict};
use rand::RngExt as _;

use super::{super::priorities::Priorities, *};

/// What a frame consists of.
const PIXELS: usize = 3;
const NONE: usize = usize::MAX;

/// Observation, action, reward, next observation, discount, successor.
type Row = (Vec<f32>, i64, f32, Vec<f32>, f32, usize);

struct TwoColumns {
    capacity: usize,
    n_step: usize,
    rows: Vec<Row>,
    latest: Vec<usize>,
    next: usize,
    priorities: Priorities,
}

impl TwoColumns {
    fn push(&mut self, experience: &Experience<RowSpace, Discrete>, gamma: f64) {
        for i in (0..experience.len()).filter(|&i| !experience.is_reset[i]) {
            if let Some(row) = self.rows.get_mut(self.latest[i]) {
                row.5 = self.next;
            }
            let outcome = experience.outcomes[i];
            self.latest[i] = if outcome.is_final() { NONE } else { self.next };
            self.push_row((
                experience.observations[i].clone(),
                experience.actions[i],
                experience.rewards[i] as f32,
                experience.next_observations[i].clone(),
                outcome.discount(gamma) as f32,
                NONE,
            ));
        }
    }

    fn push_row(&mut self, row: Row) {
        if self.next == self.rows.len() {
            self.rows.push(row);
        } else {
            self.rows[self.next] = row;
        }
        self.priorities.insert(self.next);
        self.next = (self.next + 1) % self.capacity;
    }

    fn gather(&self, rows: Vec<usize>, weight: Vec<f32>) -> Batch<i64> {
        let mut batch = Batch { weight, ..Batch::default() };
        for &first in &rows {
            let (mut reward, mut discount) = (self.rows[first].2, self.rows[first].4);
            let mut last = first;
            for _ in 1..self.n_step {
                if self.rows[last].5 == NONE {
                    break;
                }
                last = self.rows[last].5;
                reward += discount * self.rows[last].2;
                discount *= self.rows[last].4;
            }
            batch.observation.extend(&self.rows[first].0);
            batch.action.push(self.rows[first].1);
            batch.reward.push(reward);
            batch.next_observation.extend(&self.rows[last].3);
            batch.discount.push(discount);
        }
        Batch { row: rows, ..batch }
    }

    fn sample(&self, size: usize, rng: &mut Rng) -> Batch<i64> {
        let n = self.rows.len() as u64;
        self.gather((0..size).map(|_| rng.random_range(0..n) as usize).collect(), Vec::new())
    }

    fn sample_by_priority(&self, size: usize, beta: f64, rng: &mut Rng) -> Batch<i64> {
        let (mut rows, mut weights) = (Vec::new(), Vec::new());
        self.priorities.draw(size, rng, &mut rows);
        self.priorities.write_weights(&rows, self.rows.len(), beta, &mut weights);
        self.gather(rows, weights)
    }
}

/// Environments that show stacks of `frames` frames, not always as a frame stack should.
struct Envs {
    shown: Vec<Vec<f32>>,
    ended: Vec<bool>,
    frames: usize,
    /// The number of values that a pixel can have.
    values: u32,
    lies: bool,
    waits_for_reset: bool,
}

impl Envs {
    fn frame(&self, rng: &mut Rng) -> Vec<f32> {
        (0..PIXELS).map(|_| rng.random_range(0..self.values) as f32).collect()
    }

    fn begin(&mut self, i: usize, rng: &mut Rng) {
        self.shown[i] = self.frame(rng).repeat(self.frames);
    }

    fn any(&self, rng: &mut Rng) -> Vec<f32> {
        (0..self.frames).flat_map(|_| self.frame(rng)).collect()
    }

    fn step(&mut self, rng: &mut Rng) -> Experience<RowSpace, Discrete> {
        let n = self.shown.len();
        let mut experience = Experience {
            observations: self.shown.clone(),
            actions: (0..n).map(|_| rng.random_range(0..4)).collect(),
            rewards: (0..n).map(|_| f64::from(rng.random_range(-8..8)) / 4.0).collect(),
            next_observations: Vec::new(),
            outcomes: vec![Outcome::Continues; n],
            is_reset: self.ended.clone(),
        };
        for i in 0..n {
            if std::mem::take(&mut self.ended[i]) {
                self.begin(i, rng);
                experience.next_observations.push(self.shown[i].clone());
                continue;
            }
            let frame = self.frame(rng);
            self.shown[i].drain(..PIXELS);
            self.shown[i].extend(frame);
            let rarely = |rng: &mut Rng| self.lies && rng.random_range(0..8) == 0;
            if rarely(rng) {
                self.shown[i] = self.any(rng);
            }
            experience.next_observations.push(self.shown[i].clone());
            if rarely(rng) {
                self.shown[i] = self.any(rng);
            }
            experience.outcomes[i] = match rng.random_range(0..16) {
                0 => Outcome::Terminated,
                1 => Outcome::Truncated,
                _ => continue,
            };
            if self.waits_for_reset { self.ended[i] = true } else { self.begin(i, rng) }
        }
        experience
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    storage: Storage,
    capacity: usize,
    num_envs: usize,
    n_step: usize,
    values: u32,
    lies: bool,
    waits_for_reset: bool,
    seed: u64,
}

fn compare(case: Case) {
    let Case { storage, capacity, num_envs, n_step, .. } = case;
    let width = storage.frames * PIXELS;
    let rng = &mut Seed::new(case.seed).rng();
    let space = RowSpace::new(vec![0.0; width], vec![255.0; width], vec![width]).unwrap();
    let empty = || {
        let replay = Replay::with_storage(storage, capacity, (width, 1), num_envs, n_step).unwrap();
        replay.prioritized(0.5, 0.1).unwrap()
    };
    let mut replay = empty();
    let mut expected = TwoColumns {
        capacity,
        n_step,
        rows: Vec::new(),
        latest: vec![NONE; num_envs],
        next: 0,
        priorities: Priorities::new(capacity, 0.5, 0.1),
    };
    let (shown, ended) = (vec![Vec::new(); num_envs], vec![false; num_envs]);
    let Case { values, lies, waits_for_reset, .. } = case;
    let mut envs = Envs { shown, ended, frames: storage.frames, values, lies, waits_for_reset };
    (0..num_envs).for_each(|i| envs.begin(i, rng));
    let mut batch = Batch::default();
    for vector_step in 0..3 * capacity.div_ceil(num_envs) + 3 {
        let experience = envs.step(rng);
        replay.push::<_, Discrete>(&space, &experience, 0.9, 1.0, index).unwrap();
        expected.push(&experience, 0.9);
        match rng.random_range(0..40) {
            0 => {
                replay.begin_episodes();
                expected.latest.fill(NONE);
                (0..num_envs).for_each(|i| envs.begin(i, rng));
            }
            1 => {
                let mut state = StateDict::new();
                replay.save(&mut state).unwrap();
                replay = empty();
                replay.load(&state).unwrap();
                let mut again = StateDict::new();
                replay.save(&mut again).unwrap();
                assert_eq!(state, again);
            }
            _ => {}
        }
        if expected.rows.is_empty() {
            continue;
        }
        // The same stream draws the same rows, for both.
        let seed = Seed::new(vector_step as u64);
        replay.sample(16, &mut seed.rng(), &mut batch).unwrap();
        assert_eq!(batch, expected.sample(16, &mut seed.rng()), "{case:?} step {vector_step}");
        replay.sample_by_priority(16, 0.6, &mut seed.rng(), &mut batch).unwrap();
        let by_priority = expected.sample_by_priority(16, 0.6, &mut seed.rng());
        assert_eq!(batch, by_priority, "{case:?} step {vector_step}");
        let errors: Vec<f32> = batch.row.iter().map(|_| rng.random::<f32>() * 4.0).collect();
        replay.reprioritize(&batch.row, &errors).unwrap();
        let changes = batch.row.iter().zip(&errors);
        changes.for_each(|(&row, &error)| expected.priorities.set(row, error));
    }
    let mut all = expected.gather((0..expected.rows.len()).collect(), Vec::new());
    all.next_observation = expected.rows.iter().flat_map(|row| row.3.clone()).collect();
    let stored = replay.transitions();
    assert_eq!(
        (stored.observation, stored.next_observation),
        (all.observation, all.next_observation)
    );
}

proptest::proptest! {
    #[test]
    fn samples_are_those_of_two_columns(
        (element, frames) in (0..2_usize, 1..5_usize),
        (room, num_envs, n_step) in (1..40_usize, 1..5_usize, 1..5_usize),
        (few, lies, waits_for_reset) in (proptest::bool::ANY, proptest::bool::ANY, proptest::bool::ANY),
        seed in 0..1_000_000_u64,
    ) {
        let element = [ElementType::F32, ElementType::U8][element];
        let storage = Storage { element, frames };
        let values = if few { 2 } else { 256 };
        let capacity = num_envs + room;
        compare(Case { storage, capacity, num_envs, n_step, values, lies, waits_for_reset, seed });
    }
}

/// An environment may show real numbers, and those of either zero.
#[test]
fn real_numbers_come_back_to_the_bit() {
    let mut replay =
        Replay::with_storage(Storage { frames: 2, ..Storage::F32 }, 4, (2, 1), 1, 1).unwrap();
    let rows = [[0.0, -0.0], [-0.0, 0.1], [0.1, f32::MIN_POSITIVE / 3.0], [0.0, 0.0]];
    for pair in rows.windows(2) {
        let experience = Experience {
            observations: vec![pair[0].to_vec()],
            actions: vec![0],
            rewards: vec![0.0],
            next_observations: vec![pair[1].to_vec()],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        };
        replay.push::<_, Discrete>(&space(), &experience, 0.9, 1.0, index).unwrap();
    }
    let all = replay.transitions();
    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&all.observation), bits(&rows[..3].concat()));
    assert_eq!(bits(&all.next_observation), bits(&rows[1..].concat()));
}

#[test]
fn what_is_no_byte_is_refused_and_changes_nothing() {
    let mut replay = Replay::with_storage(Storage::U8, 4, (2, 1), 1, 1).unwrap();
    replay.push_row((&[0.0, 255.0], &[1]), 1.0, &[1.0, 2.0], 0.5).unwrap();
    let before = replay.transitions();
    for x in [0.5, -1.0, 256.0, f32::NAN, f32::INFINITY] {
        for (observation, next_observation) in [([x, 0.0], [0.0; 2]), ([0.0; 2], [0.0, x])] {
            let pushed = replay.push_row((&observation, &[1]), 1.0, &next_observation, 0.5);
            let error = pushed.unwrap_err().to_string();
            assert!(error.contains("whole numbers from 0 to 255"), "{error}");
        }
    }
    assert_eq!((replay.len(), replay.transitions()), (1, before));
    let three = Storage { frames: 3, ..Storage::U8 };
    assert!(Replay::<i64>::with_storage(three, 4, (2, 1), 1, 1).is_err());
}
