//! Activation functions, for libtorch's tensors and for plain slices.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::simd::{exp, exp_m1, multiply_add, wide};

/// An activation function. Formulas and constants are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(0, x)`.
    #[default]
    Relu,
    /// `x` where positive, `0.01 x` elsewhere.
    LeakyRelu,
    /// `x` where positive, `eˣ − 1` elsewhere.
    Elu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `x · sigmoid(x)`, also called Swish.
    Silu,
    /// `x · Φ(x)`, with the normal distribution function Φ itself, not its approximation by tanh.
    Gelu,
    /// `1` where positive, `0` elsewhere. Cannot be trained: its gradient is zero everywhere, so
    /// nothing before it learns.
    Step,
}

impl Activation {
    /// Returns the gain that keeps a signal's variance, as `torch.nn.init.calculate_gain` does. It
    /// is √2 for SiLU and GELU, which that function does not know and which resemble ReLU, and 1
    /// for ELU and the step.
    pub fn gain(self) -> f32 {
        match self {
            Self::Identity | Self::Sigmoid | Self::Elu | Self::Step => 1.0,
            Self::Tanh => 5.0 / 3.0,
            Self::Relu | Self::Silu | Self::Gelu => std::f32::consts::SQRT_2,
            Self::LeakyRelu => (2.0 / (1.0 + 0.01_f32 * 0.01)).sqrt(),
        }
    }

    /// Returns the name used in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::Step => "step",
        }
    }

    /// Applies the function to every element. Takes the tensor by value, because some activations
    /// overwrite it.
    ///
    /// # Panics
    /// If the tensor is a leaf that requires gradients and would be overwritten.
    pub fn forward(self, mut x: Tensor) -> Tensor {
        match self {
            Self::Identity => x,
            // These need only their result to be differentiated, so its place is the input's.
            Self::Relu => x.relu_(),
            Self::LeakyRelu => x.leaky_relu_(),
            Self::Elu => x.elu_(),
            Self::Tanh => x.tanh_(),
            Self::Sigmoid => x.sigmoid_(),
            Self::Silu => x.silu(),
            Self::Gelu => x.gelu("none"),
            // libtorch knows that the derivative of a sign is zero, but not that NaN has none.
            Self::Step => x.sign().relu_().where_self(&x.isnan().logical_not(), &x.detach()),
        }
    }

    /// Applies the function to every number.
    pub fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => relu(values),
            Self::LeakyRelu => leaky_relu(values),
            Self::Elu => elu(values),
            Self::Tanh => tanh(values),
            Self::Sigmoid => sigmoid(values),
            Self::Silu => silu(values),
            Self::Gelu => values.iter_mut().for_each(|x| *x *= normal_distribution(*x)),
            Self::Step => step(values),
        }
    }

    /// Returns whether [`backward`](Self::backward) reads the input. Otherwise the output suffices.
    pub fn remembers_input(self) -> bool {
        matches!(self, Self::Silu | Self::Gelu)
    }

    /// Turns the gradient with respect to the output into the gradient with respect to the input,
    /// in place: multiplies every number by the derivative. `input` is read only if the activation
    /// [remembers](Self::remembers_input) it; otherwise it may be empty.
    pub fn backward(self, input: &[f32], output: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => relu_backward(output, gradient),
            Self::LeakyRelu => leaky_relu_backward(output, gradient),
            Self::Elu => elu_backward(output, gradient),
            Self::Tanh => tanh_backward(output, gradient),
            Self::Sigmoid => sigmoid_backward(output, gradient),
            Self::Silu => silu_backward(input, gradient),
            Self::Gelu => gelu_backward(input, gradient),
            Self::Step => gradient.fill(0.0),
        }
    }
}

/// Defines the function that replaces every number.
macro_rules! forward {
    ($name:ident: $x:ident => $y:expr) => {
        wide! {
            fn $name<FMA>(values: &mut [f32]) {
                for value in values {
                    let $x = *value;
                    *value = $y;
                }
            }
        }
    };
}

forward!(relu: x => if x < 0.0 { 0.0 } else { x }); // not `max`: a NaN must stay one
forward!(leaky_relu: x => if x < 0.0 { 0.01 * x } else { x });
forward!(elu: x => if x > 0.0 { x } else { exp_m1::<FMA>(x) });
forward!(tanh: x => rational_tanh::<FMA>(x));
forward!(sigmoid: x => 1.0 / (1.0 + exp::<FMA>(-x)));
forward!(silu: x => x / (1.0 + exp::<FMA>(-x)));
forward!(step: x => if x > 0.0 { 1.0 } else if x.is_nan() { x } else { 0.0 });

/// Defines the function that multiplies gradients by a derivative, computed from what the
/// activation remembers: its input or its output.
macro_rules! backward {
    ($name:ident: $x:ident => $derivative:expr) => {
        wide! {
            fn $name<FMA>(remembered: &[f32], gradient: &mut [f32]) {
                for (g, &$x) in gradient.iter_mut().zip(remembered) {
                    *g *= $derivative;
                }
            }
        }
    };
}

backward!(relu_backward: y => if y > 0.0 { 1.0 } else { 0.0 });
backward!(leaky_relu_backward: y => if y > 0.0 { 1.0 } else { 0.01 });
backward!(elu_backward: y => if y > 0.0 { 1.0 } else { y + 1.0 });
backward!(tanh_backward: y => 1.0 - y * y);
backward!(sigmoid_backward: y => y * (1.0 - y));
backward!(silu_backward: x => {
    let sigmoid = 1.0 / (1.0 + exp::<FMA>(-x));
    sigmoid * (1.0 + x * (1.0 - sigmoid))
});
backward!(gelu_backward: x => {
    let density = (-0.5 * x * x).exp() / std::f32::consts::TAU.sqrt();
    normal_distribution(x) + x * density
});

/// A ratio of polynomials that is within 3 units in the last place or so, as in the Eigen library;
/// four times as fast as one call per number.
#[inline(always)]
fn rational_tanh<const FMA: bool>(x: f32) -> f32 {
    const ODD: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619e-4,
        4.893_525e-3,
    ];
    const EVEN: [f32; 4] = [1.198_258_4e-6, 1.185_347e-4, 2.268_434_6e-3, 4.893_525e-3];
    let x = if x > 7.905_311 { 7.905_311 } else { x };
    let x = if x < -7.905_311 { -7.905_311 } else { x };
    let square = x * x;
    let mut odd = ODD[0];
    for c in &ODD[1..] {
        odd = multiply_add::<FMA>(odd, square, *c);
    }
    let mut even = EVEN[0];
    for c in &EVEN[1..] {
        even = multiply_add::<FMA>(even, square, *c);
    }
    x * odd / even
}

/// Φ(x) through the error function of Abramowitz and Stegun 7.1.26, within 1e-7.
fn normal_distribution(x: f32) -> f32 {
    let z = f64::from(x).abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial =
        ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t
            + 0.254_829_592)
            * t;
    let tail = 0.5 * polynomial * (-z * z).exp();
    (if x < 0.0 { tail } else { 1.0 - tail }) as f32
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::nn) const ALL: [Activation; 9] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::Gelu,
        Activation::Step,
    ];

    #[test]
    fn derivatives_agree_with_libtorch() {
        let inputs: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 400.0).collect();
        for activation in ALL {
            let mut output = inputs.clone();
            activation.apply(&mut output);
            let mut ours = vec![3.0; inputs.len()];
            activation.backward(&inputs, &output, &mut ours);
            let x = Tensor::from_slice(&inputs).set_requires_grad(true);
            let y = activation.forward(&x * 1.0); // a copy, as some overwrite it
            (y.sum(tch::Kind::Float) * 3.0).backward();
            let theirs = Vec::<f32>::try_from(x.grad()).unwrap();
            for ((x, a), b) in inputs.iter().zip(&ours).zip(&theirs) {
                assert!((a - b).abs() <= 1e-5, "{activation:?} at {x}: {a} against {b}");
            }
        }
    }

    #[test]
    fn plain_rust_agrees_with_libtorch() {
        let inputs: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 400.0).collect();
        for activation in ALL {
            let mut ours = inputs.clone();
            activation.apply(&mut ours);
            let theirs = activation.forward(Tensor::from_slice(&inputs));
            let theirs = Vec::<f32>::try_from(theirs).unwrap();
            for ((x, a), b) in inputs.iter().zip(&ours).zip(&theirs) {
                assert!((a - b).abs() <= 2e-6, "{activation:?}({x}): {a} against {b}");
            }
        }
    }

    #[test]
    fn gains_are_those_of_pytorch() {
        // torch.nn.init.calculate_gain
        for (activation, gain) in [
            (Activation::Identity, 1.0),
            (Activation::Sigmoid, 1.0),
            (Activation::Tanh, 1.666_666_6),
            (Activation::Relu, std::f32::consts::SQRT_2),
            (Activation::LeakyRelu, 1.414_142_9),
        ] {
            assert!((activation.gain() - gain).abs() < 1e-6, "{activation:?}");
        }
    }

    #[test]
    fn a_step_teaches_nothing() {
        let x = Tensor::from_slice(&[-2.0_f32, 0.0, 3.0]).set_requires_grad(true);
        let y = Activation::Step.forward(&x * 1.0);
        assert_eq!(Vec::<f32>::try_from(&y).unwrap(), [0.0, 0.0, 1.0]);
        y.sum(tch::Kind::Float).backward();
        assert_eq!(Vec::<f32>::try_from(x.grad()).unwrap(), [0.0; 3]);
    }

    #[test]
    fn nan_stays_nan() {
        use Activation::{Elu, Gelu, Identity, LeakyRelu, Relu, Sigmoid, Silu, Step, Tanh};
        for activation in [Identity, Relu, LeakyRelu, Elu, Tanh, Sigmoid, Silu, Gelu, Step] {
            let of_tensor = activation.forward(Tensor::from_slice(&[f32::NAN]));
            assert!(of_tensor.double_value(&[0]).is_nan(), "{activation:?}");
            let mut values = [f32::NAN; 9];
            activation.apply(&mut values);
            assert!(values.iter().all(|x| x.is_nan()), "{activation:?}");
        }
    }
}
