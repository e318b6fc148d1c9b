//! Sessions: how long a connection lasted, told once, when it ends.
//!
//! Promise: one `mcp.connection.closed` for each session that was established, whoever ended it and however, with what the
//! conventions have for `mcp.client.session.duration` and `mcp.server.session.duration`, which are measured by it.
//! Never: tells of a handshake that failed, or of an HTTP request that belongs to no session.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rmcp::service::{
    RunningService, RxJsonRpcMessage, Service, ServiceExt, ServiceRole, TxJsonRpcMessage,
};
use rmcp::transport::{IntoTransport, Transport};

use super::message::Side;
use super::observed::short;
use crate::clock::Nanos;
use crate::emit::{event, installed};
use crate::event::Value;
use crate::layer::instance::Instance;
use crate::semconv::{self, error_type};

/// The event that tells of the end.
const CLOSED: &str = "mcp.connection.closed";

/// One session. It ends when it is dropped.
pub(super) struct Session {
    instance: Arc<Instance>,
    is_client: bool,
    /// A server waits for its first message, and that is no part of it.
    began: OnceLock<Nanos>,
    facts: Mutex<Facts>,
}

#[derive(Debug, Default)]
struct Facts {
    established: bool,
    attributes: Vec<(&'static str, Value)>,
    /// What went wrong last, with nothing going well after it.
    error: Option<&'static str>,
}

impl Session {
    /// One of this side's; `None` where nobody would hear of it.
    pub(super) fn of<R: ServiceRole>() -> Option<Self> {
        Some(Self {
            instance: installed()?,
            is_client: R::IS_CLIENT,
            began: OnceLock::new(),
            facts: Mutex::default(),
        })
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has begun, now if not before.
    pub(super) fn begin(&self) {
        self.began.get_or_init(|| self.instance.clock.now());
    }

    /// The handshake is over: it counts.
    pub(super) fn establish(&self) {
        self.begin();
        self.facts().established = true;
    }

    /// What is known of it. The first value of a name wins.
    pub(super) fn note(&self, name: &'static str, value: impl FnOnce() -> Value) {
        let attributes = &mut self.facts().attributes;
        if attributes.iter().all(|(known, _)| *known != name) {
            attributes.push((name, value()));
        }
    }

    fn error(&self, error: Option<&'static str>) {
        self.facts().error = error;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let facts = self.facts.get_mut();
        let facts = std::mem::take(facts.unwrap_or_else(PoisonError::into_inner));
        if !facts.established {
            return;
        }
        let now = self.instance.clock.now();
        let lasted = now.saturating_sub(self.began.get().copied().unwrap_or(now));
        let mut told = event(CLOSED)
            .outside(Arc::clone(&self.instance))
            .lasted(Duration::from_nanos(lasted));
        if !self.is_client {
            told = told.attr(semconv::OTEL_KIND, "server");
        }
        for (name, value) in facts.attributes {
            told = told.attr(name, value);
        }
        let error = std::thread::panicking().then_some(error_type::PANIC);
        if let Some(error) = facts.error.or(error) {
            told = told.attr(semconv::ERROR_TYPE, error);
        }
        told.emit();
    }
}

// === as long as the handler ===

/// The session of a server's handler: `rmcp` takes a handler for each, and lets go of it when the session has ended.
pub(super) enum Own {
    /// It is the handler's.
    Handler(OnceLock<Option<Session>>),
    /// It is its transport's, which knows more.
    Transport(Weak<Session>),
}

impl Own {
    /// The session that a message of it arrived in.
    pub(super) fn with<R: ServiceRole>(&self, tell: impl FnOnce(&Session)) {
        match self {
            // What a client is asked does not make a session of its own.
            Self::Handler(_) if R::IS_CLIENT => {}
            Self::Handler(session) => {
                let session = session.get_or_init(Session::of::<R>);
                if let Some(session) = session {
                    session.begin();
                    tell(session);
                }
            }
            Self::Transport(session) => {
                if let Some(session) = session.upgrade() {
                    tell(&session);
                }
            }
        }
    }
}

impl Default for Own {
    fn default() -> Self {
        Self::Handler(OnceLock::new())
    }
}

impl Clone for Own {
    /// A handler that serves another session.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

// === as long as the transport ===

/// Serves a session over a transport that tells when it ends, and how.
pub(super) async fn serve<R, S, T, E, A>(
    service: S,
    transport: T,
    session: Option<Arc<Session>>,
) -> Result<RunningService<R, S>, R::InitializeError>
where
    R: Side,
    S: Service<R> + ServiceExt<R>,
    T: IntoTransport<R, E, A>,
    E: Error + Send + Sync + 'static,
{
    if let Some(session) = session.as_ref().filter(|_| R::IS_CLIENT) {
        session.begin();
    }
    let carried = Carried {
        transport: transport.into_transport(),
        session: session.clone(),
    };
    // On the heap: without optimisation a handshake inside futures of ours is more than the stack of some threads.
    let served = Box::pin(service.serve(carried)).await;
    if let (Some(session), Ok(running)) = (&session, &served) {
        if let Some(peer) = running.peer().peer_info() {
            session.note(semconv::MCP_PROTOCOL_VERSION, || {
                short(R::version(&peer).as_str()).into()
            });
        }
        session.establish();
    }
    served
}

/// A transport that a session goes over, until `rmcp` lets go of it. Messages pass as they are.
struct Carried<T> {
    transport: T,
    session: Option<Arc<Session>>,
}

impl<R: ServiceRole, T: Transport<R>> Transport<R> for Carried<T> {
    type Error = T::Error;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn send(
        &mut self,
        item: TxJsonRpcMessage<R>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let sent = self.transport.send(item);
        // Weak: what is still to be sent does not make the session last.
        let session = self.session.as_ref().map(Arc::downgrade);
        async move {
            let sent = sent.await;
            if let Some(session) = session.and_then(|session| session.upgrade()) {
                // One that fails is no end. It is why, if the transport ends next.
                session.error(sent.is_err().then_some("transport_send"));
            }
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<R>> {
        let received = self.transport.receive().await;
        if let (Some(session), true) = (&self.session, received.is_some()) {
            session.begin();
            session.error(None);
        }
        received
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        let closed = self.transport.close().await;
        if let (Some(session), Err(_)) = (&self.session, &closed) {
            session.error(Some("transport_close"));
        }
        closed
    }
}
