//! A policy that flags observations unlike those it was trained on.

use std::cell::Cell;

use gymnast_core::{
    data::{DataError, StandardScaler, Table, Transformer as _},
    ood::{Mahalanobis, OodError, threshold_at_tpr},
    require,
};
use gymnast_envs::{FeatureSpace, Rng, Space};
use gymnast_harness::{AgentError, Mode, Policy};

use crate::networks::learned::write_features;

/// One of this number of observations is held out, to set the threshold.
const HELD_OUT: usize = 5;

/// A policy, and a detector of observations unlike those that it was trained on.
///
/// It acts as the policy does and counts what it flags; [`flags`](Self::flags) tells which. The detector
/// is a normal distribution of the observations' features
/// ([`Mahalanobis`](gymnast_core::ood::Mahalanobis)), each brought to mean 0 and standard deviation 1,
/// so it knows the spread of the features and their correlations, but not the gaps between observations.
pub struct NoveltyWatch<P, O> {
    policy: P,
    observation_space: O,
    scaler: StandardScaler,
    detector: Mahalanobis,
    threshold: f64,
    seen: Cell<u64>,
    flagged: Cell<u64>,
}

impl<P, O: FeatureSpace> NoveltyWatch<P, O> {
    /// Watches over a policy that was trained on these observations. Of observations like them about
    /// the share `tolerance` is flagged, 0.01 say; `shrinkage` as for
    /// [`Mahalanobis::fit`](gymnast_core::ood::Mahalanobis::fit).
    ///
    /// The last fifth of the observations sets the threshold, the others the detector. Give them in the
    /// order in which they were seen, of several episodes: the steps of one resemble each other, so that
    /// a threshold set by the very episodes that the detector learned from would flag more of new ones.
    ///
    /// # Errors
    /// [`OodError::Setting`] unless `tolerance` lies in [0, 1) and `shrinkage` in [0, 1], and for fewer
    /// than five observations; [`OodError::NotFinite`]; [`OodError::Singular`] where nothing was shrunk
    /// and a feature never varies, or there are no more observations to learn from than features.
    pub fn fit(
        policy: P,
        observation_space: O,
        observations: &[O::Element],
        tolerance: f64,
        shrinkage: f64,
    ) -> Result<Self, OodError> {
        require((0.0..1.0).contains(&tolerance), "tolerance", tolerance, "in [0, 1)")?;
        let rows = features(&observation_space, observations)?;
        let count = rows.len();
        require(count >= HELD_OUT, "the number of observations", count as f64, "at least 5")?;
        if let Some(place) = rows.values().iter().position(|x| !x.is_finite()) {
            let (row, column) = (place / rows.width(), place % rows.width());
            return Err(OodError::NotFinite { row, column, value: rows.values()[place] });
        }
        let learned = rows.len() - rows.len() / HELD_OUT;
        let [learned, held_out] =
            [0..learned, learned..rows.len()].map(|part| rows.select(&part.collect::<Vec<_>>()));
        let learned = learned?;
        let scaler = StandardScaler::fit(&learned)?;
        let learned = scaler.transform(&learned)?;
        let detector = Mahalanobis::fit(&learned, &vec![0; learned.len()], shrinkage)?;
        let scores = detector.scores(&scaler.transform(&held_out?)?)?;
        let threshold = threshold_at_tpr(&scores, 1.0 - tolerance)?;
        let (seen, flagged) = Default::default();
        Ok(Self { policy, observation_space, scaler, detector, threshold, seen, flagged })
    }

    /// Which observations are unlike those of the training; one that is not finite is.
    pub fn flags(&self, observations: &[O::Element]) -> Vec<bool> {
        let is_novel = |observation: &O::Element| {
            let row = features(&self.observation_space, std::slice::from_ref(observation));
            let row = row.and_then(|row| self.scaler.transform(&row));
            let score = row.map_err(OodError::from).and_then(|row| self.detector.scores(&row));
            score.map_or(true, |scores| scores[0] < self.threshold)
        };
        observations.iter().map(is_novel).collect()
    }

    /// The observations that it has acted on so far.
    pub fn seen(&self) -> u64 {
        self.seen.get()
    }

    /// Those among them that were flagged.
    pub fn flagged(&self) -> u64 {
        self.flagged.get()
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        &self.policy
    }
}

/// Observations as rows that a network would read.
fn features<O: FeatureSpace>(space: &O, observations: &[O::Element]) -> Result<Table, DataError> {
    let mut rows = Vec::new();
    write_features(space, observations, &mut rows);
    Table::new(rows, space.width())
}

impl<O: FeatureSpace, A: Space, P: Policy<O, A>> Policy<O, A> for NoveltyWatch<P, O> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        let novel = self.flags(observations).into_iter().filter(|&novel| novel).count();
        self.seen.set(self.seen.get() + observations.len() as u64);
        self.flagged.set(self.flagged.get() + novel as u64);
        self.policy.act(observations, mode, rng, actions)
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{BoxSpace, Discrete, Env as _, Seed, classic::CartPole};

    use super::*;
    use gymnast_core::SettingError;

    /// Keeps the pole upright, and the cart near the middle.
    struct Controller;

    impl Policy<BoxSpace<4>, Discrete> for Controller {
        fn act(
            &self,
            seen: &[[f32; 4]],
            _: Mode,
            _: &mut Rng,
            actions: &mut Vec<i64>,
        ) -> Result<(), AgentError> {
            let push = |[place, speed, angle, turning]: &[f32; 4]| {
                i64::from(0.1 * place + 0.2 * speed + angle + 0.4 * turning > 0.0)
            };
            actions.clear();
            actions.extend(seen.iter().map(push));
            Ok(())
        }
    }

    /// What the controller sees in some episodes of 200 steps.
    fn observations(episodes: u64) -> Vec<[f32; 4]> {
        let (mut pole, mut seen, mut actions) = (CartPole::default(), Vec::new(), Vec::new());
        for episode in 0..episodes {
            let mut rng = Seed::new(episode).rng();
            let mut observation = pole.reset(&mut rng).unwrap();
            for _ in 0..200 {
                seen.push(observation);
                Controller.act(&[observation], Mode::Exploit, &mut rng, &mut actions).unwrap();
                observation = pole.step(&actions[0], &mut rng).unwrap().observation;
            }
        }
        seen
    }

    fn watch(observations: &[[f32; 4]]) -> Result<NoveltyWatch<Controller, BoxSpace<4>>, OodError> {
        let space = CartPole::default().observation_space();
        NoveltyWatch::fit(Controller, space, observations, 0.01, 1e-3)
    }

    #[test]
    fn wild_states_are_flagged_and_known_ones_are_not() {
        let all = observations(20);
        let (trained, fresh) = all.split_at(15 * 200);
        let watch = watch(trained).unwrap();
        let known = watch.flags(fresh);
        let share = known.iter().filter(|&&novel| novel).count() as f64 / known.len() as f64;
        assert!(share < 0.05, "{share}");
        let wild = [
            [2.3, 0.0, 0.0, 0.0],
            [0.0, 3.0, 0.0, 0.0],
            [0.0, 0.0, 0.2, 0.0],
            [0.0, 0.0, 0.0, -3.0],
            [f32::NAN, 0.0, 0.0, 0.0],
        ];
        assert_eq!(watch.flags(&wild), [true; 5]);
        // It acts as the policy does, and counts.
        let (mut rng, mut watched, mut alone) = (Seed::new(0).rng(), Vec::new(), Vec::new());
        watch.act(&wild, Mode::Exploit, &mut rng, &mut watched).unwrap();
        watch.policy().act(&wild, Mode::Exploit, &mut rng, &mut alone).unwrap();
        assert_eq!(watched, alone);
        assert_eq!((watch.seen(), watch.flagged()), (5, 5));
    }

    #[test]
    fn the_last_fifth_sets_the_threshold() {
        // The last episode is wilder than those before: none of it is flagged.
        let mut seen = observations(5);
        seen[4 * 200..].iter_mut().flatten().for_each(|x| *x *= 10.0);
        let space = CartPole::default().observation_space();
        let watch = NoveltyWatch::fit(Controller, space, &seen, 0.0, 1e-3).unwrap();
        assert_eq!(watch.flags(&seen[4 * 200..]), [false; 200]);
    }

    #[test]
    fn features_of_any_unit_are_watched() {
        let mut seen = observations(10);
        let unit = |observation: &mut [f32; 4]| {
            observation[0] *= 1e4;
            observation[1] *= 1e-2;
        };
        seen.iter_mut().for_each(unit);
        let mut wild = [0.0, 3.0, 0.0, 0.0];
        unit(&mut wild);
        assert_eq!(watch(&seen).unwrap().flags(&[wild, [0.0; 4]]), [true, false]);
    }

    #[test]
    fn it_says_what_it_needs() {
        for few in [&[][..], &[[0.0; 4], [1.0; 4]], &[[0.0; 4]; 4]] {
            let error = watch(few).err().unwrap().to_string();
            let expected =
                format!("the number of observations must be at least 5, got {}", few.len());
            assert_eq!(error, expected);
        }
        assert!(matches!(watch(&[[f32::NAN; 4]; 5]), Err(OodError::NotFinite { .. })));
        let space = || CartPole::default().observation_space();
        let (still, some) = ([[0.5; 4]; 10], observations(1));
        let fit = |seen: &[[f32; 4]], tolerance, shrinkage| {
            NoveltyWatch::fit(Controller, space(), seen, tolerance, shrinkage).err().unwrap()
        };
        assert!(matches!(fit(&still, 0.01, 0.0), OodError::Singular { feature: 0, .. }));
        assert!(matches!(
            fit(&some, 1.0, 0.0),
            OodError::Setting(SettingError { key: "tolerance", .. })
        ));
        assert!(matches!(
            fit(&some, 0.1, 2.0),
            OodError::Setting(SettingError { key: "shrinkage", .. })
        ));
    }
}
