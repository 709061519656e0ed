//! How a memory may store the features of a space.

/// A type of number that holds every feature of a space exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElementType {
    /// Any number: 4 bytes each.
    #[default]
    F32,
    /// Whole numbers from 0 to 255, such as pixels: 1 byte each. The feature is the number itself
    /// (a pixel of 200 is the feature 200.0), so nothing is lost. −0 counts as 0.
    U8,
}

/// How the features of a space can be stored in less memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The smallest type that holds every feature.
    pub element: ElementType,
    /// The number of frames in the features, at least 1: equal blocks, the oldest first; the older
    /// ones have been observed before. This is a hint: a memory checks it and stores frames that
    /// differ in full.
    pub frames: usize,
}

impl Storage {
    /// One frame of any numbers: right for every space.
    pub const F32: Self = Self { element: ElementType::F32, frames: 1 };
    /// One frame of whole numbers from 0 to 255.
    pub const U8: Self = Self { element: ElementType::U8, frames: 1 };

    /// Returns the storage of several parts in one row: bytes if all parts are bytes, and one
    /// frame.
    #[must_use]
    pub fn of_parts(parts: &[Self]) -> Self {
        let all_bytes = parts.iter().all(|part| part.element == ElementType::U8);
        if all_bytes { Self::U8 } else { Self::F32 }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self::F32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BoxSpace, Codec as _, Discrete, Env as _, FeatureSpace, MultiBinary, RowSpace, ToRow,
        bsuite::Catch,
        classic::CartPole,
        wrappers::{FlattenObservation, FrameStack, NormalizeObservation, TimeAwareObservation},
    };

    crate::product_space! {
        /// A space.
        struct PairSpace;
        /// An element.
        struct Pair { left: Discrete, right: MultiBinary<2> }
    }

    #[test]
    fn spaces_say_how_they_are_stored() {
        let stacked = |element, frames| Storage { element, frames };
        let stack = FrameStack::<_, 4>::new(Catch::default());
        let space = stack.observation_space();
        assert_eq!(space.storage(), stacked(ElementType::U8, 4));
        assert_eq!(ToRow::target(&space).storage(), space.storage());
        let flat = FlattenObservation::new(stack).unwrap().observation_space();
        assert_eq!(flat.storage(), space.storage());
        let poles = FrameStack::<_, 2>::new(CartPole::default()).observation_space();
        assert_eq!(poles.storage(), stacked(ElementType::F32, 2));
        let pair = PairSpace { left: Discrete::new(2), right: MultiBinary };
        assert_eq!(pair.storage(), Storage::U8);
        assert_eq!((Discrete::new(2), pair).storage(), Storage::U8);
        assert_eq!((Discrete::new(2), BoxSpace::symmetric([1.0])).storage(), Storage::F32);
    }

    #[test]
    fn wrappers_that_change_the_numbers_promise_no_bytes() {
        let catch = Catch::default;
        let normal = NormalizeObservation::new(catch(), 1e-8).unwrap().observation_space();
        assert_eq!(normal.storage(), Storage::F32);
        let timed = TimeAwareObservation::new(catch(), 10).unwrap().observation_space();
        assert_eq!(timed.storage(), Storage::F32);
    }

    #[test]
    fn a_row_cannot_promise_what_its_bounds_deny() {
        let row = |low, high| RowSpace::new(vec![low; 6], vec![high; 6], vec![6]).unwrap();
        let frames = |frames| Storage { frames, ..Storage::U8 };
        assert_eq!(row(0.0, 255.0).with_storage(frames(3)).unwrap().storage(), frames(3));
        assert!(row(0.0, 256.0).with_storage(Storage::U8).is_err());
        assert!(row(-1.0, 1.0).with_storage(Storage::U8).is_err());
        assert!(row(0.0, 1.0).with_storage(frames(4)).is_err());
        assert!(row(0.0, 1.0).with_storage(frames(0)).is_err());
    }
}
