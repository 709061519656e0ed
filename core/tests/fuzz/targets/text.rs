//! `text`: what is shown in a terminal.

use gymnast_core::text;

use crate::source::Source;

pub(super) fn shown(source: &mut Source) {
    let line = source.text();
    for escaped in [text::escape_controls(&line), text::escape_name(&line)] {
        assert!(!escaped.contains('\u{1b}'), "{escaped:?}");
    }
    assert!(!text::escape_name(&line).contains('\n'));
    let (x, decimals) = (source.number(), source.u64() as u8);
    assert!(text::number(x).len() <= 24 && text::number(source.f32()).len() <= 24, "{x}");
    let _ = text::rounded(x, decimals);
    let width = source.count();
    let _ = text::lines(&line, width);
    let (rows, cells) = (source.up_to(5), source.up_to(6));
    let rows: Vec<Vec<String>> = (0..rows).map(|_| source.texts(cells)).collect();
    let _ = (text::columns(&rows), text::blocks(&rows), text::wrapped(&rows));
}
