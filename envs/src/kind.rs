//! Kinds of control: the spaces in which agents and environments chosen by name meet.
//!
//! A kind is one value: [`Finite`], [`Discrete`], [`MultiDiscrete`] or [`Continuous`]. What differs from kind
//! to kind is a [`PerKind`]; a [`ByKind`] holds one for each kind that is served, an [`AnyKind`] one of a kind
//! known at run time only. [`each_kind!`](crate::each_kind) and [`with_kind!`](crate::with_kind) visit them.
//!
//! ```
//! use gymnast_envs::{EnvOptions, Registry, Seed, VectorEnv as _, kind};
//!
//! let registry = Registry::builtin();
//! let spec = registry.spec("CartPole-v1")?;
//! let envs = spec.vector(kind::Discrete, 4, Seed::new(0), &EnvOptions::none());
//! assert_eq!(envs.expect("its actions are finite")?.num_envs(), 4);
//! assert!(!spec.serves(kind::Continuous));
//! # Ok::<(), gymnast_envs::EnvError>(())
//! ```

use crate::{ChoiceSpace, RowSpace, Space, VectorEnv, each_kind, space};

/// Environments of a kind, their types erased.
pub type Vector<K> = Box<dyn VectorEnv<<K as Kind>::Observation, <K as Kind>::Action>>;

/// One kind of control. The kinds are those of this module.
pub trait Kind: Copy + Send + Sync + 'static {
    /// What an agent sees.
    type Observation: Space;
    /// What an agent does.
    type Action: Space;
    /// The kind of the same actions whose observations networks read.
    type Rows: Kind<Observation = RowSpace, Action = Self::Action>;

    /// The kind of the same actions whose observations networks read.
    fn rows(self) -> Self::Rows;

    /// What an agent of the kind needs of an environment, in words.
    fn needs(self) -> &'static str;

    /// What is held for the kind. `None` where it is not served.
    fn get<T: PerKind>(self, all: &ByKind<T>) -> Option<&T::Of<Self>>;

    /// Holds something for the kind.
    fn set<T: PerKind>(self, all: &mut ByKind<T>, of: T::Of<Self>);

    /// Something of the kind as something of any kind.
    fn any<T: PerKind>(self, of: T::Of<Self>) -> AnyKind<T>;
}

/// What differs from kind to kind, in its types alone: how environments are made, for example.
pub trait PerKind {
    /// What it is for this kind.
    type Of<K: Kind>;
}

/// A kind is a row: its name, where a [`ByKind`] holds it, its spaces, its kind for networks and its needs.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $field:ident: $observation:ty, $action:ty, $rows:ident, $needs:literal;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $kind;

            impl Kind for $kind {
                type Observation = $observation;
                type Action = $action;
                type Rows = $rows;

                fn rows(self) -> $rows {
                    $rows
                }

                fn needs(self) -> &'static str {
                    $needs
                }

                fn get<T: PerKind>(self, all: &ByKind<T>) -> Option<&T::Of<Self>> {
                    all.$field.as_ref()
                }

                fn set<T: PerKind>(self, all: &mut ByKind<T>, of: T::Of<Self>) {
                    all.$field = Some(of);
                }

                fn any<T: PerKind>(self, of: T::Of<Self>) -> AnyKind<T> {
                    AnyKind::$kind(of)
                }
            }
        )+

        /// Something for each kind that is served.
        pub struct ByKind<T: PerKind> {
            $($field: Option<T::Of<$kind>>,)+
        }

        impl<T: PerKind> Default for ByKind<T> {
            /// Serves no kind.
            fn default() -> Self {
                Self { $($field: None,)+ }
            }
        }

        impl<T: PerKind> Clone for ByKind<T>
        where
            $(T::Of<$kind>: Clone,)+
        {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone(),)+ }
            }
        }

        /// Something of one kind, which is known at run time only.
        pub enum AnyKind<T: PerKind> {
            $($(#[$doc])* $kind(T::Of<$kind>),)+
        }
    };
}

kinds! {
    /// Finite observations and actions: tables.
    Finite finite: space::Discrete, space::Discrete, Discrete, "finite observations and actions";
    /// Finite actions, rows of numbers as observations.
    Discrete discrete: RowSpace, space::Discrete, Discrete, "finite actions";
    /// Several finite choices at a time, rows of numbers as observations.
    MultiDiscrete multi_discrete: RowSpace, ChoiceSpace, MultiDiscrete, "several finite choices at a time";
    /// Real-valued actions, rows of numbers as observations.
    Continuous continuous: RowSpace, RowSpace, Continuous, "real-valued actions";
}

impl<T: PerKind> ByKind<T> {
    /// The same with something for one more kind.
    #[must_use]
    pub fn with<K: Kind>(mut self, kind: K, of: T::Of<K>) -> Self {
        kind.set(&mut self, of);
        self
    }

    /// What is held for a kind. `None` where it is not served.
    pub fn get<K: Kind>(&self, kind: K) -> Option<&T::Of<K>> {
        kind.get(self)
    }

    /// What is [needed](Kind::needs) of an environment for each kind that is served.
    #[must_use]
    pub fn needs(&self) -> Vec<&'static str> {
        let mut needs = Vec::new();
        each_kind!(kind => if self.get(kind).is_some() {
            needs.push(kind.needs());
        });
        needs
    }
}

/// Does the same with each kind, in order: tables first.
#[macro_export]
macro_rules! each_kind {
    ($kind:ident => $body:expr) => {
        $crate::each_kind!(@ $kind, $body, Finite Discrete MultiDiscrete Continuous)
    };
    (@ $kind:ident, $body:expr, $($each:ident)+) => {
        $({
            let $kind = $crate::kind::$each;
            $body;
        })+
    };
}

/// Does the same with an [`AnyKind`](crate::kind::AnyKind), whichever kind it is of: `(kind, value) => …`.
#[macro_export]
macro_rules! with_kind {
    ($any:expr, ($kind:pat, $of:pat) => $body:expr) => {
        $crate::with_kind!(@ $any, $kind, $of, $body, Finite Discrete MultiDiscrete Continuous)
    };
    (@ $any:expr, $kind:pat, $of:pat, $body:expr, $($each:ident)+) => {
        match $any {
            $($crate::kind::AnyKind::$each($of) => {
                let $kind = $crate::kind::$each;
                $body
            })+
        }
    };
}
