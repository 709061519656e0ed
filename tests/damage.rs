//! Every file that is read, damaged at random: an answer or an error, never a panic.

use std::{fs, path::Path};

use gymnast::Seed;
use gymnast_harness::testing::damaged_copy;

use crate::sandbox::Sandbox;

/// Damaged copies of each file that are tried.
// Loading libtorch takes most of a call; without it many more can be tried.
const COPIES: usize = if cfg!(feature = "deep") { 6 } else { 40 };

/// Runs each call against damaged copies of a file and puts the file back.
fn survives(sandbox: &Sandbox, file: &Path, calls: &[&[&str]]) {
    let whole = fs::read(file).unwrap();
    let mut rng = Seed::new(0).child(&file.file_name().unwrap().to_string_lossy(), 0).rng();
    for _ in 0..COPIES {
        let damaged = damaged_copy(&whole, &mut rng);
        for call in calls {
            fs::write(file, &damaged).unwrap();
            let outcome = sandbox.run(call);
            let code = outcome.code.unwrap_or(-1);
            let text = String::from_utf8_lossy(&damaged);
            let file = file.display();
            assert!(matches!(code, 0..=2), "{call:?} on {file}:\n{text}\n{outcome:#?}");
            assert!(!outcome.stderr.contains("panicked"), "{call:?} on {file}:\n{outcome:#?}");
            assert_eq!(code == 0, !outcome.stderr.contains("error: "), "{outcome:#?}");
        }
    }
    fs::write(file, whole).unwrap();
}

const EVALUATE: &[&str] = &["evaluate", "run/seed-0", "--episodes", "2"];
const REPORT: &[&str] = &["report", "run"];

#[test]
fn a_damaged_configuration() {
    let sandbox = Sandbox::with_run();
    survives(&sandbox, &sandbox.path("run/config.toml"), &[EVALUATE, REPORT]);
}

#[test]
fn damaged_checkpoints() {
    let sandbox = Sandbox::with_run();
    for file in ["arrays.safetensors", "values.json", "manifest.json"] {
        survives(&sandbox, &sandbox.newest_checkpoint("run/seed-0").join(file), &[EVALUATE]);
    }
}

#[test]
fn a_checkpoint_whose_checksums_are_right_but_whose_contents_are_not() {
    // Damage that no checksum finds: a file of a checkpoint and all sums are rewritten.
    let sandbox = Sandbox::with_run();
    let newest = sandbox.newest_checkpoint("run/seed-0");
    let (path, manifest) = (newest.join("values.json"), newest.join("manifest.json"));
    let values = fs::read(&path).unwrap();
    let mut rng = Seed::new(1).rng();
    for _ in 0..COPIES {
        let damaged = damaged_copy(&values, &mut rng);
        // Each time the one there: a run that is taken up writes its logs anew, which have other times.
        let mut json: serde_json::Value =
            serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
        json["files"]["values.json"]["bytes"] = damaged.len().into();
        json["files"]["values.json"]["crc32"] = crc32(&damaged).into();
        json["crc32"] = 0.into();
        json["crc32"] = crc32(json.to_string().as_bytes()).into();
        fs::write(&path, &damaged).unwrap();
        fs::write(&manifest, json.to_string()).unwrap();
        let _ = fs::remove_file(sandbox.path("run/seed-0/summary.json"));
        for call in [EVALUATE, &["train", "--resume", "--out", "run", "--quiet"]] {
            let outcome = sandbox.run(call);
            assert!(matches!(outcome.code, Some(0..=2)), "{call:?}: {outcome:#?}");
            let wrong_sum = "checksum differs";
            assert!(
                !outcome.stderr.contains(wrong_sum),
                "the damage was found too early: {outcome:#?}"
            );
        }
    }
}

/// The checksum of zip and PNG, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

#[test]
fn damaged_records() {
    let sandbox = Sandbox::with_run();
    let plot = &["plot", "run", "--out", "x.svg", "--force"][..];
    let episodes = &["plot", "run", "--out", "x.svg", "--force", "--episodes"][..];
    survives(&sandbox, &sandbox.path("run/seed-0/evaluations.csv"), &[REPORT, plot]);
    survives(&sandbox, &sandbox.path("run/seed-0/summary.json"), &[REPORT]);
    survives(&sandbox, &sandbox.path("run/seed-0/episodes.csv"), &[episodes]);
}

#[test]
fn a_damaged_trace() {
    let sandbox = Sandbox::new();
    let line = "{\"state\":[0.1,0.2,0.03,0.4],\"action\":1,\"next_state\":[0.104,0.39,0.038,0.12],\
                \"reward\":1.0,\"terminated\":false}\n";
    fs::write(sandbox.path("trace.jsonl"), line.repeat(3)).unwrap();
    let file = sandbox.path("trace.jsonl");
    let whole = fs::read(&file).unwrap();
    let mut rng = Seed::new(2).rng();
    for _ in 0..2 * COPIES {
        fs::write(&file, damaged_copy(&whole, &mut rng)).unwrap();
        let outcome = sandbox.run(&["replay", "CartPole-v1", "trace.jsonl"]);
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:#?}");
        assert!(!outcome.stderr.contains("panicked"), "{outcome:#?}");
    }
}
