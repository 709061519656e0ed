//! Iterative pruning with rewinding (lottery tickets).

use serde::{Deserialize, Serialize};

use super::{CompressionError, Mask, check_amount};
use crate::nn::Network;
use crate::require;

/// The settings of iterative pruning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IterativePruning {
    /// The number of rounds; ≥ 1.
    pub rounds: usize,
    /// The fraction of the remaining weights that each round prunes; in [0, 1].
    pub amount: f64,
}

impl Default for IterativePruning {
    /// Eight rounds of 20 %, which leave 0.8⁸ = 17 % of the weights.
    fn default() -> Self {
        Self { rounds: 8, amount: 0.2 }
    }
}

/// Searches a lottery ticket (Frankle and Carbin 2019, <https://arxiv.org/abs/1803.03635>, strategy
/// 1): a few of a network's weights that, from their current values, train as well as all of them.
///
/// ```text
/// remember θ; for each round:
///     train the network
///     prune the smallest weights, of all layers together
///     rewind: what is left goes back to θ, what is pruned to zero
/// ```
///
/// Returns the mask and leaves the network with the ticket's initial weights (and running
/// statistics); train it with the mask's [`param_group`](Mask::param_group). A network that was
/// trained briefly before is rewound to that state (Frankle et al. 2020). `mask` selects the
/// prunable weights and those already pruned; `train` must keep pruned weights at zero, by using
/// the mask's group.
///
/// If a round fails, the network is left with the ticket of the previous rounds, rewound; its mask
/// is the last one that `train` was given.
///
/// # Errors
/// [`CompressionError::Setting`], [`CompressionError::Mask`], [`CompressionError::NotFinite`]; the
/// errors of `train`.
pub fn find_ticket<N: Network, E: From<CompressionError>>(
    network: &mut N,
    config: &IterativePruning,
    mut mask: Mask,
    mut train: impl FnMut(&mut N, &Mask) -> Result<(), E>,
) -> Result<Mask, E> {
    require(config.rounds > 0, "rounds", config.rounds as f64, "at least 1")
        .map_err(CompressionError::from)?;
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
