//! Names that were meant.

/// The candidate most like `name`, if any is much like it, capitals aside.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let scored = candidates.map(|c| (strsim::jaro_winkler(&name, &c.to_lowercase()), c));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.7).then(|| best.1.to_owned())
}
