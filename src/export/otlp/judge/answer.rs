//! Reading the bodies of answers: partial success, error statuses, text.
//!
//! Promise: any bytes are fine; what cannot be read says nothing. Never: recurses into what it reads.

use std::time::Duration;

use prost::Message;

use super::MAX_WAIT;

/// Characters of a receiver's text that are kept. Enough for a sentence that helps, too short for a page.
const TEXT: usize = 300;

/// The answer to an export request. Its shape is the same for all three signals.
#[derive(Clone, PartialEq, Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`, with which both protocols say why.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Status {
    pub(super) fn read(bytes: &[u8]) -> Option<Status> {
        Status::decode(bytes).ok()
    }

    pub(super) fn message(&self) -> Option<String> {
        text(&self.message)
    }

    /// The delay of a `RetryInfo`, at most five minutes. `Some` also where the delay itself is missing
    /// or negative: the receiver then says "again" without a time.
    pub(super) fn retry_delay(&self) -> Option<Duration> {
        let info = self
            .details
            .iter()
            .find(|detail| detail.type_url.rsplit('/').next() == Some("google.rpc.RetryInfo"))?;
        let delay = RetryInfo::decode(info.value.as_slice())
            .ok()?
            .retry_delay
            .unwrap_or_default();
        let seconds = u64::try_from(delay.seconds).unwrap_or(0);
        let nanos = if delay.seconds < 0 {
            0
        } else {
            u32::try_from(delay.nanos).unwrap_or(0)
        };
        Some(
            Duration::from_secs(seconds)
                .saturating_add(Duration::from_nanos(nanos.into()))
                .min(MAX_WAIT),
        )
    }
}

/// Rejected records and message of a protobuf answer.
pub(super) fn partial_success(body: &[u8]) -> Option<(u64, Option<String>)> {
    let partial = ExportResponse::decode(body)
        .ok()?
        .partial_success
        .unwrap_or_default();
    Some((
        u64::try_from(partial.rejected).unwrap_or(0),
        text(&partial.error_message),
    ))
}

/// The same of an answer in OTLP/JSON, which some receivers give to protobuf requests too.
pub(super) fn partial_success_json(body: &[u8]) -> Option<(u64, Option<String>)> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let partial = &json["partialSuccess"];
    let rejected = ["rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"]
        .iter()
        .map(|name| &partial[*name])
        // Protobuf's JSON form writes 64-bit numbers as strings.
        .find_map(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    Some((
        rejected.unwrap_or(0),
        partial["errorMessage"].as_str().and_then(text),
    ))
}

/// What an error's body says, as its content type suggests.
pub(crate) fn error_text(content_type: &str, body: &[u8]) -> Option<String> {
    if content_type.contains("html") {
        return text("an HTML page; is this an OTLP address?");
    }
    if content_type.contains("protobuf") {
        return Status::read(body)?.message();
    }
    if content_type.contains("json") {
        let json: serde_json::Value = serde_json::from_slice(body).ok()?;
        let said = ["message", "detail", "error", "error_message"]
            .into_iter()
            .find_map(|name| {
                let value = &json[name];
                value.as_str().or_else(|| value["message"].as_str())
            });
        return match said {
            Some(said) => text(said),
            None => text(&json.to_string()),
        };
    }
    let head = body.get(..TEXT * 4).unwrap_or(body);
    match std::str::from_utf8(head) {
        Ok(all) => text(all),
        // Cut in the middle of a character; anything else is no text.
        Err(error) if error.error_len().is_none() => {
            text(std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?)
        }
        Err(_) => None,
    }
}

/// Foreign text, cut; `None` if there is nothing in it.
pub(super) fn text(foreign: &str) -> Option<String> {
    let foreign = foreign.trim();
    (!foreign.is_empty()).then(|| foreign.chars().take(TEXT).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A `google.rpc.Status` with a `RetryInfo`.
    pub(in super::super) fn status_bytes(message: &str, delay: Option<(i64, i32)>) -> Vec<u8> {
        let details = delay.map(|(seconds, nanos)| Detail {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".into(),
            value: RetryInfo {
                retry_delay: Some(Delay { seconds, nanos }),
            }
            .encode_to_vec(),
        });
        let foreign = Detail {
            type_url: "type.googleapis.com/x.Y".into(),
            value: vec![0xff; 9],
        };
        let details = std::iter::once(foreign).chain(details).collect();
        Status {
            code: 14,
            message: message.into(),
            details,
        }
        .encode_to_vec()
    }

    #[test]
    fn partial_success_is_read_from_each_signals_own_message() {
        use opentelemetry_proto::tonic::collector::{logs, metrics, trace};
        let spans = trace::v1::ExportTraceServiceResponse {
            partial_success: Some(trace::v1::ExportTracePartialSuccess {
                rejected_spans: 3,
                error_message: "why".into(),
            }),
        };
        let records = logs::v1::ExportLogsServiceResponse {
            partial_success: Some(logs::v1::ExportLogsPartialSuccess {
                rejected_log_records: 4,
                error_message: String::new(),
            }),
        };
        let points = metrics::v1::ExportMetricsServiceResponse {
            partial_success: Some(metrics::v1::ExportMetricsPartialSuccess {
                rejected_data_points: 0,
                error_message: "warning".into(),
            }),
        };
        assert_eq!(
            partial_success(&spans.encode_to_vec()),
            Some((3, Some("why".into())))
        );
        assert_eq!(partial_success(&records.encode_to_vec()), Some((4, None)));
        assert_eq!(
            partial_success(&points.encode_to_vec()),
            Some((0, Some("warning".into())))
        );
        assert_eq!(partial_success(b""), Some((0, None)));
        assert_eq!(partial_success(b"OK"), None);
        let negative = ExportResponse {
            partial_success: Some(PartialSuccess {
                rejected: -7,
                error_message: String::new(),
            }),
        };
        assert_eq!(partial_success(&negative.encode_to_vec()), Some((0, None)));
    }

    #[test]
    fn every_truncation_of_an_answer_is_harmless() {
        let whole = ExportResponse {
            partial_success: Some(PartialSuccess {
                rejected: 300,
                error_message: "é".repeat(40),
            }),
        };
        let whole = whole.encode_to_vec();
        for end in 0..whole.len() {
            let _ = partial_success(&whole[..end]);
            for flip in 0..8 {
                let mut bent = whole.clone();
                bent[end] ^= 1 << flip;
                let _ = partial_success(&bent);
                let _ = partial_success_json(&bent);
                let _ = Status::read(&bent).and_then(|status| status.retry_delay());
                let _ = error_text("", &bent);
            }
        }
    }

    #[test]
    fn json_answers_are_read_with_numbers_and_with_strings() {
        for (body, expected) in [
            (r#"{}"#, Some((0, None))),
            (r#"{"partialSuccess":{}}"#, Some((0, None))),
            (
                r#"{"partialSuccess":{"rejectedSpans":"5","errorMessage":"x"}}"#,
                Some((5, Some("x".into()))),
            ),
            (
                r#"{"partialSuccess":{"rejectedLogRecords":6}}"#,
                Some((6, None)),
            ),
            (
                r#"{"partialSuccess":{"rejectedDataPoints":-1}}"#,
                Some((0, None)),
            ),
            (r#"{"partialSuccess":[]}"#, Some((0, None))),
            (r#""OK""#, Some((0, None))),
            ("OK", None),
            ("", None),
        ] {
            assert_eq!(partial_success_json(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(partial_success_json("[".repeat(100_000).as_bytes()), None);
    }

    #[test]
    fn the_delay_of_retry_info_is_capped_and_never_negative() {
        for (delay, expected) in [
            (None, None),
            (Some((2, 500_000_000)), Some(Duration::from_millis(2500))),
            (Some((0, 0)), Some(Duration::ZERO)),
            (Some((-5, 0)), Some(Duration::ZERO)),
            (Some((-5, 900)), Some(Duration::ZERO)),
            (Some((1, -900)), Some(Duration::from_secs(1))),
            (Some((i64::MAX, i32::MAX)), Some(MAX_WAIT)),
        ] {
            let status = Status::read(&status_bytes("m", delay)).unwrap();
            assert_eq!(status.retry_delay(), expected, "{delay:?}");
        }
    }

    #[test]
    fn error_bodies_give_their_text_whatever_their_form() {
        let status = status_bytes("quota", None);
        for (content_type, body, expected) in [
            ("application/x-protobuf", status.as_slice(), Some("quota")),
            ("application/x-protobuf", b"\xff\xff", None),
            (
                "application/json",
                br#"{"detail":"no header"}"#,
                Some("no header"),
            ),
            (
                "application/json; charset=utf-8",
                br#"{"error":{"message":"bad"}}"#,
                Some("bad"),
            ),
            ("application/json", br#"{"x":1}"#, Some(r#"{"x":1}"#)),
            ("application/json", b"{", None),
            (
                "text/plain",
                b" Unsupported content type \n",
                Some("Unsupported content type"),
            ),
            (
                "text/html",
                b"<html>",
                Some("an HTML page; is this an OTLP address?"),
            ),
            ("", b"plain", Some("plain")),
            ("", b"\xff\xfe", None),
            ("", b"", None),
        ] {
            assert_eq!(
                error_text(content_type, body).as_deref(),
                expected,
                "{content_type}"
            );
        }
        let long = "é".repeat(10_000);
        assert_eq!(
            error_text("", long.as_bytes()).unwrap().chars().count(),
            TEXT
        );
    }
}
