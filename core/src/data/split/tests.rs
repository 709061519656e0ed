use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(3)
}

fn data(counts: &[usize]) -> Dataset {
    let classes: Vec<f32> =
        (0..).zip(counts).flat_map(|(class, &n)| vec![class as f32; n]).collect();
    let inputs = (0..classes.len()).map(|row| row as f32).collect();
    Dataset::new(inputs, 1, classes, 1).unwrap()
}

#[test]
fn each_row_is_in_one_part() {
    let split = train_validation_test_split(&data(&[17]), &SplitConfig::default(), &mut rng());
    let Split { train, validation, test } = split.unwrap();
    assert_eq!((train.len(), validation.len(), test.len()), (10, 4, 3)); // 10.2, 3.4, 3.4
    let mut rows = [train.inputs(), validation.inputs(), test.inputs()].concat();
    assert!(!rows.is_sorted());
    rows.sort_unstable_by(f32::total_cmp);
    assert_eq!(rows, data(&[17]).inputs());
}

#[test]
fn stratified_parts_share_the_classes_in_proportion() {
    let data = data(&[60, 30, 10]);
    let config = SplitConfig { stratify: Stratify::Classes, ..SplitConfig::default() };
    let split = train_validation_test_split(&data, &config, &mut rng()).unwrap();
    assert_eq!(split.train.class_counts().unwrap(), [36, 18, 6]);
    assert_eq!(split.validation.class_counts().unwrap(), [12, 6, 2]);
    assert_eq!(split.test.class_counts().unwrap(), [12, 6, 2]);
    assert!(!split.train.targets().is_sorted());
    let (_, test) = train_test_split(&data, 0.11, Stratify::Classes, &mut rng()).unwrap();
    assert_eq!(test.class_counts().unwrap(), [7, 3, 1]); // 6.6, 3.3, 1.1
}

#[test]
fn the_same_stream_gives_the_same_split_and_another_another() {
    let split = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        train_test_split(&data(&[50]), 0.25, Stratify::No, &mut rng).unwrap()
    };
    assert_eq!(split(1), split(1));
    assert_ne!(split(1), split(2));
    assert_eq!(split(1).1.len(), 13); // 12.5, rounded up
}

#[test]
fn what_cannot_be_split_is_an_error() {
    let split = |data: &Dataset, share, stratify| {
        train_test_split(data, share, stratify, &mut rng()).unwrap_err()
    };
    let error = split(&data(&[5]), 1.0, Stratify::No);
    assert_eq!(error.to_string(), "test_size must be in [0, 1), got 1");
    assert!(matches!(split(&data(&[5]), f64::NAN, Stratify::No), DataError::Setting(_)));
    let error = split(&data(&[1]), 0.5, Stratify::No);
    assert_eq!(error, DataError::TooFewRows { needed: 2, rows: 1 });
    let error = split(&data(&[5, 1]), 0.5, Stratify::Classes);
    assert_eq!(error, DataError::SmallClass { class: 1, rows: 1, needed: 2 });
    let real = Dataset::new(vec![0.0; 4], 1, vec![0.5; 4], 1).unwrap();
    assert!(matches!(split(&real, 0.5, Stratify::Classes), DataError::NotAClass { .. }));
    let config = SplitConfig { test: -1.0, ..SplitConfig::default() };
    let error = train_validation_test_split(&real, &config, &mut rng()).unwrap_err();
    assert_eq!(error.to_string(), "test must be at least 0, got -1");
    assert!(split_rows(3, [1], Some(&[0, 0]), &mut rng()).is_err());
    assert!(split_rows(3, [usize::MAX], None, &mut rng()).is_err());
    let error = split_rows(usize::MAX, [1], None, &mut rng()).unwrap_err();
    assert!(matches!(error, DataError::TooManyRows { rows: usize::MAX, .. }), "{error}");
}

#[test]
fn the_sizes_of_parts_are_their_shares() {
    for n in [10, 100, 1000] {
        let config = SplitConfig { train: 0.7, validation: 0.2, test: 0.1, stratify: Stratify::No };
        let split = train_validation_test_split(&data(&[n]), &config, &mut rng()).unwrap();
        let sizes = [split.train.len(), split.validation.len(), split.test.len()];
        assert_eq!(sizes, [n / 10 * 7, n / 10 * 2, n / 10]);
    }
    for (rows, per_cent) in
        (1..=100).flat_map(|rows: usize| (0..100).map(move |share| (rows, share)))
    {
        let test = (per_cent * rows).div_ceil(100);
        let share = per_cent as f64 / 100.0;
        match train_test_split(&data(&[rows]), share, Stratify::No, &mut rng()) {
            Ok((_, part)) => assert_eq!(part.len(), test, "{share} of {rows}"),
            Err(error) => {
                assert_eq!(error, DataError::TooFewRows { needed: test + 1, rows });
                assert_eq!(test, rows);
            }
        }
    }
}

#[test]
fn a_part_that_is_asked_for_has_a_row() {
    let split = train_validation_test_split(&data(&[3]), &SplitConfig::default(), &mut rng());
    let split = split.unwrap();
    assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (1, 1, 1));
    let error = train_validation_test_split(&data(&[2]), &SplitConfig::default(), &mut rng());
    assert_eq!(error.unwrap_err(), DataError::TooFewRows { needed: 3, rows: 2 });
    // Shares whose sum is beyond all numbers.
    let config = SplitConfig { train: 1e308, validation: 1e308, test: 0.0, stratify: Stratify::No };
    let split = train_validation_test_split(&data(&[8]), &config, &mut rng()).unwrap();
    assert_eq!((split.train.len(), split.validation.len(), split.test.len()), (4, 4, 0));
}

#[test]
fn every_part_has_every_class() {
    let (train, test) =
        train_test_split(&data(&[998, 2]), 0.2, Stratify::Classes, &mut rng()).unwrap();
    assert_eq!(train.class_counts().unwrap(), [799, 1]);
    assert_eq!(test.class_counts().unwrap(), [199, 1]);
    // Ten classes of two rows beside a large one: each gives one.
    let counts = [vec![2; 10], vec![1000]].concat();
    let (train, test) =
        train_test_split(&data(&counts), 0.05, Stratify::Classes, &mut rng()).unwrap();
    assert_eq!(test.class_counts().unwrap(), [vec![1; 10], vec![41]].concat());
    assert_eq!(train.class_counts().unwrap(), [vec![1; 10], vec![959]].concat());
    // Where two parts of three are large, the last keeps one of each.
    let classes = [vec![0; 90], vec![1; 3]].concat();
    let parts = split_rows(93, [45, 45], Some(&classes), &mut rng()).unwrap();
    for part in &parts {
        assert_eq!(part.iter().filter(|row| **row >= 90).count(), 1, "{parts:?}");
    }
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [3, 45, 45]);
}

#[test]
fn a_part_that_cannot_hold_every_class_is_refused() {
    let error = train_test_split(&data(&[2, 2]), 0.75, Stratify::Classes, &mut rng()).unwrap_err();
    assert_eq!(error, DataError::SmallPart { rows: 1, classes: 2 });
    assert_eq!(
        error.to_string(),
        "a part of 1 rows cannot hold all 2 classes: expected a share of at least 2 rows"
    );
    let error = split_rows(4, [3], Some(&[0, 0, 1, 1]), &mut rng()).unwrap_err();
    assert_eq!(error, DataError::SmallPart { rows: 1, classes: 2 });
    let error = train_test_split(&data(&[3, 3, 3]), 0.1, Stratify::Classes, &mut rng());
    assert_eq!(error.unwrap_err(), DataError::SmallPart { rows: 1, classes: 3 });
    assert!(split_rows(4, [0], Some(&[0, 0, 1, 2]), &mut rng()).is_ok(), "nothing is held out");
}

#[test]
fn small_classes_of_any_sizes_leave_no_part_out() {
    use rand::RngExt as _;
    let rng = &mut rng();
    for _ in 0..2000 {
        let counts: Vec<usize> =
            (0..rng.random_range(1..6)).map(|_| rng.random_range(3..12)).collect();
        let classes: Vec<usize> =
            counts.iter().enumerate().flat_map(|(class, &n)| vec![class; n]).collect();
        let rows = classes.len();
        let held_out = [rng.random_range(0..rows / 2), rng.random_range(0..rows / 2)];
        let parts = match split_rows(rows, held_out, Some(&classes), rng) {
            Ok(parts) => parts,
            Err(DataError::SmallPart { .. } | DataError::TooFewRows { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        for (part, size) in
            parts.iter().zip([rows - held_out.iter().sum::<usize>()].iter().chain(&held_out))
        {
            assert_eq!(part.len(), *size);
            for class in 0..counts.len() {
                let own = part.iter().filter(|row| classes[**row] == class).count();
                assert!(part.is_empty() || own > 0, "{counts:?} {held_out:?} {class}");
            }
        }
    }
}
