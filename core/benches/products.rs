//! How fast the matrix products of agents' networks are, against libtorch's.
//!
//! `cargo bench -p gymnast-core --bench products`. One thread; the least of many interleaved calls,
//! in GFLOP/s, and as a share of what the fastest product reaches.

use std::time::Instant;

use tch::{Device, Kind, Tensor};

// The products, which the crate keeps to itself.
#[path = "../src/nn/matmul.rs"]
#[allow(dead_code, unused_imports)] // their unit tests run with the crate's
mod matmul;
#[path = "../src/simd.rs"]
#[allow(dead_code, unused_imports)] // the products need a part of it
mod simd;

/// `[m, k, n]` of `[m, k]` times `[k, n]`.
const SHAPES: [[usize; 3]; 24] = [
    [256, 256, 256],
    [64, 64, 64],
    [64, 1024, 1024],
    [32, 288, 81],
    // Few outputs.
    [256, 256, 1],
    [256, 256, 2],
    [256, 256, 3],
    [256, 256, 4],
    [256, 256, 6],
    [256, 256, 67],
    [64, 64, 1],
    [64, 64, 2],
    [64, 64, 4],
    // One row, and few.
    [1, 4, 64],
    [1, 64, 64],
    [1, 64, 2],
    [1, 256, 256],
    [1, 1024, 1024],
    [8, 64, 64],
    [8, 1024, 1024],
    // Few inputs.
    [64, 4, 64],
    [256, 1, 256],
    [256, 3, 256],
    [256, 8, 256],
];

/// A product, its name, and whether it reads each factor transposed.
type Product = (&'static str, fn(&[f32], &[f32], usize, &mut [f32]), [bool; 2]);

const PRODUCTS: [Product; 3] = [
    ("A B", product, [false, false]),
    ("Aᵀ B", add_transposed_product, [true, false]),
    ("A Bᵀ", product_with_transpose, [false, true]),
];

fn product(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
    matmul::product(a, b, n, matmul::Start::Zeros, c);
}

fn add_transposed_product(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
    matmul::Precision::F32.add_transposed_product(a, b, n, c);
}

fn product_with_transpose(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
    matmul::Precision::F32.product_with_transpose(a, b, n, matmul::Start::Zeros, c);
}

fn main() {
    gymnast_core::threads::single_threaded();
    let _guard = tch::no_grad_guard();
    let (peak, _) = compare([256; 3], &PRODUCTS[1]);
    println!("the fastest product: {peak:.0} GFLOP/s");
    println!(
        "{:<16} {:<6} {:>8} {:>9} {:>8} {:>8}",
        "m · k · n", "", "gymnast", "libtorch", "ratio", "of peak"
    );
    for [m, k, n] in SHAPES {
        for product in &PRODUCTS {
            let (ours, theirs) = compare([m, k, n], product);
            println!(
                "{:<16} {:<6} {ours:>8.1} {theirs:>9.1} {:>8.2} {:>7.0}%",
                format!("{m} · {k} · {n}"),
                product.0,
                ours / theirs,
                100.0 * ours / peak,
            );
        }
    }
    rows();
}

/// Returns the speed of ours and of libtorch's, in GFLOP/s.
fn compare([m, k, n]: [usize; 3], (_, product, transposed): &Product) -> (f64, f64) {
    const ROUNDS: usize = 200;
    const WORK: f64 = 2e5; // floating-point operations between two looks at the clock, at least
    let operations = 2.0 * (m * k * n) as f64;
    let calls = (WORK / operations).ceil().max(1.0);
    let rounds = ((2.5e9 / (operations * calls)) as usize).clamp(20, ROUNDS);
    let numbers = |length: usize| -> Vec<f32> { (0..length).map(|i| (i % 7) as f32).collect() };
    let (a, b, mut c) = (numbers(m * k), numbers(k * n), vec![0.0; m * n]);
    let tensor = |values: &[f32], [rows, columns]: [usize; 2], transposed: bool| {
        let values = Tensor::from_slice(values);
        match transposed {
            true => values.view([columns as i64, rows as i64]).tr(),
            false => values.view([rows as i64, columns as i64]),
        }
    };
    let (left, right) = (tensor(&a, [m, k], transposed[0]), tensor(&b, [k, n], transposed[1]));
    let out = Tensor::zeros([m as i64, n as i64], (Kind::Float, Device::Cpu));
    let mut least = [f64::INFINITY; 2];
    for _ in 0..rounds {
        let mut time = |i: usize, call: &mut dyn FnMut()| {
            let start = Instant::now();
            (0..calls as usize).for_each(|_| call());
            least[i] = least[i].min(start.elapsed().as_secs_f64() / calls);
        };
        time(0, &mut || product(&a, &b, n, &mut c));
        time(1, &mut || drop(left.matmul_out(&out, &right)));
    }
    let [ours, theirs] = least.map(|seconds| operations / seconds / 1e9);
    (ours, theirs)
}

/// Prints what the sums of rows cost, the gradients of biases.
fn rows() {
    println!("\n{:<16} {:>8} {:>9}", "sums of rows, ns", "gymnast", "libtorch");
    for (m, n) in [(64, 2), (256, 1), (256, 3), (64, 64), (256, 64), (256, 256)] {
        let (rows, mut sum) = (vec![1.0; m * n], vec![0.0; n]);
        let tensor = Tensor::from_slice(&rows).view([m as i64, n as i64]);
        let mut least = [f64::INFINITY; 2];
        for _ in 0..2000 {
            let start = Instant::now();
            matmul::add_rows(&rows, &mut sum);
            least[0] = least[0].min(start.elapsed().as_secs_f64() * 1e9);
            let start = Instant::now();
            let _ = tensor.sum_dim_intlist(0_i64, false, Kind::Float);
            least[1] = least[1].min(start.elapsed().as_secs_f64() * 1e9);
        }
        println!("{:<16} {:>8.0} {:>9.0}", format!("{m} · {n}"), least[0], least[1]);
    }
}
