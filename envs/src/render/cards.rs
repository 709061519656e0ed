//! Pictures of blackjack.

use super::lettering::write_centred;
use super::{Canvas, Colour, Frame, Pixel};

const CLOTH: Colour = Colour([0, 92, 72]);

/// Draws a table of blackjack: the player's sum, whether they have an ace that counts 11, and the
/// dealer's open card (1 is an ace). 600 x 400 pixels.
#[must_use]
pub fn blackjack(player_sum: i64, has_usable_ace: bool, dealer_card: i64) -> Frame {
    let mut canvas = Canvas::new(600, 400, CLOTH);
    let soft = CLOTH.mix(Colour::WHITE, 0.25);
    canvas.line(&[[300.0, 50.0], [300.0, 350.0]], 2.0, soft);

    write_centred(&mut canvas, "Dealer", [150.0, 62.0], 24.0, Colour::WHITE);
    let rank = if dealer_card == 1 { "A".to_owned() } else { dealer_card.to_string() };
    open_card(&mut canvas, [42.0, 125.0], &rank);
    hidden_card(&mut canvas, [158.0, 125.0]);

    write_centred(&mut canvas, "Player", [450.0, 62.0], 24.0, Colour::WHITE);
    let is_bust = player_sum > 21;
    let colour = if is_bust { Colour::ORANGE } else { Colour::WHITE };
    write_centred(&mut canvas, &player_sum.to_string(), [450.0, 195.0], 110.0, colour);
    if is_bust {
        write_centred(&mut canvas, "Bust", [450.0, 315.0], 22.0, colour);
    } else if has_usable_ace {
        canvas.rounded_rect([361.0, 292.0], [178.0, 46.0], 23.0, Colour::YELLOW);
        write_centred(&mut canvas, "Usable ace", [450.0, 315.0], 16.0, Colour::INK);
    }
    canvas.into()
}

const CARD: [f64; 2] = [100.0, 146.0];

fn open_card(canvas: &mut Canvas, corner: Pixel, rank: &str) {
    canvas.rounded_rect(corner, CARD, 10.0, Colour::WHITE);
    let [x, y] = [corner[0] + CARD[0] / 2.0, corner[1] + CARD[1] / 2.0];
    let height = if rank.len() == 1 { 64.0 } else { 42.0 };
    write_centred(canvas, rank, [x, y], height, Colour::INK);
    for side in [-1.0, 1.0] {
        diamond(canvas, [x + side * 34.0, y + side * 57.0], 8.0, Colour::VERMILLION);
    }
}

fn hidden_card(canvas: &mut Canvas, corner: Pixel) {
    canvas.rounded_rect(corner, CARD, 10.0, Colour::WHITE);
    let inner = [corner[0] + 7.0, corner[1] + 7.0];
    canvas.rounded_rect(inner, [CARD[0] - 14.0, CARD[1] - 14.0], 6.0, Colour::BLUE);
    for row in 0..5 {
        for column in 0..3 {
            let (x, y) = (f64::from(column) * 26.0 + 24.0, f64::from(row) * 26.0 + 21.0);
            diamond(canvas, [corner[0] + x, corner[1] + y], 8.0, Colour::SKY_BLUE);
        }
    }
}

fn diamond(canvas: &mut Canvas, [x, y]: Pixel, radius: f64, colour: Colour) {
    let corners = [[x - radius, y], [x, y - radius], [x + radius, y], [x, y + radius]];
    canvas.polygon(&corners, colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_observation_is_seen() {
        let frame = blackjack(15, false, 10);
        assert_eq!((frame.width, frame.height), (600, 400));
        for other in [blackjack(16, false, 10), blackjack(15, true, 10), blackjack(15, false, 1)] {
            assert_ne!(frame, other);
        }
    }
}
