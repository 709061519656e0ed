//! Real datasets included in Gymnast; `data/README.md` lists their authors and licences.
//!
//! The files are compiled in, so programs find them from any working directory; the linker drops
//! those that a program does not load.

use super::{
    Dataset,
    csv::{self, CsvConfig},
};

/// Loads handwritten digits: 1,797 grey images of 8 × 8 pixels from 0 to 16, row by row, with the
/// digit from 0 to 9 as class.
///
/// E. Alpaydin and C. Kaynak (1998), <https://doi.org/10.24432/C50P49>.
pub fn load_digits() -> Dataset {
    let names = (0..10).map(|digit| digit.to_string());
    load(include_str!("../../../data/digits.csv")).with_class_names(names).expect(COMMITTED)
}

/// Loads breast tumours: 30 measurements of cell nuclei for each of 569 tumours; 212 are malignant
/// (class 0) and 357 benign (class 1).
///
/// W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), <https://doi.org/10.24432/C5DW2B>.
pub fn load_breast_cancer() -> Dataset {
    let names = ["malignant", "benign"];
    load(include_str!("../../../data/breast_cancer.csv")).with_class_names(names).expect(COMMITTED)
}

/// Loads red wines: 11 measurements of each of 1,599 wines and their quality as judged by experts,
/// from 0 (very bad) to 10 (excellent); 3 to 8 occur. Predict the quality as a number or, after
/// [`Dataset::relabel`], as a class: 63 wines, 3.9 %, have at most 4.
///
/// ```
/// use gymnast_core::data::load_wine_quality;
///
/// let poor = load_wine_quality().relabel(|score| usize::from(score <= 4), ["good", "poor"])?;
/// assert_eq!(poor.class_counts()?, [1536, 63]);
/// # Ok::<(), gymnast_core::data::DataError>(())
/// ```
///
/// P. Cortez, A. Cerdeira, F. Almeida, T. Matos and J. Reis (2009), <https://doi.org/10.24432/C56S3T>.
pub fn load_wine_quality() -> Dataset {
    let scores = (0..=10).map(|score| score.to_string());
    load(include_str!("../../../data/wine_quality.csv")).with_class_names(scores).expect(COMMITTED)
}

const COMMITTED: &str = "the committed file is a table of numbers with classes, as the tests check";

fn load(file: &str) -> Dataset {
    let raw = csv::from_reader(file.as_bytes(), &CsvConfig::default()).expect(COMMITTED);
    raw.into_dataset().expect(COMMITTED)
}
