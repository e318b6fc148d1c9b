//! Connecting a client, with a span for the handshake and a measure of the session.

use std::error::Error;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use rmcp::service::{ClientInitializeError, MaybeSendFuture, RoleClient, RunningService, Service};
use rmcp::transport::IntoTransport;

use super::Transport;
use super::message::{Answer, Message};
use super::observed::{self, End, Observed};
use super::session::{self, Session};
use crate::event::Value;
use crate::semconv::{self, error_type, mcp_method};

/// Connects a client, as [`serve`](rmcp::ServiceExt::serve) does, with a span `initialize` of kind client below the span that
/// this is awaited in: how long the handshake took, which version was agreed on, why it failed. On the bus it is
/// `mcp.connection.started` and `.completed` or `.failed`.
///
/// When the session has ended it is `mcp.connection.closed`, once, and the metric `mcp.client.session.duration`, in seconds:
/// from the connecting until `rmcp` lets go of the transport, be it by `close`, `cancel`, drop or because the server is gone. It
/// ends with `error.type` `transport_send` or `transport_close` where the transport failed last. What a client that was served
/// otherwise lasts is not measured.
///
/// `rmcp` lets nobody into the messages of the handshake, so the server's `initialize` is in a trace of its own.
///
/// ```
/// use rmcp::transport::IntoTransport;
/// use rmcp::service::RoleClient;
/// use tracing_genai::mcp::{self, PeerExt as _, Transport};
///
/// # async fn run(stream: tokio::io::DuplexStream) -> Result<(), Box<dyn std::error::Error>> {
/// let client = mcp::connect((), stream).transport(Transport::Stdio).await?;
/// let tools = client.traced().list_all_tools().await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Those of [`serve`](rmcp::ServiceExt::serve).
pub fn connect<S, T, E, A>(service: S, transport: T) -> Connect<S, T, E, A>
where
    S: Service<RoleClient>,
    T: IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
{
    Connect {
        service,
        transport,
        known: Vec::new(),
        kind: PhantomData,
    }
}

/// A client about to be connected. Made by [`connect`]; await it.
#[must_use = "nothing is connected until it is awaited"]
pub struct Connect<S, T, E, A> {
    service: S,
    transport: T,
    known: Vec<(&'static str, Value)>,
    kind: PhantomData<fn() -> (E, A)>,
}

impl<S, T, E, A> Connect<S, T, E, A> {
    /// What carries the messages: `network.transport`, which `rmcp` does not tell.
    pub fn transport(mut self, transport: Transport) -> Self {
        let attributes = transport.attributes().iter();
        self.known
            .extend(attributes.map(|(name, value)| (*name, Value::from(*value))));
        self
    }

    /// Where the server is, if it is reached over a network: `server.address` and `server.port`.
    pub fn server(mut self, address: &str, port: u16) -> Self {
        self.known
            .push((semconv::SERVER_ADDRESS, observed::short(address).into()));
        self.known
            .push((semconv::SERVER_PORT, i64::from(port).into()));
        self
    }
}

impl<S, T, E, A> fmt::Debug for Connect<S, T, E, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl<S, T, E, A> Connect<S, T, E, A>
where
    S: Service<RoleClient>,
    T: IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
{
    async fn connected(self) -> Result<RunningService<RoleClient, S>, ClientInitializeError> {
        let session = Session::of::<RoleClient>().map(Arc::new);
        let mut starter = observed::starter(&Message::new(mcp_method::INITIALIZE));
        for (name, value) in self.known {
            if let Some(session) = &session {
                session.note(name, || value.clone());
            }
            starter = starter.attr(name, value);
        }
        let span = Observed::Own(starter.start());
        // Not inside the span: what runs over the connection outlives the handshake.
        let result = session::serve(self.service, self.transport, session).await;
        match &result {
            Ok(client) => {
                let peer = client.peer_info();
                span.version(peer.as_deref().map(|peer| &peer.protocol_version));
                span.end(End::Answered(Answer::default()));
            }
            Err(error) => span.end(reason(error)),
        }
        result
    }
}

/// A future that is `Send` where `rmcp` is. Nobody outside can name this.
#[doc(hidden)]
pub trait Connecting: Future + MaybeSendFuture {}

impl<F: Future + MaybeSendFuture> Connecting for F {}

impl<S, T, E, A> IntoFuture for Connect<S, T, E, A>
where
    S: Service<RoleClient>,
    T: IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
    A: 'static,
{
    type Output = Result<RunningService<RoleClient, S>, ClientInitializeError>;
    type IntoFuture = Pin<Box<dyn Connecting<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connected())
    }
}

fn reason(error: &ClientInitializeError) -> End<'_> {
    use ClientInitializeError as Error;
    match error {
        Error::JsonRpcError(error) => End::Refused(error),
        Error::Cancelled => End::Canceled,
        Error::ConnectionClosed(_) => End::Failed("connection_closed"),
        Error::TransportError { .. } => End::Failed("transport_error"),
        Error::NoCompatibleProtocolVersion { .. } => End::Failed("no_compatible_protocol_version"),
        _ => End::Failed(error_type::OTHER),
    }
}
