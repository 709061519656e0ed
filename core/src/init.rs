//! Initialises the parameters of a network.
//!
//! Every number comes from the caller's random stream; libtorch's own generator is never drawn
//! from. Names and formulas are those of `torch.nn.init`.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal, Uniform};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The numbers of inputs and outputs of a unit in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fans {
    /// Inputs of one output unit; for a convolution, times the kernel's size.
    pub fan_in: usize,
    /// Outputs that one input unit reaches; for a convolution, times the kernel's size.
    pub fan_out: usize,
}

/// A rule that initialises a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Init {
    /// `U(±1/√fan_in)`, PyTorch's default for the weight and bias of `nn.Linear`.
    /// (`tch::nn::linear` draws its weight from a range about 2.4 times as wide.)
    LinearDefault,
    /// Zeros.
    Zeros,
    /// One value everywhere.
    Constant {
        /// The value.
        value: f32,
    },
    /// `U(low, high)`.
    Uniform {
        /// The lower bound, included.
        low: f32,
        /// The upper bound, excluded.
        high: f32,
    },
    /// `N(mean, std²)`.
    Normal {
        /// The mean.
        mean: f32,
        /// The standard deviation, ≥ 0.
        std: f32,
    },
    /// The normal distribution between two bounds, as `trunc_normal_`.
    TruncatedNormal {
        /// The mean before truncation; between the bounds.
        mean: f32,
        /// The standard deviation before truncation; > 0.
        std: f32,
        /// The lower bound.
        low: f32,
        /// The upper bound.
        high: f32,
    },
    /// `U(±gain · √(6/(fan_in + fan_out)))` (Glorot and Bengio 2010).
    XavierUniform {
        /// See [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// `N(0, gain² · 2/(fan_in + fan_out))` (Glorot and Bengio 2010).
    XavierNormal {
        /// See [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// `U(±gain · √(3/fan_in))` (He et al. 2015).
    KaimingUniform {
        /// √2 for ReLU; see [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// `N(0, gain²/fan_in)` (He et al. 2015).
    KaimingNormal {
        /// √2 for ReLU; see [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// `U(±gain · √(3/fan_out))`: He's alternative, which keeps the variance of the gradients.
    KaimingUniformFanOut {
        /// √2 for ReLU; see [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// `N(0, gain²/fan_out)`: He's alternative, which keeps the variance of the gradients.
    KaimingNormalFanOut {
        /// √2 for ReLU; see [`gain`](crate::nn::Activation::gain).
        gain: f32,
    },
    /// Orthogonal rows (or columns, if there are fewer of them) of length `gain` (Saxe et al.
    /// 2014). Needs at least two dimensions; dimensions after the first count as columns.
    Orthogonal {
        /// The length of a row or column.
        gain: f32,
    },
}

/// Why a parameter cannot be initialised.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InitError {
    /// A number in the rule is not finite or out of its range.
    #[error("initialiser {rule:?}: {need}")]
    BadRule {
        /// The rule.
        rule: Init,
        /// The requirement.
        need: &'static str,
    },
    /// The rule drew numbers that exceed the range of `f32`.
    #[error("initialiser {rule:?} drew {got}: expected finite numbers; choose smaller values")]
    NotFinite {
        /// The rule.
        rule: Init,
        /// The first number that is not finite.
        got: f32,
    },
    /// The number of elements differs from the shape.
    #[error("got {got} numbers to fill: expected those of the shape {shape:?}")]
    Length {
        /// The shape.
        shape: Vec<usize>,
        /// The number of elements given.
        got: usize,
    },
    /// Orthogonal initialisation needs at least two dimensions.
    #[error(
        "orthogonal initialisation needs at least 2 dimensions, got shape {shape:?}: choose zeros"
    )]
    NotAMatrix {
        /// The parameter's shape.
        shape: Vec<usize>,
    },
}

impl Init {
    /// Checks whether the rule can fill a parameter of this shape.
    pub fn check(&self, shape: &[usize]) -> Result<(), InitError> {
        let bad = |need| Err(InitError::BadRule { rule: *self, need });
        match *self {
            Self::Constant { value } if !value.is_finite() => bad("value must be finite"),
            Self::Uniform { low, high }
                if !(low < high && low.is_finite() && (high - low).is_finite()) =>
            {
                bad("low and high must be finite and low < high")
            }
            Self::Normal { mean, std } if !(mean.is_finite() && std.is_finite() && std >= 0.0) => {
                bad("mean and std must be finite and std ≥ 0")
            }
            Self::TruncatedNormal { mean, std, low, high }
                if !(std > 0.0
                    && std.is_finite()
                    && low < high
                    && (high - low).is_finite()
                    && (low..=high).contains(&mean)) =>
            {
                bad("all must be finite, std > 0, low < high, and mean between those")
            }
            Self::XavierUniform { gain }
            | Self::XavierNormal { gain }
            | Self::KaimingUniform { gain }
            | Self::KaimingNormal { gain }
            | Self::KaimingUniformFanOut { gain }
            | Self::KaimingNormalFanOut { gain }
            | Self::Orthogonal { gain }
                if !(gain.is_finite() && gain > 0.0) =>
            {
                bad("gain must be finite and > 0")
            }
            Self::Orthogonal { .. } if shape.len() < 2 => {
                Err(InitError::NotAMatrix { shape: shape.to_vec() })
            }
            _ => Ok(()),
        }
    }

    /// Fills `out`, a parameter of this shape in row-major order.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`InitError::Length`] unless `out` has the shape's number of
    /// elements, [`InitError::NotFinite`] if a drawn number exceeds the range of `f32`.
    pub fn fill<R: Rng + ?Sized>(
        &self,
        shape: &[usize],
        fans: Fans,
        rng: &mut R,
        out: &mut [f32],
    ) -> Result<(), InitError> {
        self.check(shape)?;
        let length = shape.iter().try_fold(1_usize, |length, side| length.checked_mul(*side));
        if length != Some(out.len()) {
            return Err(InitError::Length { shape: shape.to_vec(), got: out.len() });
        }
        let fan_in = fans.fan_in.max(1) as f32;
        let fan_out = fans.fan_out.max(1) as f32;
        let fan_mean = fans.fan_in.saturating_add(fans.fan_out).max(1) as f32 / 2.0;
        match *self {
            Self::Zeros => out.fill(0.0),
            Self::Constant { value } => out.fill(value),
            Self::Uniform { low, high } => uniform(low, high, rng, out),
            Self::LinearDefault => uniform_within(1.0 / fan_in.sqrt(), rng, out),
            Self::XavierUniform { gain } => {
                uniform_within(gain * (3.0 / fan_mean).sqrt(), rng, out);
            }
            Self::KaimingUniform { gain } => uniform_within(gain * (3.0 / fan_in).sqrt(), rng, out),
            Self::Normal { mean, std } => normal(mean, std, rng, out),
            Self::XavierNormal { gain } => normal(0.0, gain / fan_mean.sqrt(), rng, out),
            Self::KaimingNormal { gain } => normal(0.0, gain / fan_in.sqrt(), rng, out),
            Self::KaimingUniformFanOut { gain } => {
                uniform_within(gain * (3.0 / fan_out).sqrt(), rng, out);
            }
            Self::KaimingNormalFanOut { gain } => normal(0.0, gain / fan_out.sqrt(), rng, out),
            Self::TruncatedNormal { mean, std, low, high } => {
                out.fill_with(|| truncated_normal((mean, std), (low, high), rng));
            }
            Self::Orthogonal { gain } => orthogonal(shape[0], gain, rng, out),
        }
        match out.iter().find(|number| !number.is_finite()) {
            None => Ok(()),
            Some(&got) => Err(InitError::NotFinite { rule: *self, got }),
        }
    }
}

fn uniform<R: Rng + ?Sized>(low: f32, high: f32, rng: &mut R, out: &mut [f32]) {
    let range = Uniform::new(low, high).expect("the rule was checked");
    out.fill_with(|| range.sample(rng));
}

fn uniform_within<R: Rng + ?Sized>(bound: f32, rng: &mut R, out: &mut [f32]) {
    out.fill_with(|| bound * (2.0 * rng.random::<f32>() - 1.0));
}

fn normal<R: Rng + ?Sized>(mean: f32, std: f32, rng: &mut R, out: &mut [f32]) {
    out.fill_with(|| mean + std * Distribution::<f32>::sample(&StandardNormal, rng));
}

/// Draws until a number is accepted, which half of them are: as the mean lies between the bounds,
/// either they are narrow and the density is nearly flat, or they hold half of the distribution.
fn truncated_normal<R: Rng + ?Sized>(
    (mean, std): (f32, f32),
    (low, high): (f32, f32),
    rng: &mut R,
) -> f32 {
    const NARROW: f32 = 2.5; // in standard deviations: both ways then accept at least 0.49
    let narrow = high - low < NARROW * std;
    loop {
        if narrow {
            let x = low + (high - low) * rng.random::<f32>();
            let z = (x - mean) / std;
            if rng.random::<f32>() < (-0.5 * z * z).exp() {
                return x.clamp(low, high); // rounding
            }
        } else {
            let x = mean + std * Distribution::<f32>::sample(&StandardNormal, rng);
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }
}

/// Gram and Schmidt on normal vectors, which is the QR decomposition with a positive diagonal that
/// makes every orthogonal matrix equally likely. Each vector is freed of the others twice, because
/// once leaves rounding errors ("twice is enough", Giraud et al. 2005).
fn orthogonal<R: Rng + ?Sized>(rows: usize, gain: f32, rng: &mut R, out: &mut [f32]) {
    if out.is_empty() {
        return;
    }
    let columns = out.len() / rows;
    let (count, length) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| StandardNormal.sample(rng)).collect();
        for _ in 0..2 {
            for other in &vectors {
                let overlap = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= overlap * y);
            }
        }
        let norm = dot(&vector, &vector).sqrt();
        if norm > 1e-6 {
            vector.iter_mut().for_each(|x| *x /= norm);
            vectors.push(vector);
        }
    }
    for (i, x) in out.iter_mut().enumerate() {
        let (row, column) = (i / columns, i % columns);
        let unit = if rows <= columns { vectors[row][column] } else { vectors[column][row] };
        *x = (f64::from(gain) * unit) as f32;
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
