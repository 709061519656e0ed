//! Declares parameters and builds the flat vectors.

use std::sync::Arc;

use rand::Rng;

use super::flat::Flat;
use super::leaf::{Leaf, Place};
use super::{Parameter, Parameters};
use crate::init::{Fans, Init};
use crate::nn::{Linear, MAX_PARAMETERS, NetworkError, Noise, limited};

/// Declares parameters in the order in which they lie in the flat vector and are initialised.
///
/// The tensors that it returns hold zeros in memory of their own until [`build`](Self::build) moves
/// them into the flat vector.
#[derive(Debug, Default)]
pub struct ParametersBuilder {
    declared: Vec<Declared>,
    length: usize,
    layers: usize,
    prefix: String,
    layer: String,
    scoped: bool,
    zeros: bool,
}

#[derive(Debug)]
struct Declared {
    name: String,
    leaf: Arc<Leaf>,
    shape: Vec<usize>,
    init: Init,
    fans: Fans,
}

impl ParametersBuilder {
    /// Creates an empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prefixes the names that follow with `prefix.`, until the next prefix. An empty prefix adds
    /// nothing. Use one prefix per module to declare several modules on one builder.
    pub fn prefix(&mut self, prefix: &str) {
        prefix.clone_into(&mut self.prefix);
    }

    /// Starts what is declared from now on at zeros, whatever its initialiser: for a copy that takes its numbers
    /// over from another network.
    pub fn start_at_zeros(&mut self) {
        self.zeros = true;
    }

    /// Names the layers that follow: `scope.weight` and so on. Until then layers are called by
    /// their number. Give every layer a scope, or none.
    pub fn scope(&mut self, scope: impl Into<String>) {
        (self.layer, self.scoped) = (scope.into(), true);
    }

    /// Returns the name of the current layer, without the prefix.
    pub fn layer(&self) -> &str {
        &self.layer
    }

    /// Returns the number of values declared.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether nothing has been declared.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Begins a new layer. Without a [scope](Self::scope), its name is the next number.
    pub fn begin_layer(&mut self) {
        if !self.scoped {
            self.layer = self.layers.to_string();
        }
        self.layers += 1;
    }

    /// Declares a parameter named by its number.
    ///
    /// # Errors
    /// [`NetworkError::TooLarge`]; [`NetworkError::Init`] if the initialiser does not fit the
    /// shape; [`NetworkError::NameTaken`].
    pub fn parameter(
        &mut self,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        let name = format!("parameter.{}", self.declared.len());
        self.declare(&name, shape, init, fans)
    }

    /// Declares a parameter of the current layer, named `layer.name`.
    ///
    /// # Errors
    /// As [`parameter`](Self::parameter).
    pub fn of_layer(
        &mut self,
        name: &str,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        self.declare(&format!("{}.{name}", self.layer), shape, init, fans)
    }

    fn declare(
        &mut self,
        name: &str,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        let dot = if self.prefix.is_empty() { "" } else { "." };
        let name = format!("{}{dot}{name}", self.prefix);
        if self.declared.iter().any(|declared| declared.name == name) {
            return Err(NetworkError::NameTaken { name });
        }
        let length = limited("a parameter's numbers", shape, MAX_PARAMETERS)?;
        limited("a network's parameters", &[1, self.length + length], MAX_PARAMETERS)?;
        init.check(shape)?;
        let init = if self.zeros { Init::Zeros } else { init };
        let leaf = Arc::new(Leaf::new(shape));
        let offset = self.length;
        self.length += length;
        let shape = shape.to_vec();
        self.declared.push(Declared { name, leaf: leaf.clone(), shape, init, fans });
        Ok(Parameter { leaf, offset, length })
    }

    /// Allocates the flat vectors, moves the declared tensors into them and initialises them.
    pub fn build<R: Rng + ?Sized>(self, rng: &mut R) -> Result<Parameters, NetworkError> {
        self.build_with(None, rng)
    }

    /// Builds the parameters with noise on these layers. The flat vectors hold the declared
    /// parameters, which become means, then the deviations, which start at `sigma / √inputs`. The
    /// means are drawn as without noise.
    ///
    /// # Errors
    /// [`NetworkError::Sigma`] unless `sigma` is finite and at least 0; as [`build`](Self::build).
    pub fn build_noisy<R: Rng + ?Sized>(
        self,
        layers: &[&Linear],
        sigma: f32,
        rng: &mut R,
    ) -> Result<Parameters, NetworkError> {
        if !(sigma.is_finite() && sigma >= 0.0) {
            return Err(NetworkError::Sigma { got: sigma });
        }
        let noise = Noise::new(layers, self.length);
        let mut parameters = self.build_with(Some(noise.clone()), rng)?;
        noise.initialise(sigma, parameters.values_mut());
        parameters.apply_noise();
        Ok(parameters)
    }

    fn build_with<R: Rng + ?Sized>(
        self,
        noise: Option<Noise>,
        rng: &mut R,
    ) -> Result<Parameters, NetworkError> {
        let zeros = Flat::zeros;
        let deviations = noise.as_ref().map_or(0, Noise::deviations);
        let values = zeros(self.length + deviations)?;
        let gradients = zeros(self.length + deviations)?;
        let accumulated = zeros(self.length)?;
        // Without noise the layers compute with the values themselves.
        let weights = if noise.is_some() { zeros(self.length)? } else { values.clone() };
        let mut shapes = Vec::with_capacity(self.declared.len());
        let mut names = Vec::with_capacity(self.declared.len());
        let mut leaves = Vec::with_capacity(self.declared.len());
        let mut offset = 0;
        for Declared { name, leaf, shape, init, fans } in self.declared {
            let (weights, accumulated) = (weights.clone(), accumulated.clone());
            leaf.put(Place { offset, weights, accumulated })?;
            offset += shape.iter().product::<usize>();
            shapes.push((shape, init, fans));
            names.push(name);
            leaves.push(leaf);
        }
        let noise = noise.map(|noise| (noise, weights));
        let mut parameters =
            Parameters { values, gradients, accumulated, noise, shapes: vec![], names, leaves };
        let mut offset = 0;
        for (shape, init, fans) in shapes {
            let end = offset + shape.iter().product::<usize>();
            init.fill(&shape, fans, rng, &mut parameters.values_mut()[offset..end])?;
            offset = end;
            parameters.shapes.push(shape);
        }
        if deviations > 0 {
            parameters.shapes.push(vec![deviations]);
            parameters.names.push("noise.deviation".to_owned());
        }
        Ok(parameters)
    }
}
