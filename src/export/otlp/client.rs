//! The HTTP client under everything that is sent: connections, bounded answers, texts without our own secrets.
//!
//! Promise: follows no redirect, and reads no more of an answer than it is told to. Never: decides what an answer means.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::error::OtlpConfigError;
use super::tls::{self, TlsFiles};

/// Connections unused this long are closed: NATs and load balancers forget idle ones without a word, and
/// the next request would then wait for its whole timeout.
const IDLE: Duration = Duration::from_secs(30);

/// The product token receivers see.
pub(crate) const PRODUCT: HeaderValue =
    HeaderValue::from_static(concat!("tracing-genai/", env!("CARGO_PKG_VERSION")));

pub(crate) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client, with TLS where there are files to make it of, the default ones included.
pub(crate) fn new(http2_only: bool, tls: Option<&TlsFiles>) -> Result<HttpClient, OtlpConfigError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let config = match tls {
        Some(files) => tls::client_config(files)?,
        None => tls::no_tls()?,
    };
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http();
    let connector = if http2_only {
        builder.enable_http2().wrap_connector(tcp)
    } else {
        builder.enable_all_versions().wrap_connector(tcp)
    };
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http2_only(http2_only)
        .build(connector))
}

/// What was read of an answer, besides its head.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Contents {
    /// Reads the body and trailers; `false` if there is more than `limit`.
    pub(crate) async fn read(
        &mut self,
        mut body: Incoming,
        limit: usize,
    ) -> Result<bool, hyper::Error> {
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(data) if data.len() > limit - self.body.len() => return Ok(false),
                Ok(data) => self.body.extend_from_slice(&data),
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            }
        }
        Ok(true)
    }
}

/// An error with its causes: the outermost texts are "client error (Connect)"; the innermost one says what happened.
pub(crate) fn whole_text(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        text = format!("{text}: {error}");
        inner = error.source();
    }
    text
}

/// What a receiver may not make us repeat: header values, and their parts after a scheme (`Bearer x`), that are long enough to
/// be secret. The longest first, so that no rest of one stays behind.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut secrets: Vec<String> = headers
            .values()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| [Some(value), value.split_once(' ').map(|(_, rest)| rest)])
            .flatten()
            .map(str::trim)
            .filter(|value| value.len() >= 6)
            .map(str::to_owned)
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// Some receivers repeat the key they refused.
    pub(crate) fn take_out_of(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret) {
                *text = text.replace(secret, "[redacted]");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_whole_values_and_their_parts_after_a_scheme() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer abcdef"));
        headers.insert("x-id", HeaderValue::from_static("0"));
        assert_eq!(Secrets::of(&headers).0, ["Bearer abcdef", "abcdef"]);
    }
}
