//! The labels of classes.

use std::collections::BTreeMap;

/// Returns whether a field names a class: it is neither empty nor NaN nor infinite.
pub(super) fn is_label(field: &str) -> bool {
    !field.is_empty() && !field.parse().is_ok_and(|number: f64| !number.is_finite())
}

/// Returns the class names in sorted order, and the class of each label. Labels that are the same
/// number form one class, named by the first of them. Numbers beyond 2⁵³, which `f64` cannot tell
/// apart, count as text.
pub(super) fn classes_of(labels: Vec<String>) -> (Vec<String>, Vec<usize>) {
    // `+ 0.0`: −0 is 0.
    let is_exact = |number: &f64| number.is_nan() || number.abs() < 9_007_199_254_740_992.0;
    let number =
        |label: &String| label.parse::<f64>().ok().filter(is_exact).map(|number| number + 0.0);
    let numbers: Option<Vec<f64>> = labels.iter().map(number).collect();
    let mut place_of: BTreeMap<&str, usize> = BTreeMap::new();
    let Some(numbers) = numbers else {
        labels.iter().for_each(|label| _ = place_of.insert(label, 0));
        place_of.values_mut().zip(0..).for_each(|(class, place)| *class = place);
        let classes = labels.iter().map(|label| place_of[label.as_str()]).collect();
        return (place_of.into_keys().map(str::to_owned).collect(), classes);
    };
    let mut sorted = numbers.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let class = |number: &f64| sorted.partition_point(|other| other < number);
    let classes: Vec<usize> = numbers.iter().map(class).collect();
    let mut names = vec![None; sorted.len()];
    for (&class, label) in classes.iter().zip(labels) {
        names[class].get_or_insert(label);
    }
    (names.into_iter().flatten().collect(), classes)
}
