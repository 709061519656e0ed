//! Maps of FrozenLake.

use rand::RngExt as _;

use crate::{EnvError, Rng};

/// The maps that Gymnasium names.
pub(super) const MAPS: [(&str, &[&str]); 2] = [
    ("4x4", &["SFFF", "FHFH", "FFFH", "HFFG"]),
    (
        "8x8",
        &[
            "SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF", "FHFFHFHF",
            "FFFHFFFG",
        ],
    ),
];

/// How many maps are drawn before there is believed to be none with a path.
const ATTEMPTS: usize = 10_000;
/// Of large maps fewer are drawn: of so many tiles in all, less than a second's worth.
const MOST_TILES: usize = 1 << 26;

/// Draws a random square map with a path from the start, top left, to the goal, bottom right. Other
/// tiles are frozen with probability `frozen`, else holes.
///
/// ```
/// use gymnast_envs::{Seed, toy_text::{FrozenLake, FrozenLakeConfig, generate_random_map}};
///
/// let map = generate_random_map(6, 0.8, &mut Seed::new(0).rng())?;
/// let lake = FrozenLake::new(FrozenLakeConfig { desc: Some(map), ..Default::default() })?;
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
///
/// # Errors
/// [`EnvError::InvalidOption`] if `size` is not in 2..=256 or `frozen` not in 0..=1, or if `frozen`
/// is so small that none of 10,000 maps (1,024 of the largest size) has a path.
pub fn generate_random_map(
    size: usize,
    frozen: f64,
    rng: &mut Rng,
) -> Result<Vec<String>, EnvError> {
    if !(2..=256).contains(&size) {
        return Err(invalid(format!("`map_size` must lie in 2..=256, got {size}")));
    }
    if !(0.0..=1.0).contains(&frozen) {
        return Err(invalid(format!("`frozen_probability` must lie in 0..=1, got {frozen}")));
    }
    let attempts = ATTEMPTS.min(MOST_TILES / (size * size));
    for _ in 0..attempts {
        let tile = |_| if rng.random_bool(frozen) { b'F' } else { b'H' };
        let mut tiles: Vec<u8> = (0..size * size).map(tile).collect();
        tiles[0] = b'S';
        tiles[size * size - 1] = b'G';
        if has_path(&tiles, size) {
            let row = |row: &[u8]| String::from_utf8_lossy(row).into_owned();
            return Ok(tiles.chunks(size).map(row).collect());
        }
    }
    Err(invalid(format!(
        "`frozen_probability` = {frozen} is too small: none of {attempts} maps of size {size} has \
         a path from start to goal"
    )))
}

/// Whether the goal, the last tile, can be reached from the first.
fn has_path(tiles: &[u8], size: usize) -> bool {
    let mut seen = vec![false; tiles.len()];
    let mut frontier = vec![0];
    while let Some(tile) = frontier.pop() {
        if std::mem::replace(&mut seen[tile], true) || tiles[tile] == b'H' {
            continue;
        }
        if tile == tiles.len() - 1 {
            return true;
        }
        let (row, column) = (tile / size, tile % size);
        let neighbours = [
            (row > 0, tile.wrapping_sub(size)),
            (row + 1 < size, tile + size),
            (column > 0, tile.wrapping_sub(1)),
            (column + 1 < size, tile + 1),
        ];
        frontier.extend(neighbours.iter().filter(|n| n.0).map(|n| n.1));
    }
    false
}

pub(super) fn invalid(reason: String) -> EnvError {
    EnvError::InvalidOption { id: "FrozenLake-v1".to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn a_path_goes_around_holes() {
        assert!(has_path(b"SFHFHFFFG", 3) && has_path(b"SFFHHFFFG", 3));
        assert!(!has_path(b"SHFHFFFFG", 3) && !has_path(b"SFHFHFHFG", 3));
    }

    #[test]
    fn every_random_map_has_a_path() {
        let mut rng = Seed::new(3).rng();
        for size in 2..12 {
            let map = generate_random_map(size, 0.6, &mut rng).unwrap();
            let tiles = map.concat().into_bytes();
            assert!(map.len() == size && has_path(&tiles, size), "{map:?}");
            assert!(map[0].starts_with('S') && map[size - 1].ends_with('G'));
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_map() {
        let map = |seed| generate_random_map(8, 0.8, &mut Seed::new(seed).rng()).unwrap();
        assert_eq!(map(1), map(1));
        assert_ne!(map(1), map(2));
    }

    #[test]
    fn a_large_map_without_a_path_is_given_up_soon() {
        let mut rng = Seed::new(0).rng();
        let error = generate_random_map(256, 0.4, &mut rng).unwrap_err().to_string();
        assert!(error.contains("none of 1024 maps"), "{error}");
        // Two words a tile.
        assert!(rng.get_word_pos() <= 2 << 26, "{} words were drawn", rng.get_word_pos());
    }

    #[test]
    fn impossible_maps_are_errors() {
        let mut rng = Seed::new(0).rng();
        for (size, frozen) in [(1, 0.8), (1000, 0.8), (4, 0.0), (4, f64::NAN), (4, 1.5)] {
            assert!(generate_random_map(size, frozen, &mut rng).is_err(), "{size} {frozen}");
        }
    }
}
