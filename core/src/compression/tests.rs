mod quantization;

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::*;
use crate::SettingError;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::nn::{Activation, Buffers, LayerConfig, MlpConfig, Network, NetworkConfig, Sequential};
use crate::optim::{OptimizerConfig, SgdConfig};
use crate::supervised::{FitConfig, FitError, fit};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn mlp(hidden: &[usize]) -> Sequential {
    let config = NetworkConfig::mlp(hidden, Activation::Relu).linear_head(3);
    Sequential::new(&config, &[6], &mut rng()).unwrap()
}

fn rows(count: usize, width: usize) -> Vec<f32> {
    let rng = &mut rng();
    (0..count * width).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
}

fn predict(network: &Sequential, rows: &[f32]) -> Vec<f32> {
    let rows = Tensor::from_slice(rows).view([-1, network.inputs() as i64]);
    Vec::try_from(network.predict(&rows).reshape(-1)).unwrap()
}

fn data() -> (Dataset, Dataset) {
    let inputs = rows(60, 6);
    let classes = inputs.chunks(6).map(|row| f32::from(u8::from(row[0] > row[1])));
    let data = Dataset::new(inputs.clone(), 6, classes.collect(), 1).unwrap();
    (data, Dataset::new(vec![], 6, vec![], 1).unwrap())
}

#[test]
fn a_pruned_network_needs_the_places_of_its_weights_too() {
    let network = mlp(&[16, 8]); // 6-16-8-3: weights 96, 128, 24; biases 16, 8, 3
    let bytes_at = |amounts: &[f64]| {
        let mut mask = Mask::new(network.parameters(), |_| true);
        for &amount in amounts {
            mask.l1_unstructured(network.parameters(), amount).unwrap();
        }
        mask.bytes()
    };
    assert_eq!(bytes_at(&[]), 4 * (96 + 128 + 24 + 27)); // all are kept, each in its place
    assert_eq!(bytes_at(&[0.5]), 4 * (48 + 64 + 12 + 27) + 12 + 16 + 3); // a bit for every weight
    // 96 · 2 % ≈ 2, 128 · 2 % ≈ 3, none of 24: an index for each is cheaper.
    assert_eq!(bytes_at(&[0.98]), 4 * (2 + 3 + 27) + 2 + 3);
}

#[test]
fn what_is_pruned_stays_zero_while_the_rest_learns() {
    let (data, none) = data();
    let momentum = SgdConfig { momentum: 0.9, weight_decay: 0.1, lr: 0.05, ..Default::default() };
    for optimizer in [OptimizerConfig::Sgd(momentum), OptimizerConfig::default()] {
        let mut network = mlp(&[16, 8]);
        let mut mask = Mask::new(network.parameters(), |name| name.starts_with("encoder."));
        assert_eq!(mask.density(), Some(1.0));
        mask.global_unstructured(network.parameters(), 0.75).unwrap();
        assert_eq!(mask.density(), Some(0.25));
        mask.apply(network.parameters_mut()).unwrap();
        let before = network.parameters().to_vec();
        let param_groups = vec![mask.param_group()];
        let config = FitConfig { epochs: 5, optimizer, param_groups, ..FitConfig::default() };
        fit(&mut network, &data, &none, &config, rng(), &Loss::cross_entropy()).unwrap();
        let now = network.parameters().values();
        let all = now.iter().zip(&before).zip(mask.kept());
        assert!(all.clone().all(|((now, _), &kept)| kept || *now == 0.0));
        let moved = all.filter(|((now, then), _)| now != then).count();
        let kept = mask.kept().iter().filter(|&&kept| kept).count();
        assert!(moved > kept / 2, "{moved} of {kept}"); // not what leads into a unit that is off
    }
}

#[test]
fn masks_refuse_what_they_cannot_prune() {
    let mut network = mlp(&[4]);
    let mut mask = Mask::new(network.parameters(), |_| true);
    let error = mask.l1_unstructured(network.parameters(), 1.5).unwrap_err();
    assert_eq!(error.to_string(), "amount must be in [0, 1], got 1.5");
    let error = mask.ln_structured(network.parameters(), "encoder.0.bias", 0.5, 2.0).unwrap_err();
    assert!(error.to_string().contains(r#"["encoder.0.weight", "head.0.weight"]"#));
    let error = mask.ln_structured(network.parameters(), "head.0.weight", 0.5, 0.0).unwrap_err();
    assert!(error.to_string().starts_with("n must be positive"));
    assert!(matches!(
        mask.apply(mlp(&[5]).parameters_mut()),
        Err(CompressionError::Mask { expected: 43, got: 53 })
    ));
    network.parameters_mut().values_mut()[0] = f32::NAN;
    let error = mask.global_unstructured(network.parameters(), 0.5).unwrap_err();
    assert!(matches!(error, CompressionError::NotFinite { .. }));
    assert!(mask.kept().iter().all(|&kept| kept));
    assert_eq!(Mask::new(network.parameters(), |_| false).density(), None);
    mask.l1_unstructured(mlp(&[4]).parameters(), 1.0).unwrap();
    assert_eq!(mask.density(), Some(0.0));
}

#[test]
fn what_is_pruned_already_has_no_norm() {
    // Three units of two weights: (3, 3), (5, 2) and (9, 9).
    let config = NetworkConfig::default().linear_head(3);
    let mut network = Sequential::new(&config, &[2], &mut rng()).unwrap();
    network.parameters_mut().load(&[3.0, 5.0, 9.0, 3.0, 2.0, 9.0, 0.0, 0.0, 0.0]).unwrap();
    let mut mask = Mask::new(network.parameters(), |_| true);
    let kept = |mask: &Mask| mask.kept()[..6].to_vec();
    let (yes, no) = (true, false);
    // The 2 goes, and its unit, of 5, is the smaller though the 2 is still there.
    mask.l1_unstructured(network.parameters(), 1.0 / 6.0).unwrap();
    mask.ln_structured(network.parameters(), "head.0.weight", 1.0 / 3.0, 1.0).unwrap();
    assert_eq!(kept(&mask), [yes, no, yes, yes, no, yes]);
    // Half of the two units that are left.
    mask.ln_structured(network.parameters(), "head.0.weight", 0.5, 1.0).unwrap();
    assert_eq!(kept(&mask), [no, no, yes, no, no, yes]);
}

#[test]
fn norms_that_say_nothing_are_refused() {
    let network = mlp(&[8]);
    for n in [1e-3, 1e4] {
        let error = prune_units(&network, 0.5, n).map(drop).unwrap_err();
        assert!(
            matches!(error, CompressionError::Setting(SettingError { key: "n", .. })),
            "{n}: {error}"
        );
        let mut mask = Mask::new(network.parameters(), |_| true);
        assert!(mask.ln_structured(network.parameters(), "head.0.weight", 0.5, n).is_err());
        assert_eq!(mask.density(), Some(1.0));
    }
    assert!(prune_units(&network, 0.5, f64::INFINITY).is_ok());
}

#[test]
fn a_ticket_is_rewound() {
    let mut network = mlp(&[16]);
    let initial = network.parameters().to_vec();
    let mask = Mask::new(network.parameters(), |_| true);
    let config = IterativePruning { rounds: 3, amount: 0.5 };
    let mut densities = Vec::new();
    let (data, none) = data();
    let mask = find_ticket::<_, Box<dyn std::error::Error>>(
        &mut network,
        &config,
        mask,
        |network, mask| {
            densities.push(mask.density().unwrap());
            let values = network.parameters().values().iter().zip(&initial).zip(mask.kept());
            for ((value, initial), &kept) in values {
                assert_eq!(*value, if kept { *initial } else { 0.0 });
            }
            let param_groups = vec![mask.param_group()];
            let config = FitConfig { epochs: 20, param_groups, ..FitConfig::adam(5e-2) };
            fit(network, &data, &none, &config, rng(), &Loss::cross_entropy())?;
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(densities, [1.0, 0.5, 0.25]);
    assert_eq!(mask.density(), Some(0.125));
    let values = network.parameters().values().iter().zip(&initial).zip(mask.kept());
    values.for_each(|((now, then), &kept)| assert_eq!(*now, if kept { *then } else { 0.0 }));
    // What trained most away from zero stays, not what was largest at first.
    let mut first = Mask::new(network.parameters(), |_| true);
    first.global_unstructured(mlp(&[16]).parameters(), 0.875).unwrap();
    assert_ne!(first, mask);
    // A round that fails leaves the ticket of those before.
    let mut rounds = 0;
    let failed =
        find_ticket::<_, CompressionError>(&mut network, &config, mask.clone(), |network, _| {
            rounds += 1;
            network.parameters_mut().values_mut().fill(if rounds == 2 { f32::NAN } else { 7.0 });
            if rounds == 2 { Err(CompressionError::NotDense) } else { Ok(()) }
        });
    assert!(matches!(failed, Err(CompressionError::NotDense)));
    let left = network.parameters().values().iter().filter(|value| **value != 0.0);
    assert!(left.clone().all(|value| initial.contains(value)));
    let kept = mask.kept().iter().filter(|kept| **kept).count();
    assert!(left.clone().count() < kept && left.count() > 0);
    let none = IterativePruning { rounds: 0, ..config };
    let none = find_ticket::<_, CompressionError>(&mut network, &none, mask, |_, _| Ok(()));
    assert!(none.unwrap_err().to_string().starts_with("rounds must be"));
}

/// A network with everything that units pass through, its units 1 and 3 (of the first layers) idle.
fn pictures() -> (Sequential, BTreeMap<String, Vec<usize>>) {
    let config = NetworkConfig {
        encoder: vec![
            LayerConfig::conv2d(5, 3, 1),
            LayerConfig::batch_norm(),
            LayerConfig::PRelu { per_channel: true, slope: 0.25 },
            LayerConfig::max_pool(2),
            LayerConfig::conv2d(4, 3, 1),
            LayerConfig::InstanceNorm { eps: 1e-5, affine: true },
            LayerConfig::Flatten,
            LayerConfig::linear(6),
            LayerConfig::LayerNorm { eps: 1e-5 },
            LayerConfig::Dropout { p: 0.5 },
        ],
        head: vec![
            LayerConfig::linear(7),
            LayerConfig::PRelu { per_channel: false, slope: 0.1 },
            LayerConfig::linear(3),
        ],
        dropout_seed: 3,
    };
    let mut network = Sequential::new(&config, &[4, 4, 2], &mut rng()).unwrap();
    let statistics = (0..10).map(|i| 0.1 * i as f32 + 0.2).collect();
    network.load_buffers(&Buffers { numbers: statistics, draws: 9 }).unwrap();
    // Outgoing weights of the units that go are zero.
    let zero = |network: &mut Sequential, name: &str, unit: fn(usize) -> bool| {
        let range = network.parameters().range_of(name).unwrap();
        let values = &mut network.parameters_mut().values_mut()[range];
        (0..).zip(values).filter(|(i, _)| unit(*i)).for_each(|(_, value)| *value = 0.0);
    };
    zero(&mut network, "encoder.4.weight", |i| matches!(i / 9 % 5, 1 | 3));
    zero(&mut network, "encoder.7.weight", |i| matches!(i / 6 / 4, 0 | 2)); // channels of 4 pixels
    zero(&mut network, "head.2.weight", |i| i / 3 == 6);
    let kept =
        [("encoder.0", vec![0, 2, 4]), ("encoder.4", vec![1, 3]), ("head.0", (0..6).collect())];
    (network, kept.map(|(name, kept)| (name.to_owned(), kept)).into())
}

#[test]
fn idle_units_can_be_taken_out() {
    let (network, kept) = pictures();
    let hidden = hidden_layers(&network);
    let names: Vec<_> = hidden.iter().map(|layer| (layer.name.as_str(), layer.units)).collect();
    assert_eq!(names, [("encoder.0", 5), ("encoder.4", 4), ("head.0", 7)]);
    let smaller = keep_units(&network, &kept).unwrap();
    let (rows, count) = (rows(5, 32), |network: &Sequential| network.parameters().len());
    assert!(count(&smaller) < count(&network));
    assert_eq!(
        smaller.buffers(),
        Buffers { numbers: [0, 2, 4, 5, 7, 9].map(|i| 0.1 * i as f32 + 0.2).to_vec(), draws: 9 }
    );
    for (a, b) in predict(&smaller, &rows).iter().zip(predict(&network, &rows)) {
        assert!((a - b).abs() <= 1e-5, "{a} {b}");
    }
    let all = keep_units(&network, &BTreeMap::new()).unwrap();
    assert_eq!(all.parameters().values(), network.parameters().values());
}

#[test]
fn half_of_the_units_is_half_as_wide() {
    let mut network = mlp(&[8, 5]);
    // The larger a unit's number, the larger its weights.
    for name in ["encoder.0.weight", "encoder.2.weight"] {
        let range = network.parameters().range_of(name).unwrap();
        let units = if name == "encoder.0.weight" { 8 } else { 5 };
        let values = &mut network.parameters_mut().values_mut()[range];
        (0..).zip(values).for_each(|(i, value)| *value = (1 + i % units) as f32);
    }
    let half = prune_units(&network, 0.5, 2.0).unwrap();
    assert_eq!(half.config().encoder[2], LayerConfig::linear(3)); // 2.5 rounds to 2, which go
    assert_eq!(half.parameters().values()[..4], [5.0, 6.0, 7.0, 8.0]);
    let range = half.parameters().range_of("encoder.2.weight").unwrap();
    assert_eq!(half.parameters().values()[range][..3], [3.0, 4.0, 5.0]);
    let one = prune_units(&network, 1.0, 1.0).unwrap();
    assert_eq!(one.features(), 1);
}

#[test]
fn units_that_are_not_there_are_errors() {
    let (network, _) = pictures();
    let keep = |name: &str, units: Vec<usize>| {
        let kept = [(name.to_owned(), units)].into();
        keep_units(&network, &kept).map(drop).unwrap_err()
    };
    // Before a normalisation over units, and at the end.
    for name in ["encoder.7", "head.2", "encoder.1"] {
        assert!(matches!(keep(name, vec![0]), CompressionError::UnknownName { .. }), "{name}");
    }
    for units in [vec![], vec![1, 1], vec![2, 1], vec![4]] {
        assert!(matches!(keep("encoder.4", units), CompressionError::Units { .. }));
    }
    assert!(prune_units(&network, -0.1, 1.0).is_err() && prune_units(&network, 0.5, -1.0).is_err());
}

#[test]
fn distillation_refuses_what_it_has_no_meaning_for() {
    let answer = Tensor::zeros([2, 3], tch::kind::FLOAT_CPU);
    assert_eq!(distillation_loss(&answer, &answer, 2.0).unwrap().double_value(&[]), 0.0);
    let error = |student: &Tensor, t| distillation_loss(student, &answer, t).unwrap_err();
    assert!(error(&answer, 0.0).to_string().starts_with("temperature must be positive"));
    assert!(error(&answer.narrow(0, 0, 1), 1.0).to_string().contains("[2, 3]"));
    assert!(error(&answer.to_kind(tch::Kind::Int64), 1.0).to_string().contains("Int64"));
    let (data, none) = data();
    let (teacher, mut student) = (mlp(&[16]), mlp(&[2]));
    let mut fit = |alpha| {
        let objective = Distillation { teacher: &teacher, temperature: 2.0, alpha };
        fit(&mut student, &data, &none, &FitConfig::default(), rng(), &objective)
    };
    assert!(matches!(fit(1.5), Err(FitError::Loss(_))));
    assert!(fit(0.5).is_ok());
}

#[test]
fn units_that_a_residual_block_adds_to_stay() {
    let residual = LayerConfig::Residual { layers: vec![LayerConfig::linear(4)] };
    let config = NetworkConfig {
        encoder: vec![LayerConfig::linear(4), residual, LayerConfig::linear(5)],
        ..NetworkConfig::default().linear_head(2)
    };
    let network = Sequential::new(&config, &[3], &mut rng()).unwrap();
    let hidden: Vec<_> = hidden_layers(&network).into_iter().map(|layer| layer.name).collect();
    assert_eq!(hidden, ["encoder.2"]);
    let all = [("encoder.2".to_owned(), (0..5).collect())].into();
    let same = keep_units(&network, &all).unwrap();
    assert_eq!(same.parameters().values(), network.parameters().values());
}
