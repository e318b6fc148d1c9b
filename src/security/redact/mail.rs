//! E-mail addresses and the credentials in URLs: what stands before an `@`.

use std::ops::Range;

use super::plausible::{is_noise, is_placeholder};

/// The longest local part and domain (RFC 5321 4.5.3.1).
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// Ends of file names that look like a domain: `icon@2x.png`.
#[rustfmt::skip]
const FILES: &[&str] = &[
    "css", "gif", "html", "jpeg", "jpg", "js", "json", "md", "mjs", "png", "py", "rs", "svg", "toml", "ts",
    "txt", "webp", "yaml", "yml",
];

/// The address around the `@` at `at`.
pub(super) fn address(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let mut start = at;
    while start > 0 && at - start < LOCAL {
        let byte = bytes[start - 1];
        if byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'!' | b'#' | b'$' | b'&'
            )
        {
            // The letter of an escape: `\nada@…`.
            if super::bounds::before(bytes, start).is_none() {
                break;
            }
            start -= 1;
        } else if start >= 2
            && (0x80..0xc0).contains(&byte)
            && matches!(bytes[start - 2], 0xc3..=0xc9)
        {
            // A Latin letter of two bytes.
            start -= 2;
        } else {
            break;
        }
    }
    while start < at
        && matches!(
            bytes[start],
            b'.' | b'\'' | b'-' | b'%' | b'!' | b'#' | b'$' | b'&'
        )
    {
        start += 1;
    }
    let shown = &bytes[start..at];
    if shown.is_empty() || shown.ends_with(b".") || shown == b"git" || in_url(bytes, start) {
        return None;
    }
    let mut end = at + 1;
    while end < bytes.len() && end - at <= DOMAIN {
        let latin = (0xc3..=0xc9).contains(&bytes[end])
            && bytes.get(end + 1).is_some_and(|b| (0x80..0xc0).contains(b));
        if bytes[end].is_ascii_alphanumeric() || matches!(bytes[end], b'.' | b'-') {
            end += 1;
        } else if latin {
            end += 2;
        } else {
            break;
        }
    }
    while end > at && matches!(bytes[end - 1], b'.' | b'-') {
        end -= 1;
    }
    // No top-level domain has accents: what follows is the next word, in a script without spaces.
    let top = memchr::memrchr(b'.', bytes.get(at + 1..end)?).map(|dot| at + 2 + dot)?;
    if let Some(accent) = bytes[top..end].iter().position(|b| !b.is_ascii()) {
        end = top + accent;
    }
    let domain = bytes.get(at + 1..end)?;
    let dot = memchr::memrchr(b'.', domain)?;
    let (host, top) = (&domain[..dot], &domain[dot + 1..]);
    let is_file = || {
        FILES
            .iter()
            .any(|file| top.eq_ignore_ascii_case(file.as_bytes()))
            && !host.contains(&b'.')
    };
    let good = !host.is_empty()
        && !host.starts_with(b".")
        && !host.ends_with(b".")
        && !host.starts_with(b"-")
        && (2..=24).contains(&top.len())
        && (top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--"))
        && host.windows(2).all(|w| w != b"..")
        && !(is_file() && host[0].is_ascii_digit());
    good.then_some(start..end)
}

/// Whether what begins at `start` is the user or password of a URL: `https://user:password@host`.
fn in_url(bytes: &[u8], start: usize) -> bool {
    const REACH: usize = 128;
    if !matches!(bytes.get(start.wrapping_sub(1)), Some(b':' | b'/' | b'@')) {
        return false;
    }
    let window = &bytes[start.saturating_sub(REACH)..start];
    let slash = memchr::memrchr(b'/', window);
    slash.is_some_and(|at| {
        window[..at].ends_with(b":/") && !window[at..].iter().any(u8::is_ascii_whitespace)
    })
}

/// The credentials in the URL whose `://` ends at `from`.
pub(super) fn credentials(text: &str, from: usize) -> Option<Range<usize>> {
    const REACH: usize = 512;
    let bytes = text.as_bytes();
    let end = bytes[from..]
        .iter()
        .take(REACH)
        .position(|b| {
            b.is_ascii_whitespace()
                || matches!(
                    b,
                    b'/' | b'?'
                        | b'#'
                        | b'"'
                        | b'\''
                        | b'<'
                        | b'>'
                        | b'`'
                        | b'|'
                        | b'\\'
                        | b')'
                        | b','
                )
        })
        .map_or((from + REACH).min(bytes.len()), |n| from + n);
    let at = from + memchr::memrchr(b'@', &bytes[from..end])?;
    let shown = text.get(from..at)?;
    let secret = match shown.split_once(':') {
        Some((_, "")) => false,
        // Documentation writes `scheme://[user[:password]@]host`.
        Some((_, password)) => !is_placeholder(password.trim_matches(['[', ']', '{', '}'])),
        // `https://token@host`: a name alone is no secret, a token is.
        None => is_noise(shown, 16),
    };
    secret.then_some(from..at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_uses_of_the_sign() {
        for (text, part) in [
            ("mail ada@lovelace.dev.", "ada@lovelace.dev"),
            (
                "<ada.b+c@mail.lovelace.co.uk>",
                "ada.b+c@mail.lovelace.co.uk",
            ),
            (r"\nada@lovelace.dev", "ada@lovelace.dev"),
            ("ädä@müller.de", "ädä@müller.de"),
            ("邮箱ada@lovelace.dev。", "ada@lovelace.dev"),
            ("'o'hara@x.ie'", "o'hara@x.ie"),
        ] {
            let at = text.find('@').unwrap();
            assert_eq!(&text[address(text.as_bytes(), at).unwrap()], part, "{text}");
        }
        for text in [
            "@ada",
            "ada@",
            "ada@localhost",
            "react@18.2.0",
            "icon@2x.png",
            "git@github.com:a/b",
            "a@b..de",
            "a.@b.de",
            "ada @lovelace.dev",
            "https://user:password@lovelace.dev",
            "a@-b.de",
            "a@.de",
        ] {
            let at = text.find('@').unwrap();
            assert_eq!(address(text.as_bytes(), at), None, "{text}");
        }
    }

    #[test]
    fn credentials_of_urls_are_found_and_nothing_else_of_them() {
        for (text, part) in [
            ("postgres://ada:pw1@db/x", "ada:pw1"),
            ("https://ada:p@ss:w0rd@h", "ada:p@ss:w0rd"),
            ("redis://:s3cret@h:6379", ":s3cret"),
            ("https://a1b2c3d4e5f6a7b8c9@h/x", "a1b2c3d4e5f6a7b8c9"),
        ] {
            let from = text.find("://").unwrap() + 3;
            assert_eq!(
                credentials(text, from).map(|range| &text[range]),
                Some(part),
                "{text}"
            );
        }
        for text in [
            "https://h/ada:pw@x",
            "ssh://git@h/x",
            "https://user:password@h",
            "scheme://[user[:password]@]host[:port]",
            "https://<user>:<pass>@h",
            "https://h:80/",
            "https://ada:@h",
            "x://",
            "x://é",
        ] {
            let from = text.find("://").unwrap() + 3;
            assert_eq!(credentials(text, from), None, "{text}");
        }
    }
}
