//! Runs the cases of all targets, one after another, in a process of their own, and says which of them
//! fail.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::source::Source;

/// The file in which a child writes which case it is at.
const CHILD: &str = "GYMNAST_FUZZ_CHILD";
/// The target that a child begins with.
const FROM: &str = "GYMNAST_FUZZ_FROM";

/// Of address space: what libtorch maps, and some GiB to calculate with.
const MEMORY_KIB: u64 = 6 << 20;

/// No case may take longer; on a busy machine the slowest take a tenth of it.
const MOST: Duration = Duration::from_secs(30);
/// Panics reported of one target.
const REPORTS: usize = 5;

/// Functions that belong together.
pub(super) struct Target {
    pub(super) name: &'static str,
    /// The cases of a short run.
    pub(super) cases: u64,
    pub(super) run: fn(&mut Source),
}

pub(super) const fn target(name: &'static str, cases: u64, run: fn(&mut Source)) -> Target {
    Target { name, cases, run }
}

/// Starts this program again, limited in memory, to run its test `child`, which calls [`run`]; again from
/// the next target on where a case ends the process.
///
/// # Panics
/// If a case failed, with all that did.
pub(super) fn check(targets: &[Target], child: &str) {
    let folder = tempfile::tempdir().expect("a folder for scratch files");
    let file = folder.path().join("progress");
    let (mut from, mut reports) = (0, Vec::new());
    while from < targets.len() {
        let limited = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limited])
            .arg(std::env::current_exe().expect("a test has a file"))
            .args([child, "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, &file)
            .env("RUST_BACKTRACE", "0")
            .env(FROM, from.to_string())
            .output()
            .expect("sh starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let found = said.lines().filter_map(|line| line.strip_prefix("FOUND "));
        reports.extend(found.map(str::to_owned));
        if output.status.success() {
            break;
        }
        if std::env::var_os("GYMNAST_FUZZ_ONLY").is_some() {
            reports.push(format!("{}: {said}", output.status));
            break;
        }
        let Progress { target, case } = Progress::read(&file);
        let tail: Vec<&str> = said.lines().rev().take(3).collect();
        let name = targets[target].name;
        reports.push(format!("{name}:{case} ended the process ({}): {tail:?}", output.status));
        from = target + 1;
    }
    assert!(reports.is_empty(), "{} cases failed:\n{}", reports.len(), reports.join("\n"));
}

struct Settings {
    progress: PathBuf,
    from: usize,
    seed: u64,
    seconds: Option<u64>,
    /// One case alone: its target and number.
    only: Option<(String, u64)>,
}

impl Settings {
    /// Those of a child; `None` in any other process.
    fn of_child() -> Option<Self> {
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
struct Progress {
    target: usize,
    case: u64,
}

impl Progress {
    fn write(&self, file: &File) {
        let bytes = [(self.target as u64).to_le_bytes(), self.case.to_le_bytes()].concat();
        file.write_all_at(&bytes, 0).expect("the file of the progress can be written");
    }

    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a child that ran has written where it is");
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
        Self { target: number(0) as usize, case: number(8) }
    }
}

/// The panics of all threads, also those that are caught and returned as errors.
static PANICS: AtomicU64 = AtomicU64::new(0);
/// What the last panic said, and where.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Runs the cases where this process is a child of [`check`]; does nothing otherwise.
pub(super) fn run(targets: &[Target]) {
    let Some(settings) = Settings::of_child() else { return };
    std::panic::set_hook(Box::new(|info| {
        let said = info.to_string().replace('\n', " ");
        PANICS.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut last) = PANIC.lock() {
            *last = said.chars().take(300).collect();
        }
    }));
    let file = File::create(&settings.progress).expect("a file for the progress");
    Progress { target: settings.from, case: 0 }.write(&file);
    let started = Instant::now();
    watch(started);
    if let Some((name, case)) = &settings.only {
        let target = targets.iter().find(|target| target.name == name);
        holds(target.expect("GYMNAST_FUZZ_ONLY names a target"), *case, settings.seed, started);
        return;
    }
    let mut reports = vec![0; targets.len()];
    let mut round = 0;
    loop {
        for (number, target) in targets.iter().enumerate().skip(settings.from) {
            for case in round * target.cases..(round + 1) * target.cases {
                if reports[number] >= REPORTS {
                    continue;
                }
                Progress { target: number, case }.write(&file);
                reports[number] += usize::from(!holds(target, case, settings.seed, started));
            }
        }
        round += 1;
        if settings.seconds.is_none_or(|most| started.elapsed().as_secs() >= most) {
            break;
        }
    }
    BEGUN.store(0, Ordering::Relaxed);
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
    let before = PANICS.load(Ordering::Relaxed);
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&mut source)));
    let holds = result.is_ok() && PANICS.load(Ordering::Relaxed) == before;
    if !holds {
        let said = PANIC.lock().map(|said| said.clone()).unwrap_or_default();
        eprintln!("FOUND {name}:{case} panicked: {said}");
    }
    holds
}
