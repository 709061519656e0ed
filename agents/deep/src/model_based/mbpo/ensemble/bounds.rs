//! The bounds of log σ².

use gymnast_core::likelihood::softplus_and_sigmoid;

/// The log σ² of rows, bent so that they stay between their bounds, with a gradient everywhere, and
/// what that is differentiated by (Chua et al. 2018, appendix A.1). All `[B, T]`.
#[derive(Default)]
pub(in crate::model_based::mbpo) struct Bounded {
    pub(super) value: Vec<f32>,
    distance: Vec<f32>,
    from_max: Vec<f32>,
    from_min: Vec<f32>,
}

impl Bounded {
    /// Bends those of `[B, 2 T + 1]` rows, of which they are the second T numbers.
    pub(super) fn bend(&mut self, rows: &[f32], min: &[f32], max: &[f32]) {
        let t = min.len();
        let Self { value, distance, from_max, from_min } = self;
        distance.clear();
        for row in rows.chunks_exact(2 * t + 1) {
            distance.extend(row[t..2 * t].iter().zip(max).map(|(x, max)| max - x));
        }
        for column in [&mut *value, from_max, from_min] {
            column.resize(distance.len(), 0.0);
        }
        softplus_and_sigmoid(distance, value, from_max);
        for (distance, above) in distance.chunks_exact_mut(t).zip(value.chunks_exact(t)) {
            for (i, distance) in distance.iter_mut().enumerate() {
                *distance = max[i] - above[i] - min[i];
            }
        }
        softplus_and_sigmoid(distance, value, from_min);
        for row in value.chunks_exact_mut(t) {
            row.iter_mut().zip(min).for_each(|(x, min)| *x += min);
        }
    }

    /// The bent number at a place, differentiated by the number itself, by its lower and by its upper bound.
    pub(super) fn slopes(&self, place: usize) -> [f32; 3] {
        let (from_max, from_min) = (self.from_max[place], self.from_min[place]);
        [from_min * from_max, 1.0 - from_min, from_min * (1.0 - from_max)]
    }
}
