//! The file: where it is, what is in it, what stays.

use std::path::Path;

use rusqlite::Connection;
use tracing_genai::history::{Cursor, EventStore, History, SqliteStore};

use super::events::{at, event, many, numbers, place};
use super::processes::{child, given, succeed};

#[test]
fn the_environment_names_the_file_and_the_store_reports_it() {
    if let Some(path) = given() {
        assert_eq!(SqliteStore::default_path(), Some(path.clone()));
        let store = SqliteStore::builder().open().unwrap();
        assert_eq!(store.path(), path);
        store.append(&many(1)).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/there/yet/mine.db");
    let test = "file::the_environment_names_the_file_and_the_store_reports_it";
    succeed(
        child(test, &path)
            .env("TRACING_GENAI_DB", &path)
            .spawn()
            .unwrap(),
    );
    assert_eq!(
        History::new(SqliteStore::open(&path).unwrap())
            .count()
            .unwrap(),
        1
    );
}

#[test]
fn without_the_variable_it_is_in_the_users_data_directory() {
    if let Some(home) = given() {
        let store = SqliteStore::builder().open().unwrap();
        assert!(store.path().starts_with(&home), "{:?}", store.path());
        assert!(store.path().ends_with("tracing-genai/events.db"));
        assert_eq!(store.path(), SqliteStore::default_path().unwrap());
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let test = "file::without_the_variable_it_is_in_the_users_data_directory";
    let mut child = child(test, home.path());
    for variable in ["HOME", "LOCALAPPDATA"] {
        child.env(variable, home.path());
    }
    child
        .env_remove("TRACING_GENAI_DB")
        .env_remove("XDG_DATA_HOME");
    succeed(child.spawn().unwrap());
}

#[test]
fn the_builders_path_comes_before_the_environment() {
    if let Some(path) = given() {
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.path(), path);
        assert!(path.exists());
        return;
    }
    let (directory, path) = place();
    let test = "file::the_builders_path_comes_before_the_environment";
    let other = directory.path().join("other.db");
    succeed(
        child(test, &path)
            .env("TRACING_GENAI_DB", &other)
            .spawn()
            .unwrap(),
    );
    assert!(!other.exists());
}

#[cfg(unix)]
#[test]
fn what_is_made_belongs_to_the_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b/events.db");
    let store = SqliteStore::open(&path).unwrap();
    store.append(&many(1)).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&directory.path().join("a/b/events.db-wal")), 0o600);
    assert_eq!(mode(&directory.path().join("a/b")), 0o700);
    assert_eq!(mode(&directory.path().join("a")), 0o700);
}

#[test]
fn names_that_mean_something_to_sqlite_are_names_of_files() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:x?mode=memory", "äö ?%.db"] {
        let path = directory.path().join(name);
        let store = SqliteStore::open(&path).unwrap();
        store.append(&many(2)).unwrap();
        drop(store);
        let again = SqliteStore::open(&path).unwrap();
        assert_eq!(History::new(again).count().unwrap(), 2, "{name}");
    }
}

#[test]
fn events_and_cursors_survive_a_restart() {
    let (_directory, path) = place();
    let events = many(10);
    SqliteStore::open(&path).unwrap().append(&events).unwrap();
    let saved = {
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.since(Cursor::START, 100).unwrap().events.len(), 10);
        store.since(Cursor::START, 4).unwrap().next.to_string()
    };
    let store = SqliteStore::open(&path).unwrap();
    let page = store.since(saved.parse().unwrap(), 100).unwrap();
    let rest: Vec<_> = page.events.into_iter().map(|(_, event)| event).collect();
    assert_eq!(rest, events[4..]);
    // Numbers of erased events are not given again.
    History::new(store.clone()).erase().unwrap();
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    store.append(&many(1)).unwrap();
    let page = store.since(page.next, 100).unwrap();
    assert_eq!((page.events.len(), page.next), (1, Cursor::new(11)));
}

#[test]
fn the_schema_is_the_documented_one() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let one = event("llm.call.failed", 5, |data| {
        data.who.agent_id = Some("a1".into());
        data.who.agent_name = Some("planner".into());
        data.who.session_id = Some("s".into());
    });
    store
        .append(&[event("a.b", 9, |_| ()), one.clone()])
        .unwrap();

    let db = Connection::open(&path).unwrap();
    let text = |sql: &str| {
        db.query_row(sql, (), |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(text("PRAGMA journal_mode"), "wal");
    let indexed = "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema
                   WHERE type = 'index' AND tbl_name = 'events' ORDER BY name)";
    for column in ["agent_id", "event_type", "timestamp", "channel", "level"] {
        let index = format!("idx_events_{column}");
        assert!(text(indexed).contains(&index), "{}", text(indexed));
        let first = format!("SELECT name FROM pragma_index_info('{index}') WHERE seqno = 0");
        assert_eq!(text(&first), column);
    }
    // As the seed's own tools ask.
    let row =
        "SELECT format('%s|%s|%s|%s|%s', a.agent_id, e.event_type, e.channel, e.level, e.timestamp)
               FROM events e JOIN agents a ON a.id = e.agent_id WHERE e.id > 1 ORDER BY e.id ASC";
    assert_eq!(
        text(row),
        "a1|llm.call.failed|LLM|error|2025-01-01T00:00:05.000000000Z"
    );
    assert_eq!(
        text("SELECT name || last_seen FROM agents"),
        "planner2025-01-01T00:00:05.000000000Z"
    );
    let data = text("SELECT data FROM events WHERE id = 2");
    assert_eq!(
        serde_json::from_str::<tracing_genai::event::Event>(&data).unwrap(),
        one
    );
}

#[test]
fn agents_remember_when_they_were_first_and_last_seen() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let of = |seconds| event("a.b", seconds, |data| data.who.agent_id = Some("a".into()));
    store.append(&[of(50), of(70), of(60)]).unwrap();
    store.append(&[of(40)]).unwrap();
    store.append(&[of(65), of(66)]).unwrap();
    let db = Connection::open(&path).unwrap();
    let seen: (String, String) = db
        .query_row("SELECT created_at, last_seen FROM agents", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert!(
        seen.0.contains("00:00:40.") && seen.1.contains("00:01:10."),
        "{seen:?}"
    );
    let agents = History::new(store).agents().unwrap();
    assert_eq!((agents[0].first, agents[0].last), (at(40), at(70)));
}

#[test]
fn any_number_of_stores_and_threads_share_one_file() {
    let (_directory, path) = place();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let store = SqliteStore::open(&path).unwrap();
                for batch in many(50).chunks(5) {
                    assert_eq!(store.append(batch).unwrap(), 5);
                    assert!(History::new(store.clone()).count().unwrap() >= 5);
                }
            });
        }
    });
    let history = History::new(SqliteStore::open(&path).unwrap());
    assert_eq!(history.count().unwrap(), 200);
    assert_eq!(
        numbers(&history.limit(4).fetch().unwrap()),
        [49, 49, 49, 49]
    );
}

#[test]
fn documents_nested_too_deeply_and_very_large_ones_do_not_stand_in_the_way() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let mut deep = serde_json::json!("bottom");
    for _ in 0..1_000 {
        deep = serde_json::json!([deep]);
    }
    let events = [
        event("a.b", 1, |data| data.body = Some(deep.clone().into())),
        event("a.b", 2, |data| {
            data.attrs
                .set("deep", serde_json::json!({ "in": deep.clone() }))
        }),
        event("a.b", 3, |data| {
            data.body = Some("x".repeat(64 << 20).into())
        }),
        event("a.b", 4, |data| {
            data.attrs.set("a\u{0}b", "c\u{0}d\u{7f}\u{2028}")
        }),
    ];
    store.append(&events).unwrap();
    let found = History::new(store).oldest_first().fetch().unwrap();
    assert_eq!(found[2..], events[2..]);
    let shown = serde_json::to_string(&found[0]).unwrap();
    assert!(
        shown.contains("[[<nested") || shown.contains("[\"<nested too deeply to be stored>\"]"),
        "{shown}"
    );
    assert!(found[1].attr("deep").is_some());
}
