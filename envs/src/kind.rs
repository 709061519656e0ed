//! Kinds of control: the spaces shared by agents and environments chosen by name.
//!
//! The kinds are [`Finite`], [`Discrete`], [`MultiDiscrete`] and [`Continuous`]. [`PerKind`] is
//! data that depends on the kind. A [`ByKind`] holds it for each supported kind, an [`AnyKind`] for
//! one kind known only at run time. [`each_kind!`](crate::each_kind) and
//! [`with_kind!`](crate::with_kind) visit them.
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

/// A vector of environments of a kind, with their types erased.
pub type Vector<K> = Box<dyn VectorEnv<<K as Kind>::Observation, <K as Kind>::Action>>;

/// One kind of control. Its values are the kinds of this module.
pub trait Kind: Copy + Send + Sync + 'static {
    /// The space of observations.
    type Observation: Space;
    /// The space of actions.
    type Action: Space;
    /// The kind with the same actions and observations for networks.
    type Rows: Kind<Observation = RowSpace, Action = Self::Action>;

    /// Returns the kind with the same actions and observations for networks.
    fn rows(self) -> Self::Rows;

    /// Returns the observations and actions that an agent of this kind needs, in words.
    fn needs(self) -> &'static str;

    /// Returns the data of this kind. `None` if the kind is not supported.
    fn get<T: PerKind>(self, all: &ByKind<T>) -> Option<&T::Of<Self>>;

    /// Sets the data of this kind.
    fn set<T: PerKind>(self, all: &mut ByKind<T>, of: T::Of<Self>);

    /// Wraps data of this kind as data of any kind.
    fn any<T: PerKind>(self, of: T::Of<Self>) -> AnyKind<T>;
}

/// Data whose type depends on the kind, for example how environments are created.
pub trait PerKind {
    /// The type of the data for this kind.
    type Of<K: Kind>;
}

/// Defines the kinds, one per row: name, field of a [`ByKind`], spaces, kind for networks, needs.
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

        /// Data for each supported kind.
        pub struct ByKind<T: PerKind> {
            $($field: Option<T::Of<$kind>>,)+
        }

        impl<T: PerKind> Default for ByKind<T> {
            /// Supports no kind.
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

        /// Data of one kind known only at run time.
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
    /// Adds the data of one more kind.
    #[must_use]
    pub fn with<K: Kind>(mut self, kind: K, of: T::Of<K>) -> Self {
        kind.set(&mut self, of);
        self
    }

    /// Returns the data of a kind. `None` if the kind is not supported.
    pub fn get<K: Kind>(&self, kind: K) -> Option<&T::Of<K>> {
        kind.get(self)
    }

    /// Returns what each supported kind [needs](Kind::needs) of an environment.
    #[must_use]
    pub fn needs(&self) -> Vec<&'static str> {
        let mut needs = Vec::new();
        each_kind!(kind => if self.get(kind).is_some() {
            needs.push(kind.needs());
        });
        needs
    }
}

/// Repeats the same code for each kind, in order: tables first.
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

/// Runs the same code for an [`AnyKind`](crate::kind::AnyKind) of any kind: `(kind, value) => …`.
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
