//! The greys around the data, and the dashes that tell series apart where colours do not.

use gymnast_draw::{Colour, OKABE_ITO};

pub(super) const TEXT: Colour = Colour([0x26; 3]);
pub(super) const QUIET: Colour = Colour([0x55; 3]);
pub(super) const AXIS: Colour = Colour([0x8C; 3]);
pub(super) const GRID: Colour = Colour([0xE8; 3]);
pub(super) const GUIDE: Colour = Colour([0x59; 3]);

/// The dashes of a guide, unlike those of any series.
pub(super) const GUIDE_DASHES: &[f64] = &[4.0, 4.0];
/// The dashes of the series, the first solid: lengths of a dash, of the gap after it and so on, in
/// pixels. In a grey print they alone tell series apart.
pub(super) const PATTERNS: [&[f64]; 8] = [
    &[],
    &[8.0, 3.0],
    &[2.0, 2.0],
    &[9.0, 3.0, 2.0, 3.0],
    &[16.0, 4.0],
    &[9.0, 3.0, 2.0, 3.0, 2.0, 3.0],
    &[5.0, 6.0],
    &[16.0, 3.0, 5.0, 3.0],
];
/// The number of series of which no two share both colour and dashes.
pub(super) const DISTINCT: usize = OKABE_ITO.len() * PATTERNS.len();

/// The dashes of the series at `index`: no two of eight neighbours share them, and no two of 64
/// share both dashes and colour.
pub(super) fn dashes(index: usize) -> &'static [f64] {
    let round = index / OKABE_ITO.len();
    PATTERNS[(index + round) % PATTERNS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_dashes_of_its_own() {
        let first: Vec<_> = (0..PATTERNS.len()).map(dashes).collect();
        for (i, dashes) in first.iter().enumerate() {
            assert!(!first[..i].contains(dashes) && *dashes != GUIDE_DASHES, "{i}");
        }
        let all: Vec<_> = (0..DISTINCT).map(|i| (Colour::of_series(i), dashes(i))).collect();
        for (i, style) in all.iter().enumerate() {
            assert!(!all[..i].contains(style), "{i}");
        }
    }
}
