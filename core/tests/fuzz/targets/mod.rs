//! What is run: each target draws its input and calls functions with it. What they return is an error or
//! sensible; what is checked of it is checked here.

mod configs;
mod data;
mod judging;
mod losses;
mod metrics;
mod networks;
mod parsers;
mod pictures;
mod small_networks;
mod statistics;
mod text;
mod training;
mod tuning;

use super::runner::{Target, target};

pub(super) const ALL: &[Target] = &[
    target("csv", 400, parsers::csv),
    target("state_dict", 300, parsers::state_dict),
    target("network_file", 100, parsers::network_file),
    target("training_file", 60, parsers::training_file),
    target("study_file", 200, parsers::study_file),
    target("json", 1500, configs::json),
    target("init_and_schedule", 400, configs::init_and_schedule),
    target("classification", 400, metrics::classification),
    target("scores_of_probabilities", 400, metrics::probabilities),
    target("regression_and_similarity", 400, metrics::regression),
    target("retrieval", 300, metrics::retrieval),
    target("sequences", 200, metrics::sequences),
    target("statistics", 400, statistics::numbers),
    target("intervals", 60, statistics::intervals),
    target("curves", 300, statistics::curves),
    target("shown_text", 300, text::shown),
    target("rows", 300, data::rows),
    target("loading", 200, data::loading),
    target("preprocessing", 200, data::preprocessing),
    target("augmentation", 300, data::augmentation),
    target("folds", 200, judging::folds),
    target("imbalance", 200, judging::imbalance),
    target("votes", 300, judging::votes),
    target("detection", 200, judging::detection),
    target("diagnosis", 100, judging::diagnosis),
    target("losses", 400, losses::losses),
    target("sequence_losses", 150, losses::sequences),
    target("embeddings", 200, losses::embeddings),
    target("descriptions", 150, networks::descriptions),
    target("forward", 100, networks::forward),
    target("parts", 100, networks::parts),
    target("plans", 150, small_networks::plans),
    target("records", 100, small_networks::records),
    target("optimisers", 150, small_networks::optimisers),
    target("compression", 100, small_networks::compression),
    target("transfer", 100, small_networks::transfer),
    target("training", 100, training::fits),
    target("ensembles", 20, training::ensembles),
    target("tuning", 60, tuning::studies),
    target("distributions", 200, tuning::distributions),
    target("pictures", 40, pictures::pictures),
];

/// A score that is there is a number.
#[allow(clippy::needless_pass_by_value)] // Each call hands on what it got.
#[track_caller]
fn finite<E>(what: &str, score: Result<f64, E>) {
    if let Ok(score) = score {
        assert!(score.is_finite(), "{what} is {score}");
    }
}
