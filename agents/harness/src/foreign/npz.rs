//! NumPy's archive of arrays, `.npz`: a zip of `.npy` files, stored or deflated.

use std::{io::Read as _, path::Path};

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

use super::{ForeignError, MAX_BYTES, npy};

/// No archive may hold more arrays.
const MAX_ARRAYS: usize = 4096;

/// An opened archive.
pub(super) struct Npz<'a> {
    path: &'a Path,
    archive: ZipSliceArchive<&'a [u8]>,
    arrays: Vec<(String, CompressionMethod, ZipArchiveEntryWayfinder)>,
}

impl<'a> Npz<'a> {
    /// Reads the names of the arrays. Other files in the archive are left out.
    pub(super) fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, ForeignError> {
        let damaged = |error: rawzip::Error| {
            ForeignError::invalid(path, format!("a damaged zip archive: {error}"))
        };
        let archive = ZipArchive::from_slice(bytes).map_err(damaged)?;
        let mut arrays: Vec<(String, _, _)> = Vec::new();
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(damaged)? {
            let name = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
            let Some(name) = name.strip_suffix(".npy") else { continue };
            if arrays.iter().any(|(other, ..)| other == name) {
                return Err(ForeignError::invalid(path, format!("it holds two arrays `{name}`")));
            }
            arrays.push((name.to_owned(), entry.compression_method(), entry.wayfinder()));
            if arrays.len() > MAX_ARRAYS {
                let reason = format!("expected at most {MAX_ARRAYS} arrays, got more");
                return Err(ForeignError::invalid(path, reason));
            }
        }
        Ok(Self { path, archive, arrays })
    }

    /// Returns the names of the arrays, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|(name, ..)| name.as_str())
    }

    /// Reads an array. What it takes is subtracted from the bytes `left` for the archive.
    ///
    /// # Errors
    /// [`ForeignError::Invalid`] if it is not there or damaged, or if more bytes are compressed in it than
    /// are left; [`ForeignError::Pickle`].
    pub(super) fn read(&self, name: &str, left: &mut u64) -> Result<npy::Array, ForeignError> {
        let invalid =
            |reason: String| ForeignError::invalid(self.path, format!("`{name}`: {reason}"));
        let array = self.arrays.iter().find(|(known, ..)| known == name);
        let &(_, method, place) = array.ok_or_else(|| invalid("not there".to_owned()))?;
        let entry = self.archive.get_entry(place).map_err(|error| invalid(error.to_string()))?;
        let mut bytes = Vec::new();
        let read = match method {
            CompressionMethod::STORE => {
                entry.verifying_reader(entry.data()).take(*left + 1).read_to_end(&mut bytes)
            }
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(entry.data());
                entry.verifying_reader(inflated).take(*left + 1).read_to_end(&mut bytes)
            }
            other => return Err(invalid(format!("compressed by {other}: expected deflate"))),
        };
        read.map_err(|error| invalid(error.to_string()))?;
        let taken = bytes.len() as u64;
        *left = left.checked_sub(taken).ok_or_else(|| {
            invalid(format!("more than {MAX_BYTES} bytes are compressed in the archive"))
        })?;
        npy::read(self.path, &format!("`{name}`"), &bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::foreign::npy::tests::npy;

    /// An archive of these files, stored or deflated.
    pub(crate) fn archive(files: &[(&str, Vec<u8>)], is_deflated: bool) -> Vec<u8> {
        let mut writer = rawzip::ZipArchiveWriter::new(Vec::new());
        for (name, bytes) in files {
            let method =
                if is_deflated { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
            let (mut entry, config) =
                writer.new_file(name).compression_method(method).start().unwrap();
            let descriptor = if is_deflated {
                let encoder =
                    flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default());
                let mut file = config.wrap(encoder);
                file.write_all(bytes).unwrap();
                let (encoder, descriptor) = file.finish().unwrap();
                encoder.finish().unwrap();
                descriptor
            } else {
                let mut file = config.wrap(&mut entry);
                file.write_all(bytes).unwrap();
                file.finish().unwrap().1
            };
            entry.finish(descriptor).unwrap();
        }
        writer.finish().unwrap()
    }

    /// An array of floats with this shape.
    pub(crate) fn floats(shape: &str, values: &[f64]) -> Vec<u8> {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        npy(&header, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
    }

    fn read_in(bytes: &[u8], mut left: u64) -> Result<npy::Array, String> {
        let path = Path::new("a.npz");
        let archive = Npz::open(path, bytes).map_err(|error| error.to_string())?;
        archive.read("x", &mut left).map_err(|error| error.to_string())
    }

    #[test]
    fn stored_and_deflated_arrays_are_read() {
        let files = [("x.npy", floats("(2,)", &[1.0, 2.0])), ("readme.txt", b"other".to_vec())];
        for is_deflated in [false, true] {
            let bytes = archive(&files, is_deflated);
            assert_eq!(read_in(&bytes, MAX_BYTES).unwrap().values, [1.0, 2.0]);
            let path = Path::new("a.npz");
            assert_eq!(Npz::open(path, &bytes).unwrap().names().collect::<Vec<_>>(), ["x"]);
        }
    }

    #[test]
    fn a_zip_bomb_is_refused_at_the_limit() {
        let bomb = archive(&[("x.npy", vec![0; 10_000_000])], true);
        assert!(bomb.len() < 20_000, "{}", bomb.len());
        let error = read_in(&bomb, 1000).unwrap_err();
        assert!(error.contains("compressed in the archive"), "{error}");
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let whole = archive(&[("x.npy", floats("(2,)", &[1.0, 2.0]))], true);
        for cut in 0..whole.len() {
            assert!(read_in(&whole[..cut], MAX_BYTES).is_err(), "cut off at {cut}");
        }
        let twice = archive(&[("x.npy", vec![1]), ("x.npy", vec![2])], false);
        assert!(read_in(&twice, MAX_BYTES).unwrap_err().contains("two arrays"));
        let stored = archive(&[("x.npy", floats("(2,)", &[1.0, 2.0]))], false);
        let place = stored.windows(8).position(|bytes| bytes == 2.0_f64.to_le_bytes()).unwrap();
        let mut altered = stored.clone();
        altered[place] ^= 1;
        assert!(read_in(&altered, MAX_BYTES).is_err(), "the checksum is wrong");
    }
}
