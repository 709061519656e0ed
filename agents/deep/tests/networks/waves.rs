//! A module of one's own.

use gymnast_core::{
    init::Init,
    nn::{Buffers, Linear, Module, NamedParameter, NetworkError, ParametersBuilder},
};
use gymnast_deep::Wanted;
use tch::Tensor;

/// Two layers with a sine between them, which no plan knows.
#[derive(Debug)]
pub(crate) struct Waves {
    first: Linear,
    last: Linear,
}

impl Module for Waves {
    fn inputs(&self) -> usize {
        self.first.inputs()
    }

    fn outputs(&self) -> usize {
        self.last.outputs()
    }

    fn forward(&self, input: &Tensor, _training: bool) -> Tensor {
        // Sines alone would make critics periodic in the action, which misleads an actor.
        let first = self.first.forward(input); // [B, 64]
        self.last.forward(&(first.relu() + first.sin() * 0.1))
    }

    fn description(&self) -> String {
        format!("waves {}-{}-{}", self.inputs(), self.first.outputs(), self.outputs())
    }

    fn linear(&self) -> Vec<&Linear> {
        vec![&self.first, &self.last]
    }

    fn buffers(&self) -> Buffers {
        Buffers::default()
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        vec![]
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        buffers.check_none()
    }
}

/// Builds them for whatever is wanted.
pub(crate) fn waves(
    wanted: &Wanted<'_>,
    builder: &mut ParametersBuilder,
) -> Result<Box<dyn Module>, NetworkError> {
    let width = wanted.parts.iter().map(|part| part.iter().product::<usize>()).sum();
    let mut linear =
        |inputs, outputs| Linear::new(inputs, outputs, Init::LinearDefault, Init::Zeros, builder);
    Ok(Box::new(Waves { first: linear(width, 64)?, last: linear(64, wanted.outputs)? }))
}
