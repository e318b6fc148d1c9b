//! Files that are read-only, full, locked, damaged, somebody else's or gone: an error that says so, and no harm done.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tracing_genai::event::Event;
use tracing_genai::history::{Cursor, EventStore, History, SqliteStore, StoreError};

use super::events::{event, many, place};
use super::processes::{child, given, succeed};

/// Something of some size that must not appear in an error.
fn large(n: u64) -> Event {
    event("llm.call.completed", n, |data| {
        data.attrs.set("n", n);
        data.who.agent_id = Some("CANARY".into());
        data.body = Some("CANARY ".repeat(600).into());
    })
}

/// What an error tells: its kind is checked by the caller, its words here.
#[track_caller]
fn told(error: &StoreError, path: &Path) {
    let text = format!("{error} {error:?}");
    assert!(text.contains(&*path.to_string_lossy()), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
    assert_eq!(error.path(), Some(path));
}

#[test]
fn a_database_of_something_else_is_refused_and_left_as_it_is() {
    for (what, sql) in [
        ("tables", "CREATE TABLE t (a); INSERT INTO t VALUES (1);"),
        (
            "a log",
            "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);",
        ),
        ("an application", "PRAGMA application_id = 77;"),
        ("a version", "PRAGMA user_version = 3;"),
        ("a view", "CREATE VIEW v AS SELECT 1;"),
        (
            "tables of our names",
            "CREATE TABLE events (id INTEGER); CREATE TABLE agents (id INTEGER);",
        ),
    ] {
        let (_directory, path) = place();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(error.is_foreign(), "{what}: {error}");
        told(&error, &path);
        assert_eq!(fs::read(&path).unwrap(), before, "{what}");
    }
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    let text = "# notes\n".repeat(1_000);
    fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.is_foreign(), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    SqliteStore::open(&path).unwrap().append(&many(3)).unwrap();
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.is_newer(), "{error}");
    told(&error, &path);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let (directory, path) = place();
    let error = SqliteStore::open(directory.path()).unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    fs::write(&path, "").unwrap();
    let below = path.join("events.db");
    let error = SqliteStore::open(&below).unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert!(SqliteStore::open("").unwrap_err().is_unreachable());
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    if let Some(path) = given() {
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(error.is_read_only(), "{error}");
        told(&error, &path);
        let beside = path.with_file_name("another.db");
        let error = SqliteStore::open(&beside).unwrap_err();
        assert!(error.is_read_only(), "{error}");
        return;
    }
    const NOBODY: u32 = 65_534;
    let (directory, path) = place();
    SqliteStore::open(&path).unwrap().append(&many(3)).unwrap();
    let test = "bad_files::a_read_only_file_is_refused";
    let original = child(test, &path);
    // Permissions do not hold for root, and where it builds others may not read.
    let program = directory.path().join("test");
    fs::copy(original.get_program(), &program).unwrap();
    let mut copied = std::process::Command::new(&program);
    copied.args(original.get_args()).current_dir("/");
    for (name, value) in original.get_envs() {
        copied.env(name, value.unwrap());
    }
    if is_root(directory.path()) {
        copied.uid(NOBODY).gid(NOBODY);
    }
    let set =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    set(&program, 0o755);
    set(&path, 0o444);
    set(directory.path(), 0o555);
    let child = copied.spawn().unwrap();
    succeed(child);
    set(directory.path(), 0o755);
}

#[cfg(unix)]
fn is_root(own: &Path) -> bool {
    std::os::unix::fs::MetadataExt::uid(&own.metadata().unwrap()) == 0
}

#[test]
fn a_full_file_says_so_deleting_works_and_writing_goes_on() {
    let (_directory, path) = place();
    let limit = 600_000;
    let store = SqliteStore::builder()
        .path(&path)
        .max_bytes(limit)
        .open()
        .unwrap();
    let mut stored = 0;
    let error = loop {
        let batch: Vec<_> = (stored..stored + 10).map(large).collect();
        match store.append(&batch) {
            Ok(n) => stored += n as u64,
            Err(error) => break error,
        }
        assert!(stored < 1_000, "it never became full");
    };
    assert!(error.is_full(), "{error}");
    told(&error, &path);
    assert!(fs::metadata(&path).unwrap().len() <= limit);
    let history = History::new(store.clone());
    assert_eq!(
        history.count().unwrap(),
        stored,
        "whole batches, or nothing of them"
    );

    // Again and again, without growing.
    for round in 1..=3u64 {
        assert_eq!(history.oldest_first().limit(40).erase().unwrap(), 40);
        let fresh: Vec<_> = (0..30).map(|n| large(1_000 * round + n)).collect();
        assert_eq!(store.append(&fresh).unwrap(), 30);
        stored -= 10;
        assert_eq!(history.count().unwrap(), stored);
    }
    assert!(fs::metadata(&path).unwrap().len() <= limit);
    let page = store.since(Cursor::START, usize::MAX).unwrap();
    assert_eq!(page.events.len() as u64, stored);
}

/// The operating system itself refuses to let the files grow: what a full disk does, without the right to mount one.
#[cfg(target_os = "linux")]
#[test]
fn when_the_disk_refuses_nothing_is_half_written_and_when_it_gives_writing_goes_on() {
    use std::process::Command;
    if let Some(path) = given() {
        let store = SqliteStore::open(&path).unwrap();
        let mut stored = 0;
        let error = loop {
            let batch: Vec<_> = (stored..stored + 10).map(large).collect();
            match store.append(&batch) {
                Ok(n) => stored += n as u64,
                Err(error) => break error,
            }
            assert!(stored < 10_000, "the disk never refused");
        };
        assert!(error.is_full() || error.is_unreachable(), "{error}");
        told(&error, &path);
        // Again, and still no panic.
        assert!(store.append(&[large(77_777)]).is_err() || store.append(&[large(77_778)]).is_ok());
        let history = History::new(store.clone());
        assert!(history.count().unwrap() >= stored);

        let pid = std::process::id().to_string();
        let raised = Command::new("prlimit")
            .args(["--pid", &pid, "--fsize=unlimited"])
            .status()
            .expect("prlimit, of util-linux, is needed to make room again");
        assert!(raised.success());
        let before = history.count().unwrap();
        store
            .append(&(20_000..20_100).map(large).collect::<Vec<_>>())
            .unwrap();
        assert_eq!(history.count().unwrap(), before + 100);
        let check: String = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA integrity_check", (), |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
        return;
    }
    let (_directory, path) = place();
    let test = "bad_files::when_the_disk_refuses_nothing_is_half_written_and_when_it_gives_writing_goes_on";
    let original = child(test, &path);
    // Blocks of 512 bytes; without the trap, the first refused write would be a deadly signal.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -S -f 3000; exec \"$0\" \"$@\""])
        .arg(original.get_program())
        .args(original.get_args());
    for (name, value) in original.get_envs() {
        limited.env(name, value.unwrap());
    }
    succeed(limited.spawn().unwrap());
}

#[test]
fn a_locked_file_says_so_and_is_read_all_the_same() {
    let (_directory, path) = place();
    let store = SqliteStore::builder()
        .path(&path)
        .busy_timeout(Duration::from_millis(20))
        .open()
        .unwrap();
    store.append(&many(3)).unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM events;")
        .unwrap();
    let error = store.append(&[large(1)]).unwrap_err();
    assert!(error.is_locked(), "{error}");
    told(&error, &path);
    let history = History::new(store.clone());
    assert_eq!(history.count().unwrap(), 3);
    assert!(history.erase().unwrap_err().is_locked());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.append(&[large(1)]).unwrap(), 1);
    assert_eq!(history.count().unwrap(), 4);
}

#[test]
fn a_file_that_is_locked_from_the_beginning_says_so_when_it_is_opened() {
    let (_directory, path) = place();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("BEGIN EXCLUSIVE; CREATE TABLE t (a);")
        .unwrap();
    let error = SqliteStore::builder()
        .path(&path)
        .busy_timeout(Duration::from_millis(20))
        .open()
        .unwrap_err();
    assert!(error.is_locked(), "{error}");
}

/// Overwrites a part of the file.
fn damage(path: &Path, from: u64, len: usize) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; len]).unwrap();
}

#[test]
fn a_damaged_file_is_an_error_wherever_it_is_damaged() {
    let fill = |path: &Path| {
        let store = SqliteStore::open(path).unwrap();
        store
            .append(&(0..200).map(large).collect::<Vec<_>>())
            .unwrap();
        store.vacuum().unwrap();
    };
    // The first page, behind its header: the schema is unreadable.
    let (_directory, path) = place();
    fill(&path);
    damage(&path, 100, 3_900);
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    told(&error, &path);

    // The header: nobody can tell that it was ours.
    let (_directory, path) = place();
    fill(&path);
    damage(&path, 0, 100);
    assert!(SqliteStore::open(&path).unwrap_err().is_foreign());

    // The first page of the events and of each of their indexes.
    let (_directory, path) = place();
    fill(&path);
    let roots: Vec<u32> = {
        let db = Connection::open(&path).unwrap();
        let mut roots = db
            .prepare("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'events'")
            .unwrap();
        let pages = roots.query_map((), |row| row.get(0)).unwrap();
        pages.collect::<Result<_, _>>().unwrap()
    };
    assert!(roots.len() > 5, "{roots:?}");
    for root in roots {
        damage(&path, u64::from(root - 1) * 4_096, 4_096);
    }
    let store = SqliteStore::open(&path).unwrap();
    let history = History::new(store.clone());
    for error in [
        history.fetch().unwrap_err(),
        history
            .agent("CANARY")
            .search("CANARY")
            .fetch()
            .unwrap_err(),
        store.since(Cursor::START, 100).unwrap_err(),
        store.append(&[large(1_000)]).unwrap_err(),
        history.erase().unwrap_err(),
        store
            .delete_before(super::events::at(1_000_000))
            .unwrap_err(),
        store.vacuum().unwrap_err(),
    ] {
        assert!(error.is_corrupt(), "{error}");
        told(&error, &path);
    }
    // The file is replaced, and work goes on.
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        let _ = fs::remove_file(name);
    }
    assert_eq!(store.append(&many(2)).unwrap(), 2);
    assert_eq!(history.count().unwrap(), 2);
}

#[test]
fn a_row_that_is_no_event_is_an_error_that_does_not_quote_it() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    store.append(&many(2)).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute(
            "UPDATE events SET data = '{\"id\": \"CANARY\"}' WHERE id = 1",
            (),
        )
        .unwrap();
    let history = History::new(store);
    let error = history.fetch().unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    told(&error, &path);
    assert_eq!(
        history.limit(1).fetch().unwrap().len(),
        1,
        "the others are readable"
    );
}

#[cfg(unix)]
#[test]
fn a_directory_that_vanishes_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/events.db");
    let store = SqliteStore::open(&path).unwrap();
    let history = History::new(store.clone());
    store.append(&many(3)).unwrap();
    assert_eq!(history.count().unwrap(), 3);
    fs::remove_dir_all(directory.path().join("data")).unwrap();
    assert!(history.count().unwrap_err().is_unreachable());
    assert_eq!(store.append(&many(2)).unwrap(), 2);
    assert_eq!(history.count().unwrap(), 2);
    assert!(path.exists());
}
