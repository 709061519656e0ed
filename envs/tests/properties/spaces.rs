use gymnast_envs::{
    BoundedSpace, BoxSpace, Discrete, FeatureSpace, FiniteSpace, MultiBinary, MultiDiscrete,
    RowSpace, Seed, Space,
    games::{BoardSpace, ConnectFour, TicTacToe},
    product_space,
};
use proptest::prelude::*;

use crate::any_json;

product_space! {
    #[allow(missing_docs)]
    pub(crate) struct HandSpace;
    #[allow(missing_docs)]
    pub(crate) struct Hand { left: MultiBinary<2>, right: BoxSpace<2> }
}

/// Bounds in order, infinite ones among them.
fn bounds() -> impl Strategy<Value = (f32, f32)> {
    let number = || {
        prop_oneof![
            4 => -100.0_f32..100.0,
            2 => any::<f32>().prop_filter("a bound", |x| !x.is_nan()),
            1 => Just(f32::INFINITY),
            1 => Just(f32::NEG_INFINITY),
        ]
    };
    // Nothing finite lies between two equal infinities.
    let ordered = |(a, b): (f32, f32)| (a.min(b), a.max(b));
    let some = |&(low, high): &(f32, f32)| low < f32::INFINITY && high > f32::NEG_INFINITY;
    (number(), number()).prop_map(ordered).prop_filter("nothing between", some)
}

fn boxes() -> impl Strategy<Value = BoxSpace<2>> {
    [bounds(), bounds()]
        .prop_map(|[a, b]| BoxSpace::new([a.0, b.0], [a.1, b.1]).expect("bounds in order"))
}

fn discretes() -> impl Strategy<Value = Discrete> {
    let start = prop_oneof![Just(0), -50..50_i64, any::<i64>()];
    (1..200_usize, start).prop_filter_map("fits", |(n, start)| Discrete::with_start(n, start).ok())
}

fn samples_lie_inside<S: Space>(space: &S, seed: u64) {
    let mut rng = Seed::new(seed).rng();
    for _ in 0..5 {
        let element = space.sample(&mut rng);
        assert!(space.contains(&element), "{element:?} in {space:?}");
        let text = space.to_jsonable(&element).to_string();
        let read = serde_json::from_str(&text).unwrap();
        assert_eq!(space.from_jsonable(&read).unwrap(), element, "{space:?}");
        assert_eq!(space.from_jsonable_unbounded(&read).unwrap(), element, "{space:?}");
    }
}

fn features_fit<S: FeatureSpace>(space: &S, seed: u64, is_invertible: bool) {
    let element = space.sample(&mut Seed::new(seed).rng());
    // Not zeros, so that a feature that is not written shows.
    let mut features = vec![f32::NAN; space.width()];
    space.flatten(&element, &mut features);
    let (low, high) = space.bounds();
    assert_eq!([low.len(), high.len(), space.shape().iter().product()], [space.width(); 3]);
    for (x, (low, high)) in features.iter().zip(low.iter().zip(&high)) {
        assert!(low <= x && x <= high, "{features:?} of {element:?} in {space:?}");
    }
    match space.unflatten(&features) {
        Ok(again) => assert_eq!(again, element, "{space:?}"),
        Err(error) => assert!(!is_invertible, "{space:?}: {error}"),
    }
    features.push(0.0);
    assert!(space.unflatten(&features).is_err(), "{space:?}: one feature too many");
}

fn numbers_are_a_bijection<S: FiniteSpace>(space: &S, seed: u64) {
    let element = space.sample(&mut Seed::new(seed).rng());
    assert_eq!(space.element(space.index_of(&element)), element, "{space:?}");
    for index in 0..space.size().min(300) {
        let element = space.element(index);
        assert!(space.contains(&element), "{element:?} in {space:?}");
        assert_eq!(space.index_of(&element), index, "{space:?}");
    }
}

fn holds<S: FeatureSpace>(space: &S, seed: u64) {
    samples_lie_inside(space, seed);
    features_fit(space, seed, true);
}

fn holds_finite<S: FiniteSpace + FeatureSpace>(space: &S, seed: u64) {
    holds(space, seed);
    numbers_are_a_bijection(space, seed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn discrete_spaces_hold(space in discretes(), seed in any::<u64>()) {
        holds_finite(&space, seed);
        prop_assert!(!space.contains(&space.start().wrapping_sub(1)));
        prop_assert!(!space.contains(&(space.start() + space.n() as i64)));
    }

    #[test]
    fn several_integers_and_bits_hold(nvec in [1..7_usize, 1..7, 1..7], seed in any::<u64>()) {
        holds_finite(&MultiDiscrete::new(nvec).unwrap(), seed);
        holds_finite(&MultiBinary::<5>, seed);
        holds_finite(&MultiBinary::<1>, seed);
    }

    #[test]
    fn boards_hold(seed in any::<u64>()) {
        holds_finite(&BoardSpace::<TicTacToe>::new(), seed);
        holds(&BoardSpace::<ConnectFour>::new(), seed);
    }

    #[test]
    fn boxes_hold(space in boxes(), seed in any::<u64>(), x in any::<[f32; 2]>()) {
        holds(&space, seed);
        let clipped = space.clip(&x);
        let is_finite = space.low().iter().chain(space.high()).all(|x| x.is_finite());
        prop_assert!(space.contains(&clipped) || !is_finite, "{clipped:?} in {space:?}");
        if space.contains(&x) {
            prop_assert_eq!(clipped, x);
        }
        let row = RowSpace::new(space.low().to_vec(), space.high().to_vec(), vec![2, 1]).unwrap();
        holds(&row, seed);
        prop_assert_eq!(row.clip(&x), clipped.to_vec());
        prop_assert!(!row.contains(&vec![row.low()[0]]));
    }

    #[test]
    fn products_hold(
        number in discretes(), bounded in boxes(), n in 1..9_usize, seed in any::<u64>(),
    ) {
        let small = Discrete::new(n);
        holds_finite(&(small, MultiBinary::<2>), seed);
        holds_finite(&(number, small, MultiDiscrete::new([2, n]).unwrap()), seed);
        holds(&(number, bounded, small, (MultiBinary::<3>, bounded)), seed);
        let hand = HandSpace { left: MultiBinary, right: bounded };
        samples_lie_inside(&hand, seed);
        features_fit(&hand, seed, false);
    }

    #[test]
    fn arbitrary_json_is_read_or_refused(
        json in any_json(), number in discretes(), bounded in boxes(),
    ) {
        fn read<S: Space>(space: &S, json: &serde_json::Value) {
            if let Ok(element) = space.from_jsonable(json) {
                assert!(space.contains(&element), "{element:?} from {json} in {space:?}");
            }
            let _ = space.from_jsonable_unbounded(json);
        }
        read(&number, &json);
        read(&bounded, &json);
        read(&RowSpace::new(vec![-1.0], vec![1.0], vec![1]).unwrap(), &json);
        read(&MultiDiscrete::new([3, 4]).unwrap(), &json);
        read(&MultiBinary::<3>, &json);
        read(&BoardSpace::<TicTacToe>::new(), &json);
        read(&(number, bounded), &json);
        read(&HandSpace { left: MultiBinary, right: bounded }, &json);
    }
}
