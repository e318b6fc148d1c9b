//! Trust and identity for `https`: which certificates sign the collector's, and which one we show.
//!
//! Promise: a file that cannot be used is an error that names it, when telemetry is built, not a quiet
//! failure of every request. Never: turns verification off.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::config::Said;
use super::error::OtlpConfigError;
use crate::console::escape;

/// The PEM files a target is configured with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TlsFiles {
    ca: Option<Said<PathBuf>>,
    /// Certificate chain and key.
    client: Option<(Said<PathBuf>, Said<PathBuf>)>,
}

impl TlsFiles {
    pub(crate) fn new(
        ca: Option<Said<PathBuf>>,
        certificate: Option<Said<PathBuf>>,
        key: Option<Said<PathBuf>>,
    ) -> Result<TlsFiles, OtlpConfigError> {
        let client = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(lone), None) => {
                return Err(lonely(lone.from, "CLIENT_CERTIFICATE", "CLIENT_KEY"));
            }
            (None, Some(lone)) => {
                return Err(lonely(lone.from, "CLIENT_KEY", "CLIENT_CERTIFICATE"));
            }
        };
        Ok(TlsFiles { ca, client })
    }
}

fn lonely(from: Cow<'static, str>, given: &str, missing: &str) -> OtlpConfigError {
    let missing = from.replace(given, missing).into();
    OtlpConfigError::ClientPair { from, missing }
}

/// TLS as the target's files say. Without a CA file: the system's roots, else Mozilla's.
pub(crate) fn client_config(files: &TlsFiles) -> Result<ClientConfig, OtlpConfigError> {
    let roots = match &files.ca {
        Some(ca) => roots_from(ca)?,
        None => usual_roots(),
    };
    let builder = builder()?.with_root_certificates(roots);
    let Some((certificate, key)) = &files.client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(certificate)?;
    let key_der = PrivateKeyDer::from_pem_file(&key.value)
        .map_err(|error| unusable(key, &error, "private key", KEY))?;
    builder
        .with_client_auth_cert(chain, key_der)
        .map_err(|error| OtlpConfigError::TlsFile {
            from: key.from.clone(),
            path: shown(&key.value),
            problem: format!(
                "it does not fit the client certificate ({})",
                escape(&error.to_string()).into_owned()
            ),
            instead: KEY,
        })
}

/// TLS that trusts nobody, for a client that only ever connects without it.
pub(crate) fn no_tls() -> Result<ClientConfig, OtlpConfigError> {
    Ok(builder()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, OtlpConfigError>
{
    // The provider is named, so that nothing depends on a process-wide default that the application
    // or another crate may have set, or set twice.
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| OtlpConfigError::TlsFile {
            from: "TLS".into(),
            path: String::new(),
            problem: error.to_string(),
            instead: "this is a defect of the build: rustls has no usable protocol version",
        })
}

const CA: &str = "give a PEM file with at least one CERTIFICATE section";
const KEY: &str = "give the unencrypted PEM file of the certificate's private key";

fn roots_from(ca: &Said<PathBuf>) -> Result<RootCertStore, OtlpConfigError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots
            .add(certificate)
            .map_err(|error| OtlpConfigError::TlsFile {
                from: ca.from.clone(),
                path: shown(&ca.value),
                problem: format!(
                    "a certificate in it is not valid ({})",
                    escape(&error.to_string()).into_owned()
                ),
                instead: CA,
            })?;
    }
    Ok(roots)
}

fn usual_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    // Single certificates of a system's store are commonly unreadable or outdated; the others serve.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

fn certificates(file: &Said<PathBuf>) -> Result<Vec<CertificateDer<'static>>, OtlpConfigError> {
    let read: Result<Vec<_>, pem::Error> =
        CertificateDer::pem_file_iter(&file.value).and_then(Iterator::collect);
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(file, &pem::Error::NoItemsFound, "certificate", CA)),
        Err(error) => Err(unusable(file, &error, "certificate", CA)),
    }
}

fn unusable(
    file: &Said<PathBuf>,
    error: &pem::Error,
    wanted: &str,
    instead: &'static str,
) -> OtlpConfigError {
    let problem = match error {
        pem::Error::NoItemsFound => format!("there is no {wanted} in it"),
        pem::Error::Io(error) => format!(
            "it cannot be read ({})",
            escape(&error.to_string()).into_owned()
        ),
        // The other errors may quote the file, which may be the private key.
        _ => "it is not valid PEM".to_owned(),
    };
    OtlpConfigError::TlsFile {
        from: file.from.clone(),
        path: shown(&file.value),
        problem,
        instead,
    }
}

fn shown(path: &Path) -> String {
    escape(&path.display().to_string()).into_owned()
}
