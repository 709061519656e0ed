use gymnast_envs::{BoxSpace, Discrete, Env, EnvError, RowSpace, Seed, Step, SyncVectorEnv};
use gymnast_harness::SettingError;

use super::*;
use crate::distributions::policy_head::{Categorical, DiagonalGaussian};

fn masked() -> Cloned<Categorical<Discrete>> {
    let head = Categorical::new(Discrete::new(3));
    let mask = Some(ActionMask::new(1..4, 3).unwrap());
    Cloned { head, mask, shared: Vec::new(), class_weight: None }
}

fn batch(inputs: &[f32], width: usize, targets: &[f32]) -> Batch {
    let data = Dataset::new(inputs.to_vec(), width, targets.to_vec(), 1).unwrap();
    data.batch(&(0..data.len()).collect::<Vec<_>>())
}

#[test]
fn the_loss_is_the_actions_unlikeliness_among_those_allowed() {
    // Weights 1, 2, 5: action 1 has 2 of 8; where the mask forbids action 2 it has 2 of 3.
    let logits = [1.0, 2.0, 5.0].map(f32::ln);
    let outputs = Tensor::from_slice(&[logits, logits].concat()).view([2, 3]);
    let batch = batch(&[9.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 0.0], 4, &[1.0, 1.0]);
    let loss = masked().loss_of_outputs(&outputs, &batch).unwrap().double_value(&[]);
    assert!((loss - (4_f64.ln() + 1.5_f64.ln()) / 2.0).abs() < 1e-6, "{loss}");
}

#[test]
fn rare_actions_count_by_their_weight() {
    // As above, of the unmasked row only: 2 of 8 and 5 of 8, weighed 3 and 1.
    let head = Categorical::new(Discrete::new(3));
    let class_weight = Some(vec![9.0, 3.0, 1.0]);
    let policy = Cloned { head, mask: None, shared: Vec::new(), class_weight };
    let logits = [1.0, 2.0, 5.0].map(f32::ln);
    let outputs = Tensor::from_slice(&[logits, logits].concat()).view([2, 3]);
    let loss = policy
        .loss_of_outputs(&outputs, &batch(&[0.0; 2], 1, &[1.0, 2.0]))
        .unwrap()
        .double_value(&[]);
    assert!((loss - (3.0 * 4_f64.ln() + 1.6_f64.ln()) / 4.0).abs() < 1e-6, "{loss}");
}

#[test]
fn weights_follow_from_how_often_actions_were_done() {
    let train = Dataset::new(vec![0.0; 8], 1, [vec![0.0; 6], vec![1.0; 2]].concat(), 1).unwrap();
    let weights = |weight| action_weights(&weight, &train, 3);
    assert_eq!(weights(ClassWeight::Uniform).unwrap(), None);
    // Six, two, and one as if it had been done.
    assert_eq!(weights(ClassWeight::Balanced).unwrap(), Some(vec![0.5, 1.5, 3.0]));
    for bad in [
        ClassWeight::Given(vec![1.0; 2]),
        ClassWeight::EffectiveNumber { beta: 1.0 },
        ClassWeight::Given(vec![0.0; 3]),
        ClassWeight::Given(vec![0.0, 0.0, 1.0]), // of the action that was never done
    ] {
        let error = weights(bad).unwrap_err();
        assert!(
            matches!(error, AgentError::InvalidConfig(SettingError { key: "class_weight", .. })),
            "{error}"
        );
    }
}

#[test]
fn real_valued_actions_are_fitted_by_squares() {
    let head = DiagonalGaussian::new(BoxSpace::symmetric([9.0]));
    let policy = Cloned { head, mask: None, shared: vec![0.0], class_weight: None };
    let loss = |output: f32| {
        let outputs = Tensor::from_slice(&[output, 0.0]).view([2, 1]);
        policy
            .loss_of_outputs(&outputs, &batch(&[0.0; 2], 1, &[1.0, 0.0]))
            .unwrap()
            .double_value(&[])
    };
    // ½ e² of two rows, and a constant.
    assert!((loss(4.0) - loss(1.0) - 0.25 * 9.0).abs() < 1e-6);
}

#[test]
fn no_forbidden_action_is_chosen() {
    let (policy, mut rng) = (masked(), Seed::new(1).rng());
    for (mode, times) in [(Mode::Exploit, 1), (Mode::Explore, 200)] {
        for _ in 0..times {
            let (mut outputs, mut action) = ([0.0, 1.0, 20.0], [0.0]);
            policy.mask.as_ref().unwrap().apply(&[9.0, 1.0, 1.0, 0.0], &mut outputs);
            let chosen = policy.choose(&outputs, mode, &mut rng, &mut action);
            assert!(chosen != 2 && (mode == Mode::Explore || chosen == 1), "{chosen}");
        }
    }
}

/// Shows the number of its episode all along, and ends after two steps.
struct Numbered(f32, u8);

impl Env for Numbered {
    type ObservationSpace = RowSpace;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> RowSpace {
        RowSpace::new(vec![0.0], vec![99.0], vec![1]).unwrap()
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        *self = Self(self.0 + 1.0, 0);
        Ok(vec![self.0])
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        self.1 += 1;
        Ok(Step::new(vec![self.0], 0.0, self.1 == 2))
    }
}

#[test]
fn whole_episodes_are_held_out() {
    let env = Numbered(0.0, 0);
    let head = Categorical::new(env.action_space());
    let mut demonstrations = Demonstrations::new(env.observation_space(), env.action_space());
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(0)).unwrap();
    for (episodes, share, held_out) in [(1, 0.5, 0), (2, 0.1, 1), (10, 0.0, 0), (10, 0.3, 3)] {
        while demonstrations.episodes().count() < episodes {
            demonstrations.record(&mut envs, 9, |_| Ok(1)).unwrap();
            // The environment began its next episode at once, which was not recorded.
        }
        let parts = split(&demonstrations, &head, share, &mut Seed::new(3).rng()).unwrap();
        assert_eq!((parts.0.len(), parts.1.len()), (2 * (episodes - held_out), 2 * held_out));
        for step in parts.1.inputs() {
            assert!(!parts.0.inputs().contains(step), "{step}");
        }
        assert!(parts.0.targets().iter().all(|&action| action == 1.0));
    }
}
