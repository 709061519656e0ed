//! Iterative pruning with rewinding.

use serde::{Deserialize, Serialize};

use super::{CompressionError, Mask, check, check_amount};
use crate::nn::Network;

/// How a network is pruned bit by bit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IterativePruning {
    /// How often; ≥ 1.
    pub rounds: usize,
    /// The share of the weights kept so far that each round prunes; in [0, 1].
    pub amount: f64,
}

impl Default for IterativePruning {
    /// Eight rounds of a fifth each, which leave 0.8⁸ = 17 % of the weights.
    fn default() -> Self {
        Self { rounds: 8, amount: 0.2 }
    }
}

/// Searches a lottery ticket (Frankle and Carbin 2019, <https://arxiv.org/abs/1803.03635>, its
/// strategy 1): a few of a network's weights that, with the values that they have now, train as well as
/// all of them.
///
/// ```text
/// remember θ; for each round:
///     train the network
///     prune the smallest weights, of all layers together
///     rewind: what is left goes back to θ, what is pruned to zero
/// ```
///
/// Returns the mask and leaves the network with the ticket's initial weights (and running statistics),
/// to be trained by its [`param_group`](Mask::param_group). A network that was trained a little before
/// is rewound to there (Frankle et al. 2020). `mask` says what may be pruned and what already is;
/// `train` must hold it at zero: its group among the training's does.
///
/// Where a round fails the network is left with the ticket of the rounds before, rewound like the last
/// one; its mask is the one that `train` was given last.
///
/// # Errors
/// [`CompressionError::Setting`], [`CompressionError::Mask`], [`CompressionError::NotFinite`]; what
/// `train` returns.
pub fn find_ticket<N: Network, E: From<CompressionError>>(
    network: &mut N,
    config: &IterativePruning,
    mut mask: Mask,
    mut train: impl FnMut(&mut N, &Mask) -> Result<(), E>,
) -> Result<Mask, E> {
    check(config.rounds > 0, "rounds", config.rounds as f64, "at least 1")?;
    check_amount(config.amount)?;
    let (initial, buffers) = (network.parameters().to_vec(), network.buffers());
    mask.apply(network.parameters_mut())?;
    for _ in 0..config.rounds {
        let round = train(network, &mask);
        let round =
            round.and_then(|()| Ok(mask.global_unstructured(network.parameters(), config.amount)?));
        network.parameters_mut().load(&initial).map_err(CompressionError::from)?;
        network.load_buffers(&buffers).map_err(CompressionError::from)?;
        mask.apply(network.parameters_mut())?;
        round?;
    }
    Ok(mask)
}
