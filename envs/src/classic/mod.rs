//! Gymnasium's classic-control environments.

mod cart_pole;

pub use cart_pole::CartPole;

use crate::EnvSpec;

/// The registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::discrete("CartPole-v1", |options| {
            options.parse::<serde_json::Map<_, _>>("CartPole-v1")?;
            Ok(CartPole::default())
        })
        .description("Balance a pole on a cart by pushing the cart left or right.")
        .max_episode_steps(500)
        .reward_threshold(475.0),
    ]
}
