//! Drawings as PNG.

use gymnast_draw::{Canvas, Colour, Pixel};

use super::PlotError;
use super::drawing::{Drawing, Label, Mark, Point};

/// The most pixels of a side, and in all: 175 MB while the picture is drawn.
const MOST: (u32, u64) = (10_000, 25_000_000);

/// Draws with `scale` pixels of the file for each pixel of the drawing.
pub(super) fn png(drawing: &Drawing, scale: f64) -> Result<Vec<u8>, PlotError> {
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(PlotError::Scale(scale));
    }
    let side = |pixels: u32| (f64::from(pixels) * scale - 1e-6).ceil().max(1.0) as u32;
    let (width, height) = (side(drawing.width), side(drawing.height));
    if width.max(height) > MOST.0 || u64::from(width) * u64::from(height) > MOST.1 {
        return Err(PlotError::Size { width, height });
    }
    let mut canvas = Canvas::new(width, height, Colour::WHITE);
    let zoom = drawing.zoom * scale;
    for mark in &drawing.marks {
        draw(&mut canvas, mark, zoom);
    }
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    // 96 pixels to the inch times the scale, so that programs print it in the drawing's size.
    let unit = ::png::Unit::Meter;
    let dots = (96.0 * scale / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(::png::PixelDimensions { xppu: dots, yppu: dots, unit }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&canvas.into_rgb())?;
    writer.finish()?;
    Ok(bytes)
}

fn draw(canvas: &mut Canvas, mark: &Mark, zoom: f64) {
    let pixels = |points: &[Point]| -> Vec<Pixel> {
        points.iter().map(|&(x, y)| [x * zoom, y * zoom]).collect()
    };
    match mark {
        Mark::Line { points, colour, width, dashes } => {
            let dashes: Vec<f64> = dashes.iter().map(|length| length * zoom).collect();
            canvas.dashed_line(
                &crisp(pixels(points), width * zoom),
                width * zoom,
                &dashes,
                *colour,
            );
        }
        Mark::Fill { points, colour, opacity } => {
            canvas.translucent_polygon(&pixels(points), *colour, *opacity);
        }
        Mark::Text(label) => write(canvas, label, zoom),
    }
}

/// A straight horizontal or vertical line, moved by less than a pixel to cover whole ones.
fn crisp(mut points: Vec<Pixel>, width: f64) -> Vec<Pixel> {
    for axis in [0, 1] {
        let [first, last] = &points[..] else { break };
        if first[axis] == last[axis] {
            let half = width / 2.0;
            let edge = (first[axis] - half).round() + half;
            points.iter_mut().for_each(|point| point[axis] = edge);
        }
    }
    points
}

/// The baseline sits on a pixel's edge; along it letters may start between pixels.
fn write(canvas: &mut Canvas, label: &Label, zoom: f64) {
    let text = label.printed();
    let size = label.size * zoom;
    let (x, y) = label.start();
    let (x, y) = (x * zoom, y * zoom);
    let start = if label.upwards { [x.round(), y] } else { [x, y.round()] };
    canvas.text(&text, start, size, label.bold, label.upwards, label.colour);
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Align;
    use super::*;

    fn pixels(marks: Vec<Mark>, scale: f64) -> (u32, Vec<u8>) {
        let bytes = png(&Drawing { width: 40, height: 20, zoom: 1.0, marks }, scale).unwrap();
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(f64::from(info.height), 20.0 * scale);
        (info.width, pixels)
    }

    fn at((width, pixels): &(u32, Vec<u8>), x: usize, y: usize) -> [u8; 3] {
        pixels[(y * *width as usize + x) * 3..][..3].try_into().unwrap()
    }

    #[test]
    fn a_fill_covers_its_pixels_by_their_share() {
        let points = vec![(10.0, 5.0), (20.5, 5.0), (20.5, 15.0), (10.0, 15.0)];
        let fill = Mark::Fill { points, colour: Colour([0, 100, 200]), opacity: 1.0 };
        let once = pixels(vec![fill.clone()], 1.0);
        assert_eq!(at(&once, 15, 10), [0, 100, 200]);
        assert_eq!(at(&once, 9, 10), [255; 3]);
        let half = at(&once, 20, 10);
        assert!((120..=136).contains(&half[0]) && (174..=182).contains(&half[1]), "{half:?}");
        // Twice as sharp, the edge lies between pixels.
        let twice = pixels(vec![fill], 2.0);
        assert_eq!((at(&twice, 40, 20), at(&twice, 41, 20)), ([0, 100, 200], [255; 3]));
    }

    #[test]
    fn a_line_has_its_width_and_lies_on_pixels() {
        let points = vec![(2.0, 10.3), (30.0, 10.3)];
        let line = pixels(vec![Mark::line(points, Colour::BLACK, 2.0)], 1.0);
        let column: Vec<u8> = (0..20).map(|y| at(&line, 10, y)[0]).collect();
        assert_eq!(column[8..12], [255, 0, 0, 255]);
    }

    #[test]
    fn text_stands_on_its_baseline_whatever_way_it_reads() {
        let dark = |upwards| {
            let label = Label::new("E", (20.0, 15.0), Align::Middle, 12.0);
            let picture = pixels(vec![Mark::Text(Label { upwards, ..label })], 1.0);
            let is_dark = |&(x, y): &(usize, usize)| at(&picture, x, y)[0] < 128;
            let all = (0..40).flat_map(|x| (0..20).map(move |y| (x, y)));
            all.filter(is_dark).collect::<Vec<_>>()
        };
        assert!(!dark(false).is_empty() && dark(false).iter().all(|&(_, y)| (5..15).contains(&y)));
        assert!(!dark(true).is_empty() && dark(true).iter().all(|&(x, _)| (10..20).contains(&x)));
    }

    #[test]
    fn a_scale_without_pixels_or_with_too_many_is_refused() {
        let drawing = Drawing { width: 40, height: 20, zoom: 1.0, marks: vec![] };
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(png(&drawing, scale), Err(PlotError::Scale(_))), "{scale}");
        }
        assert!(matches!(png(&drawing, 300.0), Err(PlotError::Size { .. })));
    }
}
