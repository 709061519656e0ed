//! How long it takes to read and to resample a table.
//!
//! `cargo bench -p gymnast-core --bench tables -- TASK FILE`, where the task is `read`, or `smote`,
//! `borderline_smote` or `tomek_links`, with the classes in the file's last column. Prints the CPU
//! seconds, for resampling without those of reading, and the number of rows that come out.
//! `docs/benchmarks/tables_against_python.py` compares them with other libraries'.

use gymnast_core::data::csv::{CsvConfig, TargetKind, from_path};
use gymnast_core::imbalance::Resampler;
use rand::SeedableRng as _;

#[path = "cpu/mod.rs"]
mod cpu;
use cpu::cpu_seconds;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [task, file] = arguments.as_slice() else { return Ok(()) };
    let resampler = match task.as_str() {
        "read" => None,
        "smote" => Some(Resampler::smote()),
        "borderline_smote" => Some(Resampler::borderline_smote()),
        "tomek_links" => Some(Resampler::TomekLinks),
        other => return Err(format!("no task {other}").into()),
    };
    let target_kind = if resampler.is_none() { TargetKind::Numbers } else { TargetKind::Classes };
    let config = CsvConfig { target_kind, max_bytes: 1 << 34, ..CsvConfig::default() };
    let mut begin = cpu_seconds()?;
    let raw = from_path(file, &config)?;
    let mut seconds = cpu_seconds()? - begin;
    let mut rows = raw.inputs.len();
    if let Some(resampler) = resampler {
        let data = raw.into_dataset()?;
        begin = cpu_seconds()?;
        rows = resampler
            .fit_resample(&data, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1))?
            .data
            .len();
        seconds = cpu_seconds()? - begin;
    }
    println!("{seconds} {rows}");
    Ok(())
}
