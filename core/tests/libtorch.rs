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

/// libtorch calls back into this program.
#[test]
fn writes_and_reads_streams() {
    let tensor = Tensor::from_slice(&[1.0_f32, 2.0, 3.0]);
    let mut bytes = Vec::new();
    tensor.save_to_stream(&mut bytes).expect("a vector takes everything");
    let read = Tensor::load_from_stream(std::io::Cursor::new(bytes)).expect("it was just written");
    assert_eq!(Vec::<f32>::try_from(read).expect("a vector of f32"), [1.0, 2.0, 3.0]);
}
