//! A tree of sums: drawing in proportion to weights that change, in a logarithm of their number.

/// Weights, one a leaf; each node above holds the sum of its two children.
///
/// A sum is made anew from its children whenever one changes, so that it depends on the weights
/// alone, not on how they came about: rounding errors do not add up, and the leaves are all there is
/// to save.
///
/// Source: Schaul et al., "Prioritized experience replay" (2016), appendix B.2.1.
#[derive(Clone, Debug)]
pub(super) struct SumTree {
    /// The root at 1, the children of `i` at `2 i` and `2 i + 1`, the leaves in the second half.
    sums: Vec<f64>,
}

impl SumTree {
    /// A tree for `capacity` weights, all 0.
    pub(super) fn new(capacity: usize) -> Self {
        Self { sums: vec![0.0; 2 * capacity.next_power_of_two()] }
    }

    pub(super) fn bytes(&self) -> usize {
        self.sums.len() * size_of::<f64>()
    }

    fn leaves(&self) -> usize {
        self.sums.len() / 2
    }

    /// The sum of all weights.
    pub(super) fn total(&self) -> f64 {
        self.sums[1]
    }

    /// The weights, those that were never set among them.
    pub(super) fn weights(&self) -> &[f64] {
        &self.sums[self.leaves()..]
    }

    /// Sets a weight, which is not negative.
    pub(super) fn set(&mut self, leaf: usize, weight: f64) {
        let mut node = self.leaves() + leaf;
        self.sums[node] = weight;
        while node > 1 {
            node /= 2;
            self.sums[node] = self.sums[2 * node] + self.sums[2 * node + 1];
        }
    }

    /// The leaf under which `position` falls when the weights lie end to end, for a position from 0
    /// to [`total`](Self::total). Never one of weight 0, unless all are.
    pub(super) fn find(&self, mut position: f64) -> usize {
        let mut node = 1;
        while node < self.leaves() {
            let (left, right) = (2 * node, 2 * node + 1);
            // A position at the very end may lie behind the last weight, by a rounding error.
            if position < self.sums[left] || self.sums[right] == 0.0 {
                node = left;
            } else {
                position -= self.sums[left];
                node = right;
            }
        }
        node - self.leaves()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_fall_under_weights_laid_end_to_end() {
        let mut tree = SumTree::new(5);
        for (leaf, weight) in [3.0, 0.0, 1.0, 2.0, 4.0].into_iter().enumerate() {
            tree.set(leaf, weight);
        }
        assert_eq!(tree.total(), 10.0);
        for (position, leaf) in
            [(0.0, 0), (2.9, 0), (3.0, 2), (3.9, 2), (4.0, 3), (5.9, 3), (6.0, 4), (9.9, 4)]
        {
            assert_eq!(tree.find(position), leaf, "{position}");
        }
        // Where rounding has led past the end, the last weight that is not 0 is meant.
        tree.set(4, 0.0);
        assert_eq!((tree.total(), tree.find(6.0)), (6.0, 3));
    }

    #[test]
    fn one_weight_is_a_tree() {
        let mut tree = SumTree::new(1);
        tree.set(0, 0.5);
        assert_eq!((tree.total(), tree.find(0.2)), (0.5, 0));
        assert_eq!(tree.weights(), [0.5]);
    }

    proptest::proptest! {
        /// Whatever was set before, sums are those of the weights, to the last bit.
        #[test]
        fn sums_do_not_drift(
            weights in proptest::collection::vec((0_usize..13, 1e-9_f64..1e9), 1..200),
            share in 0.0_f64..1.0,
        ) {
            let mut tree = SumTree::new(13);
            weights.iter().for_each(|&(leaf, weight)| tree.set(leaf, weight));
            let mut fresh = SumTree::new(13);
            for (leaf, &weight) in tree.weights().iter().enumerate().take(13) {
                fresh.set(leaf, weight);
            }
            proptest::prop_assert_eq!(&tree.sums, &fresh.sums);
            let found = tree.find(share * tree.total());
            proptest::prop_assert!(tree.weights()[found] > 0.0);
        }
    }
}
