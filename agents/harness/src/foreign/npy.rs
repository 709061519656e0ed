//! NumPy's format of one array, `.npy`.
//!
//! A magic, a version, the length of a header, the header (a Python dictionary of type, order and shape),
//! and the numbers. The specification is `numpy.lib.format`. Crates that read it parse any Python literal
//! and bring a parser generator along; the header that NumPy writes has one form.

use super::{ForeignError, MAX_RETURNS};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy itself reads no longer ones, unless it is told to.
const MAX_HEADER: usize = 10_000;
const MAX_DIMENSIONS: usize = 4;

/// An array of numbers.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    /// The length of each dimension.
    pub(super) shape: Vec<usize>,
    /// The numbers in C order: the last dimension runs fastest.
    pub(super) values: Vec<f64>,
    /// Whether the numbers are whole by their type.
    pub(super) is_whole: bool,
}

/// Reads an array from the bytes of an `.npy` file. `what` names it in errors.
pub(super) fn read(path: &Path, what: &str, bytes: &[u8]) -> Result<Array, ForeignError> {
    let invalid = |reason: String| ForeignError::invalid(path, format!("{what}: {reason}"));
    let (header, data) = split(bytes).map_err(invalid)?;
    if header.descr.contains('O') {
        return Err(ForeignError::Pickle { path: path.to_owned() });
    }
    header.values(data).map_err(invalid)
}

struct Header {
    descr: String,
    is_fortran: bool,
    shape: Vec<usize>,
}

/// Separates header and data.
fn split(bytes: &[u8]) -> Result<(Header, &[u8]), String> {
    let cut_off = || "its header is cut off".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is no .npy array")?;
    let (version, rest) = rest.split_at_checked(2).ok_or_else(cut_off)?;
    let size = match version[0] {
        1 => 2,
        2 | 3 => 4,
        other => return Err(format!("version {other} of the format: expected 1, 2 or 3")),
    };
    let (length, rest) = rest.split_at_checked(size).ok_or_else(cut_off)?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    if length > MAX_HEADER {
        return Err(format!("a header of {length} bytes: expected at most {MAX_HEADER}"));
    }
    let (text, data) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is not text")?;
    Ok((Header::parse(text)?, data))
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let start =
                text.find(&format!("'{key}':")).ok_or(format!("no `{key}` in its header"))?;
            Ok::<_, String>(text[start + key.len() + 3..].trim_start())
        };
        let descr = value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let (descr, _) = descr.ok_or("an array of records: expected one of numbers")?;
        let order = value("fortran_order")?;
        let is_fortran = order.starts_with("True");
        if !is_fortran && !order.starts_with("False") {
            return Err("`fortran_order` is neither True nor False".to_owned());
        }
        let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (shape, _) = shape.ok_or("its shape is no tuple")?;
        let lengths = shape.split(',').map(str::trim).filter(|part| !part.is_empty());
        let length = |part: &str| part.parse().map_err(|_| format!("a shape of ({shape})"));
        let shape = lengths.take(MAX_DIMENSIONS + 1).map(length).collect::<Result<Vec<_>, _>>()?;
        if shape.len() > MAX_DIMENSIONS {
            return Err(format!("expected at most {MAX_DIMENSIONS} dimensions"));
        }
        Ok(Self { descr: descr.to_owned(), is_fortran, shape })
    }

    fn values(self, data: &[u8]) -> Result<Array, String> {
        let Self { descr, is_fortran, shape } = self;
        let (size, number) = number_type(&descr)
            .ok_or_else(|| format!("numbers of the type `{descr}`: expected floats or integers"))?;
        let count = shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
        let bytes = count.and_then(|count| count.checked_mul(size));
        if bytes != Some(data.len()) {
            let got = data.len();
            return Err(format!(
                "a shape of {shape:?} with {size} bytes a number, but {got} bytes"
            ));
        }
        if data.len() / size > MAX_RETURNS {
            return Err(format!("expected at most {MAX_RETURNS} numbers"));
        }
        let values: Vec<f64> = data.chunks_exact(size).map(number).collect();
        let values = if is_fortran { in_c_order(&values, &shape) } else { values };
        Ok(Array { shape, values, is_whole: !descr.contains('f') })
    }
}

/// A function that reads a number.
type Number = fn(&[u8]) -> f64;

/// The size of a type in bytes, and how its bytes are read; `None` for one that is no real number.
fn number_type(descr: &str) -> Option<(usize, Number)> {
    macro_rules! number {
        ($type:ty, $from:ident) => {{
            let read: Number =
                |bytes| <$type>::$from(bytes.try_into().expect("a chunk of its size")) as f64;
            (size_of::<$type>(), read)
        }};
    }
    Some(match descr {
        "<f8" => number!(f64, from_le_bytes),
        "<f4" => number!(f32, from_le_bytes),
        ">f8" => number!(f64, from_be_bytes),
        ">f4" => number!(f32, from_be_bytes),
        "<i8" => number!(i64, from_le_bytes),
        "<i4" => number!(i32, from_le_bytes),
        "<i2" => number!(i16, from_le_bytes),
        "|i1" => number!(i8, from_le_bytes),
        "<u8" => number!(u64, from_le_bytes),
        "<u4" => number!(u32, from_le_bytes),
        "<u2" => number!(u16, from_le_bytes),
        "|u1" => number!(u8, from_le_bytes),
        _ => return None,
    })
}

/// Reorders numbers of which the first dimension runs fastest.
fn in_c_order(values: &[f64], shape: &[usize]) -> Vec<f64> {
    let at = |mut index: usize| {
        // The place of each dimension, from the last, which runs fastest, to the first.
        let mut places = vec![0; shape.len()];
        for (place, &length) in places.iter_mut().zip(shape).rev() {
            *place = index % length;
            index /= length;
        }
        let start = (0, 1);
        let step = |(sum, stride), (place, length)| (sum + place * stride, stride * length);
        places.iter().zip(shape).fold(start, step).0
    };
    (0..values.len()).map(|index| values[at(index)]).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An `.npy` file with this header and data.
    pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    fn read_back(bytes: &[u8]) -> Result<Array, String> {
        read(Path::new("a.npz"), "x", bytes).map_err(|error| error.to_string())
    }

    fn floats(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn numbers_are_read_in_c_order() {
        let data = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let header =
            |order| format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (2, 3), }}\n");
        let array = read_back(&npy(&header("False"), &data)).unwrap();
        assert_eq!((&array.shape[..], array.is_whole), (&[2, 3][..], false));
        assert_eq!(array.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        // [[1, 3, 5], [2, 4, 6]], column by column.
        let array = read_back(&npy(&header("True"), &data)).unwrap();
        assert_eq!(array.values, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn integers_and_the_second_version_are_read() {
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
        let data: Vec<u8> = [-1_i64, 1 << 40].iter().flat_map(|x| x.to_le_bytes()).collect();
        let length = (header.len() as u32).to_le_bytes();
        let second = [MAGIC, &[2, 0], &length, header.as_bytes(), &data].concat();
        for bytes in [npy(header, &data), second] {
            let array = read_back(&bytes).unwrap();
            assert_eq!((array.values, array.is_whole), (vec![-1.0, (1_u64 << 40) as f64], true));
        }
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
        assert_eq!(read_back(&npy(header, &0.5_f32.to_le_bytes())).unwrap().values, [0.5]);
    }

    #[test]
    fn what_cannot_be_is_refused_before_memory_is_taken() {
        let header = |descr: &str, shape: &str| {
            format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")
        };
        let huge = "(4294967296, 4294967296, 4294967296)";
        for (bytes, part) in [
            (b"\x93NUMP".to_vec(), "no .npy array"),
            (b"\x93NUMPY\x01".to_vec(), "cut off"),
            (b"\x93NUMPY\x01\x00\xff\x00{".to_vec(), "cut off"),
            (b"\x93NUMPY\x09\x00\x01\x00{".to_vec(), "version 9"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(), "expected at most 10000"),
            (npy("{}", &[]), "no `descr`"),
            (npy(&header("'<f8'", huge), &[0; 8]), "but 8 bytes"),
            (npy(&header("'<f8'", "(2,)"), &[0; 8]), "but 8 bytes"),
            (npy(&header("'<f8'", "(1,)"), &[0; 9]), "but 9 bytes"),
            (npy(&header("'<f8'", "(-1,)"), &[]), "a shape of (-1,)"),
            (npy(&header("'<f8'", "(1, 1, 1, 1, 1)"), &[0; 8]), "at most 4 dimensions"),
            (npy(&header("'<f8'", "5"), &[0; 40]), "no tuple"),
            (npy(&header("'<c16'", "(1,)"), &[0; 16]), "type `<c16`"),
            (npy(&header("[('a', '<f8')]", "(1,)"), &[0; 8]), "an array of records"),
            (npy(&header("'|O'", "()"), b"\x80\x04."), "runs code"),
            (npy(&header("'<f8'", "(0, 5)"), &[0]), "but 1 bytes"),
        ] {
            let error = read_back(&bytes).unwrap_err();
            assert!(error.contains(part), "`{part}`: {error}");
        }
        let empty = read_back(&npy(&header("'<f8'", "(0, 5)"), &[])).unwrap();
        assert_eq!((empty.shape, empty.values.len()), (vec![0, 5], 0));
    }
}
