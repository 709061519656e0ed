//! Messages of errors.

use gymnast_core::{SettingError, data, metrics, plot, statistics, tune};

#[test]
fn no_message_holds_hundreds_of_digits() {
    let (key, allowed, value) = ("beta", "positive", -1e308);
    let float = tune::Distribution::Float { low: -1e308, high: 1e308, scale: tune::Scale::Linear };
    for message in [
        statistics::StatisticsError::BinWidth(value).to_string(),
        statistics::StatisticsError::TooManyBins(1e308).to_string(),
        statistics::StatisticsError::Confidence(value).to_string(),
        statistics::StatisticsError::Order { index: 1, value }.to_string(),
        plot::PlotError::OutOfRange(value).to_string(),
        plot::PlotError::NotPositive(value).to_string(),
        data::DataError::from(SettingError::new(key, value, allowed)).to_string(),
        metrics::MetricError::from(SettingError::new(key, value, allowed)).to_string(),
        metrics::MetricError::Probability { index: 0, value }.to_string(),
        float.to_string(),
    ] {
        assert!(message.contains("1e308") && message.len() < 100, "{message}");
    }
}
