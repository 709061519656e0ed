//! Tensors as they come.

use tch::{Device, Kind, Tensor};

use super::source::Source;

impl Source {
    /// A tensor of that shape, usually of `f32`.
    pub(super) fn tensor(&mut self, shape: &[usize]) -> Tensor {
        let numbers = self.f32s(shape.iter().product());
        let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let tensor = Tensor::from_slice(&numbers).reshape(shape);
        match self.up_to(9) {
            0 => tensor.to_kind(Kind::Double),
            1 => tensor.nan_to_num(0.0, 9.0, -9.0).to_kind(Kind::Int64),
            _ => tensor.set_requires_grad(self.one_in(2)),
        }
    }

    /// `[B, width]` or another shape.
    pub(super) fn rows(&mut self, width: usize) -> Tensor {
        let shape = if self.one_in(5) { self.small_shape() } else { vec![self.up_to(4), width] };
        self.tensor(&shape)
    }

    /// Classes below `classes`, or about that.
    pub(super) fn labels(&mut self, rows: usize, classes: usize) -> Tensor {
        let length = self.about(rows);
        let mut label = || match self.up_to(15) {
            0 => self.pick(&[-1, i64::MIN, i64::MAX, -100, classes as i64]),
            _ => self.up_to(classes.max(1) - 1) as i64,
        };
        let labels: Vec<i64> = (0..length).map(|_| label()).collect();
        let kind = if self.one_in(10) { Kind::Float } else { Kind::Int64 };
        Tensor::from_slice(&labels).to_device(Device::Cpu).to_kind(kind)
    }
}
