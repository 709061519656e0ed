//! Knowledge distillation: a small network learns from a large one's outputs.

use tch::{Kind, Tensor};

use crate::data::Batch;
use crate::loss::check::check_setting;
use crate::loss::{Loss, LossError};
use crate::nn::{Network, described_with_numbers};
use crate::supervised::{FitError, Objective};

/// Computes `T² · mean KL(softmax(teacher / T) ‖ softmax(student / T))`, the distance of the
/// student's softened outputs from the teacher's (Hinton, Vinyals and Dean 2015,
/// <https://arxiv.org/abs/1503.02531>). The factor T² compensates for gradients that shrink as
/// 1/T², so the temperature can change alone.
///
/// Both are logits, `[B, C]`; the result is `[]`. The teacher should not require gradients.
///
/// # Errors
/// [`LossError::Setting`] unless the temperature is positive; [`LossError::Shape`] or
/// [`LossError::Kind`] unless both are floating-point tensors of the same shape.
pub fn distillation_loss(
    student: &Tensor,
    teacher: &Tensor,
    temperature: f64,
) -> Result<Tensor, LossError> {
    check_setting("temperature", temperature, "positive", is_positive(temperature))?;
    for (what, tensor) in [("the student's answer", student), ("the teacher's answer", teacher)] {
        if !matches!(tensor.kind(), Kind::Float | Kind::Double) || tensor.kind() != student.kind() {
            let expected = "Float or Double, both the same";
            return Err(LossError::Kind { what, expected, got: tensor.kind() });
        }
        let got = tensor.size();
        if got.len() != 2 || got.contains(&0) || got != student.size() {
            let expected = "[B, C], both the same, neither of them 0".to_owned();
            return Err(LossError::Shape { what, expected, got });
        }
    }
    let kind = student.kind();
    let log_student = (student / temperature).log_softmax(1, kind); // [B, C]
    let log_teacher = (teacher / temperature).log_softmax(1, kind);
    let divergence = log_teacher.exp() * (&log_teacher - log_student);
    Ok(divergence.sum_dim_intlist(1, false, kind).mean(kind) * (temperature * temperature))
}

/// The objective of a student: `α · `[`distillation_loss`]` + (1 − α) · cross-entropy` with the
/// classes of the data; the second term only if α < 1.
///
/// With α = 1 the classes are ignored: any rows that the teacher can process will do.
///
/// ```
/// use gymnast_core::compression::Distillation;
/// use gymnast_core::nn::MlpConfig;
/// use gymnast_core::supervised::{Dataset, FitConfig, fit};
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
///
/// let mut rng = ChaCha8Rng::seed_from_u64(0);
/// let teacher = MlpConfig::default().build(2, 3, &mut rng)?; // … trained
/// let small = MlpConfig { hidden: vec![4], ..MlpConfig::default() };
/// let mut student = small.build(2, 3, &mut rng)?;
/// let rows: Vec<f32> = (0..200).map(|i| (i as f32).sin()).collect();
/// let rows = Dataset::new(rows, 2, vec![0.0; 100], 1)?;
/// let objective = Distillation { teacher: &teacher, temperature: 2.0, alpha: 1.0 };
/// let config = FitConfig { epochs: 30, ..FitConfig::adam(1e-2) };
/// let none = Dataset::new(vec![], 2, vec![], 1)?;
/// let history = fit(&mut student, &rows, &none, &config, rng, &objective)?;
/// assert!(history.best().expect("30 epochs").loss() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Distillation<'a, T: ?Sized> {
    /// The large network, asked in evaluation mode.
    pub teacher: &'a T,
    /// The temperature that softens the outputs; > 0.
    pub temperature: f64,
    /// The weight of the teacher's outputs against the true classes; in [0, 1].
    pub alpha: f64,
}

impl<N: Network, T: Network + ?Sized> Objective<N> for Distillation<'_, T> {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let &Self { teacher, temperature, alpha } = self;
        check_setting("alpha", alpha, "in [0, 1]", (0.0..=1.0).contains(&alpha))?;
        let inputs = batch.inputs();
        teacher.check_input(&inputs)?;
        let (student, teacher) = (network.try_forward(&inputs)?, teacher.predict(&inputs));
        let soft = distillation_loss(&student, &teacher, temperature)?;
        if alpha == 1.0 {
            return Ok(soft);
        }
        let hard = Loss::cross_entropy().compute(&student, &batch.classes()?)?;
        Ok(soft * alpha + hard * (1.0 - alpha))
    }

    crate::mean_over_rows!();

    fn description(&self) -> Option<String> {
        let Self { teacher, temperature, alpha } = self;
        let teacher = described_with_numbers(*teacher);
        Some(format!("Distillation {temperature} {alpha} by {teacher}"))
    }
}

fn is_positive(temperature: f64) -> bool {
    temperature > 0.0 && temperature.is_finite()
}
