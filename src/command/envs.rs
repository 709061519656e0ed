//! `gymnast envs`: the available environments.

use std::{io::Write, process::ExitCode};

use gymnast_core::text::{WIDTH, columns, lines, wrapped};
use gymnast_envs::{EnvOptions, EnvSpec, ReferenceReturns, SpaceDescription};
use serde_json::json;

use super::{CommandError, Names, agents::by_needs, shell, table::optional, write_json};

/// List the environments, or describe one
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast envs\n  \
    gymnast envs CartPole-v1\n  \
    gymnast envs --json")]
pub(crate) struct Envs {
    /// The environment to describe
    id: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Envs,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    match &args.id {
        Some(id) => describe(names.registry.spec(id)?, args.json, names, out)?,
        None if args.json => {
            let specs: Result<Vec<_>, _> =
                names.registry.iter().map(|spec| to_json(spec, names)).collect();
            write_json(out, &specs?)?;
        }
        None => list(names, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(names: &Names, out: &mut dyn Write) -> Result<(), CommandError> {
    let headings = ["id", "observations", "actions", "limit", "solved"];
    let mut rows = vec![headings.map(str::to_owned)];
    for spec in names.registry.iter() {
        let (observations, actions) = spec.spaces(&EnvOptions::none())?;
        rows.push([
            spec.id().to_owned(),
            short(&observations),
            short(&actions),
            optional(spec.step_limit()),
            optional(spec.threshold()),
        ]);
    }
    write!(out, "{}", columns(&rows))?;
    writeln!(
        out,
        "\nlimit: maximum steps of an episode; solved: mean return that counts as solved."
    )?;
    for (needs, agents) in by_needs(names.catalog.iter()) {
        let agents: Vec<_> = agents.iter().map(|agent| agent.name).collect();
        let text = format!("Agents for {needs}: {}", agents.join(", "));
        writeln!(out, "{}", lines(&text, WIDTH).join("\n"))?;
    }
    writeln!(out, "\ngymnast envs ID describes an environment, its agents and its options.")?;
    Ok(())
}

/// Describes a space in a few words: the bounds of a box only if they are short.
fn short(space: &SpaceDescription) -> String {
    const WIDEST: usize = 18;
    match (space, space.to_string()) {
        (SpaceDescription::Box { shape, .. }, text) if text.chars().count() > WIDEST => {
            format!("Box({shape:?})")
        }
        (_, text) if text.chars().count() > WIDEST => {
            let start: String = text.chars().take(WIDEST - 1).collect();
            format!("{start}…")
        }
        (_, text) => text,
    }
}

fn serving(spec: &EnvSpec, names: &Names) -> String {
    match names.catalog.serving(spec) {
        agents if agents.is_empty() => "none yet".to_owned(),
        agents => agents.join(", "),
    }
}

fn normalised(spec: &EnvSpec) -> String {
    let on_scale =
        |r: ReferenceReturns| format!("0 at {} (random actions), 1 at {}", r.random, r.best);
    spec.reference().map_or_else(|| "–".to_owned(), on_scale)
}

fn describe(
    spec: &EnvSpec,
    json: bool,
    names: &Names,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    if json {
        return write_json(out, &to_json(spec, names)?);
    }
    let (observations, actions) = spec.spaces(&EnvOptions::none())?;
    writeln!(out, "{}\n", spec.id())?;
    if !spec.summary().is_empty() {
        writeln!(out, "{}\n", lines(spec.summary(), WIDTH).join("\n"))?;
    }
    let rows = [
        ["observations".to_owned(), observations.to_string()],
        ["actions".to_owned(), actions.to_string()],
        ["step limit".to_owned(), optional(spec.step_limit())],
        ["solved at a mean return of".to_owned(), optional(spec.threshold())],
        ["normalised returns".to_owned(), normalised(spec)],
        ["agents".to_owned(), serving(spec, names)],
    ];
    write!(out, "{}", wrapped(&rows))?;
    let evaluation = spec.evaluation().as_map();
    if !evaluation.is_empty() {
        let options: Vec<_> = evaluation.iter().map(|(key, x)| format!("{key} = {x}")).collect();
        let text = format!("Evaluated with (`--set evaluation.KEY=VALUE`): {}", options.join(", "));
        writeln!(out, "\n{}", lines(&text, WIDTH).join("\n"))?;
    }
    writeln!(out, "\nOptions (`--set env.KEY=VALUE`):")?;
    let mut options: Vec<_> = spec
        .options()
        .iter()
        .map(|option| {
            [format!("  {}", option.name), option.default.to_string(), option.doc.to_owned()]
        })
        .collect();
    let limit = "The number of steps after which an episode is truncated.".to_owned();
    options.push(["  max_episode_steps".to_owned(), optional(spec.step_limit()), limit]);
    write!(out, "{}", wrapped(&options))?;
    let presets = names.catalog.iter().filter(|agent| agent.preset(spec.id()).is_some());
    for agent in presets {
        writeln!(out, "\nTrain: gymnast train {} {}", agent.name, shell::word(spec.id()))?;
    }
    Ok(())
}

fn to_json(spec: &EnvSpec, names: &Names) -> Result<serde_json::Value, CommandError> {
    let (observations, actions) = spec.spaces(&EnvOptions::none())?;
    let options = spec.options().iter();
    Ok(json!({
        "id": spec.id(),
        "description": spec.summary(),
        "observation_space": observations,
        "action_space": actions,
        "max_episode_steps": spec.step_limit(),
        "reward_threshold": spec.threshold(),
        "reference_returns": spec.reference(),
        "evaluation": spec.evaluation().as_map(),
        "agents": names.catalog.serving(spec),
        "options": options
            .map(|o| json!({ "name": o.name, "default": o.default, "doc": o.doc }))
            .collect::<Vec<_>>(),
    }))
}
