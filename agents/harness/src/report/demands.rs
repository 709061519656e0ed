//! Checks whether a run meets demands: yes, no, or too few seeds to tell.
//!
//! A demand on a mean or a median over seeds is compared with its 95 % interval, so that a few
//! lucky seeds do not decide. A mean has Student's t interval; a median has the interval between
//! two of its order statistics, which needs at least six seeds.

use std::fmt;

use gymnast_core::statistics::{
    StatisticsError, censored_median, mean_interval, median_interval, sample_size,
    steps_to_threshold,
};
use serde::Serialize;

use super::{CONFIDENCE, Estimate, RunResults, SeedResults};

/// The demands on a run; `None`: no such demand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands {
    /// The least mean of the final returns.
    pub mean: Option<f64>,
    /// The median seed has an evaluation of at least `.0` within `.1` env steps.
    pub within: Option<(f64, f64)>,
    /// The median over seeds of the fraction of evaluations that reach `.0` is at least `.1`.
    pub hold: Option<(f64, f64)>,
    /// The least evaluation allowed after three quarters of the training, in any seed.
    pub last_quarter_min: Option<f64>,
}

/// Whether a demand is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Met: the whole interval is on the demanded side.
    Yes,
    /// Not met: the whole interval is on the other side.
    No,
    /// Undecided: the demand lies within the interval, or there are too few seeds for one.
    CannotTell,
}

/// The result for one demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// The value demanded.
    pub demanded: f64,
    /// The value found, with its interval over seeds if there is one. `None` if the statistic is
    /// unknown, such as a median of steps that most seeds did not reach.
    pub found: Option<Estimate>,
    /// Whether the demand is met.
    pub verdict: Verdict,
    /// The number of seeds that would make the interval narrow enough, if further seeds vary like
    /// these; `None` if no more are needed or the number is unknown.
    pub seeds_needed: Option<usize>,
}

/// The results for all demands; `None` without such a demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// For the mean final return.
    pub mean: Option<Judged>,
    /// For the env steps to a return.
    pub within: Option<Judged>,
    /// For the fraction of evaluations that reach a return.
    pub hold: Option<Judged>,
    /// For the lowest evaluation in the last quarter.
    pub last_quarter_min: Option<Judged>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::CannotTell => "cannot tell",
        })
    }
}

impl Demands {
    /// Compares a run with the demands. Seeds without evaluations do not count. If seeds ended
    /// after different env steps, only `within` can be decided.
    ///
    /// # Errors
    /// [`StatisticsError::Empty`] if no seed was evaluated; [`StatisticsError::Undefined`] for
    /// returns that are not finite, [`StatisticsError::Order`] for env steps that do not increase.
    pub fn judge(&self, run: &RunResults) -> Result<Judgement, StatisticsError> {
        let seeds: Vec<_> = run.seeds.iter().filter(|seed| !seed.evaluations.is_empty()).collect();
        if seeds.is_empty() {
            return Err(StatisticsError::Empty);
        }
        // Seeds that ended after more or fewer steps are no sample of one thing.
        let ends = seeds.iter().filter_map(|seed| seed.evaluations.last()).map(|e| e.env_step);
        let is_even = ends.clone().min() == ends.max();
        let at_one_end = |judged: Judged| {
            if is_even {
                return judged;
            }
            Judged { verdict: Verdict::CannotTell, seeds_needed: None, ..judged }
        };
        let mean = self.mean.map(|demanded| judge_mean(&seeds, demanded)).transpose()?;
        let hold = self.hold.map(|demand| judge_hold(&seeds, demand)).transpose()?;
        let last_quarter_min =
            self.last_quarter_min.map(|demanded| judge_last_quarter(&seeds, demanded));
        Ok(Judgement {
            mean: mean.map(at_one_end),
            within: self.within.map(|demand| judge_within(&seeds, demand)).transpose()?,
            hold: hold.map(at_one_end),
            last_quarter_min: last_quarter_min.transpose()?.map(at_one_end),
        })
    }
}

impl Judgement {
    /// Returns whether all demands are met; `None` without demands.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        let verdicts: Vec<_> = self.all().map(|judged| judged.verdict).collect();
        let found = |verdict| verdicts.contains(&verdict).then_some(verdict);
        found(Verdict::No).or(found(Verdict::CannotTell)).or(found(Verdict::Yes))
    }

    /// Returns the number of seeds that would decide all undecided demands; `None` if it is unknown
    /// for one.
    #[must_use]
    pub fn seeds_needed(&self) -> Option<usize> {
        let open = self.all().filter(|judged| judged.verdict == Verdict::CannotTell);
        open.map(|judged| judged.seeds_needed).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    fn all(&self) -> impl Iterator<Item = &Judged> {
        [&self.mean, &self.within, &self.hold, &self.last_quarter_min].into_iter().flatten()
    }
}

fn judge_mean(seeds: &[&SeedResults], demanded: f64) -> Result<Judged, StatisticsError> {
    let last = seeds.iter().filter_map(|seed| seed.evaluations.last());
    let finals: Vec<f64> = last.map(|evaluation| evaluation.mean_return).collect();
    let interval = match mean_interval(&finals, CONFIDENCE) {
        Err(StatisticsError::TooFew { .. }) => None,
        interval => Some(interval?),
    };
    let Some(interval) = interval else {
        let found = Some(Estimate { estimate: finals[0], low: None, high: None });
        return Ok(Judged { demanded, found, verdict: Verdict::CannotTell, seeds_needed: Some(2) });
    };
    let estimate = interval.estimate;
    let verdict = verdict(interval.low, interval.high, demanded);
    let needed = || sample_size(&finals, (estimate - demanded).abs(), CONFIDENCE);
    Ok(Judged {
        demanded,
        found: Some(Estimate { estimate, low: Some(interval.low), high: Some(interval.high) }),
        verdict,
        seeds_needed: (verdict == Verdict::CannotTell).then(needed).flatten(),
    })
}

fn judge_within(
    seeds: &[&SeedResults],
    (threshold, within): (f64, f64),
) -> Result<Judged, StatisticsError> {
    let steps = |seed: &&SeedResults| Ok(steps_to_threshold(&seed.curve()?, threshold).first);
    let steps = seeds.iter().map(steps).collect::<Result<Vec<_>, StatisticsError>>()?;
    // Fewer steps are better: the demand is turned round.
    let mut judged = judge_median(&steps, within, |low, high| verdict(-high, -low, -within))?;
    let ended_early = |(seed, step): (&&SeedResults, &Option<f64>)| {
        let end = seed.evaluations.last().map_or(0.0, |last| last.env_step as f64);
        step.is_none() && end < within
    };
    if judged.verdict == Verdict::No && seeds.iter().zip(&steps).any(ended_early) {
        judged.verdict = Verdict::CannotTell;
    }
    Ok(judged)
}

fn judge_hold(
    seeds: &[&SeedResults],
    (level, demanded): (f64, f64),
) -> Result<Judged, StatisticsError> {
    let share = |seed: &&SeedResults| {
        let reached = seed.evaluations.iter().filter(|e| e.mean_return >= level).count();
        Some(reached as f64 / seed.evaluations.len() as f64)
    };
    let shares: Vec<_> = seeds.iter().map(share).collect();
    judge_median(&shares, demanded, |low, high| verdict(low, high, demanded))
}

/// It is said of these seeds alone, so that nothing is left to doubt.
fn judge_last_quarter(seeds: &[&SeedResults], demanded: f64) -> Result<Judged, StatisticsError> {
    let of_seed = |seed: &&SeedResults| {
        let end = seed.evaluations.last().map_or(0.0, |last| last.env_step as f64);
        let late = seed.evaluations.iter().filter(move |e| e.env_step as f64 > 0.75 * end);
        late.map(|evaluation| evaluation.mean_return).collect::<Vec<_>>()
    };
    let returns: Vec<f64> = seeds.iter().flat_map(of_seed).collect();
    if returns.iter().any(|x| !x.is_finite()) {
        return Err(StatisticsError::Undefined);
    }
    let least = returns.into_iter().reduce(f64::min).ok_or(StatisticsError::Empty)?;
    let verdict = if least >= demanded { Verdict::Yes } else { Verdict::No };
    let found = Some(Estimate { estimate: least, low: None, high: None });
    Ok(Judged { demanded, found, verdict, seeds_needed: None })
}

/// Judges a median of which some values may lie beyond all others.
fn judge_median(
    values: &[Option<f64>],
    demanded: f64,
    verdict: impl Fn(f64, f64) -> Verdict,
) -> Result<Judged, StatisticsError> {
    let estimate = censored_median(values);
    let found = |low, high| estimate.map(|estimate| Estimate { estimate, low, high });
    match median_interval(values, CONFIDENCE) {
        Ok(interval) => Ok(Judged {
            demanded,
            found: found(interval.low, interval.high),
            verdict: verdict(
                interval.low.unwrap_or(f64::INFINITY),
                interval.high.unwrap_or(f64::INFINITY),
            ),
            seeds_needed: None,
        }),
        Err(StatisticsError::TooFew { needed, .. }) => Ok(Judged {
            demanded,
            found: found(None, None),
            verdict: Verdict::CannotTell,
            seeds_needed: Some(needed),
        }),
        Err(error) => Err(error),
    }
}

/// Whether an interval lies at or above a demand.
fn verdict(low: f64, high: f64, demanded: f64) -> Verdict {
    match () {
        () if low >= demanded => Verdict::Yes,
        () if high < demanded => Verdict::No,
        () => Verdict::CannotTell,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Returns, tests::seed},
        *,
    };

    /// Seeds whose evaluations, at the env steps 100, 200 …, are these.
    fn run(returns: &[&[f64]]) -> RunResults {
        let seeds = returns.iter().zip(0..).map(|(returns, i)| seed(i, returns)).collect();
        let [run, agent, env] = ["run", "dqn", "CartPole-v1"].map(str::to_owned);
        RunResults {
            run,
            agent,
            env,
            returns: Returns::Evaluation,
            threshold: None,
            reference: None,
            seeds,
        }
    }

    fn judge(demands: &Demands, returns: &[&[f64]]) -> Judgement {
        demands.judge(&run(returns)).unwrap()
    }

    fn mean(demanded: f64, finals: &[f64]) -> Judged {
        let seeds: Vec<Vec<f64>> = finals.iter().map(|&x| vec![x]).collect();
        let seeds: Vec<&[f64]> = seeds.iter().map(Vec::as_slice).collect();
        judge(&Demands { mean: Some(demanded), ..Demands::default() }, &seeds).mean.unwrap()
    }

    #[test]
    fn a_mean_is_held_against_its_interval() {
        // Mean 2, s = 1, t(2) = 4.303: from −0.484 to 4.484.
        let finals = [1.0, 2.0, 3.0];
        assert_eq!(mean(-0.5, &finals).verdict, Verdict::Yes);
        assert_eq!(mean(4.5, &finals).verdict, Verdict::No);
        let open = mean(1.5, &finals);
        // A half width of 0.5 takes 18 seeds: 2.110 / √18.
        assert_eq!((open.verdict, open.seeds_needed), (Verdict::CannotTell, Some(18)));
        assert_eq!(mean(2.0, &finals).seeds_needed, None);
        // All at the ceiling: nothing is left to doubt.
        assert_eq!(mean(500.0, &[500.0; 10]).verdict, Verdict::Yes);
        assert_eq!(mean(500.1, &[500.0; 10]).verdict, Verdict::No);
        let one = mean(1.0, &[500.0]);
        assert_eq!((one.verdict, one.seeds_needed), (Verdict::CannotTell, Some(2)));
        assert_eq!(one.found.unwrap().low, None);
    }

    #[test]
    fn a_median_of_steps_is_held_against_its_ranks() {
        let within = |limit: f64, returns: &[&[f64]]| {
            let demands = Demands { within: Some((10.0, limit)), ..Demands::default() };
            judge(&demands, returns).within.unwrap()
        };
        let (soon, late, never): (&[f64], &[f64], &[f64]) =
            (&[10.0, 0.0, 0.0], &[0.0, 10.0, 0.0], &[0.0, 0.0, 0.0]);
        // Of six seeds the interval reaches from the least to the greatest.
        assert_eq!(within(100.0, &[soon; 6]).verdict, Verdict::Yes);
        assert_eq!(within(100.0, &[late; 6]).verdict, Verdict::No);
        assert_eq!(within(200.0, &[soon, late, soon, late, soon, late]).verdict, Verdict::Yes);
        let split = within(100.0, &[soon, soon, soon, soon, soon, late]);
        assert_eq!((split.verdict, split.found.unwrap().estimate), (Verdict::CannotTell, 100.0));
        // Who never reached it took longer than the training.
        let none = within(200.0, &[never; 6]);
        assert_eq!((none.verdict, none.found), (Verdict::No, None));
        assert_eq!(
            within(200.0, &[soon, soon, soon, soon, never, never]).verdict,
            Verdict::CannotTell
        );
        // But not longer than what is demanded, where the training ended before that.
        assert_eq!(within(400.0, &[never; 6]).verdict, Verdict::CannotTell);
        let five = within(100.0, &[soon; 5]);
        assert_eq!((five.verdict, five.seeds_needed), (Verdict::CannotTell, Some(6)));
    }

    #[test]
    fn holding_is_a_share_of_all_evaluations() {
        let hold = |share: f64, returns: &[&[f64]]| {
            let demands = Demands { hold: Some((475.0, share)), ..Demands::default() };
            judge(&demands, returns).hold.unwrap()
        };
        let (three, four): (&[f64], &[f64]) =
            (&[0.0, 475.0, 480.0, 500.0], &[475.0, 475.0, 475.0, 475.0]);
        let found = hold(0.75, &[three; 6]);
        assert_eq!((found.verdict, found.found.unwrap().estimate), (Verdict::Yes, 0.75));
        assert_eq!(hold(0.76, &[three; 6]).verdict, Verdict::No);
        let split = hold(0.8, &[three, four, three, four, three, four]);
        assert_eq!(split.verdict, Verdict::CannotTell);
        assert_eq!(split.found.unwrap().estimate, 0.875);
    }

    #[test]
    fn seeds_that_ended_at_unlike_steps_are_not_averaged() {
        let demands = Demands {
            mean: Some(1.0),
            within: Some((10.0, 200.0)),
            hold: Some((10.0, 0.1)),
            last_quarter_min: Some(1.0),
        };
        let (short, long): (&[f64], &[f64]) = (&[0.0, 10.0], &[0.0, 10.0, 10.0]);
        let even = judge(&demands, &[long; 6]);
        assert_eq!(even.verdict(), Some(Verdict::Yes));
        let uneven = judge(&demands, &[long, long, long, long, long, short]);
        let of = |judged: Option<Judged>| (judged.unwrap().verdict, judged.unwrap().seeds_needed);
        for judged in [uneven.mean, uneven.hold, uneven.last_quarter_min] {
            assert_eq!(of(judged), (Verdict::CannotTell, None));
        }
        // By then all had come so far.
        assert_eq!(of(uneven.within), (Verdict::Yes, None));
    }

    #[test]
    fn no_seed_falls_in_its_last_quarter() {
        let least = |demanded: f64, returns: &[&[f64]]| {
            let demands = Demands { last_quarter_min: Some(demanded), ..Demands::default() };
            let judged = judge(&demands, returns).last_quarter_min.unwrap();
            (judged.verdict, judged.found.unwrap().estimate)
        };
        // Of eight evaluations the last two lie after three quarters; the sixth is at three quarters.
        let seeds: [&[f64]; 2] = [
            &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 400.0, 500.0],
            &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 450.0, 420.0],
        ];
        assert_eq!(least(400.0, &seeds), (Verdict::Yes, 400.0));
        assert_eq!(least(401.0, &seeds), (Verdict::No, 400.0));
    }

    #[test]
    fn the_verdict_is_that_of_the_weakest() {
        let demands = |mean, least| Demands {
            mean: Some(mean),
            last_quarter_min: Some(least),
            ..Demands::default()
        };
        let returns: &[&[f64]] = &[&[1.0], &[2.0], &[3.0]];
        let verdict = |mean, least| judge(&demands(mean, least), returns).verdict();
        assert_eq!(verdict(-1.0, 0.0), Some(Verdict::Yes));
        assert_eq!(verdict(1.5, 0.0), Some(Verdict::CannotTell));
        assert_eq!(verdict(1.5, 2.0), Some(Verdict::No));
        assert_eq!(judge(&demands(1.5, 0.0), returns).seeds_needed(), Some(18));
        assert_eq!(judge(&Demands::default(), returns).verdict(), None);
        assert_eq!(Demands::default().judge(&run(&[])), Err(StatisticsError::Empty));
        let nan: &[&[f64]] = &[&[f64::NAN], &[1.0]];
        let demands = demands(0.0, 0.0);
        assert_eq!(demands.judge(&run(nan)), Err(StatisticsError::Undefined));
    }
}
