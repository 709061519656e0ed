//! Hashes equal on every machine and in every version: FNV-1a of 64 bits.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

/// Returns the hash of a text, for example the name of a random stream.
#[must_use]
pub fn fnv1a(text: &str) -> u64 {
    fold(text.bytes().map(u64::from))
}

/// Returns a hash of the numbers and their order. Each number counts as its 32 bits.
#[must_use]
pub fn fingerprint<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> u64 {
    fold(numbers.into_iter().map(|number| u64::from(number.to_bits())))
}

#[inline]
fn fold(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(OFFSET, |hash, part| (hash ^ part).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv1a() {
        // From the authors' list of test vectors.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
        assert_ne!(fingerprint(&[1.0, 2.0]), fingerprint(&[2.0, 1.0]));
        assert_ne!(fingerprint(&[0.0]), fingerprint(&[-0.0]));
    }
}
