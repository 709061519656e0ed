//! Parameter groups: parts of the parameters with their own learning rates, or frozen.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::clip::{clip_norm, clip_values};
use super::{OptimError, check_length, nonnegative};
use crate::nn::Parameters;

/// A part of the flat parameter vector and its settings.
/// [`Parameter::range`](crate::nn::Parameter::range) and [`Parameters::ranges`] return the ranges
/// of layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParamGroup {
    /// The ranges of the part in the flat vector.
    pub ranges: Vec<Range<usize>>,
    /// The factor of the learning rate; ≥ 0.
    pub lr_factor: f64,
    /// The weight decay, ≥ 0; `None`: the optimiser's.
    pub weight_decay: Option<f64>,
    /// Whether the part is frozen: it does not change or decay, the optimiser keeps no state of it,
    /// and its gradients count in no norm. After unfreezing build a new optimiser: Adam counts
    /// steps for all parameters together, so its first steps here would be too long.
    pub frozen: bool,
}

impl Default for ParamGroup {
    fn default() -> Self {
        Self { ranges: Vec::new(), lr_factor: 1.0, weight_decay: None, frozen: false }
    }
}

/// The parameter groups of a network; parameters outside all groups use the optimiser's settings.
///
/// ```
/// use gymnast_core::nn::{MlpConfig, Network as _};
/// use gymnast_core::optim::{OptimizerConfig, ParamGroup, ParamGroups};
/// use rand::SeedableRng;
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let mut network = MlpConfig::default().build(4, 2, &mut rng)?;
/// let parameters = network.parameters_mut();
/// let layers: Vec<_> = parameters.ranges().collect(); // weight, bias, weight, bias, …
/// let groups = ParamGroups::new(parameters, &[
///     ParamGroup { ranges: layers[..2].to_vec(), frozen: true, ..ParamGroup::default() },
///     ParamGroup { ranges: layers[2..4].to_vec(), lr_factor: 0.1, ..ParamGroup::default() },
/// ])?;
/// let mut optimizer = OptimizerConfig::default().build(parameters)?;
/// optimizer.set_groups(groups)?;
///
/// let before = parameters.to_vec();
/// parameters.gradients_mut().fill(1.0);
/// optimizer.descend(parameters, 1e-3, None)?;
/// assert_eq!(parameters.values()[layers[0].clone()], before[layers[0].clone()]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ParamGroups {
    length: usize,
    /// In the order of the flat vector, none of them empty or frozen.
    segments: Vec<Segment>,
}

/// A stretch of the flat vector that one loop steps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub(super) range: Range<usize>,
    pub(super) lr_factor: f64,
    pub(super) weight_decay: Option<f64>,
}

impl ParamGroups {
    /// Puts all parameters in one group.
    pub fn all(parameters: &Parameters) -> Self {
        let length = parameters.len();
        let range = 0..length;
        Self { length, segments: vec![Segment { range, lr_factor: 1.0, weight_decay: None }] }
    }

    /// Creates these groups; the other parameters use the optimiser's settings.
    ///
    /// # Errors
    /// [`OptimError::Setting`]; [`OptimError::Range`] if a range is outside the vector;
    /// [`OptimError::Overlap`].
    pub fn new(parameters: &Parameters, groups: &[ParamGroup]) -> Result<Self, OptimError> {
        let length = parameters.len();
        let mut named = Vec::new();
        for group in groups {
            nonnegative("lr_factor", group.lr_factor)?;
            nonnegative("weight_decay", group.weight_decay.unwrap_or(0.0))?;
            for range in &group.ranges {
                if range.start > range.end || range.end > length {
                    return Err(OptimError::Range { range: range.clone(), length });
                }
                if !range.is_empty() {
                    named.push((range.clone(), group));
                }
            }
        }
        named.sort_by_key(|(range, _)| range.start);
        if let Some([(first, _), (second, _)]) =
            named.array_windows().find(|[(first, _), (second, _)]| second.start < first.end)
        {
            return Err(OptimError::Overlap { first: first.clone(), second: second.clone() });
        }
        let mut result = Self { length, segments: Vec::new() };
        let rest = ParamGroup::default();
        let mut end = 0;
        for (range, group) in named {
            result.push(end..range.start, &rest);
            end = range.end;
            result.push(range, group);
        }
        result.push(end..length, &rest);
        Ok(result)
    }

    /// Adds a stretch, to the last one where the two are alike: few long loops are faster.
    fn push(&mut self, range: Range<usize>, group: &ParamGroup) {
        let &ParamGroup { lr_factor, weight_decay, frozen, .. } = group;
        if range.is_empty() || frozen {
            return;
        }
        match self.segments.last_mut() {
            Some(last)
                if last.range.end == range.start
                    && last.lr_factor == lr_factor
                    && last.weight_decay == weight_decay =>
            {
                last.range.end = range.end;
            }
            _ => self.segments.push(Segment { range, lr_factor, weight_decay }),
        }
    }

    /// Returns the number of parameters, frozen ones included.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the ranges that are not frozen, in the order of the flat vector.
    pub fn trained(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        self.segments.iter().map(|segment| segment.range.clone())
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Clips the gradients that are not frozen; see [`clip_grad_norm`](super::clip_grad_norm).
    ///
    /// # Errors
    /// [`OptimError::Length`] if the groups belong to other parameters; [`OptimError::Setting`]
    /// unless `max_norm` is at least 0.
    pub fn clip_grad_norm(
        &self,
        parameters: &mut Parameters,
        max_norm: f32,
    ) -> Result<f32, OptimError> {
        check_length("groups", parameters.len(), self.length)?;
        clip_norm(parameters.gradients_mut(), self.trained(), max_norm)
    }

    /// Clips the gradients that are not frozen; see [`clip_grad_value`](super::clip_grad_value).
    ///
    /// # Errors
    /// [`OptimError::Length`] if the groups belong to other parameters; [`OptimError::Setting`]
    /// unless `clip_value` is at least 0.
    pub fn clip_grad_value(
        &self,
        parameters: &mut Parameters,
        clip_value: f32,
    ) -> Result<f32, OptimError> {
        check_length("groups", parameters.len(), self.length)?;
        clip_values(parameters.gradients_mut(), self.trained(), clip_value)
    }
}
