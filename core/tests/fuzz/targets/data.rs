//! `data`.

use gymnast_core::data::*;

use super::configs;
use crate::source::Source;

/// Rows with classes or numbers as their targets, where there can be some.
pub(super) fn dataset(source: &mut Source) -> Option<Dataset> {
    let (rows, width) = (source.length(), 1 + source.up_to(2));
    let inputs = source.f32s(rows * width);
    let targets: Vec<f32> = match source.one_in(4) {
        true => source.f32s(rows),
        false => source.classes(rows).into_iter().map(|class| class as f32).collect(),
    };
    Dataset::new(inputs, width, targets, 1).ok()
}

/// Any numbers of rows, most of which there are.
fn places(source: &mut Source, rows: usize) -> Vec<usize> {
    let wild = source.one_in(4);
    let count = source.length();
    (0..count).map(|_| if wild { source.count() } else { source.up_to(rows.max(1) - 1) }).collect()
}

pub(super) fn rows(source: &mut Source) {
    let (numbers, width) = (source.length(), source.count());
    let (numbers, targets) = (source.f32s(numbers), source.length());
    let targets = source.f32s(targets);
    let _ = Dataset::new(numbers.clone(), width, targets, source.count());
    if let Ok(table) = Table::new(numbers, width) {
        let names = source.about(table.width().min(50));
        let _ = table.clone().with_names(source.texts(names));
        let places = places(source, table.len());
        let _ = (table.row(source.count()).map(<[f32]>::len), table.select(&places));
    }
    let Some(data) = dataset(source) else { return };
    let names = source.length();
    let names = source.texts(names);
    let _ = data.clone().with_class_names(names.clone());
    let _ = data.relabel(|class| class % 3, names);
    let _ = (data.one_hot(source.count()), data.classes(), data.class_counts());
    let _ = data.rows_of_classes();
    let places = places(source, data.len());
    if let Ok(some) = data.select(&places) {
        assert_eq!(some.len(), places.len());
        // A gigabyte of views is allowed, and takes long.
        let (mut batch, views) = (Batch::default(), source.count());
        let views = if (100_000..1 << 30).contains(&views) { 9 } else { views };
        data.gather(&places, &mut batch);
        if data.gather_views(&places, views, &mut batch).is_ok() {
            assert_eq!((batch.len(), batch.views()), (places.len() * views, views));
        }
        let batch = data.batch(&places);
        let _ = (batch.inputs(), batch.targets(), batch.classes());
        let _ = mixup(&batch, source.number(), &mut source.rng());
        let _ = Dataset::from_tables(some.input_table().clone(), data.target_table().clone());
        let _ = data.with_inputs(some.input_table().clone());
    }
}

pub(super) fn loading(source: &mut Source) {
    let Some(data) = dataset(source) else { return };
    let rng = &mut source.rng();
    let share = source.share();
    let stratify = source.pick(&[Stratify::No, Stratify::Classes]);
    let whole = |parts: &[usize]| assert_eq!(parts.iter().sum::<usize>(), data.len());
    if let Ok((train, test)) = data.split(share, rng) {
        whole(&[train.len(), test.len()]);
    }
    if let Ok((train, test)) = train_test_split(&data, share, stratify, rng) {
        whole(&[train.len(), test.len()]);
    }
    let (train, validation, test) = (source.share(), source.share(), source.share());
    let shares = SplitConfig { train, validation, test, stratify };
    if let Ok(split) = train_validation_test_split(&data, &shares, rng) {
        whole(&[split.train.len(), split.validation.len(), split.test.len()]);
    }
    // Shuffling as many rows as are allowed takes long, and nothing else.
    let rows = source.count();
    let rows = if (1_000_000..1 << 30).contains(&rows) { 60_000 } else { rows };
    let held_out = [source.count(), source.up_to(3)];
    let classes = source.one_in(2).then(|| source.classes(rows.min(300)));
    if let Ok(parts) = split_rows(rows, held_out, classes.as_deref(), rng) {
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), rows);
    }
    let config = DataLoaderConfig {
        batch_size: source.count(),
        shuffle: source.one_in(2),
        drop_last: source.one_in(2),
    };
    let (epoch, done) = (source.u64(), source.count());
    for sampler in [Sampler::Shuffled, Sampler::Balanced] {
        let _ = sampler.order(&data, rng, epoch);
    }
    let Ok(loader) = DataLoader::new(&data, &config, rng.clone()) else { return };
    assert_eq!(loader.order(epoch).len(), data.len());
    assert_eq!(loader.epoch(epoch).count(), loader.batches());
    let _ = loader.epoch_from(epoch, done).count();
}

pub(super) fn preprocessing(source: &mut Source) {
    let Some(data) = dataset(source) else { return };
    let table = data.input_table();
    let (a, b) = (source.number(), source.number());
    let strategy = source.pick(&[
        Strategy::Mean,
        Strategy::Median,
        Strategy::MostFrequent,
        Strategy::Constant(a as f32),
    ]);
    let (low, high) = (source.share(), source.share());
    let bounds = source.pick(&[
        Bounds::Quantiles { low, high },
        Bounds::Iqr(a),
        Bounds::StandardDeviations(b),
    ]);
    let range = (a as f32, b as f32);
    let percentiles = (100.0 * source.share(), 100.0 * source.share());
    let other = Table::new(source.f32s(2 * table.width()), table.width()).expect("two rows");
    let transform = |fitted: Result<&dyn Transformer, &DataError>| {
        let Ok(fitted) = fitted else { return };
        for table in [table, &other] {
            if let Ok(rows) = fitted.transform(table) {
                assert_eq!((rows.len(), rows.width()), (table.len(), table.width()));
            }
        }
    };
    macro_rules! fitted {
        ($fitted:expr) => {
            transform($fitted.as_ref().map(|fitted| fitted as &dyn Transformer))
        };
    }
    fitted!(SimpleImputer::fit(table, strategy));
    fitted!(OutlierClipper::fit(table, bounds));
    fitted!(StandardScaler::fit(table));
    fitted!(MinMaxScaler::fit(table, range));
    fitted!(RobustScaler::fit(table, percentiles));
    let all = [
        PipelineStep::SimpleImputer(strategy),
        PipelineStep::OutlierClipper(bounds),
        PipelineStep::StandardScaler,
        PipelineStep::MinMaxScaler { range },
        PipelineStep::RobustScaler { quantile_range: percentiles },
    ];
    let steps: Vec<PipelineStep> = (0..source.up_to(4)).map(|_| source.pick(&all)).collect();
    fitted!(Pipeline::fit(table, &steps));
}

pub(super) fn augmentation(source: &mut Source) {
    let shape = configs::shape(source);
    let (a, b, share) = (source.number(), source.number(), source.share());
    let (n, m, value) = (source.count(), source.up_to(3), source.f32());
    let probability = share;
    let all = [
        Augmentation::GaussianNoise { std: a as f32 },
        Augmentation::FeatureMask { probability, value },
        Augmentation::Cutout { shape, height: m, width: n, value },
        Augmentation::TimeMask { shape, max_length: n, value },
        Augmentation::RandomCrop { shape, padding: n },
        Augmentation::RandomResizedCrop { shape, scale: (share, b) },
        Augmentation::HorizontalFlip { shape, probability },
        Augmentation::VerticalFlip { shape, probability },
        Augmentation::Rotation { shape, degrees: (a, b) },
        Augmentation::TimeStretch { shape, rate: (a, b) },
    ];
    let one = source.pick(&all);
    let rare = Augmentation::RandomApply { probability, augmentation: Box::new(one.clone()) };
    let size = shape.height.saturating_mul(shape.width).saturating_mul(shape.channels);
    let width = if size < 100 { source.about(size) } else { 4 };
    let (mut row, rng) = (source.f32s(width), &mut source.rng());
    let _ = (one.apply(&mut row, rng), rare.apply(&mut row, rng));
    let mut rows = source.f32s(3 * width);
    if let Ok(compose) = Compose::new(vec![one, rare], width) {
        let _ = compose.apply(&mut rows, rng);
        if let Some(data) = dataset(source) {
            let _ = compose.apply_to_inputs(&data, rng);
        }
    }
}
