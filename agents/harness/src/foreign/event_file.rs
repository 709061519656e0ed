//! TensorBoard's event files: series of numbers by tag.
//!
//! A number is written as `simple_value` or as a tensor without dimensions. A last record that is cut off,
//! as a running training may leave it, is ignored. Several files of one folder are one training that was
//! resumed: where a later file begins at an earlier step, what the one before had from there on is
//! dropped, as TensorBoard does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::OpenOptions,
    io::{BufReader, ErrorKind, Read},
    path::{Path, PathBuf},
};

use gymnast_core::files;

use super::{
    ForeignError, MAX_RETURNS,
    event_message::{Event, scalar},
    protobuf::Malformed,
    seed::Series,
    series::{self, MOST_NAMES, Steps},
};
use crate::{
    event_format::{HEAD, TAIL, masked_crc},
    report::ReturnAt,
};

/// No record may be longer; pictures and graphs of networks are in such files too.
const MAX_RECORD: u64 = 1 << 26;

/// Whether bytes begin with a record's length and its checksum.
pub(super) fn is_event_file(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    rest.starts_with(&masked_crc(length).to_le_bytes())
}

/// Reads the files of one training. `whole` names it in errors.
pub(super) fn read(
    paths: &[PathBuf],
    whole: &Path,
    tag: Option<&str>,
) -> Result<Series, ForeignError> {
    let read = |path: &PathBuf| OneFile::read(path, tag);
    let mut files = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| a.started.total_cmp(&b.started));
    let started = files.first().map_or(f64::NAN, |file| file.started);
    let mut found = BTreeSet::new();
    let mut all: BTreeMap<String, Vec<ReturnAt>> = BTreeMap::new();
    for file in files {
        found.extend(file.names);
        for (name, mut points) in file.series {
            points.iter_mut().for_each(|point| point.wall_time_s -= started);
            let kept = all.entry(name).or_default();
            let first = points.first().map_or(u64::MAX, |point| point.env_step);
            kept.truncate(kept.partition_point(|point| point.env_step < first));
            kept.extend(points);
        }
    }
    series::results(all.into_iter().collect()).ok_or_else(|| ForeignError::NoSeries {
        path: whole.to_owned(),
        expected: series::expected(tag),
        found: found.into_iter().collect(),
    })
}

/// What one file holds.
struct OneFile {
    /// When its first event was written, in seconds since 1970.
    started: f64,
    /// The points of the wanted series, with the wall time since 1970.
    series: BTreeMap<String, Vec<ReturnAt>>,
    /// The names of all series, of which some may be left out.
    names: BTreeSet<String>,
}

impl OneFile {
    fn read(path: &Path, tag: Option<&str>) -> Result<Self, ForeignError> {
        let file = files::open(path, OpenOptions::new().read(true));
        let mut reader = BufReader::new(file.map_err(ForeignError::file(path))?);
        let mut read = Self { started: f64::NAN, series: BTreeMap::new(), names: BTreeSet::new() };
        let (mut record, mut count) = (Vec::new(), 0_usize);
        for index in 1_u64.. {
            let invalid =
                |reason: &str| ForeignError::invalid(path, format!("record {index}: {reason}"));
            match next_record(&mut reader, &mut record).map_err(ForeignError::file(path))? {
                Record::None => break,
                Record::Damaged(reason) => return Err(invalid(reason)),
                Record::Whole => {}
            }
            let malformed = |Malformed| invalid("expected an event of TensorBoard");
            let event = Event::parse(&record).map_err(malformed)?;
            if read.started.is_nan() {
                read.started = event.wall_time;
            }
            for value in event.values {
                let Some((name, value)) = scalar(value).map_err(malformed)? else { continue };
                if read.names.len() < MOST_NAMES {
                    read.names.insert(name.to_owned());
                }
                if !series::is_wanted(name, tag) {
                    continue;
                }
                let env_step = u64::try_from(event.step)
                    .map_err(|_| invalid("its step is negative: expected one from 0 on"))?;
                let point = ReturnAt { env_step, wall_time_s: event.wall_time, value };
                read.series.entry(name.to_owned()).or_default().push(point);
                count += 1;
                if count > MAX_RETURNS {
                    return Err(invalid("more than four million returns"));
                }
            }
        }
        for (name, points) in &read.series {
            let mut order = Steps::new(path, name);
            points.iter().try_for_each(|point| order.next(point.env_step as f64).map(drop))?;
        }
        Ok(read)
    }
}

/// What stands next in a file.
enum Record {
    Whole,
    /// The end, or a record that is cut off.
    None,
    Damaged(&'static str),
}

/// Reads the next record's message.
fn next_record(reader: &mut impl Read, message: &mut Vec<u8>) -> std::io::Result<Record> {
    let mut head = [0; HEAD];
    if !fill(reader, &mut head)? {
        return Ok(Record::None);
    }
    let (length, sum) = head.split_first_chunk::<8>().expect("a head is longer");
    if sum != masked_crc(length).to_le_bytes() {
        return Ok(Record::Damaged("the checksum of its length is wrong"));
    }
    let length = u64::from_le_bytes(*length);
    if length > MAX_RECORD {
        return Ok(Record::Damaged("longer than 64 MiB"));
    }
    message.clear();
    // Takes no more memory than there are bytes.
    let got = reader.take(length).read_to_end(message)?;
    let mut tail = [0; TAIL];
    if (got as u64) < length || !fill(reader, &mut tail)? {
        return Ok(Record::None);
    }
    let is_sound = tail == masked_crc(message).to_le_bytes();
    Ok(if is_sound { Record::Whole } else { Record::Damaged("its checksum is wrong") })
}

/// Fills the buffer; false if there are fewer bytes.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{EventWriter, report::TrainingReturns};

    /// A file that our writer wrote, with returns at these steps.
    fn written(points: &[(u64, f64)]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(folder.path(), 0.0).unwrap();
        for &(step, value) in points {
            writer.scalar("charts/episodic_return", step, 0.5, value).unwrap();
            writer.scalar("losses/loss", step, 0.5, 9.0).unwrap();
        }
        writer.flush().unwrap();
        fs::read(folder.path().join(EventWriter::FILE)).unwrap()
    }

    fn read_files(files: &[Vec<u8>], tag: Option<&str>) -> Result<Series, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |(i, bytes): (usize, &Vec<u8>)| {
            let path = folder.path().join(format!("events.out.tfevents.{i}"));
            fs::write(&path, bytes).unwrap();
            path
        };
        let paths: Vec<_> = files.iter().enumerate().map(path).collect();
        read(&paths, folder.path(), tag).map_err(|error| error.to_string())
    }

    fn points(series: &Series) -> Vec<(u64, f64)> {
        let (TrainingReturns::Episodes(points) | TrainingReturns::Means(points)) = &series.training;
        points.iter().map(|point| (point.env_step, point.value)).collect()
    }

    #[test]
    fn a_series_is_read_by_its_tag() {
        let file = written(&[(10, 1.5), (20, 2.5)]);
        assert!(is_event_file(&file));
        let series = read_files(std::slice::from_ref(&file), None).unwrap();
        assert_eq!(points(&series), [(10, 1.5), (20, 2.5)]);
        assert!(matches!(series.training, TrainingReturns::Episodes(_)));
        let other = read_files(std::slice::from_ref(&file), Some("losses/loss")).unwrap();
        assert_eq!(points(&other), [(10, 9.0), (20, 9.0)]);
        let error = read_files(&[file], Some("charts/return")).unwrap_err();
        let named = "expected charts/return, found charts/episodic_return, losses/loss";
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn a_resumed_training_drops_what_came_after_its_checkpoint() {
        let first = written(&[(10, 1.0), (20, 2.0), (30, 3.0)]);
        std::thread::sleep(std::time::Duration::from_millis(5));
        let second = written(&[(20, 5.0), (40, 6.0)]);
        let expected = [(10, 1.0), (20, 5.0), (40, 6.0)];
        assert_eq!(points(&read_files(&[first.clone(), second.clone()], None).unwrap()), expected);
        // By the time of the events, not by the names of the files.
        assert_eq!(points(&read_files(&[second, first], None).unwrap()), expected);
    }

    #[test]
    fn a_file_that_is_cut_off_is_read_up_to_there_and_a_damaged_one_refused() {
        let file = written(&[(10, 1.0), (20, 2.0)]);
        for end in 0..file.len() {
            match read_files(&[file[..end].to_vec()], None) {
                Ok(series) => assert!([1, 2].contains(&points(&series).len()), "{end}"),
                Err(error) => assert!(error.contains("lacks a series"), "{end}: {error}"),
            }
        }
        for place in 0..file.len() {
            let mut altered = file.clone();
            altered[place] ^= 1;
            let error = read_files(&[altered], None).unwrap_err();
            assert!(error.contains("checksum"), "{place}: {error}");
        }
    }

    #[test]
    fn a_record_of_any_length_or_step_takes_no_memory_and_no_panic() {
        let record = |message: &[u8], length: u64| {
            let length = length.to_le_bytes();
            let sums = [&length[..], message].map(|bytes| masked_crc(bytes).to_le_bytes());
            [&length[..], &sums[0], message, &sums[1]].concat()
        };
        let error = read_files(&[record(&[], u64::MAX)], None).unwrap_err();
        assert!(error.contains("longer than 64 MiB"), "{error}");
        assert!(read_files(&[record(&[], MAX_RECORD)], None).unwrap_err().contains("lacks"));
        let error = read_files(&[record(&[0x0b], 1)], None).unwrap_err();
        assert!(error.contains("record 1: expected an event"), "{error}");
        // A step of -1.
        let tag = b"charts/episodic_return";
        let value = [&[0x0a, tag.len() as u8], &tag[..], &[0x15, 0, 0, 0x80, 0x3f]].concat();
        let value = [&[0x0a, value.len() as u8], &value[..]].concat();
        let minus = [&[0x10][..], &[255; 9], &[1, 0x2a, value.len() as u8], &value].concat();
        let error = read_files(&[record(&minus, minus.len() as u64)], None).unwrap_err();
        assert!(error.contains("step is negative"), "{error}");
        let error = read_files(&[written(&[(20, 1.0), (10, 1.0)])], None).unwrap_err();
        assert!(error.contains("10 comes after 20"), "{error}");
    }
}
