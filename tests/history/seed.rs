//! A database of Cylestio Monitor's.

use rusqlite::Connection;
use tracing_genai::event::Level;
use tracing_genai::history::{Cursor, EventStore, History, SqliteStore};

use super::events::{at, event, place};
use super::processes::{child, given, succeed};

const SCHEMA: &str = "
    CREATE TABLE agents (id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id TEXT UNIQUE NOT NULL,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, last_seen TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, agent_id INTEGER NOT NULL, event_type TEXT NOT NULL,
        channel TEXT NOT NULL, level TEXT NOT NULL, timestamp TIMESTAMP NOT NULL, data JSON NOT NULL,
        FOREIGN KEY (agent_id) REFERENCES agents (id));
    CREATE INDEX idx_events_agent_id ON events (agent_id);
    CREATE INDEX idx_events_event_type ON events (event_type);
    INSERT INTO agents (agent_id) VALUES ('my-agent');
    INSERT INTO events (id, agent_id, event_type, channel, level, timestamp, data) VALUES
        (1, 1, 'user_login', 'API', 'info', '2025-01-01 05:30:01.250000', '{\"prompt\": \"hello\", \"n\": 3}'),
        (3, 1, 'LLM_call_error', 'LLM', 'warning', '2025-01-01T00:00:02Z', '[1]'),
        (4, 1, 'x', 'SYSTEM', 'error', 'not a time', 'not JSON'),
        (9, 1, 'x', 'SYSTEM', 'info', '2025-01-01T00:00:04Z', '{}');
    DELETE FROM events WHERE id = 9;";

#[test]
fn a_database_of_the_seed_becomes_one_of_ours_with_every_row() {
    if let Some(path) = given() {
        let store = SqliteStore::open(path).unwrap();
        let page = store.since(Cursor::START, 10).unwrap();
        let rows: Vec<_> = page
            .events
            .iter()
            .map(|(cursor, event)| (cursor.number(), event))
            .collect();
        assert_eq!(rows.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 3, 4]);
        let login = rows[0].1;
        assert!(login.ty == "user_login");
        // Written without a zone, 05:30 in a zone that is five and a half hours ahead.
        assert_eq!(login.time, at(1) + std::time::Duration::from_millis(250));
        assert_eq!(login.channel.as_str(), "API");
        assert_eq!(login.attr("prompt").unwrap().as_str(), Some("hello"));
        assert_eq!(login.attr("n").unwrap().as_i64(), Some(3));
        let history = History::new(store.clone());
        assert_eq!(history.agent("my-agent").count().unwrap(), 3);
        assert_eq!(rows[1].1.level, Level::Warn);
        assert_eq!(rows[1].1.time, at(2));
        assert_eq!(rows[2].1.attr("data").unwrap().as_str(), Some("not JSON"));
        // Number 9 was given away, though its row is gone.
        store.append(&[event("a.b", 0, |_| ())]).unwrap();
        assert_eq!(store.since(page.next, 10).unwrap().next, Cursor::new(10));
        return;
    }
    let (_directory, path) = place();
    Connection::open(&path)
        .unwrap()
        .execute_batch(SCHEMA)
        .unwrap();
    let test = "seed::a_database_of_the_seed_becomes_one_of_ours_with_every_row";
    // The zone is the process's, so it is set for a process of its own.
    succeed(child(test, &path).env("TZ", "TST-5:30").spawn().unwrap());
    // The second time it is one of ours.
    assert_eq!(
        History::new(SqliteStore::open(&path).unwrap())
            .count()
            .unwrap(),
        4
    );
}

#[test]
fn a_seeds_database_with_tables_of_other_things_is_left_alone() {
    let (_directory, path) = place();
    let db = Connection::open(&path).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db.execute_batch("CREATE TABLE llm_calls (id INTEGER PRIMARY KEY)")
        .unwrap();
    drop(db);
    assert!(SqliteStore::open(&path).unwrap_err().is_foreign());
}
