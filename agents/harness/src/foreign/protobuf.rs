//! The wire format of protocol buffers: the fields of a message, one after another.

use crate::event_format::wire;

/// A field's value as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// A message that is no protocol buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of a message: number and value. Ends after the first that is malformed.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let length = self.0.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        // The tenth byte holds one bit.
        let bits = |(index, byte): (usize, &u8)| u64::from(byte & 0x7f) << (7 * index);
        Some(bytes.iter().enumerate().map(bits).fold(0, |number, bits| number | bits))
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match (key & 7) as u8 {
            wire::VARINT => Value::Varint(self.varint()?),
            wire::FIXED_64 => Value::Fixed64(self.fixed()?),
            wire::FIXED_32 => Value::Fixed32(self.fixed()?),
            wire::BYTES => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_by_their_wire_type() {
        // The example of the specification, 150 in field 1, and one of each other type.
        let message = [0x08, 0x96, 0x01, 0x12, 2, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f];
        let fields: Vec<_> = Fields(&message).map(Result::unwrap).collect();
        let one = Value::Fixed32(1.0_f32.to_le_bytes());
        assert_eq!(fields, [(1, Value::Varint(150)), (2, Value::Bytes(b"hi")), (3, one)]);
    }

    #[test]
    fn what_is_malformed_ends_the_message() {
        for message in [
            &[0x08][..],                                                  // a key without a value
            &[0x08, 0x80],                                                // a varint without an end
            &[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], // one that is too long
            &[0x12, 5, 1],                                                // fewer bytes than said
            &[0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],      // more than there can be
            &[0x0b], // a group, which is no more
            &[0x09, 1, 2, 3],
        ] {
            let fields: Vec<_> = Fields(message).collect();
            assert_eq!(fields, [Err(Malformed)], "{message:?}");
        }
    }
}
