//! Where it begins and ends: builds that fail, runtimes, clocks, and floods.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use opentelemetry_sdk::trace::InMemorySpanExporter;
use serde_json::json;
use tracing_genai::{Telemetry, TelemetryBuilder, agent, chat};
use tracing_subscriber::prelude::*;

use super::client::{Live, SOON, get, run};
use super::{builder, record, url};

fn free_address() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn a_build_that_fails_later_has_freed_the_port_when_it_returns() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for _ in 0..20 {
        let address = free_address();
        let failed = Telemetry::builder("x")
            .environment(|_| None)
            .otlp(tracing_genai::otlp::OtlpConfig::new().endpoint("http://127.0.0.1:4317"))
            .spool(tracing_genai::otlp::SpoolConfig::new(
                file.join("in a file"),
            ))
            .viewer(address.to_string())
            .build();
        println!("{}", failed.unwrap_err());
        TcpListener::bind(address).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_and_a_runtime_around_it_mean_nothing_to_the_page() {
    let address = {
        let telemetry = builder().build().unwrap();
        record(&telemetry, || chat("openai", "gpt-4o").start().complete());
        telemetry.flush(SOON);
        let address = telemetry.viewer().unwrap().address();
        let told = tokio::task::spawn_blocking(move || {
            super::client::raw(
                address,
                "GET /api/search?q= HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            )
        });
        assert!(told.await.unwrap().contains("chat gpt-4o"));
        address
    };
    TcpListener::bind(address).unwrap();
}

#[test]
fn dropped_without_a_runtime_it_frees_the_port_whoever_still_holds_its_handle() {
    let telemetry = builder().build().unwrap();
    let handle = telemetry.viewer().unwrap().clone();
    drop(telemetry);
    TcpListener::bind(handle.address()).unwrap();
}

#[test]
fn with_a_fixed_clock_the_page_changes_no_time_and_no_id() {
    let spans = |change: fn(TelemetryBuilder) -> TelemetryBuilder| {
        let exporter = InMemorySpanExporter::default();
        let telemetry = change(Telemetry::builder("x").environment(|_| None))
            .deterministic(Duration::from_millis(1))
            .span_exporter(exporter.clone())
            .build()
            .unwrap();
        record(&telemetry, || {
            agent("a").in_scope(|_| {
                chat("openai", "gpt-4o").start().complete();
                Ok::<_, String>(())
            })
        })
        .unwrap();
        telemetry.flush(SOON);
        let spans = exporter.get_finished_spans().unwrap();
        let mut spans: Vec<String> = spans
            .iter()
            .map(|span| {
                format!(
                    "{} {:?} {:?} {:?}",
                    span.name, span.span_context, span.start_time, span.end_time
                )
            })
            .collect();
        spans.sort();
        spans
    };
    assert_eq!(
        spans(|builder| builder.viewer("127.0.0.1:0")),
        spans(|builder| builder)
    );
}

#[tokio::test]
async fn two_installations_with_the_same_ids_show_their_own() {
    let fixed = || {
        builder()
            .deterministic(Duration::from_millis(1))
            .build()
            .unwrap()
    };
    let (one, two) = (fixed(), fixed());
    record(&one, || chat("openai", "one").start().complete());
    record(&two, || chat("openai", "two").start().complete());
    one.flush(SOON);
    two.flush(SOON);
    for (telemetry, name) in [(&one, "chat one"), (&two, "chat two")] {
        let (_, found) = get(&format!("{}api/search?q=", url(telemetry))).await;
        assert_eq!(found["spans"].as_array().unwrap().len(), 1);
        assert_eq!(found["spans"][0]["name"], name);
    }
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_begins_anew() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || chat("openai", "gpt-4o").start().complete());
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let cursor = live.named("changes").await.id.unwrap();
    let (process, _) = cursor.split_once('-').unwrap();
    for change in ["1000000", "18446744073709551615"] {
        let mut live = Live::open(&url(&telemetry), &format!("?cursor={process}-{change}")).await;
        let mut names = Vec::new();
        for _ in 0..3 {
            names.push(live.next().await.map(|message| message.name));
        }
        assert_eq!(
            names,
            ["hello", "reset", "changes"].map(|name| Some(name.to_owned())),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_run_that_is_open_shows_no_error_yet() {
    let telemetry = builder().build().unwrap();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let open = agent("open").start();
    open.set("error.type", "so far");
    let mut live = Live::open(&url(&telemetry), "").await;
    let row = live
        .until(|changes| run(changes, "invoke_agent open").cloned())
        .await;
    assert_eq!(
        (&row["status"], &row["error"]),
        (&json!("open"), &json!(null))
    );
}

/// How many of the requests were not turned away.
fn served(streams: &[TcpStream]) -> usize {
    let served = streams.iter().filter(|stream| {
        let (mut stream, mut head) = (*stream, [0; 12]);
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        stream.read_exact(&mut head).is_ok() && head.ends_with(b" 200")
    });
    served.count()
}

#[test]
fn pages_that_come_all_at_once_are_no_more_than_the_places() {
    let telemetry = builder().build().unwrap();
    let address = telemetry.viewer().unwrap().address();
    let streams: Vec<TcpStream> = (0..120)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for mut stream in &streams {
        stream
            .write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
    }
    let served = served(&streams);
    assert_eq!(served, 64);
}

#[test]
fn a_flood_of_connections_takes_no_more_than_its_places_and_the_others_come_up() {
    let telemetry = builder().build().unwrap();
    let address = telemetry.viewer().unwrap().address();
    // Less than the system lets wait to be accepted.
    let mut flood: Vec<TcpStream> = (0..220)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for mut stream in &flood {
        stream
            .write_all(b"GET /api/search?q= HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
    }
    let waiting = flood.split_off(128);
    assert_eq!(served(&flood), 128);
    for stream in &waiting {
        stream.set_nonblocking(true).unwrap();
        let told = (&*stream).read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(told, Err(std::io::ErrorKind::WouldBlock));
        stream.set_nonblocking(false).unwrap();
    }
    drop(flood);
    assert_eq!(served(&waiting), waiting.len());
}

#[tokio::test]
async fn what_is_switched_off_and_on_leaves_no_span_open() {
    let telemetry = builder().build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let mut live = Live::open(&url(&telemetry), "").await;
    let open = agent("switched").start();
    live.until(|changes| run(changes, "invoke_agent switched").map(|_| ()))
        .await;
    telemetry.disable();
    open.in_scope(|| chat("openai", "unseen").start().complete());
    open.complete();
    let row = live.ended("invoke_agent switched").await;
    assert_eq!(
        (&row["status"], &row["spans"]),
        (&json!("completed"), &json!(1))
    );
    telemetry.enable();
    chat("openai", "seen").start().complete();
    live.until(|changes| run(changes, "chat seen").map(|_| ()))
        .await;
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_makes_no_time_negative() {
    use std::sync::atomic::Ordering;
    let wall = std::sync::Arc::<std::sync::atomic::AtomicU64>::default();
    let telemetry = builder()
        .wall_clock(std::sync::Arc::clone(&wall))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let mut live = Live::open(&url(&telemetry), "").await;
    let open = agent("back").start();
    live.until(|changes| run(changes, "invoke_agent back").map(|_| ()))
        .await;
    wall.fetch_sub(3_600_000_000_000, Ordering::Relaxed);
    open.in_scope(|| chat("openai", "gpt-4o").start().complete());
    open.complete();
    let row = live.ended("invoke_agent back").await;
    let (start, end) = (row["start"].as_u64().unwrap(), row["end"].as_u64().unwrap());
    assert!(start <= end && end - start < 60_000_000, "{row:#}");
}

#[tokio::test]
async fn spans_that_end_after_the_shutdown_change_nothing() {
    let telemetry = builder().build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _subscriber = tracing::subscriber::set_default(subscriber);
    let mut live = Live::open(&url(&telemetry), "").await;
    live.named("changes").await;
    let open = agent("late").start();
    assert!(telemetry.shutdown().is_complete());
    open.complete();
    chat("openai", "afterwards").start().complete();
    let row = live
        .until(|changes| run(changes, "invoke_agent late").cloned())
        .await;
    assert_eq!(row["status"], "canceled");
    live.named("bye").await;
    assert!(telemetry.stats().viewer.unwrap().is_balanced());
}
