//! The styles of boards.

/// The style of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Lines on paper, with crosses and noughts.
    Paper,
    /// A rack with holes, with yellow and red stones.
    Rack,
}
