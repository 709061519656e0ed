//! Pruning masks.

use super::{CompressionError, check_amount, check_finite};
use crate::nn::{NamedParameter, Parameters};
use crate::optim::ParamGroup;
use crate::require;
use crate::rounding;

/// The weights of a network that are kept; the others are zero.
///
/// Weights are chosen by magnitude, with the names and meanings of `torch.nn.utils.prune`: an
/// amount is the fraction of the weights kept so far to prune, rounded as in Python; of equals the
/// first are pruned. Nothing in a network changes until [`apply`](Self::apply). A training with
/// [`param_group`](Self::param_group) keeps the zeros: no gradient, momentum or weight decay
/// changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    kept: Vec<bool>,
    prunable: Vec<NamedParameter>,
}

impl Mask {
    /// Creates a mask that keeps all weights. Prunable are the parameters with at least two
    /// dimensions whose names are `chosen`; never biases or the factors of normalisations.
    pub fn new(parameters: &Parameters, chosen: impl Fn(&str) -> bool) -> Self {
        let prunable = parameters.named().into_iter();
        let prunable = prunable.filter(|one| one.shape.len() >= 2 && chosen(&one.name)).collect();
        Self { kept: vec![true; parameters.len()], prunable }
    }

    /// Returns whether each parameter is kept, in the order of the flat vector.
    pub fn kept(&self) -> &[bool] {
        &self.kept
    }

    /// Returns the fraction of the prunable weights that is kept; `None` if no weights are
    /// prunable.
    pub fn density(&self) -> Option<f64> {
        let all: usize = self.prunable.iter().map(|one| one.range.len()).sum();
        let kept: usize = self.prunable.iter().map(|one| self.count(one)).sum();
        (all > 0).then(|| kept as f64 / all as f64)
    }

    fn count(&self, one: &NamedParameter) -> usize {
        self.kept[one.range.clone()].iter().filter(|&&kept| kept).count()
    }

    /// Returns the bytes needed to store the kept parameters and their positions: four bytes for
    /// each `f32`, and for each partly pruned tensor the smaller of one bit per weight and one
    /// index per kept weight. An index takes one byte for up to 2⁸ weights, two for up to 2¹⁶, else
    /// four.
    pub fn bytes(&self) -> usize {
        let numbers = self.kept.iter().filter(|&&kept| kept).count();
        let places = self.prunable.iter().map(|one| {
            let (all, kept) = (one.range.len(), self.count(one));
            let index = if all <= 1 << 8 {
                1
            } else if all <= 1 << 16 {
                2
            } else {
                4
            };
            if kept == all { 0 } else { all.div_ceil(8).min(index * kept) }
        });
        4 * numbers + places.sum::<usize>()
    }

    /// Prunes the smallest weights of each layer.
    ///
    /// # Errors
    /// [`CompressionError::Setting`] unless `amount` lies in [0, 1]; [`CompressionError::Mask`];
    /// [`CompressionError::NotFinite`].
    pub fn l1_unstructured(
        &mut self,
        parameters: &Parameters,
        amount: f64,
    ) -> Result<(), CompressionError> {
        let layers = self.prunable.iter().map(|one| one.range.clone().collect()).collect();
        self.smallest_of_each(parameters, amount, layers)
    }

    /// Prunes the smallest weights of all layers together; some layers lose more than others.
    ///
    /// # Errors
    /// As [`l1_unstructured`](Self::l1_unstructured).
    pub fn global_unstructured(
        &mut self,
        parameters: &Parameters,
        amount: f64,
    ) -> Result<(), CompressionError> {
        let all = self.prunable.iter().flat_map(|one| one.range.clone()).collect();
        self.smallest_of_each(parameters, amount, vec![all])
    }

    fn smallest_of_each(
        &mut self,
        parameters: &Parameters,
        amount: f64,
        groups: Vec<Vec<usize>>,
    ) -> Result<(), CompressionError> {
        self.check(parameters, amount)?;
        let values = parameters.values();
        for mut places in groups {
            places.retain(|&place| self.kept[place]);
            let goes = share(amount, places.len());
            places.sort_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs()));
            places[..goes].iter().for_each(|&place| self.kept[place] = false);
        }
        Ok(())
    }

    /// Prunes the incoming weights of whole units (a layer's outputs or a convolution's channels)
    /// with the smallest Lₙ norm. `name` is the name of the weights, such as `encoder.0.weight`.
    /// The units remain, with their biases; [`prune_units`](super::prune_units) removes units.
    ///
    /// # Errors
    /// As [`l1_unstructured`](Self::l1_unstructured); [`CompressionError::UnknownName`];
    /// [`CompressionError::Setting`] unless `n` is positive, or if the norms overflow or vanish.
    pub fn ln_structured(
        &mut self,
        parameters: &Parameters,
        name: &str,
        amount: f64,
        n: f64,
    ) -> Result<(), CompressionError> {
        self.check(parameters, amount)?;
        require(n > 0.0, "n", n, "positive")?;
        let weights = self.prunable.iter().find(|one| one.name == name);
        let weights = weights.ok_or_else(|| CompressionError::UnknownName {
            name: name.to_owned(),
            known: self.prunable.iter().map(|one| one.name.clone()).collect(),
        })?;
        // Of each unit what is kept: what is pruned counts as zero, though it may not be so yet.
        let mut units = units(weights);
        units.iter_mut().for_each(|unit| unit.retain(|&place| self.kept[place]));
        units.retain(|unit| !unit.is_empty());
        let norms = norms(&units, parameters.values(), n)?;
        let mut order: Vec<usize> = (0..units.len()).collect();
        let goes = share(amount, order.len());
        order.sort_by(|&a, &b| norms[a].total_cmp(&norms[b]));
        for &unit in &order[..goes] {
            units[unit].iter().for_each(|&place| self.kept[place] = false);
        }
        Ok(())
    }

    fn check(&self, parameters: &Parameters, amount: f64) -> Result<(), CompressionError> {
        check_amount(amount)?;
        self.check_parameters(parameters)?;
        check_finite("the weights", parameters.values())
    }

    fn check_parameters(&self, parameters: &Parameters) -> Result<(), CompressionError> {
        let (expected, got) = (self.kept.len(), parameters.len());
        if expected == got { Ok(()) } else { Err(CompressionError::Mask { expected, got }) }
    }

    /// Sets the pruned weights to zero.
    ///
    /// # Errors
    /// [`CompressionError::Mask`] if the parameters belong to another network.
    pub fn apply(&self, parameters: &mut Parameters) -> Result<(), CompressionError> {
        self.check_parameters(parameters)?;
        let values = parameters.values_mut().iter_mut().zip(&self.kept);
        values.filter(|(_, kept)| !**kept).for_each(|(value, _)| *value = 0.0);
        Ok(())
    }

    /// Returns the pruned weights as a frozen group, for
    /// [`FitConfig::param_groups`](crate::supervised::FitConfig::param_groups).
    pub fn param_group(&self) -> ParamGroup {
        let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
        for (place, _) in self.kept.iter().enumerate().filter(|(_, kept)| !**kept) {
            match ranges.last_mut() {
                Some(last) if last.end == place => last.end += 1,
                _ => ranges.push(place..place + 1),
            }
        }
        ParamGroup { ranges, frozen: true, ..ParamGroup::default() }
    }
}

/// How many of `count` an amount is, rounded as Python rounds.
pub(super) fn share(amount: f64, count: usize) -> usize {
    rounding::round_ties_even(amount * count as f64)
}

/// The places of the weights into each unit: the columns of a layer's `[inputs, outputs]`, the filters
/// of a convolution's `[C', C, kernel, kernel]`.
pub(super) fn units(weights: &NamedParameter) -> Vec<Vec<usize>> {
    let range = &weights.range;
    match *weights.shape.as_slice() {
        [_, outputs] => (0..outputs)
            .map(|unit| (range.start + unit..range.end).step_by(outputs).collect())
            .collect(),
        ref shape => {
            let filter = range.len() / shape[0];
            let starts = (0..shape[0]).map(|unit| range.start + unit * filter);
            starts.map(|start| (start..start + filter).collect()).collect()
        }
    }
}

/// The Lₙ norm of the weights into each unit; an error where `n` is so small or large that they tell
/// nothing of the weights.
pub(super) fn norms(
    units: &[Vec<usize>],
    values: &[f32],
    n: f64,
) -> Result<Vec<f64>, CompressionError> {
    let norm = |places: &Vec<usize>| {
        let magnitudes = || places.iter().map(|&place| f64::from(values[place]).abs());
        let largest = magnitudes().fold(0.0, f64::max);
        if n.is_infinite() {
            return Ok(largest);
        }
        let norm = magnitudes().map(|x| x.powf(n)).sum::<f64>().powf(1.0 / n);
        let fits = norm.is_finite() && (norm > 0.0) == (largest > 0.0);
        let allowed =
            "such that the norms of the weights neither overflow nor vanish (for example 1 or 2)";
        require(fits, "n", n, allowed)?;
        Ok(norm)
    };
    units.iter().map(norm).collect()
}
