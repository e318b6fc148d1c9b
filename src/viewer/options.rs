//! Where the page is served, to whom, and how much it keeps.
//!
//! Promise: what cannot work, or would show the page to strangers, is an error that says what to write instead.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::console::escape;

/// How the page is served. An address is enough: [`TelemetryBuilder::viewer`](crate::TelemetryBuilder::viewer) takes `"127.0.0.1:0"`.
///
/// ```
/// use tracing_genai::{Telemetry, viewer::Viewer};
///
/// let page = Viewer::new("localhost:0").spans(5_000).token("long-and-secret-word");
/// let telemetry = Telemetry::builder("planner").viewer(page).build()?;
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "give it to `Telemetry::builder(…).viewer(…)`"]
pub struct Viewer {
    address: String,
    beyond_loopback: bool,
    token: Option<String>,
    pub(super) spans: usize,
    pub(super) bytes: usize,
}

impl Viewer {
    /// Spans kept unless told otherwise: some hundred runs, or one large one.
    pub const DEFAULT_SPANS: usize = 20_000;
    /// Bytes kept unless told otherwise: 64 MiB. Spans without content take about two KiB each.
    pub const DEFAULT_BYTES: usize = 64 << 20;
    /// The shortest token: what cannot be guessed over a network.
    pub const SHORTEST_TOKEN: usize = 16;

    /// Serves at `address`: an IP address or `localhost`, and a port; port 0 takes a free one, which
    /// [`ViewerHandle::url`](super::ViewerHandle::url) tells.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            beyond_loopback: false,
            token: None,
            spans: Self::DEFAULT_SPANS,
            bytes: Self::DEFAULT_BYTES,
        }
    }

    /// Allows an address that other machines reach. Nobody looks without a token then: the one of [`token`](Self::token), or one that
    /// is made up and stands in [`ViewerHandle::url`](super::ViewerHandle::url).
    pub fn beyond_loopback(mut self) -> Self {
        self.beyond_loopback = true;
        self
    }

    /// Shows the page only to who knows this token: in the address as `?token=…` once, then in a cookie that scripts cannot read, or in
    /// `Authorization: Bearer …`. Printable ASCII without spaces, from [`SHORTEST_TOKEN`](Self::SHORTEST_TOKEN) characters.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Spans kept at most, from 1. Default [`DEFAULT_SPANS`](Self::DEFAULT_SPANS).
    pub fn spans(mut self, spans: usize) -> Self {
        self.spans = spans.max(1);
        self
    }

    /// Bytes kept at most. Default [`DEFAULT_BYTES`](Self::DEFAULT_BYTES).
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Spans and bytes that are kept at most.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        (self.spans, self.bytes)
    }

    /// Where to listen, and the token to ask for.
    pub(super) fn resolve(&self) -> Result<(SocketAddr, Option<String>), ViewerError> {
        let wrong = || ViewerError::Address(self.address.clone());
        let given = self.address.trim();
        let address: SocketAddr = match given.strip_prefix("localhost:") {
            Some(port) => (
                IpAddr::from([127, 0, 0, 1]),
                port.parse().map_err(|_| wrong())?,
            )
                .into(),
            None => given.parse().map_err(|_| wrong())?,
        };
        let token = match &self.token {
            Some(token) if !is_strong(token) => return Err(ViewerError::Token),
            Some(token) => Some(token.clone()),
            None if address.ip().to_canonical().is_loopback() => None,
            None => Some(random_token().map_err(ViewerError::Start)?),
        };
        if !self.beyond_loopback && !address.ip().to_canonical().is_loopback() {
            return Err(ViewerError::NotLoopback(address));
        }
        Ok((address, token))
    }
}

fn is_strong(token: &str) -> bool {
    // What a cookie and a header can carry as it is.
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
    token.len() >= Viewer::SHORTEST_TOKEN && token.bytes().all(plain)
}

/// 128 bits of the system's randomness, in hexadecimal.
fn random_token() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl<A: Into<String>> From<A> for Viewer {
    fn from(address: A) -> Self {
        Self::new(address)
    }
}

/// Without the token.
impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Viewer")
            .field("address", &self.address)
            .field("beyond_loopback", &self.beyond_loopback)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("spans", &self.spans)
            .field("bytes", &self.bytes)
            .finish()
    }
}

/// The page cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViewerError {
    /// It is no address.
    #[error(
        "`viewer`: \"{}\" is not an address to listen on: write an IP address and a port, as in \"127.0.0.1:0\"",
        escape(.0)
    )]
    Address(String),
    /// Other machines would see the page.
    #[error(
        "`viewer`: {0} is reachable from other machines, and the page shows what agents do and say: use a loopback address \
         (127.0.0.1), or `Viewer::new(…).beyond_loopback()`, which asks for a token"
    )]
    NotLoopback(SocketAddr),
    /// The token is too weak or cannot be sent.
    #[error(
        "`viewer`: the token must be at least 16 printable ASCII characters, without spaces, quotes, commas, semicolons and backslashes"
    )]
    Token,
    /// The address cannot be listened on: most often the port is taken.
    #[error("`viewer`: cannot listen on {address}: {source}; port 0 takes a free one")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its thread could not be started.
    #[error("`viewer`: could not be started: {0}")]
    Start(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(viewer: Viewer) -> String {
        viewer.resolve().unwrap_err().to_string()
    }

    #[test]
    fn loopback_needs_no_token_and_everything_else_does() {
        for loopback in [
            "127.0.0.1:0",
            "127.9.9.9:1",
            "[::1]:0",
            "localhost:4777",
            " 127.0.0.1:0 ",
            "[::ffff:127.0.0.1]:0",
        ] {
            assert_eq!(
                Viewer::new(loopback).resolve().unwrap().1,
                None,
                "{loopback}"
            );
        }
        for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            assert!(
                error(Viewer::new(open)).contains("beyond_loopback"),
                "{open}"
            );
            let (_, token) = Viewer::new(open).beyond_loopback().resolve().unwrap();
            assert_eq!(token.unwrap().len(), 32, "{open}");
        }
        let own = Viewer::new("127.0.0.1:0").token("0123456789abcdef");
        assert_eq!(
            own.resolve().unwrap().1.as_deref(),
            Some("0123456789abcdef")
        );
        assert!(!format!("{own:?}").contains("0123456789abcdef"));
    }

    #[test]
    fn what_is_no_address_or_no_token_is_said() {
        for bad in [
            "",
            "4777",
            "localhost",
            "localhost:70000",
            "example.com:80",
            "127.0.0.1",
            "http://127.0.0.1:1/",
        ] {
            assert!(error(Viewer::new(bad)).contains("127.0.0.1:0"), "{bad}");
        }
        assert!(error(Viewer::new("a\u{1b}[2J")).contains("\\u{1b}"));
        for weak in [
            "",
            "short",
            "with spaces in it all",
            "semi;colons;in;here;",
            "ümlautümlautümlaut",
        ] {
            assert!(
                error(Viewer::new("127.0.0.1:0").token(weak)).contains("16 printable"),
                "{weak}"
            );
        }
    }

    #[test]
    fn tokens_that_are_made_up_differ() {
        assert_ne!(random_token().unwrap(), random_token().unwrap());
    }
}
