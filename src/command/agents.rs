//! `gymnast agents`: the available agents.

use std::{io::Write, process::ExitCode};

use gymnast_core::text::{WIDTH, lines, wrapped};
use gymnast_harness::{Documented, Training};
use serde_json::json;

use super::{CommandError, Names, table::optional, write_json};
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
            list(names, out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lists the agents by what they need of an environment.
fn list(names: &Names, out: &mut dyn Write) -> Result<(), CommandError> {
    for (needs, agents) in by_needs(names.catalog.iter()) {
        writeln!(out, "For {needs}:")?;
        let mut rows = Vec::new();
        for agent in agents {
            rows.push([format!("  {}", agent.name), agent.summary.to_owned()]);
            let presets: Vec<_> = agent.presets.iter().map(|preset| preset.env).collect();
            if !presets.is_empty() {
                rows.push([String::new(), format!("Presets: {}", presets.join(", "))]);
            }
        }
        writeln!(out, "{}", wrapped(&rows))?;
    }
    writeln!(out, "gymnast agents NAME lists its settings.")?;
    Ok(())
}

/// Groups the agents by what they need, in the order of the first of each group.
pub(super) fn by_needs<'a>(
    agents: impl Iterator<Item = &'a AgentEntry>,
) -> Vec<(String, Vec<&'a AgentEntry>)> {
    let mut groups: Vec<(String, Vec<&AgentEntry>)> = Vec::new();
    for agent in agents {
        let needs = agent.needs();
        match groups.iter_mut().find(|(other, _)| *other == needs) {
            Some((_, group)) => group.push(agent),
            None => groups.push((needs, vec![agent])),
        }
    }
    groups
}

fn describe(agent: &AgentEntry, names: &Names, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(out, "{}\n\n{}\nNeeds {}.\n", agent.name, agent.summary, agent.needs())?;
    let environments = serves(agent, names).join(", ");
    writeln!(out, "{}", wrapped(&[["Environments:".to_owned(), environments]]))?;
    writeln!(out, "Settings and defaults (`--set KEY=VALUE`):")?;
    let row = |defaults: &toml::Table, (name, doc): &(&str, &str)| {
        [format!("  {name}"), optional(defaults.get(*name)), doc.trim().to_owned()]
    };
    let settings: Vec<_> = agent.fields.iter().map(|field| row(&agent.defaults, field)).collect();
    write!(out, "{}", wrapped(&settings))?;
    if agent.fields.iter().any(|(name, _)| *name == "encoder") {
        let note = "Networks of linear, conv2d, activation, layer_norm, residual and flatten layers act without \
                    libtorch; with other layers they act through it, which costs more for small ones.";
        writeln!(out, "\n{}", lines(note, WIDTH).join("\n"))?;
    }
    writeln!(out, "\nTraining and defaults (`--set training.KEY=VALUE`):")?;
    let defaults = to_table(&Training::default());
    let training: Vec<_> = Training::FIELDS.iter().map(|field| row(&defaults, field)).collect();
    write!(out, "{}", wrapped(&training))?;
    for preset in &agent.presets {
        let heading = format!("Preset for {} ({}):", preset.env, preset.source);
        writeln!(out, "\n{}", lines(&heading, WIDTH).join("\n"))?;
        let changed =
            |(key, value): &(&String, &toml::Value)| agent.defaults.get(*key) != Some(value);
        for (key, value) in preset.settings.iter().filter(changed) {
            writeln!(out, "{}", assignment(key, value))?;
        }
        let training = to_table(&preset.training);
        for (key, value) in training.iter().filter(|(key, value)| defaults.get(*key) != Some(value))
        {
            writeln!(out, "{}", assignment(&format!("training.{key}"), value))?;
        }
    }
    Ok(())
}

/// Formats a setting, wrapped at spaces.
fn assignment(key: &str, value: &toml::Value) -> String {
    let text = lines(&format!("{key} = {value}"), WIDTH - 4).join("\n    ");
    format!("  {text}")
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
