//! Progress bars: steps a second, the return, and the time left.

use std::{collections::VecDeque, io::Write as _};

use gymnast_envs::Restored;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::{Callback, Episode, Evaluation, Flow, Progress, Summary};

const TEMPLATE: &str =
    "{prefix:>8} {bar:24} {percent:>3}% {human_pos}/{human_len} steps  {speed}/s{msg}  {eta} left";
/// Episodes of training that the shown return is the mean of.
const SHOWN_EPISODES: usize = 100;

/// One progress bar a seed, on standard error. Where that is no terminal, a line a seed instead.
#[derive(Clone, Debug)]
pub struct ProgressBars {
    bars: Option<MultiProgress>,
    is_terminal: bool,
}

impl ProgressBars {
    /// Bars on standard error.
    #[must_use]
    pub fn on_stderr() -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self { bars: Some(MultiProgress::new()), is_terminal }
    }

    /// Nothing is shown.
    #[must_use]
    pub fn hidden() -> Self {
        Self { bars: None, is_terminal: false }
    }

    /// A bar for one seed's training.
    pub(crate) fn begin(&self, seed: u64, env_steps: u64) -> Bar {
        let bar = match &self.bars {
            Some(bars) => bars.add(ProgressBar::new(env_steps)),
            None => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template(TEMPLATE).expect("the template is valid");
        let speed = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // There is nobody to tell where a bar cannot be written to.
            let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
        };
        bar.set_style(style.progress_chars("━╸ ").with_key("speed", speed));
        bar.set_prefix(format!("seed {seed}"));
        let returns = VecDeque::with_capacity(SHOWN_EPISODES);
        // Drawing costs more than a step of a small environment: a thousand times a run is enough.
        let every = env_steps.div_ceil(1000);
        Bar { seed, bars: self.clone(), bar, every, next: 0, returns, evaluated: None }
    }

    /// Says how a seed's training ended.
    pub(crate) fn finish(&self, seed: u64, bar: &Bar, summary: &Summary) {
        let Some(bars) = &self.bars else { return };
        bar.bar.finish_and_clear();
        bars.remove(&bar.bar);
        let last = summary.evaluations.last();
        let result = last.map_or_else(
            || "no evaluation".to_owned(),
            |e| format!("final return {:.2} ± {:.2}", e.mean_return, e.std_return),
        );
        self.say(&format!(
            "seed {seed}: {result} after {} env steps, {:.0} steps/s",
            summary.env_steps, summary.env_steps_per_s
        ));
    }

    /// Shows a line above the bars, and nothing where they are hidden.
    pub(crate) fn say(&self, line: &str) {
        if self.bars.is_some() {
            self.warn(line);
        }
    }

    /// Shows a line that must be seen even where the bars are hidden. An error to write it is no
    /// loss: the run goes on.
    pub(crate) fn warn(&self, line: &str) {
        let _ = match &self.bars {
            Some(bars) if self.is_terminal => bars.println(line),
            _ => writeln!(std::io::stderr(), "{line}"),
        };
    }
}

/// The bar of one seed.
pub(crate) struct Bar {
    seed: u64,
    bars: ProgressBars,
    bar: ProgressBar,
    every: u64,
    next: u64,
    returns: VecDeque<f64>,
    evaluated: Option<f64>,
}

impl Bar {
    /// The mean return of late, as far as there is one.
    fn message(&self) -> String {
        let mean = self.returns.iter().sum::<f64>() / self.returns.len() as f64;
        let trained =
            if self.returns.is_empty() { String::new() } else { format!("  return {mean:.1}") };
        let evaluated = self.evaluated.map(|x| format!("  eval {x:.1}")).unwrap_or_default();
        trained + &evaluated
    }
}

impl Callback for Bar {
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        let seed = self.seed;
        match restored {
            Restored::Exactly => {
                self.bars.say(&format!("seed {seed}: goes on after {env_steps} env steps"));
            }
            Restored::AtEpisodeStart => self.bars.warn(&format!(
                "seed {seed}: goes on after {env_steps} env steps with new episodes, since the \
                 environment cannot be saved: the run will differ from one without interruption"
            )),
        }
    }

    fn on_step(&mut self, progress: &Progress) -> Flow {
        if progress.env_steps >= self.next {
            if self.next == 0 {
                // A resumed run starts here, and its speed is counted from here.
                self.bar.set_position(progress.env_steps);
                self.bar.reset_eta();
            }
            self.next = progress.env_steps + self.every;
            self.bar.set_position(progress.env_steps);
            self.bar.set_message(self.message());
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
