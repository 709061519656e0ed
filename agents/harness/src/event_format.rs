//! The format of TensorBoard's event files: TFRecords that hold TensorFlow's `Event` messages.
//!
//! A record is its length (8 bytes), that length's checksum (4), the message, and its checksum (4). The
//! numbers of fields are those of TensorFlow's `event.proto`, `summary.proto` and `tensor.proto`.

/// The bytes before a message: its length and that one's checksum.
pub(crate) const HEAD: usize = 12;
/// The bytes behind a message: its checksum.
pub(crate) const TAIL: usize = 4;

/// Fields of `Event`.
pub(crate) mod event {
    pub(crate) const WALL_TIME: u8 = 1;
    pub(crate) const STEP: u8 = 2;
    pub(crate) const FILE_VERSION: u8 = 3;
    pub(crate) const SUMMARY: u8 = 5;
}

/// Fields of `Summary` and of its `Value`.
pub(crate) mod summary {
    pub(crate) const VALUE: u8 = 1;
    pub(crate) const TAG: u8 = 1;
    pub(crate) const SIMPLE_VALUE: u8 = 2;
    pub(crate) const TENSOR: u8 = 8;
}

/// Fields of `TensorProto`, and the numbers of its types.
pub(crate) mod tensor {
    pub(crate) const DTYPE: u8 = 1;
    pub(crate) const CONTENT: u8 = 4;
    pub(crate) const FLOATS: u8 = 5;
    pub(crate) const DOUBLES: u8 = 6;
    pub(crate) const DT_FLOAT: u64 = 1;
    pub(crate) const DT_DOUBLE: u64 = 2;
}

/// How a field's value is written: the low three bits of its key.
pub(crate) mod wire {
    pub(crate) const VARINT: u8 = 0;
    pub(crate) const FIXED_64: u8 = 1;
    pub(crate) const BYTES: u8 = 2;
    pub(crate) const FIXED_32: u8 = 5;
}

/// The byte before a field's value.
pub(crate) const fn key(field: u8, wire: u8) -> u8 {
    field << 3 | wire
}

/// TFRecord's checksum: rotated and shifted, so that a checksum of data with checksums is sound.
pub(crate) fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_framed_as_tensorflow_frames_it() {
        // The record of an empty string, as TensorFlow writes it: 0, 0x07980329, 0xa282ead8.
        assert_eq!(masked_crc(&0_u64.to_le_bytes()), 0x0798_0329);
        assert_eq!(masked_crc(&[]), 0xa282_ead8);
    }
}
