//! Exact solutions by dynamic programming, as a reference for learning.
//!
//! Source: Sutton and Barto (2018), chapter 4.

use gymnast_envs::{
    DynEnv, Env, EnvError, FiniteSpace, SpaceDescription, Transition, serde_json::Value,
};

/// The dynamics of a finite environment as tables.
#[derive(Clone, Debug)]
pub struct Model {
    /// The ways in which each action can turn out in each state.
    transitions: Vec<Vec<Vec<Transition<usize>>>>, // [S][A]
    /// How likely an episode starts in each state.
    initial: Vec<f64>, // [S]
}

/// The optimum of episodes without a step limit. With a step limit the optimum is lower: see
/// [`Model::optimal_within`].
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// The value of each state.
    pub values: Vec<f64>, // [S]
    /// A best action in each state.
    pub policy: Vec<usize>, // [S]
    /// The expected return of an episode: the mean of the states' values under the initial
    /// distribution.
    pub expected_return: f64,
}

impl Model {
    /// Reads the dynamics of an environment.
    ///
    /// # Errors
    /// [`EnvError::Unsupported`] if the environment does not provide them.
    pub fn of<E>(env: &E) -> Result<Self, EnvError>
    where
        E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace>,
    {
        let unknown = || EnvError::Unsupported {
            env: std::any::type_name::<E>(),
            what: "known dynamics",
            method: "transitions",
        };
        let (states, actions) = (env.observation_space(), env.action_space());
        let outcomes = |state: usize, action: usize| {
            let model = env.transitions(&states.element(state), &actions.element(action))?;
            Some(model.into_iter().map(|t| t.map(|next| states.index_of(&next))).collect())
        };
        let transitions = (0..states.size())
            .map(|state| (0..actions.size()).map(|action| outcomes(state, action)).collect())
            .collect::<Option<_>>()
            .ok_or_else(unknown)?;
        let mut initial = vec![0.0; states.size()];
        for (probability, state) in env.initial_states().ok_or_else(unknown)? {
            initial[states.index_of(&state)] += probability;
        }
        Ok(Self { transitions, initial })
    }

    /// Reads the dynamics of an environment that was made by its name. `None` if it is not finite or
    /// does not provide them.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the environment leaves its own space.
    pub fn of_dyn(env: &dyn DynEnv) -> Result<Option<Self>, EnvError> {
        let count = |space| match space {
            // Tables have no other elements.
            SpaceDescription::Discrete { n, start: 0 } => Some(n),
            _ => None,
        };
        let sizes = (count(env.observation_space()), count(env.action_space()));
        let ((Some(states), Some(actions)), Some(starts)) = (sizes, env.initial_states()) else {
            return Ok(None);
        };
        let index = |observation: &Value| {
            let index = observation.as_u64().and_then(|index| usize::try_from(index).ok());
            index.filter(|index| *index < states).ok_or_else(|| EnvError::InvalidState {
                expected: format!("an observation below {states}"),
                got: observation.to_string(),
            })
        };
        let mut transitions = Vec::new();
        for state in 0..states {
            let mut of_state = Vec::new();
            for action in 0..actions {
                let Some(model) = env.transitions_from(&state.into(), &action.into())? else {
                    return Ok(None);
                };
                let next = |t: Transition<Value>| {
                    let state = index(&t.next_state)?;
                    Ok(t.map(|_| state))
                };
                of_state.push(model.into_iter().map(next).collect::<Result<_, EnvError>>()?);
            }
            transitions.push(of_state);
        }
        let mut initial = vec![0.0; states];
        for (probability, state) in starts {
            initial[index(&state)?] += probability;
        }
        Ok(Some(Self { transitions, initial }))
    }

    /// Returns the number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.transitions.len()
    }

    /// What an action is worth in a state where the successors are worth `values`.
    fn action_value(&self, values: &[f64], state: usize, action: usize, gamma: f64) -> f64 {
        let outcomes = &self.transitions[state][action];
        outcomes
            .iter()
            .map(|t| {
                let future = if t.terminated { 0.0 } else { gamma * values[t.next_state] };
                t.probability * (t.reward + future)
            })
            .sum()
    }

    fn expectation(&self, values: &[f64]) -> f64 {
        self.initial.iter().zip(values).map(|(p, v)| p * v).sum()
    }
}

/// Computes the optimal values and policy of unlimited episodes by value iteration, discounted by
/// `gamma`.
///
/// Sweeps until no value changes by more than `tolerance`, at most `max_sweeps` times; with
/// `gamma` below 1 the values are then within `tolerance · gamma / (1 − gamma)` of the optimum.
/// Use [`optimal_within`](Model::optimal_within) for episodes with a time limit.
#[must_use]
pub fn value_iteration(model: &Model, gamma: f64, tolerance: f64, max_sweeps: usize) -> Solution {
    let mut values = vec![0.0; model.states()];
    model.evaluate(&mut values, tolerance, max_sweeps, |values, state| {
        model.best(values, state, gamma).1
    });
    let policy = (0..model.states()).map(|s| model.best(&values, s, gamma).0).collect();
    let expected_return = model.expectation(&values);
    Solution { values, policy, expected_return }
}

/// Computes the same by policy iteration (section 4.3): evaluates a policy and makes it greedy,
/// until it no longer changes.
///
/// It starts from the random policy, because with `gamma` 1 a policy that never ends an episode has
/// no finite value. Each evaluation sweeps until no value changes by more than `tolerance`, at most
/// `max_sweeps` times, starting from the values of the previous policy. An action is replaced only
/// if another is better by more than `tolerance`, so ties cannot alternate forever.
#[must_use]
pub fn policy_iteration(model: &Model, gamma: f64, tolerance: f64, max_sweeps: usize) -> Solution {
    let mut values = vec![0.0; model.states()];
    model.evaluate(&mut values, tolerance, max_sweeps, |values, state| {
        let actions = model.transitions[state].len();
        let value = |action| model.action_value(values, state, action, gamma);
        (0..actions).map(value).sum::<f64>() / actions as f64
    });
    let greedy = |values: &[f64], state| model.best(values, state, gamma).0;
    let mut policy: Vec<_> = (0..model.states()).map(|state| greedy(&values, state)).collect();
    for _ in 0..max_sweeps {
        model.evaluate(&mut values, tolerance, max_sweeps, |values, state| {
            model.action_value(values, state, policy[state], gamma)
        });
        let mut is_stable = true;
        for (state, action) in policy.iter_mut().enumerate() {
            let (best, value) = model.best(&values, state, gamma);
            if value > model.action_value(&values, state, *action, gamma) + tolerance {
                (*action, is_stable) = (best, false);
            }
        }
        if is_stable {
            break;
        }
    }
    let expected_return = model.expectation(&values);
    Solution { values, policy, expected_return }
}

impl Model {
    /// Replaces each value by what `backup` makes of them all, until none changes by more than
    /// `tolerance`, at most `max_sweeps` times.
    fn evaluate(
        &self,
        values: &mut [f64],
        tolerance: f64,
        max_sweeps: usize,
        backup: impl Fn(&[f64], usize) -> f64,
    ) {
        for _ in 0..max_sweeps {
            let mut change = 0.0_f64;
            for state in 0..self.states() {
                let value = backup(values, state);
                change = change.max((value - values[state]).abs());
                values[state] = value;
            }
            if change <= tolerance {
                return;
            }
        }
    }

    /// The first best action of a state, and its value.
    fn best(&self, values: &[f64], state: usize, gamma: f64) -> (usize, f64) {
        let actions = self.transitions[state].len();
        let value = |action| (action, self.action_value(values, state, action, gamma));
        let better = |best: (usize, f64), other: (usize, f64)| {
            if other.1 > best.1 { other } else { best }
        };
        (0..actions).map(value).reduce(better).expect("an action space is not empty")
    }

    /// Returns the highest expected undiscounted return within `steps` steps, by a policy that may
    /// depend on the number of steps left.
    #[must_use]
    pub fn optimal_within(&self, steps: u32) -> f64 {
        let mut values = vec![0.0; self.states()];
        for _ in 0..steps {
            values = (0..self.states()).map(|s| self.best(&values, s, 1.0).1).collect();
        }
        self.expectation(&values)
    }
}

impl Model {
    /// Returns the expected undiscounted return within `steps` steps of a policy that takes one of its
    /// actions in a state, each as likely as the others. In a state without actions an episode earns
    /// nothing more.
    ///
    /// # Panics
    /// Unless the policy has a list of valid actions for each state of the model.
    #[must_use]
    pub fn mixed_policy_value(&self, policy: &[Vec<usize>], steps: u32) -> f64 {
        assert_eq!(policy.len(), self.states(), "a policy has a list of actions for each state");
        let mut values = vec![0.0; self.states()];
        for _ in 0..steps {
            let value = |state: usize| {
                let of = |&action: &usize| self.action_value(&values, state, action, 1.0);
                let sum: f64 = policy[state].iter().map(of).sum();
                sum / policy[state].len().max(1) as f64
            };
            values = (0..self.states()).map(value).collect();
        }
        self.expectation(&values)
    }
}

/// Returns the expected undiscounted return of a policy (one action for each state) within `steps`
/// steps.
#[must_use]
///
/// # Panics
/// Unless the policy has a valid action for each state of the model.
pub fn policy_value(model: &Model, policy: &[usize], steps: u32) -> f64 {
    let alone: Vec<Vec<usize>> = policy.iter().map(|&action| vec![action]).collect();
    model.mixed_policy_value(&alone, steps)
}
