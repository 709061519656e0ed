//! Episodes under way and those that wait for an update.

use gymnast_envs::{Experience, FeatureSpace};
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};

use crate::{actor_critic::ActorCritic, policy_head::PolicyHead, returns};

/// Steps, in columns.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) observations: Vec<f32>, // [steps, width]
    pub(super) actions: Vec<f32>,      // [steps, action_width]
    /// Rewards of an episode under way, returns of those that are finished.
    pub(super) returns: Vec<f32>, // [steps]
}

/// One running episode an environment, and the finished ones as one batch.
pub(super) struct Episodes {
    running: Vec<Columns>,
    finished: Columns,
    num_finished: usize,
    width: usize,
    action_width: usize,
}

impl Episodes {
    pub(super) fn new(num_envs: usize, width: usize, action_width: usize) -> Self {
        Self {
            running: (0..num_envs).map(|_| Columns::default()).collect(),
            finished: Columns::default(),
            num_finished: 0,
            width,
            action_width,
        }
    }

    /// Adds the step of environment `i`, its reward times `reward_scale`.
    pub(super) fn push<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        i: usize,
        networks: &ActorCritic<O, H>,
        experience: &Experience<O, H::ActionSpace>,
        reward_scale: f64,
    ) {
        let Columns { observations, actions, returns } = &mut self.running[i];
        let len = observations.len();
        observations.resize(len + self.width, 0.0);
        networks.write_features(&experience.observations[i], &mut observations[len..]);
        let len = actions.len();
        actions.resize(len + self.action_width, 0.0);
        networks.write_action(i, &experience.actions[i], &mut actions[len..]);
        returns.push((experience.rewards[i] * reward_scale) as f32);
    }

    /// The episode of environment `i` is over; `rest` is what would have come after it.
    pub(super) fn finish(&mut self, i: usize, gamma: f64, rest: f32) {
        let (running, finished) = (&mut self.running[i], &mut self.finished);
        returns::discounted(&running.returns, gamma, rest, &mut finished.returns);
        running.returns.clear();
        finished.observations.append(&mut running.observations);
        finished.actions.append(&mut running.actions);
        self.num_finished += 1;
    }

    /// The running episodes are lost.
    pub(super) fn begin(&mut self) {
        self.running.iter_mut().for_each(|running| *running = Columns::default());
    }

    /// The finished episodes, one after the other.
    pub(super) fn finished(&self) -> &Columns {
        &self.finished
    }

    pub(super) fn num_finished(&self) -> usize {
        self.num_finished
    }

    pub(super) fn clear_finished(&mut self) {
        let Columns { observations, actions, returns } = &mut self.finished;
        [observations, actions, returns].into_iter().for_each(Vec::clear);
        self.num_finished = 0;
    }

    /// The actions of all episodes, each as its array is called.
    pub(super) fn actions(&self) -> impl Iterator<Item = (String, &[f32])> {
        let running = self.running.iter().enumerate();
        let running = running.map(|(i, columns)| (format!("running/{i}/actions"), columns));
        let all = running.chain([("finished/actions".to_owned(), &self.finished)]);
        all.map(|(name, columns)| (name, columns.actions.as_slice()))
    }

    fn save_columns(&self, columns: &Columns, name: &str, state: &mut StateDict) {
        let len = columns.returns.len();
        let Columns { observations, actions, returns } = columns;
        state.insert_array(&format!("{name}/observations"), &[len, self.width], observations);
        state.insert_array(&format!("{name}/actions"), &[len, self.action_width], actions);
        state.insert_array(&format!("{name}/returns"), &[len], returns);
    }

    fn load_columns(&self, name: &str, state: &StateDict) -> Result<Columns, CheckpointError> {
        let column = |column| format!("{name}/{column}");
        let len = state.array_len::<f32>(&column("returns"))?;
        Ok(Columns {
            observations: state.finite_array(&column("observations"), &[len, self.width])?,
            actions: state.finite_array(&column("actions"), &[len, self.action_width])?,
            returns: state.finite_array(&column("returns"), &[len])?,
        })
    }
}

impl Checkpoint for Episodes {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        for (i, columns) in self.running.iter().enumerate() {
            self.save_columns(columns, &format!("running/{i}"), state);
        }
        self.save_columns(&self.finished, "finished", state);
        state.insert("num_finished", &self.num_finished)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let load = |i| self.load_columns(&format!("running/{i}"), state);
        let running = (0..self.running.len()).map(load).collect::<Result<_, _>>()?;
        self.finished = self.load_columns("finished", state)?;
        let steps = self.finished.returns.len();
        let expected = format!("the episodes that {steps} steps make");
        self.num_finished = state.get_checked("num_finished", &expected, |&episodes: &usize| {
            episodes <= steps && (episodes == 0) == (steps == 0)
        })?;
        self.running = running;
        Ok(())
    }
}
