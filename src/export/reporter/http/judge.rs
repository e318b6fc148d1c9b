//! What an answer means for the event it answers.
//!
//! Promise: pure and total; the status alone decides. Never: reads a clock or a socket.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};

use super::target::Answer;
use crate::export::otlp::judge;

/// What becomes of what was posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Verdict {
    /// It arrived, whatever the body says.
    Delivered,
    /// It may arrive later; not before this long from now, if the receiver said so.
    Later(Option<Duration>),
    /// It will never arrive.
    Never,
}

/// 2xx is delivered; 408, 429 and 5xx are worth another try; all else, redirects among it, is final.
pub(in super::super) fn judge(status: u16, headers: &HeaderMap, now: SystemTime) -> Verdict {
    match status {
        200..300 => Verdict::Delivered,
        408 | 429 | 500..600 => {
            let after = headers.get(RETRY_AFTER);
            Verdict::Later(after.and_then(|value| judge::retry_after(value.as_bytes(), now)))
        }
        _ => Verdict::Never,
    }
}

/// The answer in words: `HTTP 400 (no such field)`.
pub(in super::super) fn in_words(answer: &Answer) -> String {
    let kind = answer.headers.get(CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let message = match answer.status {
        300..400 => Some(judge::redirect(&answer.headers)),
        _ if kind.contains("html") => Some("an HTML page".to_owned()),
        _ => judge::error_text(&kind, &answer.body),
    };
    match message {
        Some(message) => format!("HTTP {} ({message})", answer.status),
        None => format!("HTTP {}", answer.status),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        for status in 0..1000 {
            let expected = match status {
                200..=299 => Verdict::Delivered,
                408 | 429 | 500..=599 => Verdict::Later(None),
                _ => Verdict::Never,
            };
            assert_eq!(
                judge(status, &HeaderMap::new(), SystemTime::now()),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_and_five_minutes_at_most() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (text, seconds) in [
            ("7", Some(7)),
            ("86400", Some(300)),
            ("Tue, 14 Nov 2023 22:13:50 GMT", Some(30)),
            ("soon", None),
        ] {
            for status in [408, 429, 500, 503] {
                let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
                let expected = Verdict::Later(seconds.map(Duration::from_secs));
                assert_eq!(judge(status, &headers, now), expected, "{text}");
            }
        }
    }
}
