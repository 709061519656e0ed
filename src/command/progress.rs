//! Progress bars: steps per second, the return and the time left. Without a terminal, one line per
//! minute.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant},
};

use gymnast_core::text::escape_controls;
use gymnast_envs::Restored;
use gymnast_harness::{
    Callback, Episode, Evaluation, Flow, Progress, ProgressDisplay, SeedDisplay, Summary,
    restart_warning,
};
use indicatif::{
    HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState,
    ProgressStyle,
};

const TEMPLATE: &str =
    "{prefix:>8} {bar:24} {percent:>3}% {human_pos}/{human_len} steps{speed}{msg}{left}";
/// With the name of a run in front there is less room.
const LABELLED: &str = "{prefix} {bar:8} {percent:>3}%{speed}{msg}";
/// The number of training episodes averaged in the shown return.
const SHOWN_EPISODES: usize = 100;
/// The time between two lines of a seed if no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// A progress bar for each seed, on standard error. If that is not a terminal or cannot move its
/// cursor (`TERM=dumb`), each seed writes one line per minute and one at its end.
#[derive(Clone, Debug)]
pub struct ProgressBars {
    bars: Option<MultiProgress>,
    is_terminal: bool,
    /// Stands before each seed; empty where there is one run only.
    label: String,
}

impl ProgressBars {
    /// Creates bars on standard error.
    #[must_use]
    pub fn on_stderr() -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let target =
            if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = Some(MultiProgress::with_draw_target(target));
        Self { bars, is_terminal, label: String::new() }
    }

    /// Creates a display that shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self { bars: None, is_terminal: false, label: String::new() }
    }

    /// Creates bars on standard error, or none if they are not wanted.
    pub(super) fn unless(is_quiet: bool) -> Self {
        if is_quiet { Self::hidden() } else { Self::on_stderr() }
    }

    /// Returns the same display, for seeds of this run.
    pub(super) fn labelled(&self, run: &str) -> Self {
        Self { label: format!("{run} "), ..self.clone() }
    }

    /// Shows a line above the bars, or nothing if they are hidden.
    pub(super) fn say(&self, line: &str) {
        if self.bars.is_some() {
            self.warn(line);
        }
    }
}

impl ProgressDisplay for ProgressBars {
    fn begin(&self, seed: u64, env_steps: u64) -> Box<dyn SeedDisplay> {
        let bar = match &self.bars {
            Some(bars) => bars.add(ProgressBar::new(env_steps)),
            None => ProgressBar::hidden(),
        };
        let template = if self.label.is_empty() { TEMPLATE } else { LABELLED };
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        let speed = |state: &ProgressState, out: &mut dyn fmt::Write| {
            // An error means that the bar cannot be written to, which does no harm.
            let _ = out.write_str(&speed(state.per_sec()));
        };
        let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let remaining = state.len().unwrap_or(0).saturating_sub(state.pos());
            let _ = out.write_str(&left(remaining, state.per_sec()));
        };
        let style = style.progress_chars("━╸ ").with_key("speed", speed).with_key("left", left);
        bar.set_style(style);
        bar.set_prefix(format!("{}seed {seed}", self.label));
        let standing = Arc::new(Mutex::new(Standing::new(&self.label, seed, env_steps)));
        let lines = (self.bars.is_some() && !self.is_terminal)
            .then(|| Lines::begin(LINE_EVERY, Arc::clone(&standing), |line| super::say(&line)));
        // Drawing takes longer than a step of a small environment: a thousand times per run is
        // enough.
        let every = env_steps.div_ceil(1000).min(10_000);
        let returns = VecDeque::with_capacity(SHOWN_EPISODES);
        let bars = self.clone();
        let evaluated = None;
        Box::new(Bar {
            seed,
            bars,
            bar,
            every,
            next: 0,
            returns,
            evaluated,
            standing,
            _lines: lines,
        })
    }

    fn warn(&self, line: &str) {
        match &self.bars {
            Some(bars) if self.is_terminal => {
                drop(bars.println(escape_controls(&format!("{}{line}", self.label))));
            }
            _ => super::say(&format!("{}{line}", self.label)),
        }
    }
}

/// The speed as text; empty while it is unknown.
fn speed(per_s: f64) -> String {
    match per_s {
        x if !x.is_finite() || x < 0.05 => String::new(),
        x if x < 10.0 => format!("  {x:.1}/s"),
        x => format!("  {}/s", HumanCount(x as u64)),
    }
}

/// The time left as text; empty while it is unknown or less than a second.
fn left(env_steps: u64, per_s: f64) -> String {
    let seconds = env_steps as f64 / per_s;
    if !(1.0..1e9).contains(&seconds) {
        return String::new();
    }
    format!("  {} left", HumanDuration(Duration::from_secs(seconds as u64)))
}

/// The progress of a seed's training, for lines.
struct Standing {
    label: String,
    seed: u64,
    env_steps: u64,
    total_env_steps: u64,
    message: String,
    /// When training began or resumed, and after how many env steps.
    begun: Option<(Instant, u64)>,
}

impl Standing {
    fn new(label: &str, seed: u64, total_env_steps: u64) -> Self {
        let label = label.to_owned();
        Self { label, seed, env_steps: 0, total_env_steps, message: String::new(), begun: None }
    }

    fn line(&self, now: Instant) -> String {
        let Self { label, seed, env_steps, total_env_steps, message, begun } = self;
        let percent = 100.0 * *env_steps as f64 / (*total_env_steps).max(1) as f64;
        let per_s = begun.map_or(0.0, |(begun, before)| {
            env_steps.saturating_sub(before) as f64 / now.duration_since(begun).as_secs_f64()
        });
        let (speed, left) = (speed(per_s), left(total_env_steps.saturating_sub(*env_steps), per_s));
        format!(
            "{label}seed {seed}: {}/{} steps ({percent:.0} %){speed}{message}{left}",
            HumanCount(*env_steps),
            HumanCount(*total_env_steps)
        )
    }
}

/// A thread that writes a line from time to time, however long a step takes. It ends when this is
/// dropped.
struct Lines {
    _end: Sender<()>,
}

impl Lines {
    fn begin(
        every: Duration,
        standing: Arc<Mutex<Standing>>,
        write: impl Fn(String) + Send + 'static,
    ) -> Self {
        let (end, ended) = channel();
        std::thread::spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let line = lock(&standing).line(Instant::now());
                write(line);
            }
        });
        Self { _end: end }
    }
}

/// Locks the progress. It is consistent after every assignment, so a panic elsewhere does no harm.
fn lock(standing: &Mutex<Standing>) -> MutexGuard<'_, Standing> {
    standing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bar of one seed.
struct Bar {
    seed: u64,
    bars: ProgressBars,
    bar: ProgressBar,
    every: u64,
    next: u64,
    returns: VecDeque<f64>,
    evaluated: Option<f64>,
    standing: Arc<Mutex<Standing>>,
    _lines: Option<Lines>,
}

impl Bar {
    fn name(&self) -> String {
        format!("seed {}", self.seed)
    }

    /// Returns the recent mean return, if any.
    fn message(&self) -> String {
        let mean = self.returns.iter().sum::<f64>() / self.returns.len() as f64;
        let trained =
            if self.returns.is_empty() { String::new() } else { format!("  return {mean:.1}") };
        let evaluated = self.evaluated.map(|x| format!("  eval {x:.1}")).unwrap_or_default();
        trained + &evaluated
    }
}

impl SeedDisplay for Bar {
    fn finish(&mut self, summary: &Summary) {
        let Some(bars) = &self.bars.bars else { return };
        self.bar.finish_and_clear();
        bars.remove(&self.bar);
        let result = match summary.evaluations.last() {
            None => "no evaluation".to_owned(),
            // One episode has no standard deviation.
            Some(e) if e.episodes < 2 => format!("final return {:.2}", e.mean_return),
            Some(e) => format!("final return {:.2} ± {:.2}", e.mean_return, e.std_return),
        };
        let speed = match summary.env_steps_per_s.map(speed) {
            Some(speed) if !speed.trim().is_empty() => {
                format!(", {} steps/s", speed.trim().trim_end_matches("/s"))
            }
            _ => String::new(),
        };
        let name = self.name();
        self.bars.say(&format!("{name}: {result} after {} env steps{speed}", summary.env_steps));
    }
}

impl Callback for Bar {
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        match restart_warning(self.seed, env_steps, restored) {
            Some(warning) => self.bars.warn(&warning),
            None => {
                let name = self.name();
                self.bars.say(&format!("{name}: continues after {env_steps} env steps"));
            }
        }
    }

    fn on_step(&mut self, progress: &Progress) -> Flow {
        if progress.env_steps >= self.next {
            if self.next == 0 {
                // A resumed run starts here; its speed counts from here.
                self.bar.set_position(progress.env_steps);
                self.bar.reset_eta();
                lock(&self.standing).begun = Some((Instant::now(), progress.env_steps));
            }
            self.next = progress.env_steps + self.every;
            self.bar.set_position(progress.env_steps);
            let message = self.message();
            self.bar.set_message(message.clone());
            let mut standing = lock(&self.standing);
            (standing.env_steps, standing.message) = (progress.env_steps, message);
        }
        Flow::Continue
    }

    fn on_episode(&mut self, episode: &Episode) {
        if self.returns.len() == SHOWN_EPISODES {
            self.returns.pop_front();
        }
        self.returns.push_back(episode.episode_return);
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) -> Flow {
        self.evaluated = Some(evaluation.mean_return);
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_that_is_unknown_is_not_shown() {
        assert_eq!((speed(0.0), speed(f64::NAN), left(10, 0.0)), Default::default());
        assert_eq!(speed(0.25), "  0.2/s");
        assert_eq!(speed(1234.5), "  1,234/s");
        assert_eq!((left(100, 10.0), left(5, 10.0)), ("  10 seconds left".into(), String::new()));
    }

    #[test]
    fn a_line_says_where_a_seed_stands() {
        let now = Instant::now();
        let mut standing = Standing::new("", 3, 50_000);
        assert_eq!(standing.line(now), "seed 3: 0/50,000 steps (0 %)");
        standing.begun = Some((now, 10_000));
        standing.env_steps = 20_000;
        standing.message = "  return 5.0".to_owned();
        assert_eq!(
            standing.line(now + Duration::from_secs(10)),
            "seed 3: 20,000/50,000 steps (40 %)  1,000/s  return 5.0  30 seconds left"
        );
    }

    #[test]
    fn lines_come_though_no_step_does_and_end_with_the_bar() {
        let (write, written) = channel();
        let standing = Arc::new(Mutex::new(Standing::new("", 3, 50_000)));
        let lines = Lines::begin(Duration::from_millis(1), standing, move |line| {
            let _ = write.send(line);
        });
        assert!(written.recv().is_ok_and(|line| line.starts_with("seed 3: 0/50,000")));
        assert!(written.recv().is_ok());
        drop(lines);
        // The thread lets go of the channel.
        while written.recv().is_ok() {}
    }
}
