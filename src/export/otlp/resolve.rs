//! Putting code, environment and defaults together into one target a signal.
//!
//! Promise: code goes before the environment, the signal before the general, the environment before the
//! default; a target that comes out is complete and checked. Never: touches files or the network.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, Entry};

use super::config::{OtlpConfig, Said, Settings};
use super::endpoint::{Address, Endpoint};
use super::env::{self, ExporterChoice, Lookup, MAX_TIMEOUT_MS, TIMEOUT_RANGE};
use super::error::OtlpConfigError;
use super::headers;
use super::kinds::{Compression, Protocol, Signal};
use super::tls::TlsFiles;

/// The targets of a configuration that sends something.
#[derive(Debug, Clone)]
pub struct Resolved {
    targets: [Option<Target>; 3],
}

/// Where and how one signal is sent.
#[derive(Clone)]
pub struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) protocol: Protocol,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) tls: TlsFiles,
}

impl Resolved {
    /// The signal's target, or `None` if the signal is not sent.
    pub fn target(&self, signal: Signal) -> Option<&Target> {
        self.targets[signal.index()].as_ref()
    }

    /// The signals that are sent.
    pub fn signals(&self) -> impl Iterator<Item = Signal> + '_ {
        Signal::ALL
            .into_iter()
            .filter(|signal| self.target(*signal).is_some())
    }
}

impl Target {
    /// The address, for messages: no user, password or query.
    pub fn shown(&self) -> &str {
        &self.endpoint.shown
    }

    /// The protocol spoken.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The time one request may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("endpoint", &self.endpoint)
            .field("protocol", &self.protocol)
            .field(
                "header_names",
                &self
                    .headers
                    .keys()
                    .map(|name| name.as_str())
                    .collect::<Vec<_>>(),
            )
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .field("tls", &self.tls)
            .finish()
    }
}

impl OtlpConfig {
    /// The targets, or `None` when nothing says where to send anything.
    ///
    /// # Errors
    ///
    /// When a value that is used cannot be used, or a variable is set to something not understood.
    #[doc(hidden)]
    pub fn resolve(&self, env: Lookup<'_>) -> Result<Option<Resolved>, OtlpConfigError> {
        let mut targets = [None, None, None];
        for signal in Signal::ALL {
            targets[signal.index()] = self.target(signal, env)?;
        }
        Ok(targets
            .iter()
            .any(Option::is_some)
            .then_some(Resolved { targets }))
    }

    fn target(&self, signal: Signal, env: Lookup<'_>) -> Result<Option<Target>, OtlpConfigError> {
        let choice = env::exporter_choice(env, signal)?;
        if self.off[signal.index()] || choice.is_some_and(|choice| !choice.otlp()) {
            return Ok(None);
        }
        // Without an address nothing else is read, so a stray variable is no error where nothing is sent.
        let asked = [&self.signals[signal.index()], &self.base]
            .iter()
            .any(|level| level.endpoint.is_some())
            || choice.is_some()
            || env::has_endpoint(env, Some(signal))
            || env::has_endpoint(env, None);
        if !asked {
            return Ok(None);
        }
        let (own, general) = (env::settings(env, Some(signal))?, env::settings(env, None)?);
        let levels = [&self.signals[signal.index()], &self.base, &own, &general];

        let Some((address, for_signal)) = address(levels, choice)? else {
            return Ok(None);
        };
        let protocol = first(levels, |level| level.protocol)
            .or_else(|| address.implied_protocol())
            .unwrap_or(Protocol::HttpProtobuf);
        let insecure = first(levels, |level| level.insecure);
        let plaintext = self.allow_plaintext.unwrap_or(insecure == Some(true));
        let endpoint = address.resolve(signal, protocol, for_signal, insecure, plaintext)?;

        let mut headers = own
            .headers
            .as_ref()
            .or(general.headers.as_ref())
            .cloned()
            .unwrap_or_default();
        for (from, given) in [
            ("OtlpConfig::header", &self.base_headers),
            (
                "OtlpConfig::header_for",
                &self.signal_headers[signal.index()],
            ),
        ] {
            for (name, value) in given {
                let place = || format!("the name \"{}\"", super::error::shown(name));
                headers::put(
                    &mut headers,
                    name.trim(),
                    value.as_bytes(),
                    Cow::Borrowed(from),
                    place,
                )?;
            }
        }
        if let (Some(basic), Entry::Vacant(entry)) = (&endpoint.basic, headers.entry(AUTHORIZATION))
        {
            entry.insert(basic.clone());
        }

        Ok(Some(Target {
            endpoint,
            protocol,
            headers,
            timeout: timeout(first(levels, |level| level.timeout.clone()))?,
            compression: first(levels, |level| level.compression).unwrap_or_default(),
            tls: TlsFiles::new(
                first(levels, |level| level.ca.clone()),
                first(levels, |level| level.client_certificate.clone()),
                first(levels, |level| level.client_key.clone()),
            )?,
        }))
    }
}

fn first<T>(levels: [&Settings; 4], get: impl Fn(&Settings) -> Option<T>) -> Option<T> {
    levels.into_iter().find_map(get)
}

/// The address and whether it was given for the signal alone. `otlp` asked for by name, without an
/// address, means the standard one on this host.
fn address(
    levels: [&Settings; 4],
    choice: Option<ExporterChoice>,
) -> Result<Option<(Address, bool)>, OtlpConfigError> {
    let given = levels.into_iter().enumerate().find_map(|(at, level)| {
        level
            .endpoint
            .as_ref()
            .map(|said| (said, matches!(at, 0 | 2)))
    });
    if let Some((said, for_signal)) = given {
        return Ok(Some((
            Address::parse(&said.value, said.from.clone())?,
            for_signal,
        )));
    }
    if choice.is_none() {
        return Ok(None);
    }
    let standard = match first(levels, |level| level.protocol) {
        Some(Protocol::Grpc) => "http://localhost:4317",
        _ => "http://localhost:4318",
    };
    Ok(Some((
        Address::parse(standard, "the default endpoint".into())?,
        false,
    )))
}

fn timeout(said: Option<Said<Duration>>) -> Result<Duration, OtlpConfigError> {
    let Some(said) = said else {
        return Ok(OtlpConfig::DEFAULT_TIMEOUT);
    };
    let range = Duration::from_millis(1)..=Duration::from_millis(MAX_TIMEOUT_MS);
    if range.contains(&said.value) {
        return Ok(said.value);
    }
    Err(OtlpConfigError::Number {
        from: said.from,
        value: format!("{:?}", said.value),
        instead: TIMEOUT_RANGE,
    })
}
