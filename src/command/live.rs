//! A screen that shows a run while it trains: curves, speeds and diagnostics.
//!
//! It reads the records of the run's directory, so that it shows the seeds of all processes.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Stdout, stdout},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use gymnast_core::text::{escape_controls, four_digits, score};
use gymnast_envs::Restored;
use gymnast_harness::{
    Callback, Evaluation, Interrupt, ProgressDisplay, SeedDir, SeedDisplay, SeedState, SeedStatus,
    Summary, TrainError, read_records, restart_warning,
};
use ratatui::{
    Frame, Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor,
        event::{self, Event, KeyCode, KeyModifiers},
        execute,
        terminal::{self, EnterAlternateScreen, LeaveAlternateScreen},
    },
    layout::{Constraint, Layout},
    style::{Color, Modifier, Style},
    symbols::Marker,
    text::Line,
    widgets::{Axis, Block, Cell, Chart, Dataset, GraphType, Paragraph, Row, Table},
};

use super::{
    CommandError, say,
    status::{Found, look, one_line, state},
};

/// How often the records are read, and how often keys are asked for.
const EVERY: Duration = Duration::from_millis(500);
/// Without a terminal, how often a line is written.
const LINE_EVERY: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);
/// Colours that also differ in brightness; the curves' widths cannot.
const COLORS: [Color; 6] = [
    Color::LightBlue,
    Color::LightYellow,
    Color::LightGreen,
    Color::LightMagenta,
    Color::LightCyan,
    Color::LightRed,
];

/// What the screen shows.
#[derive(Default)]
struct Shown {
    /// What the directory holds, in a line.
    title: String,
    seeds: Vec<SeedStatus>,
    env_steps: Option<u64>,
    /// The evaluations of each seed: env steps and mean returns.
    curves: Vec<Vec<(f64, f64)>>,
    has_ended: bool,
}

impl Shown {
    /// Whether nothing more will come. A process that trains knows it itself: what stands in the
    /// directory may be the run that it is about to replace.
    fn is_left(&self, audience: Audience) -> bool {
        self.has_ended && audience == Audience::Looks
    }
}

/// Who looks at the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The process that trains: Ctrl-C saves and stops the training.
    Trains,
    /// Another: the run is not touched.
    Looks,
}

/// Shows the run of a directory until it has ended, `is_over`, or q is pressed. Without a terminal that
/// can move its cursor, writes a line every minute instead.
pub(crate) fn show(
    dir: &Path,
    audience: Audience,
    is_over: impl Fn() -> bool,
) -> Result<(), CommandError> {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    if !stdout().is_terminal() || is_dumb {
        return lines(dir, audience, is_over);
    }
    let mut screen = Screen::open()?;
    let mut read_at: Option<Instant> = None;
    let mut shown = Shown::default();
    while !is_over() && !Interrupt::requested() && !shown.is_left(audience) {
        if read_at.is_none_or(|at| at.elapsed() > EVERY) {
            shown = read(dir)?;
            read_at = Some(Instant::now());
            screen.0.draw(|frame| draw(frame, &shown, audience))?;
        }
        if !event::poll(PAUSE)? {
            continue;
        }
        match event::read()? {
            Event::Key(key) if key.code == KeyCode::Char('q') => break,
            // The terminal no longer turns it into a signal.
            Event::Key(key)
                if key.code == KeyCode::Char('c')
                    && key.modifiers.contains(KeyModifiers::CONTROL) =>
            {
                signal_hook::low_level::raise(signal_hook::consts::SIGINT)?;
                break;
            }
            Event::Resize(..) => {
                screen.0.draw(|frame| draw(frame, &shown, audience))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// A terminal without its usual contents, which come back in the end. No panic hook is set: a training
/// that panics on a thread is an error of its seed.
struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    fn open() -> io::Result<Self> {
        // From here on, dropping it brings the terminal back.
        let screen = Self(Terminal::new(CrosstermBackend::new(stdout()))?);
        terminal::enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = execute!(stdout(), LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// Keeps the warnings of a training until the screen is left.
#[derive(Clone, Debug)]
pub(crate) struct KeptWarnings(Arc<Mutex<Option<Vec<String>>>>);

impl Default for KeptWarnings {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Vec::new()))))
    }
}

impl KeptWarnings {
    /// Shows what was kept; later warnings are shown at once.
    pub(crate) fn release(&self) {
        for line in self.lock().take().into_iter().flatten() {
            say(&line);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<String>>> {
        self.0.lock().expect("no thread panics while it holds the lock")
    }
}

impl ProgressDisplay for KeptWarnings {
    fn begin(&self, seed: u64, _env_steps: u64) -> Box<dyn SeedDisplay> {
        Box::new(KeptOfSeed(seed, self.clone()))
    }

    fn warn(&self, line: &str) {
        match &mut *self.lock() {
            Some(kept) => kept.push(line.to_owned()),
            None => say(line),
        }
    }
}

struct KeptOfSeed(u64, KeptWarnings);

impl Callback for KeptOfSeed {
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        if let Some(line) = restart_warning(self.0, env_steps, restored) {
            self.1.warn(&line);
        }
    }
}

impl SeedDisplay for KeptOfSeed {
    fn finish(&mut self, _summary: &Summary) {}
}

/// Writes a line every minute, and one at the end.
fn lines(dir: &Path, audience: Audience, is_over: impl Fn() -> bool) -> Result<(), CommandError> {
    let (mut written, mut read_at): (Option<Instant>, Option<Instant>) = (None, None);
    let mut shown = Shown::default();
    loop {
        let is_over = is_over() || Interrupt::requested();
        if is_over || read_at.is_none_or(|at| at.elapsed() > EVERY) {
            shown = read(dir)?;
            read_at = Some(Instant::now());
        }
        let is_over = is_over || shown.is_left(audience);
        let is_due = written.is_none_or(|at| at.elapsed() >= LINE_EVERY);
        if (is_over || is_due) && !shown.title.is_empty() {
            say(&shown.title);
            written = Some(Instant::now());
        }
        if is_over {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Reads the records; nothing before the run has begun.
fn read(dir: &Path) -> Result<Shown, CommandError> {
    let Some(found) = look(dir)? else { return Ok(Shown::default()) };
    let (title, has_ended) = (one_line(&found), found.has_ended());
    let Found::Run { env_steps, seeds, .. } = found else {
        return Ok(Shown { title, has_ended, ..Shown::default() });
    };
    let curve = |status: &SeedStatus| {
        let path = SeedDir::below(dir, status.seed).path;
        // A seed that has not begun has no records; one that is damaged says so in the table.
        let evaluations: Result<Vec<Evaluation>, TrainError> = read_records(&path);
        let points = evaluations.unwrap_or_default().into_iter();
        let points = points.map(|evaluation| (evaluation.env_step as f64, evaluation.mean_return));
        points.filter(|(_, mean_return)| mean_return.is_finite()).collect()
    };
    let curves = seeds.iter().map(curve).collect();
    Ok(Shown { title, seeds, env_steps, curves, has_ended })
}

fn draw(frame: &mut Frame<'_>, shown: &Shown, audience: Audience) {
    let metrics = metrics(&shown.seeds);
    // As many seeds as there is room for beside a picture of ten lines.
    let rows = u16::try_from(shown.seeds.len()).unwrap_or(u16::MAX);
    let table = rows.saturating_add(3).min(frame.area().height / 2);
    let parts = [
        Constraint::Length(1),
        Constraint::Min(6),
        Constraint::Length(table),
        Constraint::Length(1),
    ];
    let [top, middle, below, foot] = Layout::vertical(parts).areas(frame.area());
    let title = Line::from(escape_controls(&shown.title).into_owned());
    frame.render_widget(Paragraph::new(title.style(Modifier::BOLD)), top);
    draw_curves(frame, shown, middle);
    let halves = [Constraint::Min(46), Constraint::Percentage(40)];
    let [left, right] = Layout::horizontal(halves).areas(below);
    draw_seeds(frame, &shown.seeds, left);
    let rows = metrics
        .into_iter()
        .map(|(name, value)| Row::new([escape_controls(&name).into_owned(), four_digits(value)]));
    let widths = [Constraint::Min(12), Constraint::Length(10)];
    let block = Block::bordered().title("newest metrics, mean of the seeds");
    frame.render_widget(Table::new(rows, widths).block(block), right);
    let keys = match audience {
        Audience::Trains => "q: leave this screen, the training goes on   Ctrl-C: save and stop",
        Audience::Looks => "q: leave this screen",
    };
    frame.render_widget(Paragraph::new(keys).style(Modifier::DIM), foot);
}

fn draw_curves(frame: &mut Frame<'_>, shown: &Shown, area: ratatui::layout::Rect) {
    let points = || shown.curves.iter().flatten();
    let last = points().map(|(step, _)| *step).fold(1.0, f64::max);
    let right = shown.env_steps.map_or(last, |steps| steps as f64).max(last);
    let low = points().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
    // A flat curve lies in the middle.
    let (low, high) = match high - low {
        span if span > 0.0 => (low, high),
        _ if low.is_finite() => (low - 1.0, low + 1.0),
        _ => (0.0, 1.0),
    };
    let colors = COLORS.iter().cycle();
    let datasets = shown.curves.iter().zip(colors).map(|(curve, color)| {
        let dataset = Dataset::default().marker(Marker::Braille).graph_type(GraphType::Line);
        dataset.style(Style::new().fg(*color)).data(curve)
    });
    let label = |at: f64| Line::from(score(at));
    let x = Axis::default().title("env steps").bounds([0.0, right]);
    let y = Axis::default().bounds([low, high]);
    let chart = Chart::new(datasets.collect())
        .block(Block::bordered().title("mean return of each evaluation, a line for each seed"))
        .x_axis(x.labels([Line::from("0"), Line::from(format!("{right:.0}"))]))
        .y_axis(y.labels([label(low), label((low + high) / 2.0), label(high)]));
    frame.render_widget(chart, area);
}

fn draw_seeds(frame: &mut Frame<'_>, seeds: &[SeedStatus], area: ratatui::layout::Rect) {
    // Those at work first: the others change no more.
    let mut seeds: Vec<(&SeedStatus, &Color)> = seeds.iter().zip(COLORS.iter().cycle()).collect();
    seeds.sort_by_key(|(status, _)| !matches!(status.state, SeedState::Training { .. }));
    let row = |(status, color): (&SeedStatus, &Color)| {
        let speed =
            status.env_steps_per_s().map_or_else(String::new, |speed| format!("{speed:.0}"));
        Row::new([
            Cell::from(status.seed.to_string()).style(Style::new().fg(*color)),
            Cell::from(state(&status.state)),
            Cell::from(status.env_steps.to_string()),
            Cell::from(speed),
            Cell::from(status.mean_return.map_or_else(String::new, score)),
        ])
    };
    let widths = [4, 9, 10, 8, 9].map(Constraint::Length);
    let heading = Row::new(["seed", "state", "env steps", "steps/s", "return"]);
    let table = Table::new(seeds.into_iter().map(row), widths)
        .header(heading.style(Modifier::DIM))
        .block(Block::bordered().title("seeds"));
    frame.render_widget(table, area);
}

/// The mean of each metric over the seeds that train, or over all if none does.
fn metrics(seeds: &[SeedStatus]) -> BTreeMap<String, f64> {
    let is_training = |status: &&SeedStatus| matches!(status.state, SeedState::Training { .. });
    let training: Vec<_> = seeds.iter().filter(is_training).collect();
    let seeds = if training.is_empty() { seeds.iter().collect() } else { training };
    let mut values = BTreeMap::<String, Vec<f64>>::new();
    for (name, value) in seeds.into_iter().flat_map(|status| &status.metrics) {
        values.entry(name.clone()).or_default().push(*value);
    }
    let mean = |(name, values): (String, Vec<f64>)| {
        gymnast_core::statistics::mean(&values).map(|mean| (name, mean))
    };
    values.into_iter().filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::backend::TestBackend;

    use super::*;

    fn screen(shown: &Shown, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, shown, Audience::Trains)).unwrap();
        terminal.backend().to_string()
    }

    fn status(seed: u64, state: SeedState) -> SeedStatus {
        SeedStatus {
            seed,
            state,
            env_steps: 4000,
            wall_time_s: Some(2.0),
            mean_return: Some(12.5),
            metrics: BTreeMap::from([("loss".to_owned(), 0.25 * (seed + 1) as f64)]),
            written: None,
        }
    }

    #[test]
    fn the_screen_shows_curves_speeds_and_diagnostics() {
        let shown = Shown {
            title: "runs/ppo: 1 of 2 seeds finished".to_owned(),
            seeds: vec![
                status(0, SeedState::Finished),
                status(1, SeedState::Training { by: "process 7".to_owned() }),
            ],
            env_steps: Some(10_000),
            curves: vec![vec![(0.0, 1.0), (4000.0, 12.5)], vec![(0.0, 2.0), (4000.0, 3.0)]],
            has_ended: false,
        };
        let text = screen(&shown, 80, 24);
        for part in
            ["1 of 2 seeds finished", "training", "finished", "2000", "loss", "12.5", "10000"]
        {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
        // Of the seed that trains, not the mean with the one that has ended.
        assert!(text.contains("0.5000") && !text.contains("0.3750"), "{text}");
        assert!(text.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)), "{text}");
    }

    #[test]
    fn a_run_that_is_replaced_does_not_end_the_screen() {
        let ended = Shown { has_ended: true, ..Shown::default() };
        assert!(ended.is_left(Audience::Looks) && !ended.is_left(Audience::Trains));
        assert!(!Shown::default().is_left(Audience::Looks));
    }

    #[test]
    fn the_screen_may_be_empty_small_or_large() {
        let flat = vec![vec![(1.0, 5.0)], Vec::new()];
        for curves in [Vec::new(), flat] {
            let seeds = vec![status(3, SeedState::Stopped); curves.len()];
            let shown = Shown { curves, seeds, ..Shown::default() };
            for (width, height) in [(80, 24), (1, 1), (20, 5), (200, 60)] {
                assert!(!screen(&shown, width, height).is_empty());
            }
        }
    }
}
