//! Checks an environment against what agents rely on (Gymnasium's `check_env`).

mod capabilities;
mod dynamics;
mod play;
mod report;
mod seeds;
mod spaces;

pub use report::{Check, CheckReport, Finding, Severity};

use crate::{Env, EnvError, catch_panic};
use play::Trouble;

/// Makes the environment under test, afresh each time.
type Make<'a, E> = &'a dyn Fn() -> Result<E, EnvError>;

/// Whether a check applies to the environment.
enum Checked {
    Done,
    NotOffered,
}

type Run<E> = fn(Make<'_, E>, &mut CheckReport) -> Result<Checked, Trouble>;

/// Plays the environment that `make` creates with random actions, and reports each problem with
/// advice for its author.
///
/// Every check plays its own environments, so `make` is called many times. A panic inside the
/// environment becomes a finding (its message still goes to standard error).
///
/// ```
/// use gymnast_envs::{check_env, classic::CartPole};
///
/// let report = check_env(|| Ok(CartPole::default()));
/// assert!(report.is_ok(), "{report}");
/// ```
pub fn check_env<E: Env>(make: impl Fn() -> Result<E, EnvError>) -> CheckReport {
    let mut report = CheckReport { findings: vec![], checks_run: vec![], steps_per_second: None };
    for (checks, run) in checks::<E>() {
        let ran = catch_panic(|| run(&make, &mut report));
        let check = checks[0];
        match ran {
            Ok(Ok(Checked::NotOffered)) => continue,
            Ok(Ok(Checked::Done)) => {}
            Ok(Err(trouble)) => report.error(check, trouble.problem, trouble.advice),
            Err(message) => report.error(
                check,
                format!("the environment panicked: {message}"),
                "Return an `EnvError` if the caller is at fault, and fix other panics: the \
                 panic's location is on standard error.",
            ),
        }
        report.checks_run.extend(checks);
        // Without an environment there is nothing to check.
        if check == Check::Construction && !report.is_ok() {
            break;
        }
    }
    report
}

/// Every check, those that one episode serves together.
fn checks<E: Env>() -> Vec<(Vec<Check>, Run<E>)> {
    use Check as C;
    vec![
        (vec![C::Construction], |make, _| {
            play::made(make)?;
            Ok(Checked::Done)
        }),
        (vec![C::SpaceBounds], spaces::bounds::<E>),
        (vec![C::SpaceSamples], spaces::samples::<E>),
        (vec![C::ResetObservations], dynamics::resets::<E>),
        (
            vec![C::StepObservations, C::SampledActions, C::Rewards, C::EpisodeEnd],
            dynamics::steps::<E>,
        ),
        (vec![C::OutsideActions], dynamics::outside_actions::<E>),
        (vec![C::ResetAnyTime], dynamics::reset_any_time::<E>),
        (vec![C::ConstantSpaces], spaces::constant::<E>),
        (vec![C::SameSeed], seeds::same::<E>),
        (vec![C::DifferentSeeds], seeds::different::<E>),
        (vec![C::CleanReset], seeds::clean_reset::<E>),
        (vec![C::SaveRestore], capabilities::save_restore::<E>),
        (vec![C::StateRoundTrip], capabilities::state::<E>),
        (vec![C::TransitionModel], capabilities::model::<E>),
        (vec![C::Rendering], capabilities::rendering::<E>),
        (vec![C::Speed], dynamics::speed::<E>),
    ]
}
