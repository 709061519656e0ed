//! The rows nearest to rows.
//!
//! Rows that lie together form blocks, the leaves of a k-d tree (Bentley 1975,
//! <https://doi.org/10.1145/361002.361007>). Blocks whose bounding boxes are farther apart than the
//! nearest rows found so far are skipped. Between other blocks the distances are computed in `f32`,
//! many at once; only rows that may be among the nearest are compared again in `f64`.

use std::collections::BinaryHeap;

use crate::data::Dataset;
use crate::simd::{multiply_add, wide};

/// The number of rows in a block.
const BLOCK: usize = 64;

/// The number of rows whose distances are computed at once.
const TILE: usize = 4;

/// A column of a block. Numbers that fill a register must not lie in two lines of the cache.
#[derive(Clone)]
#[repr(align(64))]
struct Column([f32; BLOCK]);

/// For each of `rows`, the `k` nearest of the rows `among`, itself left out, the nearest first:
/// Euclidean; of equals, the lower number first.
pub(super) fn nearest(
    data: &Dataset,
    rows: &[usize],
    among: &[usize],
    k: usize,
) -> Vec<Vec<usize>> {
    let part = |numbers| Part { inputs: data.inputs(), width: data.input_width(), numbers };
    let (rows, among) = (part(rows), part(among));
    let others = among.blocks();
    let columns: Vec<_> = others.iter().map(|block| block.columns(among)).collect();
    let mut found = vec![Vec::new(); rows.numbers.len()];
    for block in rows.blocks() {
        let mut search = Search::new(rows, &block, k);
        let gaps: Vec<f64> = others.iter().map(|other| block.gap(other)).collect();
        let by_gap = |a: &usize, b: &usize| gaps[*a].total_cmp(&gaps[*b]).then(a.cmp(b));
        let mut order: Vec<usize> = (0..others.len()).collect();
        if let Some(closest) = order.iter().copied().min_by(by_gap) {
            search.visit(&others[closest], &columns[closest]);
            // Before they are sorted: few are left where the rows have few columns.
            order.retain(|&other| other != closest && gaps[other] <= search.farthest);
            order.sort_unstable_by(by_gap);
        }
        for other in order {
            if gaps[other] > search.farthest {
                break;
            }
            search.visit(&others[other], &columns[other]);
        }
        for (&place, nearest) in block.places.iter().zip(search.nearest) {
            let nearest = nearest.into_sorted_vec().into_iter();
            found[place] = nearest.map(|(_, number)| number).collect();
        }
    }
    found
}

/// Some rows of a table.
#[derive(Clone, Copy)]
struct Part<'a> {
    inputs: &'a [f32],
    width: usize,
    numbers: &'a [usize],
}

impl<'a> Part<'a> {
    /// Returns the row at this place among the rows.
    fn row(&self, place: usize) -> &'a [f32] {
        &self.inputs[self.numbers[place] * self.width..][..self.width]
    }

    /// Returns all rows in blocks, of which all but the last are full.
    fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut places) = (Vec::new(), Vec::from_iter(0..self.numbers.len()));
        self.split(&mut places, &mut blocks);
        blocks
    }

    /// Splits rows at the median of the column in which they differ most.
    fn split(&self, places: &mut [usize], blocks: &mut Vec<Block>) {
        let Some(&first) = places.first() else { return };
        let (mut low, mut high) = (self.row(first).to_vec(), self.row(first).to_vec());
        for &place in &*places {
            for ((low, high), &x) in low.iter_mut().zip(&mut high).zip(self.row(place)) {
                (*low, *high) = (low.min(x), high.max(x));
            }
        }
        if places.len() <= BLOCK {
            let numbers = places.iter().map(|&place| self.numbers[place]).collect();
            return blocks.push(Block { places: places.to_vec(), numbers, low, high });
        }
        let spread = |column: &usize| f64::from(high[*column]) - f64::from(low[*column]);
        let widest = (0..self.width).max_by(|a, b| spread(a).total_cmp(&spread(b))).unwrap_or(0);
        let middle = (places.len() / 2).next_multiple_of(BLOCK);
        let x = |place: &usize| self.row(*place)[widest];
        places.select_nth_unstable_by(middle, |a, b| x(a).total_cmp(&x(b)));
        let (before, after) = places.split_at_mut(middle);
        self.split(before, blocks);
        self.split(after, blocks);
    }
}

/// Rows that lie together, and the box around them.
struct Block {
    places: Vec<usize>,
    numbers: Vec<usize>,
    low: Vec<f32>,
    high: Vec<f32>,
}

impl Block {
    /// Returns the squared distance between the boxes. In spite of rounding it is at most that of two
    /// rows in them: each of its steps rounds a smaller number in the same way.
    fn gap(&self, other: &Self) -> f64 {
        let sides = self.low.iter().zip(&self.high).zip(other.low.iter().zip(&other.high));
        let gap = |((low, high), (other_low, other_high)): ((&f32, &f32), (&f32, &f32))| {
            let (low, high) = (f64::from(*low), f64::from(*high));
            (f64::from(*other_low) - high).max(low - f64::from(*other_high)).max(0.0).powi(2)
        };
        sides.map(gap).sum()
    }

    /// Returns the rows by columns; where rows are lacking, infinitely far ones.
    fn columns(&self, rows: Part<'_>) -> Vec<Column> {
        let mut columns = vec![Column([f32::INFINITY; BLOCK]); rows.width];
        for (lane, &place) in self.places.iter().enumerate() {
            let numbers = columns.iter_mut().zip(rows.row(place));
            numbers.for_each(|(Column(column), x)| column[lane] = *x);
        }
        columns
    }
}

/// The search for the rows nearest to those of a block.
struct Search<'a> {
    numbers: &'a [usize],
    width: usize,
    rows: Vec<f32>, // [a multiple of TILE, width]
    k: usize,
    /// The nearest rows so far, with the bits of their squared distances, which order like those.
    nearest: Vec<BinaryHeap<(u64, usize)>>,
    /// The greatest distances in `f32` of rows that may be nearer.
    bounds: Vec<f32>, // [a multiple of TILE]
    /// The greatest squared distance at which a row may still be among the nearest.
    farthest: f64,
    distances: Vec<[f32; BLOCK]>,
}

impl<'a> Search<'a> {
    fn new(rows: Part<'_>, block: &'a Block, k: usize) -> Self {
        let numbers = &*block.numbers;
        let tiles = numbers.len().next_multiple_of(TILE);
        let mut lines = Vec::with_capacity(tiles * rows.width);
        block.places.iter().for_each(|&place| lines.extend_from_slice(rows.row(place)));
        lines.resize(tiles * rows.width, 0.0);
        Self {
            numbers,
            width: rows.width,
            k,
            rows: lines,
            nearest: vec![BinaryHeap::new(); numbers.len()],
            bounds: [vec![f32::INFINITY; numbers.len()], vec![-1.0; tiles - numbers.len()]]
                .concat(),
            farthest: f64::INFINITY,
            distances: vec![[0.0; BLOCK]; tiles],
        }
    }

    /// Compares the rows with those of another block.
    fn visit(&mut self, block: &Block, columns: &[Column]) {
        let mut within = distances(&self.rows, columns, &self.bounds, &mut self.distances);
        let (is_nearer, width) = (within != 0, self.width);
        while within != 0 {
            let i = within.trailing_zeros() as usize;
            within &= within - 1;
            let (distances, bound) = (&self.distances[i], &mut self.bounds[i]);
            if *bound == f32::INFINITY && self.k < block.numbers.len() {
                // `k` of these `k + 1` rows are others, so no row that is farther need be compared.
                let mut sorted = *distances;
                let (_, &mut farthest, _) = sorted.select_nth_unstable_by(self.k, f32::total_cmp);
                *bound = upper_bound(f64::from(upper_bound(f64::from(farthest), width)), width);
            }
            let (own, nearest) = (&self.rows[i * width..], &mut self.nearest[i]);
            for (lane, &other) in block.numbers.iter().enumerate() {
                if distances[lane] > *bound || other == self.numbers[i] {
                    continue;
                }
                let pairs = own.iter().zip(columns).map(|(a, Column(b))| (a, b[lane]));
                let squares = pairs.map(|(a, b)| (f64::from(*a) - f64::from(b)).powi(2));
                let candidate = (squares.sum::<f64>().to_bits(), other);
                if nearest.len() < self.k {
                    nearest.push(candidate);
                } else if let Some(mut worst) = nearest.peek_mut()
                    && candidate < *worst
                {
                    *worst = candidate;
                }
                if let Some(&(worst, _)) = nearest.peek().filter(|_| nearest.len() == self.k) {
                    *bound = upper_bound(f64::from_bits(worst), width);
                }
            }
        }
        if is_nearer {
            let worst = |nearest: &BinaryHeap<(u64, usize)>| match nearest.peek() {
                Some(&(worst, _)) if nearest.len() == self.k => f64::from_bits(worst),
                _ => f64::INFINITY,
            };
            self.farthest = self.nearest.iter().map(worst).fold(0.0, f64::max);
        }
    }
}

/// Returns the greatest squared distance in `f32` of rows that are no farther than this. A difference,
/// its square and each of `width` sums may be rounded by half of `EPSILON`; squares that are no normal
/// numbers by less than `MIN_POSITIVE` together.
fn upper_bound(distance: f64, width: usize) -> f32 {
    let rounding = 1.0 + (width + 4) as f64 * f64::from(f32::EPSILON);
    (distance * rounding) as f32 + f32::MIN_POSITIVE
}

wide! {
    /// Computes the squared distances between rows, `[n, width]`, and a block of rows by columns.
    /// Returns a bit for each of the `n` rows, set if any of its distances is within
    /// its bound. `n` is a multiple of `TILE`, at most `BLOCK`.
    fn distances<FMA, LANES>(
        rows: &[f32], columns: &[Column], bounds: &[f32], distances: &mut [[f32; BLOCK]],
    ) -> u64 {
        let tiles = rows.chunks_exact(TILE * columns.len());
        for (rows, distances) in tiles.zip(distances.as_chunks_mut().0) {
            // As many as the registers hold.
            if LANES == 16 {
                tile::<BLOCK, FMA>(rows, columns, 0, distances);
            } else {
                for first in (0..BLOCK).step_by(16) {
                    tile::<16, FMA>(rows, columns, first, distances);
                }
            }
        }
        let is_within = |(distances, bound): (&[f32; BLOCK], &f32)| {
            distances.iter().fold(false, |any, distance| any | (distance <= bound))
        };
        let bits = distances.iter().zip(bounds).map(is_within).zip(0..);
        bits.fold(0, |bits, (is_within, row)| bits | u64::from(is_within) << row)
    }
}

/// The distances of `TILE` rows to `C` others, from `first` on. Differences, not the products of
/// ‖a‖² + ‖b‖² − 2 ab: those lose all digits of rows that lie close together far from zero.
#[inline(always)]
fn tile<const C: usize, const FMA: bool>(
    rows: &[f32],
    columns: &[Column],
    first: usize,
    distances: &mut [[f32; BLOCK]; TILE],
) {
    let width = columns.len();
    let rows: [&[f32]; TILE] = std::array::from_fn(|r| &rows[r * width..][..width]);
    let mut sums = [[0.0; C]; TILE];
    for (i, Column(column)) in (0..width).zip(columns) {
        let column = &column[first..][..C];
        let row: [f32; TILE] = std::array::from_fn(|r| rows[r][i]);
        for r in 0..TILE {
            for c in 0..C {
                let difference = column[c] - row[r];
                sums[r][c] = multiply_add::<FMA>(difference, difference, sums[r][c]);
            }
        }
    }
    for (distances, sums) in distances.iter_mut().zip(&sums) {
        distances[first..][..C].copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The nearest rows by comparing all.
    fn compare_all(data: &Dataset, row: usize, among: &[usize], k: usize) -> Vec<usize> {
        let numbers = |row: usize| &data.inputs()[row * data.input_width()..][..data.input_width()];
        let distance = |other: usize| -> f64 {
            let pairs = numbers(row).iter().zip(numbers(other));
            pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
        };
        let others = among.iter().filter(|&&other| other != row);
        let mut others: Vec<_> = others.map(|&other| (distance(other), other)).collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        others.into_iter().take(k).map(|(_, other)| other).collect()
    }

    fn check(numbers: Vec<f32>, width: usize, ks: &[usize]) {
        let rows = numbers.len() / width;
        let data = Dataset::new(numbers, width, vec![0.0; rows], 1).unwrap();
        let all: Vec<usize> = (0..rows).collect();
        let some: Vec<usize> = all.iter().copied().filter(|row| row % 3 != 1).collect();
        for (from, among) in [(&all, &all), (&some, &all), (&all, &some), (&some, &some)] {
            for &k in ks {
                let found = nearest(&data, from, among, k);
                assert_eq!(found.len(), from.len());
                for (&row, found) in from.iter().zip(found) {
                    assert_eq!(found, compare_all(&data, row, among, k), "{rows} {width} {k}");
                }
            }
        }
    }

    #[test]
    fn finds_what_comparing_all_finds() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (rows, width) in
            [(1, 1), (2, 3), (63, 2), (65, 1), (129, 5), (300, 2), (300, 20), (200, 70)]
        {
            let mut numbers = |f: &dyn Fn(f32) -> f32| -> Vec<f32> {
                (0..rows * width).map(|_| f(2.0 * rng.random::<f32>() - 1.0)).collect()
            };
            let ks = [0, 1, 5, 70, rows];
            check(numbers(&|x| x), width, &ks);
            // Rows that are equal or equally far.
            check(numbers(&|x| (2.0 * x).round()), width, &ks);
            check(numbers(&|_| 3.0), width, &ks);
            // Close together, far from zero: `f32` holds few digits of their differences.
            check(numbers(&|x| 1e6 + x), width, &ks);
            // Squares that overflow or vanish.
            check(numbers(&|x| 3e38 * x), width, &ks);
            check(numbers(&|x| 1e-22 * x), width, &ks);
            check(numbers(&|x| 1e-38 * x), width, &ks);
            // Columns of all sizes.
            check(numbers(&|x| x.signum() * (90.0 * (x.abs() - 0.5)).exp()), width, &ks);
        }
    }
}
