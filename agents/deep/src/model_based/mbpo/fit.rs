//! Training the model: by epochs over each member's bootstrap sample, until no member predicts what
//! was held out any better.

use gymnast_harness::{AgentError, Grace};
use rand::seq::SliceRandom as _;

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
#[derive(Default)]
struct Examples {
    input: Vec<f32>,       // [N, width + A]
    target: Vec<f32>,      // [N, T]
    end: Option<Vec<f32>>, // [N], 1 where the episode ended
    width: usize,          // width + A
    targets: usize,        // T
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
        let held_out = examples.pick(held_out.iter().step_by(every).copied());

        let mut best = self.holdout_losses(&held_out)?.0;
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
            let (losses, _) = self.holdout_losses(&held_out)?;
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
        let (_, disagreement) = self.holdout_losses(&held_out)?;
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
        let end = self.knows_ends.then_some(end);
        Examples { input, target, end, width: width + action_width, targets: width + 1 }
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
        let (mut sum, mut batch) = (0.0, Examples::default());
        for start in (0..rows).step_by(config.batch_size) {
            grace.check()?;
            let end = rows.min(start + config.batch_size);
            examples
                .pick_into(members.iter().flat_map(|rows| &rows[start..end]).copied(), &mut batch);
            let ends = batch.end.as_deref();
            let loss = self.ensemble.update(&batch.input, &batch.target, ends, descent)?;
            sum += loss * (end - start) as f64;
        }
        Ok(sum / rows as f64)
    }

    /// Each member's mean squared error on the examples, an end's probability among what is predicted;
    /// and how far their means lie apart.
    fn holdout_losses(&mut self, held_out: &Examples) -> Result<(Vec<f64>, f64), AgentError> {
        let Self { ensemble, said, scratch, .. } = self;
        let Examples { input, target, end, targets: t, .. } = held_out;
        let (rows, members) = (target.len() / t, ensemble.members());
        // Of the members' means in every place: the sum and the sum of squares.
        let mut moments = vec![[0.0, 0.0]; target.len()];
        let mut losses = Vec::with_capacity(members);
        for member in 0..members {
            ensemble.predict(member, input, rows, scratch, said)?;
            let mut sum = 0.0;
            for (row, said) in said.chunks_exact(2 * t + 1).enumerate() {
                for (i, &mean) in said[..*t].iter().enumerate() {
                    let (at, mean) = (row * t + i, f64::from(mean));
                    sum += (mean - f64::from(target[at])).powi(2);
                    moments[at][0] += mean;
                    moments[at][1] += mean * mean;
                }
                if let Some(end) = end {
                    let chance = 1.0 / (1.0 + f64::from(-said[2 * t]).exp());
                    sum += (chance - f64::from(end[row])).powi(2);
                }
            }
            let each = rows * (t + usize::from(end.is_some()));
            losses.push(sum / each as f64);
        }
        let n = members as f64;
        let deviation =
            |[sum, squares]: &[f64; 2]| (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
        let disagreement = moments.iter().map(deviation).sum::<f64>() / moments.len() as f64;
        Ok((losses, disagreement))
    }
}

impl Examples {
    /// The rows of those numbers, in that order.
    fn pick(&self, rows: impl Iterator<Item = i64>) -> Self {
        let mut picked = Self::default();
        self.pick_into(rows, &mut picked);
        picked
    }

    /// The same, written to `picked`.
    fn pick_into(&self, rows: impl Iterator<Item = i64>, picked: &mut Self) {
        let Self { input, target, end, width, targets } = self;
        picked.input.clear();
        picked.target.clear();
        let mut ends = picked.end.take().unwrap_or_default();
        ends.clear();
        for row in rows.map(|row| row as usize) {
            picked.input.extend_from_slice(&input[row * width..][..*width]);
            picked.target.extend_from_slice(&target[row * targets..][..*targets]);
            ends.extend(end.as_ref().map(|end| end[row]));
        }
        picked.end = end.is_some().then_some(ends);
        (picked.width, picked.targets) = (*width, *targets);
    }
}

#[cfg(test)]
mod tests;
