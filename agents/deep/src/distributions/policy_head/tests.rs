use gymnast_envs::{BoxSpace, Discrete, Seed};

use super::*;

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape(-1)).unwrap()
}

fn close(got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((f64::from(*got) - expected).abs() < 1e-5, "{got} {expected}");
    }
}

/// Compares the plain log-probabilities, entropy and gradients with libtorch's.
pub(super) fn assert_agrees(head: &impl PolicyHead, rows: Rows<'_>) {
    let batch = rows.outputs.len() / head.outputs();
    let leaf = |numbers: &[f32], shape: [i64; 2]| {
        Tensor::from_slice(numbers).view(shape).set_requires_grad(true)
    };
    let outputs = leaf(rows.outputs, [batch as i64, -1]);
    let shared = Tensor::from_slice(rows.shared).set_requires_grad(true);
    let (log_prob, entropy) = head.log_prob_and_entropy(&outputs, &shared, rows.actions);
    let by_log_prob: Vec<f32> = (0..batch).map(|i| 0.3 * i as f32 - 0.4).collect();
    let loss = (&log_prob * Tensor::from_slice(&by_log_prob)).sum(Kind::Float);
    (loss + &entropy * 0.7).backward();

    let mut ours = vec![f32::NAN; batch];
    let our_entropy = head.evaluate(rows, &mut ours);
    let expected: Vec<f64> = numbers(&log_prob).into_iter().map(f64::from).collect();
    close(&ours, &expected);
    close(&[our_entropy as f32], &[entropy.double_value(&[])]);
    let mut by_outputs = vec![f32::NAN; rows.outputs.len()];
    let mut by_shared = vec![10.0; rows.shared.len()];
    head.backward(rows, &by_log_prob, 0.7, &mut by_outputs, &mut by_shared);
    let expected: Vec<f64> = numbers(&outputs.grad()).into_iter().map(f64::from).collect();
    close(&by_outputs, &expected);
    if !by_shared.is_empty() {
        let expected = numbers(&shared.grad()).into_iter().map(|g| 10.0 + f64::from(g));
        close(&by_shared, &expected.collect::<Vec<f64>>());
    }
}

#[test]
fn plain_gradients_agree_with_libtorch() {
    let head = Categorical::new(Discrete::new(3));
    // Rows of which one overflows without its maximum taken away, and one forbids an action.
    let outputs = [0.1, -2.0, 1.5, 500.0, 0.0, 499.0, 0.3, -1e9, 0.2, 1.0, 1.0, 1.0];
    let actions = [1.0, 2.0, 0.0, 1.0];
    assert_agrees(&head, Rows { outputs: &outputs, shared: &[], actions: &actions });

    let head = DiagonalGaussian::new(BoxSpace::symmetric([1.0, 2.0]));
    let outputs = [0.0, 1.0, -0.5, 0.25, 3.0, 2.0];
    let actions = [2.0, 4.0, 0.0, 0.0, 2.5, 2.0];
    let shared = [0.5, -0.5];
    assert_agrees(&head, Rows { outputs: &outputs, shared: &shared, actions: &actions });
}

#[test]
fn a_categorical_by_hand() {
    let head = Categorical::new(Discrete::with_start(3, 5).unwrap());
    // Weights 1, 2, 5 of 8; and a row that overflows without its maximum taken away.
    let logits = [0.0, 2_f32.ln(), 5_f32.ln(), 500.0, 0.0, 500.0];
    let tensor = Tensor::from_slice(&logits).view([2, 3]);
    let none = Tensor::zeros([0], tch::kind::FLOAT_CPU);
    let (log_prob, entropy) = head.log_prob_and_entropy(&tensor, &none, &[1.0, 2.0]);
    close(&numbers(&log_prob), &[0.25_f64.ln(), 0.5_f64.ln()]);
    let first = 8_f64.ln() - (2.0 * 2_f64.ln() + 5.0 * 5_f64.ln()) / 8.0;
    close(&numbers(&entropy), &[(first + 2_f64.ln()) / 2.0]);

    let mut action = [f32::NAN];
    head.mode(&logits[..3], &mut action);
    assert_eq!((action, head.element(&action)), ([2.0], 7));
    head.write(&6, &mut action);
    assert_eq!(action, [1.0]);

    let (mut counts, mut rng) = ([0; 3], Seed::new(1).rng());
    for _ in 0..8_000 {
        head.sample(&logits[..3], &[], &mut rng, &mut action);
        counts[action[0] as usize] += 1;
    }
    for (count, expected) in counts.into_iter().zip([1_000_i32, 2_000, 5_000]) {
        assert!((count - expected).abs() < 150, "{counts:?}");
    }
}

#[test]
fn a_gaussian_by_hand() {
    let head = DiagonalGaussian::new(BoxSpace::symmetric([1.0, 2.0]));
    let mean = Tensor::from_slice(&[0.0_f32, 1.0]).view([1, 2]);
    let log_std = Tensor::from_slice(&[0.0, 2_f32.ln()]);
    // z = 2 and (4 − 1) / 2.
    let (log_prob, entropy) = head.log_prob_and_entropy(&mean, &log_std, &[2.0, 4.0]);
    let expected = -0.5 * (4.0 + 2.25) - 2_f64.ln() - TAU.ln();
    close(&numbers(&log_prob), &[expected]);
    close(&numbers(&entropy), &[2_f64.ln() + (TAU * E).ln()]);

    let mut action = [f32::NAN; 2];
    head.mode(&[3.0, 1.0], &mut action);
    // Kept as it is, clipped for the environment.
    assert_eq!((action, head.element(&action)), ([3.0, 1.0], [1.0, 1.0]));

    let mut rng = Seed::new(1).rng();
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..4_000 {
        head.sample(&[0.0, 1.0], &[0.0, 2_f32.ln()], &mut rng, &mut action);
        sum += action[1] - 1.0;
        squares += (action[1] - 1.0).powi(2);
    }
    assert!((sum / 4_000.0).abs() < 0.1 && (squares / 4_000.0 - 4.0).abs() < 0.3);
}
