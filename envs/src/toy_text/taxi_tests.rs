use super::*;
use crate::Seed;

fn step_from(ride: [usize; 4], action: i64) -> ([usize; 4], f64, bool) {
    let [row, column, passenger, destination] = ride;
    let mut taxi = Taxi::default();
    let state = Ride { row, column, passenger, destination }.encode();
    taxi.set_state(&[state as f64]).unwrap();
    let step = taxi.step(&action, &mut Seed::new(0).rng()).unwrap();
    (Taxi::decode(step.observation as usize), step.reward, step.outcome.terminated())
}

#[test]
fn the_model_is_complete() {
    crate::tiles::testing::check_model(&Taxi::default());
    let rain = TaxiConfig { is_rainy: true, ..Default::default() };
    crate::tiles::testing::check_model(&Taxi::new(rain).unwrap());
    let fickle = TaxiConfig { fickle_passenger: true, ..Default::default() };
    assert_eq!(Taxi::new(fickle).unwrap().transitions(&0, &0), None);
}

#[test]
fn walls_stop_the_taxi() {
    assert_eq!(step_from([0, 1, 0, 1], 2), ([0, 1, 0, 1], -1.0, false));
    assert_eq!(step_from([0, 2, 0, 1], 3), ([0, 2, 0, 1], -1.0, false));
    assert_eq!(step_from([2, 1, 0, 1], 2), ([2, 2, 0, 1], -1.0, false));
    assert_eq!(step_from([0, 4, 0, 1], 2), ([0, 4, 0, 1], -1.0, false));
    assert_eq!(step_from([4, 4, 0, 1], 0), ([4, 4, 0, 1], -1.0, false));
}

#[test]
fn the_passenger_is_fetched_and_delivered() {
    assert_eq!(step_from([0, 0, 0, 1], 4), ([0, 0, 4, 1], -1.0, false));
    assert_eq!(step_from([0, 0, 1, 2], 4), ([0, 0, 1, 2], -10.0, false));
    assert_eq!(step_from([0, 4, 4, 1], 5), ([0, 4, 1, 1], 20.0, true));
    // Dropped at another marked place, they wait there; anywhere else they stay aboard.
    assert_eq!(step_from([4, 0, 4, 1], 5), ([4, 0, 2, 1], -1.0, false));
    assert_eq!(step_from([2, 2, 4, 1], 5), ([2, 2, 4, 1], -10.0, false));
}

#[test]
fn the_mask_marks_what_does_something() {
    let mut taxi = Taxi::default();
    taxi.set_state(&[Ride { row: 0, column: 0, passenger: 0, destination: 1 }.encode() as f64])
        .unwrap();
    assert_eq!(taxi.action_mask(), [true, false, true, false, true, false]);
    taxi.set_state(&[Ride { row: 4, column: 3, passenger: 4, destination: 1 }.encode() as f64])
        .unwrap();
    assert_eq!(taxi.action_mask(), [false, true, true, false, false, true]);
}

#[test]
fn rain_drifts_as_often_as_the_model_says() {
    let mut taxi = Taxi::new(TaxiConfig { is_rainy: true, ..Default::default() }).unwrap();
    let mut rng = Seed::new(0).rng();
    let start = Ride { row: 2, column: 2, passenger: 0, destination: 1 };
    let model = taxi.transitions(&(start.encode() as i64), &0).unwrap();
    // South is meant; east and west are drifts.
    for (t, (row, column)) in model.iter().zip([(3, 2), (2, 3), (2, 1)]) {
        assert_eq!(t.next_state, Ride { row, column, ..start }.encode() as i64);
    }
    let mut counts = [0; STATES];
    for _ in 0..20_000 {
        taxi.set_state(&[start.encode() as f64]).unwrap();
        counts[taxi.step(&0, &mut rng).unwrap().observation as usize] += 1;
    }
    for t in model {
        let share = f64::from(counts[t.next_state as usize]) / 20_000.0;
        assert!((share - t.probability).abs() < 0.015, "{t:?}: {share}");
    }
}

#[test]
fn a_fickle_passenger_changes_their_mind_once_and_aboard() {
    let config =
        TaxiConfig { fickle_passenger: true, fickle_probability: 1.0, ..Default::default() };
    let (mut taxi, mut rng) = (Taxi::new(config).unwrap(), Seed::new(0).rng());
    taxi.reset(&mut rng).unwrap();
    let start = Ride { row: 2, column: 2, passenger: IN_TAXI, destination: 1 };
    taxi.set_state(&[start.encode() as f64]).unwrap();
    let first = taxi.step(&0, &mut rng).unwrap().observation;
    let [.., destination] = Taxi::decode(first as usize);
    assert_ne!(destination, 1);
    let second = taxi.step(&1, &mut rng).unwrap().observation;
    assert_eq!(Taxi::decode(second as usize)[3], destination);
}

#[test]
fn starts_are_uniform_over_300_states() {
    let (mut taxi, mut rng) = (Taxi::default(), Seed::new(0).rng());
    let starts = taxi.initial_states().unwrap();
    assert_eq!(starts.len(), 300);
    let mut counts = [0; STATES];
    for _ in 0..30_000 {
        counts[taxi.reset(&mut rng).unwrap() as usize] += 1;
    }
    assert!(starts.iter().all(|&(_, s)| (50..160).contains(&counts[s as usize])));
    assert_eq!(counts.iter().filter(|&&count| count > 0).count(), 300);
}

#[test]
fn text_is_gymnasiums() {
    let mut taxi = Taxi::default();
    taxi.set_state(&[Ride { row: 1, column: 0, passenger: 0, destination: 1 }.encode() as f64])
        .unwrap();
    let text = taxi.render_ansi().unwrap();
    assert!(text.contains("|\x1b[34;1mR\x1b[0m: | : :\x1b[35mG\x1b[0m|\n|\x1b[43m \x1b[0m: |"));
    assert!(text.ends_with("+---------+\n\n"));
}
