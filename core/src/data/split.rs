//! Splits data into training, validation and test parts.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::{Rng, seq::SliceRandom as _};
use serde::{Deserialize, Serialize};

use super::{DataError, Dataset};
use crate::rounding;

use crate::require;

/// The largest number of rows to split or fold: their numbers fill 2 GiB.
pub(crate) const MOST_ROWS: usize = 1 << 28;

/// Whether the parts keep the proportions of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stratify {
    /// Draw rows regardless of class.
    #[default]
    No,
    /// Keep each class's proportion in every part, with at least one row of each class.
    Classes,
}

/// The relative sizes of three parts. Only their ratio counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SplitConfig {
    /// The size of the training part; > 0.
    pub train: f64,
    /// The size of the validation part, for choosing settings; ≥ 0.
    pub validation: f64,
    /// The size of the test part, for the final evaluation; ≥ 0.
    pub test: f64,
    /// Whether the parts keep the proportions of the classes.
    pub stratify: Stratify,
}

impl Default for SplitConfig {
    /// 6 : 2 : 2, not stratified.
    fn default() -> Self {
        Self { train: 6.0, validation: 2.0, test: 2.0, stratify: Stratify::No }
    }
}

/// The result of [`train_validation_test_split`].
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The rows to train on.
    pub train: Dataset,
    /// The rows to choose settings by.
    pub validation: Dataset,
    /// The rows for the final evaluation.
    pub test: Dataset,
}

/// Splits the rows at random into training and test rows. The test part has the fraction
/// `test_size`, rounded up as in scikit-learn.
///
/// # Errors
/// [`DataError::Setting`] unless `test_size` lies in [0, 1); [`DataError::Resampled`]; those of
/// [`split_rows`]; with [`Stratify::Classes`], those of [`Dataset::classes`].
pub fn train_test_split<R: Rng + ?Sized>(
    data: &Dataset,
    test_size: f64,
    stratify: Stratify,
    rng: &mut R,
) -> Result<(Dataset, Dataset), DataError> {
    data.check_not_resampled("split")?;
    require((0.0..1.0).contains(&test_size), "test_size", test_size, "in [0, 1)")?;
    let test = rounding::ceil(test_size * data.len() as f64);
    let [train, test] = split_rows(data.len(), [test], classes(data, stratify)?.as_deref(), rng)?
        .try_into()
        .expect("the rows left over and one part");
    Ok((data.select(&train)?, data.select(&test)?))
}

/// Splits the rows at random into three parts. Sizes are rounded by the largest-remainder method; a
/// part with a size above 0 has at least one row.
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
/// [`DataError::Setting`] if a size is negative or not finite, or the training size is 0;
/// [`DataError::TooFewRows`] if there are fewer rows than parts; [`DataError::Resampled`]; those of
/// [`split_rows`]; with [`Stratify::Classes`], those of [`Dataset::classes`].
pub fn train_validation_test_split<R: Rng + ?Sized>(
    data: &Dataset,
    config: &SplitConfig,
    rng: &mut R,
) -> Result<Split, DataError> {
    data.check_not_resampled("split")?;
    let SplitConfig { train, validation, test, stratify } = *config;
    require(train > 0.0 && train.is_finite(), "train", train, "positive")?;
    for (key, share) in [("validation", validation), ("test", test)] {
        require(share >= 0.0 && share.is_finite(), key, share, "at least 0")?;
    }
    let [_, sizes @ ..] = part_sizes(data.len(), [train, validation, test])?;
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

/// Splits row numbers into parts, each in random order: first the training part, then one part for
/// each size in `held_out`.
///
/// With `classes`, one for each row, each part keeps the proportions of the classes (rounded by the
/// largest-remainder method) and has at least one row of each class. It takes numbers, not a
/// [`Dataset`], so that rows with missing values can be split before imputation.
///
/// # Errors
/// [`DataError::TooFewRows`] if no training rows are left, [`DataError::TooManyRows`];
/// [`DataError::Count`] unless every row has one class; [`DataError::SmallClass`] if a class has
/// fewer rows than there are parts, [`DataError::SmallPart`] if a part has fewer rows than there
/// are classes.
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
    if rows > MOST_ROWS {
        return Err(DataError::TooManyRows { rows, most: MOST_ROWS });
    }
    let mut parts = 1 + held_out.iter().filter(|size| **size > 0).count();
    let mut groups = by_class(rows, classes)?;
    if classes.is_some() {
        check_shares(&groups, &held_out, rows, parts)?;
    }
    groups.values_mut().for_each(|group| group.shuffle(rng));
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    let mut split = vec![Vec::new()];
    for size in held_out {
        parts -= usize::from(size > 0);
        let counts: Vec<usize> = groups.iter().map(Vec::len).collect();
        let mut part = Vec::with_capacity(size);
        for (group, take) in groups.iter_mut().zip(proportional(size, &counts, parts)) {
            part.extend(group.drain(group.len() - take..));
        }
        part.shuffle(rng);
        split.push(part);
    }
    split[0] = groups.concat();
    split[0].shuffle(rng);
    Ok(split)
}

/// Returns the size of each part; at least 1 for a share above 0.
fn part_sizes<const N: usize>(rows: usize, shares: [f64; N]) -> Result<[usize; N], DataError> {
    let needed = shares.iter().filter(|share| **share > 0.0).count();
    if rows < needed {
        return Err(DataError::TooFewRows { needed, rows });
    }
    let mut sizes: [usize; N] =
        rounding::apportion(rows, &shares).try_into().expect("a part for each share");
    for part in (0..N).filter(|&part| shares[part] > 0.0) {
        if sizes[part] == 0 {
            let largest = (0..N).max_by_key(|&part| sizes[part]).expect("there are parts");
            sizes[largest] -= 1;
            sizes[part] = 1;
        }
    }
    Ok(sizes)
}

/// Checks that every part can have a row of every class.
fn check_shares(
    groups: &BTreeMap<usize, Vec<usize>>,
    held_out: &[usize],
    rows: usize,
    parts: usize,
) -> Result<(), DataError> {
    if let Some((&class, group)) = groups.iter().find(|(_, group)| group.len() < parts) {
        return Err(DataError::SmallClass { class, rows: group.len(), needed: parts });
    }
    let train = rows - held_out.iter().sum::<usize>();
    let sizes = held_out.iter().copied().filter(|size| *size > 0).chain([train]);
    match sizes.min().filter(|&smallest| smallest < groups.len()) {
        Some(rows) => Err(DataError::SmallPart { rows, classes: groups.len() }),
        None => Ok(()),
    }
}

fn classes(data: &Dataset, stratify: Stratify) -> Result<Option<Vec<usize>>, DataError> {
    match stratify {
        Stratify::No => Ok(None),
        Stratify::Classes => data.classes().map(Some),
    }
}

/// Returns the rows of each class, or all rows as one class.
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

/// Returns the rows of each class that has any, in ascending order.
pub(crate) fn rows_by_class(classes: &[usize]) -> BTreeMap<usize, Vec<usize>> {
    let mut rows_of = BTreeMap::<usize, Vec<usize>>::new();
    for (row, class) in classes.iter().enumerate() {
        rows_of.entry(*class).or_default().push(row);
    }
    rows_of
}

/// Divides `size` rows among the classes in proportion to `counts`, by largest remainder: at least
/// one of each class, leaving at least one for each of `later` parts. A size of 0 gives none.
///
/// The caller has checked that this is possible: `size` is then at least the number of classes, and
/// so are the later parts.
fn proportional(size: usize, counts: &[usize], later: usize) -> Vec<usize> {
    if size == 0 || counts.len() == 1 {
        return vec![size; counts.len()];
    }
    let total = counts.iter().sum::<usize>() as i128;
    let exact = |class: usize| size as i128 * counts[class] as i128; // in parts of `total`
    let most = |class: usize| counts[class] - later;
    let mut shares: Vec<usize> = (0..counts.len())
        .map(|class| ((exact(class) / total) as usize).clamp(1, most(class)))
        .collect();
    let given: usize = shares.iter().sum();
    // What each lacks of its exact share, the most first; of equals the first class.
    let lack = |class: usize, share: usize| exact(class) - share as i128 * total;
    let mut lacking: BinaryHeap<(i128, Reverse<usize>)> =
        (0..counts.len()).map(|class| (lack(class, shares[class]), Reverse(class))).collect();
    for _ in given..size {
        let class = loop {
            let (_, Reverse(class)) = lacking.pop().expect("the rows of all classes suffice");
            if shares[class] < most(class) {
                break class;
            }
        };
        shares[class] += 1;
        lacking.push((lack(class, shares[class]), Reverse(class)));
    }
    // Rare classes that were given a row more than their share took it from those that have most beyond
    // theirs.
    let mut beyond: BinaryHeap<(i128, usize)> =
        (0..counts.len()).map(|class| (-lack(class, shares[class]), class)).collect();
    for _ in size..given {
        let class = loop {
            let (_, class) = beyond.pop().expect("every part can hold a row of every class");
            if shares[class] > 1 {
                break class;
            }
        };
        shares[class] -= 1;
        beyond.push((-lack(class, shares[class]), class));
    }
    shares
}
