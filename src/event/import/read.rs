//! Single values of foreign documents: times, lengths of time, ids, addresses.
//!
//! Promise: reads exactly or not at all; `None` means the caller keeps the value as it came.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::place::Unit;
use crate::event::{Dialect, EventId, time};

/// A point in time: RFC 3339, the same without an offset (read as UTC), or a number counted from 1970.
pub(super) fn time(json: &Json, unit: Unit) -> Option<SystemTime> {
    match json {
        Json::String(text) => time::from_rfc3339(text)
            .or_else(|_| time::from_rfc3339(&format!("{text}Z")))
            .ok(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => {
                let length = whole_duration(whole.unsigned_abs(), unit)?;
                if whole < 0 {
                    UNIX_EPOCH.checked_sub(length)
                } else {
                    UNIX_EPOCH.checked_add(length)
                }
            }
            None => UNIX_EPOCH.checked_add(duration(json, unit)?),
        },
        _ => None,
    }
}

/// A length of time: a number, or `[d.]hh:mm:ss[.fffffff]` as .NET prints one.
pub(super) fn duration(json: &Json, unit: Unit) -> Option<Duration> {
    match json {
        Json::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => whole_duration(whole, unit),
            (None, Some(float)) => {
                let per_second = match unit {
                    Unit::Seconds => 1.0,
                    Unit::Millis => 1e3,
                };
                let seconds = float / per_second;
                // A float holds 104 days to the nanosecond and today's date to the microsecond: past that is noise.
                let grain = if seconds < 9e6 { 1e9 } else { 1e6 };
                let grains = (seconds * grain).round();
                (0.0..1.8e16).contains(&grains).then(|| {
                    if grain == 1e9 {
                        Duration::from_nanos(grains as u64)
                    } else {
                        Duration::from_micros(grains as u64)
                    }
                })
            }
            (None, None) => None,
        },
        Json::String(text) => time_span(text),
        _ => None,
    }
}

fn whole_duration(whole: u64, unit: Unit) -> Option<Duration> {
    Some(match unit {
        Unit::Seconds => Duration::from_secs(whole),
        Unit::Millis => Duration::from_millis(whole),
    })
}

fn time_span(text: &str) -> Option<Duration> {
    let (rest, second) = text.rsplit_once(':')?;
    let (hour, minute) = rest.split_once(':')?;
    let (day, hour) = hour.split_once('.').unwrap_or(("0", hour));
    let (second, fraction) = second.split_once('.').unwrap_or((second, "0"));
    let number = |digits: &str, limit: u64| {
        let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let value: u64 = plain.then(|| digits.parse().ok())??;
        (value < limit).then_some(value)
    };
    let seconds = number(day, 100_000_000)? * 86_400
        + number(hour, 24)? * 3_600
        + number(minute, 60)? * 60
        + number(second, 60)?;
    let nanos = number(&format!("{fraction:0<9}"), 1_000_000_000)?;
    Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
}

/// The id of an event: a UUID as it is; any other text or number as the 128-bit FNV-1a hash of the dialect's name, a zero
/// byte and the text, so that the same foreign id gives the same id in every import.
pub(super) fn event_id(json: &Json, dialect: Dialect) -> Option<(EventId, bool)> {
    let text = match json {
        Json::String(text) if !text.is_empty() => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    if let Ok(id) = text.parse() {
        return Some((id, true));
    }
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = dialect.as_str().bytes().chain([0]).chain(text.bytes());
    let hash = bytes.fold(OFFSET, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    Some((EventId::from_u128(hash), false))
}

/// An address taken apart.
pub(super) struct Url {
    /// The whole, its user and password replaced.
    pub(super) full: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// Reads `scheme://[user[:password]@]host[:port][/…]`.
pub(super) fn url(text: &str) -> Option<Url> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, place) = match authority.rsplit_once('@') {
        Some((_, place)) => ("REDACTED:REDACTED@", place),
        None => ("", authority),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let default = match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    };
    let port = match port {
        Some(digits) => Some(digits.parse().ok()?),
        None => default,
    };
    (!host.is_empty()).then(|| Url {
        full: format!("{scheme}://{user}{place}{path}"),
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_with_an_offset_without_one_and_as_numbers() {
        let at = UNIX_EPOCH + Duration::new(1_718_461_822, 123_456_000);
        for json in [
            json!("2024-06-15T14:30:22.123456Z"),
            json!("2024-06-15T16:30:22.123456+02:00"),
            json!("2024-06-15T14:30:22.123456"),
            json!("2024-06-15 14:30:22.123456"),
        ] {
            assert_eq!(time(&json, Unit::Seconds), Some(at), "{json}");
        }
        let whole = UNIX_EPOCH + Duration::from_millis(1_703_123_456_789);
        assert_eq!(
            time(&json!(1_703_123_456_789_u64), Unit::Millis),
            Some(whole)
        );
        assert_eq!(time(&json!(1_703_123_456.789), Unit::Seconds), Some(whole));
        assert_eq!(
            time(&json!(-1), Unit::Seconds),
            Some(UNIX_EPOCH - Duration::from_secs(1))
        );
        for json in [
            json!("yesterday"),
            json!(u64::MAX),
            json!(-1.5),
            json!([]),
            json!(1e300),
        ] {
            assert_eq!(time(&json, Unit::Seconds), None, "{json}");
        }
    }

    #[test]
    fn lengths_are_read_in_their_unit_and_as_dotnet_prints_them() {
        let read = |json| duration(&json, Unit::Seconds);
        assert_eq!(read(json!(1.5)), Some(Duration::from_millis(1_500)));
        assert_eq!(
            read(json!("00:00:01.2340000")),
            Some(Duration::from_millis(1_234))
        );
        assert_eq!(read(json!("1.02:03:04")), Some(Duration::from_secs(93_784)));
        assert_eq!(
            duration(&json!(12.34), Unit::Millis),
            Some(Duration::from_nanos(12_340_000))
        );
        for json in [
            json!("00:61:00"),
            json!("1:2"),
            json!(-1),
            json!("a:b:c"),
            json!("é:1:1"),
            json!(true),
        ] {
            assert_eq!(read(json.clone()), None, "{json}");
        }
    }

    #[test]
    fn an_id_that_is_no_uuid_gives_the_same_id_every_time_and_another_in_another_dialect() {
        let uuid = json!("0191234567897fffbfffffffffffffff");
        assert!(event_id(&uuid, Dialect::CrewAi).is_some_and(
            |(id, uuid)| uuid && id.to_string() == "01912345-6789-7fff-bfff-ffffffffffff"
        ));
        let hashed = |dialect| event_id(&json!("run-7"), dialect);
        assert_eq!(hashed(Dialect::CrewAi), hashed(Dialect::CrewAi));
        assert_ne!(hashed(Dialect::CrewAi), hashed(Dialect::Scenario));
        assert!(hashed(Dialect::CrewAi).is_some_and(|(_, uuid)| !uuid));
        assert_eq!(event_id(&json!(""), Dialect::CrewAi), None);
        assert_eq!(event_id(&json!({}), Dialect::CrewAi), None);
    }

    #[test]
    fn addresses_lose_their_credentials_and_nothing_else() {
        for (text, full, host, port) in [
            (
                "https://a.example/x?y#z",
                "https://a.example/x?y#z",
                "a.example",
                Some(443),
            ),
            (
                "http://u:p@h:8080/x",
                "http://REDACTED:REDACTED@h:8080/x",
                "h",
                Some(8080),
            ),
            (
                "grpc://[::1]:50051",
                "grpc://[::1]:50051",
                "::1",
                Some(50051),
            ),
            ("unix://sock", "unix://sock", "sock", None),
        ] {
            let url = url(text).unwrap();
            assert_eq!(
                (url.full.as_str(), url.host.as_str(), url.port),
                (full, host, port)
            );
        }
        for text in ["", "localhost", "http://", "http://h:port/", "http://[::1"] {
            assert!(url(text).is_none(), "{text}");
        }
    }
}
