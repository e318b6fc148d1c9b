//! Connecting a client, with a span for the handshake.

use rmcp::service::{ClientInitializeError, RoleClient, RunningService, Service, ServiceExt as _};
use rmcp::transport::IntoTransport;

use super::message::{Answer, Message};
use super::observed::{self, End, Observed};
use crate::semconv::{error_type, mcp_method};

/// Connects a client, as [`serve`](rmcp::ServiceExt::serve) does, with a span `initialize` of kind client below the span that
/// this is awaited in: how long the handshake took, which version was agreed on, why it failed. On the bus it is
/// `mcp.connection.started` and `.completed` or `.failed`.
///
/// `rmcp` lets nobody into the messages of the handshake, so the server's `initialize` is in a trace of its own.
///
/// ```
/// use rmcp::transport::IntoTransport;
/// use rmcp::service::RoleClient;
/// use tracing_genai::mcp::{self, PeerExt as _};
///
/// # async fn run(stream: tokio::io::DuplexStream) -> Result<(), Box<dyn std::error::Error>> {
/// let client = mcp::connect((), stream).await?;
/// let tools = client.traced().list_all_tools().await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// Those of [`serve`](rmcp::ServiceExt::serve).
pub async fn connect<S, T, E, A>(
    service: S,
    transport: T,
) -> Result<RunningService<RoleClient, S>, ClientInitializeError>
where
    S: Service<RoleClient>,
    T: IntoTransport<RoleClient, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    let span = Observed::Own(observed::starter(&Message::new(mcp_method::INITIALIZE)).start());
    // Not inside the span: `rmcp` makes the connection's span where this runs, and that one outlives the handshake.
    let result = service.serve(transport).await;
    match &result {
        Ok(client) => {
            span.version(
                client
                    .peer_info()
                    .as_deref()
                    .map(|peer| &peer.protocol_version),
            );
            span.end(End::Answered(Answer::default()));
        }
        Err(error) => span.end(reason(error)),
    }
    result
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
