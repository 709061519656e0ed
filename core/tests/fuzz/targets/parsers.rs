//! Files, whole, broken and made up.

use gymnast_core::checkpoint::{self, StateDict};
use gymnast_core::compression::QuantizedNetwork;
use gymnast_core::data::csv::{self, Column, CsvConfig, TargetKind};
use gymnast_core::likelihood;
use gymnast_core::loss::Loss;
use gymnast_core::nn::{Activation, MlpConfig, Network as _, NetworkConfig, Sequential};
use gymnast_core::supervised::{Dataset, FitConfig, Trainer};
use gymnast_core::tune::{Scale, SharedStudy, Stop, Study, StudyConfig};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use crate::source::Source;

/// Inputs that were of interest: each file below `corpus/`, by what reads it.
macro_rules! corpus {
    ($($name:literal),+ $(,)?) => { [$(include_bytes!(concat!("../corpus/", $name)).as_slice()),+] };
}

const CSV: [&[u8]; 14] = corpus![
    "csv/plain.csv",
    "csv/bom.csv",
    "csv/one_column.csv",
    "csv/missing_target.csv",
    "csv/ragged.csv",
    "csv/quotes.csv",
    "csv/empty.csv",
    "csv/only_header.csv",
    "csv/crlf.csv",
    "csv/huge_numbers.csv",
    "csv/control.csv",
    "csv/semicolons.csv",
    "csv/open_quote.csv",
    "csv/latin1.csv",
];

const STUDIES: [&[u8]; 6] = corpus![
    "study/whole.jsonl",
    "study/cut.jsonl",
    "study/doubled.jsonl",
    "study/nan.jsonl",
    "study/empty.jsonl",
    "study/huge_settings.jsonl",
];

pub(super) fn csv(source: &mut Source) {
    let bytes = source.pick(&CSV);
    let bytes = source.mutated(bytes);
    let target = match source.up_to(3) {
        0 => Column::Name(source.text()),
        1 => Column::Number(source.count()),
        2 => Column::Name("target".to_owned()),
        _ => Column::Number(source.up_to(2)),
    };
    let config = CsvConfig {
        delimiter: source.pick(&[',', ',', ';', '\t', '\0', '"', '\n', 'ä', '\u{1f600}']),
        has_header: !source.one_in(3),
        targets: (0..source.up_to(2)).map(|_| target.clone()).collect(),
        target_kind: source.pick(&[TargetKind::Numbers, TargetKind::Classes]),
        missing: source.pick(&[vec![], vec!["NA".to_owned()], vec![String::new()]]),
        max_bytes: source.pick(&[u64::MAX, 1 << 28, 20, 0]),
        max_rows: source.pick(&[usize::MAX, 1_000_000, 3, 0]),
    };
    if let Ok(raw) = csv::from_reader(bytes.as_slice(), &config) {
        assert_eq!(raw.inputs.len(), raw.targets.len());
        let _ = raw.into_dataset();
    }
    let _ = csv::from_path(source.text().replace('\0', ""), &config);
}

fn state(source: &mut Source) -> StateDict {
    let mut state = StateDict::new();
    state.insert_array("weights", &[2, 3], &[1.0_f32, 2.0, 3.0, -0.0, f32::NAN, 1e-40]);
    state.insert_array("none", &[0], &[0_u64; 0]);
    let _ = state.insert("layers", &source.count());
    let _ = state.insert(&source.text(), &source.number());
    state
}

pub(super) fn state_dict(source: &mut Source) {
    let state = state(source);
    let (arrays, values) = state.to_files().expect("a state can be written");
    assert_eq!(
        StateDict::from_files(arrays.clone(), &values).expect("and read").to_files().ok(),
        Some((arrays.clone(), values.clone()))
    );
    if let Ok(read) = StateDict::from_files(source.mutated(&arrays), &source.mutated(&values)) {
        let shape = source.shape();
        let _ = (read.array::<f32>("weights", &shape), read.array_of_any_shape::<f64>("weights"));
        let _ = (read.get::<usize>("layers"), read.get::<Vec<f64>>(&source.text()));
        let _ = (read.counter("layers"), read.array_len::<f32>("weights"));
        let _ = read.get_checked("layers", "few", |&layers: &usize| layers < 9);
        let _ = (read.finite_array("weights", &shape), read.clone().remove("weights"));
        let _ = read.array_checked("weights", &shape, "a share", |x: &f64| (0.0..1.0).contains(x));
        let _ = QuantizedNetwork::from_state_dict(&read);
        let mut network = MlpConfig::default().build(2, 1, &mut source.rng()).expect("small");
        let mut other = StateDict::new();
        let _ = other.insert_part("network", network.parameters());
        let _ = read.load_part("network", network.parameters_mut());
    }
    let file = Scratch::new("state");
    checkpoint::save(&file.path, &state).expect("a state can be written");
    let bytes = std::fs::read(&file.path).expect("a file that was written");
    std::fs::write(&file.path, source.mutated(&bytes)).expect("a scratch file");
    let _ = checkpoint::load(&file.path);
    let numbers = source.length();
    let _ = checkpoint::fingerprint(&source.f32s(numbers));
    let mut logits = source.f32s(numbers);
    let _ = (likelihood::largest(&logits), likelihood::log_sum_exp(&logits));
    likelihood::softmax(&mut logits);
    let _ = likelihood::normal_log_density(source.f32(), source.f32());
    let _ = (likelihood::sigmoid(source.f32()), likelihood::softplus(source.f32()));
    let (mut softplus, mut sigmoid) = (logits.clone(), source.f32s(numbers / 2));
    likelihood::softplus_and_sigmoid(&logits, &mut softplus, &mut sigmoid);
}

/// A file in a folder that goes with it.
struct Scratch {
    path: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder for scratch files");
        Self { path: folder.path().join(name), _folder: folder }
    }
}

/// Changes an entry of a file whose sums are right, so that what is wrong is the content.
fn with_other_contents(source: &mut Source, path: &std::path::Path) {
    let state = checkpoint::load(path).expect("a whole file");
    let (arrays, values) = state.to_files().expect("a state can be written");
    if let Ok(state) = StateDict::from_files(arrays, &source.mutated(&values)) {
        checkpoint::save(path, &state).expect("a scratch file");
    }
}

pub(super) fn network_file(source: &mut Source) {
    let config = NetworkConfig::mlp(&[3], Activation::Tanh).linear_head(2);
    let network = Sequential::new(&config, &[2], &mut source.rng()).expect("a small network");
    let file = Scratch::new("network");
    network.save_to(&file.path).expect("a scratch file");
    with_other_contents(source, &file.path);
    if let Ok(network) = Sequential::load_from(&file.path) {
        let _ = network.parameters().to_vec();
    }
}

pub(super) fn training_file(source: &mut Source) {
    let data = Dataset::new(vec![0.0, 1.0, 2.0], 1, vec![1.0, 3.0, 5.0], 1).expect("three rows");
    let file = Scratch::new("training");
    let fit = |epochs| {
        let config = FitConfig { epochs, batch_size: 2, ..FitConfig::adam(0.1) };
        let rng = ChaCha8Rng::seed_from_u64(0);
        let small = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        let mut network = small.build(1, 1, &mut rng.clone()).expect("a small network");
        let mut trainer = Trainer::new(config, rng).expect("good settings").checkpoint(&file.path);
        trainer.fit(&mut network, &data, &data, &Loss::Mse)
    };
    fit(3).expect("a training");
    with_other_contents(source, &file.path);
    if let Ok(history) = fit(3) {
        let _ = history.best();
    }
}

pub(super) fn study_file(source: &mut Source) {
    let file = Scratch::new("study");
    let bytes = source.pick(&STUDIES);
    let bytes = source.mutated(bytes);
    std::fs::write(&file.path, bytes).expect("a scratch file");
    if let Ok(mut shared) = SharedStudy::join(&file.path, StudyConfig::default()) {
        let trials = shared.study().trials().len() as u64 + 1;
        let _ = shared.optimize(trials.min(99), 2, || false, |_| Ok(0.0));
    }
    let _ = SharedStudy::running(&file.path);
    let _ = Study::read(&file.path).map(|study| study.trials().len());
    let Ok(mut study) = Study::resume(&file.path) else { return };
    let _ = (study.best().map(|trial| trial.number), study.history_plot("loss"));
    let trials = study.trials().len() as u64;
    let ended = study.optimize(trials.saturating_add(2), |trial| {
        let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear).map_err(Stop::from)?;
        Ok(x * x)
    });
    let _ = ended;
    let _ = Study::create(&file.path, StudyConfig::default()).is_err();
}
