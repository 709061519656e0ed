//! The output at the end of a training: the curve, the table, and what to do next.

use std::{io::Write, path::Path};

use gymnast_core::plot::{Panel, Picture as _};
use gymnast_core::text::escape_name;
use gymnast_harness::{
    Summary,
    report::{Report, RunResults},
};
use serde_json::json;

use super::Train;
use crate::{
    Run,
    command::{
        CommandError, Names,
        pictures::{Format, View, compose, curves},
        run_dir, shell,
        shown_runs::Source,
        write_json,
    },
    run::PICTURES,
};

pub(super) fn show(
    args: &Train,
    run: &Run,
    dir: &Path,
    summaries: &[Summary],
    names: &Names,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let runs = [run_dir::results_of(dir, None, names, |_| true)?];
    draw(&runs, dir)?;
    let report = Report::of(&runs, &[])?;
    let name = run_dir::name(dir);
    if args.json {
        let seeds = run.seeds.iter().zip(summaries);
        let seeds: Vec<_> =
            seeds.map(|(seed, summary)| json!({ "seed": seed, "summary": summary })).collect();
        // As text: JSON cannot hold bytes other than UTF-8, which a path may.
        let pictures = PICTURES.map(|picture| dir.join(picture).display().to_string());
        let value = json!({
            "run": name, "seeds": seeds, "report": report.rows.first(), "pictures": pictures,
            "peak_memory_bytes": peak_memory(),
        });
        return write_json(out, &value);
    }
    let name = escape_name(&name);
    writeln!(out, "\n{}", report.to_table())?;
    if let Some(bytes) = peak_memory() {
        writeln!(out, "Peak memory: {} MB\n", bytes.div_ceil(1_000_000))?;
    }
    writeln!(out, "{name} holds")?;
    writeln!(out, "  {}   the learning curve", PICTURES.join(", "))?;
    writeln!(out, "  config.toml          the complete configuration")?;
    writeln!(out, "  seed-*/              records (CSV, TensorBoard) and checkpoints\n")?;
    let dir = shell::path(dir);
    writeln!(out, "Next:")?;
    writeln!(out, "  gymnast watch {dir}             watch the trained agent")?;
    writeln!(out, "  gymnast evaluate {dir}          evaluate over more episodes")?;
    writeln!(out, "  gymnast plot {dir} OTHER --out both.svg   compare with another run")?;
    Ok(())
}

/// The most memory that this process has held at once, in bytes; only Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

fn draw(runs: &[RunResults], dir: &Path) -> Result<(), CommandError> {
    let plots = curves(runs, &[Source::Own(dir.to_owned())], View::default())?;
    let drawing = compose(plots.into_iter().map(Panel::Lines).collect(), None, Format::default())?;
    PICTURES.iter().try_for_each(|picture| Ok(drawing.save(&dir.join(picture))?))
}
