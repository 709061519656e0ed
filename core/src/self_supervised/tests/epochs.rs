use super::*;

/// SimSiam, whose loss rises from epoch to epoch.
struct Rising(RefCell<f64>);

impl Objective<Sequential> for Rising {
    fn loss(&self, network: &Sequential, batch: &Batch) -> Result<Tensor, FitError> {
        *self.0.borrow_mut() += 1.0;
        Ok(SimSiam.loss(network, batch)? + *self.0.borrow())
    }

    fn ranks_epochs(&self) -> bool {
        SimSiam.ranks_epochs()
    }

    fn weight(&self, batch: &Batch) -> f64 {
        batch.rows_of_data() as f64
    }

    fn augments_held_out(&self) -> bool {
        false
    }

    fn description(&self) -> Option<String> {
        None
    }
}

#[test]
fn the_last_epoch_is_kept_where_the_least_loss_is_a_collapse() {
    assert!(!Byol.ranks_epochs());
    let config = FitConfig { patience: 1, ..config() };
    let network = &mut build(&siamese());
    let objective = Rising(RefCell::default());
    let history = fit(network, &data(16), &nothing(), &config, rng(), &objective).unwrap();
    assert_eq!((history.best_epoch, history.stopped_early), (Some(3), false), "{history:?}");
    assert_eq!(history.epochs.len(), 4);
    // By an objective that ranks epochs the first would be kept.
    let rising = RefCell::new(0.0);
    let ranking = |network: &Sequential, batch: &Batch| {
        *rising.borrow_mut() += 1.0;
        SimSiam.loss(network, batch).unwrap() + *rising.borrow()
    };
    let history = fit(network, &data(16), &nothing(), &config, rng(), &ranking).unwrap();
    assert_eq!((history.best_epoch, history.stopped_early), (Some(0), true));
}
