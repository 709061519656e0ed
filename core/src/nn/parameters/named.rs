//! What the parameters of a network are called, and where each lies.

use std::ops::Range;

use super::Parameters;
use crate::nn::{NetworkError, check_length};

/// One tensor of a network: its name, its shape and where it lies in the flat vector. With these a
/// group of parameters can be frozen, loaded or counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedParameter {
    /// The layer's name and the tensor's, as `encoder.0.weight`. No two of a network are the same.
    pub name: String,
    /// The tensor's shape.
    pub shape: Vec<usize>,
    /// Where its numbers lie.
    pub range: Range<usize>,
}

impl Parameters {
    /// The tensors by name, in the order of the flat vector.
    pub fn named(&self) -> Vec<NamedParameter> {
        let mut end = 0;
        let named = self.names.iter().zip(&self.shapes).map(|(name, shape)| {
            let start = end;
            end += shape.iter().product::<usize>();
            NamedParameter { name: name.clone(), shape: shape.clone(), range: start..end }
        });
        named.collect()
    }

    /// Where the tensor of that name lies.
    ///
    /// # Errors
    /// [`NetworkError::UnknownParameter`] without one.
    pub fn range_of(&self, name: &str) -> Result<Range<usize>, NetworkError> {
        let found = self.named().into_iter().find(|parameter| parameter.name == name);
        found.map(|parameter| parameter.range).ok_or_else(|| NetworkError::UnknownParameter {
            name: name.to_owned(),
            known: self.names.clone(),
        })
    }

    /// Where the tensors lie whose names are `chosen`: what an [optimiser's group](crate::optim::ParamGroup)
    /// holds.
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

    /// Sets the tensor of that name, row by row.
    pub fn load_named(&mut self, name: &str, values: &[f32]) -> Result<(), NetworkError> {
        let range = self.range_of(name)?;
        check_length("a parameter's values", range.len(), values.len())?;
        self.values_mut()[range].copy_from_slice(values);
        Ok(())
    }
}
