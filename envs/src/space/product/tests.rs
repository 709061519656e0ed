use crate::{BoxSpace, Discrete, FeatureSpace, FiniteSpace, RowSpace, Seed, Space};

#[test]
fn a_tuple_is_numbered_like_digits() {
    let hand = (Discrete::new(32), Discrete::new(11), Discrete::new(2));
    assert_eq!(hand.size(), 704);
    assert_eq!(hand.index_of(&(1, 2, 1)), 22 + 2 * 2 + 1);
    assert!((0..704).all(|index| hand.index_of(&hand.element(index)) == index));
}

#[test]
fn features_and_json_of_a_tuple_come_back() {
    let space = (Discrete::new(3), BoxSpace::symmetric([2.0, 3.0]));
    let mut rng = Seed::new(1).rng();
    for _ in 0..100 {
        let element = space.sample(&mut rng);
        let mut features = [0.0; 5];
        space.flatten(&element, &mut features);
        assert_eq!(space.unflatten(&features).unwrap(), element);
        assert_eq!(space.from_jsonable(&space.to_jsonable(&element)).unwrap(), element);
    }
    assert_eq!(space.bounds().1, [1.0, 1.0, 1.0, 2.0, 3.0]);
}

crate::product_space! {
    /// A space.
    struct PairSpace;
    /// An element.
    struct Pair { left: Discrete, right: BoxSpace<1> }
}

#[test]
fn parts_are_those_of_the_spaces() {
    let pair = || PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
    let picture = RowSpace::new(vec![0.0; 12], vec![1.0; 12], vec![2, 3, 2]).unwrap();
    assert_eq!(pair().parts(), [[2], [1]]);
    assert_eq!((picture, pair()).parts(), [&[2, 3, 2][..], &[2], &[1]]);
}

#[test]
fn a_named_product_is_read_part_by_part() {
    let space = PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
    let element = Pair { left: 1, right: [0.25] };
    let json = space.to_jsonable(&element);
    assert_eq!(json.to_string(), r#"{"left":1,"right":[0.25]}"#);
    assert_eq!(space.from_jsonable(&json).unwrap(), element);
    assert!(space.from_jsonable(&serde_json::json!({"left": 1})).is_err());
    assert!(!space.contains(&Pair { left: 2, right: [0.0] }));
}

crate::product_space! {
    /// A space.
    struct CellSpace: finite;
    /// An element.
    struct Cell { row: Discrete, column: Discrete, open: Discrete }
}

#[test]
fn a_finite_named_product_is_numbered_like_digits() {
    let sizes = [3, 4, 2].map(Discrete::new);
    let space = CellSpace { row: sizes[0], column: sizes[1], open: sizes[2] };
    assert_eq!(space.size(), 24);
    assert_eq!(space.index_of(&Cell { row: 2, column: 1, open: 1 }), 2 * 8 + 2 + 1);
    assert!((0..24).all(|index| space.index_of(&space.element(index)) == index));
}

#[test]
fn parts_beyond_their_bounds_are_read_where_the_environment_shall_judge() {
    let space = PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
    let json = serde_json::json!({"left": 1, "right": [3.0]});
    assert!(space.from_jsonable(&json).is_err());
    assert_eq!(space.from_jsonable_unbounded(&json).unwrap(), Pair { left: 1, right: [3.0] });
    let tuple = (Discrete::new(2), BoxSpace::symmetric([1.0]));
    let json = serde_json::json!([1, [3.0]]);
    assert!(tuple.from_jsonable(&json).is_err());
    assert_eq!(tuple.from_jsonable_unbounded(&json).unwrap(), (1, [3.0]));
}
