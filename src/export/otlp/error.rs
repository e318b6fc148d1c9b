//! What can be wrong with an OTLP configuration, said so that a person can fix it.
//!
//! Promise: every message names the variable or method, shows the bad value without its secrets, and
//! says what to write instead. Never: contains a header value, a password, or a URL's query.

use std::borrow::Cow;

use crate::console::escape;

/// Why an [`OtlpConfig`](super::OtlpConfig) cannot be used.
///
/// `from` is the environment variable (`OTEL_EXPORTER_OTLP_ENDPOINT`) or the method
/// (`OtlpConfig::endpoint`) the value came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpConfigError {
    /// An endpoint is not a URL that can be sent to.
    #[error("{from} is \"{value}\": {problem}; {instead}")]
    #[non_exhaustive]
    Endpoint {
        /// Where the value came from.
        from: Cow<'static, str>,
        /// The value without user, password, query and fragment.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        instead: Cow<'static, str>,
    },
    /// An endpoint would send telemetry unencrypted to another host.
    #[error(
        "{from} is \"{value}\": plain http to a host that is not this one would send telemetry and \
         credentials unencrypted; write https://, or allow it with OtlpConfig::allow_plaintext(true) \
         or OTEL_EXPORTER_OTLP_INSECURE=true"
    )]
    #[non_exhaustive]
    Plaintext {
        /// Where the value came from.
        from: Cow<'static, str>,
        /// The value without user, password, query and fragment.
        value: String,
    },
    /// A word that is none of those that mean something here.
    #[error("{from} is \"{value}\"; write {instead}")]
    #[non_exhaustive]
    Word {
        /// Where the value came from.
        from: Cow<'static, str>,
        /// The value, escaped and cut to 40 characters.
        value: String,
        /// The words that are understood.
        instead: &'static str,
    },
    /// A number that is none, or is out of range.
    #[error("{from} is \"{value}\"; write {instead}")]
    #[non_exhaustive]
    Number {
        /// Where the value came from.
        from: Cow<'static, str>,
        /// The value, escaped and cut to 40 characters.
        value: String,
        /// The range and the unit.
        instead: &'static str,
    },
    /// A request header that cannot be sent. The header's value is never part of the message.
    #[error("{from}: {header} {problem}; {instead}")]
    #[non_exhaustive]
    Header {
        /// Where the value came from.
        from: Cow<'static, str>,
        /// The header's name, or its position where it has no usable name.
        header: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// An environment variable is not valid Unicode.
    #[error("{from} is not valid UTF-8; write it in UTF-8, and header values percent-encoded")]
    #[non_exhaustive]
    NotUnicode {
        /// The variable.
        from: Cow<'static, str>,
    },
    /// A TLS file cannot be read or used.
    #[error("{from} is \"{path}\": {problem}; {instead}")]
    #[non_exhaustive]
    TlsFile {
        /// Where the path came from.
        from: Cow<'static, str>,
        /// The path, escaped.
        path: String,
        /// What is wrong with the file.
        problem: String,
        /// What to write instead.
        instead: &'static str,
    },
    /// A client certificate without its key, or the other way round.
    #[error("{from} is set but {missing} is not; a client certificate needs both, in PEM")]
    #[non_exhaustive]
    ClientPair {
        /// The one that is set.
        from: Cow<'static, str>,
        /// The one that is missing.
        missing: Cow<'static, str>,
    },
}

/// A value as it may appear in a message: escaped, and cut so that a pasted file stays readable.
pub(crate) fn shown(value: &str) -> String {
    let mut out = escape(value).into_owned();
    if let Some((at, _)) = out.char_indices().nth(40) {
        out.truncate(at);
        out.push('…');
    }
    out
}
