//! The returns that normalise all others: random actions reach the one, nothing exceeds the other.

use gymnast_envs::{EnvOptions, EnvSpec, Registry, SpaceDescription, Transition};

/// Returns the mean return of random actions and its standard error.
fn play_at_random(spec: &EnvSpec, most_episodes: u64, most_steps: u64) -> (f64, f64) {
    let mut env = spec.make(1, &EnvOptions::none()).unwrap();
    let (mut returns, mut steps) = (Vec::new(), 0);
    while (returns.len() as u64) < most_episodes && steps < most_steps {
        env.reset(None).unwrap();
        let (mut total, mut ended) = (0.0, false);
        while !ended {
            let action = env.sample_action();
            let step = env.step(&action).unwrap();
            total += step.reward;
            steps += 1;
            ended = step.outcome.is_final();
        }
        returns.push(total);
    }
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let squares: f64 = returns.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}

/// The transitions of a finite environment, `[states][actions]`, and how often episodes start in
/// each state.
struct Model {
    transitions: Vec<Vec<Vec<Transition<usize>>>>,
    starts: Vec<f64>,
}

impl Model {
    /// `None` for an environment that is not finite or does not tell its transitions.
    fn of(spec: &EnvSpec) -> Option<Self> {
        let (observations, actions) = spec.spaces(&EnvOptions::none()).unwrap();
        let count = |space| match space {
            SpaceDescription::Discrete { n, start: 0 } => Some(n),
            _ => None,
        };
        let (states, actions) = (count(observations)?, count(actions)?);
        let mut env = spec.make(0, &EnvOptions::none()).unwrap();
        let mut of_action = |state: usize, action: usize| {
            env.set_state(&[state as f64]).ok()?;
            let known = env.transitions(&action.into()).ok()??;
            let index = |observation: serde_json::Value| observation.as_u64().unwrap() as usize;
            Some(known.into_iter().map(|transition| transition.map(index)).collect())
        };
        let of_state = |state| (0..actions).map(|action| of_action(state, action)).collect();
        let transitions = (0..states).map(of_state).collect::<Option<_>>()?;
        let (mut starts, resets) = (vec![0.0; states], 30_000);
        for seed in 0..resets {
            let start = env.reset(Some(seed)).unwrap().as_u64().unwrap() as usize;
            starts[start] += 1.0 / resets as f64;
        }
        Some(Self { transitions, starts })
    }

    /// The expected return of a policy that takes this of its actions' values.
    fn value(&self, limit: Option<u32>, of_actions: impl Fn(&[f64]) -> f64) -> f64 {
        let mut values = vec![0.0; self.transitions.len()];
        for _ in 0..limit.unwrap_or(1_000_000) {
            let of_action = |transitions: &Vec<Transition<usize>>| -> f64 {
                let of = |t: &Transition<usize>| {
                    let next = if t.terminated { 0.0 } else { values[t.next_state] };
                    t.probability * (t.reward + next)
                };
                transitions.iter().map(of).sum()
            };
            let of_state = |actions: &Vec<Vec<_>>| {
                of_actions(&actions.iter().map(of_action).collect::<Vec<_>>())
            };
            let next: Vec<f64> = self.transitions.iter().map(of_state).collect();
            let change = next.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            values = next;
            if change < 1e-9 {
                break;
            }
        }
        self.starts.iter().zip(&values).map(|(start, value)| start * value).sum()
    }
}

/// What random actions and the best ones reach, exactly.
fn exact(spec: &EnvSpec) -> Option<(f64, f64)> {
    let model = Model::of(spec)?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let best = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some((model.value(spec.step_limit(), mean), model.value(spec.step_limit(), best)))
}

#[test]
#[ignore = "prints the table from which the constants were taken"]
fn measure() {
    for spec in Registry::builtin().iter() {
        match exact(spec) {
            Some((random, best)) => println!("{:26} {random:>12.5} {best:>12.5}", spec.id()),
            None => {
                let (mean, error) = play_at_random(spec, 20_000, 2_000_000);
                println!("{:26} {mean:>12.4} ± {error:.4}", spec.id());
            }
        }
    }
}

#[test]
fn random_actions_have_the_reference_s_return() {
    for spec in Registry::builtin().iter() {
        let Some(reference) = spec.reference() else { continue };
        let scale = reference.best - reference.random;
        let (random, error) = match exact(spec) {
            Some((random, best)) => {
                assert!((best - reference.best).abs() < 0.002 * scale, "{}: {best}", spec.id());
                (random, 0.0005 * scale)
            }
            None => play_at_random(spec, 1000, 50_000),
        };
        let difference = (random - reference.random).abs();
        // A treasure that one random dive in a thousand finds is in no standard error of as many.
        assert!(difference <= 4.0 * error + 0.002 * scale, "{}: {random} ± {error}", spec.id());
        assert_eq!(reference.normalize(reference.best), 1.0);
    }
}
