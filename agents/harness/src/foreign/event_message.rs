//! The messages in TensorBoard's event files: an event, its summary, the numbers in it.

use super::protobuf::{Fields, Malformed, Value};
use crate::event_format::{event, summary, tensor};

/// No tag may be longer.
const MAX_TAG: usize = 1000;

/// An event, with the values of its summary.
pub(super) struct Event<'a> {
    /// Seconds since 1970; NaN if it does not say.
    pub(super) wall_time: f64,
    pub(super) step: i64,
    pub(super) values: Vec<&'a [u8]>,
}

impl<'a> Event<'a> {
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        let mut parsed = Self { wall_time: f64::NAN, step: 0, values: Vec::new() };
        for field in Fields(message) {
            match field? {
                (number, Value::Fixed64(bytes)) if number == u64::from(event::WALL_TIME) => {
                    parsed.wall_time = f64::from_le_bytes(bytes);
                }
                (number, Value::Varint(step)) if number == u64::from(event::STEP) => {
                    parsed.step = step as i64;
                }
                (number, Value::Bytes(bytes)) if number == u64::from(event::SUMMARY) => {
                    for field in Fields(bytes) {
                        let (number, value) = field?;
                        let Value::Bytes(value) = value else { continue };
                        if number == u64::from(summary::VALUE) {
                            parsed.values.push(value);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(parsed)
    }
}

/// The tag and the number of a summary's value; `None` if it is another thing, such as a picture.
pub(super) fn scalar(value: &[u8]) -> Result<Option<(&str, f64)>, Malformed> {
    let (mut name, mut number) = (None, None);
    for field in Fields(value) {
        match field? {
            (field, Value::Bytes(bytes)) if field == u64::from(summary::TAG) => {
                name = std::str::from_utf8(bytes).ok().filter(|name| name.len() <= MAX_TAG);
            }
            (field, Value::Fixed32(bytes)) if field == u64::from(summary::SIMPLE_VALUE) => {
                number = Some(f64::from(f32::from_le_bytes(bytes)));
            }
            (field, Value::Bytes(bytes)) if field == u64::from(summary::TENSOR) => {
                number = number.or(of_tensor(bytes)?);
            }
            _ => {}
        }
    }
    Ok(name.zip(number))
}

/// The number of a tensor that holds one; `None` for another tensor.
fn of_tensor(message: &[u8]) -> Result<Option<f64>, Malformed> {
    let (mut dtype, mut content, mut number) = (0, None, None);
    for field in Fields(message) {
        let (field, value) = field?;
        let is = |known: u8| field == u64::from(known);
        match value {
            Value::Varint(value) if is(tensor::DTYPE) => dtype = value,
            Value::Bytes(bytes) if is(tensor::CONTENT) => content = Some(bytes),
            Value::Bytes(bytes) if is(tensor::FLOATS) || is(tensor::DOUBLES) => {
                number = Some(bytes);
            }
            Value::Fixed32(bytes) if is(tensor::FLOATS) => {
                return Ok(Some(f64::from(f32::from_le_bytes(bytes))));
            }
            Value::Fixed64(bytes) if is(tensor::DOUBLES) => {
                return Ok(Some(f64::from_le_bytes(bytes)));
            }
            _ => {}
        }
    }
    let bytes = content.or(number).unwrap_or_default();
    let float = |bytes| f64::from(f32::from_le_bytes(bytes));
    Ok(match dtype {
        tensor::DT_FLOAT => bytes.try_into().ok().map(float),
        tensor::DT_DOUBLE => bytes.try_into().ok().map(f64::from_le_bytes),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_of_one_number_is_a_number() {
        let double = 2.5_f64.to_le_bytes();
        let float = 2.5_f32.to_le_bytes();
        for message in [
            [&[0x08, 1, 0x22, 4][..], &float].concat(), // DT_FLOAT, tensor_content
            [&[0x08, 1, 0x2a, 4][..], &float].concat(), // DT_FLOAT, packed float_val
            [&[0x08, 1, 0x2d][..], &float].concat(),    // DT_FLOAT, float_val
            [&[0x08, 2, 0x22, 8][..], &double].concat(), // DT_DOUBLE, tensor_content
            [&[0x08, 2, 0x31][..], &double].concat(),   // DT_DOUBLE, double_val
        ] {
            assert_eq!(of_tensor(&message), Ok(Some(2.5)), "{message:?}");
        }
        let two = [&[0x08, 1, 0x22, 8][..], &float, &float].concat();
        assert_eq!(of_tensor(&two), Ok(None));
        assert_eq!(of_tensor(&[0x08, 7]), Ok(None), "a text");
    }
}
