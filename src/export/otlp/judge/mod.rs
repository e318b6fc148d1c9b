//! What a receiver's answer means for the batch it answers.
//!
//! Owns the one decision: delivered, try again, drop, or stop sending this signal. Promise: pure, total,
//! and as the OTLP specification says; only what may succeed later is tried again. Never: reads a clock
//! or a socket.

mod answer;
mod grpc;
mod http;

use std::fmt;
use std::time::Duration;

pub(crate) use self::answer::error_text;
pub use self::grpc::grpc;
pub use self::http::http;
pub(crate) use self::http::{redirect, retry_after};
use crate::console::escape;

/// The longest time a receiver can make us wait. A day's `Retry-After` would otherwise be a way to
/// switch telemetry off from outside.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(300);

/// What to do with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered {
        /// Records of it the receiver did not want. They must not be sent again.
        rejected: u64,
        /// What the receiver had to say, an error or a warning.
        message: Option<String>,
    },
    /// It may arrive later.
    Retry {
        /// Not before this long from now, if the receiver said so. At most 5 minutes.
        after: Option<Duration>,
        /// Why it did not arrive now.
        cause: Cause,
    },
    /// It will never arrive.
    Drop(Cause),
    /// Nothing of this signal will ever arrive: the receiver does not take it.
    Refused(Cause),
}

/// Why a batch did not arrive. Its text may come from the receiver and is in it as it came; `Display` escapes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// An HTTP status, and the text that came with it.
    Http {
        /// The status.
        status: u16,
        /// At most 300 characters of the answer's text.
        message: Option<String>,
    },
    /// A gRPC status, and its message.
    Grpc {
        /// The code.
        code: i32,
        /// At most 300 characters of the message.
        message: Option<String>,
    },
    /// No complete answer within the timeout.
    Timeout(Duration),
    /// No connection, or it broke.
    Connection(String),
    /// The answer was longer than is read.
    AnswerTooLarge,
    /// The request is longer than may be sent: this many bytes.
    RequestTooLarge(usize),
}

impl Cause {
    /// Whether nobody answered because nobody was there, as far as can be told.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Cause::Connection(_))
    }

    /// The message in it, for a caller that must take something out of it.
    pub(crate) fn text_mut(&mut self) -> Option<&mut String> {
        match self {
            Cause::Http { message, .. } | Cause::Grpc { message, .. } => message.as_mut(),
            Cause::Connection(text) => Some(text),
            Cause::Timeout(_) | Cause::AnswerTooLarge | Cause::RequestTooLarge(_) => None,
        }
    }

    /// A short name for the kind of cause, to say each kind once.
    pub(crate) fn topic(&self) -> String {
        match self {
            Cause::Http { status, .. } => format!("http {status}"),
            Cause::Grpc { code, .. } => format!("grpc {}", grpc::name(*code)),
            Cause::Timeout(_) => "timeout".to_owned(),
            Cause::Connection(_) => "connection".to_owned(),
            Cause::AnswerTooLarge => "answer too large".to_owned(),
            Cause::RequestTooLarge(_) => "request too large".to_owned(),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match self {
            Cause::Http { status, message } => {
                write!(f, "HTTP {status}")?;
                message
            }
            Cause::Grpc { code, message } => {
                write!(f, "gRPC {}", grpc::name(*code))?;
                message
            }
            Cause::Timeout(after) => return write!(f, "no answer within {after:?}"),
            Cause::Connection(text) => return f.write_str(&escape(text)),
            Cause::AnswerTooLarge => return f.write_str("the answer is longer than 4 MiB"),
            Cause::RequestTooLarge(bytes) => {
                return write!(
                    f,
                    "the request has {bytes} bytes, above the limit of 64 MiB"
                );
            }
        };
        match message {
            Some(message) => write!(f, " ({})", escape(message)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use ::http::{HeaderMap, HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::super::kinds::Signal;
    use super::*;

    fn headers() -> impl Strategy<Value = HeaderMap> {
        let name = prop_oneof![
            Just("content-type"),
            Just("retry-after"),
            Just("location"),
            Just("grpc-status"),
            Just("grpc-message"),
            Just("grpc-status-details-bin"),
        ];
        let value = prop_oneof![
            "[ -~]{0,40}",
            "[0-9]{1,30}",
            Just("application/json".to_owned()),
            Just("application/grpc".to_owned()),
        ];
        proptest::collection::vec((name, value), 0..6).prop_map(|pairs| {
            let pairs = pairs.into_iter();
            pairs
                .map(|(name, value)| {
                    (
                        HeaderName::from_static(name),
                        HeaderValue::try_from(value).unwrap(),
                    )
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn any_answer_gets_a_verdict_with_a_bounded_wait_and_a_short_text(
            status in 0_u16..1000,
            headers in headers(),
            trailers in proptest::option::of(headers()),
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            for signal in Signal::ALL {
                for verdict in [
                    http(signal, status, &headers, &body, SystemTime::now()),
                    grpc(signal, status, &headers, &body, trailers.as_ref()),
                ] {
                    let text = match verdict {
                        Verdict::Delivered { message, .. } => message.unwrap_or_default(),
                        Verdict::Retry { after, cause } => {
                            prop_assert!(after.unwrap_or_default() <= MAX_WAIT);
                            cause.to_string()
                        }
                        Verdict::Drop(cause) | Verdict::Refused(cause) => cause.to_string(),
                    };
                    prop_assert!(text.chars().count() < 400);
                }
            }
        }
    }
}
