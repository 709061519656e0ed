//! The loop: act, step, learn; evaluate and save at fixed env steps.

use std::sync::Arc;

use gymnast_envs::{Experience, Seed, Space, VectorEnv};

use super::{Ending, Summary, check_first_update, evaluation_seed, progression::Progression};
use crate::{
    Agent, AgentError, Callback, Evaluation, Flow, MakeEnvs, MetricRow, Mode, Progress, Recorder,
    StateDict, TrainError, Training, Turn, evaluate_policy_while, training::require,
};

/// What a training works on.
pub(super) struct Parts<'a, O: Space, A: Space, G: ?Sized> {
    pub(super) agent: &'a mut G,
    pub(super) envs: &'a mut dyn VectorEnv<O, A>,
    /// Makes the environments of an evaluation; none: there is no evaluation.
    pub(super) eval_envs: Option<Arc<MakeEnvs<O, A>>>,
    /// Whether the caller keeps the agent after the training.
    pub(super) is_held: bool,
}

impl<O: Space, A: Space, G: Agent<O, A> + ?Sized> Parts<'_, O, A, G> {
    /// Checks that the training can be one of these.
    pub(super) fn check(&self, training: &Training) -> Result<(), TrainError> {
        training.check()?;
        let (n, given) = (training.num_envs, self.envs.num_envs());
        let expected = format!("{given}, as the environments given");
        require(given == n, "training.num_envs", n as u64, expected)?;
        check_first_update(self.agent.first_update(), training)
    }
}

/// What sees the agent `G` itself, and `E` beside it.
type Look<'a, G, E> = Box<dyn FnMut(&G, &E) -> Result<Flow, AgentError> + 'a>;

/// What sees the agent itself while it learns.
pub(super) struct Looks<'a, O: Space, A: Space, G: ?Sized> {
    /// After every vector step, with its transitions.
    pub(super) experiences: Vec<Look<'a, G, Experience<O, A>>>,
    /// After every vector step.
    pub(super) steps: Vec<Look<'a, G, Progress>>,
    /// After every evaluation.
    pub(super) evaluations: Vec<Look<'a, G, Evaluation>>,
}

impl<O: Space, A: Space, G: ?Sized> Default for Looks<'_, O, A, G> {
    fn default() -> Self {
        Self { experiences: Vec::new(), steps: Vec::new(), evaluations: Vec::new() }
    }
}

/// A training under way.
pub(super) struct Session<'a, O: Space, A: Space, G: ?Sized> {
    pub(super) parts: Parts<'a, O, A, G>,
    pub(super) training: Training,
    pub(super) seed: Seed,
    pub(super) recorder: Recorder,
    pub(super) callbacks: Vec<&'a mut dyn Callback>,
    pub(super) looks: Looks<'a, O, A, G>,
    pub(super) progress: Progression,
    /// The env steps and episodes of the last checkpoint.
    pub(super) saved: (u64, u64),
    pub(super) evaluations: Vec<Evaluation>,
}

impl<O: Space, A: Space, G: Agent<O, A> + ?Sized> Session<'_, O, A, G> {
    pub(super) fn drive(&mut self) -> Result<Ending, TrainError> {
        let training = self.training.clone();
        let mut actions = Vec::with_capacity(training.num_envs);
        // A process that was killed between its last checkpoint and its summary had ended already.
        let last = self.evaluations.last().filter(|e| e.env_step == self.progress.env_steps);
        if last.is_some_and(|evaluation| training.is_reached(evaluation)) {
            return Ok(Ending::Threshold);
        }
        // A resumed training may be one that evaluates no more.
        self.progress.evaluation_is_due &= self.parts.eval_envs.is_some();
        // A process that was told to end while it evaluated left this to do, and its last checkpoint to
        // be as if it had not been.
        let was_abandoned = self.progress.evaluation_is_due;
        if let Some(ending) = self.evaluate_and_save(Flow::Continue, was_abandoned)? {
            return Ok(ending);
        }
        let is_asynchronous = self.parts.agent.asynchronous().is_some();
        while self.progress.env_steps < training.env_steps {
            // Between two due times there is nothing to ask for.
            let due = self.next_due();
            let (before, flow) = loop {
                let before = self.progress.env_steps;
                let flow = match is_asynchronous {
                    false => self.step(&mut actions)?,
                    true => self.advance(due)?,
                };
                if self.progress.env_steps >= due || flow == Flow::Stop {
                    break (before, flow);
                }
            };
            let now = self.progress.env_steps;
            let is_last = now == training.env_steps;
            if is_due(training.log_every, before, now) {
                self.log()?;
            }
            self.progress.evaluation_is_due = self.parts.eval_envs.is_some()
                && (is_due(training.eval_every, before, now) || is_last);
            let save_is_due = is_due(training.checkpoint_every, before, now) || is_last;
            if let Some(ending) = self.evaluate_and_save(flow, save_is_due)? {
                return Ok(ending);
            }
        }
        Ok(Ending::Budget)
    }

    /// Evaluates where that is due, then saves where that is due or the training ends here, as `flow`
    /// or the evaluation may say. Returns how it ends, where it does before all steps are taken.
    fn evaluate_and_save(
        &mut self,
        mut flow: Flow,
        save_is_due: bool,
    ) -> Result<Option<Ending>, TrainError> {
        if self.progress.evaluation_is_due {
            let Some(evaluation) = self.evaluate()? else {
                self.save()?;
                return Ok(Some(Ending::Stopped));
            };
            flow = flow.or(self.notify(|callback| callback.on_evaluation(&evaluation)));
            for look in &mut self.looks.evaluations {
                let agent = &*self.parts.agent;
                flow = flow.or(self.recorder.pausing(|| look(agent, &evaluation))?);
            }
            if self.training.is_reached(&evaluation) {
                self.save()?;
                return Ok(Some(Ending::Threshold));
            }
        }
        let is_stopped = flow == Flow::Stop;
        if save_is_due || is_stopped {
            self.save()?;
        }
        let is_last = self.progress.env_steps == self.training.env_steps;
        Ok((is_stopped && !is_last).then_some(Ending::Stopped))
    }

    /// One step in every environment.
    fn step(&mut self, actions: &mut Vec<A::Element>) -> Result<Flow, TrainError> {
        let Self { parts: Parts { agent, envs, .. }, progress, recorder, callbacks, .. } = self;
        agent.act(envs.observations(), Mode::Explore, &mut progress.policy_rng, actions)?;
        let rows = envs.step(actions)?;
        progress.env_steps += rows.len() as u64;
        match agent.learn(rows) {
            Ok(None) => {}
            Ok(Some(metrics)) => progress.gather(&metrics),
            Err(error) => return Err(error.into()),
        }
        for (env, (&reward, &outcome)) in rows.rewards.iter().zip(&rows.outcomes).enumerate() {
            if progress.count(env, reward, outcome)? {
                end_episode(progress, env, recorder, callbacks)?;
            }
        }
        let mut flow = Flow::Continue;
        for look in &mut self.looks.experiences {
            flow = flow.or(look(agent, rows)?);
        }
        Ok(flow.or(self.after_step()?))
    }

    /// What an agent that plays by itself comes back with, at the latest at `due` env steps.
    fn advance(&mut self, due: u64) -> Result<Flow, TrainError> {
        let Self { parts: Parts { agent, envs, .. }, progress, recorder, callbacks, .. } = self;
        let workers = agent.asynchronous().expect("asked before the first step");
        let turns = workers.advance(&mut **envs, due)?;
        if turns.iter().all(|turn| turn.steps.is_empty()) {
            // It counts more steps than the loop does: a checkpoint that was put together wrongly.
            return Err(AgentError::Stalled { until: due, counted: progress.env_steps }.into());
        }
        for Turn { env, steps, metrics } in turns {
            for (reward, outcome) in steps {
                progress.env_steps += 1;
                if progress.count(env, reward, outcome)? {
                    end_episode(progress, env, recorder, callbacks)?;
                }
            }
            metrics.iter().for_each(|metrics| progress.gather(metrics));
        }
        self.after_step()
    }

    fn after_step(&mut self) -> Result<Flow, TrainError> {
        let standing = Progress {
            env_steps: self.progress.env_steps,
            total_env_steps: self.training.env_steps,
            episodes: self.progress.episodes,
        };
        let mut flow = self.notify(|callback| callback.on_step(&standing));
        for look in &mut self.looks.steps {
            flow = flow.or(look(self.parts.agent, &standing)?);
        }
        Ok(flow)
    }

    /// The env steps at which there is something else to do.
    fn next_due(&self) -> u64 {
        let Training { env_steps, log_every, eval_every, checkpoint_every, .. } = self.training;
        let now = self.progress.env_steps;
        let next =
            |every: u64| Some(now.checked_div(every)?.saturating_add(1).saturating_mul(every));
        let due = [log_every, eval_every, checkpoint_every].into_iter().filter_map(next);
        due.fold(env_steps, u64::min)
    }

    fn notify(&mut self, call: impl FnMut(&mut dyn Callback) -> Flow) -> Flow {
        notify(&mut self.callbacks, call)
    }

    fn log(&mut self) -> Result<(), TrainError> {
        let wall_time_s = self.recorder.wall_time_s();
        for (metric, (sum, count)) in std::mem::take(&mut self.progress.window) {
            let (env_step, value) = (self.progress.env_steps, sum / count as f64);
            self.recorder.metric(&MetricRow { env_step, wall_time_s, metric, value })?;
        }
        Ok(())
    }

    /// Evaluates the agent as it is; `None` where a callback ends that early.
    fn evaluate(&mut self) -> Result<Option<Evaluation>, TrainError> {
        let Parts { agent, eval_envs, .. } = &self.parts;
        let make_envs = eval_envs.as_deref().expect("without environments no evaluation is due");
        let (training, env_steps) = (&self.training, self.progress.env_steps);
        let callbacks = &mut self.callbacks;
        let mut look = || notify(callbacks, |callback| callback.on_evaluation_step());
        let episodes = self.recorder.pausing(|| {
            evaluate_policy_while(
                &**agent,
                make_envs,
                training.eval_episodes,
                training.max_eval_steps,
                evaluation_seed(self.seed, env_steps),
                &mut look,
            )
        })?;
        let Some(episodes) = episodes else { return Ok(None) };
        let evaluation = episodes.summarize(env_steps, self.recorder.wall_time_s());
        self.recorder.evaluation(&evaluation)?;
        self.evaluations.push(evaluation);
        self.progress.evaluation_is_due = false;
        Ok(Some(evaluation))
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let (parts, progress) = (&self.parts, &self.progress);
        self.saved = (progress.env_steps, progress.episodes);
        self.recorder.checkpoint(progress.env_steps, || {
            let mut state = StateDict::new();
            state.insert_part("agent", &*parts.agent)?;
            // Nothing could be learned from there on, and no checkpoint be found that is still good.
            state.expect_finite()?;
            state.insert("envs", &parts.envs.save())?;
            state.insert("progress", progress)?;
            Ok(state)
        })
    }

    /// An update was given up half-way, so that only what was saved before it counts.
    pub(super) fn go_back(&mut self) -> Ending {
        (self.progress.env_steps, self.progress.episodes) = self.saved;
        self.evaluations.retain(|evaluation| evaluation.env_step <= self.saved.0);
        Ending::Stopped
    }

    pub(super) fn summary(self, ending: Ending) -> Summary {
        let env_steps = self.progress.env_steps;
        Summary {
            ending,
            env_steps,
            episodes: self.progress.episodes,
            wall_time_s: self.recorder.wall_time_s(),
            // A clock may stand still over a short training.
            env_steps_per_s: Some(self.recorder.learning_time_s())
                .filter(|&seconds| seconds > 0.0)
                .map(|seconds| env_steps as f64 / seconds),
            // Of an update that was given up nothing is kept.
            learned: env_steps > 0 && self.parts.agent.has_learned(),
            evaluations: self.evaluations,
        }
    }
}

/// Records the episode that has ended in an environment.
fn end_episode(
    progress: &mut Progression,
    env: usize,
    recorder: &mut Recorder,
    callbacks: &mut [&mut dyn Callback],
) -> Result<(), TrainError> {
    let episode = progress.end(env, recorder.wall_time_s());
    recorder.episode(&episode)?;
    callbacks.iter_mut().for_each(|callback| callback.on_episode(&episode));
    Ok(())
}

/// Calls every callback; one that says stop is enough.
fn notify(
    callbacks: &mut [&mut dyn Callback],
    mut call: impl FnMut(&mut dyn Callback) -> Flow,
) -> Flow {
    callbacks.iter_mut().fold(Flow::Continue, |flow, callback| flow.or(call(*callback)))
}

/// Whether a multiple of `every` was reached between two counts.
fn is_due(every: u64, before: u64, now: u64) -> bool {
    every > 0 && before / every < now / every
}
