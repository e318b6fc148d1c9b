//! Who may read, write and own a spool.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::PathBuf;

use std::time::Duration;
use tracing_genai::otlp::internal::Spool;
use tracing_genai::otlp::{SpoolConfig, SpoolError, SpoolSync};

use super::*;

fn refused(path: impl Into<PathBuf>) -> SpoolError {
    let path = path.into();
    let error = Spool::open(&config(&path)).unwrap_err();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(error.to_string().contains(name), "{error}");
    error
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

#[test]
fn everything_that_is_made_is_for_this_user_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("state/spool");
    let (_spool, mut queue) = open(&config(&root));
    queue.append(&body(1, 10), 1).unwrap();
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&dir.path().join("state")), 0o700);
    let tree = tree(&root);
    assert_eq!(tree.len(), 5, "{tree:?}");
    for (name, file) in tree {
        let expected = if file.is_some() { 0o600 } else { 0o700 };
        assert_eq!(mode(&root.join(&name)), expected, "{name}");
    }
}

#[test]
fn a_file_or_a_link_in_place_of_the_directory_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    fs::write(&file, "mine").unwrap();
    assert!(matches!(refused(&file), SpoolError::NotADirectory { .. }));
    fs::create_dir(dir.path().join("real")).unwrap();
    let link = dir.path().join("link");
    symlink(dir.path().join("real"), &link).unwrap();
    // A slash or a dot at the end would make the system follow it.
    for spelled in ["link", "link/", "link/.", "./link//"] {
        let error = refused(dir.path().join(spelled));
        assert!(matches!(error, SpoolError::Symlink { .. }), "{error}");
    }
    symlink(dir.path().join("nowhere"), dir.path().join("dangling")).unwrap();
    assert!(matches!(
        refused(dir.path().join("dangling")),
        SpoolError::Symlink { .. }
    ));
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert!(tree(&dir.path().join("real")).is_empty());
}

#[test]
fn a_directory_that_others_can_write_is_refused_and_one_they_can_read_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("shared");
    fs::create_dir(&root).unwrap();
    for bad in [0o777, 0o770, 0o720, 0o702, 0o1777] {
        fs::set_permissions(&root, Permissions::from_mode(bad)).unwrap();
        let error = refused(&root);
        assert!(
            matches!(error, SpoolError::WritableByOthers { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("chmod 700"), "{error}");
        assert!(tree(&root).is_empty());
    }
    fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
    Spool::open(&config(&root)).unwrap();
}

#[test]
fn a_directory_of_another_user_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("theirs");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, Permissions::from_mode(0o755)).unwrap();
    if chown(&root, Some(4711), None).is_err() {
        return; // Only root can give something away.
    }
    let error = refused(&root);
    assert!(matches!(error, SpoolError::ForeignOwner { .. }), "{error}");
    assert!(error.to_string().contains("user 4711"), "{error}");
    assert!(tree(&root).is_empty());
}

#[test]
fn what_another_user_put_beside_ours_is_not_adopted_and_not_purged() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    queue.append(&body(1, 10), 1).unwrap();
    let own = spool.directory().to_owned();
    drop((spool, queue));
    fs::set_permissions(&own, Permissions::from_mode(0o777)).unwrap();
    let (spool, queue) = open(&config(dir.path()));
    assert_eq!((spool.adopted().len(), queue.recovered()), (0, 0));
    assert_eq!(config(dir.path()).purge().unwrap().left_alone, 2);
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    if chown(&own, Some(4711), None).is_ok() {
        let (spool, queue) = open(&config(dir.path()));
        assert_eq!((spool.adopted().len(), queue.recovered()), (0, 0));
        chown(&own, Some(0), None).unwrap();
    }
    let (_spool, queue) = open(&config(dir.path()));
    assert_eq!(queue.recovered(), 1);
}

#[test]
fn a_setting_out_of_range_is_refused_with_what_would_work() {
    let dir = tempfile::tempdir().unwrap();
    let c = || SpoolConfig::new(dir.path());
    let mib = 1024 * 1024;
    for (config, what) in [
        (c().segment_bytes(0), "segment_bytes"),
        (c().segment_bytes(64 * 1024 - 1), "segment_bytes"),
        (c().segment_bytes(u64::MAX), "segment_bytes"),
        (c().max_bytes(0), "max_bytes"),
        (c().max_bytes(16 * mib - 1), "max_bytes"),
        (c().max_age(Duration::ZERO), "max_age"),
        (c().sync(SpoolSync::Every(Duration::ZERO)), "sync"),
        (c().sync(SpoolSync::Every(Duration::MAX)), "sync"),
    ] {
        let error = Spool::open(&config).unwrap_err();
        assert!(matches!(error, SpoolError::Bounds { .. }), "{error}");
        assert!(error.to_string().contains(what), "{error}");
        assert!(error.to_string().contains("must be"), "{error}");
    }
    Spool::open(&c().segment_bytes(64 * 1024).max_bytes(128 * 1024)).unwrap();
    Spool::open(
        &c().segment_bytes(1024 * mib)
            .max_bytes(u64::MAX)
            .max_age(Duration::MAX),
    )
    .unwrap();
    Spool::open(&SpoolConfig::new("")).unwrap_err();
}

#[test]
fn purging_deletes_what_the_dead_left_and_leaves_the_living_alone() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    assert_eq!(
        SpoolConfig::new(dir.path().join("none"))
            .purge()
            .unwrap()
            .removed,
        0
    );
    for n in 0..3 {
        let (spool, mut queue) = open(&config);
        queue.append(&body(n, 10), 1).unwrap();
        fs::create_dir_all(spool.directory().join("sub/deeper")).unwrap();
        fs::write(spool.directory().join("sub/deeper/journal"), "x").unwrap();
        // Held by the living one below otherwise.
        drop((queue, spool));
        if n == 1 {
            let purged = config.purge().unwrap();
            assert_eq!((purged.removed, purged.left_alone), (2, 0));
            assert!(tree(dir.path()).is_empty());
        }
    }
    let (living, mut queue) = open(&config);
    queue.append(&body(7, 10), 1).unwrap();
    fs::write(dir.path().join("notes"), "mine").unwrap();
    let purged = config.purge().unwrap();
    assert_eq!(
        (purged.removed, purged.left_alone),
        (0, 3),
        "ours, the adopted one, and the notes"
    );
    assert_eq!(queue.pending(), 2);
    assert_eq!(numbers(&mut queue), [2, 7]);
    drop((living, queue));
    assert_eq!(
        config.purge().unwrap().removed,
        1,
        "the directory of the adopted one had more in it"
    );
    assert_eq!(tree(dir.path()).into_keys().collect::<Vec<_>>(), ["notes"]);
    symlink(dir.path(), dir.path().join("link")).unwrap();
    let error = SpoolConfig::new(dir.path().join("link"))
        .purge()
        .unwrap_err();
    assert!(error.to_string().contains("link"), "{error}");
}
