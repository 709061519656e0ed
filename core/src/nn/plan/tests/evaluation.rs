use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::nn::{Activation, MlpConfig, Network, QNetworkConfig, Scratch, Snapshot};

fn networks(inputs: usize, hidden: &[usize], outputs: usize) -> [Box<dyn Network>; 2] {
    let activation = if inputs.is_multiple_of(2) { Activation::Relu } else { Activation::Tanh };
    let config = MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() };
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let hidden = config.hidden_layers();
    let dueling = QNetworkConfig { hidden, dueling: true, ..QNetworkConfig::default() };
    [
        Box::new(config.build(inputs, outputs, rng).unwrap()),
        Box::new(dueling.build(&[vec![inputs]], outputs, rng).unwrap()),
    ]
}

fn rows(batch: usize, inputs: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    (0..batch * inputs).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
}

#[test]
fn agrees_with_libtorch() {
    let scratch = &mut Scratch::default();
    for (inputs, hidden, outputs) in
        [(4, &[64, 64][..], 2), (17, &[256, 256], 6), (3, &[5], 1), (9, &[], 3)]
    {
        for network in networks(inputs, hidden, outputs) {
            for batch in [0, 1, 2, 3, 7, 64] {
                let x = rows(batch, inputs);
                let mut ours = vec![f32::NAN; batch * outputs];
                network.evaluate(&x, batch, scratch, &mut ours).unwrap();
                let x = Tensor::from_slice(&x).view([batch as i64, inputs as i64]);
                let theirs = tch::no_grad(|| network.forward(&x));
                let theirs = Vec::<f32>::try_from(theirs.reshape(-1)).unwrap();
                for (a, b) in ours.iter().zip(&theirs) {
                    assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{batch}: {a} {b}");
                }
            }
        }
    }
}

#[test]
fn a_row_gives_the_same_bits_in_any_batch() {
    let scratch = &mut Scratch::default();
    for network in networks(17, &[70, 33], 5) {
        let x = rows(11, 17);
        let mut together = vec![0.0; 11 * 5];
        network.evaluate(&x, 11, scratch, &mut together).unwrap();
        for (x, expected) in x.chunks(17).zip(together.chunks(5)) {
            let mut alone = vec![0.0; 5];
            network.evaluate(x, 1, scratch, &mut alone).unwrap();
            assert_eq!(alone, expected);
        }
    }
}

#[test]
fn a_snapshot_keeps_its_moment() {
    let [mut network, _] = networks(4, &[8], 2);
    let mut snapshot = Snapshot::of(network.as_ref()).unwrap();
    let scratch = &mut Scratch::default();
    let (mut before, mut after) = ([0.0; 2], [0.0; 2]);
    network.evaluate(&[1.0; 4], 1, scratch, &mut before).unwrap();
    network.parameters_mut().values_mut().fill(0.5);
    snapshot.evaluate(&[1.0; 4], 1, scratch, &mut after).unwrap();
    assert_eq!(before, after);
    snapshot.refresh(network.as_ref()).unwrap();
    snapshot.evaluate(&[1.0; 4], 1, scratch, &mut after).unwrap();
    assert_eq!(after, [10.5; 2]); // 8 · 0.5 · (4 · 0.5 + 0.5) + 0.5
}

#[test]
fn wrong_lengths_are_errors() {
    let [network, _] = networks(4, &[8], 2);
    let scratch = &mut Scratch::default();
    assert!(network.evaluate(&[0.0; 3], 1, scratch, &mut [0.0; 2]).is_err());
    assert!(network.evaluate(&[0.0; 4], 1, scratch, &mut [0.0; 3]).is_err());
}
