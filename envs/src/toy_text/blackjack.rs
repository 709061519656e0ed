//! Blackjack against a dealer with a fixed strategy.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(feature = "render")]
use crate::render::{Frame, cards};
use crate::tiles::certain;
use crate::{Discrete, Env, EnvError, Rng, Step, Transition};

/// The share of naturals among the soft 21s that a player sees who plays optimally: an ace and a
/// ten as dealt, against an ace drawn to or counted up later. See [`Blackjack::transitions`].
const NATURAL_SHARE: f64 = 0.816_511_295_490_033_3;

crate::documented! {
    /// The rules of a [`Blackjack`] table.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct BlackjackConfig {
        /// Whether a win with a natural (an ace and a ten as dealt) gives 1.5.
        pub natural: bool,
        /// Whether to use Sutton and Barto's rules: a natural wins unless the dealer has one too,
        /// and gives 1. Overrides `natural`.
        pub sab: bool,
    }
}

impl Default for BlackjackConfig {
    /// The rules of Gymnasium's `Blackjack-v1`: Sutton and Barto's.
    fn default() -> Self {
        Self { natural: false, sab: true }
    }
}

/// A hand: its sum, and whether an ace in it counts 11.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hand {
    sum: i64,
    soft: bool,
}

impl Hand {
    fn of(card: i64) -> Self {
        Self { sum: 0, soft: false }.with(card)
    }

    #[inline]
    fn with(self, card: i64) -> Self {
        match (card, self.soft) {
            (1, false) if self.sum + 11 <= 21 => Self { sum: self.sum + 11, soft: true },
            (_, true) if self.sum + card > 21 => Self { sum: self.sum + card - 10, soft: false },
            _ => Self { sum: self.sum + card, ..self },
        }
    }

    /// Whether a player may hold it: two cards or more, not over 21.
    fn is_playable(self) -> bool {
        (if self.soft { 12 } else { 4 }..=21).contains(&self.sum)
    }

    /// Whether a player may hold it, at the end too.
    fn is_holdable(self) -> bool {
        self.is_playable() || (!self.soft && (22..=31).contains(&self.sum))
    }

    /// What the hand counts at the end: nothing if it went over 21.
    fn score(self) -> i64 {
        if self.sum > 21 { 0 } else { self.sum }
    }
}

/// Blackjack: get closer to 21 than the dealer, by drawing a card (1) or sticking (0).
///
/// The observation is the player's sum, the dealer's open card (1 is an ace) and whether the player
/// has an ace that counts 11. The deck is endless. A win gives 1, a loss −1; the dealer sticks on
/// 17 or more.
///
/// Source: Sutton and Barto, example 5.1, as in Gymnasium's `Blackjack-v1`. There the dealer's
/// hidden card is drawn at the start, here when the player sticks; with an endless deck this is
/// equivalent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blackjack {
    config: BlackjackConfig,
    player: Hand,
    dealer_card: i64,
    is_natural: bool,
}

impl Blackjack {
    /// Creates a table with these rules.
    #[must_use]
    pub fn new(config: BlackjackConfig) -> Self {
        let player = Hand { sum: 20, soft: false };
        Self { config, player, dealer_card: 10, is_natural: false }
    }

    /// Returns the rules of the table.
    #[must_use]
    pub fn config(&self) -> &BlackjackConfig {
        &self.config
    }

    fn observation(&self, player: Hand) -> (i64, i64, i64) {
        (player.sum, self.dealer_card, i64::from(player.soft))
    }

    /// The reward of a player who sticks, once the dealer has played.
    #[inline]
    fn settle(&self, player: i64, is_natural: bool, dealer: Hand, dealer_natural: bool) -> f64 {
        let won = f64::from(i8::from(player > dealer.score()) - i8::from(player < dealer.score()));
        if self.config.sab {
            return if is_natural && !dealer_natural { 1.0 } else { won };
        }
        if self.config.natural && is_natural && won > 0.0 { 1.5 } else { won }
    }

    /// The distribution of the rewards −1, 0, 1 and 1.5 when the player sticks.
    fn stick(&self, player: i64, is_natural: bool, dealer_card: i64) -> [f64; 4] {
        let mut rewards = [0.0; 4];
        for (second, probability) in cards() {
            let natural = is_pair_natural(dealer_card, second);
            let hand = Hand::of(dealer_card).with(second);
            play_out(hand, probability, &mut |dealer, probability| {
                let reward = self.settle(player, is_natural, dealer, natural);
                let i = REWARDS.iter().position(|&r| r == reward).expect("one of four rewards");
                rewards[i] += probability;
            });
        }
        rewards
    }
}

const REWARDS: [f64; 4] = [-1.0, 0.0, 1.0, 1.5];

impl Default for Blackjack {
    fn default() -> Self {
        Self::new(BlackjackConfig::default())
    }
}

/// A card of the endless deck: ace to nine, and ten four times.
#[inline]
fn draw(rng: &mut Rng) -> i64 {
    i64::from(rng.random_range(1..=13_u32).min(10))
}

fn cards() -> impl Iterator<Item = (i64, f64)> {
    (1..=10).map(|card| (card, if card == 10 { 4.0 } else { 1.0 } / 13.0))
}

fn is_pair_natural(first: i64, second: i64) -> bool {
    (first, second) == (1, 10) || (first, second) == (10, 1)
}

/// Every end of the dealer's play from a hand, with its probability.
fn play_out(hand: Hand, probability: f64, end: &mut impl FnMut(Hand, f64)) {
    if hand.sum >= 17 {
        return end(hand, probability);
    }
    for (card, p) in cards() {
        play_out(hand.with(card), probability * p, end);
    }
}

impl Env for Blackjack {
    type ObservationSpace = (Discrete, Discrete, Discrete);
    type ActionSpace = Discrete;

    fn observation_space(&self) -> (Discrete, Discrete, Discrete) {
        (Discrete::new(32), Discrete::new(11), Discrete::new(2))
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<(i64, i64, i64), EnvError> {
        self.dealer_card = draw(rng);
        let (first, second) = (draw(rng), draw(rng));
        self.player = Hand::of(first).with(second);
        self.is_natural = is_pair_natural(first, second);
        Ok(self.observation(self.player))
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<(i64, i64, i64)>, EnvError> {
        match action {
            0 => {
                let second = draw(rng);
                let dealer_natural = is_pair_natural(self.dealer_card, second);
                let mut dealer = Hand::of(self.dealer_card).with(second);
                while dealer.sum < 17 {
                    dealer = dealer.with(draw(rng));
                }
                let score = self.player.score();
                let reward = self.settle(score, self.is_natural, dealer, dealer_natural);
                Ok(Step::new(self.observation(self.player), reward, true))
            }
            1 => {
                self.player = self.player.with(draw(rng));
                self.is_natural = false;
                let is_bust = self.player.sum > 21;
                let reward = if is_bust { -1.0 } else { 0.0 };
                // A hand that is over stays within the observation space when it is hit again.
                self.player.sum = self.player.sum.min(31);
                Ok(Step::new(self.observation(self.player), reward, is_bust))
            }
            _ => Err(EnvError::invalid_action(&self.action_space(), action)),
        }
    }

    fn state(&self) -> Option<Vec<f64>> {
        let (sum, card, ace) = self.observation(self.player);
        Some([sum, card, ace].map(|x| x as f64).to_vec())
    }

    /// Sets the state from the numbers of an observation. A soft 21 counts as a natural.
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let names = "[player_sum, dealer_card, usable_ace]";
        let numbers = EnvError::expect_state::<3>(state, names)?;
        let [sum, card, ace] = numbers.map(|x| x as i64);
        let player = Hand { sum, soft: ace == 1 };
        let is_valid = player.is_playable()
            && (1..=10).contains(&card)
            && (0..=1).contains(&ace)
            && numbers.iter().all(|x| x.fract() == 0.0);
        if !is_valid {
            return Err(EnvError::InvalidState {
                expected: format!(
                    "{names}: a sum in 4..=21 (12..=21 with an ace), a card in 1..=10, 0 or 1"
                ),
                got: format!("{state:?}"),
            });
        }
        (self.player, self.dealer_card) = (player, card);
        self.is_natural = player == Hand { sum: 21, soft: true };
        Ok(())
    }

    fn observe(&self) -> Option<(i64, i64, i64)> {
        Some(self.observation(self.player))
    }

    /// Returns the exact dynamics of the endless deck. Observations in which no player decides are
    /// terminal and lead to themselves.
    ///
    /// The observation does not show whether a soft 21 was dealt (a natural) or drawn. The model
    /// weighs the two as they occur under optimal play, so value iteration finds the optimal policy
    /// and, over the [`initial_states`](Env::initial_states), its exact value.
    fn transitions(
        &self,
        &(sum, dealer_card, ace): &(i64, i64, i64),
        action: &i64,
    ) -> Option<Vec<Transition<(i64, i64, i64)>>> {
        let player = Hand { sum, soft: ace == 1 };
        if !(0..=1).contains(action) || !(0..=1).contains(&ace) {
            return None;
        }
        if !player.is_playable() || !(1..=10).contains(&dealer_card) {
            return Some(certain(((sum, dealer_card, ace), 0.0, true)));
        }
        if *action == 1 {
            let drawn = |(card, probability)| {
                let Hand { sum, soft } = player.with(card);
                let (reward, terminated) = if sum > 21 { (-1.0, true) } else { (0.0, false) };
                let next_state = (sum, dealer_card, i64::from(soft));
                Transition { probability, next_state, reward, terminated }
            };
            return Some(cards().map(drawn).collect());
        }
        let share = if player.soft && sum == 21 { NATURAL_SHARE } else { 0.0 };
        let dealt = self.stick(sum, true, dealer_card);
        let drawn = self.stick(sum, false, dealer_card);
        let outcome = |i: usize| Transition {
            probability: share * dealt[i] + (1.0 - share) * drawn[i],
            next_state: (sum, dealer_card, ace),
            reward: REWARDS[i],
            terminated: true,
        };
        Some((0..4).map(outcome).filter(|t| t.probability > 0.0).collect())
    }

    fn initial_states(&self) -> Option<Vec<(f64, (i64, i64, i64))>> {
        let mut starts: Vec<(f64, (i64, i64, i64))> = Vec::new();
        for (dealer, p) in cards() {
            for (first, q) in cards() {
                for (second, r) in cards() {
                    let Hand { sum, soft } = Hand::of(first).with(second);
                    let start = (sum, dealer, i64::from(soft));
                    match starts.iter_mut().find(|(_, other)| *other == start) {
                        Some((probability, _)) => *probability += p * q * r,
                        None => starts.push((p * q * r, start)),
                    }
                }
            }
        }
        Some(starts)
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(cards::blackjack(self.player.sum, self.player.soft, self.dealer_card))
    }

    fn render_ansi(&self) -> Option<String> {
        let (sum, card, ace) = self.observation(self.player);
        let card = if card == 1 { "A".to_owned() } else { card.to_string() };
        let ace = if ace == 1 { " (usable ace)" } else { "" };
        Some(format!("Dealer: {card}\nPlayer: {sum}{ace}\n"))
    }

    fn save(&self) -> Option<Value> {
        gymnast_json::to_value(self).ok()
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        // An impossible hand would leave the space, and the dealer would draw for ever.
        let table = gymnast_json::from_value::<Self>(snapshot).map_err(|error| error.to_string());
        let valid = table.and_then(|table| {
            let is_valid = table.player.is_holdable() && (1..=10).contains(&table.dealer_card);
            if is_valid { Ok(table) } else { Err(snapshot.to_string()) }
        });
        *self = valid.map_err(|got| EnvError::InvalidState {
            expected: "a Blackjack table: a hand of 4..=31, a dealer's card in 1..=10".to_owned(),
            got,
        })?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "blackjack_tests.rs"]
mod tests;
