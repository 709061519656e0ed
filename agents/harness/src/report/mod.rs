//! The sample-efficiency report.
