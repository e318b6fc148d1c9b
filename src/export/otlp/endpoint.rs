//! Reading an endpoint: URL or `host:port`, base address or a signal's own.
//!
//! Promise: what comes out can be connected to, and its printed form holds no user, password or query.
//! Never: resolves a name or opens a socket.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::error::OtlpConfigError;
use super::kinds::{Protocol, Signal};
use crate::console::escape;

/// The port that only ever means gRPC.
const GRPC_PORT: u16 = 4317;

/// An address read from one setting, before protocol and signal are known.
#[derive(Clone)]
pub(crate) struct Address {
    from: Cow<'static, str>,
    shown: String,
    scheme: Option<Scheme>,
    authority: Authority,
    path: String,
    query: Option<String>,
    basic: Option<HeaderValue>,
}

/// Where one signal's requests go.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
    /// For messages: no user, password or query.
    pub(crate) shown: String,
    /// `authorization: Basic …`, made from `user:password@` in the URL.
    pub(crate) basic: Option<HeaderValue>,
}

impl Endpoint {
    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Address {
    pub(crate) fn parse(text: &str, from: Cow<'static, str>) -> Result<Address, OtlpConfigError> {
        let text = text.trim();
        let fail = |problem: &'static str| OtlpConfigError::Endpoint {
            from: from.clone(),
            value: without_secrets(text),
            problem,
            instead: "write for example http://localhost:4318 or https://collector.example:4317"
                .into(),
        };
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(fail("it contains white space or control characters"));
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let scheme = match scheme.as_deref() {
            None => None,
            Some("http") => Some(Scheme::HTTP),
            Some("https") => Some(Scheme::HTTPS),
            Some(_) => return Err(fail("the scheme must be http or https")),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (place, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        let (user, host) = match place.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, place),
        };
        let authority: Authority = host
            .parse()
            .map_err(|_| fail("the host is missing or malformed"))?;
        if authority.host().is_empty() || authority.host() == "[]" {
            return Err(fail("the host is missing or malformed"));
        }
        let port = authority
            .as_str()
            .strip_prefix(authority.host())
            .unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(fail("the port must be a number from 1 to 65535"));
        }
        // Checked here so that later joining cannot fail.
        format!("{path}?{}", query.as_deref().unwrap_or_default())
            .parse::<PathAndQuery>()
            .map_err(|_| fail("the path or query is malformed"))?;
        let basic = match user.filter(|user| !user.is_empty()) {
            None => None,
            Some(user) => Some(basic(user).ok_or_else(|| fail("user and password are malformed"))?),
        };
        let shown = without_secrets(text);
        Ok(Address {
            from,
            shown,
            scheme,
            authority,
            path: path.to_owned(),
            query,
            basic,
        })
    }

    /// The protocol the address speaks by itself: gRPC on port 4317 without a path, else unknown.
    pub(crate) fn implied_protocol(&self) -> Option<Protocol> {
        (self.authority.port_u16() == Some(GRPC_PORT) && matches!(&*self.path, "" | "/"))
            .then_some(Protocol::Grpc)
    }

    /// The address as it is, to be posted to. `plaintext` as for [`resolve`](Self::resolve).
    pub(crate) fn as_given(&self, plaintext: bool) -> Result<Endpoint, OtlpConfigError> {
        // One signal's own address is used as it is.
        self.resolve(
            Signal::Traces,
            Protocol::HttpProtobuf,
            true,
            None,
            plaintext,
        )
    }

    /// The address as `signal` uses it. `own` says that it was given for this signal alone and is used
    /// as it is; `insecure` what was said about transport security; `plaintext` whether unencrypted
    /// transport to another host is allowed.
    pub(crate) fn resolve(
        &self,
        signal: Signal,
        protocol: Protocol,
        own: bool,
        insecure: Option<bool>,
        plaintext: bool,
    ) -> Result<Endpoint, OtlpConfigError> {
        let fail = |problem: &'static str, instead: String| OtlpConfigError::Endpoint {
            from: self.from.clone(),
            value: self.shown.clone(),
            problem,
            instead: instead.into(),
        };
        let local = is_local(self.authority.host());
        let scheme = match (&self.scheme, insecure) {
            (Some(scheme), _) => scheme.clone(),
            (None, Some(true)) => Scheme::HTTP,
            (None, Some(false)) => Scheme::HTTPS,
            (None, None) if local => Scheme::HTTP,
            (None, None) => Scheme::HTTPS,
        };
        if scheme == Scheme::HTTP && !local && !plaintext {
            return Err(OtlpConfigError::Plaintext {
                from: self.from.clone(),
                value: self.shown.clone(),
            });
        }
        let path = match protocol {
            Protocol::Grpc if !matches!(&*self.path, "" | "/") || self.query.is_some() => {
                return Err(fail(
                    "gRPC has no path and no query",
                    format!(
                        "write {scheme}://{}, or set the protocol to http/protobuf",
                        self.authority
                    ),
                ));
            }
            Protocol::Grpc => signal.grpc_path().to_owned(),
            Protocol::HttpProtobuf if own => match &*self.path {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            Protocol::HttpProtobuf => {
                let base = self.path.trim_end_matches('/');
                if Signal::ALL
                    .iter()
                    .any(|signal| base.ends_with(signal.http_path()))
                {
                    return Err(fail(
                        "this is one signal's address, given for all of them",
                        "leave the /v1/… out (it is appended), or give it for that signal only"
                            .into(),
                    ));
                }
                format!("{base}{}", signal.http_path())
            }
        };
        let path = match &self.query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let uri = Uri::builder()
            .scheme(scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|_| {
                fail(
                    "the address is malformed",
                    "write for example http://localhost:4318".into(),
                )
            })?;
        let shown = match protocol {
            Protocol::Grpc => format!("{scheme}://{} (gRPC)", self.authority),
            Protocol::HttpProtobuf => format!("{scheme}://{}{}", self.authority, uri.path()),
        };
        Ok(Endpoint {
            uri,
            shown: escape(&shown).into_owned(),
            basic: self.basic.clone(),
        })
    }
}

/// `authorization` for the `user[:password]` of a URL.
fn basic(user: &str) -> Option<HeaderValue> {
    let decoded: Vec<u8> = percent_decode_str(user).collect();
    let mut plain = decoded;
    if !plain.contains(&b':') {
        plain.push(b':');
    }
    let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether packets to the host stay on this machine. `0.0.0.0` and `[::]` as destinations do.
fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.is_loopback() || ip.is_unspecified(),
            None => ip.is_loopback() || ip.is_unspecified(),
        },
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Err(_) => {
            let name = bare.to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// The text of an address, usable or not, without what may be secret in it: user and password, query,
/// fragment. Escaped and cut to 200 characters.
pub(crate) fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match text.find("://") {
        Some(at) => text.split_at(at + 3),
        None => ("", text),
    };
    // The last `@`, even one behind a slash: a password may contain a slash, and a path with an `@`
    // loses nothing that matters.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    escape(&format!("{scheme}{rest}"))
        .into_owned()
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text, "X".into()).unwrap()
    }

    fn http(text: &str, own: bool) -> String {
        let endpoint =
            address(text).resolve(Signal::Traces, Protocol::HttpProtobuf, own, None, true);
        endpoint.unwrap().uri.to_string()
    }

    #[test]
    fn a_base_address_is_extended_and_a_signals_own_is_used_as_it_is() {
        for (text, base, own) in [
            ("http://h:4318", "http://h:4318/v1/traces", "http://h:4318/"),
            (
                "http://h:4318/",
                "http://h:4318/v1/traces",
                "http://h:4318/",
            ),
            (
                "https://h/otlp",
                "https://h/otlp/v1/traces",
                "https://h/otlp",
            ),
            (
                "https://h/otlp/",
                "https://h/otlp/v1/traces",
                "https://h/otlp/",
            ),
            (
                "https://h/a%20b",
                "https://h/a%20b/v1/traces",
                "https://h/a%20b",
            ),
            ("https://h?k=1", "https://h/v1/traces?k=1", "https://h/?k=1"),
            (
                "https://h/x?k=1#frag",
                "https://h/x/v1/traces?k=1",
                "https://h/x?k=1",
            ),
            ("HTTPS://H:1/x", "https://H:1/x/v1/traces", "https://H:1/x"),
            (
                "http://[::1]:4318",
                "http://[::1]:4318/v1/traces",
                "http://[::1]:4318/",
            ),
            (
                "localhost:4318",
                "http://localhost:4318/v1/traces",
                "http://localhost:4318/",
            ),
            ("h:4318/x", "https://h:4318/x/v1/traces", "https://h:4318/x"),
        ] {
            assert_eq!(http(text, false), base, "{text}");
            assert_eq!(http(text, true), own, "{text}");
        }
    }

    #[test]
    fn port_4317_without_a_path_implies_grpc() {
        for (text, grpc) in [
            ("http://h:4317", true),
            ("http://h:4317/", true),
            ("h:4317", true),
            ("http://h:4317/v1/traces", false),
            ("http://h:4318", false),
            ("http://h", false),
        ] {
            assert_eq!(address(text).implied_protocol().is_some(), grpc, "{text}");
        }
    }

    #[test]
    fn grpc_uses_the_services_path_and_refuses_one_of_its_own() {
        let grpc =
            |text: &str| address(text).resolve(Signal::Logs, Protocol::Grpc, true, None, true);
        assert_eq!(
            grpc("localhost:4317").unwrap().uri,
            "http://localhost:4317/opentelemetry.proto.collector.logs.v1.LogsService/Export"
        );
        for bad in ["http://h:4317/v1/logs", "http://h?x=1"] {
            assert!(
                grpc(bad)
                    .unwrap_err()
                    .to_string()
                    .contains("gRPC has no path"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_schemeless_address_is_https_unless_local_or_insecure() {
        let scheme = |text: &str, insecure| {
            let endpoint =
                address(text).resolve(Signal::Traces, Protocol::Grpc, false, insecure, true);
            endpoint.unwrap().uri.scheme_str().unwrap().to_owned()
        };
        assert_eq!(scheme("h:4317", None), "https");
        assert_eq!(scheme("h:4317", Some(false)), "https");
        assert_eq!(scheme("h:4317", Some(true)), "http");
        assert_eq!(scheme("localhost:4317", None), "http");
        assert_eq!(scheme("localhost:4317", Some(false)), "https");
        assert_eq!(scheme("https://h:4317", Some(true)), "https");
    }

    #[test]
    fn plain_http_leaves_the_host_only_when_allowed() {
        let plain = |text: &str, insecure, allowed| {
            address(text)
                .resolve(
                    Signal::Traces,
                    Protocol::HttpProtobuf,
                    false,
                    insecure,
                    allowed,
                )
                .is_ok()
        };
        for local in [
            "http://localhost:1",
            "http://LOCALHOST.",
            "http://a.localhost",
            "http://127.0.0.1",
            "http://127.8.9.1",
            "http://[::1]",
            "http://0.0.0.0:4318",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(plain(local, None, false), "{local}");
        }
        for other in [
            "http://h",
            "http://10.0.0.1",
            "http://[fe80::1]",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://127.0.0.1.evil.example",
            "http://[::2]",
        ] {
            assert!(!plain(other, None, false), "{other}");
            assert!(!plain(other, Some(true), false), "{other}");
            assert!(plain(other, None, true), "{other}");
        }
    }

    #[test]
    fn a_signals_address_given_for_all_signals_is_an_error_not_a_404_later() {
        let base = |text: &str, own| {
            address(text).resolve(Signal::Traces, Protocol::HttpProtobuf, own, None, true)
        };
        assert!(
            base("http://h/v1/traces", false)
                .unwrap_err()
                .to_string()
                .contains("one signal's address")
        );
        assert!(base("http://h/x/v1/logs/", false).is_err());
        assert!(base("http://h/v1/traces", true).is_ok());
    }

    #[test]
    fn user_and_password_become_an_authorization_header_and_are_never_printed() {
        let address = address("https://us%40er:p%2Fw@h:1/x?token=canary");
        let endpoint = address
            .resolve(Signal::Traces, Protocol::HttpProtobuf, false, None, false)
            .unwrap();
        assert_eq!(endpoint.uri, "https://h:1/x/v1/traces?token=canary");
        assert_eq!(endpoint.basic.clone().unwrap(), "Basic dXNAZXI6cC93");
        assert_eq!(format!("{endpoint:?}"), "https://h:1/x/v1/traces");
    }

    #[test]
    fn an_unusable_address_is_named_with_its_reason_and_without_its_secrets() {
        for bad in [
            "",
            " ",
            "http://",
            "https://:4318",
            "ftp://h",
            "unix:///tmp/x",
            "://h",
            "http:///x",
            "http://h:0",
            "http://h:65536",
            "http://h:",
            "http://h:x",
            "http://h h",
            "http://h\r\nx: y",
            "http://[::1",
            "http://[]",
            "http://h/\u{e9}\u{7f}",
            "http://us\ner@h",
            "http:// h",
            "http://canary:canary@/x?canary#canary",
            "http://canary:ca/nary@h:x?canary",
            "canary@h:x",
            "http://h:99999?canary",
        ] {
            let Err(error) = Address::parse(bad, "OTEL_X".into()) else {
                panic!("{bad:?} was accepted")
            };
            let text = error.to_string();
            assert!(text.starts_with("OTEL_X is \""), "{text}");
            assert!(text.contains("write for example http"), "{text}");
            assert!(!text.contains("canary"), "{text}");
            assert!(!text.contains(['\r', '\n']), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_address_that_resolves_or_an_error_without_its_password(
            scheme in "(http://|https://|)",
            user in "[a-z0-9:/?#@%]{0,6}",
            rest in "[a-z0-9.:/?#@%\\[\\] \u{e9}]{0,20}",
        ) {
            // Whatever stands before the last @ may be a password.
            let text = format!("{scheme}canary{user}@{rest}");
            let printed = match Address::parse(&text, "X".into()) {
                Err(error) => error.to_string(),
                Ok(address) => {
                    let http = Protocol::HttpProtobuf;
                    match address.resolve(Signal::Logs, http, true, None, true) {
                        Ok(endpoint) => format!("{endpoint:?}"),
                        Err(error) => error.to_string(),
                    }
                }
            };
            // Unless an earlier ?, # or / made it part of the path or query, which is cut or shown.
            let place = &user[..user.find(['/', '?', '#']).unwrap_or(user.len())];
            if place == user {
                proptest::prop_assert!(!printed.contains("canary"), "{text} gave {printed}");
            }
        }
    }
}
