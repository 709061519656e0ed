//! The contents of a suite: runs and their demands.

use std::collections::BTreeMap;

use gymnast_harness::report::Demands;
use serde::Deserialize;
use toml::Value;

use crate::command::seeds::{self, MOST_SEEDS};

/// The number of seeds of a run if the suite does not set it.
const SEEDS: u32 = 10;

/// The suites that come with the command, by name.
pub(super) const BUILT_IN: [(&str, &str); 5] = [
    ("quick", include_str!("../../../docs/benchmarks/suites/quick.toml")),
    ("tabular", include_str!("../../../docs/benchmarks/suites/tabular.toml")),
    ("classic", include_str!("../../../docs/benchmarks/suites/classic.toml")),
    ("continuous", include_str!("../../../docs/benchmarks/suites/continuous.toml")),
    ("pixels", include_str!("../../../docs/benchmarks/suites/pixels.toml")),
];

/// The runs of a suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Suite {
    first_seed: Option<u32>,
    seeds: Option<u32>,
    pub(super) run: Vec<Item>,
}

/// One run and its demands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) agent: String,
    pub(super) env: String,
    /// Of the run's directory, where agent and environment do not tell it from another.
    pub(super) name: Option<String>,
    /// The wrappers, as `env.wrappers` in a configuration.
    pub(super) wrappers: Option<Value>,
    /// Other settings, by their names in `--set`.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Value>,
    pub(super) env_steps: u64,
    pub(super) eval_episodes: Option<u32>,
    first_seed: Option<u32>,
    seeds: Option<u32>,
    mean: Option<f64>,
    pub(super) reach: Option<f64>,
    within: Option<f64>,
    hold: Option<f64>,
    hold_share: Option<f64>,
    last_quarter_min: Option<f64>,
}

impl Suite {
    /// Checks the suite's seeds and demands: returns everything that is wrong.
    pub(super) fn problems(&self) -> Vec<String> {
        let of_item = |item: &Item| Some(format!("{}: {}", item.title(), item.check().err()?));
        check_count(self.seeds)
            .err()
            .into_iter()
            .chain(self.run.iter().filter_map(of_item))
            .collect()
    }

    /// Returns the seeds of a run: its own setting, else the suite's.
    pub(super) fn seeds_of(&self, item: &Item) -> Vec<u64> {
        let first = item.first_seed.or(self.first_seed).unwrap_or(0);
        let count = item.seeds.or(self.seeds).unwrap_or(SEEDS);
        seeds::from(first.into(), count as usize).expect("the sum of two u32 is no large seed")
    }
}

impl Item {
    pub(super) fn demands(&self) -> Demands {
        Demands {
            mean: self.mean,
            within: self.reach.zip(self.within),
            hold: self.hold.zip(self.hold_share),
            last_quarter_min: self.last_quarter_min,
        }
    }

    /// Returns what the run is called in messages.
    pub(super) fn title(&self) -> String {
        let name = self.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
        format!("{} in {}{name}", self.agent, self.env)
    }

    /// Rejects a demand that could not be judged.
    fn check(&self) -> Result<(), String> {
        check_count(self.seeds)?;
        for (name, demand, other, needed) in [
            ("within", self.within, "reach", self.reach),
            ("hold", self.hold, "hold_share", self.hold_share),
            ("hold_share", self.hold_share, "hold", self.hold),
        ] {
            if demand.is_some() && needed.is_none() {
                return Err(format!("{name} needs {other} too"));
            }
        }
        let share = self.hold_share.filter(|share| !(0.0..=1.0).contains(share));
        if let Some(share) = share {
            return Err(format!("hold_share = {share}: expected 0 to 1"));
        }
        let demands = [
            ("mean", self.mean),
            ("reach", self.reach),
            ("within", self.within),
            ("hold", self.hold),
            ("last_quarter_min", self.last_quarter_min),
        ];
        match demands.iter().find(|(_, demand)| demand.is_some_and(|x| !x.is_finite())) {
            Some((name, _)) => Err(format!("{name}: expected a finite number")),
            None => Ok(()),
        }
    }
}

fn check_count(seeds: Option<u32>) -> Result<(), String> {
    match seeds.filter(|count| !(1..=MOST_SEEDS).contains(&u64::from(*count))) {
        Some(count) => Err(format!("seeds = {count}: expected 1 to {MOST_SEEDS}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(text: &str) -> Suite {
        toml::from_str(text).unwrap()
    }

    const RUN: &str = "[[run]]\nagent = 'dqn'\nenv = 'CartPole-v1'\nenv_steps = 50000\n";

    #[test]
    fn a_run_s_own_seeds_win_over_those_of_the_suite() {
        let of = |text: String| {
            let suite = suite(&text);
            suite.seeds_of(&suite.run[0])
        };
        assert_eq!(of(RUN.to_owned()), (0..10).collect::<Vec<_>>());
        let both = format!("first_seed = 100\nseeds = 3\n{RUN}");
        assert_eq!(of(both.clone()), [100, 101, 102]);
        assert_eq!(of(format!("{both}seeds = 2\n")), [100, 101]);
        assert_eq!(of(format!("{both}first_seed = 7\n")), [7, 8, 9]);
    }

    #[test]
    fn a_demand_that_cannot_be_judged_is_refused() {
        for (line, part) in [
            ("within = 5", "within needs reach"),
            ("hold = 475", "hold needs hold_share"),
            ("hold_share = 0.9", "hold_share needs hold"),
            ("hold = 475\nhold_share = 90", "hold_share = 90: expected 0 to 1"),
            ("mean = nan", "mean: expected a finite number"),
            ("seeds = 0", "seeds = 0: expected 1 to 10000"),
        ] {
            let error = suite(&format!("{RUN}{line}\n")).problems().join(" ");
            assert!(error.contains(part), "{error}");
        }
        assert!(
            suite(&format!("{RUN}hold = 475\nhold_share = 0.9\nreach = 1\n")).problems().is_empty()
        );
    }

    #[test]
    fn the_suites_of_the_documentation_are_sound() {
        let scores = include_str!("../../../docs/benchmarks/scores.toml");
        for text in BUILT_IN.map(|(_, text)| text).into_iter().chain([scores]) {
            assert_eq!(suite(text).problems(), [""; 0]);
        }
    }
}
