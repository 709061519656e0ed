//! Metrics of embeddings.

use tch::{Kind, Tensor};

use crate::loss::{LossError, normalize};

/// Returns the mean squared distance between two views' embeddings on the unit sphere: 0 is best, 4
/// is opposite. `first` and `second` are `[N, D]`; row i of one belongs to row i of the other.
///
/// Source: Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
/// Uniformity on the Hypersphere" (2020), section 4.1, α = 2, <https://arxiv.org/abs/2005.10242>.
///
/// # Errors
/// [`LossError::Shape`], [`LossError::Kind`], [`LossError::Number`] for embeddings that are not finite.
pub fn alignment(first: &Tensor, second: &Tensor) -> Result<f64, LossError> {
    let (a, b) = (on_sphere(first, 1)?, on_sphere(second, 1)?);
    if a.size() != b.size() {
        let (expected, got) = (format!("{:?}", a.size()), b.size());
        return Err(LossError::Shape { what: "the other view", expected, got });
    }
    let distances = (a - b).square().sum_dim_intlist(-1, false, None::<Kind>); // [N]
    Ok(distances.mean(None::<Kind>).double_value(&[]))
}

/// Returns how evenly embeddings `[N, D]`, N at least 2, are spread on the unit sphere: the
/// logarithm of the mean of exp(−2 d²) over the distances d of all pairs. 0 if all are equal; lower
/// is more even. Rows of zeros count as the centre of the sphere.
///
/// Source: Wang and Isola (2020), section 4.1, t = 2.
///
/// # Errors
/// As [`alignment`].
pub fn uniformity(embeddings: &Tensor) -> Result<f64, LossError> {
    let z = on_sphere(embeddings, 2)?;
    // d² = |a|² + |b|² − 2 a · b, as |a| may be 0; of all N² pairs without those of a row with itself.
    let n = z.size()[0] as f64;
    let norms = z.square().sum_dim_intlist(-1, true, None::<Kind>); // [N, 1]
    let squares = (&norms + norms.tr() - z.matmul(&z.tr()) * 2.0).clamp_min(0.0);
    let total = (squares * -2.0).exp().fill_diagonal_(0.0, false).sum(None::<Kind>);
    Ok((total.double_value(&[]) / (n * (n - 1.0))).ln())
}

/// Returns the standard deviation of the dimensions of embeddings on the unit sphere, averaged:
/// 1/√D if they are evenly spread, 0 if all are equal. `[N, D]`, N at least 2.
///
/// Source: Chen and He, "Exploring Simple Siamese Representation Learning" (2021), section 4.1.
///
/// # Errors
/// As [`alignment`].
pub fn normalized_std(embeddings: &Tensor) -> Result<f64, LossError> {
    let z = on_sphere(embeddings, 2)?;
    Ok(z.std_dim(Some([0].as_slice()), true, false).mean(None::<Kind>).double_value(&[]))
}

/// Returns the effective number of dimensions that embeddings `[N, D]` span on the unit sphere: e
/// to the entropy of the centred embeddings' singular values, normalised to sum 1. At most the
/// lower of D and N − 1; 0 if all are equal.
///
/// Source: Roy and Vetterli, "The effective rank: A measure of effective dimensionality" (2007).
///
/// # Errors
/// As [`alignment`].
pub fn effective_rank(embeddings: &Tensor) -> Result<f64, LossError> {
    let z = on_sphere(embeddings, 2)?;
    let centred = &z - z.mean_dim([0].as_slice(), true, None::<Kind>);
    let singular = centred.svd(true, false).1;
    let singular = Vec::<f64>::try_from(singular).expect("real numbers");
    // Below this they are rounding; the rows themselves came in f32.
    let least = f64::from(f32::EPSILON) * z.norm().double_value(&[]);
    let singular: Vec<f64> = singular.into_iter().filter(|&value| value > least).collect();
    let sum: f64 = singular.iter().sum();
    if sum == 0.0 {
        return Ok(0.0);
    }
    let shares = singular.iter().map(|value| value / sum);
    Ok(shares.map(|share| -share * share.ln()).sum::<f64>().exp())
}

/// The rows over their norms, as `f64` without gradients.
fn on_sphere(embeddings: &Tensor, least_rows: i64) -> Result<Tensor, LossError> {
    let what = "the embeddings";
    if !matches!(embeddings.kind(), Kind::Float | Kind::Double) {
        let (expected, got) = ("Float or Double", embeddings.kind());
        return Err(LossError::Kind { what, expected, got });
    }
    let got = embeddings.size();
    if got.len() != 2 || got[0] < least_rows || got[1] == 0 {
        let expected = format!("[N, D], N at least {least_rows} and D at least 1");
        return Err(LossError::Shape { what, expected, got });
    }
    let rows = embeddings.detach().to_kind(Kind::Double);
    let finite = rows.isfinite();
    if finite.all().int64_value(&[]) == 0 {
        let got = rows.masked_select(&finite.logical_not()).double_value(&[0]);
        return Err(LossError::Number { what, allowed: "that are finite", got });
    }
    Ok(normalize(&rows))
}
