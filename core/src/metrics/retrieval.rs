//! Retrieval metrics: how well documents are ranked for queries.

use super::binary_scores::BinaryScores;
use super::class_counts::{ZeroDivision, weighted_mean};
use super::{MetricError, checks};
use crate::require;
use crate::statistics::unit_scale;

/// Collects queries, each with the relevance of its documents and the scores that rank them.
///
/// Every score is the mean over queries. For a query without a relevant document it is 0/0;
/// [`ZeroDivision`] chooses its value (`Zero` in scikit-learn). It keeps all queries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retrieval {
    queries: Vec<Vec<Document>>, // each by falling score
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Document {
    relevance: f64,
    score: f64,
}

/// Returns the normalised discounted cumulative gain of the first `k` documents (`None`: all), from
/// 0 to 1, averaged over queries. Each inner slice is one query.
///
/// DCG = Σ relevance / log₂(rank + 1), divided by the DCG of the best ranking. Documents of the
/// same score share the discounts of their ranks, which gives the mean over all their orders.
/// Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002); McSherry and
/// Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of
/// Tied Scores" (2008).
///
/// # Errors
/// As [`Retrieval::update`] and [`Retrieval::ndcg`]; [`MetricError::Length`].
pub fn ndcg_score<R: AsRef<[f64]>, S: AsRef<[f64]>>(
    relevance: &[R],
    scores: &[S],
    k: Option<usize>,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    Retrieval::of_queries(relevance, scores)?.ndcg(k, zero_division)
}

/// Returns the mean over queries of 1 / rank of the first relevant document (relevance above 0).
/// Ties give the mean over all orders of the tied documents (McSherry and Najork, 2008).
///
/// # Errors
/// As [`Retrieval::update`] and [`Retrieval::mrr`]; [`MetricError::Length`].
pub fn mean_reciprocal_rank<R: AsRef<[f64]>, S: AsRef<[f64]>>(
    relevance: &[R],
    scores: &[S],
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    Retrieval::of_queries(relevance, scores)?.mrr(zero_division)
}

/// Returns the mean over queries of [`average_precision_score`](super::average_precision_score);
/// documents with a relevance above 0 are positive. Tied documents enter together.
///
/// # Errors
/// As [`Retrieval::update`] and [`Retrieval::map`]; [`MetricError::Length`].
pub fn mean_average_precision<R: AsRef<[f64]>, S: AsRef<[f64]>>(
    relevance: &[R],
    scores: &[S],
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    Retrieval::of_queries(relevance, scores)?.map(zero_division)
}

impl Retrieval {
    /// Creates an empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    fn of_queries<R: AsRef<[f64]>, S: AsRef<[f64]>>(
        relevance: &[R],
        scores: &[S],
    ) -> Result<Self, MetricError> {
        checks::length("queries with scores", relevance.len(), scores.len())?;
        let mut queries = Self::new();
        for (relevance, scores) in relevance.iter().zip(scores) {
            queries.update(relevance.as_ref(), scores.as_ref())?;
        }
        Ok(queries)
    }

    /// Adds a query: the relevance of its documents, at least 0, `[D]`, and their scores, `[D]`.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::NotFinite`], [`MetricError::NegativeRelevance`];
    /// [`MetricError::Empty`] if it has no documents.
    pub fn update<R: Into<f64> + Copy, S: Into<f64> + Copy>(
        &mut self,
        relevance: &[R],
        scores: &[S],
    ) -> Result<(), MetricError> {
        checks::length("scores", relevance.len(), scores.len())?;
        let relevance = checks::finite("relevance", relevance)?;
        if let Some(index) = relevance.iter().position(|&relevance| relevance < 0.0) {
            return Err(MetricError::NegativeRelevance { index, value: relevance[index] });
        }
        if relevance.is_empty() {
            return Err(MetricError::Empty);
        }
        let scores = checks::finite("scores", scores)?;
        let documents = relevance.into_iter().zip(scores);
        let mut documents: Vec<Document> =
            documents.map(|(relevance, score)| Document { relevance, score }).collect();
        documents.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.queries.push(documents);
        Ok(())
    }

    /// Returns the number of queries collected.
    pub fn queries(&self) -> usize {
        self.queries.len()
    }

    /// Returns the mean NDCG of the first `k` documents; see [`ndcg_score`].
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Setting`] if `k` is 0; [`MetricError::Undefined`] if
    /// a query has only one document, or no query is left to average.
    pub fn ndcg(&self, k: Option<usize>, zero_division: ZeroDivision) -> Result<f64, MetricError> {
        let k = k.unwrap_or(usize::MAX);
        require(k > 0, "k", k as f64, "at least 1")?;
        let score = "NDCG";
        if self.queries.iter().any(|documents| documents.len() == 1) {
            return Err(MetricError::Undefined { score, why: "one document alone has no ranking" });
        }
        let ndcg = |documents: &Vec<Document>| {
            // Only ratios count: so that no sum of large gains overflows.
            let scale = unit_scale(documents.iter().map(|document| document.relevance));
            let documents: Vec<Document> = documents
                .iter()
                .map(|document| Document { relevance: document.relevance * scale, ..*document })
                .collect();
            let mut best: Vec<f64> = documents.iter().map(|document| document.relevance).collect();
            best.sort_by(|a, b| b.total_cmp(a));
            let ideal: f64 =
                best.iter().take(k).enumerate().map(|(rank, gain)| gain * discount(rank)).sum();
            zero_division.divide(tie_averaged_dcg(&documents, k), ideal)
        };
        self.mean(score, ndcg)
    }

    /// Returns the mean reciprocal rank; see [`mean_reciprocal_rank`].
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Undefined`] if no query is left to average.
    pub fn mrr(&self, zero_division: ZeroDivision) -> Result<f64, MetricError> {
        self.mean("MRR", |documents| {
            reciprocal_rank(documents).or_else(|| zero_division.divide(0.0, 0.0))
        })
    }

    /// Returns the mean average precision; see [`mean_average_precision`].
    ///
    /// # Errors
    /// As [`mrr`](Self::mrr).
    pub fn map(&self, zero_division: ZeroDivision) -> Result<f64, MetricError> {
        self.mean("MAP", |documents| {
            let mut rows = BinaryScores::new();
            rows.extend(
                documents.iter().map(|document| (document.relevance > 0.0, document.score)),
            );
            rows.average_precision().ok().or_else(|| zero_division.divide(0.0, 0.0))
        })
    }

    fn mean(
        &self,
        score: &'static str,
        of_query: impl Fn(&Vec<Document>) -> Option<f64>,
    ) -> Result<f64, MetricError> {
        if self.queries.is_empty() {
            return Err(MetricError::Empty);
        }
        let scores = self.queries.iter().filter_map(of_query).map(|score| (score, 1.0));
        let why = "no query has a relevant document";
        let mean = weighted_mean(scores).ok_or(MetricError::Undefined { score, why })?;
        checks::score(score, mean)
    }
}

/// Returns the discount of a rank, counted from 0.
fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

fn tie_averaged_dcg(documents: &[Document], k: usize) -> f64 {
    let (mut rank, mut sum) = (0, 0.0);
    for tied in documents.chunk_by(|a, b| a.score == b.score) {
        let gain: f64 = tied.iter().map(|document| document.relevance).sum();
        let discounts: f64 = (rank..(rank + tied.len()).min(k)).map(discount).sum();
        sum += gain / tied.len() as f64 * discounts;
        rank += tied.len();
    }
    sum
}

/// Returns the reciprocal rank; `None` if no document is relevant.
fn reciprocal_rank(documents: &[Document]) -> Option<f64> {
    let relevant = |document: &&Document| document.relevance > 0.0;
    let mut before = 0;
    for tied in documents.chunk_by(|a, b| a.score == b.score) {
        let hits = tied.iter().filter(relevant).count();
        if hits > 0 {
            // The first of `hits` comes at each place with this probability, if none came before it.
            let (mut none_yet, mut mean) = (1.0, 0.0);
            for place in 0..=tied.len() - hits {
                let here = hits as f64 / (tied.len() - place) as f64;
                mean += none_yet * here / (before + place + 1) as f64;
                none_yet *= 1.0 - here;
            }
            return Some(mean);
        }
        before += tied.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tied_scores_are_averaged() {
        let zero = ZeroDivision::Zero;
        // scikit-learn's own example: (10 / 10 + 5 / 10) / 2.
        let (relevance, scores) = ([[10.0, 0.0, 0.0, 1.0, 5.0]], [[1.0, 0.0, 0.0, 0.0, 1.0]]);
        assert_eq!(ndcg_score(&relevance, &scores, Some(1), zero), Ok(0.75));
        // One relevant among two of the same score: first or second.
        let rank = |relevance: &[f64], scores: &[f64]| {
            mean_reciprocal_rank(&[relevance], &[scores], ZeroDivision::Undefined)
        };
        assert_eq!(rank(&[1.0, 0.0], &[0.0, -0.0]), Ok(0.75));
        // Two of three: first in two orders of three, else second, behind one other.
        let two = rank(&[0.0, 1.0, 0.0, 1.0], &[9.0, 5.0, 5.0, 5.0]).unwrap();
        assert!((two - (2.0 / 3.0 / 2.0 + 1.0 / 3.0 / 3.0)).abs() < 1e-15);
        assert_eq!(rank(&[0.0, 0.0, 2.0], &[3.0, 2.0, 1.0]), Ok(1.0 / 3.0));
    }

    #[test]
    fn gains_whose_sum_overflows_have_a_ratio() {
        let scores = [[4.0, 3.0, 2.0, 1.0]];
        let ndcg = |size: f64| {
            let relevance = [[0.0, 1.0, 1.0, 1.0].map(|gain| gain * size)];
            ndcg_score(&relevance, &scores, None, ZeroDivision::Undefined).unwrap()
        };
        for size in [1e-320, 1e300, 1.7e308] {
            assert!((ndcg(size) / ndcg(1.0) - 1.0).abs() < 1e-3, "{size}: {}", ndcg(size));
        }
    }

    #[test]
    fn a_query_without_relevant_documents_counts_as_chosen() {
        let (relevance, scores) = ([[1.0, 0.0], [0.0, 0.0]], [[2.0, 1.0], [2.0, 1.0]]);
        for (zero_division, expected) in
            [(ZeroDivision::Zero, 0.5), (ZeroDivision::One, 1.0), (ZeroDivision::Undefined, 1.0)]
        {
            assert_eq!(ndcg_score(&relevance, &scores, None, zero_division), Ok(expected));
            assert_eq!(mean_reciprocal_rank(&relevance, &scores, zero_division), Ok(expected));
            assert_eq!(mean_average_precision(&relevance, &scores, zero_division), Ok(expected));
        }
        let undefined = ZeroDivision::Undefined;
        let nothing = mean_average_precision(&relevance[1..], &scores[1..], undefined);
        assert!(matches!(nothing, Err(MetricError::Undefined { .. })));
    }

    #[test]
    fn unusable_queries_are_errors() {
        let mut queries = Retrieval::new();
        let zero = ZeroDivision::Zero;
        assert_eq!(queries.ndcg(None, zero), Err(MetricError::Empty));
        let negative = MetricError::NegativeRelevance { index: 1, value: -1.0 };
        assert_eq!(queries.update(&[1, -1], &[0.1, 0.2]), Err(negative));
        assert_eq!(queries.update::<f64, f64>(&[], &[]), Err(MetricError::Empty));
        assert!(matches!(queries.update(&[1], &[0.1, 0.2]), Err(MetricError::Length { .. })));
        assert!(matches!(queries.update(&[1], &[f64::NAN]), Err(MetricError::NotFinite { .. })));
        assert_eq!(queries.queries(), 0);
        queries.update(&[1], &[0.5]).unwrap();
        assert!(matches!(queries.ndcg(None, zero), Err(MetricError::Undefined { .. })));
        assert!(matches!(queries.ndcg(Some(0), zero), Err(MetricError::Setting(_))));
        assert_eq!(queries.mrr(zero), Ok(1.0));
    }
}
