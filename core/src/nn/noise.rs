//! Parameter noise of NoisyNets (Fortunato et al. 2018, <https://arxiv.org/abs/1706.10295>): random
//! weights whose means and standard deviations are both learned.
//!
//! ```text
//! w = μ + σ ∘ ε,   ε_ij = f(ε_i) f(ε_j),   b = μ + σ ∘ f(ε_j),   f(x) = sgn(x) √|x|
//! ∂L/∂μ = ∂L/∂w,   ∂L/∂σ = ∂L/∂w ∘ ε
//! ```
//!
//! The layers do not know of the noise: they compute with `w`, and gradients are first those with
//! respect to `w`. The second line takes one more product, so noise needs no call into libtorch and
//! works for any network.

use std::ops::Range;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::Linear;
use crate::simd::wide;

/// The factorised Gaussian noise of a network's fully connected layers. The flat parameters hold
/// first the means `μ` of all parameters (a parameter without noise is its own mean), then the
/// deviations `σ` of the noisy ones.
#[derive(Debug, Clone)]
pub struct Noise {
    layers: Vec<NoisyLayer>,
    means: usize,
}

/// The weights of one layer followed by its bias, as their last row.
#[derive(Debug, Clone)]
struct NoisyLayer {
    means: Range<usize>,
    deviations: Range<usize>,
    input: Vec<f32>,  // [inputs + 1], the last one 1: the bias has no input
    output: Vec<f32>, // [outputs]
}

impl Noise {
    /// Creates the noise of these layers among `means` parameters; zero until it is drawn.
    pub(super) fn new(layers: &[&Linear], means: usize) -> Self {
        let mut end = means;
        let layers = layers.iter().map(|layer| {
            let (weight, bias) = (layer.weight.range(), layer.bias.range());
            assert_eq!(weight.end, bias.start, "a layer's weight and bias are neighbours");
            let deviations = end..end + weight.len() + bias.len();
            end = deviations.end;
            let mut input = vec![0.0; layer.inputs() + 1];
            input[layer.inputs()] = 1.0;
            let output = vec![0.0; layer.outputs()];
            NoisyLayer { means: weight.start..bias.end, deviations, input, output }
        });
        Self { layers: layers.collect(), means }
    }

    /// Returns the number of deviations.
    pub(super) fn deviations(&self) -> usize {
        self.layers.iter().map(|layer| layer.deviations.len()).sum()
    }

    /// Sets each deviation to `sigma / √inputs`, as in section 3.2 of the paper.
    pub(super) fn initialise(&self, sigma: f32, values: &mut [f32]) {
        for layer in &self.layers {
            let inputs = (layer.input.len() - 1) as f32;
            values[layer.deviations.clone()].fill(sigma / inputs.sqrt());
        }
    }

    /// Draws new noise `ε`.
    pub fn draw<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        let mut draw = |number: &mut f32| {
            let x: f32 = rng.sample(StandardNormal);
            *number = x.signum() * x.abs().sqrt();
        };
        for NoisyLayer { input, output, .. } in &mut self.layers {
            let inputs = input.len() - 1;
            input[..inputs].iter_mut().for_each(&mut draw);
            output.iter_mut().for_each(&mut draw);
        }
    }

    /// Writes the weights `w` for the means and deviations in `values`.
    ///
    /// # Panics
    /// Unless `values` is as long as the network's parameters and `weights` as their means.
    pub fn apply(&self, values: &[f32], weights: &mut [f32]) {
        weights.copy_from_slice(&values[..self.means]);
        for NoisyLayer { means, deviations, input, output } in &self.layers {
            add_product(&mut weights[means.clone()], &values[deviations.clone()], input, output);
        }
    }

    /// Computes the gradients with respect to the deviations from those with respect to the means.
    pub(super) fn differentiate(&self, gradients: &mut [f32]) {
        let (by_means, by_deviations) = gradients.split_at_mut(self.means);
        for NoisyLayer { means, deviations, input, output } in &self.layers {
            let to = deviations.start - self.means..deviations.end - self.means;
            let to = &mut by_deviations[to];
            to.fill(0.0);
            add_product(to, &by_means[means.clone()], input, output);
        }
    }
}

wide! {
    /// `out += factor ∘ (input ⊗ output)`.
    fn add_product<FMA>(out: &mut [f32], factor: &[f32], input: &[f32], output: &[f32]) {
        let width = output.len();
        let rows = out.chunks_exact_mut(width).zip(factor.chunks_exact(width)).zip(input);
        for ((out, factor), &input) in rows {
            for ((out, factor), &output) in out.iter_mut().zip(factor).zip(output) {
                *out = crate::simd::multiply_add::<FMA>(*factor, input * output, *out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use tch::{Kind, Tensor};

    use super::*;
    use crate::nn::{Activation, LayerShape, Layers, MlpConfig, Module as _, ParametersBuilder};

    #[test]
    fn weights_and_gradients_agree_with_libtorch() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut builder = ParametersBuilder::new();
        let config = MlpConfig { hidden: vec![3], ..MlpConfig::default() };
        let layers =
            Layers::new(&config.layers(1), "", LayerShape::Row(2), 0, &mut builder).unwrap();
        let mut parameters = builder.build_noisy(&layers.linear(), 0.5, rng).unwrap();
        assert_eq!(parameters.len(), 2 * 13);
        // σ₀ / √inputs: 9 of the first layer, 4 of the second.
        let (first, second) = (0.5 / 2_f32.sqrt(), 0.5 / 3_f32.sqrt());
        assert_eq!(parameters.values()[13..22], [first; 9]);
        assert_eq!(parameters.values()[22..], [second; 4]);

        parameters.draw_noise(rng);
        let noise = parameters.noise().unwrap().clone();
        let x = Tensor::from_slice(&[0.5_f32, -1.0, 2.0, 0.25]).view([2, 2]);
        let loss = layers.forward(&x, false).square().sum(Kind::Float);
        parameters.backward(&loss).unwrap();

        // The same in libtorch, with means and deviations of its own.
        let values = Tensor::from_slice(parameters.values()).set_requires_grad(true);
        let layer = |i: usize, mean: i64, deviation: i64, inputs: i64, outputs: i64| {
            let NoisyLayer { input, output, .. } = &noise.layers[i];
            let epsilon = Tensor::from_slice(input).outer(&Tensor::from_slice(output)).view(-1);
            let count = (inputs + 1) * outputs;
            let (mean, deviation) =
                (values.narrow(0, mean, count), values.narrow(0, deviation, count));
            (mean + deviation * epsilon).view([inputs + 1, outputs])
        };
        let (w1, w2) = (layer(0, 0, 13, 2, 3), layer(1, 9, 22, 3, 1));
        let hidden = (x.matmul(&w1.narrow(0, 0, 2)) + w1.narrow(0, 2, 1)).relu();
        let expected = (hidden.matmul(&w2.narrow(0, 0, 3)) + w2.narrow(0, 3, 1)).square();
        let expected = expected.sum(Kind::Float);
        expected.backward();
        assert!((loss.double_value(&[]) - expected.double_value(&[])).abs() < 1e-5);
        let gradients = Vec::<f32>::try_from(values.grad()).unwrap();
        for (ours, theirs) in parameters.gradients().iter().zip(gradients) {
            assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
        }
    }

    #[test]
    fn noise_is_that_of_the_paper() {
        let rng = &mut ChaCha8Rng::seed_from_u64(2);
        let mut builder = ParametersBuilder::new();
        let config =
            MlpConfig { hidden: vec![], activation: Activation::Tanh, ..MlpConfig::default() };
        let layers =
            Layers::new(&config.layers(1), "", LayerShape::Row(1), 0, &mut builder).unwrap();
        let mut parameters = builder.build_noisy(&layers.linear(), 1.0, rng).unwrap();
        parameters.load(&[0.0, 0.0, 1.0, 1.0]).unwrap();
        // E f(x)² = E |x| = √(2/π), which is the bias's variance; the weight's is its square.
        let draws = 40_000;
        let (mut weight, mut bias) = (0.0, 0.0);
        for _ in 0..draws {
            parameters.draw_noise(rng);
            let [w, b] = parameters.effective() else { unreachable!("two weights") };
            weight += f64::from(w * w) / f64::from(draws);
            bias += f64::from(b * b) / f64::from(draws);
        }
        let expected = (2.0 / std::f64::consts::PI).sqrt();
        assert!((bias - expected).abs() < 0.02, "{bias}");
        assert!((weight - expected * expected).abs() < 0.03, "{weight}");
    }
}
