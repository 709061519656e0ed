//! TQC: truncated quantile critics.

use gymnast::{
    AgentError, Checkpoint, Metrics, Presets, Rng, Schedule, Seed, Training,
    core::nn::{Net, Network as _, NetworkError, Scratch},
    deep::{
        Acting, Io, Learned, Learner, Moment, OffPolicyAgent, SoftActor, SoftActorSettings,
        check_rates, join_rows, losses::quantile_huber, off_policy_settings, replay::Batch,
    },
    harness::{CheckpointError, Preset, StateDict},
};

/// TQC: SAC with critics of the distribution of returns, whose highest quantiles are left out.
///
/// Source: Kuznetsov, Shvechikov, Grishin and Vetrov, "Controlling overestimation bias with truncated mixture
/// of continuous distributional quantile critics" (2020), <https://arxiv.org/abs/2005.04269>, algorithm 1:
///
/// ```text
/// on a minibatch:
///     z = the quantiles of all target critics at (s', a'), a' drawn from π, sorted; the highest left out
///     y_j = r + γ (z_j − α log π(a' | s')), or r where s' is terminal
///     descend the gradient of the quantile Huber loss of each critic with respect to the y_j
///     descend the gradient of α log π(a | s) − the mean of all quantiles at (s, a), a drawn from π
///     adapt α; the target critics move by τ of the way to the critics
/// ```
pub(crate) type Tqc<O, A> = OffPolicyAgent<O, A, TqcLearner>;

off_policy_settings! {
    /// The settings of TQC.
    pub struct TqcConfig {
        /// The learning rate of Adam for actor, critics and temperature.
        pub learning_rate: Schedule = 3e-4.into(),
        /// The fraction τ by which the target critics move to the critics in each update, in (0, 1].
        pub tau: f64 = 0.005,
        /// The initial temperature α.
        pub alpha: f64 = 1.0,
        /// The number of critics.
        pub critics: usize = 2,
        /// The number of quantiles of each critic.
        pub quantiles: usize = 25,
        /// The number of highest quantiles to leave out, per critic.
        pub dropped: usize = 2,
    }
}

/// How [`Tqc`] learns from a minibatch.
pub(crate) struct TqcLearner {
    config: TqcConfig,
    actor: SoftActor,
    critics: Vec<Learned>,
    targets: Vec<Net>,
    noise_rng: Rng,
    next_action: Vec<f32>,  // [B, A]
    log_prob: Vec<f32>,     // [B]
    rows: Vec<f32>,         // [B, width + A]
    outputs: Vec<Vec<f32>>, // of each critic, [B, quantiles]
    target: Vec<f32>,       // [B, kept]
    by_quantile: Vec<f32>,  // [B, quantiles]
    scratch: Scratch,
}

impl Learner for TqcLearner {
    type Config = TqcConfig;

    fn new(config: &TqcConfig, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        let TqcConfig { alpha, critics, quantiles, dropped, .. } = config;
        check_rates(&config.learning_rate, config.tau)?;
        AgentError::require((1..=10).contains(critics), "critics", critics, "1 to 10")?;
        let keeps_one = dropped < quantiles && *quantiles <= 1_000;
        AgentError::require(keeps_one, "dropped", dropped, "fewer than the quantiles, 1 to 1000")?;
        let actor = SoftActorSettings { alpha: *alpha, target_entropy: Some(-1.0), average: 0.0 };
        let critic = |i: usize| {
            let mut rng = seed.child("critic", i as u64).rng();
            io.critic(*quantiles, &mut rng)
        };
        Ok(Self {
            actor: SoftActor::new(&actor, io, seed)?,
            critics: (0..*critics).map(|i| Learned::new(critic(i)?)).collect::<Result<_, _>>()?,
            // The same stream again: a target starts as a copy.
            targets: (0..*critics).map(critic).collect::<Result<_, _>>()?,
            noise_rng: seed.child("noise", 0).rng(),
            next_action: Vec::new(),
            log_prob: Vec::new(),
            rows: Vec::new(),
            outputs: vec![Vec::new(); *critics],
            target: Vec::new(),
            by_quantile: Vec::new(),
            scratch: Scratch::default(),
            config: config.clone(),
        })
    }

    fn networks(&self) -> Vec<(String, &Net)> {
        let critics = self.critics.iter().map(|critic| &critic.network).enumerate();
        let critics = critics.map(|(i, network)| (format!("critic{i}"), network));
        let targets = self.targets.iter().enumerate();
        let targets = targets.map(|(i, network)| (format!("target_critic{i}"), network));
        self.actor.networks().chain(critics).chain(targets).collect()
    }

    fn networks_mut(&mut self) -> Vec<&mut Net> {
        let critics = self.critics.iter_mut().map(|critic| &mut critic.network);
        self.actor.networks_mut().chain(critics).chain(&mut self.targets).collect()
    }

    fn act(
        &self,
        observations: &[f32],
        n: usize,
        acting: Acting<'_>,
        actions: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        self.actor.act(observations, n, acting, actions)
    }

    fn update(
        &mut self,
        batch: &Batch<f32>,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        let Self { config, actor, critics, targets, noise_rng, next_action, log_prob, .. } = self;
        let Self { rows, outputs, target, by_quantile, scratch, .. } = self;
        let (size, quantiles) = (batch.reward.len(), config.quantiles);
        let alpha = actor.alpha();
        let backend = |error: NetworkError| AgentError::Backend(error.to_string());
        let descent = moment.descent(config.learning_rate.at(moment.progress));

        actor.draw(&batch.next_observation, size, noise_rng, next_action, log_prob)?;
        join_rows(&batch.next_observation, next_action, size, rows);
        for (critic, out) in targets.iter().zip(&mut *outputs) {
            out.resize(size * quantiles, 0.0);
            critic.evaluate(rows, size, scratch, out).map_err(backend)?;
        }
        let kept = config.critics * (quantiles - config.dropped);
        target.clear();
        for row in 0..size {
            let of_row = outputs.iter().flat_map(|out| &out[row * quantiles..][..quantiles]);
            let mut sorted: Vec<f32> = of_row.copied().collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let (reward, discount) = (batch.reward[row], batch.discount[row]);
            target.extend(
                sorted[..kept].iter().map(|z| reward + discount * (z - alpha * log_prob[row])),
            );
        }
        join_rows(&batch.observation, &batch.action, size, rows);
        let mut critic_loss = 0.0;
        for critic in &mut *critics {
            let prediction = critic.forward(rows, size)?;
            let loss = quantile_huber(prediction, target, &[], quantiles, by_quantile)?;
            critic.descend(by_quantile, descent)?;
            critic_loss += loss / config.critics as f64;
        }

        // ∇ₐ of the mean of all quantiles: each counts alike.
        let width = batch.observation.len() / size;
        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            join_rows(&batch.observation, action, size, rows);
            by_action.clear();
            by_action.resize(action.len(), 0.0);
            let all = (config.critics * quantiles) as f32;
            let (mut of_critic, mut q) = (Vec::new(), 0.0);
            for critic in &mut *critics {
                let values = critic.probe(rows, size)?;
                q += values.iter().map(|z| f64::from(z / all)).sum::<f64>() / size as f64;
                let each = vec![1.0 / all; values.len()];
                let columns = width..width + action.len() / size;
                critic.input_gradient(None, &each, columns, &mut of_critic)?;
                by_action.iter_mut().zip(&of_critic).for_each(|(sum, slope)| *sum += slope);
            }
            Ok(q)
        };
        let ascent = actor.ascend(&batch.observation, size, climb, noise_rng, descent)?;
        for (target, critic) in targets.iter_mut().zip(critics) {
            let moved =
                target.parameters_mut().polyak(critic.network.parameters(), config.tau as f32);
            moved.map_err(backend)?;
        }
        moment.check_loss(critic_loss)?;
        let metrics =
            Metrics::new().with("critic_loss", critic_loss).with("alpha", f64::from(alpha));
        Ok(Some(metrics.with("entropy", ascent.entropy)))
    }
}

impl Checkpoint for TqcLearner {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("actor", &self.actor)?;
        for (i, (critic, target)) in self.critics.iter().zip(&self.targets).enumerate() {
            state.insert_part(&format!("critic/{i}"), critic)?;
            state.insert_part(&format!("target/{i}"), target)?;
        }
        state.insert("noise_rng", &self.noise_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("actor", &mut self.actor)?;
        for (i, (critic, target)) in self.critics.iter_mut().zip(&mut self.targets).enumerate() {
            state.load_part(&format!("critic/{i}"), critic)?;
            state.load_part(&format!("target/{i}"), target)?;
        }
        self.noise_rng = state.get("noise_rng")?;
        Ok(())
    }
}

impl Presets for TqcConfig {
    fn presets() -> Vec<Preset<Self>> {
        let pendulum = Self {
            hidden: vec![64, 64],
            learning_rate: Schedule::linear(2e-3, 0.0, 1.0),
            gamma: 0.98,
            reward_scale: 0.1,
            tau: 0.02,
            alpha: 0.1,
            buffer_size: 20_000,
            batch_size: 128,
            learning_starts: 250,
            ..Self::default()
        };
        let lander = Self {
            hidden: vec![128, 128],
            learning_rate: 1e-3.into(),
            reward_scale: 0.02,
            tau: 0.01,
            alpha: 0.02,
            buffer_size: 100_000,
            batch_size: 128,
            learning_starts: 10_000,
            n_step: 3,
            train_every: 4,
            gradient_steps: 2,
            ..Self::default()
        };
        let training = |env_steps, eval_every, eval_episodes| Training {
            env_steps,
            eval_every,
            eval_episodes,
            ..Training::default()
        };
        let source = "SAC's presets";
        vec![
            Preset {
                env: "Pendulum-v1",
                settings: pendulum,
                training: training(10_000, 500, 100),
                source,
            },
            Preset {
                env: "LunarLanderContinuous-v0",
                settings: lander,
                training: training(100_000, 10_000, 20),
                source,
            },
        ]
    }
}
