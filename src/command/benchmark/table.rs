//! The table of a benchmark, `results.md`.

use std::path::Path;

use gymnast_core::text::{blocks, score};
use gymnast_harness::report::{Judged, Judgement, Row, Verdict};

use crate::command::{CommandError, read_own};

const HEADINGS: [&str; 16] = [
    "agent",
    "environment",
    "env steps",
    "seeds",
    "mean [95 %]",
    "demanded",
    "median [95 %]",
    "IQM [95 %]",
    "steps to, median [95 %]",
    "demanded",
    "share at or above, median [95 %]",
    "demanded",
    "least in last quarter",
    "demanded",
    "holds",
    "each seed",
];

/// The maximum size of the table's file.
const MAX_BYTES: u64 = 1 << 25;

/// The cells of a run.
pub(super) type Cells = [String; HEADINGS.len()];

/// Formats the table as Markdown.
pub(super) fn markdown(rows: &[Cells]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = line(&HEADINGS.map(str::to_owned)) + &"|---".repeat(HEADINGS.len()) + "|\n";
    head + &rows.iter().map(|cells| line(cells)).collect::<String>()
}

/// Reads the lines of the table written by earlier calls; empty if the file does not exist.
///
/// # Errors
/// If the file is not such a table: it must not be replaced.
pub(super) fn read(path: &Path) -> Result<Vec<String>, CommandError> {
    let begins = format!("| {} |", HEADINGS[..2].join(" | "));
    let is_table = |text: &str| text.starts_with(&begins);
    let text = read_own(path, MAX_BYTES, "table of gymnast benchmark", is_table)?;
    Ok(text.unwrap_or_default().lines().skip(2).map(str::to_owned).collect())
}

/// Returns the lines of earlier calls that belong to other runs.
pub(super) fn others(earlier: &[String], rows: &[Cells]) -> String {
    let begins = |[agent, env, ..]: &Cells| format!("| {agent} | {env} |");
    let begins: Vec<_> = rows.iter().map(begins).collect();
    let is_other = |line: &&String| !begins.iter().any(|begin| line.starts_with(begin));
    earlier.iter().filter(is_other).map(|line| format!("{line}\n")).collect()
}

/// Formats the table for a terminal, without the returns of each seed.
pub(super) fn columns(rows: &[Cells]) -> String {
    let headings = HEADINGS.map(str::to_owned);
    let cut = |cells: &Cells| {
        let [agent, env, others @ .., _] = cells;
        [&[format!("{agent} {env}")][..], &others[..]].concat()
    };
    blocks(&std::iter::once(&headings).chain(rows).map(cut).collect::<Vec<_>>())
}

/// Returns the results of a run, its demands and whether they hold.
pub(super) fn cells(row: &Row, judgement: &Judgement, seeds: &str, finals: &[f64]) -> Cells {
    let Judgement { mean, within, hold, last_quarter_min } = judgement;
    let at_least = |judged: &Option<Judged>| demanded(judged, '≥');
    let finals: Vec<_> = finals.iter().map(|&x| score(x)).collect();
    [
        row.agent.clone(),
        row.env.clone(),
        row.env_steps_text(),
        seeds.to_owned(),
        row.mean.text(score),
        at_least(mean),
        row.median.text(score),
        row.iqm.text(score),
        steps(row),
        demanded(within, '≤'),
        found(hold).unwrap_or_else(none),
        at_least(hold),
        found(last_quarter_min).unwrap_or_else(none),
        at_least(last_quarter_min),
        holds(judgement),
        finals.join(" "),
    ]
}

/// Returns "yes", "no", or the number of seeds needed to tell.
fn holds(judgement: &Judgement) -> String {
    match (judgement.verdict(), judgement.seeds_needed()) {
        (None, _) => none(),
        (Some(Verdict::CannotTell), Some(seeds)) => {
            format!("cannot tell (needs about {seeds} seeds)")
        }
        (Some(verdict), _) => verdict.to_string(),
    }
}

/// Formats the env steps to a return, which a run may report without a demand.
fn steps(row: &Row) -> String {
    let Some(threshold) = row.threshold else { return none() };
    format!("{}: {}", threshold.threshold, threshold.first.text(row.seeds))
}

fn found(judged: &Option<Judged>) -> Option<String> {
    judged.as_ref()?.found.map(|found| found.text(score))
}

fn demanded(judged: &Option<Judged>, sign: char) -> String {
    judged.as_ref().map_or_else(none, |judged| format!("{sign} {}", judged.demanded))
}

fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use gymnast_harness::{
        Evaluation,
        report::{Demands, Report, Returns, RunResults, SeedResults},
    };

    use super::*;

    /// As many seeds as there are, whose evaluations at the env steps 1000, 2000 … are these.
    fn text(demands: &Demands, returns: &[&[f64]]) -> String {
        let seed = |(i, returns): (usize, &&[f64])| SeedResults {
            seed: 100 + i as u64,
            evaluations: returns
                .iter()
                .zip(1..)
                .map(|(&mean_return, i)| Evaluation {
                    env_step: 1000 * i,
                    wall_time_s: 0.0,
                    mean_return,
                    std_return: 0.0,
                    min_return: mean_return,
                    max_return: mean_return,
                    episodes: 1,
                })
                .collect(),
            env_steps_per_s: None,
        };
        let [run, agent, env] = ["run", "dqn", "CartPole-v1"].map(str::to_owned);
        let seeds = returns.iter().enumerate().map(seed).collect();
        let run = RunResults {
            run,
            agent,
            env,
            returns: Returns::Evaluation,
            threshold: Some(475.0),
            reference: None,
            seeds,
        };
        let judgement = demands.judge(&run).unwrap();
        let report = Report::of(&[run], &[]).unwrap();
        let cells = cells(&report.rows[0], &judgement, "100..105", &[500.0]);
        let terminal = columns(std::slice::from_ref(&cells));
        assert!(terminal.lines().all(|line| line.chars().count() <= 80), "{terminal}");
        let table = markdown(&[cells]);
        let bars: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
        assert_eq!(bars, [HEADINGS.len() + 1; 3], "{table}");
        table
    }

    fn demands() -> Demands {
        Demands {
            mean: Some(500.0),
            within: Some((475.0, 1000.0)),
            hold: Some((475.0, 0.9)),
            last_quarter_min: Some(400.0),
        }
    }

    #[test]
    fn a_line_says_what_was_found_what_demanded_and_whether_it_holds() {
        let good: &[f64] = &[500.0, 500.0, 500.0, 500.0];
        let all = text(&demands(), &[good; 6]);
        for part in [
            "| 4000 | 100..105 | 500.0 [500.0, 500.0] | ≥ 500 |",
            "| 475: 1000 [1000, 1000] (6/6) | ≤ 1000 |",
            "| 1.000 [1.000, 1.000] | ≥ 0.9 | 500.0 | ≥ 400 | yes |",
        ] {
            assert!(all.contains(part), "no {part} in {all}");
        }
        let late: &[f64] = &[0.0, 0.0, 0.0, 500.0];
        let none: &[f64] = &[0.0, 0.0, 0.0, 0.0];
        assert!(
            text(&demands(), &[late; 6])
                .contains("| ≤ 1000 | 0.250 [0.250, 0.250] | ≥ 0.9 | 500.0 | ≥ 400 | no |")
        );
        assert!(text(&demands(), &[none; 6]).contains("475: > 4000 (0/6)"));
        let split = text(&demands(), &[good, good, good, good, good, none]);
        assert!(split.contains("475: 1000 [1000, …] (5/6)"), "{split}");
        let few = Demands { last_quarter_min: None, ..demands() };
        let few = text(&few, &[good; 5]);
        assert!(few.contains("| cannot tell (needs about 6 seeds) |"), "{few}");
    }

    #[test]
    fn a_run_without_demands_has_none_to_hold() {
        let line = text(&Demands::default(), &[&[10.0, 20.0], &[20.0, 20.0]]);
        assert!(
            line.contains("| 20.0 [20.0, 20.0] | – | 20.0 |")
                && line.contains("| – | – | – | – | – | 500.0 |"),
            "{line}"
        );
    }
}
