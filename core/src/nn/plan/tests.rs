//! Plans compute what libtorch computes.

mod batch_norm;
mod compositions;
mod evaluation;
mod gradients;

#[track_caller]
fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let size = theirs.iter().fold(1.0, |a, b| f32::max(a, b.abs()));
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= 1e-5 * size, "{what}: {a}, libtorch {b}");
    }
}
