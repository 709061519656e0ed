//! Rows made up between rows.

use rand::{Rng, RngExt as _, seq::SliceRandom as _};

use super::neighbors::nearest;
use super::{ImbalanceError, Origin, random};
use crate::data::Dataset;

/// The synthetic rows, class by class: from every row of a class (with `border` only from those at it)
/// as many as from any other, to within one.
pub(super) fn smote<R: Rng + ?Sized>(
    train: &Dataset,
    rows_of: &[Vec<usize>],
    k_neighbors: usize,
    border: Option<usize>,
    ratio: f64,
    rng: &mut R,
) -> Result<Vec<Origin>, ImbalanceError> {
    let mut synthetic = Vec::new();
    for (class, rows) in rows_of.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        let lacking = random::lacking(rows_of, class, ratio);
        if lacking == 0 {
            continue;
        }
        if rows.len() <= k_neighbors {
            return Err(ImbalanceError::Neighbors { class, rows: rows.len(), k_neighbors });
        }
        let bases = match border {
            None => rows.clone(),
            Some(m_neighbors) => at_border(train, rows, m_neighbors),
        };
        if bases.is_empty() {
            let m_neighbors = border.expect("without it, all rows of the class are bases");
            return Err(ImbalanceError::NoBorder { class, m_neighbors });
        }
        let neighbors = nearest(train, &bases, rows, k_neighbors);
        let mut order: Vec<usize> = (0..bases.len()).collect();
        order.shuffle(rng);
        for base in order.into_iter().cycle().take(lacking) {
            let neighbor = neighbors[base][rng.random_range(0..k_neighbors)];
            synthetic.push(Origin::Between { row: bases[base], neighbor, share: rng.random() });
        }
    }
    Ok(synthetic)
}

/// The rows of a class of whose nearest at least half, but not all, are of other classes.
fn at_border(train: &Dataset, rows: &[usize], m_neighbors: usize) -> Vec<usize> {
    let all: Vec<usize> = (0..train.len()).collect();
    let is_at_border = |around: &[usize]| {
        let others = around.iter().filter(|near| rows.binary_search(near).is_err()).count();
        2 * others >= around.len() && others < around.len()
    };
    let around = nearest(train, rows, &all, m_neighbors);
    let with_around = rows.iter().zip(around).filter(|(_, around)| is_at_border(around));
    with_around.map(|(&row, _)| row).collect()
}
