use super::*;

fn table(values: &[f32], width: usize) -> Table {
    Table::new(values.to_vec(), width).unwrap()
}

#[test]
fn scalers_by_hand() {
    let column = table(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 1); // mean 5, deviation 2
    let standard = StandardScaler::fit(&column).unwrap();
    assert_eq!(standard.transform(&table(&[9.0, 5.0, 4.0], 1)).unwrap().values(), [2.0, 0.0, -0.5]);
    let min_max = MinMaxScaler::fit(&column, (-1.0, 1.0)).unwrap();
    assert_eq!(min_max.transform(&table(&[2.0, 9.0, 16.0], 1)).unwrap().values(), [-1.0, 1.0, 3.0]);
    let robust = RobustScaler::fit(&column, (25.0, 75.0)).unwrap(); // 4.5; 4 to 5.5
    assert_eq!(robust.transform(&table(&[4.5, 6.0, 1.5], 1)).unwrap().values(), [0.0, 1.0, -2.0]);
}

#[test]
fn a_constant_column_is_only_centred_and_a_missing_number_stays_missing() {
    let rows = table(&[7.1, 1.0, 7.1, f32::NAN, 7.1, 3.0], 2);
    let transformers: [&dyn Transformer; 3] = [
        &StandardScaler::fit(&rows).unwrap(),
        &MinMaxScaler::fit(&rows, (0.0, 1.0)).unwrap(),
        &RobustScaler::fit(&rows, (25.0, 75.0)).unwrap(),
    ];
    for transformer in transformers {
        let scaled = transformer.transform(&rows).unwrap();
        let constant: Vec<f32> = scaled.values().iter().copied().step_by(2).collect();
        assert_eq!(constant, [0.0; 3]);
        assert!(scaled.values()[3].is_nan());
        let back = transformer.inverse_transform(&scaled).unwrap();
        assert_eq!(back.values()[..3], rows.values()[..3]);
    }
}

#[test]
fn outliers_are_clipped_by_hand() {
    let column = table(&[0.0, 1.0, 2.0, 3.0, 104.0], 1);
    let clip = |bounds| {
        let clipper = OutlierClipper::fit(&column, bounds).unwrap();
        clipper.transform(&column).unwrap().values().to_vec()
    };
    assert_eq!(clip(Bounds::Quantiles { low: 0.25, high: 0.75 }), [1.0, 1.0, 2.0, 3.0, 3.0]);
    assert_eq!(clip(Bounds::Iqr(1.5)), [0.0, 1.0, 2.0, 3.0, 6.0]); // 3 + 1.5 · 2
    // Mean 22, variance (22² + 21² + 20² + 19² + 82²) / 5 = 1682; one deviation to either side.
    let reach = 1682_f64.sqrt();
    let clipped = clip(Bounds::StandardDeviations(1.0));
    assert_eq!(clipped[4], (22.0 + reach) as f32);
    assert_eq!(clipped[..4], [0.0, 1.0, 2.0, 3.0]);
    let clipper = OutlierClipper::fit(&column, Bounds::Iqr(1.5)).unwrap();
    assert!(clipper.transform(&table(&[f32::NAN], 1)).unwrap().values()[0].is_nan());
}

#[test]
fn missing_numbers_are_filled_in_by_hand() {
    let rows = table(&[3.0, 1.0, 3.0, 1.0, f32::NAN, 6.0, 9.0, f32::NAN], 2);
    let filled = |strategy| SimpleImputer::fit(&rows, strategy).unwrap().statistics().to_vec();
    assert_eq!(filled(Strategy::Mean), [5.0, 8.0 / 3.0]);
    assert_eq!(filled(Strategy::Median), [3.0, 1.0]);
    assert_eq!(filled(Strategy::MostFrequent), [3.0, 1.0]);
    let imputer = SimpleImputer::fit(&rows, Strategy::Constant(-1.0)).unwrap();
    let values = imputer.transform(&rows).unwrap();
    assert_eq!(values.values(), [3.0, 1.0, 3.0, 1.0, -1.0, 6.0, 9.0, -1.0]);
    let tie = table(&[2.0, 5.0, 5.0, 2.0, 9.0], 1);
    assert_eq!(SimpleImputer::fit(&tie, Strategy::MostFrequent).unwrap().statistics(), [2.0]);
}

#[test]
fn a_pipeline_comes_back_from_a_checkpoint_and_leads_back() {
    let rows =
        table(&[1.0, f32::NAN, 3.0, 5.0, 2.0, 7.0, 400.0, 6.0], 2).with_names(["a", "b"]).unwrap();
    let steps = [
        PipelineStep::SimpleImputer(Strategy::Median),
        PipelineStep::OutlierClipper(Bounds::Quantiles { low: 0.0, high: 0.7 }),
        PipelineStep::StandardScaler,
        PipelineStep::MinMaxScaler { range: (0.0, 1.0) },
    ];
    let pipeline = Pipeline::fit(&rows, &steps).unwrap();
    let saved = serde_json::to_string(&pipeline).unwrap();
    let loaded: Pipeline = serde_json::from_str(&saved).unwrap();
    let narrow = saved.replacen("\"width\":2", "\"width\":3", 1);
    assert!(serde_json::from_str::<Pipeline>(&narrow).is_err(), "{narrow}");
    let scaled = loaded.transform(&rows).unwrap();
    assert_eq!(scaled, pipeline.transform(&rows).unwrap());
    assert_eq!(scaled.names(), rows.names());
    let column: Vec<f32> = scaled.values().iter().copied().step_by(2).collect();
    assert!((column[0], column[3]) == (0.0, 1.0), "{column:?}");
    let back = pipeline.inverse_transform(&scaled).unwrap();
    for (i, expected) in [(0, 1.0), (1, 6.0), (2, 3.0), (3, 5.0)] {
        assert!((back.values()[i] - expected).abs() < 1e-5, "{back:?}");
    }
}

#[test]
fn only_inputs_are_transformed() {
    let data = Dataset::new(vec![1.0, 3.0], 1, vec![5.0, 6.0], 1).unwrap();
    let scaler = StandardScaler::fit(data.input_table()).unwrap();
    let scaled = scaler.transform_inputs(&data).unwrap();
    assert_eq!((scaled.inputs(), scaled.targets()), (&[-1.0, 1.0][..], &[5.0, 6.0][..]));
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let error = StandardScaler::fit(&table(&[1.0, f32::NAN, 2.0, f32::NAN], 2)).unwrap_err();
    assert_eq!(error, DataError::MissingColumn { column: 1 });
    let error = StandardScaler::fit(&table(&[1.0, f32::INFINITY], 1)).unwrap_err();
    assert!(matches!(error, DataError::Infinite { row: 1, column: 0, .. }));
    let error = SimpleImputer::fit(&table(&[], 3), Strategy::Mean).unwrap_err();
    assert_eq!(error, DataError::TooFewRows { needed: 1, rows: 0 });
    let rows = table(&[1.0, 2.0], 1);
    assert!(MinMaxScaler::fit(&rows, (1.0, 1.0)).is_err());
    assert!(RobustScaler::fit(&rows, (75.0, 25.0)).is_err());
    assert!(OutlierClipper::fit(&rows, Bounds::Iqr(f64::NAN)).is_err());
    assert!(OutlierClipper::fit(&rows, Bounds::Quantiles { low: 0.0, high: 1.1 }).is_err());
    assert!(SimpleImputer::fit(&rows, Strategy::Constant(f32::NAN)).is_err());
    let scaler = StandardScaler::fit(&rows).unwrap();
    let error = scaler.transform(&table(&[1.0, 2.0], 2)).unwrap_err();
    assert_eq!(error.to_string(), "got 2 columns, expected 1");
}
