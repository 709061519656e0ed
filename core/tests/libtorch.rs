//! libtorch is there, is found when a test runs, and calculates.
#![cfg(feature = "torch")]

use tch::Tensor;

#[test]
fn multiplies_matrices() {
    let a = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0]).reshape([2, 2]);
    let b = Tensor::from_slice(&[5.0_f32, 6.0, 7.0, 8.0]).reshape([2, 2]);
    let product = Vec::<f32>::try_from(a.matmul(&b).reshape(-1)).expect("a vector of f32");
    assert_eq!(product, [19.0, 22.0, 43.0, 50.0]);
}
