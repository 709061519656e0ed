use gymnast_envs::Seed;
use serde::Deserialize;

use super::*;

fn assert_close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 2e-5 * (1.0 + expected.abs()), "{i}: {got} {expected}");
    }
}

#[test]
fn losses_agree_with_values_worked_by_hand() {
    // (3 − 1)² / 4 + ln 4, and (0 − 0.5)² / 1 + 0.
    let nll = [gaussian_nll(1.0, 4.0_f32.ln(), 3.0), gaussian_nll(0.5, 0.0, 0.0)];
    assert_close(&nll.map(|(loss, _)| loss), &[1.0 + 4.0_f32.ln(), 0.25]);
    // −ln ½ for a coin, −ln σ(2) where it was likely, −ln(1 − σ(2)) where it was not.
    let nll = [(0.0, 1.0), (2.0, 1.0), (2.0, 0.0)].map(|(logit, end)| bernoulli_nll(logit, end).0);
    assert_close(&nll, &[2.0_f32.ln(), 0.126_928, 2.126_928]);
}

#[test]
fn bounds_are_soft() {
    let bend = |x| {
        let mut bounded = Bounded::default();
        bounded.bend(&[9.0, x, 9.0], &[-2.0], &[1.0]);
        (bounded.value[0], bounded.slopes(0)[0])
    };
    // 1 − ln(1 + e¹) = −0.313262, then −2 + ln(1 + e^(2 − 0.313262)).
    let (middle, by_x) = bend(0.0);
    assert!((middle - (-2.0 + (1.0 + 1.686_738_f32.exp()).ln())).abs() < 1e-5);
    assert!(by_x > 0.5);
    for (x, end) in [(-8.0, -2.0), (8.0, 1.0)] {
        let (value, by_x) = bend(x);
        assert!((value - end).abs() < 0.06 && by_x > 0.0, "{x}: {value}, {by_x}");
    }
}

#[derive(Deserialize)]
struct Reference {
    parameters: Vec<f32>,
    gradients: Vec<f32>,
    input: Vec<f32>,
    target: Vec<f32>,
    end: Vec<f32>,
    nll: f64,
    heads: Vec<f32>,
}

#[test]
fn loss_and_gradients_agree_with_pytorch() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../../../tests/reference/ensemble.json")).unwrap();
    let shape = Shape { members: 2, inputs: 3, hidden: &[5], targets: 2 };
    let rng = &mut Seed::new(0).rng();
    let mut ensemble = Ensemble::new(&shape, Activation::Silu, 0.01, rng).unwrap();
    ensemble.load_parameters(&reference.parameters).unwrap();
    let Reference { input, target, end, .. } = &reference;
    let (scratch, mut rows) = (&mut Scratch::default(), vec![]);
    for member in 0..2 {
        let input = &input[member * 12..][..12];
        ensemble.predict(member, input, 4, scratch, &mut rows).unwrap();
        ensemble.bend(member, &mut rows, &mut Bounded::default());
        assert_close(&rows, &reference.heads[member * 20..][..20]);
    }
    let descent = Descent { rate: 0.0, env_steps: 7 };
    let nll = ensemble.update(input, target, Some(end), descent).unwrap();
    assert!((nll - reference.nll).abs() < 1e-5 * reference.nll.abs());
    assert_close(ensemble.parameters().gradients(), &reference.gradients);
    let lost = vec![f32::NAN; target.len()];
    let error = ensemble.update(input, &lost, Some(end), descent).err();
    assert!(matches!(error, Some(AgentError::Diverged { env_steps: 7, .. })), "{error:?}");
}

#[test]
fn a_member_is_copied_alone() {
    let shape = Shape { members: 3, inputs: 2, hidden: &[4, 4], targets: 2 };
    let rng = &mut Seed::new(0).rng();
    let mut ensemble = Ensemble::new(&shape, Activation::Silu, 0.0, rng).unwrap();
    let means = |ensemble: &Ensemble| -> Vec<f32> {
        let (scratch, mut row) = (&mut Scratch::default(), vec![]);
        let members = (0..3).flat_map(|member| {
            ensemble.predict(member, &[0.5, -1.0], 1, scratch, &mut row).unwrap();
            row[..2].to_vec()
        });
        members.collect()
    };
    let before = means(&ensemble);
    let mut mixed = vec![0.0; ensemble.parameters().len()];
    ensemble.copy_member(1, ensemble.parameters().values(), &mut mixed);
    ensemble.load_parameters(&mixed).unwrap();
    let after = means(&ensemble);
    assert_eq!(after[2..4], before[2..4]);
    assert_eq!((&after[..2], &after[4..]), (&[0.0; 2][..], &[0.0; 2][..]));
}
