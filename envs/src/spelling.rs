//! Names that were meant.

/// The candidate most like `name`, if any is much like it, capitals aside.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let scored = candidates.map(|c| (strsim::jaro_winkler(&name, &c.to_lowercase()), c));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.7).then(|| best.1.to_owned())
}
/// What to write instead of a boolean in another language's spelling, `False` say. `None` for other
/// text.
#[must_use]
pub fn misspelt_boolean(text: &str) -> Option<&'static str> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(", write true (lower case, no quotes)"),
        () if text.eq_ignore_ascii_case("false") => Some(", write false (lower case, no quotes)"),
        () => None,
    }
}

/// A number that is whole, and small enough to be exact as a float, as an integer: 1e4 is a count.
#[must_use]
pub fn whole_number(number: f64) -> Option<i64> {
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0; // 2⁵³
    is_exact.then_some(number as i64)
}
