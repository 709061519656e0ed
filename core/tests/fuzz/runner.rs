//! Runs the cases of all targets, one after another, and says which of them panic.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::source::Source;
use super::targets::{ALL, Target};

/// The file in which a child writes which case it is at.
pub(super) const CHILD: &str = "GYMNAST_FUZZ_CHILD";
/// The target that a child begins with.
pub(super) const FROM: &str = "GYMNAST_FUZZ_FROM";

/// No case may take longer; on a busy machine the slowest take a tenth of it.
const MOST: Duration = Duration::from_secs(30);
/// Panics reported of one target.
const REPORTS: usize = 5;

pub(super) struct Settings {
    progress: PathBuf,
    from: usize,
    seed: u64,
    seconds: Option<u64>,
    /// One case alone: its target and number.
    only: Option<(String, u64)>,
}

impl Settings {
    pub(super) fn of_child() -> Option<Self> {
        let number = |key: &str| -> Option<u64> { std::env::var(key).ok()?.parse().ok() };
        let only = std::env::var("GYMNAST_FUZZ_ONLY").ok().map(|only| {
            let (target, case) = only.split_once(':').expect("GYMNAST_FUZZ_ONLY is target:case");
            (target.to_owned(), case.parse().expect("a case is a number"))
        });
        Some(Self {
            progress: std::env::var_os(CHILD)?.into(),
            from: number(FROM)? as usize,
            seed: number("GYMNAST_FUZZ_SEED").unwrap_or(0),
            seconds: number("GYMNAST_FUZZ_SECONDS"),
            only,
        })
    }
}

/// Where a child is.
pub(super) struct Progress {
    pub(super) target: usize,
    pub(super) case: u64,
}

impl Progress {
    fn write(&self, file: &File) {
        let bytes = [(self.target as u64).to_le_bytes(), self.case.to_le_bytes()].concat();
        file.write_all_at(&bytes, 0).expect("the file of the progress can be written");
    }

    pub(super) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a child that ran has written where it is");
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        Self { target: number(0) as usize, case: number(8) }
    }
}

thread_local! {
    /// What the last panic said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

pub(super) fn run(settings: &Settings) {
    gymnast_core::threads::single_threaded();
    std::panic::set_hook(Box::new(|info| {
        let said = info.to_string().replace('\n', " ");
        PANIC.set(said.chars().take(300).collect());
    }));
    let file = File::create(&settings.progress).expect("a file for the progress");
    Progress { target: settings.from, case: 0 }.write(&file);
    let started = Instant::now();
    watch(started);
    let mut reports = vec![0; ALL.len()];
    let mut round = 0;
    loop {
        for (number, target) in ALL.iter().enumerate().skip(settings.from) {
            for case in round * target.cases..(round + 1) * target.cases {
                if settings.skips(target, case) || reports[number] >= REPORTS {
                    continue;
                }
                Progress { target: number, case }.write(&file);
                reports[number] += usize::from(!holds(target, case, settings.seed, started));
            }
        }
        round += 1;
        let over = settings.seconds.is_none_or(|most| started.elapsed().as_secs() >= most);
        if over || settings.only.is_some() {
            break;
        }
    }
    BEGUN.store(0, Ordering::Relaxed);
}

impl Settings {
    fn skips(&self, target: &Target, case: u64) -> bool {
        // A case beyond the first round is looked for among the later ones.
        self.only.as_ref().is_some_and(|(name, only)| name != target.name || *only != case)
    }
}

/// When the case began that runs now, in milliseconds since the start and one; 0: none runs.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Ends the process where a case takes too long.
fn watch(started: Instant) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let begun = BEGUN.load(Ordering::Relaxed);
            let now = started.elapsed().as_millis() as u64 + 1;
            if begun > 0 && now.saturating_sub(begun) > MOST.as_millis() as u64 {
                eprintln!("a case takes more than {MOST:?}");
                std::process::exit(124);
            }
        }
    });
}

/// Runs one case; says whether nothing was wrong.
fn holds(target: &Target, case: u64, seed: u64, started: Instant) -> bool {
    let name = target.name;
    BEGUN.store(started.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    let mut source = Source::new(seed, name, case);
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&mut source)));
    if result.is_err() {
        eprintln!("FOUND {name}:{case} panicked: {}", PANIC.take());
    }
    result.is_ok()
}
