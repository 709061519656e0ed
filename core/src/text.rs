//! Text for terminals and messages.

use std::borrow::Cow;

/// The columns of a terminal that no line should exceed.
pub const WIDTH: usize = 80;

/// The text with its control characters made visible (`\\u{1b}`), line breaks and tabs excepted, so that
/// no name or value that somebody chose can move the cursor or colour the terminal.
///
/// ```
/// use gymnast_core::text::escape_controls;
///
/// assert_eq!(escape_controls("a\u{1b}[31m\nb"), "a\\u{1b}[31m\nb");
/// ```
#[must_use]
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    escape(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// The same for a name within a line: line breaks and tabs are made visible too.
#[must_use]
pub fn escape_name(text: &str) -> Cow<'_, str> {
    escape(text, char::is_control)
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    // These reorder what stands beside them, without being control characters.
    let is_escaped =
        |c| is_escaped(c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_escaped) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped.into()
}

/// Rows as columns two spaces apart; the last one is not padded.
#[must_use]
pub fn columns<R: AsRef<[String]>>(rows: &[R]) -> String {
    let count = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    render(rows, &(0..count).collect::<Vec<_>>())
}

/// Rows as columns, of which as many stand side by side as fit into [`WIDTH`]; the others follow below,
/// beside the first column again.
#[must_use]
pub fn blocks<R: AsRef<[String]>>(rows: &[R]) -> String {
    let count = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let mut blocks = vec![vec![0]];
    let mut used = width(rows, 0);
    for column in 1..count {
        let own = 2 + width(rows, column);
        let block = blocks.last_mut().expect("there is a first block");
        if used + own > WIDTH && block.len() > 1 {
            blocks.push(vec![0, column]);
            used = width(rows, 0) + own;
        } else {
            block.push(column);
            used += own;
        }
    }
    blocks.iter().map(|block| render(rows, block)).collect::<Vec<_>>().join("\n")
}

/// Rows as columns, the last of which is broken at spaces to fit into [`WIDTH`].
#[must_use]
pub fn wrapped<R: AsRef<[String]>>(rows: &[R]) -> String {
    let count = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let Some(last) = count.checked_sub(1) else { return String::new() };
    let before: usize = (0..last).map(|column| width(rows, column) + 2).sum();
    let room = WIDTH.saturating_sub(before).max(20);
    let mut broken = Vec::new();
    for row in rows {
        let mut cells = row.as_ref().to_vec();
        for line in lines(cells.get(last).map_or("", String::as_str), room) {
            cells.resize(last, String::new());
            cells.push(line);
            broken.push(std::mem::take(&mut cells));
        }
    }
    render(&broken, &(0..count).collect::<Vec<_>>())
}

/// The text broken at spaces into lines of at most `width` characters, where its words allow that; at
/// least one line.
#[must_use]
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.last_mut().expect("there is a first line");
        if used > 0 || (line.is_empty() && word.is_empty()) {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines
}

fn width<R: AsRef<[String]>>(rows: &[R], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.as_ref().get(column));
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}

fn render<R: AsRef<[String]>>(rows: &[R], columns: &[usize]) -> String {
    let widths: Vec<_> = columns.iter().map(|&column| width(rows, column)).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |column: usize| row.as_ref().get(column).map_or("", String::as_str);
        let cells = columns.iter().zip(&widths).map(|(&c, width)| format!("{:<width$}", cell(c)));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn no_name_commands_the_terminal() {
        assert_eq!(escape_name("a\u{1b}[2J\n\u{7f}\u{9b}"), "a\\u{1b}[2J\\n\\u{7f}\\u{9b}");
        assert_eq!(escape_name("\u{202e}txt"), "\\u{202e}txt");
        assert!(matches!(escape_name("αé界"), Cow::Borrowed("αé界")));
        assert_eq!(escape_controls("line\n\tnext\r"), "line\n\tnext\\r");
    }

    #[test]
    fn columns_are_two_spaces_apart() {
        let rows = rows(&[&["a", "b", "c"], &["long", "β", "d"]]);
        assert_eq!(columns(&rows), "a     b  c\nlong  β  d\n");
        assert_eq!(columns::<Vec<String>>(&[]), "");
    }

    #[test]
    fn what_does_not_fit_stands_below() {
        let wide = "x".repeat(40);
        let rows = rows(&[&["name", "first", "second", "third"], &["a", &wide, &wide, "3"]]);
        let text = blocks(&rows);
        let expected =
            format!("name  first\na     {wide}\n\nname  {:40}  third\na     {wide}  3\n", "second");
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert_eq!(blocks::<Vec<String>>(&[]), "");
    }

    #[test]
    fn a_long_last_column_is_broken_at_spaces() {
        let prose = "word ".repeat(30);
        let text = wrapped(&rows(&[&["name", prose.trim_end()], &["b", "short"]]));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}"); // 74 characters hold 15 words and 14 spaces.
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(lines[1].starts_with("      word") && lines[2] == "b     short", "{text}");
    }
}
