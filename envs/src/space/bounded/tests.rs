use super::*;
use crate::Seed;

#[test]
fn nan_is_in_no_box_and_no_bound() {
    assert!(!BoxSpace::<1>::unbounded().contains(&[f32::NAN]));
    assert!(BoxSpace::new([f32::NAN], [1.0]).is_err());
    assert!(BoxSpace::new([2.0], [1.0]).is_err());
    assert_eq!(BoxSpace::symmetric([1.0]).clip(&[f32::NAN]), [-1.0]);
}

#[test]
fn samples_lie_in_the_box_however_wide() {
    let low = [f32::MIN, 0.0, f32::NEG_INFINITY, f32::NEG_INFINITY, 3.0];
    let high = [f32::MAX, f32::INFINITY, 0.0, f32::INFINITY, 3.0];
    let space = BoxSpace::new(low, high).unwrap();
    let mut rng = Seed::new(0).rng();
    for _ in 0..1000 {
        let element = space.sample(&mut rng);
        assert!(space.contains(&element), "{element:?}");
    }
}

#[test]
fn an_action_mask_lies_in_the_row_between_zero_and_one() {
    let row = RowSpace::new(vec![-1.0, 0.0, 0.0], vec![1.0; 3], vec![3]).unwrap();
    assert_eq!(row.action_mask(), None);
    let masked = row.clone().with_action_mask(1..3).unwrap();
    assert_eq!(masked.action_mask(), Some(1..3));
    for places in [0..2, 2..4, 1..1] {
        assert!(row.clone().with_action_mask(places).is_err());
    }
}

#[test]
fn every_float_survives_json() {
    let space = BoxSpace::<6>::unbounded();
    let element = [0.1, f32::MAX, f32::MIN_POSITIVE / 4.0, -0.0, f32::INFINITY, f32::NAN];
    let json: Value = serde_json::from_str(&space.to_jsonable(&element).to_string()).unwrap();
    let back = space.from_jsonable_unbounded(&json).unwrap();
    assert_eq!(back.map(f32::to_bits), element.map(f32::to_bits));
    assert!(space.from_jsonable(&json).is_err(), "NaN lies in no box");
}

#[test]
fn a_box_holds_at_least_one_finite_number() {
    let (inf, low) = (f32::INFINITY, f32::NEG_INFINITY);
    for (low, high) in [(inf, inf), (low, low)] {
        let message = BoxSpace::new([0.0, low], [1.0, high]).unwrap_err().to_string();
        assert!(message.contains("bound 1") && message.contains("finite"), "{message}");
        assert!(RowSpace::new(vec![low], vec![high], vec![1]).is_err());
    }
}

#[test]
fn a_shape_that_cannot_be_counted_is_an_error() {
    for shape in [vec![usize::MAX, 2], vec![1 << 33, 1 << 33], vec![usize::MAX, 2, 0]] {
        let message = RowSpace::new(vec![], vec![], shape).unwrap_err().to_string();
        assert!(message.contains("too many"), "{message}");
    }
    assert!(RowSpace::new(vec![], vec![], vec![0, usize::MAX, 2]).is_ok());
}

#[test]
fn a_row_knows_its_parts() {
    let row = |parts| RowSpace::new(vec![0.0; 6], vec![1.0; 6], vec![6]).unwrap().with_parts(parts);
    assert_eq!(row(vec![vec![2, 2], vec![2]]).unwrap().parts(), [&[2, 2][..], &[2]]);
    assert_eq!(RowSpace::new(vec![0.0; 6], vec![1.0; 6], vec![3, 2]).unwrap().parts(), [[3, 2]]);
    for parts in [vec![vec![2, 2]], vec![vec![usize::MAX, 2], vec![6]], vec![]] {
        assert!(row(parts).is_err());
    }
}
