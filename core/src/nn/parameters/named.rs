//! Names, shapes and ranges of a network's parameters.

use std::ops::Range;

use super::Parameters;
use crate::nn::{NetworkError, check_length};

/// One tensor of a network: its name, its shape and its range in the flat vector. Use it to freeze,
/// load or count groups of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedParameter {
    /// The names of the layer and the tensor, such as `encoder.0.weight`. Unique in a network.
    pub name: String,
    /// The tensor's shape.
    pub shape: Vec<usize>,
    /// The range of its numbers in the flat vector.
    pub range: Range<usize>,
}

impl Parameters {
    /// Returns the tensors by name, in the order of the flat vector.
    pub fn named(&self) -> Vec<NamedParameter> {
        let mut end = 0;
        let named = self.names.iter().zip(&self.shapes).map(|(name, shape)| {
            let start = end;
            end += shape.iter().product::<usize>();
            NamedParameter { name: name.clone(), shape: shape.clone(), range: start..end }
        });
        named.collect()
    }

    /// Returns the range of the tensor with this name.
    ///
    /// # Errors
    /// [`NetworkError::UnknownParameter`] if there is none.
    pub fn range_of(&self, name: &str) -> Result<Range<usize>, NetworkError> {
        let found = self.named().into_iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.range).ok_or_else(|| NetworkError::UnknownParameter {
            name: name.to_owned(),
            known: self.names.clone(),
        })
    }

    /// Returns the ranges of the tensors whose names are `chosen`, for an [optimiser's
    /// group](crate::optim::ParamGroup).
    ///
    /// ```
    /// # use gymnast_core::nn::{Activation, Network as _, NetworkConfig, Sequential};
    /// # use rand::SeedableRng;
    /// use gymnast_core::optim::ParamGroup;
    ///
    /// let config = NetworkConfig::mlp(&[8], Activation::Relu).linear_head(3);
    /// let network = Sequential::new(&config, &[4], &mut rand_chacha::ChaCha8Rng::seed_from_u64(0))?;
    /// let ranges = network.parameters().ranges_where(|name| name.starts_with("encoder."));
    /// assert_eq!(ranges, [0..32, 32..40]);
    /// let frozen = ParamGroup { ranges, frozen: true, ..ParamGroup::default() };
    /// # Ok::<(), gymnast_core::nn::NetworkError>(())
    /// ```
    pub fn ranges_where(&self, chosen: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
        let named = self.named().into_iter().filter(|parameter| chosen(&parameter.name));
        named.map(|parameter| parameter.range).collect()
    }

    /// Sets the values of the tensor with this name, row by row.
    pub fn load_named(&mut self, name: &str, values: &[f32]) -> Result<(), NetworkError> {
        let range = self.range_of(name)?;
        check_length("a parameter's values", range.len(), values.len())?;
        self.values_mut()[range].copy_from_slice(values);
        Ok(())
    }
}
