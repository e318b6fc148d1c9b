//! The decision over HTTP: status, `Retry-After`, body.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};

use super::super::endpoint::without_secrets;
use super::super::kinds::Signal;
use super::{Cause, MAX_WAIT, Verdict, answer};

/// Judges an HTTP answer.
///
/// Tried again: 429, 502, 503, 504, and nothing else. 404, 405, 415 and 501 to logs or metrics mean that
/// the receiver takes traces only. Redirects are not followed: they would carry the credentials to a
/// place nobody configured.
pub fn http(
    signal: Signal,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Verdict {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if (200..300).contains(&status) {
        return delivered(&content_type, body);
    }
    let message = match status {
        300..400 => Some(redirect(headers)),
        _ => answer::error_text(&content_type, body),
    };
    let cause = Cause::Http { status, message };
    match status {
        429 | 502 | 503 | 504 => {
            let after = headers
                .get(RETRY_AFTER)
                .and_then(|value| retry_after(value.as_bytes(), now));
            Verdict::Retry { after, cause }
        }
        404 | 405 | 415 | 501 if signal != Signal::Traces => Verdict::Refused(cause),
        _ => Verdict::Drop(cause),
    }
}

fn delivered(content_type: &str, body: &[u8]) -> Verdict {
    let read = if content_type.contains("json") {
        answer::partial_success_json(body)
    } else if content_type.starts_with("text/") {
        None
    } else {
        answer::partial_success(body)
    };
    let (rejected, mut message) = read.unwrap_or_default();
    if content_type.contains("html") {
        // A web page answers 200 to anything; this is how a wrong port goes unnoticed.
        message = Some("the answer is a web page; is this an OTLP address?".to_owned());
    }
    Verdict::Delivered { rejected, message }
}

pub(crate) fn redirect(headers: &HeaderMap) -> String {
    match headers.get(LOCATION).and_then(|value| value.to_str().ok()) {
        Some(to) => format!(
            "redirects are not followed; it points to {}",
            without_secrets(to)
        ),
        None => "redirects are not followed".to_owned(),
    }
}

/// Reads `Retry-After`: seconds or an HTTP date. A date that has passed is zero; anything is at most five
/// minutes; garbage is nothing.
pub(crate) fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a long time, not garbage.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_WAIT));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NOW: u64 = 1_700_000_000;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_str(v).unwrap()))
            .collect()
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
    fn every_status_of_every_signal_has_its_verdict() {
        for signal in Signal::ALL {
            for status in 100..=599 {
                let verdict = http(signal, status, &HeaderMap::new(), b"", now());
                let expected = match status {
                    200..=299 => "delivered",
                    429 | 502 | 503 | 504 => "retry",
                    404 | 405 | 415 | 501 if signal != Signal::Traces => "refused",
                    _ => "drop",
                };
                assert_eq!(kind(&verdict), expected, "{signal} {status}");
                if let Verdict::Retry { after, .. } = verdict {
                    assert_eq!(after, None);
                }
            }
        }
    }

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let at = |offset: i64| {
            let time =
                SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.saturating_add_signed(offset));
            httpdate::fmt_http_date(time)
        };
        for (text, expected) in [
            ("0".to_owned(), Some(0)),
            ("7".to_owned(), Some(7)),
            (" 7 ".to_owned(), Some(7)),
            ("300".to_owned(), Some(300)),
            ("301".to_owned(), Some(300)),
            ("86400".to_owned(), Some(300)),
            ("9".repeat(40), Some(300)),
            (at(9), Some(9)),
            (at(0), Some(0)),
            (at(-3600), Some(0)),
            (at(3600 * 24 * 365), Some(300)),
            ("Sunday, 06-Nov-94 08:49:37 GMT".to_owned(), Some(0)),
            ("".to_owned(), None),
            ("-5".to_owned(), None),
            ("+5".to_owned(), None),
            ("1.5".to_owned(), None),
            ("5s".to_owned(), None),
            ("soon".to_owned(), None),
            ("Mon, 99 Foo 2024 00:00:00 GMT".to_owned(), None),
        ] {
            for status in [429, 502, 503, 504] {
                let given = headers(&[("retry-after", &text)]);
                let verdict = http(Signal::Traces, status, &given, b"", now());
                let Verdict::Retry { after, .. } = verdict else {
                    panic!("{verdict:?}")
                };
                assert_eq!(after, expected.map(Duration::from_secs), "{text:?}");
            }
        }
        assert_eq!(retry_after(b"\xff\xff", now()), None);
    }

    #[test]
    fn retry_after_changes_nothing_for_statuses_that_are_not_tried_again() {
        let given = headers(&[("retry-after", "1")]);
        for status in [200, 301, 400, 401, 404, 408, 413, 425, 500, 505] {
            let verdict = http(Signal::Traces, status, &given, b"", now());
            assert_ne!(kind(&verdict), "retry", "{status}");
        }
    }

    #[test]
    fn an_unreadable_body_of_a_success_is_a_success() {
        for content_type in [
            "application/x-protobuf",
            "application/json",
            "text/plain",
            "",
        ] {
            for body in [&b"OK"[..], b"\n\xff\xff\xff\xff\xff\xff", b"{", b"\xff"] {
                let given = headers(&[("content-type", content_type)]);
                let verdict = http(Signal::Traces, 200, &given, body, now());
                assert_eq!(
                    verdict,
                    Verdict::Delivered {
                        rejected: 0,
                        message: None
                    }
                );
            }
        }
    }

    #[test]
    fn a_web_page_is_delivered_with_a_warning() {
        let given = headers(&[("content-type", "text/HTML; charset=utf-8")]);
        let verdict = http(Signal::Traces, 200, &given, b"<html>", now());
        let Verdict::Delivered {
            rejected: 0,
            message: Some(message),
        } = verdict
        else {
            panic!()
        };
        assert!(message.contains("web page"));
    }

    #[test]
    fn a_redirect_is_dropped_and_its_target_named_without_secrets() {
        let given = headers(&[("location", "https://a:canary@other/x?canary")]);
        let Verdict::Drop(cause) = http(Signal::Logs, 308, &given, b"", now()) else {
            panic!()
        };
        assert_eq!(
            cause.to_string(),
            "HTTP 308 (redirects are not followed; it points to https://other/x)"
        );
    }

    #[test]
    fn the_answers_seen_from_real_receivers_are_understood() {
        let text = headers(&[("content-type", "text/plain")]);
        let json = headers(&[("content-type", "application/json")]);
        for (signal, status, headers, body, expected) in [
            (Signal::Metrics, 405, &text, "Method Not Allowed", "refused"),
            (
                Signal::Logs,
                404,
                &json,
                r#"{"detail":"Not Found"}"#,
                "refused",
            ),
            (
                Signal::Traces,
                415,
                &text,
                "Unsupported content type: x",
                "drop",
            ),
            (
                Signal::Traces,
                422,
                &text,
                "Request body is invalid",
                "drop",
            ),
            (
                Signal::Traces,
                422,
                &json,
                r#"{"detail":"header missing"}"#,
                "drop",
            ),
            (
                Signal::Traces,
                503,
                &json,
                r#"{"message":"queue is full"}"#,
                "retry",
            ),
        ] {
            let verdict = http(signal, status, headers, body.as_bytes(), now());
            assert_eq!(kind(&verdict), expected);
        }
    }
}
