//! Colours for readers with any kind of colour vision.

/// An opaque colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(
    /// Red, 0 to 255.
    pub u8,
    /// Green, 0 to 255.
    pub u8,
    /// Blue, 0 to 255.
    pub u8,
);

/// The palette of Okabe and Ito, "Color Universal Design" (2008), ordered by contrast on white;
/// yellow, with the lowest contrast, comes last.
pub const OKABE_ITO: [Rgb; 8] = [
    Rgb(0x00, 0x72, 0xB2), // blue
    Rgb(0xD5, 0x5E, 0x00), // vermillion
    Rgb(0x00, 0x9E, 0x73), // bluish green
    Rgb(0xCC, 0x79, 0xA7), // reddish purple
    Rgb(0xE6, 0x9F, 0x00), // orange
    Rgb(0x56, 0xB4, 0xE9), // sky blue
    Rgb(0x00, 0x00, 0x00), // black
    Rgb(0xF0, 0xE4, 0x42), // yellow
];

pub(super) const WHITE: Rgb = Rgb(255, 255, 255);
pub(super) const TEXT: Rgb = Rgb(0x26, 0x26, 0x26);
pub(super) const AXIS: Rgb = Rgb(0x8C, 0x8C, 0x8C);
pub(super) const GRID: Rgb = Rgb(0xE8, 0xE8, 0xE8);
pub(super) const GUIDE: Rgb = Rgb(0x59, 0x59, 0x59);

impl Rgb {
    /// Returns the colour of the series at `index`; the palette repeats after eight.
    pub fn of_series(index: usize) -> Self {
        OKABE_ITO[index % OKABE_ITO.len()]
    }

    /// Blends the colour with white: `share` from 0 (white) to 1 (unchanged).
    #[must_use]
    pub fn tint(self, share: f64) -> Self {
        let mix =
            |part: u8| (255.0 + (f64::from(part) - 255.0) * share.clamp(0.0, 1.0)).round() as u8;
        Self(mix(self.0), mix(self.1), mix(self.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tints_run_from_white_to_the_colour() {
        assert_eq!(OKABE_ITO[0].tint(0.0), WHITE);
        assert_eq!(OKABE_ITO[0].tint(1.0), OKABE_ITO[0]);
        assert_eq!(Rgb(255, 155, 55).tint(0.5), Rgb(255, 205, 155));
    }

    #[test]
    fn the_palette_repeats() {
        assert_eq!(Rgb::of_series(9), OKABE_ITO[1]);
    }
}
