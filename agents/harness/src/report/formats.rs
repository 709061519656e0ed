//! The formats of the report: text, CSV, JSON, Markdown and LaTeX.

use gymnast_core::text::{WIDTH, blocks, lines};

use super::{Estimate, Report, Row, Section, StepsRow};

impl Report {
    /// Formats the report as columns of text, side by side within 80 characters.
    #[must_use]
    pub fn to_table(&self) -> String {
        let section = |(index, section): (usize, Section)| {
            let title = if index > 0 { format!("{}\n\n", section.title) } else { String::new() };
            let all = named_rows([&[section.headings][..], &section.rows].concat());
            let note = match section.note.as_str() {
                "" => String::new(),
                note => format!("\n{}\n", lines(note, WIDTH).join("\n")),
            };
            title + &blocks(&all) + &note
        };
        self.sections().into_iter().enumerate().map(section).collect::<Vec<_>>().join("\n")
    }

    /// Formats the report as Markdown tables.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let section = |(index, section): (usize, Section)| {
            let title =
                if index > 0 { format!("### {}\n\n", section.title) } else { String::new() };
            let rule = "|---".repeat(section.headings.len()) + "|\n";
            let rows: String = section.rows.iter().map(|row| line(row)).collect();
            let note = if section.note.is_empty() {
                String::new()
            } else {
                format!("\n{}\n", section.note)
            };
            title + &line(&section.headings) + &rule + &rows + &note
        };
        self.sections().into_iter().enumerate().map(section).collect::<Vec<_>>().join("\n")
    }

    /// Formats the report as LaTeX tables, for the package `booktabs`.
    #[must_use]
    pub fn to_latex(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| latex(cell)).collect();
            format!("{} \\\\\n", cells.join(" & "))
        };
        let section = |section: Section| {
            let rows: String = section.rows.iter().map(|row| line(row)).collect();
            format!(
                "% {}\n\\begin{{tabular}}{{{}}}\n\\toprule\n{}\\midrule\n{rows}\\bottomrule\n\
                 \\end{{tabular}}\n",
                section.title,
                "l".repeat(section.headings.len()),
                line(&section.headings),
            )
        };
        self.sections().into_iter().map(section).collect::<Vec<_>>().join("\n")
    }

    /// Formats the report as JSON: the fields of [`Report`], with numbers in full.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = gymnast_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }

    /// Formats the rows as CSV, with numbers in full; a cell without a number is empty.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells = csv_cells(row);
            if index == 0 {
                let names: Vec<_> = cells.iter().map(|(name, _)| name.as_str()).collect();
                text = names.join(",") + "\n";
            }
            let values: Vec<_> = cells.into_iter().map(|(_, value)| value).collect();
            text += &(values.join(",") + "\n");
        }
        text
    }
}

/// Joins the first two columns if a row's first cell does not name it, and there is room: in a table that
/// is too wide the first column stands before each part.
fn named_rows(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_named =
        rows.iter().enumerate().all(|(i, row)| rows[..i].iter().all(|other| other[0] != row[0]));
    let widest =
        |of: &dyn Fn(&[String]) -> usize| rows.iter().map(|row| of(row)).max().unwrap_or(0);
    let width = |cells: &[String]| cells.iter().map(|cell| cell.chars().count() + 2).sum::<usize>();
    let names = widest(&|row| width(&row[..2.min(row.len())]));
    let others =
        widest(&|row| row.iter().skip(2).map(|cell| cell.chars().count()).max().unwrap_or(0));
    if is_named || widest(&width) <= WIDTH || names + others > WIDTH {
        return rows;
    }
    let join = |row: Vec<String>| {
        let [first, second, others @ ..] = &row[..] else { return row };
        [&[format!("{first} {second}")][..], others].concat()
    };
    rows.into_iter().map(join).collect()
}

/// A cell in LaTeX, in which ten characters mean something else.
fn latex(text: &str) -> String {
    let character = |c: char| match c {
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '~' => "\\textasciitilde{}".to_owned(),
        '^' => "\\textasciicircum{}".to_owned(),
        '\\' => "\\textbackslash{}".to_owned(),
        '>' | '<' => format!("${c}$"),
        '–' => "--".to_owned(),
        '…' => "\\dots{}".to_owned(),
        c => c.to_string(),
    };
    text.chars().map(character).collect()
}

/// The names of the columns and a row's values.
fn csv_cells(row: &Row) -> Vec<(String, String)> {
    let mut cells = Cells(Vec::new());
    for (name, text) in [("run", &row.run), ("agent", &row.agent), ("env", &row.env)] {
        cells.push(name, quoted(text));
    }
    for (name, count) in [
        ("seeds", row.seeds as u64),
        ("env_steps", row.env_steps),
        ("env_steps_max", row.env_steps_max),
    ] {
        cells.push(name, count.to_string());
    }
    cells.estimate("mean", Some(row.mean));
    cells.estimate("median", Some(row.median));
    cells.estimate("iqm", Some(row.iqm));
    cells.estimate("normalized_iqm", row.normalized);
    for budget in &row.budgets {
        cells.estimate(&format!("mean_at_{}", budget.env_steps), budget.mean);
    }
    cells.number("threshold", row.threshold.map(|steps| steps.threshold));
    let steps = row.threshold;
    cells.steps("first", steps.map(|steps| steps.first));
    cells.steps("three_in_a_row", steps.map(|steps| steps.three_in_a_row));
    cells.steps("held_from", steps.map(|steps| steps.held_from));
    cells.estimate("area_under_curve", row.area_under_curve);
    cells.estimate("env_steps_per_s", row.env_steps_per_s);
    cells.push("returns", row.returns.to_string());
    cells.0
}

/// Columns with one row's values.
struct Cells(Vec<(String, String)>);

impl Cells {
    fn push(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    fn number(&mut self, name: &str, value: Option<f64>) {
        self.push(name, value.map(|x| x.to_string()).unwrap_or_default());
    }

    fn estimate(&mut self, name: &str, value: Option<Estimate>) {
        self.number(name, value.map(|x| x.estimate));
        self.number(&format!("{name}_low"), value.and_then(|x| x.low));
        self.number(&format!("{name}_high"), value.and_then(|x| x.high));
    }

    fn steps(&mut self, name: &str, steps: Option<StepsRow>) {
        let reached = steps.map(|steps| steps.reached.to_string());
        self.push(&format!("{name}_reached"), reached.unwrap_or_default());
        self.number(&format!("{name}_median_steps"), steps.and_then(|steps| steps.median));
        self.number(&format!("{name}_median_steps_low"), steps.and_then(|steps| steps.low));
        self.number(&format!("{name}_median_steps_high"), steps.and_then(|steps| steps.high));
        let restricted = steps.map(|steps| steps.restricted_mean);
        self.estimate(&format!("{name}_restricted_mean_steps"), restricted);
    }
}

/// A cell in quotes where it holds a comma, a quote or the end of a line.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
