//! What people see who open the file with `sqlite3`.

use std::time::Duration;

use rusqlite::Connection;
use tracing_genai::event::{ErrorInfo, EventData, TraceId};
use tracing_genai::history::{EventStore, SqliteStore};

use super::events::{event, place};

/// The rows of a query as the tool prints them.
fn print(db: &Connection, sql: &str) -> String {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query(()).unwrap();
    let mut out = String::new();
    while let Some(row) = rows.next().unwrap() {
        let cell = |at| match row.get_unwrap::<_, rusqlite::types::Value>(at) {
            rusqlite::types::Value::Null => "-".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(_) => "<blob>".to_owned(),
        };
        out.push_str(&(0..columns).map(cell).collect::<Vec<_>>().join("|"));
        out.push('\n');
    }
    out
}

#[test]
fn the_documented_views_show_calls_and_runs_with_their_cost() {
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let run = |data: &mut EventData| {
        data.cx.trace = TraceId::from_bytes([1; 16]);
        data.who.agent_name = Some("planner".into());
    };
    store
        .append(&[
            event("agent.execution.started", 0, run),
            event("llm.call.started", 1, |data| {
                run(data);
                // Not counted: the call is not finished.
                data.attrs.set("gen_ai.usage.input_tokens", 1_000_000);
            }),
            event("llm.call.completed", 2, |data| {
                run(data);
                data.name = "chat gpt-4o".into();
                data.duration = Some(Duration::from_micros(1_500));
                data.attrs.set("gen_ai.provider.name", "openai");
                data.attrs.set("gen_ai.request.model", "gpt-4o");
                data.attrs.set("gen_ai.response.model", "gpt-4o-2024");
                data.attrs.set("gen_ai.usage.input_tokens", 140);
                data.attrs.set("gen_ai.usage.output_tokens", 32);
                data.attrs.set("gen_ai.usage.cost", 0.5);
            }),
            event("llm.call.failed", 3, |data| {
                run(data);
                data.attrs.set("gen_ai.request.model", "gpt-4o");
                data.error = Some(ErrorInfo::new("timeout"));
            }),
            event("tool.call.completed", 4, |data| {
                run(data);
                data.attrs.set("gen_ai.tool.name", "search");
                data.duration = Some(Duration::from_millis(20));
            }),
            event("a.b", 5, |_| ()),
        ])
        .unwrap();

    let db = Connection::open(&path).unwrap();
    assert_eq!(
        print(
            &db,
            "SELECT id, agent, outcome, provider, model, input_tokens, output_tokens, cost_usd, duration_ms, error_type
             FROM v_llm_calls ORDER BY id"
        ),
        "3|planner|completed|openai|gpt-4o-2024|140|32|0.5|1.5|-\n\
         4|planner|failed|-|gpt-4o|-|-|-|-|timeout\n"
    );
    assert_eq!(
        print(
            &db,
            "SELECT agent, outcome, tool, duration_ms, error_type FROM v_tool_calls"
        ),
        "planner|completed|search|20|-\n"
    );
    assert_eq!(
        print(
            &db,
            "SELECT trace_id, first, last, events, agents, llm_calls, tool_calls, errors,
                    input_tokens, output_tokens, cost_usd FROM v_runs"
        ),
        "01010101010101010101010101010101|2025-01-01T00:00:00.000000000Z|2025-01-01T00:00:04.000000000Z\
         |5|planner|2|1|1|140|32|0.5\n"
    );
    assert_eq!(
        print(
            &db,
            "SELECT id, agent, event_type, level, name, duration_ms FROM v_events WHERE id IN (3, 6) ORDER BY id"
        ),
        "3|planner|llm.call.completed|info|chat gpt-4o|1.5\n6|-|a.b|info|-|-\n"
    );
}
