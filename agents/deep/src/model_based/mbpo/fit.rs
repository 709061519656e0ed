//! Training the model: by epochs over each member's bootstrap sample, until no member predicts what
//! was held out any better.

use gymnast_harness::{AgentError, Grace};
use rand::seq::SliceRandom as _;
use tch::{Kind, Tensor};

use super::{
    bootstrap::{Bootstrap, Split},
    model::Model,
};
use crate::{memory::replay::Batch, networks::learned::Descent};

/// By what share a member's holdout loss must fall to count as better.
const IMPROVEMENT: f64 = 0.01;
/// More of what is held out would cost more than it tells.
const MAX_HELD_OUT: usize = 5_000;

/// How the model is trained.
#[derive(Clone, Copy, Debug)]
pub(super) struct FitConfig {
    pub(super) learning_rate: f64,
    pub(super) batch_size: usize,
    pub(super) patience: usize,
    pub(super) max_epochs: usize,
    pub(super) elites: usize,
}

/// What came of a training.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    /// The negative log-likelihood in the last epoch, mean over members.
    pub(super) model_loss: f64,
    /// The elites' mean squared error on what was held out, in units of the targets' variance.
    pub(super) holdout_loss: f64,
    /// The standard deviation of the members' means on what was held out, in units of the targets'
    /// standard deviation.
    pub(super) disagreement: f64,
    /// The epochs it took.
    pub(super) epochs: usize,
}

/// Transitions as the networks read and predict them.
struct Examples {
    input: Tensor,       // [N, width + A]
    target: Tensor,      // [N, T]
    end: Option<Tensor>, // [N], 1 where the episode ended
}

impl Model {
    /// Fits the model to transitions, dealt out by `bootstrap`. Each member ends with the parameters
    /// that predicted best what was held out, and the best members become the elites. `None` where
    /// there is too little to learn from or to judge by.
    ///
    /// # Errors
    /// [`AgentError::Diverged`], with the `env_steps`, where a loss or a gradient is not finite.
    pub(super) fn fit(
        &mut self,
        transitions: &Batch<f32>,
        bootstrap: &Bootstrap,
        config: &FitConfig,
        env_steps: u64,
    ) -> Result<Option<Fitted>, AgentError> {
        let Split { mut members, held_out } = bootstrap.split();
        let rows = members.iter().map(Vec::len).min().expect("an ensemble has members");
        if rows == 0 || held_out.is_empty() {
            return Ok(None);
        }
        let examples = self.examples(transitions);
        let every = held_out.len().div_ceil(MAX_HELD_OUT);
        let held_out: Vec<i64> = held_out.into_iter().step_by(every).collect();
        let held_out = examples.pick(&Tensor::from_slice(&held_out), 1);

        let mut best = self.holdout_losses(&held_out).0;
        let mut best_parameters = self.ensemble.parameters().to_vec();
        let (mut model_loss, mut epochs, mut epochs_since_better) = (0.0, 0, 0);
        let mut grace = Grace::default();
        while epochs < config.max_epochs && epochs_since_better < config.patience {
            epochs += 1;
            epochs_since_better += 1;
            members.iter_mut().for_each(|rows| rows.shuffle(&mut self.shuffle_rng));
            model_loss = self.epoch(&examples, &members, rows, config, env_steps, &mut grace)?;
            if !model_loss.is_finite() {
                let what = "the model's loss";
                return Err(AgentError::Diverged { what, value: model_loss, env_steps });
            }
            let (losses, _) = self.holdout_losses(&held_out);
            for (member, (&loss, best)) in losses.iter().zip(&mut best).enumerate() {
                if (*best - loss) / *best > IMPROVEMENT {
                    *best = loss;
                    let parameters = self.ensemble.parameters().values();
                    self.ensemble.copy_member(member, parameters, &mut best_parameters);
                    epochs_since_better = 0;
                }
            }
        }
        self.ensemble.load_parameters(&best_parameters)?;

        let mut ranking: Vec<usize> = (0..best.len()).collect();
        ranking.sort_by(|&a, &b| best[a].total_cmp(&best[b]));
        ranking.truncate(config.elites);
        let holdout_loss = ranking.iter().map(|&elite| best[elite]).sum::<f64>();
        let holdout_loss = holdout_loss / ranking.len() as f64;
        if !holdout_loss.is_finite() {
            let what = "the model's loss on what was held out";
            return Err(AgentError::Diverged { what, value: holdout_loss, env_steps });
        }
        self.elites = ranking;
        let (_, disagreement) = self.holdout_losses(&held_out);
        Ok(Some(Fitted { model_loss, holdout_loss, disagreement, epochs }))
    }

    /// The transitions as examples, with the normalisers fitted to them.
    fn examples(&mut self, transitions: &Batch<f32>) -> Examples {
        let Batch { observation, action, reward, next_observation, discount, .. } = transitions;
        let n = reward.len();
        let (width, action_width) = (observation.len() / n, action.len() / n);
        let mut input = Vec::with_capacity(n * (width + action_width));
        let mut target = Vec::with_capacity(n * (width + 1));
        for (i, &reward) in reward.iter().enumerate() {
            let (row, action_row) = (i * width, i * action_width);
            let (from, to) = (&observation[row..][..width], &next_observation[row..][..width]);
            input.extend_from_slice(from);
            input.extend_from_slice(&action[action_row..][..action_width]);
            target.extend(to.iter().zip(from).map(|(to, from)| to - from));
            target.push(reward);
        }
        self.input.fit(&input);
        self.input.normalize(&mut input);
        self.target.fit(&target);
        self.target.normalize(&mut target);
        // Else the chance would only be learned to be small, where zero is known.
        self.knows_ends = discount.contains(&0.0);
        let end: Vec<f32> = discount.iter().map(|&d| f32::from(u8::from(d == 0.0))).collect();
        Examples {
            input: Tensor::from_slice(&input).view([n as i64, -1]),
            target: Tensor::from_slice(&target).view([n as i64, -1]),
            end: self.knows_ends.then(|| Tensor::from_slice(&end)),
        }
    }

    /// One pass of every member over `rows` rows of its own: returns the mean loss.
    fn epoch(
        &mut self,
        examples: &Examples,
        members: &[Vec<i64>],
        rows: usize,
        config: &FitConfig,
        env_steps: u64,
        grace: &mut Grace,
    ) -> Result<f64, AgentError> {
        let descent = Descent { rate: config.learning_rate, env_steps };
        let mut sum = 0.0;
        for start in (0..rows).step_by(config.batch_size) {
            grace.check()?;
            let end = rows.min(start + config.batch_size);
            let drawn: Vec<i64> =
                members.iter().flat_map(|rows| &rows[start..end]).copied().collect();
            let batch = examples.pick(&Tensor::from_slice(&drawn), members.len());
            let ends = batch.end.as_ref();
            let loss = self.ensemble.update(&batch.input, &batch.target, ends, descent)?;
            sum += loss * (end - start) as f64;
        }
        Ok(sum / rows as f64)
    }

    /// Each member's mean squared error on examples `[1, H, …]`, an end's probability among what is
    /// predicted; and how far their means lie apart.
    fn holdout_losses(&self, held_out: &Examples) -> (Vec<f64>, f64) {
        let _guard = tch::no_grad_guard();
        let members = self.ensemble.members() as i64;
        let said = self.ensemble.forward(&held_out.input.expand([members, -1, -1], false));
        let errors = (&said.mean - &held_out.target).square(); // [E, H, T]
        let errors = match &held_out.end {
            Some(end) => {
                let end_errors = (said.end.sigmoid() - end).square().unsqueeze(-1); // [E, H, 1]
                Tensor::cat(&[errors, end_errors], -1)
            }
            None => errors,
        };
        let losses = errors.mean_dim([1_i64, 2].as_slice(), false, Kind::Double); // [E]
        let losses = Vec::try_from(losses).expect("a row of f64");
        let variance = said.mean.var_dim([0_i64].as_slice(), false, false); // [H, T]
        (losses, variance.sqrt().mean(Kind::Double).double_value(&[]))
    }
}

impl Examples {
    /// The rows of that number, dealt out to `members`: `[E, B, …]`.
    fn pick(&self, rows: &Tensor, members: usize) -> Self {
        let members = members as i64;
        let pick = |column: &Tensor| column.index_select(0, rows);
        Self {
            input: pick(&self.input).view([members, -1, self.input.size()[1]]),
            target: pick(&self.target).view([members, -1, self.target.size()[1]]),
            end: self.end.as_ref().map(|end| pick(end).view([members, -1])),
        }
    }
}

#[cfg(test)]
mod tests;
