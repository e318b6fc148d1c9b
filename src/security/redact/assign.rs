//! Secrets that are known by the name in front of them: `password=…`, `"api_key": "…"`, `?token=…`, `Authorization: …`.
//!
//! Promise: looks a bounded way around each name; many names in a row cost no more than their sum.
//! Never: takes a value for a secret that stands for another one (`${PASSWORD}`, `<token>`) or is a word of prose or code.

use std::ops::Range;

use super::bounds::{before, floor};
use super::keys::{KeyNames, Names};
use super::plausible::{is_noise, is_placeholder, is_quoted_secret};

/// Words of URLs whose surroundings are looked at besides those of [`KeyNames::words`].
pub(super) const WORDS: &[&str] = &["key=", "sig=", "signature="];

/// Parameters of URLs that are secrets there and nothing elsewhere.
const IN_QUERIES: &[&str] = &[
    "key",
    "sig",
    "signature",
    "x-amz-signature",
    "x-goog-signature",
];

const NAME: usize = 96;
/// A longer value is taken up to here and on to the end of its word.
const VALUE: usize = 4096;

/// What is at a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No name of a secret, or nothing assigned to it.
    Nothing,
    /// A secret's name and a value that is none; where the value ends.
    Name(usize),
    /// A secret.
    Secret(Range<usize>),
}

/// Looks at the word `at..end`, which is part of a name.
pub(super) fn look(text: &str, at: usize, end: usize, names: &KeyNames) -> Found {
    let bytes = text.as_bytes();
    let Some(end) = name_end(bytes, end) else {
        return Found::Nothing;
    };
    let start = name_start(bytes, at);
    let name = text.get(start..end).unwrap_or_default();
    let name = name.trim_end_matches(['-', '.']);
    let Some(delimiter) = delimiter(bytes, end) else {
        // `"name": "Authorization"`: what is beside it may be its value.
        let quoted = matches!(bytes.get(end), Some(b'"' | b'\\'));
        return match quoted && names.judge(name) != Names::Nothing {
            true => Found::Name(end),
            false => Found::Nothing,
        };
    };
    let in_query = delimiter.kind == Kind::Equals
        && !delimiter.quoted
        && start
            .checked_sub(1)
            .is_some_and(|at| matches!(bytes[at], b'?' | b'&'));
    let mut judged = names.judge(name);
    if in_query
        && judged == Names::Nothing
        && names.standard
        && IN_QUERIES
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    {
        judged = Names::Perhaps;
    }
    if judged == Names::Nothing {
        return Found::Nothing;
    }
    let value = value(text, delimiter.end, in_query);
    let range = match is_header(name) && !value.quoted && delimiter.kind == Kind::Colon {
        true => value.range.start..header_end(bytes, value.range.start),
        false => value.range,
    };
    let shown = text.get(range.clone()).unwrap_or_default();
    let has = |word: &str| {
        let mut parts = name.as_bytes().windows(word.len());
        parts.any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    };
    let is_path = has("pwd") && (shown.starts_with(['/', '~']) || shown.get(1..3) == Some(":\\"));
    let shortest = if ["pass", "pwd", "kennwort"].into_iter().any(has) {
        6
    } else {
        8
    };
    let secret = !shown.is_empty()
        && !is_path
        && match delimiter.kind {
            Kind::Is => is_noise(shown, 7),
            Kind::Space => is_noise(shown, 6),
            _ if is_header(name) => shown
                .split([' ', ';', ',', '='])
                .any(|word| is_noise(word, 8)),
            _ if in_query && judged == Names::Secret => !is_placeholder(shown),
            _ if in_query => is_noise(shown, 16),
            _ if value.quoted && judged == Names::Secret => is_quoted_secret(shown),
            _ => is_noise(shown, shortest),
        };
    if secret {
        Found::Secret(range)
    } else {
        Found::Name(range.end)
    }
}

/// Headers whose value is the rest of the line.
fn is_header(name: &str) -> bool {
    let name = name.trim_start_matches(['-', '.']);
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(name))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
}

fn name_start(bytes: &[u8], at: usize) -> usize {
    let mut start = at;
    while at - start < NAME && before(bytes, start).is_some_and(|b| is_name(b) && b < 0x80) {
        start -= 1;
    }
    start
}

/// Where the name ends that goes on at `end`; `None` where it is too long for one.
fn name_end(bytes: &[u8], end: usize) -> Option<usize> {
    // `key=` and the like end with their delimiter.
    let end = match bytes.get(end - 1) {
        Some(b'=' | b'"') => end - 1,
        _ => end,
    };
    let more = bytes[end..]
        .iter()
        .take(NAME)
        .take_while(|b| is_name(**b) && **b < 0x80)
        .count();
    (more < NAME).then_some(end + more)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Colon,
    Equals,
    /// `my password is …`
    Is,
    /// `--password …`
    Space,
}

struct Delimiter {
    kind: Kind,
    /// The name was quoted.
    quoted: bool,
    end: usize,
}

fn delimiter(bytes: &[u8], name_end: usize) -> Option<Delimiter> {
    let mut at = name_end;
    let skip = |at: &mut usize, set: &[u8], most: usize| {
        let from = *at;
        while *at - from < most && bytes.get(*at).is_some_and(|b| set.contains(b)) {
            *at += 1;
        }
        *at > from
    };
    let quoted = skip(&mut at, b"\\\"'`])", 8);
    let spaced = skip(&mut at, b" \t", 8);
    let kind = match (bytes.get(at)?, bytes.get(at + 1)) {
        (b'=', Some(b'=' | b'~')) | (b':', Some(b':')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => {
            at += 2;
            Kind::Equals
        }
        (b'=', _) => {
            at += 1;
            Kind::Equals
        }
        (b':', _) => {
            at += 1;
            Kind::Colon
        }
        (b'i', Some(b's')) if spaced && matches!(bytes.get(at + 2), Some(b' ' | b':')) => {
            at += 3;
            Kind::Is
        }
        _ if spaced && !quoted && is_flag(bytes, name_end) => Kind::Space,
        _ => return None,
    };
    skip(&mut at, b" \t", 8);
    Some(Delimiter {
        kind,
        quoted,
        end: at,
    })
}

/// Whether the name that ends there is `--name`.
fn is_flag(bytes: &[u8], name_end: usize) -> bool {
    let name = bytes[..name_end]
        .iter()
        .rev()
        .take(NAME)
        .take_while(|b| is_name(**b))
        .count();
    bytes[name_end - name..].starts_with(b"--")
}

struct Assigned {
    range: Range<usize>,
    quoted: bool,
}

/// The value that begins at `from`, without its quotes.
fn value(text: &str, from: usize, in_query: bool) -> Assigned {
    let bytes = text.as_bytes();
    let slashes = bytes[from..]
        .iter()
        .take(8)
        .take_while(|b| **b == b'\\')
        .count();
    let limit = floor(text, (from + VALUE).min(text.len()));
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(from + slashes).copied()
        && !in_query
    {
        let start = from + slashes + 1;
        let mut at = start;
        while at < limit {
            match bytes[at] {
                b'\n' | b'\r' => break,
                b'\\' if slashes == 0 => at += 2,
                b'\\' => {
                    let run = bytes[at..limit].iter().take_while(|b| **b == b'\\').count();
                    if bytes.get(at + run) == Some(&quote) && run <= slashes {
                        break;
                    }
                    at += run + 1;
                }
                b if b == quote => break,
                _ => at += 1,
            }
        }
        let end = floor(text, at.min(limit));
        return Assigned {
            range: start..end.max(start),
            quoted: true,
        };
    }
    let stop = |b: u8| {
        b.is_ascii_whitespace()
            || matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'&')
            || matches!(b, b')' | b'}' | b']' | b'|')
            || (if in_query {
                b == b'#'
            } else {
                matches!(b, b',' | b';')
            })
    };
    let mut at = from;
    while at < limit && !stop(bytes[at]) {
        if bytes[at] == b'\\'
            && matches!(
                bytes.get(at + 1),
                Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\')
            )
        {
            break;
        }
        at += 1;
    }
    let end = floor(text, at);
    // The full stop of a sentence.
    let end = if end > from + 1 && bytes[end - 1] == b'.' {
        end - 1
    } else {
        end
    };
    Assigned {
        range: from..end.max(from),
        quoted: false,
    }
}

/// The end of a header's line, or of the quotes it stands in.
fn header_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() && at - from < VALUE {
        match bytes[at] {
            b'\n' | b'\r' | b'"' | b'\'' | b'`' => break,
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r' | b'"' | b'\'')) => break,
            _ => at += 1,
        }
    }
    // Never inside a character.
    while at < bytes.len() && at > from && (bytes[at] & 0xc0) == 0x80 {
        at -= 1;
    }
    while at > from && matches!(bytes[at - 1], b' ' | b'\t') {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let names = KeyNames {
            standard: true,
            ..KeyNames::default()
        };
        let lower = text.to_ascii_lowercase();
        let words = KeyNames::words()
            .into_iter()
            .chain(WORDS.iter().map(|word| (*word).to_owned()));
        words.into_iter().find_map(|word| {
            let word = word.as_str();
            lower.match_indices(word).find_map(|(at, _)| {
                match look(text, at, at + word.len(), &names) {
                    Found::Secret(range) => text.get(range),
                    _ => None,
                }
            })
        })
    }

    #[test]
    fn values_of_names_of_secrets_are_found_without_what_surrounds_them() {
        for (text, secret) in [
            ("password=hunter2", "hunter2"),
            ("DB_PASSWORD = hunter2;", "hunter2"),
            ("password: Hunter2!.", "Hunter2!"),
            ("my password is hunter2, ok?", "hunter2"),
            ("--password hunter2 --user x", "hunter2"),
            (r#"{"api_key": "a1b2c3d4"}"#, "a1b2c3d4"),
            (r#"{\"api_key\": \"a1b2c3d4\", \"x\": 1}"#, "a1b2c3d4"),
            (
                r#"client_secret => "correcthorsebatterystaple""#,
                "correcthorsebatterystaple",
            ),
            (
                "os.environ[\"OPENAI_API_KEY\"] = \"abc123def\"",
                "abc123def",
            ),
            ("https://h/p?api_key=abc&x=1", "abc"),
            (
                "https://h/p?x=1&sig=abcdEFGH1234%2Bxyz%3D",
                "abcdEFGH1234%2Bxyz%3D",
            ),
            ("Authorization: Token a1b2c3d4e5f6", "Token a1b2c3d4e5f6"),
            (
                "curl -H 'Authorization: Apikey a1b2c3d4e5f6' x",
                "Apikey a1b2c3d4e5f6",
            ),
            (
                "Cookie: sid=a1b2c3d4e5; theme=dark\nHost: x",
                "sid=a1b2c3d4e5; theme=dark",
            ),
            ("token=a1b2c3d4e5é f", "a1b2c3d4e5é"),
        ] {
            assert_eq!(found(text).unwrap_or_default(), secret, "{text}");
        }
    }

    #[test]
    fn prose_code_and_placeholders_are_no_secrets() {
        for text in [
            "password",
            "password:",
            "password: ",
            "the password is required",
            "password = get_password()",
            "token: str",
            "max_tokens=4096",
            "api_key=${API_KEY}",
            "api_key: <your key>",
            "password == hunter2",
            "Token::new1234567",
            "PWD=/home/ada/p4",
            "secret: see chapter 2",
            "keyboard=us123456",
            "Cookie: a small file.",
            "the authorization: who may do what",
            "https://h/p?key=value",
            "?token={token}",
            "\"password\": \"string\"",
            "primary_key=a1b2c3d4e5",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
