//! Who may look: every request goes through here, and every answer.
//!
//! Promise: a page of somebody else's learns nothing, whether it embeds this one, asks it from afar, or points a name of its own at this
//! machine; a token is compared in constant time, and stands in no log and no referrer.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::serve::Page;

/// Every answer's.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The name of the parameter, and with the port of the cookie: cookies know no ports, and two programs may be looked at.
const TOKEN: &str = "token";

pub(super) async fn guard(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    let mut answer = match refused(&page, &request) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => {
            let given = token_in_address(&page, &request);
            let mut answer = next.run(request).await;
            if let Some(cookie) = given.and_then(|()| page.cookie()) {
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            answer
        }
    };
    for (name, value) in HEADERS {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn refused(page: &Page, request: &Request) -> Option<&'static str> {
    let headers = request.headers();
    if page.token.is_none() && !names_loopback(headers) {
        return Some("This page answers to localhost and loopback addresses only.\n");
    }
    let from = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if from.is_some_and(|from| !matches!(from, b"same-origin" | b"none")) && !is_navigation(request)
    {
        return Some("Other sites' pages are not answered.\n");
    }
    let known = page.token.is_none()
        || token_in_address(page, request).is_some()
        || cookies(headers, &page.cookie_name())
            .chain(bearer(headers))
            .any(|given| page.knows(given));
    (!known).then_some("Open the address that the program told, with its token.\n")
}

/// Somebody followed a link to the page itself.
fn is_navigation(request: &Request) -> bool {
    let mode = request
        .headers()
        .get("sec-fetch-mode")
        .map(HeaderValue::as_bytes);
    request.uri().path() == "/" && mode == Some(b"navigate".as_slice())
}

/// Whether the request names this machine by a name that nobody else can give away.
fn names_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let name = match bracketed {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

fn token_in_address(page: &Page, request: &Request) -> Option<()> {
    page.token.as_ref()?;
    let query = request.uri().query()?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let (_, given) = pairs.find(|(name, _)| name == TOKEN)?;
    page.knows(&given).then_some(())
}

fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

impl Page {
    fn cookie_name(&self) -> String {
        format!("tracing-genai-viewer-{}", self.port)
    }

    fn cookie(&self) -> Option<HeaderValue> {
        let (name, token) = (self.cookie_name(), self.token.as_ref()?);
        let mut cookie = HeaderValue::from_str(&format!(
            "{name}={token}; Path=/; HttpOnly; SameSite=Strict"
        ))
        .ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }

    /// Compares whole, however early they differ.
    fn knows(&self, given: &str) -> bool {
        self.token.as_ref().is_some_and(|token| {
            let pairs = token.bytes().zip(given.bytes());
            token.len() == given.len() && pairs.fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_give_away_are_this_machine() {
        let host = |name: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(name).unwrap());
            names_loopback(&headers)
        };
        for own in [
            "localhost",
            "LocalHost:80",
            "127.0.0.1:4777",
            "127.8.8.8",
            "[::1]:4777",
            "[::1]",
        ] {
            assert!(host(own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "192.0.2.1",
            "[2001:db8::1]:1",
            "",
            "evil.localhost",
        ] {
            assert!(!host(other), "{other}");
        }
        assert!(!names_loopback(&HeaderMap::new()));
    }
}
