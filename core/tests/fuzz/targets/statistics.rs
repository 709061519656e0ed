//! `statistics`.

use std::num::NonZeroUsize;

use gymnast_core::rounding;
use gymnast_core::statistics::*;

use crate::source::Source;

fn is_finite(what: &str, number: Option<f64>) {
    assert!(number.is_none_or(f64::is_finite), "{what} is {number:?}");
}

pub(super) fn numbers(source: &mut Source) {
    let length = source.length();
    let values = source.f64s(length);
    let level = source.share();
    let _ = argmax(&values);
    is_finite("the mean", mean(&values));
    is_finite("the deviation", sample_std(&values));
    is_finite("the median", median(&values));
    is_finite("the quantile", quantile(&values, level));
    is_finite("the interquartile mean", iqm(&values));
    let groups: Vec<Vec<f64>> = values.chunks(1 + source.up_to(5)).map(<[f64]>::to_vec).collect();
    is_finite("the aggregate mean", aggregate_mean(&groups));
    is_finite("the aggregate median", aggregate_median(&groups));
    is_finite("the aggregate iqm", aggregate_iqm(&groups));
    is_finite("the optimality gap", optimality_gap(&groups, level));
    let _ = (performance_profile(&groups, &values), probability_of_improvement(&groups, &groups));
    let steps: Vec<Option<f64>> =
        values.iter().map(|&value| (!source.one_in(4)).then_some(value)).collect();
    let _ = censored_median(&steps);
    let (amount, total) = (source.number(), source.count());
    let _ = (rounding::floor(amount), rounding::ceil(amount), rounding::round(amount));
    let _ = rounding::round_ties_even(amount);
    let _ = rounding::apportion(total, &values);
}

pub(super) fn intervals(source: &mut Source) {
    let length = source.length();
    let values = source.f64s(length);
    let resamples = if source.one_in(3) { source.count() } else { source.up_to(200) };
    // A million resamples of a few values are asked for in earnest; they only take long.
    let resamples = if (10_000..1 << 24).contains(&resamples) { 500 } else { resamples };
    let method = if source.one_in(2) { Method::Percentile } else { Method::Expanded };
    let bootstrap = Bootstrap { resamples, confidence: source.share(), method };
    let rng = &mut source.rng();
    let is_ordered = |interval: Interval| {
        assert!(interval.low <= interval.high, "{interval:?}");
    };
    if let Ok(interval) = bootstrap.interval(&values, mean, rng) {
        is_ordered(interval);
    }
    let (confidence, margin) = (source.share(), source.number());
    mean_interval(&values, confidence).into_iter().for_each(is_ordered);
    let _ = sample_size(&values, margin, confidence);
    let censored: Vec<_> = values.iter().map(|&value| (value > margin).then_some(value)).collect();
    if let Ok(MedianInterval { low: Some(low), high: Some(high) }) =
        median_interval(&censored, confidence)
    {
        assert!(low <= high, "{low} {high}");
    }
    let strata: Vec<Vec<f64>> = values.chunks(1 + source.up_to(9)).map(<[f64]>::to_vec).collect();
    if let Ok(interval) = bootstrap.stratified_interval(&strata, aggregate_iqm, rng) {
        is_ordered(interval);
    }
    let mut hole = |&value: &f64| (!source.one_in(5)).then_some(value);
    let seeds: Vec<Vec<Option<f64>>> =
        strata.iter().take(4).map(|seed| seed.iter().map(&mut hole).collect()).collect();
    let _ = bootstrap.band(&seeds, median, rng);
    let _ = bootstrap.improvement(&strata, &strata, rng);
    let _ = bootstrap.stratified_band(&[&seeds[..], &seeds], aggregate_mean, rng);
    let durations: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let observed: Vec<bool> = values.iter().map(|_| source.one_in(2)).collect();
    if let Ok(fit) = KaplanMeier::fit(&durations, &observed) {
        is_finite("the median time", fit.median());
        is_finite("the restricted mean", fit.restricted_mean(margin));
        assert!((0.0..=1.0).contains(&fit.survival_at(margin)));
        let _ = fit.median_interval(confidence);
        fit.restricted_mean_interval(margin, confidence).into_iter().for_each(is_ordered);
    }
    let length = source.about(values.len());
    let (other, confidence, overlap) = (source.f64s(length), source.share(), source.share());
    if let Ok(interval) = paired_difference(&values, &other, confidence, overlap) {
        is_ordered(interval);
    }
}

pub(super) fn curves(source: &mut Source) {
    let length = source.length();
    let mut x = source.f64s(length);
    if !source.one_in(4) {
        x.iter_mut().enumerate().for_each(|(i, x)| *x = i as f64 * 0.5);
    }
    let length = source.about(length);
    let Ok(curve) = Curve::new(x, source.f64s(length)) else { return };
    let (at, threshold, most, window) =
        (source.number(), source.number(), source.count(), source.count());
    for interpolation in [Interpolation::Linear, Interpolation::Previous] {
        is_finite("a curve", curve.at(at, interpolation));
        let _ = curve.onto(&[at, 0.0, 1.0], interpolation);
    }
    let part = curve.between(at, threshold);
    assert!(part.len() <= curve.len() + 2);
    let curves = [curve.clone(), curve.clone()];
    assert!(common_grid(&curves, most).len() <= 2 * length.max(1));
    let window = NonZeroUsize::new(window).unwrap_or(NonZeroUsize::MIN);
    let _ = moving_average(&curve, window);
    let _ = bin_means(&curve, source.number());
    let _ = steps_to_threshold(&curve, threshold);
}
