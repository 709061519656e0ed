//! Training, validation and test part.

use std::collections::BTreeMap;

use rand::{Rng, seq::SliceRandom as _};
use serde::{Deserialize, Serialize};

use super::{DataError, Dataset};

/// Whether the parts share the classes in the same proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratify {
    /// Rows are drawn as they come.
    #[default]
    No,
    /// Each part has its share of each class, rare ones too.
    Classes,
}

/// How to split rows into three. Only the ratio of the shares counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// What is learned from; > 0.
    pub train: f64,
    /// What settings are chosen by; ≥ 0.
    pub validation: f64,
    /// What the result is judged by, once; ≥ 0.
    pub test: f64,
    /// Whether classes keep their proportion.
    pub stratify: Stratify,
}

impl Default for SplitConfig {
    /// 6 : 2 : 2, not stratified.
    fn default() -> Self {
        Self { train: 6.0, validation: 2.0, test: 2.0, stratify: Stratify::No }
    }
}

/// Rows in three parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// What is learned from.
    pub train: Dataset,
    /// What settings are chosen by.
    pub validation: Dataset,
    /// What the result is judged by, once.
    pub test: Dataset,
}

/// The rows in two parts: those to train with and, drawn at random, a share to test with, rounded up
/// as scikit-learn does.
///
/// # Errors
/// [`DataError::Setting`] unless `test_size` lies in [0, 1); [`DataError::Resampled`]; those of
/// [`split_rows`]; where stratified, those of [`Dataset::classes`].
pub fn train_test_split<R: Rng + ?Sized>(
    data: &Dataset,
    test_size: f64,
    stratify: Stratify,
    rng: &mut R,
) -> Result<(Dataset, Dataset), DataError> {
    data.check_not_resampled("split")?;
    DataError::require((0.0..1.0).contains(&test_size), "test_size", test_size, "in [0, 1)")?;
    let test = (test_size * data.len() as f64).ceil() as usize;
    let [train, test] = split_rows(data.len(), [test], classes(data, stratify)?.as_deref(), rng)?
        .try_into()
        .expect("the rows left over and one part");
    Ok((data.select(&train)?, data.select(&test)?))
}

/// The rows in three parts, drawn at random. What is held out is rounded up.
///
/// ```
/// use gymnast_core::data::{SplitConfig, Stratify, load_breast_cancer, train_validation_test_split};
/// use rand::SeedableRng;
///
/// let config = SplitConfig { stratify: Stratify::Classes, ..SplitConfig::default() };
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let split = train_validation_test_split(&load_breast_cancer(), &config, &mut rng)?;
/// assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (341, 114, 114));
/// assert_eq!(split.test.class_counts()?, [43, 71]); // of 212 and 357
/// # Ok::<(), gymnast_core::data::DataError>(())
/// ```
///
/// # Errors
/// [`DataError::Setting`] if a share is negative or not finite, or that to train with is 0;
/// [`DataError::Resampled`]; those of [`split_rows`]; where stratified, those of [`Dataset::classes`].
pub fn train_validation_test_split<R: Rng + ?Sized>(
    data: &Dataset,
    config: &SplitConfig,
    rng: &mut R,
) -> Result<Split, DataError> {
    data.check_not_resampled("split")?;
    let SplitConfig { train, validation, test, stratify } = *config;
    let check = DataError::require;
    check(train > 0.0 && train.is_finite(), "train", train, "positive")?;
    for (key, share) in [("validation", validation), ("test", test)] {
        check(share >= 0.0 && share.is_finite(), key, share, "at least 0")?;
    }
    let total = train + validation + test;
    let rows = |share: f64| (data.len() as f64 * share / total).ceil() as usize;
    let sizes = [rows(validation), rows(test)];
    let [train, validation, test] =
        split_rows(data.len(), sizes, classes(data, stratify)?.as_deref(), rng)?
            .try_into()
            .expect("the rows left over and two parts");
    Ok(Split {
        train: data.select(&train)?,
        validation: data.select(&validation)?,
        test: data.select(&test)?,
    })
}

/// The numbers of rows in parts: first those left over, to train with, then as many as `held_out`
/// asks for, part by part; each in random order.
///
/// With `classes`, one for each row, each part has its share of each class, rounded so that the sizes
/// come out (by the largest remainder). It takes numbers, not a [`Dataset`], because rows with missing
/// values have to be split before anything is imputed.
///
/// # Errors
/// [`DataError::TooFewRows`] if none are left to train with; [`DataError::Count`] unless there are as
/// many classes as rows; [`DataError::SmallClass`] if a class has fewer rows than there are parts.
pub fn split_rows<R: Rng + ?Sized>(
    rows: usize,
    held_out: impl IntoIterator<Item = usize>,
    classes: Option<&[usize]>,
    rng: &mut R,
) -> Result<Vec<Vec<usize>>, DataError> {
    let held_out: Vec<usize> = held_out.into_iter().collect();
    let needed = held_out.iter().fold(1, |sum: usize, size| sum.saturating_add(*size));
    if needed > rows {
        return Err(DataError::TooFewRows { needed, rows });
    }
    let parts = 1 + held_out.iter().filter(|size| **size > 0).count();
    let mut groups = by_class(rows, classes)?;
    for (class, group) in &mut groups {
        if classes.is_some() && group.len() < parts {
            return Err(DataError::SmallClass { class: *class, rows: group.len(), needed: parts });
        }
        group.shuffle(rng);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    let mut split = vec![Vec::new()];
    for size in held_out {
        let counts: Vec<usize> = groups.iter().map(Vec::len).collect();
        let mut part = Vec::with_capacity(size);
        for (group, take) in groups.iter_mut().zip(proportional(size, &counts)) {
            part.extend(group.drain(group.len() - take..));
        }
        part.shuffle(rng);
        split.push(part);
    }
    split[0] = groups.concat();
    split[0].shuffle(rng);
    Ok(split)
}

fn classes(data: &Dataset, stratify: Stratify) -> Result<Option<Vec<usize>>, DataError> {
    match stratify {
        Stratify::No => Ok(None),
        Stratify::Classes => data.classes().map(Some),
    }
}

/// The rows of each class, or all as one.
fn by_class(
    rows: usize,
    classes: Option<&[usize]>,
) -> Result<BTreeMap<usize, Vec<usize>>, DataError> {
    let Some(classes) = classes else { return Ok([(0, (0..rows).collect())].into()) };
    if classes.len() != rows {
        return Err(DataError::Count { what: "classes", expected: rows, got: classes.len() });
    }
    Ok(rows_by_class(classes))
}

/// The rows of each class that has any, in rising order.
pub(crate) fn rows_by_class(classes: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut rows_of = BTreeMap::<usize, Vec<usize>>::new();
    for (row, class) in classes.iter().enumerate() {
        rows_of.entry(*class).or_default().push(row);
    }
    rows_of
}

/// `size` shared out in proportion to counts, none of which is exceeded.
fn proportional(size: usize, counts: &[usize]) -> Vec<usize> {
    let total = counts.iter().sum::<usize>().max(1);
    let exact = |count: usize| size as u128 * count as u128;
    let mut shares: Vec<usize> =
        counts.iter().map(|&count| (exact(count) / total as u128) as usize).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(exact(counts[i]) % total as u128));
    let left = size - shares.iter().sum::<usize>();
    order.into_iter().take(left).for_each(|i| shares[i] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(3)
    }

    fn data(counts: &[usize]) -> Dataset {
        let classes: Vec<f32> =
            (0..).zip(counts).flat_map(|(class, &n)| vec![class as f32; n]).collect();
        let inputs = (0..classes.len()).map(|row| row as f32).collect();
        Dataset::new(inputs, 1, classes, 1).unwrap()
    }

    #[test]
    fn each_row_is_in_one_part() {
        let split = train_validation_test_split(&data(&[17]), &SplitConfig::default(), &mut rng());
        let Split { train, validation, test } = split.unwrap();
        assert_eq!((train.len(), validation.len(), test.len()), (9, 4, 4));
        let mut rows = [train.inputs(), validation.inputs(), test.inputs()].concat();
        assert!(!rows.is_sorted());
        rows.sort_unstable_by(f32::total_cmp);
        assert_eq!(rows, data(&[17]).inputs());
    }

    #[test]
    fn stratified_parts_share_the_classes_in_proportion() {
        let data = data(&[60, 30, 10]);
        let config = SplitConfig { stratify: Stratify::Classes, ..SplitConfig::default() };
        let split = train_validation_test_split(&data, &config, &mut rng()).unwrap();
        assert_eq!(split.train.class_counts().unwrap(), [36, 18, 6]);
        assert_eq!(split.validation.class_counts().unwrap(), [12, 6, 2]);
        assert_eq!(split.test.class_counts().unwrap(), [12, 6, 2]);
        assert!(!split.train.targets().is_sorted());
        let (_, test) = train_test_split(&data, 0.11, Stratify::Classes, &mut rng()).unwrap();
        assert_eq!(test.class_counts().unwrap(), [7, 3, 1]); // 6.6, 3.3, 1.1
    }

    #[test]
    fn the_same_stream_gives_the_same_split_and_another_another() {
        let split = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            train_test_split(&data(&[50]), 0.25, Stratify::No, &mut rng).unwrap()
        };
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
        assert_eq!(split(1).1.len(), 13); // 12.5, rounded up
    }

    #[test]
    fn what_cannot_be_split_is_an_error() {
        let split = |data: &Dataset, share, stratify| {
            train_test_split(data, share, stratify, &mut rng()).unwrap_err()
        };
        let error = split(&data(&[5]), 1.0, Stratify::No);
        assert_eq!(error.to_string(), "test_size must be in [0, 1), got 1");
        assert!(matches!(split(&data(&[5]), f64::NAN, Stratify::No), DataError::Setting { .. }));
        let error = split(&data(&[1]), 0.5, Stratify::No);
        assert_eq!(error, DataError::TooFewRows { needed: 2, rows: 1 });
        let error = split(&data(&[5, 1]), 0.5, Stratify::Classes);
        assert_eq!(error, DataError::SmallClass { class: 1, rows: 1, needed: 2 });
        let real = Dataset::new(vec![0.0; 4], 1, vec![0.5; 4], 1).unwrap();
        assert!(matches!(split(&real, 0.5, Stratify::Classes), DataError::NotAClass { .. }));
        let config = SplitConfig { test: -1.0, ..SplitConfig::default() };
        let error = train_validation_test_split(&real, &config, &mut rng()).unwrap_err();
        assert_eq!(error.to_string(), "test must be at least 0, got -1");
        assert!(split_rows(3, [1], Some(&[0, 0]), &mut rng()).is_err());
        assert!(split_rows(3, [usize::MAX], None, &mut rng()).is_err());
    }
}
