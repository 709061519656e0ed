//! Connectionist temporal classification.

use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use super::LossError;
use super::check::{check_device, check_numbers, check_prediction, check_setting, check_shape};

/// The settings of [`ctc`], with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CtcConfig {
    /// The class of the blank symbol.
    pub blank: usize,
    /// Whether a sequence too short for its target has the loss 0 and no gradient. Otherwise it is
    /// an error, because its loss would be infinite.
    pub zero_infinity: bool,
}

/// Computes the CTC loss: −ln of the probability that the inputs spell the target, with blanks and
/// repetitions between its labels. Like PyTorch's `ctc_loss`, it divides each sequence's loss by
/// the length of its target (at least 1) and averages over the batch.
///
/// `log_probability` is `[T, B, C]`, logarithms of probabilities (from `log_softmax`, not scores).
/// `target` is `[B, S]` of kind `Int64`; the first `target_lengths[b]` labels of row b count. Of
/// the T inputs of row b the first `input_lengths[b]` count. A target needs one input for each
/// label and one more between two equal labels.
///
/// Source: Graves et al., "Connectionist temporal classification" (2006).
///
/// # Errors
/// [`LossError`]: shapes or kinds that do not match, labels that are not classes or equal the
/// blank, lengths beyond the tensors, an input too short for its target unless
/// [`zero_infinity`](CtcConfig::zero_infinity).
pub fn ctc(
    log_probability: &Tensor,
    target: &Tensor,
    input_lengths: &[usize],
    target_lengths: &[usize],
    config: &CtcConfig,
) -> Result<Tensor, LossError> {
    check_prediction(log_probability, "[T, B, C]", |size| size.len() == 3)?;
    let size = log_probability.size();
    let (inputs, rows, classes) = (size[0] as usize, size[1] as usize, size[2]);
    if target.kind() != Kind::Int64 {
        let what = "the target";
        return Err(LossError::Kind { what, expected: "Int64, labels", got: target.kind() });
    }
    let labels = target.size().last().copied().unwrap_or(0);
    check_shape("the target", target, &[rows as i64, labels])?;
    check_device("the target", target, log_probability)?;
    let blank = config.blank as i64;
    let is_class = (0..classes).contains(&blank);
    check_setting("blank", config.blank as f64, "one of the classes", is_class)?;
    for (what, lengths, most) in
        [("input", input_lengths, inputs), ("target", target_lengths, labels as usize)]
    {
        check_lengths(what, lengths, rows, most)?;
    }
    let numbers = Vec::<i64>::try_from(&target.flatten(0, -1)).expect("whole numbers, as checked");
    for (row, (&input, &length)) in input_lengths.iter().zip(target_lengths).enumerate() {
        let spelled = &numbers[row * labels as usize..][..length];
        if let Some(&got) = spelled.iter().find(|label| !(0..classes).contains(label)) {
            return Err(LossError::Label { got, classes });
        }
        if spelled.contains(&blank) {
            let (what, got) = ("the target", blank as f64);
            return Err(LossError::Number { what, allowed: "other than the blank", got });
        }
        let needed = length + spelled.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if input < needed && !config.zero_infinity {
            let allowed = format!("at least {needed}, the inputs its target needs");
            return Err(LossError::SequenceLength { what: "input", row, allowed, got: input });
        }
    }
    let signed = |lengths: &[usize]| lengths.iter().map(|&n| n as i64).collect::<Vec<_>>();
    Ok(Tensor::ctc_loss(
        log_probability,
        target,
        signed(input_lengths).as_slice(),
        signed(target_lengths).as_slice(),
        blank,
        Reduction::Mean,
        config.zero_infinity,
    ))
}

/// Decodes a network's outputs: the best class of every input, without repetitions and blanks.
/// Returns each row's labels.
///
/// `scores` is `[T, B, C]`, of any scale: only their order counts. Of the T inputs of row b the
/// first `input_lengths[b]` are read. It finds the likeliest path, not the likeliest labels, which
/// several paths can spell: Graves et al. (2006), section 3.2, "best path decoding".
///
/// # Errors
/// [`LossError`]: another shape or kind, NaN scores, a blank that is not a class, lengths beyond T.
pub fn ctc_greedy_decode(
    scores: &Tensor,
    input_lengths: &[usize],
    blank: usize,
) -> Result<Vec<Vec<usize>>, LossError> {
    check_prediction(scores, "[T, B, C]", |size| size.len() == 3)?;
    let size = scores.size();
    let (inputs, rows, classes) = (size[0] as usize, size[1] as usize, size[2] as usize);
    check_setting("blank", blank as f64, "one of the classes", blank < classes)?;
    check_lengths("input", input_lengths, rows, inputs)?;
    check_numbers("the prediction", scores, "other than NaN", |scores| {
        scores.isnan().logical_not()
    })?;
    let best = scores.argmax(2, false).tr().flatten(0, -1); // [B · T]
    let best = Vec::<i64>::try_from(&best).expect("whole numbers");
    let spell = |(path, &length): (&[i64], &usize)| {
        let mut labels: Vec<usize> = path[..length].iter().map(|&class| class as usize).collect();
        labels.dedup();
        labels.retain(|&class| class != blank);
        labels
    };
    Ok(best.chunks_exact(inputs).zip(input_lengths).map(spell).collect())
}

fn check_lengths(
    what: &'static str,
    lengths: &[usize],
    rows: usize,
    most: usize,
) -> Result<(), LossError> {
    if lengths.len() != rows {
        let what = if what == "input" { "input_lengths" } else { "target_lengths" };
        let got = vec![lengths.len() as i64];
        return Err(LossError::Shape { what, expected: format!("[{rows}]"), got });
    }
    match lengths.iter().position(|&length| length > most) {
        None => Ok(()),
        Some(row) => {
            let allowed = format!("at most {most}");
            Err(LossError::SequenceLength { what, row, allowed, got: lengths[row] })
        }
    }
}
