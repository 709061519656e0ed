//! Similarity of two texts by their common n-grams.

use std::collections::BTreeMap;

use super::MetricError;
use crate::require;

/// Returns Dice's coefficient of the texts' multisets of n-grams: 2 |A ∩ B| / (|A| + |B|), from 0
/// to 1.
///
/// An n-gram is a run of `n` characters (Unicode scalar values): case, spaces and accents count,
/// and nothing is padded. An n-gram that occurs twice in both texts counts twice. A text shorter
/// than `n` has no n-grams. Adamson and Boreham, "The use of an association measure based on
/// character structure to identify semantically related pairs of words and document titles" (1974),
/// with n = 2.
///
/// ```
/// use gymnast_core::metrics::n_gram_similarity;
///
/// // ni ig gh ht and na ac ch ht: one of four and four.
/// assert_eq!(n_gram_similarity("night", "nacht", 2)?, 0.25);
/// # Ok::<(), gymnast_core::metrics::MetricError>(())
/// ```
///
/// # Errors
/// [`MetricError::Setting`] if `n` is 0; [`MetricError::Undefined`] if both texts are shorter than
/// `n`.
pub fn n_gram_similarity(a: &str, b: &str, n: usize) -> Result<f64, MetricError> {
    require(n > 0, "n", n as f64, "at least 1")?;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (of_a, of_b) = (counts(&a, n), counts(&b, n));
    let shared = |(n_gram, &count): (&&[char], &u64)| {
        let other = *of_b.get(n_gram)?;
        Some(count.min(other))
    };
    let both: u64 = of_a.iter().filter_map(shared).sum();
    let all = of_a.values().sum::<u64>() + of_b.values().sum::<u64>();
    if all == 0 {
        let (score, why) = ("n-gram similarity", "both texts are shorter than n characters");
        return Err(MetricError::Undefined { score, why });
    }
    Ok(2.0 * both as f64 / all as f64)
}

fn counts(text: &[char], n: usize) -> BTreeMap<&[char], u64> {
    let mut counts = BTreeMap::new();
    for n_gram in text.windows(n) {
        *counts.entry(n_gram).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_n_grams_count_as_often_as_both_have_them() {
        // aa aa aa and aa: one shared, of three and one.
        assert_eq!(n_gram_similarity("aaaa", "aa", 2), Ok(0.5));
        assert_eq!(n_gram_similarity("größe", "größe", 3), Ok(1.0));
        assert_eq!(n_gram_similarity("ab", "AB", 1), Ok(0.0));
        assert_eq!(n_gram_similarity("abc", "a", 2), Ok(0.0));
    }

    #[test]
    fn texts_without_n_grams_have_no_similarity() {
        assert!(matches!(n_gram_similarity("a", "a", 2), Err(MetricError::Undefined { .. })));
        assert!(matches!(n_gram_similarity("", "", 1), Err(MetricError::Undefined { .. })));
        assert!(matches!(n_gram_similarity("a", "a", 0), Err(MetricError::Setting(_))));
    }
}
