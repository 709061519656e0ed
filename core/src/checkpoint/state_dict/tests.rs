use super::*;

struct Counter(u64);

impl Checkpoint for Counter {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("count", &self.0)?;
        state.insert_array("squares", &[2], &[self.0 as f32, (self.0 * self.0) as f32]);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.array::<f32>("squares", &[2])?;
        self.0 = state.get("count")?;
        Ok(())
    }
}

#[test]
fn parts_come_back_through_files() {
    let mut state = StateDict::new();
    state.insert_part("agent/counter", &Counter(7)).unwrap();
    state.insert_array("table", &[2, 2], &[0.1, f64::MIN_POSITIVE / 2.0, -0.0, f64::MAX]);
    let (arrays, values) = state.to_files().unwrap();
    let read = StateDict::from_files(arrays.clone(), &values).unwrap();
    assert_eq!(read, state);
    let mut counter = Counter(0);
    read.load_part("agent/counter", &mut counter).unwrap();
    assert_eq!(counter.0, 7);
    assert_eq!(state.to_files().unwrap(), (arrays, values));
}

#[test]
fn numbers_that_json_lacks_are_kept_and_found() {
    let mut state = StateDict::new();
    let best = (f64::INFINITY, None::<f64>, Some(-0.0), f64::MIN_POSITIVE / 2.0);
    state.insert("best", &best).unwrap();
    state.insert_array("table", &[2], &[f32::MAX, 1e-40]);
    state.insert_array("count", &[1], &[u64::MAX]);
    state.expect_finite().unwrap();
    let (arrays, values) = state.to_files().unwrap();
    let read = StateDict::from_files(arrays, &values).unwrap();
    let back: (f64, Option<f64>, Option<f64>, f64) = read.get("best").unwrap();
    assert_eq!(format!("{back:?}"), format!("{best:?}"));
    for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut poisoned = state.clone();
        poisoned.insert_array("agent/q", &[2], &[0.0, x]);
        let mut narrow = state.clone();
        narrow.insert_array("agent/q", &[2], &[0.0, f64::from(x)]);
        for state in [poisoned, narrow] {
            let error = state.expect_finite().unwrap_err().to_string();
            assert!(error.contains("`agent/q`") && error.contains("learning rate"), "{error}");
        }
    }
    state.insert("agent/sum", &BTreeMap::from([("loss", vec![(f64::NAN, 1_u64)])])).unwrap();
    assert!(state.expect_finite().unwrap_err().to_string().contains("agent/sum"));
}

#[test]
fn what_does_not_fit_is_named_in_full() {
    let mut state = StateDict::new();
    state.insert_array("agent/squares", &[3], &[0.0_f32; 3]);
    let error = state.load_part("agent", &mut Counter(0)).unwrap_err().to_string();
    assert!(error.contains("agent/squares") && error.contains("[2]"), "{error}");
    assert!(state.array::<f64>("agent/squares", &[3]).is_err());
    assert!(state.get::<u64>("agent/count").is_err());
}
