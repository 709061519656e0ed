//! An environment of one's own, PPO, a callback, and the best policy in a file.

use gymnast::prelude::*;

/// A cart on a rail, pushed left or right: the nearer to the middle, the better.
struct Cart([f32; 2]);

impl Env for Cart {
    type ObservationSpace = BoxSpace<2>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<2> {
        BoxSpace::symmetric([f32::INFINITY; 2])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 2], EnvError> {
        self.0 = BoxSpace::symmetric([1.0, 0.0]).sample(rng);
        Ok(self.0)
    }

    fn step(&mut self, action: &i64, _: &mut Rng) -> Result<Step<[f32; 2]>, EnvError> {
        let speed = self.0[1] + 0.1 * (2 * action - 1) as f32;
        self.0 = [self.0[0] + 0.1 * speed, speed];
        Ok(Step::new(self.0, f64::from(-self.0[0].abs()), false))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let training =
        Training { env_steps: 16_384, num_envs: 8, eval_every: 4_096, ..Training::default() };
    let plan = training.plan(0);
    let cart = || Ok(TimeLimit::new(Cart([0.0; 2]), 100));
    let mut envs = SyncVectorEnv::of(training.num_envs, plan.seed.child("envs", 0), cart)?;
    let (observation_space, head) =
        (*envs.observation_space(), Categorical::new(*envs.action_space()));
    let config = PpoConfig { n_steps: 256, ..PpoConfig::default() };
    let mut agent = Ppo::new(observation_space, head, config, &plan)?;
    let best = std::env::temp_dir().join(format!("cart-{}.safetensors", std::process::id()));
    let mut looks = 0;
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs)
        .evaluate_on(cart)
        .look(|_, _| {
            looks += 1;
            Ok(Flow::Continue)
        })
        .look_when_evaluated(save_best(&best))
        .run()?;
    let returns: Vec<f64> = summary.evaluations.iter().map(|e| e.mean_return).collect();
    println!("PPO: returns {returns:.1?}, {looks} looks, best policy in {}", best.display());
    if !best.is_file() || looks == 0 {
        return Err("no policy was saved, or nothing was looked at".into());
    }
    std::fs::remove_file(&best)?;
    match returns.as_slice() {
        [first, .., last] if last > first => Ok(()),
        _ => Err("PPO has not learned".into()),
    }
}
