//! One request at a time against a real socket: what is sent, and what every fault is taken for.
#![cfg(feature = "otlp")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

mod support;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Version;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use support::certificates::Certificates;
use support::collector::{Answer, Collector, closed_address};
use tracing_genai::otlp::internal::{Cause, Transport, Verdict};
use tracing_genai::otlp::{Compression, OtlpConfig, Protocol, Signal};

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];
const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];
const DELIVERED: Verdict = Verdict::Delivered {
    rejected: 0,
    message: None,
};

fn to(collector: &Collector, protocol: Protocol) -> OtlpConfig {
    OtlpConfig::new()
        .endpoint(collector.endpoint())
        .protocol(protocol)
}

fn transport(config: &OtlpConfig) -> Transport {
    Transport::new(&config.resolve(&|_| None).unwrap().unwrap()).unwrap()
}

/// A request with one span of the name.
fn spans(name: &str) -> Bytes {
    let span = Span {
        name: name.to_owned(),
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans {
        spans: vec![span],
        ..ScopeSpans::default()
    }];
    let resource_spans = vec![ResourceSpans {
        scope_spans,
        ..ResourceSpans::default()
    }];
    ExportTraceServiceRequest { resource_spans }
        .encode_to_vec()
        .into()
}

/// Sends one request for spans that is answered so.
async fn sent(protocol: Protocol, answer: Answer) -> (Verdict, Collector) {
    let collector = Collector::start();
    collector.answer(answer);
    let verdict = transport(&to(&collector, protocol))
        .send(Signal::Traces, spans("a"))
        .await;
    (verdict, collector)
}

#[tokio::test]
async fn a_request_arrives_as_the_specification_says_over_both_protocols() {
    for protocol in BOTH {
        let collector = Collector::start();
        let transport = transport(&to(&collector, protocol));
        for signal in SIGNALS {
            assert_eq!(transport.send(signal, spans("a")).await, DELIVERED);
        }
        let requests = collector.requests();
        assert_eq!(requests.len(), 3);
        for (request, signal) in requests.iter().zip(SIGNALS) {
            assert_eq!(request.signal, Some(signal));
            assert_eq!(request.body, spans("a"));
            let agent = format!("tracing-genai/{}", env!("CARGO_PKG_VERSION"));
            assert_eq!(request.header("user-agent"), Some(&*agent));
            match protocol {
                Protocol::Grpc => {
                    assert_eq!(request.version, Version::HTTP_2);
                    assert_eq!(request.header("content-type"), Some("application/grpc"));
                    assert_eq!(request.header("te"), Some("trailers"));
                    assert_eq!(request.header("grpc-timeout"), Some("10000m"));
                    assert_eq!(request.header("grpc-encoding"), None);
                }
                _ => {
                    assert_eq!(request.version, Version::HTTP_11);
                    assert_eq!(request.path, format!("/v1/{signal}"));
                    assert_eq!(
                        request.header("content-type"),
                        Some("application/x-protobuf")
                    );
                    assert_eq!(request.header("content-encoding"), None);
                }
            }
        }
        assert_eq!(
            collector.connections(),
            1,
            "{protocol}: signals share a connection"
        );
        assert_eq!(collector.spans()[0].name, "a");
    }
}

#[tokio::test]
async fn gzip_makes_the_body_smaller_and_leaves_its_content() {
    let body = spans(&"abc ".repeat(10_000));
    for protocol in BOTH {
        let collector = Collector::start();
        let transport = transport(&to(&collector, protocol).compression(Compression::Gzip));
        assert_eq!(
            transport.send(Signal::Traces, body.clone()).await,
            DELIVERED
        );
        let request = &collector.requests()[0];
        assert_eq!(request.body, body);
        assert!(
            request.wire_bytes < body.len() / 10,
            "{} bytes",
            request.wire_bytes
        );
    }
}

#[tokio::test]
async fn headers_from_code_and_environment_are_sent_and_percent_decoded() {
    let env = |name: &str| {
        Some(OsString::from(match name {
            "OTEL_EXPORTER_OTLP_HEADERS" => "authorization=Bearer%20a%2Cb%3D,x-both=env,x-env=1",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS" => "x-logs=%61",
            _ => return None,
        }))
    };
    for protocol in BOTH {
        let collector = Collector::start();
        let config = to(&collector, protocol)
            .header("X-Both", "code")
            .header_for(Signal::Metrics, "x-both", "metrics");
        let transport = Transport::new(&config.resolve(&env).unwrap().unwrap()).unwrap();
        for signal in SIGNALS {
            assert_eq!(transport.send(signal, spans("a")).await, DELIVERED);
        }
        let requests = collector.requests();
        let seen = |at: usize, name: &str| requests[at].header(name).map(str::to_owned);
        assert_eq!(seen(0, "authorization").as_deref(), Some("Bearer a,b="));
        assert_eq!(seen(0, "x-both").as_deref(), Some("code"));
        assert_eq!(seen(0, "x-env").as_deref(), Some("1"));
        assert_eq!(
            seen(1, "x-logs").as_deref(),
            Some("a"),
            "a signal's own list"
        );
        assert_eq!(seen(1, "authorization"), None, "replaces the general one");
        assert_eq!(seen(1, "x-both").as_deref(), Some("code"));
        assert_eq!(seen(2, "x-both").as_deref(), Some("metrics"));
    }
}

#[tokio::test]
async fn user_and_password_of_the_address_are_sent_as_basic_authorization() {
    for protocol in BOTH {
        let collector = Collector::start();
        let endpoint = collector.endpoint().replace("://", "://user:p%40ss@");
        let config = OtlpConfig::new().endpoint(endpoint).protocol(protocol);
        assert_eq!(
            transport(&config).send(Signal::Traces, spans("a")).await,
            DELIVERED
        );
        let request = &collector.requests()[0];
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwQHNz"));
        assert!(!request.header("host").unwrap_or_default().contains("user"));
    }
}

#[tokio::test]
async fn a_refused_connection_may_be_tried_again() {
    for protocol in BOTH {
        let config = OtlpConfig::new()
            .endpoint(format!("http://{}", closed_address()))
            .protocol(protocol);
        let verdict = transport(&config).send(Signal::Traces, spans("a")).await;
        let Verdict::Retry {
            after: None,
            cause: Cause::Connection(text),
        } = verdict
        else {
            panic!("{verdict:?}")
        };
        assert!(text.contains("refused"), "{text}");
    }
}

#[tokio::test]
async fn permanent_errors_are_dropped_after_exactly_one_request() {
    for status in [400, 401, 403, 404, 408, 413, 415, 422, 500, 505] {
        let text = Answer::with(status, &[("content-type", "text/plain")], "because");
        let (verdict, collector) = sent(Protocol::HttpProtobuf, text).await;
        let Verdict::Drop(cause) = verdict else {
            panic!("{status}: {verdict:?}")
        };
        assert_eq!(cause.to_string(), format!("HTTP {status} (because)"));
        assert_eq!(collector.requests().len(), 1);
    }
    for code in [2, 3, 5, 6, 7, 8, 9, 12, 13, 16] {
        let answer = Answer::grpc(code, &[("grpc-message", "be%20cause")]);
        let (verdict, collector) = sent(Protocol::Grpc, answer).await;
        let Verdict::Drop(cause) = verdict else {
            panic!("{code}: {verdict:?}")
        };
        assert!(cause.to_string().ends_with(" (be cause)"), "{cause}");
        assert_eq!(collector.requests().len(), 1);
    }
}

#[tokio::test]
async fn temporary_errors_carry_the_wait_the_receiver_asked_for() {
    for status in [429, 502, 503, 504] {
        let answer = Answer::with(status, &[("retry-after", "7")], "");
        let (verdict, collector) = sent(Protocol::HttpProtobuf, answer).await;
        let Verdict::Retry { after, .. } = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(after, Some(Duration::from_secs(7)));
        assert_eq!(collector.requests().len(), 1);
    }
    // google.rpc.Status { details: [Any { type_url, value: RetryInfo { retry_delay: 2 s } }] }
    let mut detail = vec![0x0a, 40];
    detail.extend_from_slice(b"type.googleapis.com/google.rpc.RetryInfo");
    detail.extend_from_slice(&[0x12, 4, 0x0a, 2, 0x08, 2]);
    let mut status = vec![0x1a, u8::try_from(detail.len()).unwrap()];
    status.extend(detail);
    use base64::Engine as _;
    let details = base64::engine::general_purpose::STANDARD_NO_PAD.encode(status);
    for code in [8, 14] {
        let answer = Answer::grpc(code, &[("grpc-status-details-bin", &details)]);
        let (verdict, _) = sent(Protocol::Grpc, answer).await;
        let Verdict::Retry { after, .. } = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!(after, Some(Duration::from_secs(2)));
    }
    let (verdict, _) = sent(Protocol::Grpc, Answer::status(503)).await;
    assert!(
        matches!(verdict, Verdict::Retry { .. }),
        "a proxy before the receiver: {verdict:?}"
    );
    let (verdict, _) = sent(Protocol::Grpc, Answer::NoStatus).await;
    assert!(
        matches!(verdict, Verdict::Retry { .. }),
        "an answer cut short: {verdict:?}"
    );
}

#[tokio::test]
async fn a_receiver_that_takes_traces_only_refuses_the_other_signals() {
    let collector = Collector::start();
    let http = transport(&to(&collector, Protocol::HttpProtobuf));
    let grpc = transport(&to(&collector, Protocol::Grpc));
    for signal in [Signal::Logs, Signal::Metrics] {
        for status in [404, 405, 415, 501] {
            collector.answer(Answer::status(status));
            assert!(
                matches!(http.send(signal, spans("a")).await, Verdict::Refused(_)),
                "{status}"
            );
        }
        collector.answer(Answer::grpc(12, &[]));
        assert!(matches!(
            grpc.send(signal, spans("a")).await,
            Verdict::Refused(_)
        ));
    }
}

#[tokio::test]
async fn partial_success_is_delivered_with_its_rejected_records_and_message() {
    for protocol in BOTH {
        for (rejected, message) in [(2, "too old"), (0, "deprecated field"), (3, "")] {
            let answer = Answer::Partial {
                rejected,
                message: message.to_owned(),
            };
            let (verdict, collector) = sent(protocol, answer).await;
            let message = (!message.is_empty()).then(|| message.to_owned());
            assert_eq!(
                verdict,
                Verdict::Delivered {
                    rejected: rejected as u64,
                    message
                }
            );
            assert_eq!(collector.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_at_the_timeout_and_not_asked_on_that_connection_again() {
    for protocol in BOTH {
        for fault in [Answer::Hang, Answer::Drip(200)] {
            let collector = Collector::start();
            collector.answer(fault);
            let timeout = Duration::from_millis(200);
            let transport = transport(&to(&collector, protocol).timeout(timeout));
            let start = Instant::now();
            let verdict = transport.send(Signal::Traces, spans("a")).await;
            assert_eq!(
                verdict,
                Verdict::Retry {
                    after: None,
                    cause: Cause::Timeout(timeout)
                }
            );
            assert!(start.elapsed() >= timeout);
            assert_eq!(transport.send(Signal::Traces, spans("a")).await, DELIVERED);
            assert_eq!(collector.connections(), 2, "{protocol}");
        }
    }
}

#[tokio::test]
async fn an_error_status_counts_although_its_body_never_ends() {
    let (verdict, _collector) = sent(Protocol::HttpProtobuf, Answer::Drip(400)).await;
    assert!(
        matches!(verdict, Verdict::Drop(Cause::Http { status: 400, .. })),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_may_be_tried_again_and_the_next_request_arrives() {
    let large = spans(&"x".repeat(1 << 20));
    for protocol in BOTH {
        for fault in [Answer::ResetUnread, Answer::ResetRead] {
            let collector = Collector::start();
            collector.answer(fault.clone());
            let transport = transport(&to(&collector, protocol));
            let verdict = transport.send(Signal::Traces, large.clone()).await;
            assert!(
                matches!(
                    verdict,
                    Verdict::Retry {
                        after: None,
                        cause: Cause::Connection(_)
                    }
                ),
                "{protocol} {fault:?}: {verdict:?}"
            );
            assert_eq!(
                transport.send(Signal::Traces, large.clone()).await,
                DELIVERED
            );
            assert_eq!(collector.spans().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    for protocol in BOTH {
        let collector = Collector::start();
        let address = collector.address();
        let transport = transport(&to(&collector, protocol));
        assert_eq!(transport.send(Signal::Traces, spans("a")).await, DELIVERED);
        drop(collector);
        let collector = Collector::start_at(address);
        let mut verdict = transport.send(Signal::Traces, spans("b")).await;
        if matches!(verdict, Verdict::Retry { .. }) {
            verdict = transport.send(Signal::Traces, spans("b")).await;
        }
        assert_eq!(verdict, DELIVERED);
        assert_eq!(collector.spans()[0].name, "b");
    }
}

#[tokio::test]
async fn an_answer_above_four_mebibytes_is_not_read_and_not_tried_again() {
    let limit = 4 * 1024 * 1024;
    for protocol in BOTH {
        let (verdict, _) = sent(protocol, Answer::with(200, &[], vec![b'x'; limit + 1])).await;
        assert_eq!(verdict, Verdict::Drop(Cause::AnswerTooLarge));
    }
    let (verdict, _) = sent(
        Protocol::HttpProtobuf,
        Answer::with(200, &[], vec![b'x'; limit]),
    )
    .await;
    assert_eq!(verdict, DELIVERED);
    let (verdict, _) = sent(
        Protocol::HttpProtobuf,
        Answer::with(400, &[], vec![b'x'; limit + 1]),
    )
    .await;
    assert!(
        matches!(verdict, Verdict::Drop(Cause::Http { status: 400, .. })),
        "{verdict:?}"
    );
}

#[tokio::test]
async fn a_request_above_64_mebibytes_is_never_sent() {
    let collector = Collector::start();
    let body = Bytes::from(vec![0; 64 * 1024 * 1024 + 1]);
    let verdict = transport(&to(&collector, Protocol::HttpProtobuf))
        .send(Signal::Traces, body)
        .await;
    assert!(matches!(verdict, Verdict::Drop(Cause::RequestTooLarge(_))));
    assert_eq!(collector.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_credentials_stay_where_they_were_sent() {
    let elsewhere = Collector::start();
    for protocol in BOTH {
        for status in [301, 302, 303, 307, 308] {
            let location = format!("{}/v1/traces", elsewhere.endpoint());
            let (verdict, _) = sent(
                protocol,
                Answer::with(status, &[("location", &location)], ""),
            )
            .await;
            assert!(
                matches!(verdict, Verdict::Drop(_)),
                "{protocol} {status}: {verdict:?}"
            );
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_receiver_that_repeats_our_key_does_not_make_us_print_it() {
    let collector = Collector::start();
    let text = "invalid key canary-1234 in 'Bearer canary-1234'";
    collector.answer(Answer::with(401, &[("content-type", "text/plain")], text));
    let config =
        to(&collector, Protocol::HttpProtobuf).header("authorization", "Bearer canary-1234");
    let transport = transport(&config);
    let verdict = transport.send(Signal::Traces, spans("a")).await;
    let Verdict::Drop(cause) = &verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(
        cause.to_string(),
        "HTTP 401 (invalid key [redacted] in '[redacted]')"
    );
    assert!(!format!("{verdict:?}{transport:?}{config:?}").contains("canary"));
}

#[tokio::test]
async fn https_is_trusted_through_a_certificate_file_and_not_without_it() {
    let certificates = Certificates::new();
    let collector = Collector::start_tls(certificates.server(false));
    for protocol in BOTH {
        let config = to(&collector, protocol);
        let trusting = config.clone().ca_certificate(&certificates.ca);
        assert_eq!(
            transport(&trusting).send(Signal::Traces, spans("a")).await,
            DELIVERED
        );

        let verdict = transport(&config).send(Signal::Traces, spans("a")).await;
        let Verdict::Retry {
            cause: Cause::Connection(text),
            ..
        } = verdict
        else {
            panic!("{verdict:?}")
        };
        assert!(text.contains("certificate"), "{text}");
    }
    assert!(
        collector
            .requests()
            .iter()
            .all(|request| request.version == Version::HTTP_2),
        "by ALPN"
    );
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_a_receiver_that_asks_for_one() {
    let certificates = Certificates::new();
    let collector = Collector::start_tls(certificates.server(true));
    let env = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_CERTIFICATE" => Some(certificates.ca.clone().into_os_string()),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" => {
            Some(certificates.client_certificate.clone().into_os_string())
        }
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY" => {
            Some(certificates.client_key.clone().into_os_string())
        }
        _ => None,
    };
    for protocol in BOTH {
        let config = to(&collector, protocol)
            .without(Signal::Logs)
            .without(Signal::Metrics);
        let with = Transport::new(&config.resolve(&env).unwrap().unwrap()).unwrap();
        assert_eq!(with.send(Signal::Traces, spans("a")).await, DELIVERED);

        let without = transport(&config.ca_certificate(&certificates.ca));
        let verdict = without.send(Signal::Traces, spans("a")).await;
        assert!(matches!(verdict, Verdict::Retry { .. }), "{verdict:?}");
    }
}

#[test]
fn files_that_are_no_certificates_are_named_when_telemetry_is_built() {
    let certificates = Certificates::new();
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage.pem");
    std::fs::write(
        &garbage,
        "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let empty = dir.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let missing = dir.path().join("missing.pem");
    let config = || OtlpConfig::new().endpoint("https://localhost:4318");
    let error = |config: OtlpConfig| {
        let resolved = config.resolve(&|_| None).unwrap().unwrap();
        Transport::new(&resolved).unwrap_err().to_string()
    };
    for (file, problem) in [
        (&garbage, "valid"),
        (&empty, "there is no certificate in it"),
        (&missing, "it cannot be read"),
    ] {
        let text = error(config().ca_certificate(file));
        assert!(
            text.starts_with("OtlpConfig::ca_certificate is \""),
            "{text}"
        );
        assert!(
            text.contains(&file.display().to_string()) && text.contains(problem),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
    let client = &certificates.client_certificate;
    let text = error(config().client_certificate(client, client));
    assert!(text.contains("there is no private key in it"), "{text}");
    // The key of the authority's file does not fit; it holds none at all.
    let text = error(config().client_certificate(&certificates.ca, &certificates.client_key));
    assert!(text.contains("does not fit"), "{text}");
}

#[test]
fn certificate_files_are_not_read_where_nothing_is_encrypted() {
    let config = OtlpConfig::new()
        .endpoint("http://localhost:4318")
        .ca_certificate("/nowhere/ca.pem");
    Transport::new(&config.resolve(&|_| None).unwrap().unwrap()).unwrap();
}

#[tokio::test]
async fn a_receiver_that_speaks_the_other_protocol_is_told_apart() {
    // The first bytes of a gRPC server (an HTTP/2 SETTINGS frame), and of an HTTP one.
    const GRPC: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    for (protocol, speaks, first, hint) in [
        (
            Protocol::HttpProtobuf,
            GRPC,
            true,
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        ),
        (
            Protocol::HttpProtobuf,
            GRPC,
            false,
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        ),
        (
            Protocol::Grpc,
            HTTP,
            false,
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        ),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            let (mut stream, _) = listener.accept().unwrap();
            if !first {
                let _ = stream.read(&mut [0; 1024]);
            }
            stream.write_all(speaks).unwrap();
            // Until the client has had enough.
            while stream.read(&mut [0; 1024]).is_ok_and(|n| n > 0) {}
        });
        let config = OtlpConfig::new()
            .endpoint(format!("http://{address}"))
            .protocol(protocol);
        let verdict = transport(&config).send(Signal::Traces, spans("a")).await;
        server.join().unwrap();
        match verdict {
            Verdict::Retry {
                cause: Cause::Connection(text),
                ..
            } => assert!(text.contains(hint), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}
