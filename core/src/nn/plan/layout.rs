//! Converts pictures from channels last, as in observations, to channels first, and back.

use super::tape::Gradient;
use crate::nn::{PictureShape, matmul};

#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) picture: PictureShape,
    /// Whether the output has its channels last.
    pub(super) channels_last: bool,
}

impl Layout {
    /// Returns whether both layouts are the same.
    pub(super) fn is_nothing(&self) -> bool {
        let PictureShape { height, width, channels } = self.picture;
        channels == 1 || height * width == 1
    }

    pub(super) fn forward(&self, x: &[f32], out: &mut [f32]) {
        self.transpose(x, self.columns(self.channels_last), out);
    }

    pub(super) fn backward(&self, gradient: &mut Gradient) {
        if !gradient.by_input.is_empty() {
            let columns = self.columns(!self.channels_last);
            self.transpose(&gradient.by_output, columns, &mut gradient.by_input);
        }
    }

    /// Returns the number of columns of a picture as a matrix, before it is transposed to channels
    /// last, or first.
    fn columns(&self, channels_last: bool) -> usize {
        let PictureShape { height, width, channels } = self.picture;
        if channels_last { height * width } else { channels }
    }

    fn transpose(&self, x: &[f32], columns: usize, out: &mut [f32]) {
        let size = self.picture.size();
        for (x, out) in x.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
            matmul::transpose(x, columns, out);
        }
    }
}
