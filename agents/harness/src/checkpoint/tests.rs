use std::collections::BTreeMap;

use super::*;

fn state(count: u64) -> StateDict {
    let mut state = StateDict::new();
    state.insert("count", &count).unwrap();
    state.insert_array("weights", &[3], &[count as f32; 3]);
    state
}

fn identity() -> RunIdentity {
    let config = "seeds = [0]\n[agent]\nname = 'sarsa'\nalpha = 0.1\n[env]\nid = 'Taxi-v4'";
    RunIdentity::new(&config.parse().unwrap(), 0)
}

fn save(checkpoints: &CheckpointDir, count: u64) {
    let logs =
        BTreeMap::from([("episodes.csv".to_owned(), FileSum { bytes: 40 + count, crc32: 7 })]);
    let mut manifest = Manifest::new(identity(), count);
    (manifest.wall_time_s, manifest.learning_time_s, manifest.logs) = (0.5, 0.25, logs);
    checkpoints.save(&state(count), manifest).unwrap();
}

fn saved(counts: &[u64]) -> (tempfile::TempDir, CheckpointDir) {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = CheckpointDir::create(folder.path().join("checkpoints")).unwrap();
    counts.iter().for_each(|&count| save(&checkpoints, count));
    (folder, checkpoints)
}

fn newest(checkpoints: &CheckpointDir) -> Result<Option<Newest<StateDict>>, TrainError> {
    checkpoints.newest(&identity(), |_, state| Ok(state))
}

/// The env steps of the newest one, and how many were passed over.
fn found(checkpoints: &CheckpointDir) -> (u64, usize) {
    let newest = newest(checkpoints).unwrap().unwrap();
    assert_eq!(newest.state, state(newest.manifest.env_steps));
    (newest.manifest.env_steps, newest.damaged.len())
}

fn names(checkpoints: &CheckpointDir) -> Vec<String> {
    let mut names = checkpoints.names().unwrap();
    names.sort();
    names
}

#[test]
fn the_newest_two_are_kept_and_the_newest_is_read() {
    let (_folder, checkpoints) = saved(&[10, 20, 30]);
    assert_eq!(names(&checkpoints), ["000000000020", "000000000030"]);
    assert_eq!(found(&checkpoints), (30, 0));
}

#[test]
fn whichever_bit_is_damaged_the_older_one_is_used() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    for name in [ARRAYS, VALUES, MANIFEST] {
        let path = checkpoints.path_of(20).join(name);
        let bytes = fs::read(&path).unwrap();
        // Cut short, grown, emptied, and with every fifth bit turned.
        let mut damages =
            vec![bytes[..bytes.len() - 1].to_vec(), [&bytes[..], b"x"].concat(), vec![]];
        // Five and eight have no common divisor: each place within a byte has its turn.
        for bit in (0..8 * bytes.len()).step_by(5) {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            damages.push(turned);
        }
        let whole = read(&checkpoints.path_of(20), 20, &identity()).unwrap().0;
        for damage in damages {
            fs::write(&path, &damage).unwrap();
            match found(&checkpoints) {
                (10, 1) => {}
                // A space of the manifest that became another says the same.
                (20, 0) => {
                    let read = read(&checkpoints.path_of(20), 20, &identity()).unwrap().0;
                    assert_eq!((name, read), (MANIFEST, whole.clone()));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(found(&checkpoints), (10, 1));
        fs::write(&path, &bytes).unwrap();
        assert_eq!(found(&checkpoints), (20, 0));
    }
}

#[test]
fn where_none_can_be_used_each_reason_is_listed_and_nothing_deleted() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    fs::write(checkpoints.path_of(10).join(VALUES), "").unwrap();
    fs::remove_file(checkpoints.path_of(20).join(MANIFEST)).unwrap();
    let before = names(&checkpoints);
    let error = newest(&checkpoints).unwrap_err();
    assert!(matches!(&error, TrainError::NoUsableCheckpoint { reasons, .. } if reasons.len() == 2));
    let text = error.to_string();
    for part in ["000000000010/values.json", "000000000020/manifest.json", "nothing was deleted"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(names(&checkpoints), before);
    // Those that were set aside are remembered, too.
    checkpoints.set_aside_after(0).unwrap();
    assert_eq!(names(&checkpoints), ["000000000010.damaged", "000000000020.damaged"]);
    assert!(newest(&checkpoints).unwrap_err().to_string().contains("set aside"));
    checkpoints.delete_all().unwrap();
    assert!(newest(&checkpoints).unwrap().is_none());
}

#[test]
fn one_of_another_format_is_refused_by_name() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    let path = checkpoints.path_of(20).join(MANIFEST);
    // As the version before wrote it: of a log only the length.
    let mut older: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    (older["format"], older["crc32"]) = (2.into(), 0.into());
    older["logs"]["episodes.csv"] = 60.into();
    older["crc32"] = crc32fast::hash(older.to_string().as_bytes()).into();
    fs::write(&path, older.to_string()).unwrap();
    let error = newest(&checkpoints).unwrap_err().to_string();
    assert!(error.contains("has format 2") && error.contains("reads format 3"), "{error}");
    fs::write(&path, r#"{"format": 4, "version": "9.1.0"}"#).unwrap();
    let error = newest(&checkpoints).unwrap_err().to_string();
    assert!(error.contains("has format 4") && error.contains("gymnast 9.1.0"), "{error}");
    assert_eq!(names(&checkpoints), ["000000000010", "000000000020"]);
}

#[test]
fn one_of_another_run_is_not_taken_up() {
    let (_folder, checkpoints) = saved(&[10]);
    let other = RunIdentity { seed: 1, ..identity() };
    let error = checkpoints.newest(&other, |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("seed = 0, not with seed = 1"), "{error}");
    let config = identity().config.replace("0.1", "0.2");
    let other = RunIdentity { config, ..identity() };
    let error = checkpoints.newest(&other, |_, _| Ok(())).unwrap_err().to_string();
    assert!(error.contains("agent.alpha = 0.1, not with agent.alpha = 0.2"), "{error}");
    // Nor one whose directory was renamed.
    fs::rename(checkpoints.path_of(10), checkpoints.path_of(30)).unwrap();
    let error = newest(&checkpoints).unwrap_err().to_string();
    assert!(error.contains("it was saved after 10 env steps"), "{error}");
}

#[test]
fn one_that_is_not_accepted_is_passed_over() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    let refuse = |manifest: &Manifest, _state| match manifest.env_steps {
        20 => Err(CheckpointError::Missing { name: "agent/table".to_owned() }.into()),
        steps => Ok(steps),
    };
    let newest = checkpoints.newest(&identity(), refuse).unwrap().unwrap();
    assert_eq!(newest.state, 10);
    let reason = newest.damaged[0].to_string();
    assert!(reason.contains("000000000020") && reason.contains("agent/table"), "{reason}");
    // What has nothing to do with the checkpoint ends it.
    let fail = |_: &Manifest, _| -> Result<(), _> { Err(TrainError::Gone { path: "x".into() }) };
    assert!(matches!(checkpoints.newest(&identity(), fail), Err(TrainError::Gone { .. })));
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_no_damage() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    let path = checkpoints.path_of(20).join(MANIFEST);
    fs::remove_file(&path).unwrap();
    // A link is not followed, and stands for any error of the system: root may read everything.
    std::os::unix::fs::symlink("/dev/null", &path).unwrap();
    let error = newest(&checkpoints).unwrap_err();
    assert!(matches!(error, TrainError::Checkpoint(CheckpointError::Read { .. })), "{error}");
    assert!(error.to_string().contains("a link"), "{error}");
    assert_eq!(checkpoints.steps().unwrap(), [10, 20]);
}

#[cfg(unix)]
#[test]
fn a_linked_directory_is_refused() {
    let (folder, foreign) = saved(&[10, 20]);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("checkpoints"), &link).unwrap();
    let linked = CheckpointDir::new(&link);
    assert!(linked.delete_all().is_err() && linked.set_aside_after(0).is_err());
    assert!(linked.save(&state(30), Manifest::new(identity(), 30)).is_err());
    assert!(CheckpointDir::create(&link).is_err());
    assert_eq!(foreign.steps().unwrap(), [10, 20]);
}

#[test]
fn what_a_killed_run_had_begun_to_prune_is_deleted() {
    let (_folder, checkpoints) = saved(&[10, 20, 30, 40]);
    fs::create_dir(checkpoints.path.join("000000000005")).unwrap();
    fs::create_dir(checkpoints.path.join("000000000010.tmp")).unwrap();
    fs::create_dir(checkpoints.path.join("000000000020.replaced.tmp")).unwrap();
    checkpoints.set_aside_after(40).unwrap();
    assert_eq!(names(&checkpoints), ["000000000030", "000000000040"]);
}

#[test]
fn what_a_killed_run_left_half_made_is_ignored() {
    let (_folder, checkpoints) = saved(&[10]);
    fs::create_dir(checkpoints.path.join("000000000020.tmp")).unwrap();
    fs::create_dir(checkpoints.path.join("000000000030")).unwrap();
    assert_eq!(found(&checkpoints), (10, 1));
    checkpoints.set_aside_after(10).unwrap();
    save(&checkpoints, 20);
    save(&checkpoints, 30);
    save(&checkpoints, 30);
    assert_eq!(found(&checkpoints), (30, 0));
    assert_eq!(names(&checkpoints), ["000000000020", "000000000030", "000000000030.damaged"]);
    // Another one is set aside beside it.
    fs::write(checkpoints.path_of(30).join(VALUES), "").unwrap();
    checkpoints.set_aside_after(20).unwrap();
    assert!(checkpoints.path.join("000000000030.damaged-2").is_dir());
}

#[test]
fn a_removed_directory_is_not_made_anew() {
    let (_folder, checkpoints) = saved(&[10]);
    fs::remove_dir_all(&checkpoints.path).unwrap();
    let error = checkpoints.save(&state(20), Manifest::new(identity(), 20)).unwrap_err();
    assert!(matches!(error, TrainError::Gone { .. }), "{error}");
    assert!(!checkpoints.path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_failed_save_leaves_nothing_behind() {
    let (_folder, checkpoints) = saved(&[10]);
    // A directory that stands where a file of that name should be replaced.
    fs::write(checkpoints.path_of(20), "in the way").unwrap();
    assert!(checkpoints.save(&state(20), Manifest::new(identity(), 20)).is_err());
    assert!(!checkpoints.path.join("000000000020.tmp").exists());
}

#[test]
fn a_failed_replacement_leaves_the_old_checkpoint_in_its_place() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    let path = checkpoints.path_of(20);
    // There is nothing to take the place, so that the second rename fails.
    assert!(checkpoints.put_in_place(&with_end(&path, UNFINISHED), &path, true).is_err());
    assert_eq!(names(&checkpoints), ["000000000010", "000000000020"]);
    assert_eq!(found(&checkpoints), (20, 0));
}

#[test]
fn a_replaced_checkpoint_whose_place_was_not_taken_is_used_and_put_back() {
    let (_folder, checkpoints) = saved(&[10, 20]);
    let path = checkpoints.path_of(20);
    let replaced = with_end(&path, REPLACED);
    fs::rename(&path, &replaced).unwrap();
    fs::create_dir(with_end(&path, UNFINISHED)).unwrap();
    // To look at it moves nothing.
    assert_eq!(found(&checkpoints), (20, 0));
    assert!(replaced.is_dir());
    checkpoints.set_aside_after(20).unwrap();
    assert_eq!(names(&checkpoints), ["000000000010", "000000000020"]);
    assert_eq!(found(&checkpoints), (20, 0));
    // One that is damaged is set aside like any other, and one whose place was taken is deleted.
    fs::rename(&path, &replaced).unwrap();
    fs::write(replaced.join(VALUES), "").unwrap();
    assert_eq!(found(&checkpoints), (10, 1));
    fs::create_dir(checkpoints.path.join("000000000010.replaced.tmp")).unwrap();
    checkpoints.set_aside_after(10).unwrap();
    assert_eq!(names(&checkpoints), ["000000000010", "000000000020.damaged"]);
}

#[test]
fn the_newest_two_of_those_set_aside_are_kept() {
    let (_folder, checkpoints) = saved(&[10]);
    let damage = |env_steps: u64| {
        fs::create_dir(checkpoints.path_of(env_steps)).unwrap();
        let aside = checkpoints.set_aside_after(10).unwrap();
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        aside.into_iter().map(name).collect::<Vec<_>>()
    };
    // What the user renamed is the user's.
    fs::create_dir(checkpoints.path.join("000000000040.damaged.mine")).unwrap();
    assert_eq!(damage(40), ["000000000040.damaged"]);
    assert_eq!(damage(30), ["000000000040.damaged", "000000000030.damaged"]);
    // The one of just now is the newest, whatever its env steps.
    assert_eq!(damage(20), ["000000000040.damaged", "000000000020.damaged"]);
    assert!(checkpoints.set_aside_after(10).unwrap().is_empty());
    let left = ["000000000010", "000000000020.damaged", "000000000040.damaged"];
    assert_eq!(names(&checkpoints), [&left[..], &["000000000040.damaged.mine"]].concat());
}
