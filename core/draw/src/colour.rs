//! Colours for readers with any kind of colour vision.

/// An opaque colour in sRGB: red, green and blue.
///
/// The named colours are the palette of Okabe and Ito, "Color universal design" (2008), which
/// people with any kind of colour vision can distinguish, and a few greys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 3]);

/// The palette of Okabe and Ito, ordered by contrast on white; yellow, with the lowest contrast,
/// comes last.
pub const OKABE_ITO: [Colour; 8] = [
    Colour::BLUE,
    Colour::VERMILLION,
    Colour::GREEN,
    Colour::PURPLE,
    Colour::ORANGE,
    Colour::SKY_BLUE,
    Colour::BLACK,
    Colour::YELLOW,
];

impl Colour {
    /// Okabe and Ito's orange.
    pub const ORANGE: Self = Self([230, 159, 0]);
    /// Okabe and Ito's sky blue.
    pub const SKY_BLUE: Self = Self([86, 180, 233]);
    /// Okabe and Ito's bluish green.
    pub const GREEN: Self = Self([0, 158, 115]);
    /// Okabe and Ito's yellow.
    pub const YELLOW: Self = Self([240, 228, 66]);
    /// Okabe and Ito's blue.
    pub const BLUE: Self = Self([0, 114, 178]);
    /// Okabe and Ito's vermillion.
    pub const VERMILLION: Self = Self([213, 94, 0]);
    /// Okabe and Ito's reddish purple.
    pub const PURPLE: Self = Self([204, 121, 167]);
    /// Black.
    pub const BLACK: Self = Self([0; 3]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// The dark grey of outlines and text.
    pub const INK: Self = Self([43, 48, 56]);
    /// The middle grey of less important parts.
    pub const GREY: Self = Self([150, 156, 165]);
    /// The light grey of the background.
    pub const MIST: Self = Self([226, 230, 235]);

    /// Returns the colour of the series at `index`; the palette repeats after eight.
    #[must_use]
    pub fn of_series(index: usize) -> Self {
        OKABE_ITO[index % OKABE_ITO.len()]
    }

    /// Mixes this colour with the fraction `amount`, in 0..=1, of another.
    #[must_use]
    pub fn mix(self, other: Self, amount: f64) -> Self {
        let mixed = |i: usize| {
            let (from, to) = (f64::from(self.0[i]), f64::from(other.0[i]));
            (from + (to - from) * amount.clamp(0.0, 1.0)).round() as u8
        };
        Self([0, 1, 2].map(mixed))
    }

    /// Blends the colour with white: `share` from 0 (white) to 1 (unchanged).
    #[must_use]
    pub fn tint(self, share: f64) -> Self {
        Self::WHITE.mix(self, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tints_run_from_white_to_the_colour() {
        assert_eq!(Colour::BLUE.tint(0.0), Colour::WHITE);
        assert_eq!(Colour::BLUE.tint(1.0), Colour::BLUE);
        assert_eq!(Colour([255, 155, 55]).tint(0.5), Colour([255, 205, 155]));
        assert_eq!(Colour::WHITE.mix(Colour([0; 3]), 0.5), Colour([128; 3]));
    }

    #[test]
    fn the_palette_repeats() {
        assert_eq!(Colour::of_series(9), OKABE_ITO[1]);
    }
}
