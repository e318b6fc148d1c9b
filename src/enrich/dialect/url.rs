//! Addresses without the keys that some clients put into them.
//!
//! Promise: the values of parameters that name a key, and a user's password, are replaced; the rest stays as it was.

use std::borrow::Cow;

/// What stands where a key was, as the HTTP conventions have it.
const REDACTED: &str = "REDACTED";

/// Parameters whose values open something, in lower case and without `-` and `_`.
const KEYS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "auth",
    "authorization",
    "authtoken",
    "awsaccesskeyid",
    "clientsecret",
    "code",
    "credential",
    "idtoken",
    "key",
    "password",
    "refreshtoken",
    "secret",
    "sig",
    "signature",
    "subscriptionkey",
    "token",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "xgoogcredential",
    "xgoogsignature",
    "xgoogapikey",
];

/// A URL with the keys in its query replaced; borrowed where there are none.
pub(crate) fn scrub_url(url: &str) -> Cow<'_, str> {
    let (before, query) = match url.split_once('?') {
        Some((before, query)) => (before, Some(query)),
        None => (url, None),
    };
    let (query, fragment) = match query.and_then(|query| query.split_once('#')) {
        Some((query, fragment)) => (Some(query), Some(fragment)),
        None => (query, None),
    };
    let place = without_user(before);
    let scrubbed = query.map(scrub_query);
    if matches!(place, Cow::Borrowed(_)) && !matches!(scrubbed, Some(Cow::Owned(_))) {
        return Cow::Borrowed(url);
    }
    let mut whole = place.into_owned();
    if let Some(query) = scrubbed {
        whole.push('?');
        whole.push_str(&query);
    }
    if let Some(fragment) = fragment {
        whole.push('#');
        whole.push_str(fragment);
    }
    Cow::Owned(whole)
}

/// The part of a URL behind the question mark, with keys replaced.
pub(crate) fn scrub_query(query: &str) -> Cow<'_, str> {
    let is_key = |pair: &str| {
        pair.split_once('=')
            .is_some_and(|(name, _)| names_a_key(name))
    };
    if !query.split('&').any(is_key) {
        return Cow::Borrowed(query);
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if names_a_key(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    Cow::Owned(pairs.collect::<Vec<_>>().join("&"))
}

fn names_a_key(name: &str) -> bool {
    let letters = name
        .trim_start_matches('?')
        .bytes()
        .filter(|byte| !matches!(byte, b'-' | b'_'));
    let folded: String = letters
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    KEYS.contains(&folded.as_str())
}

fn without_user(url: &str) -> Cow<'_, str> {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find('/').unwrap_or(rest.len());
        let at = rest.get(..end)?.rfind('@')?;
        Some((scheme, rest.get(at + 1..)?))
    });
    match parts {
        Some((scheme, rest)) => Cow::Owned(format!("{scheme}://{REDACTED}:{REDACTED}@{rest}")),
        None => Cow::Borrowed(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_and_everything_else_stays() {
        for (url, scrubbed) in [
            (
                "https://g.example/v1beta/models/m:generateContent?key=AIza&alt=sse",
                "https://g.example/v1beta/models/m:generateContent?key=REDACTED&alt=sse",
            ),
            (
                "https://a.example/x?API_Key=1&api-key=2#part",
                "https://a.example/x?API_Key=REDACTED&api-key=REDACTED#part",
            ),
            (
                "https://user:pass@a.example/x",
                "https://REDACTED:REDACTED@a.example/x",
            ),
            (
                "/path?X-Amz-Signature=abc",
                "/path?X-Amz-Signature=REDACTED",
            ),
        ] {
            assert_eq!(scrub_url(url), scrubbed);
        }
        for untouched in [
            "https://a.example/x?monkey=1&q=key",
            "https://a.example/@me",
            "key",
            "",
        ] {
            assert!(
                matches!(scrub_url(untouched), Cow::Borrowed(_)),
                "{untouched}"
            );
        }
        assert_eq!(scrub_query("key=1"), "key=REDACTED");
    }
}
