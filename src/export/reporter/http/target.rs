//! Where and how JSON is posted, and one request there.
//!
//! Promise: an address or a key that cannot work is an error before the first request; a request ends within its timeout; of an
//! answer at most 64 KiB are read. Never: follows a redirect, or shows a key.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper_util::client::legacy::connect::capture_connection;

use super::super::ReporterConfigError;
use crate::export::otlp::OtlpConfigError;
use crate::export::otlp::client::{self, Contents, HttpClient, PRODUCT, Secrets};
use crate::export::otlp::config::Said;
use crate::export::otlp::endpoint::{Address, Endpoint, without_secrets};
use crate::export::otlp::headers;
use crate::export::otlp::tls::TlsFiles;

/// What is read of an answer: enough for any message or address, too little to fill a memory.
const MAX_ANSWER: usize = 64 * 1024;

/// How long an answer's body is waited for. Its status has decided; a body that hangs or breaks changes nothing.
const BODY_TIME: Duration = Duration::from_secs(2);

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A web address that takes JSON by POST, with the key to it.
///
/// Checked when what uses it is built or started. `http://` to another host is refused unless it is allowed; redirects are never
/// followed; `user:password@` in the URL is sent as basic authorization where there is no key. `Debug` shows no key, no header's
/// value, and the URL without user, password and query.
///
/// ```
/// use tracing_genai::reporter::HttpTarget;
///
/// let target = HttpTarget::new("https://events.example/api?team=secret").api_key("secret");
/// assert!(!format!("{target:?}").contains("secret"));
/// ```
#[derive(Clone, Default)]
#[must_use = "nothing is posted until something is given it"]
pub struct HttpTarget {
    pub(in super::super) endpoint: Option<Said<String>>,
    pub(in super::super) key: Option<Said<String>>,
    headers: Vec<(String, String)>,
    timeout: Option<Duration>,
    ca: Option<PathBuf>,
    allow_plaintext: bool,
}

/// The settings of [`HttpTarget`] as methods of whatever has one, with `target_mut` to give it.
macro_rules! addressing {
    () => {
        /// The key, sent as `Authorization: Bearer …` and, because some proxies take that one away, as `X-Auth-Token`. An empty
        /// one is none. One with a line break in it is an error later on.
        pub fn api_key(mut self, key: impl Into<String>) -> Self {
            self.target_mut().set_key(key.into(), "api_key");
            self
        }

        /// Adds a header to every request, over one that is sent anyway. Printable ASCII, at most 16 KiB.
        pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.target_mut().add_header(name.into(), value.into());
            self
        }

        /// Gives a request up after this long, connecting included. Default 10 s; from 1 ms to 10 min.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.target_mut().set_timeout(timeout);
            self
        }

        /// Trusts the certificates in this PEM file, and only those, to sign the server's. Default: the system's roots; Mozilla's
        /// where the system has none.
        pub fn ca_certificate(mut self, pem: impl Into<std::path::PathBuf>) -> Self {
            self.target_mut().set_ca(pem.into());
            self
        }

        /// Allows `http://` to other hosts: events and the key then travel unencrypted. Default `false`; `http://` to this host is
        /// always allowed.
        pub fn allow_plaintext(mut self, allow: bool) -> Self {
            self.target_mut().set_plaintext(allow);
            self
        }
    };
}
pub(super) use addressing;

impl HttpTarget {
    /// How long a request may take, unless told otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// Posts to this URL, used as it is.
    pub fn new(url: impl Into<String>) -> Self {
        let mut target = Self::default();
        target.set_endpoint(url.into(), "HttpTarget::new");
        target
    }

    addressing!();

    fn target_mut(&mut self) -> &mut Self {
        self
    }

    pub(in super::super) fn set_endpoint(&mut self, url: String, from: &'static str) {
        self.endpoint = said(url, from);
    }

    pub(in super::super) fn set_key(&mut self, key: String, from: &'static str) {
        self.key = said(key, from);
    }

    pub(super) fn add_header(&mut self, name: String, value: String) {
        self.headers.push((name, value));
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    pub(super) fn set_ca(&mut self, pem: PathBuf) {
        self.ca = Some(pem);
    }

    pub(super) fn set_plaintext(&mut self, allow: bool) {
        self.allow_plaintext = allow;
    }

    /// Checks everything and prepares the client; `None` without an address. Opens no connection.
    pub(in super::super) fn open(&self) -> Result<Option<Sink>, ReporterConfigError> {
        let Some(Said { value, from }) = &self.endpoint else {
            return Ok(None);
        };
        let endpoint = Address::parse(value, from.clone())
            .and_then(|address| address.as_given(self.allow_plaintext))
            .map_err(refused)?;
        let timeout = self.timeout.unwrap_or(Self::TIMEOUT);
        if !(Duration::from_millis(1)..=Duration::from_secs(600)).contains(&timeout) {
            return Err(ReporterConfigError::OutOfRange {
                setting: "timeout",
                value: format!("{timeout:?}"),
                expected: "from 1 ms to 10 min",
            });
        }
        let headers = self.all_headers(&endpoint).map_err(refused)?;
        let ca = self.ca.clone().map(|pem| Said {
            value: pem,
            from: "ca_certificate".into(),
        });
        let files = TlsFiles::new(ca, None, None).map_err(refused)?;
        let client = client::new(false, endpoint.is_https().then_some(&files)).map_err(refused)?;
        Ok(Some(Sink {
            client,
            secrets: Secrets::of(&headers),
            headers,
            endpoint,
            timeout,
        }))
    }

    fn all_headers(&self, endpoint: &Endpoint) -> Result<HeaderMap, OtlpConfigError> {
        let mut all = HeaderMap::new();
        all.insert(USER_AGENT, PRODUCT);
        all.insert(ACCEPT, JSON);
        if let Some(basic) = &endpoint.basic {
            all.insert(AUTHORIZATION, basic.clone());
        }
        if let Some(Said { value, from }) = &self.key {
            let bearer = format!("Bearer {value}");
            for (name, value) in [("authorization", &bearer), ("x-auth-token", value)] {
                let place = || name.to_owned();
                headers::put(&mut all, name, value.as_bytes(), from.clone(), place)?;
            }
        }
        for (name, value) in &self.headers {
            let place = || "a header's name".to_owned();
            headers::put(&mut all, name, value.as_bytes(), "header".into(), place)?;
        }
        all.insert(CONTENT_TYPE, JSON);
        Ok(all)
    }
}

/// An empty text says nothing.
fn said(value: String, from: &'static str) -> Option<Said<String>> {
    (!value.trim().is_empty()).then(|| Said {
        value,
        from: from.into(),
    })
}

fn refused(error: OtlpConfigError) -> ReporterConfigError {
    match error {
        OtlpConfigError::Endpoint {
            from,
            value,
            problem,
            ..
        } => ReporterConfigError::Endpoint {
            from,
            value,
            problem,
        },
        OtlpConfigError::Plaintext { from, value } => {
            ReporterConfigError::Plaintext { from, value }
        }
        OtlpConfigError::Header {
            from,
            header,
            problem,
            instead,
        } => ReporterConfigError::Header {
            from,
            header,
            problem,
            instead,
        },
        other => ReporterConfigError::Tls(other),
    }
}

impl<T: Into<String>> From<T> for HttpTarget {
    fn from(url: T) -> Self {
        Self::new(url)
    }
}

impl fmt::Debug for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let endpoint = self.endpoint.as_ref();
        f.debug_struct("HttpTarget")
            .field(
                "endpoint",
                &endpoint.map(|said| without_secrets(&said.value)),
            )
            .field("has_key", &self.key.is_some())
            .field("header_names", &names)
            .field("timeout", &self.timeout)
            .field("ca_certificate", &self.ca)
            .field("allow_plaintext", &self.allow_plaintext)
            .finish()
    }
}

/// A target that is known to work, with the client that reaches it.
pub(in super::super) struct Sink {
    client: HttpClient,
    endpoint: Endpoint,
    headers: HeaderMap,
    timeout: Duration,
    secrets: Secrets,
}

/// An answer, its body cut where it was too long or did not end.
pub(in super::super) struct Answer {
    pub(in super::super) status: u16,
    pub(in super::super) headers: HeaderMap,
    pub(in super::super) body: Vec<u8>,
}

impl Sink {
    /// The address, for messages.
    pub(in super::super) fn shown(&self) -> &str {
        &self.endpoint.shown
    }

    /// Takes our own secrets out of what the receiver said.
    pub(in super::super) fn scrubbed(&self, mut text: String) -> String {
        self.secrets.take_out_of(&mut text);
        text
    }

    /// Posts one document. The error says why there is no answer.
    pub(in super::super) async fn post(&self, json: Vec<u8>) -> Result<Answer, String> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err("an HTTP request needs a tokio runtime; a `Reporting` has one".to_owned());
        }
        let mut request = Request::new(Full::new(Bytes::from(json)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.uri.clone();
        *request.headers_mut() = self.headers.clone();
        // Known once connected: a connection whose answer never came must not serve the next request.
        let connection = capture_connection(&mut request);
        let answer = match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.scrubbed(client::whole_text(&error))),
            Err(_) => {
                if let Some(connected) = connection.connection_metadata().as_ref() {
                    connected.poison();
                }
                return Err(format!("no answer within {:?}", self.timeout));
            }
        };
        let (head, body) = answer.into_parts();
        let mut contents = Contents::default();
        let _ = tokio::time::timeout(BODY_TIME, contents.read(body, MAX_ANSWER)).await;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: contents.body,
        })
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}
