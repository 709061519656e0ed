//! Drawings as SVG.

use std::fmt::Write as _;

use gymnast_draw::Colour;

use super::drawing::{Align, Drawing, Label, Mark, Point};

/// The family of the built-in font, and those that a viewer has in its place: Verdana's letters are
/// as wide.
const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

pub(super) fn svg(drawing: &Drawing) -> String {
    let (width, height) = (drawing.width, drawing.height);
    let unit = |pixels: u32| number(f64::from(pixels) / drawing.zoom);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" font-family=\"{FAMILY}\" stroke-linejoin=\"round\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        unit(width),
        unit(height),
        hex(Colour::WHITE),
    );
    for mark in &drawing.marks {
        let written = match mark {
            Mark::Line { points, colour, width, dashes } => {
                let dashes = match dashes {
                    [] => String::new(),
                    dashes => format!(" stroke-dasharray=\"{}\"", numbers(dashes)),
                };
                writeln!(
                    text,
                    "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{dashes}/>",
                    places(points),
                    hex(*colour),
                    number(*width)
                )
            }
            Mark::Fill { points, colour, opacity } => {
                let opacity = match opacity {
                    1.0 => String::new(),
                    opacity => format!(" fill-opacity=\"{}\"", number(*opacity)),
                };
                let (points, colour) = (places(points), hex(*colour));
                writeln!(text, "<polygon points=\"{points}\" fill=\"{colour}\"{opacity}/>")
            }
            Mark::Text(label) => writeln!(text, "{}", letters(label)),
        };
        written.expect("a string takes everything");
    }
    text + "</svg>\n"
}

fn letters(label: &Label) -> String {
    let (x, y) = (number(label.at.0), number(label.at.1));
    let anchor = match label.align {
        Align::Start => "",
        Align::Middle => " text-anchor=\"middle\"",
        Align::End => " text-anchor=\"end\"",
    };
    let weight = if label.bold { " font-weight=\"bold\"" } else { "" };
    let turned =
        if label.upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}{turned}>{}</text>",
        number(label.size),
        hex(label.colour),
        escaped(&label.printed())
    )
}

fn places(points: &[Point]) -> String {
    let place = |&(x, y): &Point| format!("{},{}", number(x), number(y));
    points.iter().map(place).collect::<Vec<_>>().join(" ")
}

fn numbers(numbers: &[f64]) -> String {
    numbers.iter().map(|&x| number(x)).collect::<Vec<_>>().join(" ")
}

/// With two decimals, which are a hundredth of a pixel.
fn number(x: f64) -> String {
    let text = format!("{x:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

fn hex(Colour([red, green, blue]): Colour) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_texts_are_written_and_escaped() {
        let label = Label::new("a < b & \u{7}c", (5.0, 10.0), Align::Middle, 12.0);
        let line = Mark::Line {
            points: vec![(0.0, 1.0), (2.345, 3.0)],
            colour: Colour::BLUE,
            width: 2.0,
            dashes: &[4.0, 1.5],
        };
        let points = vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)];
        let fill = Mark::Fill { points, colour: Colour::BLACK, opacity: 0.2 };
        let marks = vec![line, fill, Mark::Text(label)];
        let svg = svg(&Drawing { width: 40, height: 20, zoom: 0.5, marks });
        for part in [
            "width=\"40\" height=\"20\" viewBox=\"0 0 80 40\"",
            ">a &lt; b &amp;  c</text>",
            "text-anchor=\"middle\"",
            "points=\"0,1 2.35,3\" fill=\"none\" stroke=\"#0072B2\"",
            "stroke-dasharray=\"4 1.5\"",
            "fill=\"#000000\" fill-opacity=\"0.2\"",
            "DejaVu Sans",
        ] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
    }
}
