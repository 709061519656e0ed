//! Where the ticks of an axis stand and what they say: 0, 10k, 20k; 0.5M, 1M; 2e−5; 30 min.

/// The unit of an axis, which decides the format of its ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unit {
    /// Plain numbers: steps, returns, losses. From ten thousand on they are written with k, M, G or
    /// T.
    #[default]
    Number,
    /// Seconds, written in s, min, h or d, depending on the range.
    Seconds,
}

/// A tick's position on the axis and its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// At most `most` round places (at least 2) from `low` to `high`; needs `low < high`.
pub(super) fn ticks(low: f64, high: f64, most: usize, unit: Unit) -> Vec<Tick> {
    let (divisor, suffix) = match unit {
        Unit::Number => (1.0, ""),
        Unit::Seconds => time_unit(low.abs().max(high.abs())),
    };
    let (low, high) = (low / divisor, high / divisor);
    let step = round_step((high - low) / most.max(2) as f64);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let largest = low.abs().max(high.abs());
    let count = ((last - first).max(0.0) as usize).min(100);
    (0..=count)
        .map(|index| {
            let value = at_step(first + index as f64, step);
            Tick { at: value * divisor, label: format!("{}{suffix}", label(value, step, largest)) }
        })
        .collect()
}

/// At most `most` round values (at least 2) whose logarithms to base 10 lie from `low` to `high`, at
/// these logarithms: powers of ten; over less than two of them 1, 2, 5, 10, … or 1, 3, 10, … Needs
/// `low < high`.
pub(super) fn log_ticks(low: f64, high: f64, most: usize, unit: Unit) -> Vec<Tick> {
    let (divisor, suffix) = match unit {
        Unit::Number => (1.0, ""),
        Unit::Seconds => time_unit(10_f64.powf(high)),
    };
    let shift = f64::log10(divisor);
    let (low, high) = (low - shift, high - shift);
    let tick = |value: f64, at: f64| {
        let decade = 10_f64.powf(at.floor());
        Tick { at: at + shift, label: format!("{}{suffix}", label(value, decade, value)) }
    };
    let decades = low.floor() as i32..=high.floor() as i32;
    let digits = [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]];
    for digits in &digits[if high - low < 2.0 - 1e-9 { 0 } else { 2 }..] {
        let values = decades.clone().flat_map(|decade| {
            digits.iter().map(move |digit| (digit * 10_f64.powi(decade), decade))
        });
        let ticks: Vec<Tick> = values
            .map(|(value, decade)| {
                (value, (value / 10_f64.powi(decade)).log10() + f64::from(decade))
            })
            .filter(|&(value, at)| value > 0.0 && at >= low - 1e-9 && at <= high + 1e-9)
            .map(|(value, at)| tick(value, at))
            .collect();
        if (2..=most.max(2)).contains(&ticks.len()) {
            return ticks;
        }
    }
    if high - low > 1.0 {
        let step = round_step((high - low) / most.max(2) as f64).max(1.0);
        let (first, last) =
            ((low / step - 1e-9).ceil() as i32, (high / step + 1e-9).floor() as i32);
        let powers = (first..=last).map(|index| f64::from(index) * step);
        return powers.map(|at| tick(10_f64.powf(at), at)).collect();
    }
    // Less than a decade: round places between which ratios hardly differ.
    let linear = ticks(10_f64.powf(low), 10_f64.powf(high), most, Unit::Number).into_iter();
    let positive = linear.filter(|tick| tick.at > 0.0);
    positive
        .map(|tick| Tick { at: tick.at.log10() + shift, label: format!("{}{suffix}", tick.label) })
        .collect()
}

/// The smallest of …, 1, 2, 5, 10, 20, … that is at least `least`.
fn round_step(least: f64) -> f64 {
    let mut power = least.log10().floor() as i32;
    if 10_f64.powi(power) == 0.0 {
        power += 1;
    }
    let fits = |factor: &&f64| **factor * 10_f64.powi(power) >= least * (1.0 - 1e-9);
    [1.0, 2.0, 5.0, 10.0].iter().find(fits).unwrap_or(&10.0) * 10_f64.powi(power)
}

/// `index · step`, without the dust that 3 · 0.1 leaves.
fn at_step(index: f64, step: f64) -> f64 {
    if step < 1.0 && step > 1e-200 { index / (1.0 / step).round() } else { index * step }
}

fn time_unit(seconds: f64) -> (f64, &'static str) {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 3600.0;
    const DAY: f64 = 86_400.0;
    match seconds {
        s if s >= 3.0 * DAY => (DAY, " d"),
        s if s >= 2.0 * HOUR => (HOUR, " h"),
        s if s >= 2.0 * MINUTE => (MINUTE, " min"),
        _ => (1.0, " s"),
    }
}

fn label(value: f64, step: f64, largest: f64) -> String {
    let text = if value == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e15).contains(&largest) {
        scientific(value, step)
    } else if largest < 10_000.0 {
        format!("{value:.*}", decimals(step))
    } else {
        compact(value, step)
    };
    // A minus as wide as the plus, not a hyphen; "-0" is what rounding may leave of dust.
    if text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

fn compact(value: f64, step: f64) -> String {
    let scales = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let scale = scales.into_iter().find(|(scale, _)| value.abs() >= *scale * (1.0 - 1e-9));
    let (scale, suffix) = scale.unwrap_or((1.0, ""));
    let digits = decimals(step / scale);
    if digits > 3 {
        return format!("{value:.*}", decimals(step));
    }
    let number = format!("{:.digits$}", value / scale);
    let number =
        if digits > 0 { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{number}{suffix}")
}

fn scientific(value: f64, step: f64) -> String {
    let exponent = |number: f64| (number.abs().log10() + 1e-9).floor();
    let digits = (exponent(value) - exponent(step)).clamp(0.0, 15.0) as usize;
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((number, exponent)) if number.contains('.') => {
            format!("{}e{exponent}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// How many decimals tell multiples of `step` apart.
fn decimals(step: f64) -> usize {
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 15.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize, unit: Unit) -> Vec<String> {
        ticks(low, high, most, unit).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn steps_are_counted_in_thousands_and_millions() {
        assert_eq!(
            labels(0.0, 50_000.0, 5, Unit::Number),
            ["0", "10k", "20k", "30k", "40k", "50k"]
        );
        assert_eq!(labels(0.0, 1e6, 5, Unit::Number), ["0", "200k", "400k", "600k", "800k", "1M"]);
        assert_eq!(
            labels(0.0, 3e6, 6, Unit::Number),
            ["0", "500k", "1M", "1.5M", "2M", "2.5M", "3M"]
        );
        assert_eq!(labels(1e9, 3e9, 2, Unit::Number), ["1G", "2G", "3G"]);
        assert_eq!(labels(1e6, 1e6 + 4.0, 4, Unit::Number)[1], "1000001");
    }

    #[test]
    fn small_numbers_are_plain_and_tiny_ones_scientific() {
        assert_eq!(labels(-200.0, 100.0, 3, Unit::Number), ["−200", "−100", "0", "100"]);
        assert_eq!(labels(0.0, 1.0, 5, Unit::Number), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-0.3, 0.3, 6, Unit::Number)[3], "0");
        assert_eq!(labels(0.0, 4e-5, 4, Unit::Number), ["0", "1e−5", "2e−5", "3e−5", "4e−5"]);
        assert_eq!(labels(9.4e-10, 10.6e-10, 3, Unit::Number), ["9.5e−10", "1e−9", "1.05e−9"]);
        assert_eq!(labels(0.0, 1e20, 2, Unit::Number), ["0", "5e19", "1e20"]);
    }

    #[test]
    fn seconds_become_the_unit_that_suits() {
        assert_eq!(labels(0.0, 60.0, 3, Unit::Seconds), ["0 s", "20 s", "40 s", "60 s"]);
        assert_eq!(labels(0.0, 1200.0, 2, Unit::Seconds), ["0 min", "10 min", "20 min"]);
        let hours = ticks(0.0, 4.0 * 3600.0, 2, Unit::Seconds);
        assert_eq!(hours[1], Tick { at: 7200.0, label: "2 h".to_owned() });
        assert_eq!(labels(0.0, 10.0 * 86_400.0, 2, Unit::Seconds)[1], "5 d");
    }

    #[test]
    fn any_range_has_few_ticks_inside_it() {
        let ranges = [
            (0.0, 1.0),
            (-1e300, 1e300),
            (1e-300, 3e-300),
            (0.1, 0.3),
            (1e15, 1e15 + 8.0),
            (-7.3, 912.7),
        ];
        for (low, high) in ranges {
            for most in 1..12 {
                let ticks = ticks(low, high, most, Unit::Number);
                assert!(ticks.len() <= most.max(2) + 1, "{low} {high} {most}: {ticks:?}");
                let slack = (high - low) * 1e-6;
                assert!(
                    ticks.iter().all(|t| t.at >= low - slack && t.at <= high + slack),
                    "{ticks:?}"
                );
                let mut labels: Vec<_> = ticks.iter().map(|tick| &tick.label).collect();
                labels.dedup();
                assert_eq!(labels.len(), ticks.len(), "{labels:?}");
            }
        }
    }

    #[test]
    fn logarithmic_ticks_show_the_values_themselves() {
        let labels = |low: f64, high: f64, most| -> Vec<String> {
            let ticks = log_ticks(low.log10(), high.log10(), most, Unit::Number);
            ticks.into_iter().map(|tick| tick.label).collect()
        };
        assert_eq!(labels(1.0, 50.0, 8), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(1.0, 50.0, 4), ["1", "3", "10", "30"]);
        assert_eq!(labels(0.01, 1e5, 8), ["0.01", "0.1", "1", "10", "100", "1000", "10k", "100k"]);
        assert_eq!(labels(1.0, 100.0, 8), ["1", "10", "100"]);
        assert_eq!(labels(1e-8, 1e8, 4), ["1e−5", "1", "100k"]);
        assert_eq!(labels(3.0, 4.5, 4), ["3.0", "3.5", "4.0", "4.5"]);
        let seconds = log_ticks(60_f64.log10(), 6000_f64.log10(), 3, Unit::Seconds);
        assert_eq!(seconds[1].label, "10 min");
        assert!((seconds[1].at - 600_f64.log10()).abs() < 1e-12);
    }

    #[test]
    fn any_logarithmic_range_has_few_ticks_inside_it() {
        for (low, high) in [(-300.0, 300.0), (0.0, 0.01), (-1.0, 1.0), (5.3, 5.4), (0.9, 7.1)] {
            for most in 1..12 {
                let ticks = log_ticks(low, high, most, Unit::Number);
                assert!(!ticks.is_empty() && ticks.len() <= most.max(2) + 1, "{low} {high} {most}");
                assert!(ticks.iter().all(|t| t.at >= low - 1e-6 && t.at <= high + 1e-6));
            }
        }
    }
}
