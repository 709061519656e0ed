//! Tomek links: pairs of rows where classes touch.

use super::neighbors::nearest;
use super::{ImbalanceError, Origin};
use crate::data::Dataset;

/// Returns the pairs of rows of different classes that are each other's nearest row: borderline
/// cases or noise. The lower number comes first.
///
/// Tomek, "Two modifications of CNN" (1976), <https://doi.org/10.1109/TSMC.1976.4309452>.
///
/// # Errors
/// [`ImbalanceError::Data`] if the rows have no classes.
pub fn tomek_links(data: &Dataset) -> Result<Vec<(usize, usize)>, ImbalanceError> {
    let classes = data.classes()?;
    let all: Vec<usize> = (0..data.len()).collect();
    let nearest_to = nearest(data, &all, &all, 1);
    let link = |row: usize| {
        let near = *nearest_to[row].first()?;
        let is_link = row < near && nearest_to[near] == [row] && classes[row] != classes[near];
        is_link.then_some((row, near))
    };
    Ok(all.into_iter().filter_map(link).collect())
}

/// The rows but for those of links, of which those of the smallest class stay (of equals, the first).
pub(super) fn without_links(
    train: &Dataset,
    rows_of: &[Vec<usize>],
) -> Result<Vec<Origin>, ImbalanceError> {
    let with_rows = rows_of.iter().filter(|rows| !rows.is_empty());
    let smallest = with_rows.min_by_key(|rows| rows.len()).map_or(&[][..], Vec::as_slice);
    let mut kept = vec![true; train.len()];
    for (a, b) in tomek_links(train)? {
        for row in [a, b] {
            kept[row] &= smallest.binary_search(&row).is_ok();
        }
    }
    Ok((0..train.len()).filter(|&row| kept[row]).map(Origin::Row).collect())
}
