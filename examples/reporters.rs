//! Events to receivers of your own: `cargo run --example reporters`
//!
//! Three runs of a scenario go to a log, a database, counters, and a receiver that fails now and then.
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tracing_genai::event::{Dialect, Event, EventSpec, import};
use tracing_genai::event::{
    ScenarioMessageSnapshot, ScenarioRunCompleted, ScenarioRunFailed, ScenarioRunStarted,
};
use tracing_genai::reporter::{
    ReportError, Reporter, ReporterConfigError, Reporting, ReportingBuilder, reporter_fn,
};

/// Inserts each event into a table.
struct Database(Mutex<rusqlite::Connection>);

impl Reporter for Database {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        let json = serde_json::to_string(event).map_err(ReportError::permanent)?;
        let database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = (event.ty.to_string(), json);
        // A locked database may be free in a moment.
        database
            .execute("INSERT INTO events VALUES (?, ?)", row)
            .map_err(ReportError::transient)?;
        Ok(())
    }
}

/// Counts.
#[derive(Debug, Default)]
struct Analytics {
    started: AtomicU64,
    completed: AtomicU64,
    messages: AtomicU64,
}

impl Reporter for Analytics {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        if ScenarioRunStarted::view(event).is_some() {
            self.started.fetch_add(1, Relaxed);
        } else if ScenarioRunCompleted::view(event).is_some()
            || ScenarioRunFailed::view(event).is_some()
        {
            self.completed.fetch_add(1, Relaxed);
        } else if let Some(snapshot) = ScenarioMessageSnapshot::view(event) {
            self.messages
                .fetch_add(snapshot.message_count.unwrap_or(0), Relaxed);
        }
        Ok(())
    }
}

/// Fails the first two times it sees an event, and for good where somebody was rude.
#[derive(Default)]
struct Flaky(Mutex<std::collections::HashMap<String, u32>>);

impl Reporter for Flaky {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.entry(event.id.to_string()).or_default();
        *attempt += 1;
        if event
            .body
            .as_ref()
            .is_some_and(|body| body.0.to_string().contains("stupid"))
        {
            return Err(ReportError::permanent(
                "the receiver does not take such words",
            ));
        }
        match attempt {
            1 | 2 => Err(ReportError::transient("simulated failure")),
            _ => Ok(()),
        }
    }
}

fn events_of(run: &str, question: &str) -> Result<Vec<Event>, Box<dyn std::error::Error>> {
    let common = |ty, at| json!({ "type": ty, "batch_run_id": "batch-1", "scenario_id": "weather", "scenario_run_id": run, "timestamp": at });
    let mut documents = [
        common("SCENARIO_RUN_STARTED", 1_703_123_456_000_u64),
        common("SCENARIO_MESSAGE_SNAPSHOT", 1_703_123_457_000),
        common("SCENARIO_RUN_FINISHED", 1_703_123_459_000),
    ];
    documents[0]["metadata"] = json!({ "name": "weather query" });
    documents[1]["messages"] = json!([{ "id": "1", "role": "user", "content": question }, { "id": "2", "role": "assistant", "content": "12 °C" }]);
    documents[2]["status"] = "SUCCESS".into();
    let mut events = Vec::new();
    for document in &documents {
        events.extend(
            import(Dialect::Scenario, document)?
                .into_iter()
                .map(Event::new),
        );
    }
    Ok(events)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = rusqlite::Connection::open_in_memory()?;
    database.execute("CREATE TABLE events (type TEXT, json TEXT)", ())?;
    let database = Arc::new(Database(Mutex::new(database)));
    let analytics = Arc::new(Analytics::default());
    let log = reporter_fn(|event| async move {
        println!("log        {event}");
        Ok(())
    });
    let to = |name, builder: ReportingBuilder| {
        Ok::<_, ReporterConfigError>((name, builder.name(name).build()?))
    };
    let queues = [
        to("log", Reporting::builder().reporter(log))?,
        to(
            "database",
            Reporting::builder().reporter(Arc::clone(&database)),
        )?,
        to(
            "analytics",
            Reporting::builder().reporter(Arc::clone(&analytics)),
        )?,
        to(
            "flaky",
            Reporting::builder()
                .reporter(Flaky::default())
                .max_attempts(3),
        )?,
    ];
    for (_, queue) in &queues {
        queue.listen()?;
    }
    for (run, question) in [
        ("run-1", "How warm is it?"),
        ("run-2", "Say it, stupid!"),
        ("run-3", "And tomorrow?"),
    ] {
        for event in events_of(run, question)? {
            for (_, queue) in &queues {
                queue.publish(event.clone());
            }
        }
    }
    for (name, queue) in &queues {
        let report = queue.drain(Duration::from_secs(30));
        let completed = queue.is_completed("run-2");
        println!("{name:<10} {report}; run-2 is completed: {completed}");
    }
    let database = database.0.lock().unwrap_or_else(PoisonError::into_inner);
    let rows: i64 = database.query_one("SELECT count(*) FROM events", (), |row| row.get(0))?;
    println!("database   {rows} rows\nanalytics  {analytics:?}");
    Ok(())
}
