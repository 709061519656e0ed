//! Formats text for terminals and messages.

use std::borrow::Cow;
use std::fmt::{Display, LowerExp};

/// The width of a terminal in columns; lines should not exceed it.
pub const WIDTH: usize = 80;

/// Escapes control characters (`\\u{1b}`) except line breaks and tabs, so that no name or value can
/// move the cursor or colour the terminal.
///
/// ```
/// use gymnast_base::text::escape_controls;
///
/// assert_eq!(escape_controls("a\u{1b}[31m\nb"), "a\\u{1b}[31m\nb");
/// ```
#[must_use]
pub fn escape_controls(text: &str) -> Cow<'_, str> {
    escape(text, |c| c.is_control() && c != '\n' && c != '\t')
}

/// Escapes control characters in a name within a line: line breaks and tabs too.
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

/// Formats a number in full and as short as possible: without an exponent from 0.0001 to below a
/// million; elsewhere with one unless that is longer (`1e308`, `1048576`). Rust's `{}` prints the
/// former with 309 digits.
///
/// ```
/// use gymnast_base::text::number;
///
/// assert_eq!((number(-0.25), number(1e-5_f32)), ("-0.25".to_owned(), "1e-5".to_owned()));
/// ```
#[must_use]
pub fn number<F: Copy + Into<f64> + Display + LowerExp>(x: F) -> String {
    let (plain, scientific) = (x.to_string(), format!("{x:e}"));
    if is_usual(x.into()) || plain.len() <= scientific.len() { plain } else { scientific }
}

/// Formats a number with `decimals` decimals: in full from 0.0001 to below a million, elsewhere in
/// scientific form, `1.2346e300`.
///
/// ```
/// use gymnast_base::text::rounded;
///
/// assert_eq!((rounded(2.0, 3), rounded(-1e300, 1)), ("2.000".to_owned(), "-1.0e300".to_owned()));
/// ```
#[must_use]
pub fn rounded(x: f64, decimals: u8) -> String {
    let decimals = usize::from(decimals);
    if is_usual(x) { format!("{x:.decimals$}") } else { format!("{x:.decimals$e}") }
}

/// Formats a number with four significant digits, for tables; files hold all digits.
#[must_use]
pub fn four_digits(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e5).contains(&x.abs()) {
        return format!("{x:.3e}");
    }
    let digits = if x == 0.0 { 0 } else { 3 - x.abs().log10().floor() as i32 };
    format!("{x:.*}", usize::try_from(digits).unwrap_or(0))
}

/// Formats a return or another score with the decimals that matter: three below 10, one below 1000,
/// none above.
#[must_use]
pub fn score(x: f64) -> String {
    match x.abs() {
        size if size < 10.0 => format!("{x:.3}"),
        size if size < 1000.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}

/// Returns whether a number is short without an exponent.
fn is_usual(x: f64) -> bool {
    x == 0.0 || (1e-4..1e6).contains(&x.abs())
}

/// Aligns rows in columns two spaces apart; the last column is not padded.
#[must_use]
pub fn columns<R: AsRef<[String]>>(rows: &[R]) -> String {
    let count = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    render(rows, &(0..count).collect::<Vec<_>>())
}

/// Aligns rows in columns and sets blocks of them side by side within [`WIDTH`]; the rest follows
/// below.
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

/// Aligns rows in columns and wraps the last column at spaces to fit [`WIDTH`].
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

/// Wraps the text at spaces into lines of at most `width` characters, where its words allow that;
/// returns at least one line.
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
    fn no_number_fills_a_screen() {
        for (x, expected) in [
            (0.0, "0"),
            (-0.25, "-0.25"),
            (100_000.0, "100000"),
            (999_999.5, "999999.5"),
            (1e6, "1e6"),
            (1_048_577.0, "1048577"),
            (1e308, "1e308"),
            (-f64::MAX, "-1.7976931348623157e308"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-5"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(number(x), expected);
            assert!(x.is_nan() || number(x).parse::<f64>() == Ok(x), "{x}");
        }
        // An `f32` is not shown with the digits of an `f64`.
        assert_eq!((number(0.1_f32), number(f32::MAX)), ("0.1".into(), "3.4028235e38".into()));
        assert_eq!(rounded(0.123_456, 4), "0.1235");
        assert_eq!((rounded(0.0, 2), rounded(-12.0, 0)), ("0.00".into(), "-12".into()));
        assert_eq!(
            (rounded(1.23456e300, 4), rounded(2e-9, 1)),
            ("1.2346e300".into(), "2.0e-9".into())
        );
        assert_eq!(rounded(f64::NAN, 4), "NaN");
        assert_eq!([0.0, 1.0, 12345.6, 1e-4].map(four_digits), ["0", "1.000", "12346", "1.000e-4"]);
        assert_eq!([-9.5, 475.25, -1234.5].map(score), ["-9.500", "475.2", "-1234"]);
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
