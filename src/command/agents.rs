//! `gymnast agents`: what there is to learn with.

use std::{io::Write, process::ExitCode};

use gymnast_harness::{Documented, Training};
use serde_json::json;

use super::{
    CommandError, Names,
    table::{columns, optional},
    write_json,
};
use crate::{AgentEntry, settings::to_table};

/// List the agents, or describe one: its settings and presets
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast agents\n  \
    gymnast agents q-learning\n  \
    gymnast agents q-learning --json")]
pub(crate) struct Agents {
    /// The agent to describe
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Agents,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    match &args.name {
        Some(name) => {
            let agent = names.catalog.agent(name)?;
            if args.json {
                write_json(out, &to_json(agent, names))?;
            } else {
                describe(agent, names, out)?;
            }
        }
        None if args.json => {
            let agents: Vec<_> = names.catalog.iter().map(|a| to_json(a, names)).collect();
            write_json(out, &agents)?;
        }
        None => {
            let row = |agent: &AgentEntry| {
                let presets: Vec<_> = agent.presets.iter().map(|preset| preset.env).collect();
                [agent.name.to_owned(), agent.needs(), presets.join(", "), agent.summary.to_owned()]
            };
            let headings = ["name", "needs", "presets", "what it is"].map(str::to_owned);
            let rows: Vec<_> =
                std::iter::once(headings).chain(names.catalog.iter().map(row)).collect();
            write!(out, "{}", columns(&rows))?;
            writeln!(out, "\ngymnast agents NAME lists its settings.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(agent: &AgentEntry, names: &Names, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(out, "{}\n\n{}\nNeeds {}.\n", agent.name, agent.summary, agent.needs())?;
    let environments = serves(agent, names).join(", ");
    writeln!(out, "Environments: {environments}\n")?;
    writeln!(out, "Settings and defaults (`--set KEY=VALUE`):")?;
    let row = |defaults: &toml::Table, (name, doc): &(&str, &str)| {
        [format!("  {name}"), optional(defaults.get(*name)), doc.trim().to_owned()]
    };
    let settings: Vec<_> = agent.fields.iter().map(|field| row(&agent.defaults, field)).collect();
    write!(out, "{}", columns(&settings))?;
    writeln!(out, "\nTraining and defaults (`--set training.KEY=VALUE`):")?;
    let defaults = to_table(&Training::default());
    let training: Vec<_> = Training::FIELDS.iter().map(|field| row(&defaults, field)).collect();
    write!(out, "{}", columns(&training))?;
    for preset in &agent.presets {
        writeln!(out, "\nPreset for {} ({}):", preset.env, preset.source)?;
        let changed =
            |(key, value): &(&String, &toml::Value)| agent.defaults.get(*key) != Some(value);
        for (key, value) in preset.settings.iter().filter(changed) {
            writeln!(out, "  {key} = {value}")?;
        }
        let training = to_table(&preset.training);
        for (key, value) in training.iter().filter(|(key, value)| defaults.get(*key) != Some(value))
        {
            writeln!(out, "  training.{key} = {value}")?;
        }
    }
    Ok(())
}

fn serves<'a>(agent: &AgentEntry, names: &'a Names) -> Vec<&'a str> {
    let served = names.registry.iter().filter(|spec| agent.serves(spec));
    served.map(gymnast_envs::EnvSpec::id).collect()
}

fn to_json(agent: &AgentEntry, names: &Names) -> serde_json::Value {
    let setting = |(name, doc): &(&str, &str)| json!({ "name": name, "default": agent.defaults.get(*name), "doc": doc.trim() });
    let presets = agent.presets.iter().map(|preset| {
        json!({
            "env": preset.env,
            "settings": preset.settings,
            "training": preset.training,
            "source": preset.source,
        })
    });
    json!({
        "name": agent.name,
        "description": agent.summary,
        "needs": agent.needs(),
        "environments": serves(agent, names),
        "settings": agent.fields.iter().map(setting).collect::<Vec<_>>(),
        "presets": presets.collect::<Vec<_>>(),
    })
}
