//! Whole episodes: those under way, and the finished ones that wait for an update.

use gymnast_envs::{Experience, FeatureSpace};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::returns,
    memory::OnPolicyMemory,
    networks::{actor_critic::ActorCritic, network::Widths},
};

/// Steps, in columns.
#[derive(Default)]
struct Columns {
    observations: Vec<f32>, // [steps, width]
    actions: Vec<f32>,      // [steps, action_width]
    /// Rewards of an episode under way, returns of those that are finished.
    returns: Vec<f32>, // [steps]
}

/// One running episode an environment, and the finished ones one after the other.
pub struct Episodes {
    running: Vec<Columns>,
    finished: Columns,
    num_finished: usize,
    capacity: usize,
    bootstraps: bool,
    widths: Widths,
}

impl Episodes {
    /// Creates an empty memory that is full with `capacity` finished episodes. The return of an episode that
    /// was cut short goes on with the value of its last state if it `bootstraps`, else it ends there.
    #[must_use]
    pub fn new(capacity: usize, bootstraps: bool, num_envs: usize, widths: Widths) -> Self {
        Self {
            running: (0..num_envs).map(|_| Columns::default()).collect(),
            finished: Columns::default(),
            num_finished: 0,
            capacity,
            bootstraps,
            widths,
        }
    }

    /// Returns the observations of the finished episodes: `[steps, width]`.
    #[must_use]
    pub fn observations(&self) -> &[f32] {
        &self.finished.observations
    }

    /// Returns the actions taken there, as they were drawn: `[steps, action_width]`.
    #[must_use]
    pub fn actions(&self) -> &[f32] {
        &self.finished.actions
    }

    /// Returns the return from each of their steps on: `[steps]`.
    #[must_use]
    pub fn returns(&self) -> &[f32] {
        &self.finished.returns
    }

    /// Adds the step of environment `i`, its reward times `reward_scale`.
    fn push_step<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        i: usize,
        networks: &ActorCritic<O, H>,
        experience: &Experience<O, H::ActionSpace>,
        reward_scale: f64,
    ) {
        let Columns { observations, actions, returns } = &mut self.running[i];
        let len = observations.len();
        observations.resize(len + self.widths.observation, 0.0);
        networks.write_features(&experience.observations[i], &mut observations[len..]);
        let len = actions.len();
        actions.resize(len + self.widths.action, 0.0);
        networks.write_action(i, &experience.actions[i], &mut actions[len..]);
        returns.push((experience.rewards[i] * reward_scale) as f32);
    }

    /// The episode of environment `i` is over; `rest` is what would have come after it.
    fn finish(&mut self, i: usize, gamma: f64, rest: f32) {
        let (running, finished) = (&mut self.running[i], &mut self.finished);
        returns::discounted(&running.returns, gamma, rest, &mut finished.returns);
        running.returns.clear();
        finished.observations.append(&mut running.observations);
        finished.actions.append(&mut running.actions);
        self.num_finished += 1;
    }

    fn save_columns(&self, columns: &Columns, name: &str, state: &mut StateDict) {
        let len = columns.returns.len();
        let Columns { observations, actions, returns } = columns;
        state.insert_array(
            &format!("{name}/observations"),
            &[len, self.widths.observation],
            observations,
        );
        state.insert_array(&format!("{name}/actions"), &[len, self.widths.action], actions);
        state.insert_array(&format!("{name}/returns"), &[len], returns);
    }

    fn load_columns(&self, name: &str, state: &StateDict) -> Result<Columns, CheckpointError> {
        let column = |column| format!("{name}/{column}");
        let len = state.array_len::<f32>(&column("returns"))?;
        Ok(Columns {
            observations: state
                .finite_array(&column("observations"), &[len, self.widths.observation])?,
            actions: state.finite_array(&column("actions"), &[len, self.widths.action])?,
            returns: state.finite_array(&column("returns"), &[len])?,
        })
    }
}

impl OnPolicyMemory for Episodes {
    const NAME: &'static str = "episodes";

    /// An episode has one step at least.
    fn first_update(&self) -> u64 {
        self.capacity as u64
    }

    fn push<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        experience: &Experience<O, H::ActionSpace>,
        gamma: f64,
        reward_scale: f64,
    ) -> Result<(), AgentError> {
        AgentError::check_rows(experience, self.running.len())?;
        AgentError::check_rewards(&experience.rewards, reward_scale)?;
        for i in (0..experience.len()).filter(|&i| !experience.is_reset[i]) {
            self.push_step(i, networks, experience, reward_scale);
            let outcome = experience.outcomes[i];
            if outcome.is_final() {
                let goes_on = self.bootstraps && outcome.truncated();
                let next = &experience.next_observations[i];
                self.finish(i, gamma, if goes_on { networks.value_of(next) } else { 0.0 });
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.num_finished >= self.capacity
    }

    fn has_transitions(&self) -> bool {
        self.num_finished > 0
    }

    fn clear(&mut self) {
        let Columns { observations, actions, returns } = &mut self.finished;
        [observations, actions, returns].into_iter().for_each(Vec::clear);
        self.num_finished = 0;
    }

    /// The running episodes are lost.
    fn begin_episodes(&mut self) {
        self.running.iter_mut().for_each(|running| *running = Columns::default());
    }

    fn named_actions(&self) -> Vec<(String, &[f32])> {
        let running = self.running.iter().enumerate();
        let running = running.map(|(i, columns)| (format!("running/{i}/actions"), columns));
        let all = running.chain([("finished/actions".to_owned(), &self.finished)]);
        all.map(|(name, columns)| (name, columns.actions.as_slice())).collect()
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
        let most = self.capacity;
        let expected = format!("fewer than {most} episodes, as {steps} steps make them");
        self.num_finished = state.get_checked("num_finished", &expected, |&episodes: &usize| {
            episodes < most && episodes <= steps && (episodes == 0) == (steps == 0)
        })?;
        self.running = running;
        Ok(())
    }
}
