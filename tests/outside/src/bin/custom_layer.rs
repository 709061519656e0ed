//! A layer of one's own: named in a configuration, counted, saved and loaded like the library's.

use gymnast::{
    core::{
        init::{Fans, Init},
        nn::{
            Activation, Layer, LayerConfig, LayerForward, LayerShape, NetworkError,
            ParametersBuilder,
        },
    },
    prelude::*,
};
use serde::{Deserialize, Serialize};

/// Multiplies each number by a learned one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Scale {
    start: f32,
}

#[typetag::serde(name = "scale")]
impl Layer for Scale {
    fn output(&self, input: LayerShape) -> Result<LayerShape, NetworkError> {
        Ok(input)
    }

    fn parameters(&self, input: LayerShape) -> usize {
        input.channels()
    }

    fn declare(
        &self,
        input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<LayerForward, NetworkError> {
        let (start, fans) = (Init::Constant { value: self.start }, Fans { fan_in: 1, fan_out: 1 });
        let weight = builder.of_layer("weight", &[input.channels()], start, fans)?;
        Ok(Box::new(move |x, _training| x * weight.tensor()))
    }

    fn boxed(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let head = vec![
        LayerConfig::linear(32),
        LayerConfig::Custom(Box::new(Scale { start: 1.0 })),
        Activation::Tanh.into(),
    ];
    let preset = PpoConfig::preset("CartPole-v1").ok_or("no preset")?;
    let config = PpoConfig { head, ..preset.settings };
    let training = Training { env_steps: 8_000, eval_every: 4_000, ..preset.training };
    let plan = training.plan(0);
    let cart_pole = || Ok(TimeLimit::new(CartPole::default(), 500));
    let mut envs = SyncVectorEnv::of(training.num_envs, plan.seed.child("envs", 0), cart_pole)?;
    let (observation_space, head) =
        (*envs.observation_space(), Categorical::new(*envs.action_space()));
    let mut agent = Ppo::new(observation_space, head, config, &plan)?;
    let names = agent.networks().parameters().named();
    let scales = names
        .iter()
        .filter(|parameter| parameter.shape == [32] && parameter.name.contains("head.1"));
    println!("scales: {:?}", scales.map(|scale| &scale.name).collect::<Vec<_>>());
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(cart_pole).run()?;
    let last = summary.evaluations.last().ok_or("no evaluation")?.mean_return;
    println!("PPO with a layer of its own: {last:.1} on CartPole");
    if last < 60.0 { Err("it has not learned".into()) } else { Ok(()) }
}
