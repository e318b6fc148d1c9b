//! What a history keeps, posted in batches from where it stopped.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tracing_genai::Loss;
use tracing_genai::event::EventId;
use tracing_genai::history::{Cursor, EventStore, History, MemoryStore, SqliteStore};
use tracing_genai::reporter::{Forwarder, HttpTarget};

use super::support::collector::{Answer, Collector, Received};
use super::support::waiting::{until, within};
use super::*;

pub(super) fn store(path: &Path, numbers: impl IntoIterator<Item = i64>) -> SqliteStore {
    let store = SqliteStore::builder().path(path).open().unwrap();
    let events: Vec<_> = numbers
        .into_iter()
        .map(|n| event("workflow.step", "r", n))
        .collect();
    store.append(&events).unwrap();
    store
}

fn memory(numbers: impl IntoIterator<Item = i64>) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let events: Vec<_> = numbers
        .into_iter()
        .map(|n| event("workflow.step", "r", n))
        .collect();
    store.append(&events).unwrap();
    store
}

fn forwarder(store: &Arc<MemoryStore>, server: &Collector) -> (Forwarder, Arc<Mutex<String>>) {
    let (voice, said) = Voice::captured();
    let history = History::from(Arc::clone(store) as Arc<dyn EventStore>);
    (Forwarder::new(history, target(server)).voice(voice), said)
}

pub(super) fn target(server: &Collector) -> HttpTarget {
    HttpTarget::new(format!("{}/events", server.endpoint())).api_key("canary-key")
}

/// The events in the body of a request.
pub(super) fn events(request: &Received) -> Vec<Event> {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body.as_object().unwrap().len(),
        1,
        "{{\"events\":[…]}} and nothing else"
    );
    serde_json::from_value(body["events"].take()).unwrap()
}

fn numbers(request: &Received) -> Vec<i64> {
    events(request).iter().map(number).collect()
}

/// The numbers in all requests that were answered with success.
fn accepted(server: &Collector) -> Vec<i64> {
    let requests = server.requests();
    requests
        .iter()
        .filter(|request| request.accepted)
        .flat_map(numbers)
        .collect()
}

#[test]
fn events_are_posted_in_batches_oldest_first_with_the_bearer_token() {
    let directory = tempfile::tempdir().unwrap();
    let server = Collector::start();
    let store = store(&directory.path().join("e.db"), 0..25);
    let forwarding = Forwarder::new(store.clone(), target(&server))
        .batch(10)
        .start()
        .unwrap();
    let stats = forwarding.flush(SOON);
    assert!(stats.in_time);
    assert_eq!(
        (stats.cursor, stats.tally.delivered, stats.tally.pending),
        (Cursor::new(25), 25, 0)
    );
    let requests = server.requests();
    let sizes: Vec<_> = requests
        .iter()
        .map(|request| numbers(request).len())
        .collect();
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(accepted(&server), (0..25).collect::<Vec<_>>());
    assert!(
        requests.iter().all(
            |request| request.header("authorization") == Some("Bearer canary-key")
                && request.path == "/events"
        )
    );
    // What comes later, comes later.
    store.append(&[event("workflow.step", "r", 25)]).unwrap();
    assert!(forwarding.flush(SOON).in_time);
    assert_eq!(numbers(server.requests().last().unwrap()), [25]);
}

#[test]
fn on_failure_the_cursor_does_not_advance_and_it_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cursor");
    let server = Collector::start();
    let store = memory(0..10);
    for answer in [
        Answer::status(500),
        Answer::status(401),
        Answer::status(404),
        Answer::status(307),
        Answer::ResetRead,
    ] {
        server.answer(answer);
    }
    let (forwarder, said) = forwarder(&store, &server);
    let forwarding = forwarder.cursor_file(&file).start().unwrap();
    let requests = server.wait_for_requests(5);
    assert!(
        requests
            .iter()
            .take(5)
            .all(|request| numbers(request) == (0..10).collect::<Vec<_>>())
    );
    until("the batch that is accepted", || {
        forwarding.stats().tally.delivered == 10
    });
    until("the cursor in its file", || {
        std::fs::read_to_string(&file).unwrap() == "10\n"
    });
    assert_eq!(accepted(&server), (0..10).collect::<Vec<_>>());
    until("what is said at the end of the trouble", || {
        said.lock().unwrap().lines().count() == 2
    });
    let said = said.lock().unwrap();
    assert!(
        said.contains("HTTP 500; it is tried again") && said.contains("takes events again"),
        "{said}"
    );
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn while_the_receiver_refuses_everybody_nothing_is_skipped() {
    let server = Collector::start();
    let store = memory(0..10);
    for _ in 0..100 {
        server.answer(Answer::status(403));
    }
    let (forwarder, _) = forwarder(&store, &server);
    let forwarding = forwarder.start().unwrap();
    let stats = forwarding.flush(Duration::from_millis(300));
    assert!(!stats.in_time);
    assert_eq!(
        (
            stats.cursor,
            stats.tally.pending,
            stats.tally.total_dropped()
        ),
        (Cursor::START, 10, 0)
    );
    server.heal();
    assert!(forwarding.flush(SOON).in_time);
    assert_eq!(accepted(&server), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_later_ones_stay_as_small() {
    let server = Collector::start();
    let store = memory(0..64);
    for _ in 0..3 {
        server.answer(Answer::status(413));
    }
    let (forwarder, said) = forwarder(&store, &server);
    let forwarding = forwarder.batch(32).start().unwrap();
    assert!(forwarding.flush(SOON).in_time);
    let sizes: Vec<_> = server
        .requests()
        .iter()
        .map(|request| numbers(request).len())
        .collect();
    assert_eq!(sizes[..4], [32, 16, 8, 4]);
    assert!(sizes[4..].iter().all(|size| *size <= 16), "{sizes:?}");
    let later: Vec<_> = sizes.iter().rev().take(8).collect();
    assert_eq!(later, [&4; 8], "{sizes:?}");
    assert_eq!(accepted(&server), (0..64).collect::<Vec<_>>());
    assert_eq!(*said.lock().unwrap(), "");
}

#[test]
fn bytes_bound_a_request_too() {
    let server = Collector::start();
    let store = memory([]);
    let large = (0..8).map(|n| {
        let mut data = event("workflow.step", "r", n).into_data();
        data.body = Some("x".repeat(3_000).into());
        data.into()
    });
    store.append(&large.collect::<Vec<Event>>()).unwrap();
    let (forwarder, _) = forwarder(&store, &server);
    let forwarding = forwarder.batch_bytes(8 * 1024).start().unwrap();
    assert!(forwarding.flush(SOON).in_time);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.body.len() <= 8 * 1024 + 2)
    );
    assert_eq!(accepted(&server), (0..8).collect::<Vec<_>>());
}

/// Refuses requests that contain an event of one of these numbers.
fn refusing(
    poison: &'static [i64],
    status: u16,
) -> (std::net::SocketAddr, Arc<Mutex<Vec<Vec<i64>>>>) {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&taken);
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            loop {
                let (mut length, mut line) = (0, String::new());
                while reader.read_line(&mut line).is_ok_and(|n| n > 0) && line != "\r\n" {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                if line.is_empty() {
                    break;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let mut body: Value = serde_json::from_slice(&body).unwrap();
                let events: Vec<Event> = serde_json::from_value(body["events"].take()).unwrap();
                let numbers: Vec<_> = events.iter().map(number).collect();
                let answer = if numbers.iter().any(|n| poison.contains(n)) {
                    format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n")
                } else {
                    seen.lock().unwrap().push(numbers);
                    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned()
                };
                (&socket).write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (address, taken)
}

#[test]
fn an_event_that_is_refused_for_good_is_found_by_halving_skipped_and_told_once() {
    for (status, why) in [
        (400, Loss::Permanent),
        (422, Loss::Permanent),
        (413, Loss::TooLarge),
    ] {
        let (address, taken) = refusing(&[13, 40], status);
        let store = memory(0..64);
        let (voice, said) = Voice::captured();
        let history = History::from(store as Arc<dyn EventStore>);
        let forwarding = Forwarder::new(history, format!("http://{address}/"))
            .batch(32)
            .voice(voice)
            .start()
            .unwrap();
        let stats = forwarding.flush(SOON);
        assert!(stats.in_time);
        assert_eq!(
            (stats.tally.delivered, stats.tally.accepted),
            (62, 64),
            "{status}"
        );
        assert_eq!(stats.tally.dropped.get(&why), Some(&2));
        let taken: Vec<_> = taken.lock().unwrap().iter().flatten().copied().collect();
        let others: Vec<_> = (0..64).filter(|n| ![13, 40].contains(n)).collect();
        assert_eq!(taken, others, "{status}");
        let said = said.lock().unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.contains("an event is skipped") && said.contains("\"number\":13"),
            "{said}"
        );
    }
}

#[test]
fn it_goes_on_from_its_file_and_posts_nothing_again_that_was_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let (db, file) = (
        directory.path().join("e.db"),
        directory.path().join("cursor"),
    );
    let server = Collector::start();
    for (from, to) in [(0, 7), (7, 7), (7, 20)] {
        let store = store(&db, from..to);
        let forwarding = Forwarder::new(store, target(&server))
            .cursor_file(&file)
            .start()
            .unwrap();
        assert!(forwarding.flush(SOON).in_time);
        assert_eq!(
            forwarding.stop().cursor,
            Cursor::new(u64::try_from(to).unwrap())
        );
    }
    assert_eq!(accepted(&server), (0..20).collect::<Vec<_>>());
}

#[test]
fn a_batch_whose_answer_was_lost_is_posted_again_so_that_nothing_is_missing() {
    let server = Collector::start();
    let store = memory(0..10);
    server.answer(Answer::ResetRead);
    let (forwarder, _) = forwarder(&store, &server);
    let forwarding = forwarder.batch(5).start().unwrap();
    assert!(forwarding.flush(SOON).in_time);
    let ids = |request: &Received| -> Vec<EventId> {
        events(request).iter().map(|event| event.id).collect()
    };
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(
        ids(&requests[0]),
        ids(&requests[1]),
        "repeats are told by their ids"
    );
}

#[test]
fn the_interval_brings_what_is_stored_later_without_being_asked() {
    let server = Collector::start();
    let store = memory([]);
    let (forwarder, _) = forwarder(&store, &server);
    let _forwarding = forwarder
        .interval(Duration::from_millis(20))
        .start()
        .unwrap();
    for n in 0..3 {
        store.append(&[event("workflow.step", "r", n)]).unwrap();
        server.wait_for("the event", |requests| {
            let accepted = requests.iter().filter(|request| request.accepted);
            accepted.flat_map(numbers).any(|found| found == n)
        });
    }
    assert_eq!(accepted(&server), [0, 1, 2]);
}

#[test]
fn stopping_and_dropping_wait_for_no_receiver_that_hangs() {
    let server = Collector::start();
    let store = memory(0..3);
    server.answer(Answer::Hang);
    let (forwarder, _) = forwarder(&store, &server);
    let forwarding = forwarder.start().unwrap();
    server.wait_for_requests(1);
    within("stopping", move || {
        let begun = Instant::now();
        assert_eq!(forwarding.stop().tally.delivered, 0);
        assert!(begun.elapsed() < Forwarder::STOP_TIMEOUT + SOON);
        drop(forwarding);
    });
}

#[test]
fn a_narrowed_history_is_forwarded_as_far_as_it_reaches() {
    let server = Collector::start();
    let store = memory([]);
    let mixed = (0..9).map(|n| {
        event(
            ["workflow.step", "llm.call.completed", "tool.call.failed"][n % 3],
            "r",
            n as i64,
        )
    });
    store.append(&mixed.collect::<Vec<_>>()).unwrap();
    let history = History::from(store as Arc<dyn EventStore>)
        .event_type("*.failed")
        .unwrap();
    let forwarding = Forwarder::new(history, target(&server))
        .batch(2)
        .start()
        .unwrap();
    let stats = forwarding.flush(SOON);
    assert_eq!(
        (stats.tally.accepted, stats.tally.delivered, stats.cursor),
        (3, 3, Cursor::new(9))
    );
    assert_eq!(accepted(&server), [2, 5, 8]);
}

#[test]
fn what_the_store_dropped_before_it_was_forwarded_is_counted() {
    let server = Collector::start();
    let store = Arc::new(MemoryStore::with_limits(4, 1 << 20));
    let events: Vec<_> = (0..10).map(|n| event("workflow.step", "r", n)).collect();
    store.append(&events).unwrap();
    let (forwarder, _) = forwarder(&store, &server);
    let stats = forwarder.start().unwrap().flush(SOON);
    assert_eq!((stats.missed, stats.tally.delivered), (6, 4));
}

#[test]
fn what_cannot_work_is_said_when_it_is_started() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cursor");
    let server = Collector::start();
    let new = || forwarder(&memory([]), &server).0;
    let wrong = |forwarder: Forwarder| forwarder.start().unwrap_err().to_string();
    assert!(wrong(new().interval(Duration::ZERO)).contains("`interval`"));
    assert!(wrong(new().batch(0)).contains("`batch`"));
    assert!(wrong(new().batch_bytes(0)).contains("`batch_bytes`"));
    assert!(wrong(Forwarder::new(MemoryStore::new(), "")).contains("it is empty"));
    assert!(
        wrong(Forwarder::new(MemoryStore::new(), "http://events.example")).contains("unencrypted")
    );
    std::fs::write(&file, "not a cursor").unwrap();
    assert!(wrong(new().cursor_file(&file)).contains("does not hold a cursor"));
    std::fs::write(&file, "3\n").unwrap();
    let first = new().cursor_file(&file).start().unwrap();
    assert!(wrong(new().cursor_file(&file)).contains("another forwarder uses it"));
    drop(first);
    assert_eq!(
        new().cursor_file(&file).start().unwrap().stats().cursor,
        Cursor::new(3)
    );
    assert!(
        wrong(new().cursor_file(directory.path().join("cursor/below")))
            .contains("making its directory")
    );
}
