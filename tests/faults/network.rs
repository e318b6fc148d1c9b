//! Faults of the network and of the collector: F2 to F7.

use std::collections::{HashSet, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use tracing_genai::files::JsonFile;
use tracing_genai::otlp::{OtlpConfig, Protocol, Signal};
use tracing_genai::{Loss, Telemetry, chat, event};

use crate::support::books::{Acks, settle};
use crate::support::collector::{Answer, Collector, closed_address};
use crate::support::waiting::{alone, child, is_alone, until};
use crate::{BOTH, SOON, builder, numbers, record, spans, to};

/// Tries until everything has been settled. Each flush cuts the wait between two tries short, but for one the receiver asked for.
fn hurry(telemetry: &Telemetry) {
    let begun = Instant::now();
    while !telemetry.flush(Duration::from_millis(20)).in_time {
        assert!(begun.elapsed() < SOON, "{}", telemetry.stats());
    }
}

fn only_traces(config: OtlpConfig) -> OtlpConfig {
    config.without(Signal::Logs).without(Signal::Metrics)
}

// === F2 ===

#[test]
fn f02_without_a_spool_an_outage_costs_the_newest_beyond_the_bound_exactly_counted_and_told_at_start_and_end()
 {
    let test = "network::f02_without_a_spool_an_outage_costs_the_newest_beyond_the_bound_exactly_counted_and_told_at_start_and_end";
    const BOUND: usize = 64 << 10;
    let said = alone(test, || {
        for protocol in BOTH {
            let address = closed_address();
            let config = to(&format!("http://{address}"), protocol);
            let telemetry = builder(config)
                .queue_bytes(BOUND)
                .batch_records(10)
                .build()
                .unwrap();
            let padding = "x".repeat(400);
            for ten in 0..40 {
                record(&telemetry, || {
                    for n in ten * 10..ten * 10 + 10_u64 {
                        tracing::info_span!("work", n, padding).in_scope(|| {});
                    }
                });
                until("the thread has taken them", || {
                    telemetry.stats().capture.pending == 0
                });
            }
            let traces = telemetry.stats().traces.unwrap();
            let lost = traces.dropped[&Loss::QueueBytes];
            assert_eq!(
                (traces.accepted, traces.pending),
                (400, 400 - lost),
                "{traces:?}"
            );
            assert!(lost > 0 && traces.pending > 0);

            let collector = Collector::start_at(address);
            hurry(&telemetry);
            // What was kept is the beginning, unbroken, and was within the bound.
            assert_eq!(
                numbers(&collector),
                (0..400 - lost).collect::<Vec<_>>(),
                "{protocol}"
            );
            // Each flush sent metrics too, and what was slow to be answered may have come twice.
            let requests = collector.requests().into_iter();
            let bodies: HashSet<_> = requests
                .filter(|request| request.signal == Some(Signal::Traces))
                .map(|request| request.body)
                .collect();
            let kept: usize = bodies.iter().map(|body| body.len()).sum();
            assert!(kept <= BOUND, "{kept} bytes were held");
            let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
            assert_eq!(ended.traces().dropped[&Loss::QueueBytes], lost);
            println!("{protocol}: {lost} lost");
        }
    });
    let Some(said) = said else { return };
    // For each protocol's own address, but topics are the process's: the second outage comes within the quiet time of the first.
    let count = |text: &str| said.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("traces do not reach"), 1, "{said}");
    assert_eq!(count("of traces wait for"), 1, "{said}");
    assert_eq!(count("traces reach"), 1, "{said}");
    let end = said.lines().find(|line| line.contains("traces reach"));
    assert!(
        end.unwrap().contains("records were lost meanwhile"),
        "{said}"
    );
}

// === F3 ===

#[test]
fn f03_a_collector_that_hangs_costs_other_outlets_nothing_and_shutdown_keeps_its_time_and_says_what_is_left()
 {
    assert_eq!(OtlpConfig::DEFAULT_TIMEOUT, Duration::from_secs(10));
    for protocol in BOTH {
        for fault in [Answer::Hang, Answer::Drip(200)] {
            let (hanging, healthy) = (Collector::start(), Collector::start());
            hanging.always(Signal::Traces, fault.clone());
            let logs = match protocol {
                Protocol::Grpc => healthy.endpoint(),
                _ => format!("{}/v1/logs", healthy.endpoint()),
            };
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("events.jsonl");
            let config = to(&hanging.endpoint(), protocol)
                .endpoint_for(Signal::Logs, logs)
                .without(Signal::Metrics)
                .timeout(Duration::from_millis(200));
            let telemetry = builder(config).json_file(&file).build().unwrap();
            record(&telemetry, || {
                for _ in 0..5 {
                    chat("openai", "m").start().complete();
                }
                event("order.placed").emit();
            });
            // The request is given up at its timeout, and the batch tried again.
            hanging.wait_for_requests(2);
            until("the logs arrive all the same", || {
                !healthy.log_records().is_empty()
            });
            until("the file has everything", || {
                JsonFile::read(&file).unwrap().filter(Result::is_ok).count() == 11
            });
            let begun = Instant::now();
            let ended = settle(
                &telemetry,
                None,
                Duration::from_millis(100),
                Duration::from_secs(1),
            );
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(5), "{took:?}");
            assert!(!ended.flushed.in_time && !ended.ended.is_complete());
            assert_eq!(ended.flushed.traces.as_ref().unwrap().pending, 5);
            let traces = ended.traces();
            assert_eq!(
                traces.dropped[&Loss::ShutdownTimeout],
                5,
                "{protocol} {fault:?}"
            );
            let logs = ended.ended.logs.unwrap();
            assert_eq!(logs.delivered, healthy.log_records().len() as u64);
            assert!(hanging.spans().is_empty());
        }
    }
}

// === F4 ===

/// `google.rpc.Status` with a `RetryInfo` of so many seconds, as the header has it.
fn retry_info(seconds: u8) -> String {
    let mut detail = vec![0x0a, 40];
    detail.extend_from_slice(b"type.googleapis.com/google.rpc.RetryInfo");
    detail.extend_from_slice(&[0x12, 4, 0x0a, 2, 0x08, seconds]);
    let mut status = vec![0x1a, u8::try_from(detail.len()).unwrap()];
    status.extend(detail);
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(status)
}

/// What becomes of the first request's batch.
enum Then {
    /// Sent again, not before.
    NotBefore(SystemTime),
    /// Sent again at some time.
    Again,
    /// Still kept, and not sent again soon.
    Kept,
}

#[test]
fn f04_a_wait_the_receiver_asks_for_is_never_cut_short_and_nonsense_is_no_wait() {
    let now = SystemTime::now();
    let seconds = Duration::from_secs;
    let date = |at| httpdate(at);
    let http = |status, value: &str| Answer::with(status, &[("retry-after", value)], "");
    let grpc =
        |code, seconds| Answer::grpc(code, &[("grpc-status-details-bin", &*retry_info(seconds))]);
    let mut cases = Vec::new();
    for status in [429, 503] {
        for (value, then) in [
            ("1".to_owned(), Then::NotBefore(now + seconds(1))),
            ("0".to_owned(), Then::Again),
            (
                date(now + seconds(3)),
                // Dates have no fractions.
                Then::NotBefore(now + seconds(2)),
            ),
            (date(now - seconds(3_600)), Then::Again),
            ("86400".to_owned(), Then::Kept),
            ("9".repeat(40), Then::Kept),
            (date(now + seconds(86_400)), Then::Kept),
            ("soon".to_owned(), Then::Again),
            ("-5".to_owned(), Then::Again),
            ("1.5".to_owned(), Then::Again),
            (String::new(), Then::Again),
        ] {
            cases.push((Protocol::HttpProtobuf, http(status, &value), then));
        }
    }
    for code in [8, 14] {
        cases.push((
            Protocol::Grpc,
            grpc(code, 1),
            Then::NotBefore(now + seconds(1)),
        ));
        cases.push((Protocol::Grpc, grpc(code, 100), Then::Kept));
    }
    cases.push((Protocol::Grpc, Answer::grpc(14, &[]), Then::Again));
    std::thread::scope(|scope| {
        for (protocol, answer, then) in cases {
            scope.spawn(move || {
                let collector = Collector::start();
                collector.answer(answer.clone());
                let config = only_traces(to(&collector.endpoint(), protocol));
                let telemetry = builder(config).build().unwrap();
                spans(&telemetry, 0..3);
                let first = collector.wait_for_requests(1)[0].at;
                if let Then::Kept = then {
                    // Somebody waiting is no reason to try earlier.
                    let ended = settle(
                        &telemetry,
                        Some((&collector, Acks::Arrive)),
                        Duration::from_millis(1_200),
                        Duration::from_millis(300),
                    );
                    assert_eq!(collector.requests().len(), 1, "{answer:?}");
                    assert_eq!(ended.flushed.traces.unwrap().pending, 3);
                    assert_eq!(
                        ended.ended.traces.unwrap().dropped[&Loss::ShutdownTimeout],
                        3
                    );
                    return;
                }
                hurry(&telemetry);
                let requests = collector.requests();
                assert_eq!(requests.len(), 2, "{answer:?}");
                if let Then::NotBefore(time) = then {
                    let asked = time.duration_since(now).unwrap();
                    // The threads of a busy machine may have sent the first one late; a wait in seconds counts from then.
                    let relative = requests[1].at - first >= asked;
                    let absolute = SystemTime::now() >= time;
                    assert!(relative || absolute, "{answer:?}");
                }
                let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
                assert_eq!(ended.traces().delivered, 3);
            });
        }
    });
}

/// An HTTP date.
fn httpdate(at: SystemTime) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][(days % 7) as usize];
    // Days since 0000-03-01, in eras of 400 years.
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = [
        "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb",
    ][m as usize];
    let year = year_of_era + era * 400 + u64::from(m >= 10);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

// === F5 ===

#[test]
fn f05_every_status_from_200_to_599_costs_exactly_one_request_or_is_tried_again() {
    for protocol in BOTH {
        let collector = Collector::start();
        let config = only_traces(to(&collector.endpoint(), protocol));
        let telemetry = builder(config).build().unwrap();
        let (mut sent, mut delivered, mut dropped) = (0, 0, 0);
        for status in 200..=599 {
            collector.answer(Answer::status(status));
            spans(&telemetry, u64::from(status)..u64::from(status) + 1);
            hurry(&telemetry);
            let requests = match status {
                429 | 502 | 503 | 504 => 2,
                _ => 1,
            };
            let arrives = requests == 2 || (status < 300 && protocol == Protocol::HttpProtobuf);
            (sent, delivered, dropped) = (
                sent + requests,
                delivered + u64::from(arrives),
                dropped + u64::from(!arrives),
            );
            let traces = telemetry.stats().traces.unwrap();
            assert_eq!(collector.requests().len(), sent, "{protocol} {status}");
            assert_eq!(traces.delivered, delivered, "{protocol} {status}");
            assert_eq!(
                traces.dropped.get(&Loss::Permanent).copied(),
                Some(dropped).filter(|n| *n > 0),
                "{protocol} {status}"
            );
        }
        // The scripted answers do not say what the collector kept, so only the books are checked.
        settle(&telemetry, None, SOON, SOON);
    }
}

#[test]
fn f05_every_grpc_code_costs_exactly_one_request_or_is_tried_again() {
    let collector = Collector::start();
    let config = only_traces(to(&collector.endpoint(), Protocol::Grpc));
    let telemetry = builder(config).build().unwrap();
    let mut sent = 0;
    for code in (1..=18).chain([99, -1]) {
        collector.answer(Answer::grpc(code, &[]));
        spans(&telemetry, 0..1);
        hurry(&telemetry);
        sent += match code {
            1 | 4 | 10 | 11 | 14 | 15 => 2,
            _ => 1,
        };
        assert_eq!(collector.requests().len(), sent, "{code}");
    }
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    let traces = ended.traces();
    assert_eq!((traces.accepted, traces.delivered), (20, 6));
    assert_eq!(traces.dropped[&Loss::Permanent], 14);
}

/// Reads a request, and gives its body.
fn request(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    socket.read_exact(&mut body).ok()?;
    Some(body)
}

/// A server that answers each connection once with a bare status line, 200 when nothing is scripted, and closes it.
fn bare_server(script: Arc<Mutex<VecDeque<u16>>>) -> (SocketAddr, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&requests);
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            if request(&mut socket).is_none() {
                continue;
            }
            *seen.lock().unwrap() += 1;
            let status = script.lock().unwrap().pop_front();
            let answer = match status {
                Some(status) => format!("HTTP/1.1 {status} Bare\r\n\r\n"),
                None => {
                    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
                }
            };
            let _ = socket.write_all(answer.as_bytes());
        }
    });
    (address, requests)
}

#[test]
fn f05_a_status_from_100_to_199_and_nothing_after_it_is_no_answer() {
    let script = Arc::new(Mutex::new(VecDeque::new()));
    let (address, requests) = bare_server(Arc::clone(&script));
    let config = only_traces(to(&format!("http://{address}"), Protocol::HttpProtobuf));
    let telemetry = builder(config).build().unwrap();
    let mut dropped = 0;
    for status in 100..=199 {
        let before = *requests.lock().unwrap();
        script.lock().unwrap().push_back(status);
        spans(&telemetry, 0..1);
        hurry(&telemetry);
        let sent = *requests.lock().unwrap() - before;
        // 101 is an answer: it agrees to what nobody asked for.
        assert_eq!(sent, if status == 101 { 1 } else { 2 }, "{status}");
        dropped += u64::from(sent == 1);
    }
    let ended = settle(&telemetry, None, SOON, SOON);
    let traces = ended.traces();
    assert_eq!(
        (traces.delivered, traces.total_dropped()),
        (100 - dropped, dropped)
    );
}

#[test]
fn f05_a_refusal_is_told_once_an_hour_and_not_with_every_batch() {
    let test = "network::f05_a_refusal_is_told_once_an_hour_and_not_with_every_batch";
    let said = alone(test, || {
        for protocol in BOTH {
            let collector = Collector::start();
            let config = to(&collector.endpoint(), protocol);
            let telemetry = builder(config).build().unwrap();
            for status in [400, 401, 403, 404, 413, 500] {
                for _ in 0..5 {
                    collector.always(Signal::Traces, Answer::status(status));
                    spans(&telemetry, 0..2);
                    hurry(&telemetry);
                }
            }
            let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
            assert_eq!(ended.traces().dropped[&Loss::Permanent], 60);
        }
    });
    let Some(said) = said else { return };
    for status in [400, 401, 403, 404, 413, 500] {
        let told = format!("HTTP {status}");
        let lines = said.lines().filter(|line| line.contains(&told)).count();
        // Over gRPC some of them come under the name of a gRPC code.
        assert_eq!(lines, 1, "{told} in {said}");
    }
}

#[test]
fn f05_a_collector_that_takes_traces_only_is_asked_once_for_each_other_signal() {
    for protocol in BOTH {
        let refusals = match protocol {
            Protocol::Grpc => vec![Answer::grpc(12, &[])],
            _ => [404, 405, 415, 501].map(Answer::status).to_vec(),
        };
        for refusal in refusals {
            let collector = Collector::start();
            for signal in [Signal::Logs, Signal::Metrics] {
                collector.always(signal, refusal.clone());
            }
            let telemetry = builder(to(&collector.endpoint(), protocol))
                .build()
                .unwrap();
            for _ in 0..3 {
                record(&telemetry, || {
                    chat("openai", "m").start().complete();
                    event("order.placed").emit();
                });
                assert!(telemetry.flush(SOON).in_time);
            }
            let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON).ended;
            assert_eq!(ended.traces.as_ref().unwrap().delivered, 3);
            for (signal, tally) in [(Signal::Logs, ended.logs), (Signal::Metrics, ended.metrics)] {
                let tally = tally.unwrap();
                assert!(tally.accepted > 0);
                assert_eq!(tally.dropped[&Loss::RefusedSignal], tally.accepted);
                let requests = collector.requests();
                let of_it = requests.iter().filter(|r| r.signal == Some(signal));
                assert_eq!(of_it.count(), 1, "{protocol} {refusal:?} {signal}");
            }
        }
    }
}

// === F6 ===

#[test]
fn f06_partial_success_is_counted_and_never_sent_again_whatever_its_body_says() {
    let limit = 4 << 20;
    let protobuf = [("content-type", "application/x-protobuf")];
    let json = [("content-type", "application/json")];
    let partial = |rejected, message: &str| Answer::Partial {
        rejected,
        message: message.to_owned(),
    };
    let both = [
        ("some are rejected", partial(3, "too old"), 3, 0),
        ("a warning", partial(0, "deprecated field"), 0, 0),
        ("no reason", partial(2, ""), 2, 0),
        ("more than were sent", partial(i64::MAX, "all"), 10, 0),
        ("fewer than none", partial(-7, "x"), 0, 0),
        (
            "a text that moves the cursor",
            partial(1, "\u{1b}[2J\r\nforged"),
            1,
            0,
        ),
    ];
    let http = [
        (
            "garbage",
            Answer::with(200, &protobuf, &b"\n\xff\xff\xff\xff\xff\xff"[..]),
            0,
            0,
        ),
        ("nothing", Answer::with(200, &protobuf, ""), 0, 0),
        ("text", Answer::with(200, &[], "OK"), 0, 0),
        (
            "cut JSON",
            Answer::with(200, &json, r#"{"partialSuccess":"#),
            0,
            0,
        ),
        (
            "JSON",
            Answer::with(
                200,
                &json,
                r#"{"partialSuccess":{"rejectedSpans":"4","errorMessage":"x"}}"#,
            ),
            4,
            0,
        ),
        (
            "very deep JSON",
            Answer::with(200, &json, "[".repeat(1 << 20)),
            0,
            0,
        ),
        (
            "as much as is read",
            Answer::with(200, &protobuf, vec![b'x'; limit]),
            0,
            0,
        ),
        (
            "more than is read",
            Answer::with(200, &protobuf, vec![b'x'; limit + 1]),
            0,
            10,
        ),
    ];
    let cases = both
        .iter()
        .flat_map(|case| BOTH.map(|protocol| (protocol, case)))
        .chain(http.iter().map(|case| (Protocol::HttpProtobuf, case)));
    for (protocol, (name, answer, rejected, lost)) in cases {
        let collector = Collector::start();
        collector.answer(answer.clone());
        let config = only_traces(to(&collector.endpoint(), protocol));
        let telemetry = builder(config).build().unwrap();
        spans(&telemetry, 0..10);
        assert!(telemetry.flush(SOON).in_time);
        spans(&telemetry, 10..12);
        // A scripted answer of raw bytes does not count as taken by the collector of the tests.
        let counts = matches!(answer, Answer::Partial { .. });
        let collected = counts.then_some((&collector, Acks::Arrive));
        let traces = settle(&telemetry, collected, SOON, SOON).traces();
        assert_eq!(collector.requests().len(), 2, "{protocol}, {name}");
        assert_eq!(traces.rejected, *rejected, "{protocol}, {name}");
        assert_eq!(traces.total_dropped(), *lost, "{protocol}, {name}");
        assert_eq!(traces.delivered, 12 - rejected - lost, "{protocol}, {name}");
    }
}

#[test]
fn f06_an_answer_that_comes_byte_by_byte_or_in_chunks_is_read_whole() {
    // Two rejected, and why.
    let partial = [10_u8, 5, 8, 2, 18, 1, b'w'];
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-protobuf\r\n";
    let sized = [
        format!("{head}content-length: 7\r\n\r\n").as_bytes(),
        &partial,
    ]
    .concat();
    let mut chunked = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for byte in partial {
        chunked.extend([b'1', b'\r', b'\n', byte, b'\r', b'\n']);
    }
    chunked.extend(b"0\r\n\r\n");
    let until_it_closes = [format!("{head}\r\n").as_bytes(), &partial].concat();
    for answer in [sized, chunked, until_it_closes] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = answer.clone();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            request(&mut socket).unwrap();
            for byte in bytes {
                let _ = socket.write_all(&[byte]);
                let _ = socket.flush();
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let config = only_traces(to(&format!("http://{address}"), Protocol::HttpProtobuf));
        let telemetry = builder(config).build().unwrap();
        spans(&telemetry, 0..5);
        assert!(telemetry.flush(SOON).in_time);
        let traces = settle(&telemetry, None, SOON, SOON).traces();
        assert_eq!((traces.delivered, traces.rejected), (3, 2), "{answer:?}");
    }
}

// === F7 ===

#[test]
fn f07_what_was_cut_off_is_sent_again_with_the_same_span_ids_and_nothing_is_missing() {
    for protocol in BOTH {
        for fault in [Answer::ResetUnread, Answer::ResetRead] {
            let collector = Collector::start();
            let telemetry = builder(to(&collector.endpoint(), protocol))
                .build()
                .unwrap();
            // A connection that has worked, then one that breaks twice, then a new one.
            spans(&telemetry, 0..1);
            assert!(telemetry.flush(SOON).in_time);
            collector.always(Signal::Traces, fault.clone());
            spans(&telemetry, 1..300);
            assert!(!telemetry.flush(Duration::from_millis(300)).in_time);
            assert_eq!(telemetry.stats().traces.unwrap().pending, 299);
            collector.heal();
            hurry(&telemetry);
            let traces: Vec<_> = collector
                .requests()
                .into_iter()
                .filter(|request| request.signal == Some(Signal::Traces))
                .collect();
            let cut: Vec<_> = traces.iter().filter(|request| !request.accepted).collect();
            assert!(!cut.is_empty(), "{protocol} {fault:?}");
            let again = traces.last().unwrap();
            for request in cut.iter().filter(|request| !request.body.is_empty()) {
                assert_eq!(request.body, again.body, "byte for byte the same");
            }
            let distinct: HashSet<_> = numbers(&collector).into_iter().collect();
            assert_eq!(distinct.len(), 300);
            // What went over the same connection may have been taken without our hearing of it.
            let ended = settle(&telemetry, Some((&collector, Acks::MayBeLost)), SOON, SOON);
            assert!(ended.ended.is_complete(), "{}", ended.ended);
        }
    }
}

#[test]
fn f07_an_acknowledgement_that_is_lost_costs_a_duplicate_and_never_a_span() {
    // The collector took the request, and the connection broke while it said so.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for n in 0.. {
            let Ok((mut socket, _)) = listener.accept() else {
                return;
            };
            let Some(body) = request(&mut socket) else {
                continue;
            };
            received.lock().unwrap().push(body);
            let answer: &[u8] = match n {
                0 => b"HTTP/1.1 20",
                1 => b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
                2 => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
                _ => b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            };
            let _ = socket.write_all(answer);
        }
    });
    let config = only_traces(to(&format!("http://{address}"), Protocol::HttpProtobuf));
    let telemetry = builder(config).build().unwrap();
    spans(&telemetry, 0..5);
    hurry(&telemetry);
    let ended = settle(&telemetry, None, SOON, SOON);
    assert_eq!(ended.traces().delivered, 5);
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 4, "three were not confirmed");
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

// === the books, over a bit of everything ===

#[test]
fn the_books_balance_at_every_moment_while_faults_come_and_go() {
    let test = "network::the_books_balance_at_every_moment_while_faults_come_and_go";
    if !is_alone(test) {
        // Quiet: what is said about faults is tested elsewhere.
        let child = child::<str>(test, &[]);
        assert!(child.status.success(), "{}\n{}", child.out, child.err);
        return;
    }
    for protocol in BOTH {
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), protocol))
            .queue_records(500)
            .queue_bytes(64 << 10)
            .batch_records(7)
            .build()
            .unwrap();
        let faults = [
            Answer::status(503),
            Answer::ResetRead,
            Answer::status(400),
            Answer::Partial {
                rejected: 2,
                message: "x".into(),
            },
            Answer::status(429),
            Answer::ResetUnread,
            Answer::status(500),
        ];
        std::thread::scope(|scope| {
            let working = scope.spawn(|| {
                for round in 0..60 {
                    record(&telemetry, || {
                        for _ in 0..round {
                            chat("openai", "m").start().complete();
                            event("order.placed").emit();
                        }
                    });
                    let fault = faults[round % faults.len()].clone();
                    collector.answer(fault);
                    std::thread::sleep(Duration::from_millis(5));
                }
            });
            while !working.is_finished() {
                let stats = telemetry.stats();
                for (name, tally) in stats.outlets() {
                    assert!(tally.is_balanced(), "{name}: {tally:?}");
                }
            }
        });
        collector.heal();
        hurry(&telemetry);
        settle(&telemetry, Some((&collector, Acks::MayBeLost)), SOON, SOON);
    }
}
