//! Several processes with one directory, and a directory nobody may have.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use tracing_genai::ConfigError;
use tracing_genai::otlp::{SpoolConfig, SpoolError};

use crate::run::*;
use crate::support::collector::{Collector, closed_address};

#[test]
fn f17_two_with_one_directory_do_not_disturb_each_other_and_the_dead_are_adopted_once() {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    let endpoint = format!("http://{address}");
    let dead = builder(&endpoint, directory.path()).build().unwrap();
    steps(&dead, 0, 10);
    balanced(&dead.shutdown_within(std::time::Duration::from_millis(300)));

    // Both start while the third one's batches lie there; one gets them, and nobody touches what the other has.
    let both = [10, 20].map(|from| {
        let telemetry = builder(&endpoint, directory.path()).build().unwrap();
        steps(&telemetry, from, 10);
        telemetry
    });
    let recovered: Vec<_> = both
        .iter()
        .map(|t| t.stats().traces.unwrap().recovered)
        .collect();
    assert_eq!(recovered.iter().sum::<u64>(), 10, "{recovered:?}");
    let collector = Collector::start_at(address);
    for telemetry in &both {
        complete(&telemetry.shutdown());
    }
    all_once(&collector, 30);
    drop(both);
    assert_eq!(files(directory.path()).len(), 0);
}

#[test]
fn the_directory_is_for_this_user_only() {
    let above = tempfile::tempdir().unwrap();
    let spool = above.path().join("made/for/us");
    let telemetry = builder("http://127.0.0.1:1", spool.as_path())
        .build()
        .unwrap();
    steps(&telemetry, 0, 1);
    telemetry.flush(std::time::Duration::from_millis(300));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spool), 0o700);
    let all = files(&spool);
    assert!(all.len() >= 2, "{all:?}");
    for file in all {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    drop(telemetry);
}

#[test]
fn a_directory_that_cannot_be_is_an_error_of_build_that_names_it() {
    let above = tempfile::tempdir().unwrap();
    let at = |name: &str| above.path().join(name);
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("real")).unwrap();
    symlink(at("real"), at("link")).unwrap();
    fs::create_dir(at("open")).unwrap();
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o777)).unwrap();
    for name in ["file", "link", "open"] {
        let built = builder("http://127.0.0.1:1", at(name)).build();
        let Err(ConfigError::Spool(error)) = built else {
            panic!("{name}: {built:?}");
        };
        assert!(error.to_string().contains(name), "{error}");
    }
    let small = SpoolConfig::new(at("small")).max_bytes(1);
    let error = builder("http://127.0.0.1:1", small).build().unwrap_err();
    assert!(
        matches!(error, ConfigError::Spool(SpoolError::Bounds { .. })),
        "{error}"
    );
    // Nothing was started or made.
    assert!(!at("small").exists());
}
