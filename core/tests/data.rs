//! Folds, scalers and imputers are scikit-learn's, rotation is PyTorch's, and the shipped data is what
//! scikit-learn has: `reference/data.py` recorded them.

use gymnast_core::data::{
    Augmentation, Bounds, Dataset, MinMaxScaler, OutlierClipper, RobustScaler, Shape,
    SimpleImputer, StandardScaler, Strategy, Table, Transformer, load_breast_cancer, load_digits,
    load_wine_quality,
};
use gymnast_core::model_selection::{
    Fold, Folds, GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn reference(part: &str) -> Value {
    let whole: Value = serde_json::from_str(include_str!("reference/data.json")).unwrap();
    whole[part].clone()
}

fn cases(part: &str) -> Vec<Value> {
    reference(part).as_array().unwrap().clone()
}

/// Numbers; null is NaN.
fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().map_or(f32::NAN, |x| x as f32)).collect()
}

fn whole(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn size(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|x| x.as_str().unwrap()).collect()
}

fn assert_close(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let same = ours.is_nan() && theirs.is_nan();
        // Relative to the value, or to 1 where it passes zero.
        let close = (ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0);
        assert!(same || close, "{name}, number {i}: {ours}, expected {theirs}");
    }
}

fn assert_folds(case: &Value, ours: Folds) {
    let theirs: Vec<Fold> = case["folds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fold| Fold { train: whole(&fold["train"]), test: whole(&fold["test"]) })
        .collect();
    assert_eq!(ours.collect::<Vec<_>>(), theirs, "{case}");
}

#[test]
fn folds_are_scikit_learns() {
    for case in cases("k_fold") {
        let splitter = KFold { n_splits: size(&case, "n_splits") };
        assert_folds(&case, splitter.split(size(&case, "rows")).unwrap());
    }
    for case in cases("stratified") {
        let splitter = StratifiedKFold { n_splits: size(&case, "n_splits") };
        assert_folds(&case, splitter.split(&whole(&case["classes"])).unwrap());
    }
    for case in cases("grouped") {
        let splitter = GroupKFold { n_splits: size(&case, "n_splits") };
        assert_folds(&case, splitter.split(&whole(&case["groups"])).unwrap());
    }
    for case in cases("time_series") {
        let optional = |key: &str| case[key].as_u64().map(|size| size as usize);
        let splitter = TimeSeriesSplit {
            n_splits: size(&case, "n_splits"),
            max_train_size: optional("max_train_size"),
            test_size: optional("test_size"),
            gap: optional("gap").unwrap_or(0),
        };
        assert_folds(&case, splitter.split(size(&case, "rows")).unwrap());
    }
}

#[test]
fn scalers_and_imputers_are_scikit_learns() {
    let reference = reference("preprocessing");
    let table = Table::new(numbers(&reference["table"]), size(&reference, "width")).unwrap();
    let rows: Vec<usize> = (0..size(&reference, "train_rows")).collect();
    let train = table.select(&rows).unwrap();
    let scalers: [(&str, &dyn Transformer); 3] = [
        ("standard", &StandardScaler::fit(&train).unwrap()),
        ("min_max", &MinMaxScaler::fit(&train, (-1.0, 2.0)).unwrap()),
        ("robust", &RobustScaler::fit(&train, (10.0, 80.0)).unwrap()),
    ];
    for (name, scaler) in scalers {
        let scaled = scaler.transform(&table).unwrap();
        assert_close(name, scaled.values(), &numbers(&reference["scaled"][name]));
        let back = scaler.inverse_transform(&scaled).unwrap();
        assert_close(name, back.values(), table.values());
    }
    for (name, strategy) in [
        ("mean", Strategy::Mean),
        ("median", Strategy::Median),
        ("most_frequent", Strategy::MostFrequent),
    ] {
        let imputed = SimpleImputer::fit(&train, strategy).unwrap().transform(&table).unwrap();
        assert_close(name, imputed.values(), &numbers(&reference["imputed"][name]));
    }
    let clipper = OutlierClipper::fit(&train, Bounds::Quantiles { low: 0.05, high: 0.9 }).unwrap();
    let clipped = clipper.transform(&table).unwrap();
    assert_close("clipped", clipped.values(), &numbers(&reference["clipped"]));
}

#[test]
fn images_turn_as_in_pytorch_and_signals_stretch_as_in_numpy() {
    let reference = reference("augmentation");
    let sides = ["height", "width", "channels"].map(|side| size(&reference, side));
    let [height, width, channels] = sides;
    let image = Shape { height, width, channels };
    let signal = Shape::signal(reference["signal"].as_array().unwrap().len(), 1);
    type Make = fn(Shape, f64) -> Augmentation;
    let changes: [(&str, &str, Shape, Make); 2] = [
        ("image", "rotated", image, |shape, x| Augmentation::Rotation { shape, degrees: (x, x) }),
        ("signal", "stretched", signal, |shape, x| Augmentation::TimeStretch {
            shape,
            rate: (x, x),
        }),
    ];
    for (from, to, shape, make) in changes {
        for case in reference[to].as_array().unwrap() {
            let mut row = numbers(&reference[from]);
            let augmentation = make(shape, case[0].as_f64().unwrap());
            augmentation.apply(&mut row, &mut ChaCha8Rng::seed_from_u64(0)).unwrap();
            assert_close(to, &row, &numbers(&case[1]));
        }
    }
}

fn column_sums(data: &Dataset) -> Vec<f32> {
    let sum = |column| {
        let numbers = data.inputs().iter().skip(column).step_by(data.input_width());
        numbers.map(|&x| f64::from(x)).sum::<f64>() as f32
    };
    (0..data.input_width()).map(sum).collect()
}

#[test]
fn the_shipped_data_is_scikit_learns() {
    for (name, data) in [("digits", load_digits()), ("breast_cancer", load_breast_cancer())] {
        let facts = reference(name);
        assert_eq!(data.len(), size(&facts, "rows"));
        assert_eq!(data.feature_names(), texts(&facts["feature_names"]));
        assert_eq!(data.class_names(), texts(&facts["class_names"]));
        assert_eq!(data.class_counts().unwrap(), whole(&facts["class_counts"]));
        assert_close(name, &column_sums(&data), &numbers(&facts["column_sums"]));
        let row = data.input_table().row(100).unwrap();
        assert_close(name, row, &numbers(&facts["row_100"]));
    }
    assert_eq!(load_digits().inputs().iter().sum::<f32>(), 561_718.0);
}

#[test]
fn the_wines_are_those_of_the_paper() {
    let wines = load_wine_quality();
    assert_eq!((wines.len(), wines.input_width()), (1599, 11));
    assert_eq!(wines.class_counts().unwrap(), [0, 0, 0, 10, 53, 681, 638, 199, 18, 0, 0]);
    assert_eq!(
        (wines.feature_names()[8].as_str(), wines.target_names()),
        ("pH", &["quality".to_owned()][..])
    );
    // Cortez et al. (2009), table 1: minimum, maximum and mean of the red wines' measures, rounded.
    let column = |number: usize| wines.inputs().iter().skip(number).step_by(11).copied();
    for (number, min, max, mean) in [
        (0, 4.6, 15.9, 8.3),
        (2, 0.0, 1.0, 0.3),
        (6, 6.0, 289.0, 46.0),
        (8, 2.7, 4.0, 3.3),
        (10, 8.4, 14.9, 10.4),
    ] {
        let tolerance = 0.051 + if number == 6 { 0.5 } else { 0.0 };
        let ours = [
            column(number).fold(f32::INFINITY, f32::min),
            column(number).fold(f32::NEG_INFINITY, f32::max),
            column(number).sum::<f32>() / 1599.0,
        ];
        for (ours, theirs) in ours.into_iter().zip([min, max, mean]) {
            assert!((ours - theirs).abs() < tolerance, "{number}: {ours}, expected {theirs}");
        }
    }
}
