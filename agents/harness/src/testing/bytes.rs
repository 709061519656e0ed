//! Files whose bytes are damaged at random.

use gymnast_envs::Rng;
use rand::RngExt as _;

/// Returns a copy of a file's bytes with one to three damages: bits flipped, bytes changed, cut out, doubled or
/// replaced, or the end lost. A reader of untrusted files answers it or returns an error.
#[must_use]
pub fn damaged_copy(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            break;
        }
        let at = rng.random_range(0..bytes.len());
        let end = (at + rng.random_range(1..20)).min(bytes.len());
        match rng.random_range(0..6) {
            0 => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes[at] = b"0-9.,\"[]{}=\n\0\xffe"[rng.random_range(0..15)],
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => drop(bytes.splice(at..end, b"nan".iter().copied())),
        }
    }
    bytes
}
