//! The report as tables of text, which the formats set.

use gymnast_base::text::score;
use gymnast_core::text::escape_name;

use super::{Across, Comparison, Estimate, Improvement, Report, Returns, Row};

/// A table of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it shows.
    pub title: &'static str,
    /// The headings of its columns.
    pub headings: Vec<String>,
    /// Its rows, one cell for each heading.
    pub rows: Vec<Vec<String>>,
    /// How to read it; may be empty.
    pub note: String,
}

const UNEVEN: &str = "Where seeds ended at different env steps (stopped at a threshold, or still \
     training), all are compared at the env steps that each of them has reached.";
const FEW: &str = "A number without an interval comes from too few seeds to have one: one seed, or \
     fewer than six for a median.";

const TRAINING: &str = "Runs marked `training` have no evaluations: their returns are means of up to 100 \
     training episodes, in which the agent explores. They are not paired with evaluations.";

const ALL_TRAINING: &str = "All returns are those of training episodes, in which the agent explores: means \
     of up to 100 of them.";

impl Report {
    /// Returns the tables of the report; those without rows are left out.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let rows = &self.rows;
        let uneven = rows.iter().any(|row| row.env_steps != row.env_steps_max);
        let few = rows.iter().any(|row| row.median.low.is_none());
        let trained = rows.iter().filter(|row| row.returns == Returns::Training).count();
        let training = match trained {
            0 => None,
            _ if trained == rows.len() => Some(ALL_TRAINING),
            _ => Some(TRAINING),
        };
        let numbers = match (uneven, few) {
            (true, _) => Some(UNEVEN),
            (false, true) => Some(FEW),
            (false, false) => None,
        };
        let notes: Vec<_> = numbers.into_iter().chain(training).collect();
        let runs = Section {
            title: "Runs",
            headings: headings(rows),
            rows: rows.iter().map(|row| cells(row, rows)).collect(),
            note: notes.join(" "),
        };
        let sections = [
            runs,
            across(&self.across),
            improvements(&self.improvements),
            comparisons(&self.comparisons),
        ];
        sections.into_iter().filter(|section| !section.rows.is_empty()).collect()
    }
}

fn owned<const N: usize>(headings: [&str; N]) -> Vec<String> {
    headings.map(str::to_owned).to_vec()
}

fn headings(rows: &[Row]) -> Vec<String> {
    let mut headings = owned([
        "agent",
        "environment",
        "seeds",
        "env steps",
        "mean [95 %]",
        "median [95 %]",
        "IQM [95 %]",
    ]);
    if rows.iter().any(|row| row.normalized.is_some()) {
        headings.push("normalised IQM".to_owned());
    }
    let budgets = rows.first().map_or(&[][..], |row| &row.budgets);
    headings.extend(budgets.iter().map(|budget| format!("mean at {}", budget.env_steps)));
    headings.extend(owned([
        "steps to threshold: first",
        "three in a row",
        "held from",
        "area [95 %]",
        "steps/s",
    ]));
    headings
}

fn cells(row: &Row, rows: &[Row]) -> Vec<String> {
    let optional = |x: Option<Estimate>| x.map_or_else(none, |x| x.text(score));
    let mut cells = vec![
        name(&row.agent, &row.run, is_ambiguous(row, rows)),
        escape_name(&row.env).into_owned(),
        row.seeds.to_string(),
        row.env_steps_text(),
        row.mean.text(score),
        row.median.text(score),
        row.iqm.text(score),
    ];
    if rows.iter().any(|row| row.normalized.is_some()) {
        cells.push(optional(row.normalized));
    }
    cells.extend(row.budgets.iter().map(|budget| optional(budget.mean)));
    match row.threshold {
        None => cells.extend([none(), none(), none()]),
        Some(steps) => {
            let ways = [steps.first, steps.three_in_a_row, steps.held_from];
            cells.extend(ways.map(|steps| steps.text(row.seeds)));
        }
    }
    let speed = row.env_steps_per_s.map(|speed| format!("{:.0}", speed.estimate));
    cells.extend([optional(row.area_under_curve), speed.unwrap_or_else(none)]);
    cells
}

/// Whether the report should say which run a row is, beyond agent and environment.
fn is_ambiguous(row: &Row, rows: &[Row]) -> bool {
    let same = |other: &&Row| (&other.agent, &other.env) == (&row.agent, &row.env);
    rows.iter().filter(same).count() > 1
}

fn name(agent: &str, run: &str, is_ambiguous: bool) -> String {
    let run = if is_ambiguous { format!(" ({run})") } else { String::new() };
    escape_name(&format!("{agent}{run}")).into_owned()
}

fn none() -> String {
    "–".to_owned()
}

impl Row {
    /// Returns the env steps as text; where some seeds went further, how far.
    #[must_use]
    pub fn env_steps_text(&self) -> String {
        match self.env_steps_max {
            most if most > self.env_steps => format!("{} of {most}", self.env_steps),
            _ => self.env_steps.to_string(),
        }
    }
}

fn across(rows: &[Across]) -> Section {
    let cells = |row: &Across| {
        let number = |estimate: Estimate| estimate.text(|x| format!("{x:.3}"));
        vec![
            escape_name(&row.agent).into_owned(),
            row.envs.len().to_string(),
            row.runs.to_string(),
            number(row.iqm),
            number(row.mean),
            number(row.median),
            number(row.optimality_gap),
        ]
    };
    Section {
        title: "Across environments",
        headings: owned([
            "agent",
            "envs",
            "runs",
            "IQM [95 %]",
            "mean [95 %]",
            "median [95 %]",
            "optimality gap [95 %]",
        ]),
        rows: rows.iter().map(cells).collect(),
        note:
            "Returns are normalised: random actions have 0, the best return known has 1. In each \
               environment all agents are compared at the env steps that all their seeds reached."
                .to_owned(),
    }
}

fn improvements(rows: &[Improvement]) -> Section {
    let cells = |row: &Improvement| {
        vec![
            escape_name(&row.agent).into_owned(),
            escape_name(&row.over).into_owned(),
            row.probability.text(|x| format!("{x:.2}")),
            row.outcome.to_string(),
        ]
    };
    Section {
        title: "Probability of improvement",
        headings: owned(["agent", "over", "probability [95 %]", "the agent is"]),
        rows: rows.iter().map(cells).collect(),
        note: "How probably a run of the agent beats a run of the other in the same environment."
            .to_owned(),
    }
}

fn comparisons(rows: &[Comparison]) -> Section {
    let cells = |row: &Comparison| {
        let is_ambiguous = row.agent == row.other_agent;
        vec![
            name(&row.agent, &row.run, is_ambiguous),
            name(&row.other_agent, &row.other_run, is_ambiguous),
            escape_name(&row.env).into_owned(),
            row.env_steps.to_string(),
            row.seeds.to_string(),
            row.difference.text(score),
            row.outcome.to_string(),
        ]
    };
    Section {
        title: "Pairs",
        headings: owned([
            "agent",
            "against",
            "environment",
            "env steps",
            "seeds",
            "difference [95 %]",
            "the agent is",
        ]),
        rows: rows.iter().map(cells).collect(),
        note:
            "The mean difference of returns over the seeds that both have. Of twenty pairs that do \
               not differ, one is called better or worse by chance."
                .to_owned(),
    }
}
