//! [`Checkpoint`](crate::Checkpoint) of a structure from its fields.

/// Implements [`Checkpoint`](crate::Checkpoint) for a structure, all of whose state lies in these fields:
/// `part`, what has a checkpoint of its own, and `value`, what serde writes, each under the field's name;
/// `inline`, a part whose entries lie beside the others.
///
/// ```
/// use gymnast_harness::{Checkpoint as _, StateDict, checkpoint};
///
/// #[derive(Default)]
/// struct Counter {
///     env_steps: u64,
/// }
///
/// checkpoint!(Counter { value env_steps });
///
/// let mut state = StateDict::new();
/// Counter { env_steps: 3 }.save(&mut state)?;
/// let mut other = Counter::default();
/// other.load(&state)?;
/// assert_eq!(other.env_steps, 3);
/// # Ok::<(), gymnast_harness::CheckpointError>(())
/// ```
#[macro_export]
macro_rules! checkpoint {
    ($type:ty { $($kind:ident $field:ident),+ $(,)? }) => {
        impl $crate::Checkpoint for $type {
            fn save(&self, state: &mut $crate::StateDict) -> Result<(), $crate::CheckpointError> {
                $($crate::checkpoint!(@ save $kind state self.$field, stringify!($field))?;)+
                Ok(())
            }

            fn load(&mut self, state: &$crate::StateDict) -> Result<(), $crate::CheckpointError> {
                $($crate::checkpoint!(@ load $kind state self.$field, stringify!($field))?;)+
                Ok(())
            }
        }
    };
    (@ save part $state:ident $field:expr, $name:expr) => { $state.insert_part($name, &$field) };
    (@ save value $state:ident $field:expr, $name:expr) => { $state.insert($name, &$field) };
    (@ save inline $state:ident $field:expr, $name:expr) => {
        $crate::Checkpoint::save(&$field, $state)
    };
    (@ load part $state:ident $field:expr, $name:expr) => { $state.load_part($name, &mut $field) };
    (@ load value $state:ident $field:expr, $name:expr) => {
        $state.get($name).map(|value| $field = value)
    };
    (@ load inline $state:ident $field:expr, $name:expr) => {
        $crate::Checkpoint::load(&mut $field, $state)
    };
}
