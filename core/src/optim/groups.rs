//! Parts of the parameters that learn at rates of their own, or not at all.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::clip::{clip_norm, clip_values};
use super::{OptimError, check_length, nonnegative};
use crate::nn::Parameters;

/// A part of the flat vector and how it learns. Where a layer lies there, its
/// [`Parameter::range`](crate::nn::Parameter::range) says, or [`Parameters::ranges`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParamGroup {
    /// Where it lies.
    pub ranges: Vec<Range<usize>>,
    /// By which factor its learning rate counts; ≥ 0.
    pub lr_factor: f64,
    /// Its weight decay, ≥ 0; `None`: the optimiser's.
    pub weight_decay: Option<f64>,
    /// Whether it stays as it is, to the last bit: nothing changes it, it does not decay, the optimiser
    /// remembers nothing of it and its gradients count in no norm. What thaws late wants an optimiser
    /// built anew: Adam counts steps for all alike, so its first ones here would be too long.
    pub frozen: bool,
}

impl Default for ParamGroup {
    fn default() -> Self {
        Self { ranges: Vec::new(), lr_factor: 1.0, weight_decay: None, frozen: false }
    }
}

/// How all parts of the parameters learn: groups, and all that is in none of them as the optimiser is
/// set.
///
/// ```
/// use gymnast_core::nn::{Mlp, MlpConfig, Network as _};
/// use gymnast_core::optim::{OptimizerConfig, ParamGroup, ParamGroups};
/// use rand::SeedableRng;
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let mut network = Mlp::new(&MlpConfig::default(), 4, 2, &mut rng)?;
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
    /// All parameters in one group.
    pub fn all(parameters: &Parameters) -> Self {
        let length = parameters.len();
        let range = 0..length;
        Self { length, segments: vec![Segment { range, lr_factor: 1.0, weight_decay: None }] }
    }

    /// These groups, and what is left as the optimiser is set.
    ///
    /// # Errors
    /// [`OptimError::Setting`]; [`OptimError::Range`] where a range is no part of the vector;
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

    /// How many parameters there are, frozen ones too.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is not one.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What is not frozen, in the order of the flat vector.
    pub fn trained(&self) -> impl Iterator<Item = Range<usize>> + Clone {
        self.segments.iter().map(|segment| segment.range.clone())
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The same as [`clip_grad_norm`](super::clip_grad_norm) of what is not frozen.
    ///
    /// # Errors
    /// [`OptimError::Length`] where these are groups of other parameters; [`OptimError::Setting`]
    /// unless `max_norm` is at least 0.
    pub fn clip_grad_norm(
        &self,
        parameters: &mut Parameters,
        max_norm: f32,
    ) -> Result<f32, OptimError> {
        check_length("groups", parameters.len(), self.length)?;
        clip_norm(parameters.gradients_mut(), self.trained(), max_norm)
    }

    /// The same as [`clip_grad_value`](super::clip_grad_value) of what is not frozen.
    ///
    /// # Errors
    /// [`OptimError::Length`] where these are groups of other parameters; [`OptimError::Setting`]
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
