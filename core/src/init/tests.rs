use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

const SHAPE: [usize; 2] = [200, 300];
const FANS: Fans = Fans { fan_in: 300, fan_out: 200 };

fn filled(rule: Init, shape: &[usize]) -> Vec<f32> {
    let mut out = vec![f32::NAN; shape.iter().product()];
    rule.fill(shape, FANS, &mut ChaCha8Rng::seed_from_u64(7), &mut out).unwrap();
    out
}

fn std(values: &[f32]) -> f32 {
    (values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32).sqrt()
}

#[test]
fn uniform_rules_fill_their_range() {
    for (rule, bound) in [
        (Init::LinearDefault, 1.0 / 300_f32.sqrt()),
        (Init::XavierUniform { gain: 2.0 }, 2.0 * (6.0 / 500_f32).sqrt()),
        (Init::KaimingUniform { gain: 2.0 }, 2.0 * (3.0 / 300_f32).sqrt()),
        (Init::KaimingUniformFanOut { gain: 2.0 }, 2.0 * (3.0 / 200_f32).sqrt()),
        (Init::Uniform { low: -0.5, high: 0.5 }, 0.5),
    ] {
        let values = filled(rule, &SHAPE);
        let largest = values.iter().fold(0_f32, |most, x| most.max(x.abs()));
        assert!(largest <= bound && largest > 0.999 * bound, "{rule:?}: {largest}, {bound}");
        assert!((std(&values) / (bound / 3_f32.sqrt()) - 1.0).abs() < 0.01, "{rule:?}");
    }
}

#[test]
fn normal_rules_have_their_deviation() {
    for (rule, expected) in [
        (Init::XavierNormal { gain: 3.0 }, 3.0 * (2.0 / 500_f32).sqrt()),
        (Init::KaimingNormal { gain: 3.0 }, 3.0 / 300_f32.sqrt()),
        (Init::KaimingNormalFanOut { gain: 3.0 }, 3.0 / 200_f32.sqrt()),
        (Init::Normal { mean: 0.0, std: 0.1 }, 0.1),
    ] {
        assert!((std(&filled(rule, &SHAPE)) / expected - 1.0).abs() < 0.01, "{rule:?}");
    }
}

#[test]
fn normal_numbers_have_their_mean_and_shape() {
    let values = filled(Init::Normal { mean: 3.0, std: 0.5 }, &SHAPE);
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    assert!((mean - 3.0).abs() < 0.01, "{mean}");
    let within = values.iter().filter(|x| (**x - 3.0).abs() < 0.5).count() as f32;
    assert!((within / values.len() as f32 - 0.6827).abs() < 0.01);
}

#[test]
fn truncated_normal_numbers_have_their_moments() {
    // Mean and deviation from scipy.stats.truncnorm.
    for (mean, std, low, high, moments) in [
        (0.0, 1.0, -2.0, 2.0, (0.0, 0.879_626)),
        (0.0, 1.0, 0.0, 4.0, (0.797_667, 0.602_209)),
        (0.5, 2.0, 0.0, 1.0, (0.5, 0.287_473)),
        (1.0, 1.0, 0.0, 1.0, (0.540_138, 0.282_227)),
    ] {
        let rule = Init::TruncatedNormal { mean, std, low, high };
        let values = filled(rule, &SHAPE);
        assert!(values.iter().all(|x| (low..=high).contains(x)), "{rule:?}");
        let ours = values.iter().sum::<f32>() / values.len() as f32;
        let centred: Vec<f32> = values.iter().map(|x| x - ours).collect();
        assert!((ours - moments.0).abs() < 0.015 * moments.1, "{rule:?}: mean {ours}");
        assert!(
            (self::std(&centred) / moments.1 - 1.0).abs() < 0.01,
            "{rule:?}: {}",
            self::std(&centred)
        );
    }
}

#[test]
fn constants_are_constant() {
    assert_eq!(filled(Init::Zeros, &[3, 2]), [0.0; 6]);
    assert_eq!(filled(Init::Constant { value: -1.5 }, &[3, 2]), [-1.5; 6]);
}

#[test]
fn orthogonal_rows_or_columns() {
    for shape in [[3, 8], [8, 3], [6, 6]] {
        let values = filled(Init::Orthogonal { gain: 2.0 }, &shape);
        let [rows, columns] = shape;
        let at = |v: usize, i: usize| {
            f64::from(if rows <= columns {
                values[v * columns + i]
            } else {
                values[i * columns + v]
            })
        };
        for a in 0..rows.min(columns) {
            for b in 0..rows.min(columns) {
                let product: f64 = (0..rows.max(columns)).map(|i| at(a, i) * at(b, i)).sum();
                let expected = if a == b { 4.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-5, "{shape:?} {a} {b}: {product}");
            }
        }
    }
}

#[test]
fn same_stream_same_numbers() {
    let rule = Init::KaimingNormal { gain: 1.0 };
    assert_eq!(filled(rule, &[4, 5]), filled(rule, &[4, 5]));
}

#[test]
fn bad_rules_are_errors() {
    assert!(Init::Orthogonal { gain: 1.0 }.check(&[4]).is_err());
    assert!(Init::Normal { mean: 0.0, std: -1.0 }.check(&[4, 4]).is_err());
    for (mean, std, low, high) in [
        (0.0, 0.0, -1.0, 1.0),
        (0.0, 1.0, 1.0, -1.0),
        (2.0, 1.0, -1.0, 1.0),
        (f32::NAN, 1.0, -1.0, 1.0),
        (0.0, 1.0, f32::NEG_INFINITY, 1.0),
    ] {
        assert!(Init::TruncatedNormal { mean, std, low, high }.check(&[4]).is_err());
    }
    assert!(Init::KaimingNormalFanOut { gain: 0.0 }.check(&[4, 4]).is_err());
    assert!(Init::Uniform { low: 1.0, high: 0.0 }.check(&[4]).is_err());
    assert!(Init::XavierUniform { gain: f32::NAN }.check(&[4, 4]).is_err());
}

#[test]
fn what_cannot_be_filled_is_an_error() {
    let fill = |rule: Init, shape: &[usize], fans, numbers: usize| {
        rule.fill(shape, fans, &mut ChaCha8Rng::seed_from_u64(7), &mut vec![0.0; numbers])
    };
    for shape in [&[3, 2][..], &[usize::MAX, 2], &[1 << 40, 1 << 40]] {
        let error = fill(Init::Zeros, shape, FANS, 5).unwrap_err();
        assert_eq!(error, InitError::Length { shape: shape.to_vec(), got: 5 });
    }
    // Nor nothing, though the sides' product is 0 in 64 bits.
    assert!(matches!(fill(Init::Zeros, &[1 << 40; 2], FANS, 0), Err(InitError::Length { .. })));
    let largest = Fans { fan_in: usize::MAX, fan_out: usize::MAX };
    assert_eq!(fill(Init::XavierNormal { gain: 1.0 }, &[4, 4], largest, 16), Ok(()));
    for rule in [
        Init::Normal { mean: 3e38, std: 3e38 },
        Init::KaimingUniform { gain: 3e38 },
        Init::XavierNormal { gain: 3e38 },
    ] {
        let fans = Fans { fan_in: 1, fan_out: 1 };
        let error = fill(rule, &[10, 10], fans, 100).unwrap_err();
        assert!(matches!(error, InitError::NotFinite { .. }), "{error}");
    }
}
