//! Inputs as they come: most of them usual, some at the limits, some nonsense.

#![allow(dead_code)] // other crates' fuzzing draws from it too, each what it needs

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::de::DeserializeOwned;

/// Draws the input of one case.
pub(super) struct Source {
    rng: ChaCha8Rng,
}

const COUNTS: [usize; 13] = [
    usize::MAX,
    usize::MAX - 1,
    usize::MAX / 2,
    1 << 63,
    1 << 62,
    1 << 53,
    1 << 40,
    1 << 33,
    1 << 32,
    (1 << 32) - 1,
    1 << 31,
    1 << 24,
    60_000,
];

const NUMBERS: [f64; 24] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.0,
    5e-324,
    f64::MIN_POSITIVE,
    -1e-310,
    1e-160,
    1e-45,
    1e-38,
    f64::EPSILON,
    1.0 - f64::EPSILON,
    1.0 + f64::EPSILON,
    16_777_217.0,
    4_294_967_296.0,
    1.8446744073709552e19,
    1e20,
    3.4e38,
    1e160,
    1e308,
    -1.7976931348623157e308,
];

const TEXTS: [&str; 18] = [
    "",
    " ",
    "a",
    "NA",
    "nan",
    "class 1",
    "encoder.0.weight",
    "head.0",
    "../../etc",
    "\u{feff}a",
    "\0",
    "\x1b[31m",
    "\r\n",
    "\"",
    "a,b",
    "ä",
    "\u{1f600}",
    "{\"a\":[",
];

impl Source {
    /// Follows from these three alone.
    pub(super) fn new(seed: u64, target: &str, case: u64) -> Self {
        let name = target.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ name);
        rng.set_stream(case);
        Self { rng }
    }

    pub(super) fn rng(&mut self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.rng.next_u64())
    }

    pub(super) fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_ratio(1, n)
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())].clone()
    }

    /// From 0 to `most`.
    pub(super) fn up_to(&mut self, most: usize) -> usize {
        self.rng.random_range(0..=most)
    }

    /// Any count at all.
    pub(super) fn count(&mut self) -> usize {
        match self.up_to(9) {
            0..=5 => self.up_to(8),
            6 => self.up_to(300),
            _ => self.pick(&COUNTS),
        }
    }

    pub(super) fn u64(&mut self) -> u64 {
        self.count() as u64
    }

    /// Any number at all.
    pub(super) fn number(&mut self) -> f64 {
        match self.up_to(9) {
            0..=2 => self.rng.random::<f64>(),
            3 | 4 => self.rng.random_range(-4.0..4.0),
            5 => self.up_to(20) as f64,
            _ => self.pick(&NUMBERS),
        }
    }

    pub(super) fn f32(&mut self) -> f32 {
        self.number() as f32
    }

    /// A share, usually one of the round ones.
    pub(super) fn share(&mut self) -> f64 {
        if self.one_in(3) { self.number() } else { self.up_to(20) as f64 / 20.0 }
    }

    /// How many numbers a slice has: few, none, or some hundred.
    pub(super) fn length(&mut self) -> usize {
        match self.up_to(7) {
            0 => 0,
            1 => 1,
            2 => self.up_to(300),
            _ => 2 + self.up_to(10),
        }
    }

    /// Usually small and finite; in one slice of three some number is not.
    pub(super) fn f64s(&mut self, length: usize) -> Vec<f64> {
        let wild = self.one_in(3);
        let ties = self.one_in(3);
        let mut draw = || match (wild, ties) {
            (true, _) if self.one_in(3) => self.number(),
            (_, true) => self.up_to(3) as f64,
            _ => self.rng.random_range(-2.0..2.0),
        };
        (0..length).map(|_| draw()).collect()
    }

    pub(super) fn f32s(&mut self, length: usize) -> Vec<f32> {
        self.f64s(length).into_iter().map(|number| number as f32).collect()
    }

    /// As many as asked for, or in one slice of eight another number of them.
    pub(super) fn about(&mut self, length: usize) -> usize {
        if self.one_in(8) { self.length() } else { length }
    }

    /// Numbers of classes, of few or of many.
    pub(super) fn classes(&mut self, length: usize) -> Vec<usize> {
        let (wild, most) = (self.one_in(6), self.up_to(3));
        let mut class = || if wild && self.one_in(4) { self.count() } else { self.up_to(most) };
        (0..length).map(|_| class()).collect()
    }

    /// Rows of probabilities, `[N, classes]`, most of which sum to 1.
    pub(super) fn probabilities(&mut self, rows: usize, classes: usize) -> Vec<f64> {
        if self.one_in(5) {
            let length = self.about(rows * classes);
            return self.f64s(length);
        }
        let mut row = || {
            let parts: Vec<f64> = (0..classes).map(|_| self.rng.random_range(0.0..1.0)).collect();
            let sum: f64 = parts.iter().sum();
            parts.into_iter().map(move |part| if sum > 0.0 { part / sum } else { part })
        };
        (0..rows).flat_map(|_| row()).collect()
    }

    pub(super) fn text(&mut self) -> String {
        let text = self.pick(&TEXTS);
        if self.one_in(12) { text.repeat(self.up_to(3000)) } else { text.to_owned() }
    }

    pub(super) fn texts(&mut self, length: usize) -> Vec<String> {
        (0..length)
            .map(|i| if self.one_in(6) { self.text() } else { format!("name {i}") })
            .collect()
    }

    /// A shape of few dimensions, usually of few numbers.
    pub(super) fn shape(&mut self) -> Vec<usize> {
        let dimensions = self.up_to(4);
        let wild = self.one_in(4);
        (0..dimensions).map(|_| if wild { self.count() } else { self.up_to(5) }).collect()
    }

    pub(super) fn small_shape(&mut self) -> Vec<usize> {
        (0..self.up_to(4)).map(|_| self.up_to(4)).collect()
    }

    /// A setting from one of these lines of JSON, whose `#` become numbers and whose `@` counts; `None`
    /// where it is none.
    pub(super) fn config<T: DeserializeOwned>(&mut self, forms: &[&str]) -> Option<T> {
        let mut json = String::new();
        for letter in self.pick(forms).chars() {
            match letter {
                '#' => json += &self.json_number(),
                '@' => json += &self.count().to_string(),
                letter => json.push(letter),
            }
        }
        serde_json::from_str(&json).ok()
    }

    fn json_number(&mut self) -> String {
        let number = if self.one_in(2) { self.share() } else { self.number() };
        serde_json::to_string(&number).expect("a number")
    }

    /// Bytes with some of them changed, cut, doubled or put in.
    pub(super) fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..self.up_to(4) {
            let (at, other) = (self.up_to(bytes.len()), self.up_to(bytes.len()));
            let (start, end) = (at.min(other), at.max(other));
            match self.up_to(7) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(start..end)),
                2 => {
                    let copy = bytes[start..end].to_vec();
                    bytes.splice(at..at, copy);
                }
                3 => {
                    let text = self.text();
                    bytes.splice(at..at, text.into_bytes());
                }
                4 => {
                    let number =
                        self.pick(&["0", "-1", "1e999", "18446744073709551616", "NaN", "null"]);
                    bytes.splice(at..at, number.bytes());
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << self.up_to(7),
                _ => bytes.push(self.up_to(255) as u8),
            }
        }
        bytes
    }
}
