//! Lines and bands within a frame, as marks.

use gymnast_draw::Colour;

use super::drawing::{Mark, Point};
use super::frame::Frame;
use super::{clip, line as geometry};

/// How opaque a band is.
const BAND: f64 = 0.2;

/// Draws a line with gaps where points are not finite; a lone point is a dot.
pub(super) fn line(
    marks: &mut Vec<Mark>,
    frame: &Frame,
    points: &[Point],
    (colour, width, dashes): (Colour, f64, &'static [f64]),
) {
    for stretch in geometry::stretches(points) {
        let placed: Vec<Point> = stretch.iter().map(|&(x, y)| frame.place(x, y)).collect();
        for points in clip::line(&geometry::thinned(&placed), frame) {
            marks.push(match points[..] {
                [point] => {
                    let points = geometry::dot(point, 1.4 * width);
                    Mark::Fill { points, colour, opacity: 1.0 }
                }
                _ => Mark::Line { points, colour, width, dashes },
            });
        }
    }
}

/// Draws a band of points (x, low, high) with gaps where one is not finite.
pub(super) fn band(marks: &mut Vec<Mark>, frame: &Frame, band: &[(f64, f64, f64)], colour: Colour) {
    let finite =
        |(x, low, high): &(f64, f64, f64)| x.is_finite() && low.is_finite() && high.is_finite();
    for stretch in band.split(|edge| !finite(edge)).filter(|stretch| stretch.len() > 1) {
        let upper: Vec<Point> = stretch.iter().map(|&(x, _, high)| frame.place(x, high)).collect();
        let lower: Vec<Point> = stretch.iter().map(|&(x, low, _)| frame.place(x, low)).collect();
        let mut points = geometry::thinned(&upper);
        points.extend(geometry::thinned(&lower).into_iter().rev());
        let points = clip::area(&points, frame);
        if points.len() > 2 {
            marks.push(Mark::Fill { points, colour, opacity: BAND });
        }
    }
}
