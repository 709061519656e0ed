//! A registered environment inside wrappers.

use std::sync::Arc;

use super::{
    BoxedEnv, InEvaluation, Wrapper, WrapperSpec,
    boxed::MakeBoxed,
    spec::{Slot, kinds},
};
use crate::{
    Discrete, DynEnv, EnvError, EnvSpec, RowSpace, Space, SyncVectorEnv, VectorEnv, check_env,
    erased::Seeded,
    spec::{Check, Make, MakeOne},
};

/// Makers of single environments, their types erased: one for each kind that an environment is of.
#[derive(Clone, Default)]
pub(crate) struct Singles {
    pub(crate) finite: Option<MakeBoxed<Discrete, Discrete>>,
    pub(crate) discrete: Option<MakeBoxed<RowSpace, Discrete>>,
    pub(crate) continuous: Option<MakeBoxed<RowSpace, RowSpace>>,
}

impl EnvSpec {
    /// The wrappers around the environment, from the innermost outward.
    #[must_use]
    pub fn wrappers(&self) -> &[Wrapper] {
        &self.wrappers
    }

    /// The name with those of the wrappers: `CartPole-v1 + FrameStack`.
    #[must_use]
    pub fn title(&self) -> String {
        let wrappers = self.wrappers.iter().map(|wrapper| wrapper.spec.name());
        std::iter::once(self.id()).chain(wrappers).collect::<Vec<_>>().join(" + ")
    }

    /// The environment as an evaluation plays it: without the wrappers that change rewards
    /// ([`InEvaluation::LeftOut`]), so that it reports the environment's own.
    #[must_use]
    pub fn for_evaluation(&self) -> &Self {
        self.evaluated.as_deref().unwrap_or(self)
    }

    /// The environment inside wrappers. `known` are those that a message names as fitting.
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
        if evaluated.singles.are() != spec.singles.are() {
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
            let inner = &spec.singles;
            let singles = inner.wrapped(wrapper);
            if singles.are() == [false; 3] {
                return Err(misfit(&spec, &wrapper.spec, known));
            }
            spec.singles = singles;
            spec.wrappers.push(wrapper.clone());
        }
        Ok(if wrappers.is_empty() { spec } else { spec.made_of_singles() })
    }

    /// The same with everything made of the single environments.
    fn made_of_singles(mut self) -> Self {
        let (id, singles) = (&self.id, &self.singles);
        let one = one_of(id, singles.finite.as_ref())
            .or_else(|| one_of(id, singles.discrete.as_ref()))
            .or_else(|| one_of(id, singles.continuous.as_ref()));
        self.finite = vectors_of(id, singles.finite.as_ref());
        self.discrete = vectors_of(id, singles.discrete.as_ref());
        self.continuous = vectors_of(id, singles.continuous.as_ref());
        if let Some((make, check)) = one {
            (self.make, self.check) = (make, check);
        }
        self
    }
}

impl Singles {
    /// Which of the kinds there are.
    fn are(&self) -> [bool; 3] {
        [self.finite.is_some(), self.discrete.is_some(), self.continuous.is_some()]
    }

    /// The same inside a wrapper, in each kind that it is for.
    fn wrapped(&self, wrapper: &Wrapper) -> Self {
        let spec = &wrapper.spec;
        let finite = around(spec.finite.as_ref(), self.finite.as_ref(), wrapper);
        let into_finite = || around(spec.into_finite.as_ref(), self.discrete.as_ref(), wrapper);
        Self {
            finite: finite.or_else(into_finite),
            discrete: around(spec.discrete.as_ref(), self.discrete.as_ref(), wrapper),
            continuous: around(spec.continuous.as_ref(), self.continuous.as_ref(), wrapper),
        }
    }
}

fn around<O: Space, A: Space, P: Space>(
    slot: Option<&Slot<O, A, P>>,
    make: Option<&MakeBoxed<O, A>>,
    wrapper: &Wrapper,
) -> Option<MakeBoxed<P, A>> {
    let (slot, make, wrapper) = (slot?.clone(), make?.clone(), wrapper.clone());
    Some(Arc::new(move |options| {
        // Where it is a space that does not suit, the message must name the wrapper.
        slot(make(options)?, &wrapper.options).map_err(|error| match error {
            EnvError::Space(error) => {
                EnvError::invalid_option(wrapper.spec.name(), error.to_string())
            }
            other => other,
        })
    }))
}

fn misfit(env: &EnvSpec, wrapper: &WrapperSpec, known: &[WrapperSpec]) -> EnvError {
    let fits = |other: &&WrapperSpec| {
        let EnvSpec { singles, .. } = env;
        other.finite.is_some() && singles.finite.is_some()
            || (other.discrete.is_some() || other.into_finite.is_some())
                && singles.discrete.is_some()
            || other.continuous.is_some() && singles.continuous.is_some()
    };
    let fitting: Vec<_> = known.iter().filter(fits).map(WrapperSpec::name).collect();
    EnvError::WrapperMisfit {
        wrapper: wrapper.name().to_owned(),
        env: env.title(),
        needs: wrapper.needs(),
        got: kinds(env.singles.are()).replace(", or ", " and "),
        fitting: fitting.join(", "),
    }
}

fn vectors_of<O: Space, A: Space>(
    id: &str,
    make: Option<&MakeBoxed<O, A>>,
) -> Option<Make<Box<dyn VectorEnv<O, A>>>> {
    let (id, make) = (id.to_owned(), make?.clone());
    Some(Arc::new(move |n, seed, options| {
        let envs = SyncVectorEnv::of(n, seed, || make(options))?;
        Ok(Box::new(envs.named(&id)))
    }))
}

fn one_of<O: Space, A: Space>(
    id: &str,
    make: Option<&MakeBoxed<O, A>>,
) -> Option<(MakeOne, Check)> {
    let (id, make) = (id.to_owned(), make?.clone());
    let checked = make.clone();
    Some((
        Arc::new(move |seed, options| {
            let env: BoxedEnv<O, A> = make(options)?;
            Ok(Box::new(Seeded::new(&id, env, seed)) as Box<dyn DynEnv>)
        }),
        Arc::new(move |options| check_env(|| checked(options))),
    ))
}
