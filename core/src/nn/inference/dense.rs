//! The matrix product of a fully connected layer, by tiles that fit the processor's registers.

use crate::simd::{multiply_add, wide};

wide! {
    /// `out = x W + b`, row by row.
    pub(super) fn dense<FMA>(weight: &[f32], bias: &[f32], x: &[f32], out: &mut [f32]) {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let (mut x, mut out) = (x, out);
        while !x.is_empty() {
            let rows = (x.len() / inputs).min(6);
            let (some_x, more_x) = x.split_at(rows * inputs);
            let (some_out, more_out) = out.split_at_mut(rows * outputs);
            match rows {
                6 => columns::<6, FMA>(weight, bias, some_x, some_out),
                5 => columns::<5, FMA>(weight, bias, some_x, some_out),
                4 => columns::<4, FMA>(weight, bias, some_x, some_out),
                3 => columns::<3, FMA>(weight, bias, some_x, some_out),
                2 => columns::<2, FMA>(weight, bias, some_x, some_out),
                _ => columns::<1, FMA>(weight, bias, some_x, some_out),
            }
            (x, out) = (more_x, more_out);
        }
    }
}

/// All outputs of `R` rows: as many at once as the processor has registers for their sums.
#[inline(always)]
fn columns<const R: usize, const FMA: bool>(
    weight: &[f32],
    bias: &[f32],
    x: &[f32],
    out: &mut [f32],
) {
    let outputs = bias.len();
    let mut column = 0;
    while column < outputs {
        column += match outputs - column {
            64.. if R == 1 => tile::<R, 64, FMA>(weight, bias, x, out, column),
            16.. => tile::<R, 16, FMA>(weight, bias, x, out, column),
            8.. => tile::<R, 8, FMA>(weight, bias, x, out, column),
            4.. => tile::<R, 4, FMA>(weight, bias, x, out, column),
            2.. => tile::<R, 2, FMA>(weight, bias, x, out, column),
            _ => tile::<R, 1, FMA>(weight, bias, x, out, column),
        };
    }
}

/// `R` rows times `C` outputs, returning `C`.
#[inline(always)]
fn tile<const R: usize, const C: usize, const FMA: bool>(
    weight: &[f32],
    bias: &[f32],
    x: &[f32],
    out: &mut [f32],
    column: usize,
) -> usize {
    let outputs = bias.len();
    let inputs = x.len() / R;
    let x: [&[f32]; R] = std::array::from_fn(|r| &x[r * inputs..][..inputs]);
    let mut sums = [[0.0; C]; R];
    for sums in &mut sums {
        sums.copy_from_slice(&bias[column..][..C]);
    }
    for (i, weight) in weight.chunks_exact(outputs).enumerate().take(inputs) {
        let weight = &weight[column..][..C];
        for r in 0..R {
            let x = x[r][i];
            for c in 0..C {
                sums[r][c] = multiply_add::<FMA>(weight[c], x, sums[r][c]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(outputs).zip(&sums) {
        out[column..][..C].copy_from_slice(sums);
    }
    C
}
