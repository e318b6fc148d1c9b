//! What is told while it happens, and to those who were away.

use std::time::{Duration, Instant};

use serde_json::json;
use tracing_genai::event::{Dialect, Usage};
use tracing_genai::viewer::Viewer;
use tracing_genai::{agent, chat};
use tracing_subscriber::prelude::*;

use super::client::{Live, SOON, get, run};
use super::{builder, record, url};

fn call(name: &str) {
    chat("openai", name)
        .start()
        .usage(Usage::new().input(3).output(1))
        .complete();
}

#[tokio::test]
async fn a_span_that_is_open_is_seen_before_it_ends() {
    let telemetry = builder().build().unwrap();
    let mut live = Live::open(&url(&telemetry), "").await;
    assert_eq!(live.next().await.unwrap().name, "hello");
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let agent = agent("slow").start();
    let row = live
        .until(|changes| run(changes, "invoke_agent slow").cloned())
        .await;
    assert_eq!(
        (&row["status"], &row["open"], &row["agent"]),
        (&json!("open"), &json!(1), &json!("slow"))
    );
    assert!(row["end"].is_null());
    agent.complete();
    let row = live.ended("invoke_agent slow").await;
    assert_eq!(
        (&row["status"], &row["spans"]),
        (&json!("completed"), &json!(1))
    );
}

#[tokio::test]
async fn what_another_system_tells_is_seen_before_it_ends() {
    let telemetry = builder().build().unwrap();
    let mut live = Live::open(&url(&telemetry), "").await;
    let tell = |event: serde_json::Value| {
        assert_eq!(telemetry.import(Dialect::CrewAi, &event).unwrap(), 1);
    };
    tell(json!({
        "type": "crew_kickoff_started", "event_id": "6f2c8a1e-0000-4000-8000-000000000001",
        "timestamp": "2024-06-01T12:00:00Z", "crew_name": "trip",
    }));
    let row = live
        .until(|changes| changes["runs"].as_array()?.first().cloned())
        .await;
    assert_eq!((&row["status"], &row["open"]), (&json!("open"), &json!(1)));
    let name = row["name"].as_str().unwrap();
    assert!(name.contains("trip"), "{row}");
    tell(json!({
        "type": "crew_kickoff_completed", "event_id": "6f2c8a1e-0000-4000-8000-000000000002",
        "timestamp": "2024-06-01T12:00:09Z", "crew_name": "trip",
        "started_event_id": "6f2c8a1e-0000-4000-8000-000000000001",
    }));
    let row = live.ended(name).await;
    assert_eq!(
        (&row["status"], &row["spans"]),
        (&json!("completed"), &json!(1))
    );
    let lasted = row["end"].as_u64().unwrap() - row["start"].as_u64().unwrap();
    assert_eq!(lasted, 9_000_000);
}

#[tokio::test]
async fn the_watched_runs_spans_come_with_its_changes() {
    let telemetry = builder().build().unwrap();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let agent = agent("watched").start();
    let mut live = Live::open(&url(&telemetry), "").await;
    let trace = live
        .until(|changes| {
            run(changes, "invoke_agent watched")
                .map(|run| run["trace"].as_str().unwrap().to_owned())
        })
        .await;
    let mut live = Live::open(&url(&telemetry), &format!("?run={trace}")).await;
    agent.in_scope(|| call("inside"));
    call("outside");
    let names = live
        .until(|changes| {
            let spans = changes["spans"].as_array()?;
            let names: Vec<String> = spans
                .iter()
                .map(|span| span["name"].as_str().unwrap().to_owned())
                .collect();
            names.contains(&"chat inside".to_owned()).then_some(names)
        })
        .await;
    assert!(!names.contains(&"chat outside".to_owned()), "{names:?}");
    agent.complete();
}

#[tokio::test]
async fn a_browser_that_comes_back_is_told_what_changed_since_and_nothing_else() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || call("before"));
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let seen = live.named("changes").await;
    assert!(run(&seen.data, "chat before").is_some());
    drop(live);
    record(&telemetry, || call("meanwhile"));
    telemetry.flush(SOON);

    // By itself, with the header; and because the page says so, in the address.
    let request = reqwest::Client::new()
        .get(format!("{}api/live?cursor=0-0", url(&telemetry)))
        .header("Last-Event-ID", seen.id.clone().unwrap());
    let by_itself = Live::of(request.send().await.unwrap());
    let told = Live::open(&url(&telemetry), &format!("?cursor={}", seen.id.unwrap())).await;
    for mut live in [by_itself, told] {
        assert_eq!(live.next().await.unwrap().name, "hello");
        let changes = live.next().await.unwrap();
        assert_eq!(changes.name, "changes");
        assert!(run(&changes.data, "chat meanwhile").is_some());
        assert!(run(&changes.data, "chat before").is_none());
    }
}

#[tokio::test]
async fn a_cursor_of_another_process_or_of_nobody_begins_anew() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || call("here"));
    telemetry.flush(SOON);
    for old in [
        "1234-99",
        "0-0",
        "nonsense",
        "-",
        "%00",
        "18446744073709551616-1",
    ] {
        let mut live = Live::open(&url(&telemetry), &format!("?cursor={old}")).await;
        let names = [
            live.next().await.unwrap(),
            live.next().await.unwrap(),
            live.next().await.unwrap(),
        ];
        let names: Vec<&str> = names.iter().map(|message| message.name.as_str()).collect();
        assert_eq!(names, ["hello", "reset", "changes"], "{old}");
    }
}

#[tokio::test]
async fn the_oldest_runs_make_room_and_the_page_is_told_which() {
    let telemetry = builder()
        .viewer(Viewer::new("127.0.0.1:0").spans(10))
        .build()
        .unwrap();
    record(&telemetry, || (0..8).for_each(|n| call(&format!("m{n}"))));
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let first = live.named("changes").await;
    assert_eq!(first.data["runs"].as_array().unwrap().len(), 8);
    let numbers = |runs: &serde_json::Value| -> Vec<u64> {
        runs.as_array()
            .unwrap()
            .iter()
            .map(|run| run["run"].as_u64().unwrap())
            .collect()
    };
    let mut known = numbers(&first.data["runs"]);
    record(&telemetry, || (8..14).for_each(|n| call(&format!("m{n}"))));
    telemetry.flush(SOON);
    let (gone, books) = live
        .until(|changes| {
            let books = changes["books"].clone();
            (books["forgotten"] == 4).then(|| (changes["gone"].clone(), books))
        })
        .await;
    known.truncate(4);
    assert_eq!(gone, json!(known));
    assert_eq!(books, json!({"spans": 10, "forgotten": 4, "missed": 0}));
    let trace = first.data["runs"][0]["trace"].as_str().unwrap();
    let (status, answer) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
    assert_eq!((status.as_u16(), answer["error"].is_string()), (404, true));
}

#[tokio::test]
async fn one_run_that_is_larger_than_the_room_keeps_its_root_its_end_and_its_totals() {
    let telemetry = builder()
        .viewer(Viewer::new("127.0.0.1:0").spans(100))
        .build()
        .unwrap();
    record(&telemetry, || {
        agent("busy").in_scope(|_| {
            (0..1_000).for_each(|_| call("gpt-4o"));
            Ok::<_, String>(())
        })
    })
    .unwrap();
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let row = live
        .until(|changes| {
            run(changes, "invoke_agent busy")
                .filter(|run| run["status"] == "completed")
                .cloned()
        })
        .await;
    assert_eq!(
        (&row["calls"], &row["input"], &row["spans"]),
        (&json!(1_000), &json!(3_000), &json!(1_001))
    );
    let (_, shown) = get(&format!(
        "{}api/runs/{}",
        url(&telemetry),
        row["trace"].as_str().unwrap()
    ))
    .await;
    assert!(shown["spans"].as_array().unwrap().len() <= 100);
}

#[tokio::test]
async fn a_thousand_events_a_second_are_told_without_falling_behind() {
    let telemetry = builder().build().unwrap();
    let mut live = Live::open(&url(&telemetry), "").await;
    live.named("hello").await;
    let begun = Instant::now();
    record(&telemetry, || {
        for n in 0..3_000 {
            call("gpt-4o");
            let due = begun + Duration::from_millis(n);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        call("last");
    });
    telemetry.flush(SOON);
    let ended = Instant::now();
    let books = live
        .until(|changes| run(changes, "chat last").map(|_| changes["books"].clone()))
        .await;
    let behind = ended.elapsed();
    println!(
        "3,001 spans in {:?}, the last one told {behind:?} after its flush",
        ended - begun
    );
    assert_eq!(books, json!({"spans": 3_001, "forgotten": 0, "missed": 0}));
}

#[tokio::test]
async fn a_shutdown_says_goodbye_and_frees_the_port() {
    let telemetry = builder().build().unwrap();
    let address = telemetry.viewer().unwrap().address();
    let mut live = Live::open(&url(&telemetry), "").await;
    live.named("changes").await;
    let open = record(&telemetry, || agent("interrupted").start());
    assert!(telemetry.shutdown().is_complete());
    drop(open);
    let last = live
        .until(|changes| run(changes, "invoke_agent interrupted").cloned())
        .await;
    assert_eq!(last["status"], "canceled");
    live.named("bye").await;
    assert!(live.next().await.is_none());
    std::net::TcpListener::bind(address).unwrap();
}
