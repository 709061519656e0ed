//! Boards with the stones of two players, as one of them sees them.

use std::{
    fmt::{self, Debug},
    marker::PhantomData,
    ops::Range,
};

use rand::RngExt as _;
use serde_json::Value;

use super::{Game, Player, Set, members};
use crate::{
    FeatureSpace, Rng, Space, SpaceDescription, SpaceError, Storage, render::Look,
    space::not_an_element,
};

/// The stones on a board from the view of one player. Cells are numbered row by row from the top
/// left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stones {
    /// The cells with the player's own stones.
    pub own: Set,
    /// The cells with the opponent's stones.
    pub other: Set,
}

impl Stones {
    /// Returns the cells with a stone.
    #[must_use]
    pub fn occupied(self) -> Set {
        self.own | self.other
    }

    /// Returns the same stones from the opponent's view.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self { own: self.other, other: self.own }
    }

    /// Puts one of the player's stones on a cell and returns the opponent's view.
    #[must_use]
    pub fn after(self, cell: usize) -> Self {
        Self { own: self.other, other: self.own | 1 << cell }
    }

    /// Returns the player with this view, assuming it is their turn; `None` if alternating moves
    /// cannot lead to these stones.
    #[must_use]
    pub fn mover(self) -> Option<Player> {
        let behind = self.other.count_ones().checked_sub(self.own.count_ones())?;
        let fits = self.own & self.other == 0;
        match behind {
            0 if fits => Some(Player::First),
            1 if fits => Some(Player::Second),
            _ => None,
        }
    }

    /// Returns the contents of a cell: 0 empty, 1 an own stone, 2 the opponent's.
    #[must_use]
    pub fn at(self, cell: usize) -> usize {
        (self.own >> cell & 1 | (self.other >> cell & 1) << 1) as usize
    }
}

/// A game of stones on a board of at most 64 cells.
pub trait BoardGame: Game {
    /// The number of rows.
    const ROWS: usize;
    /// The number of columns.
    const COLUMNS: usize;
    /// The number of cells.
    const CELLS: usize = Self::ROWS * Self::COLUMNS;
    /// The style of its pictures.
    const LOOK: Look;

    /// Returns the stones from the view of the player to move.
    fn stones(&self) -> Stones;

    /// Creates the position in which the player to move has this view; `None` if no game leads to
    /// it.
    fn from_stones(stones: Stones) -> Option<Self>;

    /// Returns the cells of the winning row, for pictures.
    fn winning_row(&self) -> Set;
}

/// The space of a game's boards from the view of one player.
///
/// An element is stored as its cells: 0 empty, 1 an own stone, 2 the opponent's. Its features are
/// binary, in a flat row: for each cell, row by row, whether it has an own stone and whether it has
/// an opponent's (an image of `ROWS` by `COLUMNS` pixels and 2 channels), followed by the [action
/// mask](FeatureSpace::action_mask), which allows everything if no move is possible. The space also
/// contains boards that no game leads to.
pub struct BoardSpace<G>(PhantomData<fn() -> G>);

impl<G> BoardSpace<G> {
    /// Creates the space of this game's boards.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

// Not derived: a space is copied whatever its game is.
impl<G> Copy for BoardSpace<G> {}

impl<G> Clone for BoardSpace<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Default for BoardSpace<G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<G: BoardGame> Debug for BoardSpace<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoardSpace({} x {})", G::ROWS, G::COLUMNS)
    }
}

impl<G: BoardGame> BoardSpace<G> {
    /// What the mask of a board allows.
    fn allowed(stones: Stones) -> Set {
        let moves = G::from_stones(stones).map_or(0, |game| game.moves());
        if moves == 0 { Set::MAX } else { moves }
    }

    /// The board of these cells, if they are as many as it has and each is 0, 1 or 2.
    pub(super) fn read(cells: impl ExactSizeIterator<Item = Option<usize>>) -> Option<Stones> {
        let mut stones = Stones::default();
        if cells.len() != G::CELLS {
            return None;
        }
        for (i, cell) in cells.enumerate() {
            match cell? {
                0 => {}
                1 => stones.own |= 1 << i,
                2 => stones.other |= 1 << i,
                _ => return None,
            }
        }
        Some(stones)
    }
}

impl<G: BoardGame> Space for BoardSpace<G> {
    type Element = Stones;

    fn contains(&self, stones: &Stones) -> bool {
        let board = Set::MAX >> (64 - G::CELLS);
        stones.own & stones.other == 0 && stones.occupied() & !board == 0
    }

    fn admits(&self, stones: &Stones) -> bool {
        self.contains(stones)
    }

    fn sample(&self, rng: &mut Rng) -> Stones {
        let cells = (0..G::CELLS).map(|_| Some(rng.random_range(0..3_u32) as usize));
        Self::read(cells).expect("cells are 0, 1 or 2")
    }

    fn describe(&self) -> SpaceDescription {
        SpaceDescription::MultiDiscrete { nvec: vec![3; G::CELLS] }
    }

    fn to_jsonable(&self, stones: &Stones) -> Value {
        (0..G::CELLS).map(|cell| Value::from(stones.at(cell))).collect()
    }

    fn from_jsonable(&self, value: &Value) -> Result<Stones, SpaceError> {
        let number = |cell: &Value| cell.as_u64().and_then(|cell| usize::try_from(cell).ok());
        let stones = value.as_array().and_then(|cells| Self::read(cells.iter().map(number)));
        stones.ok_or_else(|| not_an_element(self, value))
    }
}

impl<G: BoardGame> FeatureSpace for BoardSpace<G> {
    fn shape(&self) -> Vec<usize> {
        vec![self.width()]
    }

    /// The board as a picture of two channels, then the action mask.
    fn parts(&self) -> Vec<Vec<usize>> {
        vec![vec![G::ROWS, G::COLUMNS, 2], vec![G::ORDER.len()]]
    }

    fn width(&self) -> usize {
        2 * G::CELLS + G::ORDER.len()
    }

    fn flatten(&self, stones: &Stones, features: &mut [f32]) {
        let feature = |set: Set, i: usize| f32::from((set >> i & 1) as u8);
        let (board, mask) = features.split_at_mut(2 * G::CELLS);
        for (cell, pair) in board.chunks_exact_mut(2).enumerate() {
            pair[0] = feature(stones.own, cell);
            pair[1] = feature(stones.other, cell);
        }
        let allowed = Self::allowed(*stones);
        for (action, place) in mask.iter_mut().enumerate() {
            *place = feature(allowed, action);
        }
    }

    fn unflatten(&self, features: &[f32]) -> Result<Stones, SpaceError> {
        let cell = |pair: &[f32]| match pair {
            [0.0, 0.0] => Some(0),
            [1.0, 0.0] => Some(1),
            [0.0, 1.0] => Some(2),
            _ => None,
        };
        let board = features.get(..2 * G::CELLS);
        let stones = board.and_then(|board| Self::read(board.chunks_exact(2).map(cell)));
        // The mask follows from the board.
        let fits = |stones: &Stones| {
            let mut whole = vec![0.0; self.width()];
            self.flatten(stones, &mut whole);
            whole == features
        };
        let stones = stones.filter(fits);
        stones.ok_or_else(|| not_an_element(self, format!("{features:?}")))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.width()], vec![1.0; self.width()])
    }

    fn action_mask(&self) -> Option<Range<usize>> {
        Some(2 * G::CELLS..self.width())
    }

    fn storage(&self) -> Storage {
        Storage::U8
    }
}

/// A way in which cells can lie in a row: how much one cell's number differs from the one before, and
/// the cells that such a row may start from.
pub(super) type Way = (usize, Set);

/// The four ways in which `length` cells of a board can lie in a row: across, down and along both
/// diagonals.
pub(super) const fn ways(rows: usize, columns: usize, length: usize) -> [Way; 4] {
    let mut ways = [(1, 0), (columns, 0), (columns + 1, 0), (columns - 1, 0)];
    let (mut row, mut column) = (0, 0);
    while row < rows {
        let (down, right, left) =
            (row + length <= rows, column + length <= columns, column + 1 >= length);
        let fits = [right, down, down && right, down && left];
        let mut way = 0;
        while way < 4 {
            if fits[way] {
                ways[way].1 |= 1 << (row * columns + column);
            }
            way += 1;
        }
        column += 1;
        if column == columns {
            (row, column) = (row + 1, 0);
        }
    }
    ways
}

/// The cells from which `length` stones lie in a row, in the way that goes by `step`.
pub(super) fn starts_of_rows(stones: Set, (step, starts): Way, length: usize) -> Set {
    (0..length).fold(starts, |left, i| left & stones >> (i * step))
}

/// The cells of a row of `length` that starts there.
pub(super) fn row(start: usize, step: usize, length: usize) -> Set {
    (0..length).fold(0, |row, i| row | 1 << (start + i * step))
}

/// The cells that lie with others in a row of `length` stones.
pub(super) fn cells_in_rows(stones: Set, ways: &[Way], length: usize) -> Set {
    ways.iter().fold(0, |cells, &way| {
        let starts = members(starts_of_rows(stones, way, length));
        starts.fold(cells, |cells, start| cells | row(start, way.0, length))
    })
}
