//! Contrastive losses of embeddings.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::LossError;
use super::check::{check_like, check_prediction, check_setting};
use super::classification::smoothed_cross_entropy;

/// The smallest norm to divide by, as in PyTorch's `cosine_similarity`.
pub(super) const LEAST_NORM: f64 = 1e-8;

/// Divides rows by their Euclidean norms: `[N, D]` to `[N, D]`, like PyTorch's `normalize`. A row
/// of zeros stays zero.
///
/// The direction of a row shorter than 10⁻⁸ is lost in rounding: the row is divided by 10⁻⁸ and
/// gets no gradient, which could be up to 1/‖row‖. All other gradients are at most 10⁸.
pub fn normalize(rows: &Tensor) -> Tensor {
    let norms = |rows: &Tensor| rows.norm_scalaropt_dim(2, -1, true); // [N, 1]
    let (mut rows, mut norm) = (rows.shallow_clone(), norms(rows));
    if norm.isfinite().all().int64_value(&[]) == 0 {
        // Squares overflowed, or the rows are not finite: measured in their greatest numbers then.
        rows = &rows / rows.detach().abs().amax([-1], true).clamp_min(1.0);
        norm = norms(&rows);
    }
    rows.where_self(&norm.ge(LEAST_NORM), &rows.detach()) / norm.clamp_min(LEAST_NORM)
}

/// Computes NT-Xent, the contrastive loss of SimCLR: each of the 2N embeddings (N examples in two
/// views) has to find the other view of its example among the 2N − 1 other embeddings.
///
/// ```text
/// ℓ(i, j) = −ln( exp(cos(zᵢ, zⱼ) / τ) / Σ_{k ≠ i} exp(cos(zᵢ, zₖ) / τ) ), the mean over both orders
/// ```
///
/// `first` and `second` are the views, `[N, D]` with N at least 2. The temperature τ is > 0. An
/// embedding is never compared with itself. If all embeddings are equal, the loss is ln(2N − 1).
/// [`info_nce`] is the cross-view loss with N candidates.
///
/// Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations"
/// (2020), equation 1, <https://arxiv.org/abs/2002.05709>.
///
/// # Errors
/// [`LossError::Setting`], [`LossError::Shape`], [`LossError::Kind`], [`LossError::Device`].
pub fn nt_xent(first: &Tensor, second: &Tensor, temperature: f64) -> Result<Tensor, LossError> {
    check_temperature(temperature)?;
    check_pair(first, second, 2)?;
    let n = first.size()[0];
    let z = normalize(&Tensor::cat(&[first, second], 0)); // [2N, D]
    let itself = Tensor::eye(2 * n, (Kind::Bool, z.device())); // [2N, 2N]
    let scores = z.matmul(&z.tr()) / temperature;
    let scores = scores.masked_fill(&itself, f64::NEG_INFINITY);
    let other_view = (Tensor::arange(2 * n, (Kind::Int64, z.device())) + n).remainder(2 * n);
    Ok(smoothed_cross_entropy(&scores, &other_view, None, 0.0))
}

/// The direction of the search in [`info_nce`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Each query searches its key (CPC).
    QueryToKey,
    /// Each query searches its key and each key its query; the mean of both (CLIP).
    #[default]
    Both,
}

/// Computes cross-view InfoNCE: each of N queries has to find its own key among the N keys, by
/// cosine similarity divided by the temperature. If all embeddings are equal, the loss is ln N.
/// Unlike in [`nt_xent`], queries are not compared with each other.
///
/// `query` and `key` are `[N, D]` with N at least 2; row i of one belongs to row i of the other.
/// The temperature is > 0.
///
/// Sources: van den Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive
/// Coding" (2018), equation 4, <https://arxiv.org/abs/1807.03748>; in both directions Radford et al.,
/// "Learning Transferable Visual Models From Natural Language Supervision" (2021), figure 3.
///
/// # Errors
/// As [`nt_xent`].
pub fn info_nce(
    query: &Tensor,
    key: &Tensor,
    temperature: f64,
    direction: Direction,
) -> Result<Tensor, LossError> {
    check_temperature(temperature)?;
    check_pair(query, key, 2)?;
    let scores = normalize(query).matmul(&normalize(key).tr()) / temperature; // [N, N]
    Ok(match direction {
        Direction::QueryToKey => of_diagonal(&scores),
        Direction::Both => (of_diagonal(&scores) + of_diagonal(&scores.tr())) / 2.0,
    })
}

/// Computes InfoNCE from given scores, for example of a bilinear product: `[N, N]`, where N is at
/// least 2. Row i holds the scores of query i with each key; the matching pairs are on the
/// diagonal.
///
/// # Errors
/// [`LossError`]: another shape or kind.
pub fn diagonal_cross_entropy(scores: &Tensor) -> Result<Tensor, LossError> {
    let fits = |size: &[i64]| size.len() == 2 && size[0] == size[1] && size[0] != 1;
    check_prediction(scores, "[N, N] with N at least 2", fits)?;
    Ok(of_diagonal(scores))
}

fn of_diagonal(scores: &Tensor) -> Tensor {
    let own = Tensor::arange(scores.size()[0], (Kind::Int64, scores.device()));
    smoothed_cross_entropy(scores, &own, None, 0.0)
}

/// Computes the mean over rows of −cos between `prediction` and `target`: from −1, all rows
/// parallel, to 1. Both are `[N, D]`; the gradient stops at the target, as SimSiam and BYOL need.
///
/// Source: Chen and He, "Exploring Simple Siamese Representation Learning" (2021), equation 1,
/// <https://arxiv.org/abs/2011.10566>. BYOL's squared error of normalised rows is 2 plus twice this.
///
/// # Errors
/// [`LossError::Shape`], [`LossError::Kind`], [`LossError::Device`].
pub fn negative_cosine_similarity(
    prediction: &Tensor,
    target: &Tensor,
) -> Result<Tensor, LossError> {
    check_pair(prediction, target, 1)?;
    let products = normalize(prediction) * normalize(&target.detach()); // [N, D]
    Ok(-products.sum_dim_intlist(-1, false, None::<Kind>).mean(None::<Kind>))
}

fn check_temperature(temperature: f64) -> Result<(), LossError> {
    let holds = temperature > 0.0 && temperature.is_finite();
    check_setting("temperature", temperature, "finite and > 0", holds)
}

/// Checks two views of at least `least` rows.
fn check_pair(first: &Tensor, second: &Tensor, least: i64) -> Result<(), LossError> {
    let expected = if least > 1 { "[N, D] with N at least 2" } else { "[N, D]" };
    check_prediction(first, expected, |size| size.len() == 2 && size[0] >= least)?;
    check_like("the other view", second, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{number, tensor};

    /// Two views of two examples, of which one embedding is `size` long.
    fn views(size: f32) -> (Tensor, Tensor) {
        let first = tensor(&[0.6 * size, 0.8 * size, 0.0, 1.0]).view([2, 2]);
        (first.set_requires_grad(true), tensor(&[0.8, 0.6, -1.0, 1.0]).view([2, 2]))
    }

    type OfViews = fn(&Tensor, &Tensor) -> Result<Tensor, LossError>;

    fn gradient(loss: &Tensor, first: &Tensor) -> Vec<f64> {
        loss.backward();
        Vec::<f64>::try_from(first.grad().flatten(0, -1).to_kind(Kind::Double)).unwrap()
    }

    #[test]
    fn an_embedding_of_zeros_has_no_direction_to_descend() {
        for size in [0.0, 1e-45, 1e-30, 1e-9] {
            let losses: [OfViews; 3] = [
                |first, second| nt_xent(first, second, 0.1),
                |first, second| info_nce(first, second, 0.1, Direction::Both),
                negative_cosine_similarity,
            ];
            for loss in losses {
                let (first, second) = views(size);
                let loss = loss(&first, &second).unwrap();
                assert!(number(&loss).is_finite());
                let gradient = gradient(&loss, &first);
                assert_eq!(gradient[..2], [0.0, 0.0], "{size}");
                assert!(gradient[2..].iter().all(|g| g.abs() < 20.0), "{size}: {gradient:?}");
            }
        }
    }

    #[test]
    fn the_length_of_an_embedding_changes_no_loss() {
        let (first, second) = views(1.0);
        let unit = number(&nt_xent(&first, &second, 0.5).unwrap());
        for size in [1e-6, 1e-3, 1e3, 1e19, 1e30, 3e38] {
            let (first, second) = views(size);
            let loss = nt_xent(&first, &second, 0.5).unwrap();
            assert!((number(&loss) - unit).abs() < 1e-5, "{size}: {}", number(&loss));
            let gradient = gradient(&loss, &first);
            assert!(gradient.iter().all(|g| g.is_finite()), "{size}: {gradient:?}");
        }
        let (first, second) = views(f32::NAN);
        assert!(number(&nt_xent(&first, &second, 0.5).unwrap()).is_nan());
    }
}
