//! The wrapper of a handler: a span of kind server for each message that arrives.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};

use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use rmcp::Service;
use rmcp::model::{ErrorData, Extensions, JsonObject, ProtocolVersion, RequestId};
use rmcp::service::{NotificationContext, Peer, RequestContext, RunningService, ServiceExt};
use rmcp::transport::IntoTransport;

use super::message::{Answer, Message, Side};
use super::observed::{self, End, Observed};
use super::session::{self, Own, Session};
use super::{Transport, is_connection, meta};
use crate::semconv::{self, mcp_method};
use crate::span::{Plain, Starter, opened, search};

/// Messages that get no span unless asked for: news of other work that may come by the thousand, and subscriptions, which
/// last as long as a connection.
const SKIPPED: [&str; 3] = [
    mcp_method::NOTIFICATIONS_PROGRESS,
    mcp_method::NOTIFICATIONS_MESSAGE,
    "subscriptions/listen",
];

/// A handler whose messages have spans. Made by [`traced`].
#[derive(Clone)]
#[must_use = "nothing is served until `serve`"]
pub struct Traced<S> {
    service: S,
    watch: Watch,
}

/// Wraps a handler: [`serve`](rmcp::ServiceExt::serve) the result as you would the handler itself.
///
/// Every request and notification gets a span of kind server, within which the handler runs: see the [module](super) for names
/// and parents. It takes a [`ServerHandler`](rmcp::ServerHandler), a router, a boxed service, and a
/// [`ClientHandler`](rmcp::ClientHandler) too, for what servers ask of their clients.
///
/// `StreamableHttpService` takes a [`traced_handler`](super::traced_handler) instead.
pub fn traced<S>(service: S) -> Traced<S> {
    Traced {
        service,
        watch: Watch::default(),
    }
}

impl<S> Traced<S> {
    /// What carries the messages. By default it is left out, but for messages that came over `rmcp`'s HTTP server, which say so.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.watch.transport = Some(transport);
        self
    }

    /// The methods that get no span, instead of `notifications/progress`, `notifications/message` and `subscriptions/listen`:
    /// `["ping"]` for pings, `[""; 0]` for none. Their handlers run as ever, in `rmcp`'s span.
    pub fn skip(mut self, methods: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.watch.skip = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Serves it, as [`ServiceExt::serve`](rmcp::ServiceExt::serve) does, and tells when and how the session ends: see the
    /// [module](super#sessions).
    ///
    /// # Errors
    /// Those of [`ServiceExt::serve`](rmcp::ServiceExt::serve).
    pub async fn serve<R, T, E, A>(
        mut self,
        transport: T,
    ) -> Result<RunningService<R, Self>, R::InitializeError>
    where
        R: Side,
        S: Service<R>,
        Self: ServiceExt<R>,
        T: IntoTransport<R, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let session = Session::of::<R>().map(Arc::new);
        if let (Some(session), Some(carried)) = (&session, self.watch.transport) {
            for (name, value) in carried.attributes() {
                session.note(name, || (*value).into());
            }
        }
        self.watch.session =
            Own::Transport(session.as_ref().map_or_else(Weak::new, Arc::downgrade));
        session::serve(self, transport, session).await
    }

    /// The handler.
    pub fn inner(&self) -> &S {
        &self.service
    }

    /// The handler back.
    pub fn into_inner(self) -> S {
        self.service
    }
}

impl<S> fmt::Debug for Traced<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

impl<R: Side, S: Service<R>> Service<R> for Traced<S> {
    async fn handle_request(
        &self,
        request: R::PeerReq,
        context: RequestContext<R>,
    ) -> Result<R::Resp, ErrorData> {
        let (ct, asked) = (context.ct.clone(), R::asks(&request));
        let Some(span) = self.watch.request(asked, &context) else {
            return self.service.handle_request(request, context).await;
        };
        let handled = self.service.handle_request(request, context);
        answered(&span, handled, || ct.is_cancelled(), R::gives).await
    }

    async fn handle_notification(
        &self,
        notification: R::PeerNot,
        context: NotificationContext<R>,
    ) -> Result<(), ErrorData> {
        let Some(span) = self.watch.notification(R::told(&notification), &context) else {
            return self
                .service
                .handle_notification(notification, context)
                .await;
        };
        let handled = self.service.handle_notification(notification, context);
        let result = span.run(handled).await;
        span.end(match &result {
            Ok(()) => End::Answered(Answer::default()),
            Err(error) => End::Refused(error),
        });
        result
    }

    fn get_info(&self) -> R::Info {
        self.service.get_info()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.service.supported_protocol_versions()
    }
}

/// Runs a handler in its span, and ends the span by what it answers. What the policy blocks is not handled.
pub(super) async fn answered<T>(
    span: &Observed,
    handled: impl Future<Output = Result<T, ErrorData>>,
    cancelled: impl Fn() -> bool,
    answer: impl Fn(&T) -> Answer<'_>,
) -> Result<T, ErrorData> {
    span.stopped()
        .map_err(|blocked| observed::refusal(&blocked))?;
    let result = span.run(handled).await;
    span.end(match &result {
        // `rmcp` throws the answer to a cancelled request away, whatever it is.
        _ if cancelled() => End::Canceled,
        Ok(given) => End::Answered(answer(given)),
        Err(error) => End::Refused(error),
    });
    result
}

/// What is to be observed, and how.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) transport: Option<Transport>,
    pub(super) skip: Vec<Cow<'static, str>>,
    session: Own,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            transport: None,
            skip: SKIPPED.map(Cow::Borrowed).to_vec(),
            session: Own::default(),
        }
    }
}

impl Watch {
    pub(super) fn request<R: Side>(
        &self,
        message: Message<'_>,
        context: &RequestContext<R>,
    ) -> Option<Observed> {
        let named = context.meta.protocol_version();
        let arrived = Arrived {
            id: Some(&context.id),
            meta: &context.meta,
            extensions: &context.extensions,
            version: named.or_else(|| spoken(&context.peer)),
        };
        self.open::<R>(message, arrived)
    }

    pub(super) fn notification<R: Side>(
        &self,
        message: Message<'_>,
        context: &NotificationContext<R>,
    ) -> Option<Observed> {
        let arrived = Arrived {
            id: None,
            meta: &context.meta,
            extensions: &context.extensions,
            version: spoken(&context.peer),
        };
        self.open::<R>(message, arrived)
    }

    fn open<R: Side>(&self, message: Message<'_>, arrived: Arrived<'_>) -> Option<Observed> {
        self.session
            .with::<R>(|session| self.tell(session, &message, &arrived));
        if self.skip.contains(&message.method) {
            return None;
        }
        let message = match arrived.id {
            Some(id) => message.id(id),
            None => message,
        };
        let parts = arrived.extensions.get::<http::request::Parts>();
        let mut span = observed::starter(&message)
            .with(semconv::OTEL_KIND, "server")
            .root();
        if let Some(version) = &arrived.version {
            span = span.with(
                semconv::MCP_PROTOCOL_VERSION,
                observed::short(version.as_str()),
            );
        }
        span = match (parts, self.transport) {
            (Some(parts), _) => describe_http(span, parts),
            (None, Some(transport)) => describe(span, transport),
            (None, None) => span,
        };
        let parent = meta::read(arrived.meta);
        let link = surroundings(parts).filter(|link| {
            let parent = parent
                .as_ref()
                .map(|parent| parent.span().span_context().span_id());
            parent != Some(link.span_id())
        });
        if let Some(parent) = &parent {
            span = span.remote_parent(parent);
        }
        if let Some(link) = link {
            span = span.link(link);
        }
        let span = Observed::Own(span.start());
        span.content_of(&message);
        Some(span)
    }
}

impl Watch {
    /// Tells the session what a message says of it.
    fn tell(&self, session: &Session, message: &Message<'_>, arrived: &Arrived<'_>) {
        let parts = arrived.extensions.get::<http::request::Parts>();
        let id = parts.and_then(self::session);
        let transport = match parts {
            Some(_) => Some(Transport::Http),
            None => self.transport,
        };
        for (name, value) in transport.map_or(&[][..], Transport::attributes) {
            session.note(name, || (*value).into());
        }
        if let Some(version) = parts.and_then(http_version) {
            session.note(semconv::NETWORK_PROTOCOL_VERSION, || version.into());
        }
        if let Some(id) = id {
            session.note(semconv::MCP_SESSION_ID, || observed::short(id).into());
        }
        if message.method == mcp_method::INITIALIZE {
            return;
        }
        if let Some(version) = &arrived.version {
            let version = version.as_str();
            session.note(semconv::MCP_PROTOCOL_VERSION, || {
                observed::short(version).into()
            });
        }
        // Over HTTP a request without the id of a session is alone.
        if parts.is_none() || id.is_some() {
            session.establish();
        }
    }
}

/// What came with a message.
struct Arrived<'a> {
    id: Option<&'a RequestId>,
    meta: &'a JsonObject,
    extensions: &'a Extensions,
    version: Option<ProtocolVersion>,
}

fn spoken<R: Side>(peer: &Peer<R>) -> Option<ProtocolVersion> {
    peer.peer_info().map(|info| R::version(&info).clone())
}

fn describe(span: Starter<Plain>, transport: Transport) -> Starter<Plain> {
    let attributes = transport.attributes().iter();
    attributes.fold(span, |span, (name, value)| span.with(name, value))
}

fn describe_http(span: Starter<Plain>, parts: &http::request::Parts) -> Starter<Plain> {
    let span = describe(span, Transport::Http);
    let span = match http_version(parts) {
        Some(version) => span.with(semconv::NETWORK_PROTOCOL_VERSION, version),
        None => span,
    };
    match session(parts) {
        Some(session) => span.with(semconv::MCP_SESSION_ID, observed::short(session)),
        None => span,
    }
}

fn http_version(parts: &http::request::Parts) -> Option<&'static str> {
    Some(match parts.version {
        http::Version::HTTP_10 => "1.0",
        http::Version::HTTP_11 => "1.1",
        http::Version::HTTP_2 => "2",
        http::Version::HTTP_3 => "3",
        _ => return None,
    })
}

fn session(parts: &http::request::Parts) -> Option<&str> {
    parts.headers.get("mcp-session-id")?.to_str().ok()
}

/// The span that a message arrived in: the one around the handler, unless that is the connection's. A connection that was
/// made for a single HTTP request lies in the request's span. Where nobody made a span for the request, the client's, if its
/// headers name it.
fn surroundings(parts: Option<&http::request::Parts>) -> Option<SpanContext> {
    let around = tracing::Span::current();
    let here = if !is_connection(&around) {
        opened(&around)
    } else if parts.is_some_and(|parts| session(parts).is_none()) {
        search(&around, ControlFlow::Break)
    } else {
        None
    };
    let here = here.map(|o| o.instance.identity(&o.state).context());
    here.filter(SpanContext::is_valid).or_else(|| {
        let sent = meta::read(&parts?.headers)?;
        Some(sent.span().span_context().clone())
    })
}
