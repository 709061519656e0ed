//! `gymnast wrappers`: the available wrappers.

use std::{io::Write, process::ExitCode};

use gymnast_core::text::{WIDTH, lines, wrapped};
use gymnast_envs::{InEvaluation, WrapperSpec};
use serde_json::{Value, json};

use super::{CommandError, Names, write_json};

/// List the wrappers and their options, or describe one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast wrappers\n  \
    gymnast wrappers FrameStack\n  \
    gymnast train dqn CartPole-v1 --wrapper 'FrameStack(k=4)' --wrapper FlattenObservation\n  \
    gymnast check Pendulum-v1 --wrapper RescaleAction")]
pub(crate) struct Wrappers {
    /// The wrapper to describe
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Wrappers,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let wrappers = match &args.name {
        Some(name) => vec![names.registry.wrapper(name)?],
        None => names.registry.wrappers().collect(),
    };
    if args.json {
        write_json(out, &wrappers.iter().map(|spec| to_json(spec)).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for spec in wrappers {
        describe(spec, out)?;
    }
    let use_them = "In a config.toml, list them from the innermost outward: env.wrappers = \
                    [\"ClipAction\", { name = \"FrameStack\", k = 4 }]. On the command line: --wrapper \
                    ClipAction --wrapper 'FrameStack(k=4)'.";
    writeln!(out, "{}", lines(use_them, WIDTH).join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn describe(spec: &WrapperSpec, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut text = format!("{} For {}.", spec.summary(), spec.needs());
    match spec.in_evaluation() {
        InEvaluation::Same => {}
        InEvaluation::LeftOut => {
            text += " Left out of evaluations, which report the environment's own rewards.";
        }
        InEvaluation::Given(names) => {
            let names = names.join(" and ");
            text += &format!(
                " gymnast train needs {names}, so that evaluations use the same statistics."
            );
        }
    }
    writeln!(out, "{}", spec.name())?;
    for line in lines(&text, WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    let rows: Vec<_> = spec
        .options()
        .iter()
        .map(|option| {
            let default = match &option.default {
                None => "required".to_owned(),
                Some(Value::Null) => "unset".to_owned(),
                Some(value) => value.to_string(),
            };
            [format!("  {}", option.name), default, option.doc.to_owned()]
        })
        .collect();
    if !rows.is_empty() {
        write!(out, "{}", wrapped(&rows))?;
    }
    writeln!(out)?;
    Ok(())
}

fn to_json(spec: &WrapperSpec) -> Value {
    let evaluation = match spec.in_evaluation() {
        InEvaluation::Same => json!("same"),
        InEvaluation::LeftOut => json!("left out"),
        InEvaluation::Given(names) => json!({ "needs": names }),
    };
    let options = spec.options().iter().map(|option| {
        let is_required = option.default.is_none();
        json!({
            "name": option.name, "default": option.default, "is_required": is_required,
            "doc": option.doc,
        })
    });
    json!({
        "name": spec.name(),
        "description": spec.summary(),
        "needs": spec.needs(),
        "evaluation": evaluation,
        "options": options.collect::<Vec<_>>(),
    })
}
