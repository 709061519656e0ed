//! Time on a processor.

/// Returns the seconds that this process has run on a processor, as Linux counts them.
pub(crate) fn cpu_seconds() -> std::io::Result<f64> {
    let counts = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = counts.split_whitespace().next().and_then(|count| count.parse::<f64>().ok());
    nanoseconds.map(|n| n / 1e9).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
