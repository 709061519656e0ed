//! Gymnasium's classic-control environments, and CartPole with continuous actions.

mod abreast;
mod acrobot;
mod cart_pole;
mod cart_pole_continuous;
mod mountain_car;
mod mountain_car_continuous;
mod pendulum;

pub use acrobot::{Acrobot, AcrobotDynamics};
pub use cart_pole::CartPole;
pub use cart_pole_continuous::CartPoleContinuous;
pub use mountain_car::MountainCar;
pub use mountain_car_continuous::MountainCarContinuous;
pub use pendulum::Pendulum;

use serde::de::DeserializeOwned;

use crate::{EnvError, EnvOptions, EnvSpec};

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    let cart_pole = "Balance a pole on a cart by pushing the cart left or right.";
    let half_length = "Half the pole's length, 0.001 to 1000 metres.";
    let sutton_barto =
        "Use Sutton and Barto's reward: 0 for each step, −1 for the step that fails.";
    let goal_velocity = "The lowest velocity at which arriving at the goal counts.";
    vec![
        EnvSpec::discrete("CartPole-v0", |options| make_cart_pole("CartPole-v0", options))
            .description(cart_pole)
            .option("length", 0.5, half_length)
            .option("sutton_barto_reward", false, sutton_barto)
            .max_episode_steps(200)
            .reward_threshold(195.0),
        EnvSpec::discrete("CartPole-v1", |options| make_cart_pole("CartPole-v1", options))
            .description(cart_pole)
            .option("length", 0.5, half_length)
            .option("sutton_barto_reward", false, sutton_barto)
            .max_episode_steps(500)
            .reward_threshold(475.0),
        EnvSpec::continuous("CartPoleContinuous-v1", |options| {
            Ok(CartPoleContinuous::from(make_cart_pole("CartPoleContinuous-v1", options)?))
        })
        .description("Balance a pole on a cart by pushing the cart with a continuous force.")
        .option("length", 0.5, half_length)
        .option("sutton_barto_reward", false, sutton_barto)
        .max_episode_steps(500)
        .reward_threshold(475.0),
        EnvSpec::discrete("MountainCar-v0", |options| {
            from_options::<MountainCar>("MountainCar-v0", options)
        })
        .description("Rock an underpowered car out of a valley by accelerating left or right.")
        .option("goal_velocity", 0.0, goal_velocity)
        .max_episode_steps(200)
        .reward_threshold(-110.0),
        EnvSpec::continuous("MountainCarContinuous-v0", |options| {
            from_options::<MountainCarContinuous>("MountainCarContinuous-v0", options)
        })
        .description("Rock an underpowered car out of a valley with as little force as possible.")
        .option("goal_velocity", 0.0, goal_velocity)
        .max_episode_steps(999)
        .reward_threshold(90.0)
        .trace_tolerance(1e-6),
        EnvSpec::continuous("Pendulum-v1", |options| {
            let pendulum: Pendulum = from_options("Pendulum-v1", options)?;
            let g = pendulum.g;
            require("Pendulum-v1", (-1e6..=1e6).contains(&g), || {
                format!("`g` must lie between -1e6 and 1e6 m/s², got {g:e}")
            })?;
            Ok(pendulum)
        })
        .description("Swing a pendulum up and hold it there with little torque.")
        .option("g", 10.0, "The acceleration of gravity, -1e6 to 1e6 m/s².")
        .max_episode_steps(200)
        .trace_tolerance(1e-6),
        EnvSpec::discrete("Acrobot-v1", |options| {
            let acrobot: Acrobot = from_options("Acrobot-v1", options)?;
            let noise = acrobot.torque_noise_max;
            // Beyond, one step overflows.
            require("Acrobot-v1", (0.0..=1e6).contains(&noise), || {
                format!("`torque_noise_max` must lie between 0 and 1e6 N·m, got {noise:e}")
            })?;
            Ok(acrobot)
        })
        .description("Swing the tip of a two-link arm above a line by torque at its elbow.")
        .option(
            "dynamics",
            "book",
            "The equations of motion: `book` (Sutton and Barto) or `nips` (the paper).",
        )
        .option(
            "torque_noise_max",
            0.0,
            "The largest torque of the uniform noise, 0 (off) to 1e6 N·m.",
        )
        .max_episode_steps(500)
        .reward_threshold(-100.0),
    ]
}

fn make_cart_pole(id: &str, options: &EnvOptions) -> Result<CartPole, EnvError> {
    let cart_pole: CartPole = from_options(id, options)?;
    let length = cart_pole.length;
    // The force on a pole that is hardly there, or the torque on a mile of it, overflows.
    require(id, (1e-3..=1e3).contains(&length), || {
        format!("`length` must lie between 0.001 and 1000 m, got {length:e}")
    })?;
    Ok(cart_pole)
}

/// Creates an environment from options; its public fields are its options.
///
/// The state is a field too, so that snapshots hold it, but no option that the registry lists.
fn from_options<E: DeserializeOwned>(id: &str, options: &EnvOptions) -> Result<E, EnvError> {
    options.parse(id)
}

fn require(id: &str, holds: bool, reason: impl FnOnce() -> String) -> Result<(), EnvError> {
    if holds {
        return Ok(());
    }
    Err(EnvError::InvalidOption { id: id.to_owned(), reason: reason() })
}

#[cfg(test)]
mod tests {
    use crate::{EnvOptions, Registry};

    #[test]
    fn an_invalid_option_is_named() {
        let options = [
            ("CartPole-v1", "length", serde_json::json!(-1)),
            ("CartPole-v1", "length", serde_json::json!("long")),
            ("CartPole-v0", "lenght", serde_json::json!(1)),
            ("CartPoleContinuous-v1", "length", serde_json::json!(0)),
            ("CartPoleContinuous-v1", "state", serde_json::json!([0, 0, 0, 0])),
            ("Pendulum-v1", "g", serde_json::json!([9.81])),
            ("MountainCar-v0", "state", serde_json::json!([0, 0])),
            ("Acrobot-v1", "dynamics", serde_json::json!("tape")),
            ("Acrobot-v1", "torque_noise_max", serde_json::json!(-0.5)),
            // Beyond these, a step overflows.
            ("Acrobot-v1", "torque_noise_max", serde_json::json!(1.1e6)),
            ("CartPole-v1", "length", serde_json::json!(1.1e3)),
            ("CartPoleContinuous-v1", "length", serde_json::json!(9e-4)),
            ("Pendulum-v1", "g", serde_json::json!(1.1e6)),
            ("Pendulum-v1", "g", serde_json::json!(-1e308)),
        ];
        for (id, key, value) in options {
            let spec = Registry::builtin().spec(id).unwrap().clone();
            let error = spec.make(0, &EnvOptions::none().with(key, value)).err().unwrap();
            let text = error.to_string();
            assert!(text.contains(key) && text.contains(id), "{text}");
        }
    }

    #[test]
    fn an_option_changes_the_dynamics() {
        let spec = Registry::builtin().spec("Pendulum-v1").unwrap().clone();
        let mut env = spec.make(0, &EnvOptions::none().with("g", 0.0)).unwrap();
        env.set_state(&[1.0, 0.0]).unwrap();
        env.step(&serde_json::json!([0.0])).unwrap();
        assert_eq!(env.state(), Some(vec![1.0, 0.0]));
    }
}
