use super::*;

/// B = 3, A = 2. The second row's second log σ is cut from below, the third's first from above.
const HEAD: [f32; 12] = [0.3, -1.2, -0.5, 0.4, 2.0, -9.0, 1.0, -30.0, 0.0, 14.0, 3.0, -1.0];
const NOISE: [f32; 6] = [0.7, -0.2, 1.5, 0.9, -1.1, 2.0];
// PyTorch in f64: the log probability of a `TransformedDistribution` of `Normal` and
// `TanhTransform`.
const ACTIONS: [f32; 6] = [0.619_733, -0.904_852_3, 0.999_989_5, -1.0, -0.999_999_8, 1.0];
const LOG_PROB: [f32; 3] = [0.189_664_11, 43.014_39, 37.511_976];
/// Of Σ w log π + Σ c a with the weights w and c below, by `head`.
const GRADIENT: [f32; 12] = [
    1.855_397,
    -1.447_220_2,
    -0.212_251_38,
    -0.568_200_2, // no step breaks this line
    -3.999_894_7,
    4.0,
    -14.309_262,
    0.0, //
    -0.999_998_1,
    1.0,
    0.0,
    0.235_758_88,
];

fn assert_close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() <= 2e-6 * (1.0 + b.abs()), "{got:?}, expected {expected:?}");
    }
}

#[test]
fn samples_and_their_gradient_agree_with_pytorch() {
    let (mut actions, mut log_prob) = (vec![f32::NAN; 7], vec![f32::NAN; 7]);
    sample(&HEAD, &NOISE, 2, &mut actions, &mut log_prob).unwrap();
    assert_close(&actions, &ACTIONS);
    assert_close(&log_prob, &LOG_PROB);
    let by = (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..], &[1.0, -2.0, 0.5][..]);
    let mut by_head = vec![f32::NAN; 13];
    sample_backward(&HEAD, &NOISE, &actions, by, &mut by_head).unwrap();
    assert_close(&by_head, &GRADIENT);
    for by in [(&by.0[1..], by.1), (by.0, &[1.0; 4][..])] {
        assert!(sample_backward(&HEAD, &NOISE, &actions, by, &mut by_head).is_err());
    }
    assert!(sample(&HEAD[1..], &NOISE, 2, &mut actions, &mut log_prob).is_err());
    assert!(sample(&HEAD, &NOISE, 0, &mut actions, &mut log_prob).is_err());
}

#[test]
fn the_density_integrates_to_one() {
    // ∫ exp(log π(a)) da over (−1, 1), as ∫ exp(log π(tanh u)) (1 − tanh² u) du.
    let head = [0.4, -0.3];
    let (step, mut total) = (1e-3, 0.0);
    for i in -8_000..8_000 {
        let u = i as f32 * step;
        let noise = [(u - 0.4) / (-0.3_f32).exp()];
        let (mut action, mut log_prob) = (Vec::new(), Vec::new());
        sample(&head, &noise, 1, &mut action, &mut log_prob).unwrap();
        total += log_prob[0].exp() * (1.0 - u.tanh().powi(2)) * step;
    }
    assert!((total - 1.0).abs() < 1e-3, "{total}");
}

#[test]
fn far_out_it_stays_finite() {
    for mean in [-1e4, -50.0, 50.0, 1e4] {
        let (mut action, mut log_prob) = (Vec::new(), Vec::new());
        sample(&[mean, 0.0], &[0.5], 1, &mut action, &mut log_prob).unwrap();
        assert!(log_prob[0].is_finite() && action[0].abs() <= 1.0);
    }
}
