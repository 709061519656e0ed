//! Behaviour cloning: supervised learning of recorded actions.

mod checkpoint;
mod config;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, ops::Range};

use gymnast_core::{
    data::Sampler,
    imbalance::ClassWeight,
    nn::{Net, Network as _, Scratch},
    rounding,
    supervised::{Batch, Dataset, Epoch, Fit, FitError, Objective, OutputLoss},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::{Agent, AgentError, Demonstrations, Grace, Metrics, Mode, Plan, Policy};
use rand::seq::SliceRandom as _;
use tch::{Kind, Tensor};

pub use config::BcConfig;

use crate::{
    distributions::{action_mask::ActionMask, policy_head::PolicyHead},
    networks::{
        learned::{backend, write_features},
        network::{BuildNetwork, Role, misengined, network, torch_default},
    },
};

/// The behaviour cloning agent. Its head says whether actions are finite
/// ([`Categorical`](crate::Categorical)) or real-valued
/// ([`DiagonalGaussian`](crate::DiagonalGaussian)).
///
/// Source: Pomerleau, "ALVINN: an autonomous land vehicle in a neural network" (1989); Bain and Sammut,
/// "A framework for behavioural cloning" (1995). The policy is fitted to recorded steps by maximum
/// likelihood:
///
/// ```text
/// given episodes of steps (s, a):
///     hold out a share of the episodes
///     for each epoch, for each minibatch of the others:
///         descend the gradient of mean −ln π(a|s; θ) with respect to θ
///     act by the θ of the epoch with the least loss on the episodes held out
/// ```
///
/// Where actions are finite the loss is the cross-entropy; where they are real-valued π is a normal
/// distribution of fixed deviation around the network's output, which makes the loss the squared error
/// and a constant. Whole episodes are held out, since the steps of one resemble each other.
///
/// An expert does some actions rarely, and a clone that never does them is right nearly always. Where
/// actions are finite, minibatches may hold all alike (`sampler = "balanced"`), or rare ones count more
/// (`class_weight = "balanced"`): the loss is then `−Σ w_a ln π(a|s) / Σ w_a`. Either changes the
/// clone's probabilities along with what it does.
///
/// The environment teaches nothing: rewards and what happens there are not looked at. Each env step
/// only makes time for `updates_per_step` minibatches, so that evaluations, records, checkpoints and
/// resuming are those of every agent. Once the epochs are over, or the loss has not fallen for
/// `patience` of them, nothing is learned any more. A trained agent needs the file it was made from to be
/// loaded.
///
/// Metrics, once an epoch: `epoch`, `train_loss`, `validation_loss` (where episodes are held out),
/// `best_loss` (the least of these so far).
///
/// Settings: [`BcConfig`].
pub struct Bc<O, H> {
    observation_space: O,
    policy: Cloned<H>,
    updates_per_step: usize,
    network: Net,
    /// By the best weights so far, where the network has no plan to be evaluated by any.
    best: Option<Net>,
    fit: Fit,
    train: Dataset,
    validation: Dataset,
    env_steps: u64,
    acting: RefCell<Acting>,
}

/// How the network's outputs are read.
struct Cloned<H> {
    head: H,
    /// Where the observations say which actions are allowed, and the head has one output for each.
    mask: Option<ActionMask>,
    shared: Vec<f32>,
    /// How much each action counts; `None`: all the same.
    class_weight: Option<Vec<f32>>,
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Acting {
    features: Vec<f32>, // [N, width]
    outputs: Vec<f32>,  // [N, outputs]
    action: Vec<f32>,   // [action_width]
    scratch: Scratch,
}

impl<O: FeatureSpace, H: PolicyHead> Bc<O, H> {
    /// Creates an untrained agent that will learn from these episodes.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where there are no episodes, or actions are to be balanced
    /// that are not finite.
    pub fn new(
        demonstrations: &Demonstrations<O, H::ActionSpace>,
        head: H,
        config: &BcConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let build = config.network().builder(&BcConfig::default().hidden, torch_default)?;
        Self::with_network(demonstrations, head, config, plan, &build)
    }

    /// Creates an untrained agent whose policy `build` builds; the settings of its layers are not used.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        demonstrations: &Demonstrations<O, H::ActionSpace>,
        head: H,
        config: &BcConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        check_balance(&head, config)?;
        let path = &config.demonstrations;
        let expected = "at least one recorded episode";
        AgentError::require(!demonstrations.is_empty(), "demonstrations", path, expected)?;
        threads::single_threaded_at_first_use();
        let observation_space = demonstrations.observation_space().clone();
        let parts = observation_space.parts();
        let make = || {
            let mut init = plan.seed.child("init", 0).rng();
            network(build, Role::Policy, &parts, head.outputs(), &mut init)
        };
        let (mut network, engine) = (make()?, config.engine);
        network.set_engine(engine).map_err(|error| misengined(engine, error))?;
        let best = if network.plan().is_none() { Some(make()?) } else { None };
        let order = plan.seed.child("minibatches", 0).rng();
        let fit = Fit::new(&config.fit(), network.parameters(), order).map_err(backend)?;
        let mut held_out = plan.seed.child("held out", 0).rng();
        let (train, validation) =
            split(demonstrations, &head, config.validation_share, &mut held_out)?;
        let class_weight = action_weights(&config.class_weight, &train, head.outputs())?;
        Ok(Self {
            policy: Cloned {
                mask: observation_space
                    .action_mask()
                    .filter(|_| head.is_over_actions())
                    .map(|places| ActionMask::new(places, head.outputs()))
                    .transpose()?,
                shared: vec![config.log_std as f32; head.shared()],
                class_weight,
                head,
            },
            observation_space,
            updates_per_step: config.updates_per_step,
            network,
            best,
            fit,
            train,
            validation,
            env_steps: 0,
            acting: RefCell::default(),
        })
    }

    /// Learns from one minibatch. Returns the epoch's result after its last one.
    fn update(&mut self) -> Result<Option<Epoch>, AgentError> {
        let Self { policy, network, fit, train, validation, .. } = self;
        let epoch = fit.step(network, train, validation, policy);
        epoch.map_err(|error| match error {
            FitError::Diverged { loss, .. } => {
                let (what, env_steps) = ("the loss", self.env_steps);
                AgentError::Diverged { what, value: loss, env_steps }
            }
            other => backend(other),
        })
    }

    /// Writes what the policy that acts puts out, `[N, outputs]`: of a finite one the logits, masked where
    /// the observations say which actions are allowed.
    pub fn write_outputs(&self, observations: &[O::Element], outputs: &mut Vec<f32>) {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(observations, acting);
        outputs.clone_from(&acting.outputs);
    }

    /// Evaluates by the best weights so far; before the first epoch is over, by the present ones.
    fn evaluate(&self, observations: &[O::Element], acting: &mut Acting) {
        let Acting { features, outputs, scratch, .. } = acting;
        let (n, best) = (observations.len(), self.fit.best_weights());
        write_features(&self.observation_space, observations, features);
        outputs.resize(n * self.network.outputs(), 0.0);
        match (self.network.plan(), &self.best) {
            (Some(plan), _) => {
                let weights = best.unwrap_or(self.network.parameters().values());
                plan.run(weights, features, n, scratch, outputs)
            }
            (None, Some(network)) if best.is_some() => {
                network.evaluate(features, n, scratch, outputs)
            }
            _ => self.network.evaluate(features, n, scratch, outputs),
        }
        .expect("the features have the network's width");
        if let Some(mask) = &self.policy.mask {
            mask.apply(features, outputs);
        }
    }

    /// Copies the best weights to where they are acted by without a plan.
    fn follow_best(&mut self) -> Result<(), AgentError> {
        let Some(best) = &mut self.best else { return Ok(()) };
        let weights = self.fit.best_weights().unwrap_or(self.network.parameters().values());
        best.parameters_mut().load(weights).map_err(backend)
    }

    /// Which steps it learns from: those of another file would make another training.
    fn fingerprint(&self) -> (usize, [u64; 2]) {
        let (train, validation) = (&self.train, &self.validation);
        (train.len() + validation.len(), [train.fingerprint(), validation.fingerprint()])
    }
}

/// Checks that actions which are to be balanced are classes.
fn check_balance<H: PolicyHead>(head: &H, config: &BcConfig) -> Result<(), AgentError> {
    let (sampler, weight, finite) = (config.sampler, &config.class_weight, head.is_over_actions());
    let require = AgentError::require;
    let shuffled = sampler == Sampler::Shuffled;
    require(finite || shuffled, "sampler", &sampler, "shuffled: these actions are no classes")?;
    let uniform = *weight == ClassWeight::Uniform;
    require(finite || uniform, "class_weight", weight, "uniform: these actions are no classes")
}

/// The weight of each action in the loss; `None` where all count the same.
fn action_weights(
    weight: &ClassWeight,
    train: &Dataset,
    actions: usize,
) -> Result<Option<Vec<f32>>, AgentError> {
    if *weight == ClassWeight::Uniform {
        return Ok(None);
    }
    let mut counts = train.class_counts().map_err(backend)?;
    counts.resize(actions, 0);
    let done: Vec<bool> = counts.iter().map(|&n| n > 0).collect();
    // What the expert never does counts as if it had once: only steps held out could have it.
    counts.iter_mut().for_each(|n| *n = (*n).max(1));
    let weights = weight.weights(&counts);
    let expected = "a beta in [0, 1), or a finite weight from 0 on for each action";
    AgentError::require(weights.is_ok(), "class_weight", weight, expected)?;
    let weights = weights.map_err(backend)?;
    // With none every loss would be 0, and nothing learned.
    let counts_for = |weights: &[f32]| weights.iter().zip(&done).any(|(&w, &done)| done && w > 0.0);
    let learns = weights.as_deref().is_none_or(counts_for);
    let expected = "a weight above 0 for an action that the demonstrations hold";
    AgentError::require(learns, "class_weight", weight, expected)?;
    Ok(weights)
}

/// The steps of the episodes as rows, a share of the episodes held out: at least one, if there are two
/// and any are asked for.
fn split<O: FeatureSpace, H: PolicyHead>(
    demonstrations: &Demonstrations<O, H::ActionSpace>,
    head: &H,
    share: f64,
    rng: &mut Rng,
) -> Result<(Dataset, Dataset), AgentError> {
    let (width, action_width) = (demonstrations.observation_space().width(), head.action_width());
    let mut episodes: Vec<_> = demonstrations.episodes().collect();
    episodes.shuffle(rng);
    let asked = rounding::round(share * episodes.len() as f64);
    let most = episodes.len() - 1;
    let held_out = if share > 0.0 { asked.max(1).min(most) } else { 0 };
    let rows = |episodes: &[Range<usize>]| {
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for i in episodes.iter().cloned().flatten() {
            inputs.resize(inputs.len() + width, 0.0);
            let row = inputs.len() - width;
            let observation = &demonstrations.observations()[i];
            demonstrations.observation_space().flatten(observation, &mut inputs[row..]);
            targets.resize(targets.len() + action_width, 0.0);
            let row = targets.len() - action_width;
            head.write(&demonstrations.actions()[i], &mut targets[row..]);
        }
        Dataset::new(inputs, width, targets, action_width).map_err(backend)
    };
    let (held_out, train) = episodes.split_at(held_out);
    Ok((rows(train)?, rows(held_out)?))
}

impl<H: PolicyHead> Objective<Net> for Cloned<H> {
    /// Mean −ln π(a|s), by the actions' weights where they have some.
    fn loss(&self, network: &Net, batch: &Batch) -> Result<Tensor, FitError> {
        self.loss_of_outputs(&network.try_forward(&batch.inputs())?, batch)
    }

    fn of_outputs(&self) -> Option<&dyn OutputLoss> {
        Some(self)
    }

    fn ranks_epochs(&self) -> bool {
        true
    }

    fn augments_held_out(&self) -> bool {
        false
    }

    fn description(&self) -> Option<String> {
        let (head, weights) = (self.head.description(), &self.class_weight);
        Some(format!("{head}, shared {:?}, class weights {weights:?}", self.shared))
    }

    /// The sum of the actions' weights.
    fn weight(&self, batch: &Batch) -> f64 {
        let Some(weights) = &self.class_weight else { return batch.len() as f64 };
        batch.target_numbers().iter().map(|&action| f64::from(weights[action as usize])).sum()
    }
}

impl<H: PolicyHead> OutputLoss for Cloned<H> {
    fn loss_of_outputs(&self, outputs: &Tensor, batch: &Batch) -> Result<Tensor, FitError> {
        let allowed = self.mask.as_ref().map(|mask| mask.masked(&batch.inputs(), outputs));
        let shared = Tensor::from_slice(&self.shared);
        let outputs = allowed.as_ref().unwrap_or(outputs);
        let (log_prob, _) =
            self.head.log_prob_and_entropy(outputs, &shared, batch.target_numbers());
        let Some(weights) = &self.class_weight else { return Ok(-log_prob.mean(Kind::Float)) };
        let weights = Tensor::from_slice(weights).take(&batch.classes()?); // [B]
        // Nothing is learned from a minibatch of actions that do not count.
        let total = weights.sum(Kind::Float).clamp_min(f64::from(f32::MIN_POSITIVE));
        Ok(-(log_prob * weights).sum(Kind::Float) / total)
    }
}

impl<H: PolicyHead> Cloned<H> {
    /// The action for one row of outputs, masked before.
    fn choose(
        &self,
        outputs: &[f32],
        mode: Mode,
        rng: &mut Rng,
        action: &mut [f32],
    ) -> <H::ActionSpace as Space>::Element {
        match mode {
            Mode::Explore => self.head.sample(outputs, &self.shared, rng, action),
            Mode::Exploit => self.head.mode(outputs, action),
        }
        self.head.element(action)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Policy<O, H::ActionSpace> for Bc<O, H> {
    /// By the best weights so far; before the first epoch is over, by the present ones.
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<<H::ActionSpace as Space>::Element>,
    ) -> Result<(), AgentError> {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(observations, acting);
        let Acting { outputs, action, .. } = acting;
        AgentError::check_outputs(&*outputs)?;
        action.resize(self.policy.head.action_width(), 0.0);
        actions.clear();
        let rows = outputs.chunks_exact(self.network.outputs());
        actions.extend(rows.map(|outputs| self.policy.choose(outputs, mode, rng, action)));
        Ok(())
    }
}

impl<O: FeatureSpace, H: PolicyHead> Agent<O, H::ActionSpace> for Bc<O, H> {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        self.env_steps > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.env_steps += experience.len() as u64;
        let mut ended = None;
        let mut grace = Grace::default();
        for _ in 0..experience.len() * self.updates_per_step {
            grace.check()?;
            ended = self.update()?.or(ended);
        }
        let Some(Epoch { train_loss, validation_loss, .. }) = ended else { return Ok(None) };
        self.follow_best()?;
        let history = self.fit.history();
        let best = history.best().expect("an epoch is over");
        let metrics = Metrics::new()
            .with("epoch", history.epochs.len() as f64)
            .with("train_loss", train_loss)
            .with("best_loss", best.loss());
        Ok(Some(match validation_loss {
            Some(loss) => metrics.with("validation_loss", loss),
            None => metrics,
        }))
    }

    fn begin_episodes(&mut self) {} // nothing is learned from what happens
}
