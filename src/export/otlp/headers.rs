//! Request headers as people configure them, checked before the first request.
//!
//! Promise: what passes can be sent over HTTP/1, HTTP/2 and gRPC as it is. Never: puts a header's value
//! into an error or a `Debug`.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::error::{OtlpConfigError, shown};

/// Names that belong to the transport. A configured one would contradict what is sent.
const RESERVED: [&str; 15] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-status",
    "grpc-timeout",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Bytes of one header value. Servers commonly refuse more than 8 KiB for all headers together.
const VALUE_BYTES: usize = 16 * 1024;

/// Reads `name=value,name=value` with percent-encoded values, the form of a W3C baggage header without
/// metadata. A name given twice keeps its last value. Empty entries are skipped.
pub(crate) fn parse_list(
    text: &str,
    from: Cow<'static, str>,
) -> Result<HeaderMap, OtlpConfigError> {
    let mut headers = HeaderMap::new();
    for (at, entry) in text.split(',').enumerate() {
        let entry = entry.trim();
        if entry.is_empty() {
            continue;
        }
        let Some((name, value)) = entry.split_once('=') else {
            // The entry may be a secret pasted without its name, so only its position is told.
            return Err(OtlpConfigError::Header {
                from,
                header: format!("entry {}", at + 1),
                problem: "has no '='",
                instead: "write name=value,name=value with values percent-encoded (',' is %2C)",
            });
        };
        let place = || format!("the name of entry {}", at + 1);
        let (name, value) = (name.trim(), value.trim());
        let value: Vec<u8> = percent_decode_str(value).collect();
        put(&mut headers, name, &value, from.clone(), place)?;
    }
    Ok(headers)
}

/// Adds one header, replacing an earlier one of the name. `place` names it where its name is unusable.
pub(crate) fn put(
    headers: &mut HeaderMap,
    name: &str,
    value: &[u8],
    from: Cow<'static, str>,
    place: impl FnOnce() -> String,
) -> Result<(), OtlpConfigError> {
    let fail = |header: String, problem: &'static str, instead: &'static str| {
        Err(OtlpConfigError::Header {
            from: from.clone(),
            header,
            problem,
            instead,
        })
    };
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return fail(
            place(),
            "is empty or has characters a header name cannot have",
            "use letters, digits and '-'",
        );
    };
    let header = || shown(name.as_str());
    if RESERVED.contains(&name.as_str()) {
        return fail(header(), "is set by the exporter itself", "leave it out");
    }
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return fail(
            header(),
            "has a line break or NUL in its value",
            "remove it (a trailing newline often comes from reading a file)",
        );
    }
    if !value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return fail(
            header(),
            "has a value with characters outside printable ASCII",
            "encode the value as its receiver expects it, for example as Base64",
        );
    }
    if value.len() > VALUE_BYTES {
        return fail(
            header(),
            "has a value longer than 16 KiB",
            "shorten it: receivers refuse such headers",
        );
    }
    let Ok(mut value) = HeaderValue::from_bytes(value) else {
        return fail(
            header(),
            "has a value that cannot be sent",
            "use printable ASCII",
        );
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<(String, String)>, String> {
        match parse_list(text, Cow::Borrowed("OTEL_H")) {
            Ok(map) => {
                let mut all: Vec<_> = map
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                    .collect();
                all.sort();
                Ok(all)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_list_is_read_as_baggage_with_percent_decoded_values() {
        for (text, expected) in [
            ("", vec![]),
            (" , ,", vec![]),
            ("a=b", vec![("a", "b")]),
            ("a=", vec![("a", "")]),
            (" A = b , c=d ", vec![("a", "b"), ("c", "d")]),
            (
                "authorization=Bearer%20x%2Cy%3D",
                vec![("authorization", "Bearer x,y=")],
            ),
            (
                "authorization=Basic dXNlcg==",
                vec![("authorization", "Basic dXNlcg==")],
            ),
            ("a=1;p=2", vec![("a", "1;p=2")]),
            ("a=100%", vec![("a", "100%")]),
            ("a=%zz%2", vec![("a", "%zz%2")]),
            ("a=1,A=2", vec![("a", "2")]),
            ("x-bin=%20", vec![("x-bin", " ")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect();
            assert_eq!(list(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn an_unusable_header_is_named_without_its_value() {
        for (text, named) in [
            ("canary", "entry 1 has no '='"),
            ("a=b,canary", "entry 2 has no '='"),
            ("=canary", "the name of entry 1 is empty"),
            ("a=1,ca nary=canary", "the name of entry 2 is empty"),
            ("x-k=canary%0d%0ahost: h", "x-k has a line break"),
            ("x-k=canary%0A", "x-k has a line break"),
            ("x-k=canary%00", "x-k has a line break"),
            ("x-k=canary\u{e9}", "x-k has a value with characters"),
            ("x-k=canary%ff", "x-k has a value with characters"),
            ("x-k=canary%7f", "x-k has a value with characters"),
            ("content-type=canary", "content-type is set by the exporter"),
            ("Host=canary", "host is set by the exporter"),
            ("grpc-timeout=canary", "grpc-timeout is set by the exporter"),
        ] {
            let error = list(text).unwrap_err();
            assert!(
                error.starts_with(&format!("OTEL_H: {named}")),
                "{text}: {error}"
            );
            assert!(
                !error.contains("canary") && !error.contains("nary"),
                "{error}"
            );
        }
        assert!(list(&format!("k={}", "x".repeat(VALUE_BYTES))).is_ok());
        assert!(
            list(&format!("k={}", "x".repeat(VALUE_BYTES + 1)))
                .unwrap_err()
                .contains("16 KiB")
        );
    }

    #[test]
    fn values_are_marked_sensitive_so_that_debug_and_hpack_leave_them_out() {
        let headers = parse_list("a=canary", Cow::Borrowed("OTEL_H")).unwrap();
        assert!(!format!("{headers:?}").contains("canary"));
    }
}
