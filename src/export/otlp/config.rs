//! What code says about sending over OTLP.
//!
//! Promise: setters never fail; everything is checked once, when telemetry is built, together with the
//! environment. Never: shows header values, passwords or queries in `Debug`.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;

use super::kinds::{Compression, Protocol, Signal};

/// How telemetry is sent to a collector.
///
/// Every value resolves as: this configuration, else the environment variable, else the default. What is
/// said for one signal goes before what is said for all of them, within each of the two sources.
///
/// | Setting | Environment | Default |
/// | --- | --- | --- |
/// | [`endpoint`](Self::endpoint) | `OTEL_EXPORTER_OTLP_ENDPOINT` | none: nothing is sent |
/// | [`endpoint_for`](Self::endpoint_for) | `OTEL_EXPORTER_OTLP_{TRACES,LOGS,METRICS}_ENDPOINT` | the endpoint and `/v1/{signal}` |
/// | [`protocol`](Self::protocol) | `…_PROTOCOL` = `grpc`, `http/protobuf` | gRPC if the endpoint has port 4317 and no path, else HTTP |
/// | [`header`](Self::header) | `…_HEADERS` = `name=value,…`, percent-encoded | none |
/// | [`timeout`](Self::timeout) | `…_TIMEOUT`, milliseconds | 10 s |
/// | [`compression`](Self::compression) | `…_COMPRESSION` = `gzip`, `none` | none |
/// | [`ca_certificate`](Self::ca_certificate) | `…_CERTIFICATE` | the system's roots, else Mozilla's |
/// | [`client_certificate`](Self::client_certificate) | `…_CLIENT_CERTIFICATE`, `…_CLIENT_KEY` | none |
/// | [`allow_plaintext`](Self::allow_plaintext) | `…_INSECURE` = `true` | `http://` to this host only |
/// | [`without`](Self::without) | `OTEL_{TRACES,LOGS,METRICS}_EXPORTER` = `none`, `console` | all signals |
///
/// `…` stands for `OTEL_EXPORTER_OTLP` and, for one signal, `OTEL_EXPORTER_OTLP_TRACES` and so on. An
/// empty variable counts as absent. `OTEL_{SIGNAL}_EXPORTER=otlp` without any endpoint sends to
/// `http://localhost:4318` (or port 4317 over gRPC).
///
/// An endpoint may be written without a scheme (`collector:4317`): it is then `https://`, but `http://` if
/// it is on this host or `…_INSECURE` is `true`. `user:password@` in a URL is sent as basic
/// authorization.
///
/// ```
/// use tracing_genai::otlp::{Compression, OtlpConfig, Signal};
///
/// let config = OtlpConfig::new()
///     .endpoint("https://collector.example:4317")
///     .header("x-api-key", "secret")
///     .compression(Compression::Gzip)
///     .without(Signal::Logs);
/// assert!(!format!("{config:?}").contains("secret"));
/// ```
#[derive(Clone, Default)]
#[must_use = "a configuration sends nothing until telemetry is built with it"]
pub struct OtlpConfig {
    pub(crate) base: Settings,
    pub(crate) signals: [Settings; 3],
    pub(crate) base_headers: Vec<(String, String)>,
    pub(crate) signal_headers: [Vec<(String, String)>; 3],
    pub(crate) off: [bool; 3],
    pub(crate) allow_plaintext: Option<bool>,
}

/// One level of settings: for all signals or for one, from code or from the environment.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) endpoint: Option<Said<String>>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) timeout: Option<Said<Duration>>,
    pub(crate) compression: Option<Compression>,
    pub(crate) ca: Option<Said<PathBuf>>,
    pub(crate) client_certificate: Option<Said<PathBuf>>,
    pub(crate) client_key: Option<Said<PathBuf>>,
    pub(crate) insecure: Option<bool>,
}

/// A value, and the variable or method that gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Said<T> {
    pub(crate) value: T,
    pub(crate) from: Cow<'static, str>,
}

fn said<T>(value: T, from: &'static str) -> Option<Said<T>> {
    Some(Said {
        value,
        from: Cow::Borrowed(from),
    })
}

impl OtlpConfig {
    /// How long one request may take, the answer included.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Says nothing yet: the environment and the defaults decide.
    pub fn new() -> OtlpConfig {
        OtlpConfig::default()
    }

    /// Sends all signals to this address. Over HTTP, `/v1/traces`, `/v1/logs` and `/v1/metrics` are
    /// appended. Default: `OTEL_EXPORTER_OTLP_ENDPOINT`, and without it nothing is sent.
    pub fn endpoint(mut self, url: impl Into<String>) -> OtlpConfig {
        self.base.endpoint = said(url.into(), "OtlpConfig::endpoint");
        self
    }

    /// Sends one signal to this address, used as it is, path included.
    pub fn endpoint_for(mut self, signal: Signal, url: impl Into<String>) -> OtlpConfig {
        self.signals[signal.index()].endpoint = said(url.into(), "OtlpConfig::endpoint_for");
        self
    }

    /// Speaks this protocol for all signals. Default: see [`Protocol`].
    pub fn protocol(mut self, protocol: Protocol) -> OtlpConfig {
        self.base.protocol = Some(protocol);
        self
    }

    /// Speaks this protocol for one signal.
    pub fn protocol_for(mut self, signal: Signal, protocol: Protocol) -> OtlpConfig {
        self.signals[signal.index()].protocol = Some(protocol);
        self
    }

    /// Adds a header to every request. A name given twice keeps its last value. Headers from the
    /// environment with other names are sent too. The value is sent as it is: printable ASCII, at most
    /// 16 KiB.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> OtlpConfig {
        self.base_headers.push((name.into(), value.into()));
        self
    }

    /// Adds a header to one signal's requests, over one of the same name for all signals.
    pub fn header_for(
        mut self,
        signal: Signal,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> OtlpConfig {
        self.signal_headers[signal.index()].push((name.into(), value.into()));
        self
    }

    /// Gives a request up after this long, connecting and the answer included; it is then tried again.
    /// Default [`OtlpConfig::DEFAULT_TIMEOUT`]. From 1 ms to 10 min.
    pub fn timeout(mut self, timeout: Duration) -> OtlpConfig {
        self.base.timeout = said(timeout, "OtlpConfig::timeout");
        self
    }

    /// The timeout of one signal's requests.
    pub fn timeout_for(mut self, signal: Signal, timeout: Duration) -> OtlpConfig {
        self.signals[signal.index()].timeout = said(timeout, "OtlpConfig::timeout_for");
        self
    }

    /// Compresses request bodies. Default [`Compression::None`].
    pub fn compression(mut self, compression: Compression) -> OtlpConfig {
        self.base.compression = Some(compression);
        self
    }

    /// Compresses one signal's request bodies.
    pub fn compression_for(mut self, signal: Signal, compression: Compression) -> OtlpConfig {
        self.signals[signal.index()].compression = Some(compression);
        self
    }

    /// Trusts the certificates in this PEM file, and only those, to sign the collector's certificate.
    /// Default: the system's roots; Mozilla's where the system has none.
    pub fn ca_certificate(mut self, pem: impl Into<PathBuf>) -> OtlpConfig {
        self.base.ca = said(pem.into(), "OtlpConfig::ca_certificate");
        self
    }

    /// Shows this certificate chain to the collector, with its private key. Both are PEM files.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> OtlpConfig {
        self.base.client_certificate = said(certificate.into(), "OtlpConfig::client_certificate");
        self.base.client_key = said(key.into(), "OtlpConfig::client_certificate");
        self
    }

    /// Allows `http://` to other hosts: telemetry and credentials then travel unencrypted. Default
    /// `false`, unless `OTEL_EXPORTER_OTLP_INSECURE` is `true`. `http://` to this host is always allowed.
    pub fn allow_plaintext(mut self, allow: bool) -> OtlpConfig {
        self.allow_plaintext = Some(allow);
        self
    }

    /// Leaves one signal out, whatever the environment says.
    pub fn without(mut self, signal: Signal) -> OtlpConfig {
        self.off[signal.index()] = true;
        self
    }
}

impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("OtlpConfig");
        let names = |headers: &[(String, String)]| -> Vec<String> {
            headers
                .iter()
                .map(|(name, _)| super::error::shown(name))
                .collect()
        };
        out.field("all", &self.base)
            .field("header_names", &names(&self.base_headers));
        for signal in Signal::ALL {
            out.field(signal.as_str(), &self.signals[signal.index()]);
            out.field("header_names", &names(&self.signal_headers[signal.index()]));
        }
        out.field("without", &self.off)
            .field("allow_plaintext", &self.allow_plaintext)
            .finish()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_ref();
        let header_names: Option<Vec<_>> = self
            .headers
            .as_ref()
            .map(|headers| headers.keys().map(|name| name.as_str()).collect());
        f.debug_struct("Settings")
            .field(
                "endpoint",
                &endpoint.map(|said| super::endpoint::without_secrets(&said.value)),
            )
            .field("protocol", &self.protocol)
            .field("header_names", &header_names)
            .field("timeout", &self.timeout.as_ref().map(|said| said.value))
            .field("compression", &self.compression)
            .field("ca_certificate", &self.ca.as_ref().map(|said| &said.value))
            .field(
                "client_certificate",
                &self.client_certificate.as_ref().map(|said| &said.value),
            )
            .field(
                "client_key",
                &self.client_key.as_ref().map(|said| &said.value),
            )
            .field("insecure", &self.insecure)
            .finish()
    }
}
