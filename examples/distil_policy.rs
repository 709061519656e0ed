//! Distils trained policies into small networks and quantizes these to int8.
//!
//! ```text
//! cargo run --release --example distil_policy
//! ```

use std::error::Error;

use gymnast::{
    Discrete, Dqn, DqnConfig, Env, EnvError, FeatureSpace, Plan, Policy, Presets as _, Seed,
    SyncVectorEnv, VectorEnv,
    core::{
        compression::Quantization,
        nn::Network,
        statistics::{Bootstrap, mean},
        supervised::FitConfig,
    },
    deep::{
        Categorical, Ppo, PpoConfig,
        distillation::{ActionPreferences, DistilConfig, NetworkPolicy, distil_policy},
    },
    envs::{classic::CartPole, wrappers::TimeLimit},
    harness::{Trainer, play_episodes},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SEEDS: u64 = 10;
/// Presets were tuned on the seeds 0 to 9.
const FIRST_SEED: u64 = 100;
const EPISODES: usize = 100;

/// The policies, in order.
#[derive(Default)]
struct Table(Vec<Row>);

/// One policy: its numbers and bytes, and the mean return for each seed.
struct Row {
    what: String,
    numbers: usize,
    bytes: usize,
    returns: Vec<f64>,
}

impl Table {
    fn add(&mut self, what: &str, numbers: usize, bytes: usize, score: f64) {
        if let Some(row) = self.0.iter_mut().find(|row| row.what == what) {
            return row.returns.push(score);
        }
        self.0.push(Row { what: what.to_owned(), numbers, bytes, returns: vec![score] });
    }
}

/// An environment and its time limit.
struct Task<E> {
    env: E,
    limit: u32,
}

impl<O: FeatureSpace, E: Env<ObservationSpace = O, ActionSpace = Discrete> + Clone + 'static>
    Task<E>
where
    TimeLimit<E>: Env<ObservationSpace = O, ActionSpace = Discrete>,
{
    fn envs(
        &self,
        n: usize,
        seed: Seed,
    ) -> std::result::Result<Box<dyn VectorEnv<O, Discrete>>, EnvError> {
        let envs = vec![TimeLimit::new(self.env.clone(), self.limit); n];
        Ok(Box::new(SyncVectorEnv::new(envs, seed)?))
    }

    fn mean_return(&self, policy: &dyn Policy<O, Discrete>, seed: Seed) -> Result<f64> {
        let mut envs = self.envs(EPISODES, seed.child("evaluation", 0))?;
        let mut rng = seed.child("evaluation", 1).rng();
        let (mode, limit) = (gymnast::Mode::Exploit, u64::from(self.limit));
        let episodes = play_episodes(policy, &mut *envs, mode, &mut rng, limit)?;
        Ok(mean(&episodes.returns).ok_or("a return is not finite")?)
    }

    /// Adds what a network returns with weights of four bytes and of one.
    fn add(&self, what: &str, network: &dyn Network, seed: Seed, table: &mut Table) -> Result<()> {
        let (seen, done) = (self.env.observation_space(), self.env.action_space());
        let numbers = network.parameters().len();
        let whole = NetworkPolicy::new(seen.clone(), done, network)?;
        table.add(what, numbers, whole.bytes(), self.mean_return(&whole, seed)?);
        for (how, quantization) in
            [("weights", Quantization::WeightOnly), ("dynamic", Quantization::Dynamic)]
        {
            let tiny = NetworkPolicy::quantized(seen.clone(), done, network, quantization)?;
            let score = self.mean_return(&tiny, seed)?;
            table.add(&format!("{what}, int8 {how}"), numbers, tiny.bytes(), score);
        }
        Ok(())
    }

    /// Distils a teacher and adds what its student returns.
    fn distil(
        &self,
        teacher: &dyn ActionPreferences<O, Discrete>,
        temperature: f64,
        seed: Seed,
        table: &mut Table,
    ) -> Result<()> {
        let fit = FitConfig { epochs: 30, ..FitConfig::adam(5e-3) };
        let config = DistilConfig { rounds: 6, temperature, fit, ..DistilConfig::default() };
        let mut envs = self.envs(8, seed.child("distillation", 0))?;
        let student = distil_policy(teacher, &mut *envs, &config, seed.child("distillation", 1))?;
        self.add("student", &student, seed, table)
    }

    /// Trains PPO, as its preset says, and distils its logits.
    fn ppo(&self, id: &str, seed: u64, table: &mut Table) -> Result<()> {
        let preset = PpoConfig::preset(id).ok_or("no preset")?;
        let training = preset.training;
        let (seed, head) = (Seed::new(seed), Categorical::new(self.env.action_space()));
        let plan = Plan { seed, ..training.plan(0) };
        let mut teacher = Ppo::new(self.env.observation_space(), head, preset.settings, &plan)?;
        let mut envs = self.envs(training.num_envs, seed.child("envs", 0))?;
        Trainer::new(&training, 0, &mut teacher, &mut *envs).root(seed).run()?;
        let numbers = teacher.networks().policy_range().len();
        table.add("teacher", numbers, 4 * numbers, self.mean_return(&teacher, seed)?);
        self.distil(&teacher, 1.0, seed, table)
    }

    /// Trains DQN, as its preset says, and distils its values, whose differences are small.
    fn dqn(&self, id: &str, seed: u64, table: &mut Table) -> Result<()> {
        let preset = DqnConfig::preset(id).ok_or("no preset")?;
        let training = preset.training;
        let (seed, seen) = (Seed::new(seed), self.env.observation_space());
        let plan = Plan { seed, ..training.plan(0) };
        let mut teacher = Dqn::new(seen, self.env.action_space(), preset.settings, &plan)?;
        let mut envs = self.envs(training.num_envs, seed.child("envs", 0))?;
        Trainer::new(&training, 0, &mut teacher, &mut *envs).root(seed).run()?;
        self.add("teacher", teacher.network(), seed, table)?;
        self.distil(&teacher, 0.1, seed, table)
    }
}

fn print(title: &str, table: &Table) -> Result<()> {
    println!("{title}, {SEEDS} seeds, {EPISODES} episodes each, mean [95 %]:\n");
    println!("| policy | numbers | bytes | return |\n|---|---|---|---|");
    for Row { what, numbers, bytes, returns } in &table.0 {
        let mut rng = Seed::new(0).rng();
        let interval = Bootstrap::default().interval(returns, mean, &mut rng)?;
        let (estimate, low, high) = (interval.estimate, interval.low, interval.high);
        println!("| {what} | {numbers} | {bytes} | {estimate:.1} [{low:.1}, {high:.1}] |");
    }
    println!();
    Ok(())
}

fn main() -> Result<()> {
    let pole = Task { env: CartPole::default(), limit: 500 };
    let mut tables = [Table::default(), Table::default()];
    for seed in FIRST_SEED..FIRST_SEED + SEEDS {
        pole.ppo("CartPole-v1", seed, &mut tables[0])?;
        pole.dqn("CartPole-v1", seed, &mut tables[1])?;
        eprintln!("seed {seed}");
    }
    print("PPO on CartPole-v1", &tables[0])?;
    print("DQN on CartPole-v1", &tables[1])
}
