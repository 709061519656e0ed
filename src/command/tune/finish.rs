//! The output at the end of a search: the best settings, the table, the pictures.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use gymnast_core::plot::Picture as _;
use gymnast_core::{
    atomic_file,
    text::{escape_name, four_digits},
    tune::{
        Importance, ImportanceConfig, Study, TrialOutcome, TrialRecord, TrialSampler, TuneError,
        importance,
    },
};
use serde_json::{Value, json};

use super::{DEFINITION, STUDY, Tune, definition::Definition};
use crate::{
    command::{CommandError, Names, is_there, run_dir, shell, write_json},
    run::CONFIG_FILE,
};

const TABLE: &str = "trials.md";

/// Returns an error for a study without trials if a table shows that there were some: it would be
/// replaced.
pub(super) fn check_trials(study: &Study, dir: &Path) -> Result<(), CommandError> {
    let table = dir.join(TABLE);
    if is_there(&table)? && study.trials().is_empty() {
        return Err(CommandError::failed(format!(
            "{} lists trials, but {STUDY} beside it holds none: put it back, or search anew in another \
             --out",
            table.display()
        )));
    }
    Ok(())
}
const FORMATS: [&str; 2] = ["svg", "png"];
/// The number of trials to show.
const SHOWN: usize = 5;

pub(super) fn show(
    args: &Tune,
    definition: &Definition,
    study: &Study,
    dir: &Path,
    names: &Names,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let name = run_dir::name(dir);
    let space = definition.space()?;
    let keys: Vec<&str> = space.iter().map(|(key, _)| key).collect();
    let ranked = ranked(study);
    // Written first, because it also says why trials failed.
    atomic_file::write(&dir.join(TABLE), table(&keys, &ranked).as_bytes())?;
    let Some(best) = study.best() else {
        let reason = study.trials().iter().rev().find_map(|trial| match &trial.outcome {
            TrialOutcome::Failed(reason) => {
                Some(format!("; trial {} failed: {reason}", trial.number))
            }
            _ => None,
        });
        let reason = reason.unwrap_or_default();
        return Err(CommandError::failed(format!("no trial of {name} is complete{reason}")));
    };
    let settings: Vec<_> =
        best.params.iter().map(|param| (param.name.clone(), param.value.clone())).collect();
    let run = definition.run(&settings, names)?;
    atomic_file::write(&dir.join(CONFIG_FILE), run.to_toml().as_bytes())?;
    let importances = match importance(study, &ImportanceConfig::default()) {
        // A short search cannot tell, which is not a failure.
        Err(TuneError::TooFewTrials { .. } | TuneError::EqualValues { .. }) => Vec::new(),
        importances => importances?,
    };
    draw(definition, study, &importances, dir)?;

    let count = |is: fn(&TrialOutcome) -> bool| {
        study.trials().iter().filter(|trial| is(&trial.outcome)).count()
    };
    let pruned = count(|outcome| *outcome == TrialOutcome::Pruned);
    let failed = count(|outcome| matches!(outcome, TrialOutcome::Failed(_)));
    let combinations = match &study.config().sampler {
        TrialSampler::Grid(grid) => Some(grid.len()),
        _ => None,
    };
    if args.json {
        let settings: serde_json::Map<String, Value> = settings.into_iter().collect();
        return write_json(
            out,
            &json!({
                "directory": name,
                "trials": study.trials().len(),
                "pruned": pruned,
                "failed": failed,
                "combinations": combinations,
                "best": { "trial": best.number, "value": best.value(), "settings": settings },
                "importances": importances,
            }),
        );
    }
    let name = escape_name(&name);
    let all = study.trials().len();
    if let Some(combinations) = combinations.filter(|combinations| *combinations > all as u64) {
        writeln!(
            out,
            "Of the grid's {combinations} combinations only the first {all} were tried."
        )?;
    }
    writeln!(out, "{all} trials, {pruned} of them pruned, {failed} failed. The best:\n")?;
    writeln!(out, "{}", table(&keys, &ranked[..ranked.len().min(SHOWN)]))?;
    for own in &importances {
        writeln!(out, "{:>4.0} % of the variance: {} alone", 100.0 * own.share, own.name)?;
    }
    writeln!(out, "\n{name} holds")?;
    writeln!(out, "  config.toml          the best settings, with seeds not used so far")?;
    writeln!(out, "  {TABLE}            every trial")?;
    writeln!(out, "  history.png, .svg    the trials in order")?;
    if !importances.is_empty() {
        writeln!(out, "  importance.png, .svg the importance of the settings")?;
    }
    writeln!(out, "\nNext:")?;
    let (config, best) = (shell::path(&dir.join(CONFIG_FILE)), shell::path(&best_dir(dir)));
    writeln!(out, "  gymnast train --config {config} --out {best}")?;
    let more = combinations.unwrap_or(2 * all as u64);
    if more > all as u64 {
        writeln!(out, "  gymnast tune --resume --out {} --trials {more}", shell::path(dir))?;
    }
    Ok(())
}

/// Returns the directory for training the best settings, beside the search.
fn best_dir(dir: &Path) -> PathBuf {
    // Collecting the components drops a trailing slash.
    let mut name = dir.components().collect::<PathBuf>().into_os_string();
    name.push("-best");
    name.into()
}

/// Deletes the temporary files of a killed search. Called while this search holds the study.
pub(super) fn remove_leftovers(dir: &Path) -> Result<(), CommandError> {
    let pictures = ["history.svg", "history.png", "importance.svg", "importance.png"];
    let targets = [&pictures[..], &[DEFINITION, TABLE, CONFIG_FILE]].concat();
    atomic_file::remove_leftovers(dir, &targets).map_err(|error| {
        CommandError::failed(format!(
            "cannot delete the temporary files in {}: {error}",
            run_dir::name(dir)
        ))
    })
}

fn draw(
    definition: &Definition,
    study: &Study,
    importances: &[Importance],
    dir: &Path,
) -> Result<(), CommandError> {
    let (agent, env) = definition.names();
    for format in FORMATS {
        let mut history = study.history_plot("final return");
        history.title = format!("{agent} · {env}");
        history.save(&dir.join(format!("history.{format}")))?;
        if !importances.is_empty() {
            let mut bars = Importance::plot(importances);
            bars.title = format!("Importance of the settings of {agent} · {env}");
            bars.save(&dir.join(format!("importance.{format}")))?;
        }
    }
    Ok(())
}

/// Sorts the trials: complete ones from best to worst, then pruned, then failed ones.
fn ranked(study: &Study) -> Vec<&TrialRecord> {
    let class = |trial: &TrialRecord| match trial.outcome {
        TrialOutcome::Complete(value) => (0, -value),
        TrialOutcome::Pruned => (1, 0.0),
        TrialOutcome::Failed(_) => (2, 0.0),
    };
    let mut trials: Vec<_> = study.trials().iter().collect();
    trials.sort_by(|a, b| class(a).0.cmp(&class(b).0).then(class(a).1.total_cmp(&class(b).1)));
    trials
}

fn table(keys: &[&str], trials: &[&TrialRecord]) -> String {
    // Messages and choices may hold characters that end a cell or a line.
    let escaped = |cell: &String| cell.replace('|', "\\|").replace('\n', " ");
    let line = |cells: Vec<String>| {
        format!("| {} |\n", cells.iter().map(escaped).collect::<Vec<_>>().join(" | "))
    };
    let mut head = vec!["trial".to_owned(), "final return".to_owned()];
    head.extend(keys.iter().map(|key| format!("`{key}`")));
    let mut text = line(head) + &line(vec!["---".to_owned(); keys.len() + 2]);
    for trial in trials {
        let outcome = match &trial.outcome {
            TrialOutcome::Complete(value) => format!("{value:.3}"),
            TrialOutcome::Pruned => {
                let step = trial.reports.last().map_or(0, |(step, _)| *step);
                format!("pruned after {step} steps")
            }
            TrialOutcome::Failed(reason) => format!("failed: {reason}"),
        };
        let value = |key: &&str| match trial.get(key) {
            Some(Value::Number(number)) if !number.is_i64() => {
                number.as_f64().map_or_else(|| "–".to_owned(), four_digits)
            }
            value => value.map_or_else(|| "–".to_owned(), Value::to_string),
        };
        let cells = [trial.number.to_string(), outcome].into_iter();
        text += &line(cells.chain(keys.iter().map(value)).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use gymnast_core::tune::{Distribution, Param};

    use super::*;

    #[test]
    fn a_cell_ends_where_it_should() {
        let trial = |number, value: &str, outcome| {
            let distribution = Distribution::Categorical { choices: vec![value.into()] };
            let param = Param { name: "k".to_owned(), distribution, value: value.into() };
            TrialRecord { number, params: vec![param], reports: Vec::new(), outcome }
        };
        let complete = trial(0, "a|b", TrialOutcome::Complete(1.0));
        let failed = trial(1, "c", TrialOutcome::Failed("one\ntwo | three".to_owned()));
        let text = table(&["k"], &[&complete, &failed]);
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [r#"| 0 | 1.000 | "a\|b" |"#, r#"| 1 | failed: one two \| three | "c" |"#]
        );
    }
}
