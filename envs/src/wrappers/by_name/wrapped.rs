//! A registered environment inside wrappers.

use std::sync::Arc;

use super::{InEvaluation, Wrapper, WrapperSpec, boxed::MakeBoxed, spec::Slot};
use crate::{
    DynEnv, EnvError, EnvSpec, Space, SyncVectorEnv, VectorEnv, check_env, each_kind,
    erased::Seeded,
    error::WrapperMisfit,
    kind::{self, ByKind, Kind},
    spec::{Check, Make, MakeOne, Makers, MakersOf},
};

impl EnvSpec {
    /// Returns the wrappers around the environment, from the innermost outward.
    #[must_use]
    pub fn wrappers(&self) -> &[Wrapper] {
        &self.wrappers
    }

    /// Returns the name followed by those of the wrappers: `CartPole-v1 + FrameStack`.
    #[must_use]
    pub fn title(&self) -> String {
        let wrappers = self.wrappers.iter().map(|wrapper| wrapper.spec.name());
        std::iter::once(self.id()).chain(wrappers).collect::<Vec<_>>().join(" + ")
    }

    /// Returns the environment for evaluations, without the wrappers that change rewards
    /// ([`InEvaluation::LeftOut`]).
    #[must_use]
    pub fn for_evaluation(&self) -> &Self {
        self.evaluated.as_deref().unwrap_or(self)
    }

    /// Wraps the environment. A message about a misfit lists those of `known` that fit.
    pub(crate) fn wrapped(
        &self,
        wrappers: &[Wrapper],
        known: &[WrapperSpec],
    ) -> Result<Self, EnvError> {
        let mut spec = self.within(wrappers, known)?;
        let is_kept = |w: &&Wrapper| w.spec.in_evaluation() != InEvaluation::LeftOut;
        let kept: Vec<_> = wrappers.iter().filter(is_kept).cloned().collect();
        if kept.len() == wrappers.len() && self.evaluated.is_none() {
            return Ok(spec);
        }
        let mut evaluated = self.for_evaluation().within(&kept, known)?;
        if evaluated.makers.needs() != spec.makers.needs() {
            let reason = "left out of evaluations, so it must not change the kind of environment";
            return Err(EnvError::invalid_option("wrappers", reason.to_owned()));
        }
        evaluated.evaluated = None;
        spec.evaluated = Some(Arc::new(evaluated));
        Ok(spec)
    }

    fn within(&self, wrappers: &[Wrapper], known: &[WrapperSpec]) -> Result<Self, EnvError> {
        let mut spec = self.clone();
        for wrapper in wrappers {
            if !wrapper.spec.fits(&spec.makers) {
                return Err(misfit(&spec, &wrapper.spec, known));
            }
            spec.makers = Arc::new(wrapper.around(&spec.id, &spec.makers));
            spec.wrappers.push(wrapper.clone());
        }
        if wrappers.is_empty() {
            return Ok(spec);
        }
        // By itself it is of its first kind.
        each_kind!(kind => if let Some(makers) = spec.makers.get(kind) {
            (spec.make, spec.check) = one_of(&spec.id, &makers.single);
            return Ok(spec);
        });
        Ok(spec)
    }
}

impl Wrapper {
    /// Returns the constructors of wrapped environments, for each kind that the wrapper supports.
    fn around(&self, id: &str, inner: &ByKind<MakersOf>) -> ByKind<MakersOf> {
        let mut outer = ByKind::default();
        if let (Some(slot), Some(inner)) = (&self.spec.into_finite, inner.get(kind::Discrete)) {
            kind::Finite.set(&mut outer, makers(id, self.put(slot, &inner.single)));
        }
        each_kind!(kind => {
            if let (Some(slot), Some(inner)) = (self.spec.slots.get(kind), inner.get(kind)) {
                kind.set(&mut outer, makers(id, self.put(slot, &inner.single)));
            }
        });
        outer
    }

    /// Returns a constructor of wrapped environments.
    fn put<O: Space, A: Space, P: Space>(
        &self,
        slot: &Slot<O, A, P>,
        make: &MakeBoxed<O, A>,
    ) -> MakeBoxed<P, A> {
        let (slot, make, wrapper) = (slot.clone(), make.clone(), self.clone());
        Arc::new(move |options| {
            // Where it is a space that does not suit, the message must name the wrapper.
            slot(make(options)?, &wrapper.options).map_err(|error| match error {
                EnvError::Space(error) => {
                    EnvError::invalid_option(wrapper.spec.name(), error.to_string())
                }
                other => other,
            })
        })
    }
}

fn misfit(env: &EnvSpec, wrapper: &WrapperSpec, known: &[WrapperSpec]) -> EnvError {
    let fitting = known.iter().filter(|other| other.fits(&env.makers)).map(WrapperSpec::name);
    EnvError::WrapperMisfit(Box::new(WrapperMisfit {
        wrapper: wrapper.name().to_owned(),
        env: env.title(),
        needs: wrapper.needs(),
        got: env.makers.needs().join(" and "),
        fitting: fitting.collect::<Vec<_>>().join(", "),
    }))
}

/// Adds a constructor of vectors to one of single environments.
fn makers<O: Space, A: Space>(id: &str, single: MakeBoxed<O, A>) -> Makers<O, A> {
    let (id, make) = (id.to_owned(), single.clone());
    let vector: Make<Box<dyn VectorEnv<O, A>>> = Box::new(move |n, seed, options| {
        let envs = SyncVectorEnv::of(n, seed, || make(options))?;
        Ok(Box::new(envs.named(&id)))
    });
    Makers { vector, single }
}

fn one_of<O: Space, A: Space>(id: &str, make: &MakeBoxed<O, A>) -> (MakeOne, Check) {
    let (id, make, checked) = (id.to_owned(), make.clone(), make.clone());
    let one: MakeOne = Arc::new(move |seed, options| {
        Ok(Box::new(Seeded::new(&id, make(options)?, seed)) as Box<dyn DynEnv>)
    });
    (one, Arc::new(move |options| check_env(|| checked(options))))
}
