//! Lines and areas cut at the edges of a rectangle, for data beyond an axis's limits.

use super::drawing::Point;
use super::frame::Frame;

/// The parts of a line within the frame.
pub(super) fn line(points: &[Point], frame: &Frame) -> Vec<Vec<Point>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    if let [point] = *points {
        return if holds(frame, point) { vec![vec![point]] } else { parts };
    }
    let mut is_open = false;
    for pair in points.windows(2) {
        let Some((from, to)) = segment(pair[0], pair[1], frame) else {
            is_open = false;
            continue;
        };
        match parts.last_mut().filter(|_| is_open) {
            Some(part) => part.push(to),
            None => parts.push(vec![from, to]),
        }
        is_open = to == pair[1];
    }
    parts
}

/// The part of an area within the frame: Sutherland and Hodgman, "Reentrant Polygon Clipping"
/// (1974). Parts of it may be joined along an edge of the frame, where nothing of that is seen.
pub(super) fn area(corners: &[Point], frame: &Frame) -> Vec<Point> {
    let mut corners = corners.to_vec();
    for (axis, limit, sign) in edges(frame) {
        let depth = |point: Point| sign * (coordinate(point, axis) - limit);
        let mut kept = Vec::with_capacity(corners.len());
        for (index, &to) in corners.iter().enumerate() {
            let from = corners[(index + corners.len() - 1) % corners.len()];
            if (depth(from) < 0.0) != (depth(to) < 0.0) {
                kept.push(between(from, to, depth(from) / (depth(from) - depth(to)), axis, limit));
            }
            if depth(to) >= 0.0 {
                kept.push(to);
            }
        }
        corners = kept;
    }
    corners
}

/// The frame's edges: the coordinate that they limit, where, and on which side the inside is.
fn edges(frame: &Frame) -> [(usize, f64, f64); 4] {
    [(0, frame.left, 1.0), (0, frame.right, -1.0), (1, frame.top, 1.0), (1, frame.bottom, -1.0)]
}

fn coordinate(point: Point, axis: usize) -> f64 {
    if axis == 0 { point.0 } else { point.1 }
}

fn holds(frame: &Frame, point: Point) -> bool {
    edges(frame).iter().all(|&(axis, limit, sign)| sign * (coordinate(point, axis) - limit) >= 0.0)
}

/// The part of a straight line within the frame.
fn segment(mut from: Point, mut to: Point, frame: &Frame) -> Option<(Point, Point)> {
    for (axis, limit, sign) in edges(frame) {
        let depth = |point: Point| sign * (coordinate(point, axis) - limit);
        match (depth(from) < 0.0, depth(to) < 0.0) {
            (false, false) => {}
            (true, true) => return None,
            (outside, _) => {
                let share = depth(from) / (depth(from) - depth(to));
                let edge = between(from, to, share, axis, limit);
                if outside { from = edge } else { to = edge }
            }
        }
    }
    Some((from, to))
}

/// A place between two points, exactly on an edge.
fn between(from: Point, to: Point, share: f64, axis: usize, limit: f64) -> Point {
    let (x, y) = (from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1));
    if axis == 0 { (limit, y) } else { (x, limit) }
}

#[cfg(test)]
mod tests {
    use super::super::axis::{Axis, Range};
    use super::super::frame::{Room, lay_out};
    use super::*;

    /// A frame; its left upper corner and its right lower one.
    fn frame() -> (Frame, Point, Point) {
        let (axis, range) = (Axis::default(), Range { low: 0.0, high: 1.0 });
        let room = Room { width: 300.0, height: 200.0, top: 10.0, right: 0.0, left: 0.0 };
        let frame = lay_out(room, (&axis, range), (&axis, range)).unwrap().0;
        (frame, (frame.left, frame.top), (frame.right, frame.bottom))
    }

    #[test]
    fn a_line_is_cut_where_it_leaves_and_comes_back() {
        let (frame, (left, top), (right, bottom)) = frame();
        let (middle, out) = (f64::midpoint(top, bottom), top - 100.0);
        // Inside, out through the upper edge, and back.
        let points = [(left + 10.0, middle), (left + 30.0, out), (left + 50.0, middle)];
        let parts = line(&points, &frame);
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0][0], parts[1][1]), (points[0], points[2]));
        assert!(parts[0][1].1 == top && parts[1][0].1 == top, "{parts:?}");
        // Across the whole frame, though neither end is in it.
        let across = line(&[(left - 10.0, middle), (right + 10.0, middle)], &frame);
        assert_eq!(across, [vec![(left, middle), (right, middle)]]);
        assert!(line(&[(left, out), (right, out)], &frame).is_empty());
        assert!(line(&[(left - 1.0, middle)], &frame).is_empty());
        assert_eq!(line(&points[..1], &frame), [vec![points[0]]]);
    }

    #[test]
    fn an_area_is_cut_at_every_edge() {
        let (frame, (left, top), (right, bottom)) = frame();
        let (l, t, r, b) = (left - 50.0, top - 50.0, right + 50.0, bottom + 50.0);
        let cut = area(&[(l, t), (r, t), (r, b), (l, b)], &frame);
        let mut corners = [(left, top), (right, top), (right, bottom), (left, bottom)].to_vec();
        corners.retain(|corner| !cut.contains(corner));
        assert!(corners.is_empty(), "{cut:?}");
        let inside = [(left, top), (right, top), (right, bottom)];
        assert_eq!(area(&inside, &frame), inside);
        assert!(area(&[(l, t), (l - 1.0, t), (l, t - 1.0)], &frame).is_empty());
    }
}
