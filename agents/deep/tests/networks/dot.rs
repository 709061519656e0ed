//! Tasks of one step: a dot in a small picture is on the left or on the right.

use gymnast_envs::{BoxSpace, Discrete, Env, EnvError, Rng, RowSpace, Step};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// A picture, and a number beside it.
pub(crate) type Seen = (RowSpace, BoxSpace<1>);

/// A dot in a picture of 4 by 4 pixels, on the left or on the right, beside a number that says nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Dot {
    on_the_right: bool,
}

impl Dot {
    pub(crate) fn space() -> Seen {
        let picture = RowSpace::new(vec![0.0; 16], vec![1.0; 16], vec![4, 4, 1]).unwrap();
        (picture, BoxSpace::symmetric([1.0]))
    }

    fn draw(&mut self, rng: &mut Rng) -> (Vec<f32>, [f32; 1]) {
        let (row, column) = (rng.random_range(0..4), rng.random_range(0..4));
        self.on_the_right = column >= 2;
        let mut picture = vec![0.0; 16];
        picture[4 * row + column] = 1.0;
        (picture, [rng.random::<f32>() - 0.5])
    }
}

/// Says on which side the dot is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Say(Dot);

impl Env for Say {
    type ObservationSpace = Seen;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Seen {
        Dot::space()
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<(Vec<f32>, [f32; 1]), EnvError> {
        Ok(self.0.draw(rng))
    }

    fn step(
        &mut self,
        action: &i64,
        rng: &mut Rng,
    ) -> Result<Step<(Vec<f32>, [f32; 1])>, EnvError> {
        let right = *action == i64::from(self.0.on_the_right);
        Ok(Step::new(self.0.draw(rng), f64::from(u8::from(right)), true))
    }

    gymnast_envs::snapshot!();
}

/// Points to the side that the dot is on: to 0.5 or to -0.5.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Point(Dot);

impl Env for Point {
    type ObservationSpace = Seen;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> Seen {
        Dot::space()
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<(Vec<f32>, [f32; 1]), EnvError> {
        Ok(self.0.draw(rng))
    }

    fn step(
        &mut self,
        &[action]: &[f32; 1],
        rng: &mut Rng,
    ) -> Result<Step<(Vec<f32>, [f32; 1])>, EnvError> {
        let aim = if self.0.on_the_right { 0.5 } else { -0.5 };
        Ok(Step::new(self.0.draw(rng), -(f64::from(action) - aim).powi(2), true))
    }

    gymnast_envs::snapshot!();
}
