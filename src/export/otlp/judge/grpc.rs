//! The decision over gRPC: code, `RetryInfo`, body.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use percent_encoding::percent_decode;

use super::super::kinds::Signal;
use super::{Cause, Verdict, answer};

const OK: i32 = 0;
const CANCELLED: i32 = 1;
const UNKNOWN: i32 = 2;
const DEADLINE_EXCEEDED: i32 = 4;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const ABORTED: i32 = 10;
const OUT_OF_RANGE: i32 = 11;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const DATA_LOSS: i32 = 15;
const UNAUTHENTICATED: i32 = 16;

/// Padding of `-bin` headers is optional, and peers differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Judges a gRPC answer: HTTP status, headers, body as it came (framed), trailers.
///
/// Tried again: `CANCELLED`, `DEADLINE_EXCEEDED`, `ABORTED`, `OUT_OF_RANGE`, `UNAVAILABLE`, `DATA_LOSS`,
/// and `RESOURCE_EXHAUSTED` if the receiver says when. `UNIMPLEMENTED` to logs or metrics means that the
/// receiver takes traces only.
pub fn grpc(
    signal: Signal,
    http_status: u16,
    headers: &HeaderMap,
    body: &[u8],
    trailers: Option<&HeaderMap>,
) -> Verdict {
    // Without a body, the status is in the headers ("trailers only").
    let said = [trailers, Some(headers)]
        .into_iter()
        .flatten()
        .find(|map| map.contains_key("grpc-status"));
    let Some(said) = said else {
        return without_status(signal, http_status, headers);
    };
    let code = said
        .get("grpc-status")
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let code = code.unwrap_or(UNKNOWN);
    if code == OK {
        let (rejected, message) = message(body)
            .and_then(answer::partial_success)
            .unwrap_or_default();
        return Verdict::Delivered { rejected, message };
    }
    let details = said
        .get("grpc-status-details-bin")
        .and_then(|value| BASE64.decode(value.as_bytes().trim_ascii()).ok())
        .and_then(|bytes| answer::Status::read(&bytes));
    let message = said
        .get("grpc-message")
        .and_then(|value| answer::text(&percent_decode(value.as_bytes()).decode_utf8_lossy()))
        .or_else(|| details.as_ref()?.message());
    let after = details.and_then(|status| status.retry_delay());
    decide(signal, Cause::Grpc { code, message }, code, after)
}

fn decide(signal: Signal, cause: Cause, code: i32, after: Option<std::time::Duration>) -> Verdict {
    match code {
        CANCELLED | DEADLINE_EXCEEDED | ABORTED | OUT_OF_RANGE | UNAVAILABLE | DATA_LOSS => {
            Verdict::Retry { after, cause }
        }
        RESOURCE_EXHAUSTED if after.is_some() => Verdict::Retry { after, cause },
        UNIMPLEMENTED if signal != Signal::Traces => Verdict::Refused(cause),
        _ => Verdict::Drop(cause),
    }
}

/// An answer that is not gRPC at all, judged by its HTTP status as the gRPC specification maps it; or a
/// gRPC answer that ended too early, which is a broken connection.
fn without_status(signal: Signal, http_status: u16, headers: &HeaderMap) -> Verdict {
    let is_grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if http_status == 200 && is_grpc {
        let text = "the answer ended without a gRPC status".to_owned();
        return Verdict::Retry {
            after: None,
            cause: Cause::Connection(text),
        };
    }
    let code = match http_status {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    };
    let message = Some("not a gRPC answer; is this an OTLP/gRPC address?".to_owned());
    decide(
        signal,
        Cause::Http {
            status: http_status,
            message,
        },
        code,
        None,
    )
}

/// The first message of a framed body. We ask for no compression, so a compressed one is not read.
fn message(body: &[u8]) -> Option<&[u8]> {
    let (head, rest) = body.split_at_checked(5)?;
    let [0, length @ ..] = head else { return None };
    let length: [u8; 4] = length.try_into().ok()?;
    rest.get(..usize::try_from(u32::from_be_bytes(length)).ok()?)
}

/// The code's name as the gRPC specification writes it.
pub(super) fn name(code: i32) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    usize::try_from(code)
        .ok()
        .and_then(|code| NAMES.get(code).copied())
        .unwrap_or("UNKNOWN")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::super::answer::tests::status_bytes;
    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_str(v).unwrap()))
            .collect()
    }

    fn judged(signal: Signal, pairs: &[(&'static str, &str)]) -> Verdict {
        let headers = map(&[("content-type", "application/grpc")]);
        grpc(signal, 200, &headers, b"", Some(&map(pairs)))
    }

    fn kind(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Delivered { .. } => "delivered",
            Verdict::Retry { .. } => "retry",
            Verdict::Drop(_) => "drop",
            Verdict::Refused(_) => "refused",
        }
    }

    #[test]
    fn every_code_of_every_signal_has_its_verdict_with_and_without_retry_info() {
        let info = BASE64.encode(status_bytes("m", Some((3, 0))));
        for signal in Signal::ALL {
            for code in -1..=20 {
                for with_info in [false, true] {
                    let code_text = code.to_string();
                    let mut pairs = vec![("grpc-status", code_text.as_str())];
                    if with_info {
                        pairs.push(("grpc-status-details-bin", &info));
                    }
                    let verdict = judged(signal, &pairs);
                    let expected = match code {
                        0 => "delivered",
                        1 | 4 | 10 | 11 | 14 | 15 => "retry",
                        8 if with_info => "retry",
                        12 if signal != Signal::Traces => "refused",
                        _ => "drop",
                    };
                    assert_eq!(kind(&verdict), expected, "{signal} {code} {with_info}");
                    if let Verdict::Retry { after, .. } = verdict {
                        assert_eq!(after, with_info.then_some(Duration::from_secs(3)));
                    }
                }
            }
        }
    }

    #[test]
    fn the_status_is_found_in_trailers_and_in_headers_alone() {
        let only = map(&[("content-type", "application/grpc"), ("grpc-status", "14")]);
        assert_eq!(kind(&grpc(Signal::Traces, 200, &only, b"", None)), "retry");
        let both = grpc(
            Signal::Traces,
            200,
            &only,
            b"",
            Some(&map(&[("grpc-status", "3")])),
        );
        assert_eq!(kind(&both), "drop", "trailers are the last word");
    }

    #[test]
    fn details_are_read_with_and_without_padding_and_garbage_is_no_details() {
        let bytes = status_bytes("mm", Some((1, 0)));
        let padded = BASE64.encode(&bytes);
        assert!(padded.ends_with('='), "this case needs padding");
        for text in [padded.as_str(), padded.trim_end_matches('=')] {
            let pairs = [("grpc-status", "8"), ("grpc-status-details-bin", text)];
            assert_eq!(kind(&judged(Signal::Traces, &pairs)), "retry", "{text}");
        }
        for text in ["!!!", "AAA", "", "////"] {
            let pairs = [("grpc-status", "8"), ("grpc-status-details-bin", text)];
            assert_eq!(kind(&judged(Signal::Traces, &pairs)), "drop", "{text}");
        }
    }

    #[test]
    fn messages_are_percent_decoded_and_a_garbled_code_is_unknown() {
        let verdict = judged(
            Signal::Traces,
            &[("grpc-status", "3"), ("grpc-message", "a%20b%C3%A9%zz")],
        );
        let Verdict::Drop(cause) = verdict else {
            panic!()
        };
        assert_eq!(cause.to_string(), "gRPC INVALID_ARGUMENT (a bé%zz)");
        for code in ["", "x", "99999999999", "-1"] {
            let Verdict::Drop(cause) = judged(Signal::Traces, &[("grpc-status", code)]) else {
                panic!()
            };
            assert_eq!(cause.to_string(), "gRPC UNKNOWN");
        }
    }

    #[test]
    fn an_answer_without_a_grpc_status_is_judged_by_its_http_status() {
        for (status, traces, logs) in [
            (200, "drop", "drop"),
            (301, "drop", "drop"),
            (400, "drop", "drop"),
            (401, "drop", "drop"),
            (403, "drop", "drop"),
            (404, "drop", "refused"),
            (415, "drop", "drop"),
            (429, "retry", "retry"),
            (500, "drop", "drop"),
            (502, "retry", "retry"),
            (503, "retry", "retry"),
            (504, "retry", "retry"),
        ] {
            let html = map(&[("content-type", "text/html")]);
            assert_eq!(
                kind(&grpc(Signal::Traces, status, &html, b"x", None)),
                traces,
                "{status}"
            );
            assert_eq!(
                kind(&grpc(Signal::Logs, status, &html, b"x", None)),
                logs,
                "{status}"
            );
        }
        let cut = map(&[("content-type", "application/grpc+proto")]);
        assert_eq!(kind(&grpc(Signal::Traces, 200, &cut, b"", None)), "retry");
    }

    #[test]
    fn partial_success_is_read_from_the_framed_body_and_garbage_says_nothing() {
        let partial = [10, 5, 8, 2, 18, 1, b'w'];
        let framed = |flag: u8, length: u32, bytes: &[u8]| {
            [&[flag][..], &length.to_be_bytes(), bytes].concat()
        };
        let none = Verdict::Delivered {
            rejected: 0,
            message: None,
        };
        let two = Verdict::Delivered {
            rejected: 2,
            message: Some("w".into()),
        };
        for (body, expected) in [
            (framed(0, 7, &partial), &two),
            (framed(0, 0, &[]), &none),
            (framed(1, 7, &partial), &none),
            (framed(0, 8, &partial), &none),
            (framed(0, u32::MAX, &partial), &none),
            (framed(0, 3, &partial), &none),
            (vec![], &none),
            (vec![0, 0], &none),
        ] {
            let ok = map(&[("grpc-status", "0")]);
            let verdict = grpc(Signal::Traces, 200, &HeaderMap::new(), &body, Some(&ok));
            assert_eq!(&verdict, expected, "{body:?}");
        }
    }
}
