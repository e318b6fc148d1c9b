//! What history costs: taking events in, beside a bare prepared insert of the same rows, and asking a million of them.
//!
//! `cargo bench --bench history`. `-- 100000` for a smaller store; the default makes a file of about 1.5 GB in the directory
//! for temporary files.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "support/measure.rs"]
#[allow(dead_code)]
mod measure;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use measure::median;
use rusqlite::{Connection, params};
use tracing_genai::event::{Event, EventData, EventType, Level, SpanId, TraceId};
use tracing_genai::history::{By, Cursor, EventStore, History, MemoryStore, SqliteStore};

/// What an outlet writes at once.
const BATCH: u64 = 512;
/// Rows for the comparison with the bare insert.
const COMPARED: u64 = 100 * BATCH;

/// One event of an agent's run: five kinds, 50 agents, a trace of ten events, a session of a hundred.
fn event(n: u64) -> Event {
    let ty = [
        "llm.call.started",
        "llm.call.completed",
        "tool.call.started",
        "tool.call.completed",
        "step.completed",
    ][(n % 5) as usize];
    let time = UNIX_EPOCH + Duration::from_secs(1_735_689_600) + Duration::from_millis(n * 20);
    let mut data = EventData::new(EventType::parse(ty).unwrap(), time);
    data.cx.trace = TraceId::from_bytes(
        (u128::from(n / 10 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_0c92_3b7a_11d3))
            .to_be_bytes(),
    );
    data.cx.span = SpanId::from_bytes((n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    data.who.agent_id = Some(format!("agent-{}", n / 10 % 50).into());
    data.who.agent_name = Some("planner".into());
    data.who.session_id = Some(format!("session-{}", n / 100).into());
    data.name = "chat gpt-4o".into();
    data.duration = Some(Duration::from_millis(n % 3_000));
    if n.is_multiple_of(1_000) {
        data.level = Level::Error;
    }
    data.attrs.set("gen_ai.operation.name", "chat");
    data.attrs.set("gen_ai.provider.name", "openai");
    data.attrs.set("gen_ai.request.model", "gpt-4o");
    data.attrs.set("gen_ai.response.model", "gpt-4o-2024-08-06");
    data.attrs.set("gen_ai.usage.input_tokens", n % 4_000);
    data.attrs.set("gen_ai.usage.output_tokens", n % 900);
    data.attrs.set("gen_ai.usage.cost", (n % 900) as f64 * 1e-5);
    data.into()
}

/// A row as it is in the table, everything made already.
struct Row {
    event_id: String,
    agent: i64,
    ty: String,
    channel: String,
    level: String,
    severity: i32,
    timestamp: String,
    trace: String,
    span: String,
    session: String,
    data: String,
}

impl Row {
    fn of(event: &Event, agent: i64, data: String) -> Self {
        Self {
            event_id: event.id.to_string(),
            agent,
            ty: event.ty.to_string(),
            channel: event.channel.to_string(),
            level: event.level.to_string().to_lowercase(),
            severity: event.level.severity_number(),
            timestamp: event.time_rfc3339(),
            trace: event.cx.trace.to_string(),
            span: event.cx.span.to_string(),
            session: event.who.session_id.as_deref().unwrap().to_owned(),
            data,
        }
    }
}

/// A database with our schema, and a connection set as ours is, for the bare inserts.
fn bare(path: &Path) -> Connection {
    drop(SqliteStore::open(path).unwrap());
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8000;")
        .unwrap();
    for agent in 0..50 {
        db.execute("INSERT INTO agents (id, agent_id, name, created_at, last_seen) VALUES (?1, ?2, 'planner', '', '')", params![agent + 1, format!("agent-{agent}")])
            .unwrap();
    }
    db
}

fn insert(db: &mut Connection, rows: impl Iterator<Item = Row>) {
    let change = db.transaction().unwrap();
    {
        let mut insert = change
            .prepare_cached(
                "INSERT INTO events (event_id, agent_id, event_type, channel, level, severity, timestamp, trace_id, span_id, session_id, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )
            .unwrap();
        for row in rows {
            insert
                .execute(params![
                    row.event_id,
                    row.agent,
                    row.ty,
                    row.channel,
                    row.level,
                    row.severity,
                    row.timestamp,
                    row.trace,
                    row.span,
                    row.session,
                    row.data
                ])
                .unwrap();
        }
    }
    change.commit().unwrap();
}

/// Microseconds a row, the median of all batches.
fn per_row(mut batches: impl FnMut(u64)) -> f64 {
    let took = (0..COMPARED / BATCH)
        .map(|batch| {
            let begun = Instant::now();
            batches(batch);
            begun.elapsed().as_secs_f64() * 1e6 / BATCH as f64
        })
        .collect();
    median(took)
}

fn ingest(directory: &Path) {
    let events: Vec<Event> = (0..COMPARED).map(event).collect();
    let batch = |n: u64| &events[(n * BATCH) as usize..((n + 1) * BATCH) as usize];
    let agent = |n: usize| (n / 10 % 50 + 1) as i64;

    let what = format!("taking in {COMPARED} events, {BATCH} a transaction");
    println!("{what:54} µs a row  of the first");
    let mut first = f64::NAN;
    let mut line = |what: &str, took: f64| {
        if first.is_nan() {
            first = took;
        }
        println!("{what:54} {took:8.2} {:11.2}x", took / first);
    };
    // Twice, so that one sees what a run's luck is.
    for run in 1..=2 {
        let mut db = bare(&directory.join(format!("bare-{run}.db")));
        let mut made: Vec<Vec<Row>> = events
            .chunks(BATCH as usize)
            .enumerate()
            .map(|(at, chunk)| {
                let row = |(n, event): (usize, &Event)| {
                    Row::of(
                        event,
                        agent(at * BATCH as usize + n),
                        serde_json::to_string(event).unwrap(),
                    )
                };
                chunk.iter().enumerate().map(row).collect()
            })
            .collect();
        made.reverse();
        line(
            "bare prepared insert of rows made before",
            per_row(|_| insert(&mut db, made.pop().unwrap().into_iter())),
        );

        let mut db = bare(&directory.join(format!("making-{run}.db")));
        line(
            "bare prepared insert that makes its rows",
            per_row(|n| {
                let row = |(at, event): (usize, &Event)| {
                    Row::of(
                        event,
                        agent((n * BATCH) as usize + at),
                        serde_json::to_string(event).unwrap(),
                    )
                };
                insert(&mut db, batch(n).iter().enumerate().map(row));
            }),
        );

        let store = SqliteStore::open(directory.join(format!("ours-{run}.db"))).unwrap();
        line(
            "SqliteStore::append",
            per_row(|n| {
                store.append(batch(n)).unwrap();
            }),
        );
    }
    let store = MemoryStore::with_limits(10_000, usize::MAX);
    line(
        "MemoryStore::append, evicting",
        per_row(|n| {
            store.append(batch(n)).unwrap();
        }),
    );
}

/// Milliseconds of one question: the first time, and the median of the next twenty.
fn ask<T>(ask: impl Fn() -> T) -> (f64, f64) {
    let timed = || {
        let begun = Instant::now();
        std::hint::black_box(ask());
        begun.elapsed().as_secs_f64() * 1e3
    };
    let first = timed();
    (first, median((0..20).map(|_| timed()).collect()))
}

fn questions(
    what: &str,
    store: &dyn EventStore,
    history: &History,
    rows: u64,
    plain: Option<&Connection>,
) {
    let what = format!("asking {rows} events in {what}");
    println!("\n{what:70} first time  then, ms");
    let newest = history.fetch_newest();
    let trace = newest.cx.trace;
    let session = newest.who.session_id.clone().unwrap();
    let middle = event(rows / 2).time;
    let line =
        |name: &str, (first, then): (f64, f64)| println!("{name:70} {first:10.2} {then:9.2}");
    if let Some(db) = plain {
        line(
            "a plain SELECT of the data of the newest 100 of an agent and type",
            ask(|| {
                db.prepare_cached("SELECT e.data FROM events e JOIN agents a ON a.id = e.agent_id WHERE a.agent_id = 'agent-7' AND e.event_type = 'llm.call.completed' ORDER BY e.timestamp DESC LIMIT 100")
                .unwrap()
                .query_map((), |row| row.get::<_, String>(0))
                .unwrap()
                .collect::<Result<Vec<_>, _>>()
                .unwrap()
            }),
        );
    }
    let hundred = history.limit(100);
    let views = [
        ("newest 100", hundred.clone()),
        ("newest 100 of an agent", hundred.agent("agent-7")),
        (
            "newest 100 of an agent and type",
            hundred
                .agent("agent-7")
                .event_type("llm.call.completed")
                .unwrap(),
        ),
        (
            "newest 100 of all model calls (llm.*)",
            hundred.event_type("llm.*").unwrap(),
        ),
        (
            "newest 100 by an agent's name, which 50 share, and type",
            hundred.agent("planner").event_type("tool.*").unwrap(),
        ),
        ("newest 100 errors", hundred.min_level(Level::Error)),
        (
            "100 from the middle on, oldest first",
            hundred.since(middle).oldest_first(),
        ),
        ("100 after the 10,000 newest", hundred.offset(10_000)),
        ("a trace", history.trace(trace)),
        ("a session", history.session(session)),
        ("newest 100 that mention 08-06", hundred.search("08-06")),
        (
            "newest 100 that mention what nobody says",
            hundred.search("unheard of"),
        ),
    ];
    for (name, view) in views {
        line(name, ask(|| view.fetch().unwrap()));
    }
    line("count", ask(|| history.count().unwrap()));
    line(
        "count of an agent",
        ask(|| history.agent("agent-7").count().unwrap()),
    );
    line(
        "distribution of types",
        ask(|| history.distribution(By::Type).unwrap()),
    );
    line("agents", ask(|| history.agents().unwrap()));
    line(
        "500 after a cursor in the middle",
        ask(|| store.since(Cursor::new(rows / 2), 500).unwrap()),
    );
}

trait Newest {
    fn fetch_newest(&self) -> Event;
}

impl Newest for History {
    fn fetch_newest(&self) -> Event {
        self.limit(1).fetch().unwrap().remove(0)
    }
}

fn main() {
    let rows = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next()
        .unwrap_or(1_000_000);
    let directory = tempfile::tempdir().unwrap();
    ingest(directory.path());

    let path = directory.path().join("large.db");
    let store = SqliteStore::open(&path).unwrap();
    let begun = Instant::now();
    for start in (0..rows).step_by(BATCH as usize) {
        let batch: Vec<_> = (start..rows.min(start + BATCH)).map(event).collect();
        store.append(&batch).unwrap();
    }
    let took = begun.elapsed();
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!(
        "\n{rows} events stored in {:.1} s, {:.0} a second, {} bytes each",
        took.as_secs_f64(),
        rows as f64 / took.as_secs_f64(),
        bytes / rows
    );
    let plain = Connection::open(&path).unwrap();
    questions(
        "SQLite",
        &store,
        &History::new(store.clone()),
        rows,
        Some(&plain),
    );

    let memory = MemoryStore::new();
    let kept = MemoryStore::MAX_EVENTS as u64;
    memory
        .append(&(0..kept).map(event).collect::<Vec<_>>())
        .unwrap();
    questions("memory", &memory, &History::new(memory.clone()), kept, None);

    let begun = SystemTime::now();
    let history = History::new(store.clone());
    let erased = history.agent("agent-7").erase().unwrap();
    println!(
        "\n{erased} events of an agent erased in {:.1} s",
        begun.elapsed().unwrap().as_secs_f64()
    );
}
