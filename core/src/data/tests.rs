use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::SettingError;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

fn rows(inputs: &[f32], targets: &[f32]) -> Dataset {
    Dataset::new(inputs.to_vec(), 1, targets.to_vec(), 1).unwrap()
}

#[test]
fn a_split_holds_out_each_row_once() {
    let data = rows(&[0.0, 1.0, 2.0, 3.0, 4.0], &[0.0, 10.0, 20.0, 30.0, 40.0]);
    let (train, held_out) = data.split(0.4, &mut rng()).unwrap();
    assert_eq!((train.len(), held_out.len()), (3, 2));
    let mut seen = Vec::new();
    for part in [&train, &held_out] {
        let pairs = part.inputs().iter().zip(part.targets());
        seen.extend(pairs.map(|(x, y)| (*x as i32, *y as i32)));
    }
    seen.sort_unstable();
    assert_eq!(seen, [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)]);
    assert!(data.split(0.0, &mut rng()).unwrap().1.is_empty());
    assert!(data.split(1.0, &mut rng()).is_err());
}

#[test]
fn what_cannot_be_learned_from_is_an_error() {
    let dataset = |inputs: &[f32], width, targets: &[f32]| {
        Dataset::new(inputs.to_vec(), width, targets.to_vec(), 1)
    };
    assert!(matches!(dataset(&[1.0; 4], 2, &[1.0; 3]), Err(DataError::Rows { .. })));
    assert!(matches!(dataset(&[1.0; 5], 2, &[1.0; 2]), Err(DataError::Rows { .. })));
    assert!(matches!(dataset(&[], 0, &[]), Err(DataError::Rows { .. })));
    let error = dataset(&[1.0, 1.0, 1.0, f32::NAN], 2, &[1.0; 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 1, column 1 of the inputs holds NaN: expected finite numbers"
    );
}

#[test]
fn a_class_is_one_whole_number() {
    let data = rows(&[0.0; 4], &[2.0, 0.0, 2.0, 0.0]);
    assert_eq!(data.classes().unwrap(), [2, 0, 2, 0]);
    assert_eq!(data.class_counts().unwrap(), [2, 0, 2]);
    let named = data.clone().with_class_names(["a", "b", "c", "d"]).unwrap();
    assert_eq!(named.class_counts().unwrap(), [2, 0, 2, 0]);
    let error = data.with_class_names(["a", "b"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 0 has the target 2: expected one whole number from 0 for a class, below 2"
    );
    for bad in [-1.0, 0.5, 1e9] {
        let error = rows(&[0.0], &[bad]).classes().unwrap_err();
        assert!(matches!(error, DataError::NotAClass { row: 0, .. }), "{error}");
    }
    let wide = Dataset::new(vec![0.0], 1, vec![0.0, 1.0], 2).unwrap();
    assert!(matches!(wide.classes(), Err(DataError::Count { got: 2, .. })));
}

#[test]
fn a_selection_keeps_order_and_names() {
    let inputs = Table::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2).unwrap();
    let inputs = inputs.with_names(["a", "b"]).unwrap();
    let targets = Table::new(vec![0.0, 1.0, 1.0], 1).unwrap().with_names(["y"]).unwrap();
    let data = Dataset::from_tables(inputs, targets).unwrap();
    assert!(!data.select(&[2, 0]).unwrap().is_resampled());
    let part = data.with_class_names(["no", "yes"]).unwrap().select(&[2, 0, 2]).unwrap();
    assert!(part.is_resampled());
    assert_eq!(part.inputs(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
    assert_eq!(part.targets(), [1.0, 0.0, 1.0]);
    assert_eq!((part.feature_names().len(), part.target_names()), (2, &["y".to_owned()][..]));
    assert_eq!(part.class_names(), ["no", "yes"]);
    assert_eq!(part.select(&[3]).unwrap_err(), DataError::NoSuchRow { row: 3, rows: 3 });
    let error = part.input_table().clone().with_names(["a"]).unwrap_err();
    assert_eq!(error.to_string(), "got 1 column names, expected 2");
}

#[test]
fn a_table_from_a_file_is_checked() {
    let read = |text: &str| serde_json::from_str::<Table>(text);
    let table = Table::new(vec![1.0, 2.0], 1).unwrap().with_names(["a"]).unwrap();
    assert_eq!(read(&serde_json::to_string(&table).unwrap()).unwrap(), table);
    for bad in [
        r#"{"values": [1.0], "width": 0, "names": []}"#,
        r#"{"values": [1.0], "width": 2, "names": []}"#,
        r#"{"values": [1.0], "width": 1, "names": ["a", "b"]}"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn classes_are_relabelled_and_made_one_hot() {
    let data = rows(&[1.0, 2.0, 3.0], &[3.0, 5.0, 8.0]);
    let two = data.relabel(|quality| usize::from(quality <= 4), ["good", "poor"]).unwrap();
    assert_eq!((two.targets(), two.inputs()), (&[1.0, 0.0, 0.0][..], data.inputs()));
    let hot = two.one_hot(2).unwrap();
    assert_eq!(hot.targets(), [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(hot.target_names(), ["good", "poor"]);
    assert!(matches!(data.one_hot(8), Err(DataError::NotAClass { row: 2, .. })));
    for classes in [1 << 25, 1 << 40, usize::MAX] {
        let error = data.one_hot(classes).unwrap_err();
        assert!(
            matches!(error, DataError::Setting(SettingError { key: "classes", .. })),
            "{error}"
        );
    }
    assert!(matches!(data.relabel(|class| class, ["none"]), Err(DataError::NotAClass { .. })));
}
