use gymnast_envs::Seed;
use serde::Deserialize;

use super::*;

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape(-1)).unwrap()
}

fn assert_close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 2e-5 * (1.0 + expected.abs()), "{i}: {got} {expected}");
    }
}

#[test]
fn losses_agree_with_values_worked_by_hand() {
    // (3 − 1)² / 4 + ln 4, and (0 − 0.5)² / 1 + 0.
    let (mean, log_var) = (Tensor::from_slice(&[1.0_f32, 0.5]), [4.0_f32.ln(), 0.0]);
    let log_var = Tensor::from_slice(&log_var);
    let nll = gaussian_nll(&mean, &log_var, &Tensor::from_slice(&[3.0_f32, 0.0]));
    assert_close(&numbers(&nll), &[1.0 + 4.0_f32.ln(), 0.25]);
    // −ln ½ for a coin, −ln σ(2) where it was likely, −ln(1 − σ(2)) where it was not.
    let (logit, end) = (Tensor::from_slice(&[0.0_f32, 2.0, 2.0]), [1.0_f32, 1.0, 0.0]);
    let nll = bernoulli_nll(&logit, &Tensor::from_slice(&end));
    assert_close(&numbers(&nll), &[2.0_f32.ln(), 0.126_928, 2.126_928]);
}

#[test]
fn bounds_are_soft() {
    let bound = |x: f32| {
        let raw = Tensor::from_slice(&[x]).set_requires_grad(true);
        let (min, max) = (Tensor::from_slice(&[-2.0_f32]), Tensor::from_slice(&[1.0_f32]));
        let bounded = soft_bounds(&raw, &min, &max);
        bounded.backward();
        (numbers(&bounded)[0], numbers(&raw.grad())[0])
    };
    // 1 − ln(1 + e¹) = −0.313262, then −2 + ln(1 + e^(2 − 0.313262)).
    let (middle, slope) = bound(0.0);
    assert!((middle - (-2.0 + (1.0 + 1.686_738_f32.exp()).ln())).abs() < 1e-5);
    assert!(slope > 0.5);
    for (x, end) in [(-8.0, -2.0), (8.0, 1.0)] {
        let (bounded, slope) = bound(x);
        assert!((bounded - end).abs() < 0.06 && slope > 0.0, "{x}: {bounded}, {slope}");
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
    let input = Tensor::from_slice(&reference.input).view([2, 4, 3]);
    let said = ensemble.forward(&input);
    let heads = Tensor::cat(&[said.mean, said.log_var, said.end.unsqueeze(-1)], -1);
    assert_close(&numbers(&heads), &reference.heads);
    let target = Tensor::from_slice(&reference.target).view([2, 4, 2]);
    let end = Tensor::from_slice(&reference.end).view([2, 4]);
    let descent = Descent { rate: 0.0, env_steps: 7 };
    let nll = ensemble.update(&input, &target, Some(&end), descent).unwrap();
    assert!((nll - reference.nll).abs() < 1e-5 * reference.nll.abs());
    assert_close(ensemble.parameters().gradients(), &reference.gradients);
    let lost = &target * f64::NAN;
    let error = ensemble.update(&input, &lost, Some(&end), descent).err();
    assert!(matches!(error, Some(AgentError::Diverged { env_steps: 7, .. })), "{error:?}");
    // A member asked alone says what it says among the others.
    for member in 0..2 {
        let said = ensemble.forward_member(member, &input.narrow(0, member as i64, 1));
        let heads = Tensor::cat(&[said.mean, said.log_var, said.end.unsqueeze(-1)], -1);
        assert_close(&numbers(&heads), &reference.heads[member * 20..][..20]);
    }
}

#[test]
fn a_member_is_copied_alone() {
    let shape = Shape { members: 3, inputs: 2, hidden: &[4, 4], targets: 2 };
    let rng = &mut Seed::new(0).rng();
    let mut ensemble = Ensemble::new(&shape, Activation::Silu, 0.0, rng).unwrap();
    let input = Tensor::from_slice(&[0.5_f32, -1.0]).view([1, 1, 2]).expand([3, 1, 2], false);
    let means = |ensemble: &Ensemble| numbers(&ensemble.forward(&input).mean);
    let before = means(&ensemble);
    let mut mixed = vec![0.0; ensemble.parameters().len()];
    ensemble.copy_member(1, ensemble.parameters().values(), &mut mixed);
    ensemble.load_parameters(&mixed).unwrap();
    let after = means(&ensemble);
    assert_eq!(after[2..4], before[2..4]);
    assert_eq!((&after[..2], &after[4..]), (&[0.0; 2][..], &[0.0; 2][..]));
}
