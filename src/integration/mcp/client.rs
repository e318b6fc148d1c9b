//! Traced calls of a peer: a span of kind client for each, below the span that the call is made in.
//!
//! Promise: the parent is the span around the call, or a nearer one that its future was put into, wherever that is polled;
//! dropping the future cancels the span; answers and errors are `rmcp`'s own.

use std::future::Future;

use rmcp::model::{
    CallToolRequestParams, CallToolResult, CompleteRequestParams, CompleteResult, GetMeta as _,
    GetPromptRequestParams, GetPromptResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResult, Tool,
};
use rmcp::service::{
    MaybeSendFuture, Peer, PeerRequestOptions, RoleClient, RunningService, Service, ServiceError,
    ServiceRole,
};

use super::message::{Answers, Message, Side};
use super::observed::{self, End, Observed};
use super::origin::Origin;
use super::{Transport, meta};
use crate::event::Value;
use crate::semconv::{self, mcp_method};

/// Traced calls for everything that can be called: `use tracing_genai::mcp::PeerExt as _`.
///
/// A call made inside an open `execute_tool` span of the same tool (or in steps inside it) gets no second span: that one gets
/// the attributes of MCP, and fails if the tool does, whatever the code around makes of the result; a later call of the tool
/// that goes well takes that back.
pub trait PeerExt: Caller {
    /// The peer, with a span for each call.
    ///
    /// ```
    /// use rmcp::model::CallToolRequestParams;
    /// use rmcp::service::{Peer, RoleClient};
    /// use tracing_genai::mcp::{PeerExt as _, Transport};
    /// use tracing_genai::tool;
    ///
    /// # async fn run(peer: Peer<RoleClient>) -> Result<(), rmcp::ServiceError> {
    /// let peer = peer.traced().transport(Transport::Stdio);
    /// // One span, `execute_tool search`, which the server's span is a child of:
    /// let hits = tool("search").run(peer.call_tool(CallToolRequestParams::new("search"))).await?;
    /// # Ok(()) }
    /// ```
    fn traced(&self) -> TracedPeer<'_, Self>
    where
        Self: Sized,
    {
        TracedPeer {
            caller: self,
            transport: None,
            server: None,
            session: None,
        }
    }
}

impl<C: Caller> PeerExt for C {}

/// A peer with a span for each call. Made by [`PeerExt::traced`]; it holds nothing of its own, and is made anew where it is
/// needed.
///
/// Into the `_meta` of each request go `traceparent`, `tracestate` and, if there is any, `baggage`, over what stands there under
/// these names: the span is the nearer parent. Other entries stay. Where no layer sees the span, requests go out as they are.
///
/// The span's parent is the span in which the method is called, or the one its future was put into afterwards, by
/// [`instrument`](tracing::Instrument) for instance: the inner of the two. On a task without a span it is the former.
///
/// What is not among the methods goes by [`request`](Self::request).
#[must_use = "it does nothing until a method is called"]
pub struct TracedPeer<'a, C> {
    caller: &'a C,
    transport: Option<Transport>,
    server: Option<(&'a str, u16)>,
    session: Option<&'a str>,
}

impl<C> Clone for TracedPeer<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for TracedPeer<'_, C> {}

impl<C> std::fmt::Debug for TracedPeer<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TracedPeer")
            .field("transport", &self.transport)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl<'a, C: Caller> TracedPeer<'a, C> {
    /// What carries the messages: `network.transport`, which `rmcp` does not tell.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Where the server is, if it is reached over a network: `server.address` and `server.port`.
    pub fn server(mut self, address: &'a str, port: u16) -> Self {
        self.server = Some((address, port));
        self
    }

    /// The session, `mcp.session.id`: what the server gave as `Mcp-Session-Id`.
    pub fn session_id(mut self, id: &'a str) -> Self {
        self.session = Some(id);
        self
    }

    /// Sends any request. The one way to have `jsonrpc.request.id` on the span: of the others `rmcp` does not tell the id.
    ///
    /// # Errors
    /// As [`Peer::send_request`].
    pub fn request(
        self,
        request: <C::Role as ServiceRole>::Req,
    ) -> impl Future<Output = Result<<C::Role as ServiceRole>::PeerResp, ServiceError>> {
        self.request_with(request, PeerRequestOptions::no_options())
    }

    /// The same with a timeout, or whatever else `rmcp` has options for.
    ///
    /// # Errors
    /// As [`Peer::send_request_with_option`].
    pub fn request_with(
        self,
        mut request: <C::Role as ServiceRole>::Req,
        mut options: PeerRequestOptions,
    ) -> impl Future<Output = Result<<C::Role as ServiceRole>::PeerResp, ServiceError>> {
        let made = Origin::here();
        async move {
            let origin = made.or_nearer();
            let span = self.open(&origin, &C::Role::asked(&request));
            allowed(&span)?;
            if let Some(context) = origin.outgoing(&span) {
                meta::write(&context, request.get_meta_mut());
                // What is given there wins over what is in the request.
                if let Some(given) = &mut options.meta {
                    meta::write(&context, given);
                }
            }
            let sent = async {
                let peer = self.caller.peer();
                let handle = peer.send_request_with_option(request, options).await?;
                span.set(semconv::JSONRPC_REQUEST_ID, &handle.id.to_string());
                handle.await_response().await
            };
            let result = span.run(sent).await;
            span.end(match &result {
                Ok(answer) => End::Answered(C::Role::gets(answer)),
                Err(error) => End::of(error),
            });
            result
        }
    }

    /// Sends a notification.
    ///
    /// # Errors
    /// As [`Peer::send_notification`].
    pub fn notify(
        self,
        mut notification: <C::Role as ServiceRole>::Not,
    ) -> impl Future<Output = Result<(), ServiceError>> {
        let made = Origin::here();
        async move {
            let origin = made.or_nearer();
            let span = self.open(&origin, &C::Role::tells(&notification));
            if let Some(context) = origin.outgoing(&span) {
                meta::write(&context, C::Role::meta_mut(&mut notification));
            }
            finish(&span, self.caller.peer().send_notification(notification)).await
        }
    }

    fn open(&self, origin: &Origin, message: &Message<'_>) -> Observed {
        let transport = self.transport.map_or(&[][..], Transport::attributes);
        let mut known: Vec<_> = transport
            .iter()
            .map(|(name, value)| (*name, Value::from(*value)))
            .collect();
        if let Some((address, port)) = self.server {
            known.push((semconv::SERVER_ADDRESS, address.into()));
            known.push((semconv::SERVER_PORT, i64::from(port).into()));
        }
        if let Some(session) = self.session {
            known.push((semconv::MCP_SESSION_ID, session.into()));
        }
        if let Some(peer) = self.caller.peer().peer_info() {
            let version = C::Role::version(&peer).as_str();
            known.push((semconv::MCP_PROTOCOL_VERSION, version.into()));
        }
        let span = origin.open(message, known);
        span.content_of(message);
        span
    }
}

/// Whether the policy lets the message go out.
fn allowed(span: &Observed) -> Result<(), ServiceError> {
    span.stopped()
        .map_err(|blocked| ServiceError::McpError(observed::refusal(&blocked)))
}

/// Awaits the answer inside the span, and ends the span by it.
async fn finish<T: Answers>(
    span: &Observed,
    sent: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    let result = span.run(sent).await;
    span.end(match &result {
        Ok(answer) => End::Answered(answer.answer()),
        Err(error) => End::of(error),
    });
    result
}

/// The calls of a client: what each reads as, where its `_meta` is, and how `rmcp` makes it.
macro_rules! calls {
    ($($(#[$doc:meta])* $method:ident($params:ident: $Params:ty) -> $Answer:ty = $message:expr, $meta:expr, $caller:ident => $call:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Those of the method of that name in `rmcp`.
            pub fn $method(
                self,
                mut $params: $Params,
            ) -> impl Future<Output = Result<$Answer, ServiceError>> {
                let made = Origin::here();
                async move {
                    let origin = made.or_nearer();
                    let span = self.open(&origin, &$message);
                    allowed(&span)?;
                    if let Some(context) = origin.outgoing(&span) {
                        meta::write(&context, $meta.get_or_insert_default());
                    }
                    let $caller = self.caller;
                    finish(&span, $call).await
                }
            }
        )*
    };
}

impl<C: ClientCaller> TracedPeer<'_, C> {
    calls! {
        /// Calls a tool: span `tools/call {tool}`, or the `execute_tool` span around the call. Of a running service, this
        /// answers what the tool asks meanwhile as `rmcp` does, all in one span.
        call_tool(params: CallToolRequestParams) -> CallToolResult =
            Message::from(&params), params.meta, caller => caller.call_tool(params);
        /// Fetches a prompt: span `prompts/get {prompt}`.
        get_prompt(params: GetPromptRequestParams) -> GetPromptResult =
            Message::from(&params), params.meta, caller => caller.get_prompt(params);
        /// Reads a resource: span `resources/read`, the URI in `mcp.resource.uri`.
        read_resource(params: ReadResourceRequestParams) -> ReadResourceResult =
            Message::from(&params), params.meta, caller => caller.read_resource(params);
        /// Asks for suggestions: span `completion/complete {prompt}`.
        complete(params: CompleteRequestParams) -> CompleteResult =
            Message::from(&params), params.meta, caller => caller.peer().complete(params);
        /// Lists a page of tools: span `tools/list`. A page that `rmcp` has in its cache is a span too.
        list_tools(params: Option<PaginatedRequestParams>) -> ListToolsResult =
            Message::new(mcp_method::TOOLS_LIST), params.get_or_insert_default().meta,
            caller => caller.peer().list_tools(params);
        /// Lists a page of prompts: span `prompts/list`.
        list_prompts(params: Option<PaginatedRequestParams>) -> ListPromptsResult =
            Message::new(mcp_method::PROMPTS_LIST), params.get_or_insert_default().meta,
            caller => caller.peer().list_prompts(params);
        /// Lists a page of resources: span `resources/list`.
        list_resources(params: Option<PaginatedRequestParams>) -> ListResourcesResult =
            Message::new(mcp_method::RESOURCES_LIST), params.get_or_insert_default().meta,
            caller => caller.peer().list_resources(params);
        /// Lists a page of resource templates: span `resources/templates/list`.
        list_resource_templates(params: Option<PaginatedRequestParams>) -> ListResourceTemplatesResult =
            Message::new(mcp_method::RESOURCES_TEMPLATES_LIST), params.get_or_insert_default().meta,
            caller => caller.peer().list_resource_templates(params);
    }

    /// Lists all tools: a span `tools/list` for each page.
    ///
    /// # Errors
    /// As [`Peer::list_tools`], of whichever page.
    pub async fn list_all_tools(self) -> Result<Vec<Tool>, ServiceError> {
        let mut tools = Vec::new();
        let mut cursor = None;
        loop {
            let page = PaginatedRequestParams::default().with_cursor(cursor);
            let page = self.list_tools(Some(page)).await?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
    }
}

// === who can be called ===

/// Something that reaches a peer: [`Peer`] and [`RunningService`], of either side.
pub trait Caller {
    /// The side that calls.
    type Role: Side;
    /// The peer.
    #[doc(hidden)]
    fn peer(&self) -> &Peer<Self::Role>;
}

impl<R: Side> Caller for Peer<R> {
    type Role = R;

    fn peer(&self) -> &Peer<R> {
        self
    }
}

impl<R: Side, S: Service<R>> Caller for RunningService<R, S> {
    type Role = R;

    fn peer(&self) -> &Peer<R> {
        self.peer()
    }
}

/// A client: the calls in which a running service does more than its peer, by answering what the server asks meanwhile.
pub trait ClientCaller: Caller<Role = RoleClient> + Sync {
    /// Calls a tool.
    #[doc(hidden)]
    fn call_tool(
        &self,
        params: CallToolRequestParams,
    ) -> impl Future<Output = Result<CallToolResult, ServiceError>> + MaybeSendFuture;
    /// Fetches a prompt.
    #[doc(hidden)]
    fn get_prompt(
        &self,
        params: GetPromptRequestParams,
    ) -> impl Future<Output = Result<GetPromptResult, ServiceError>> + MaybeSendFuture;
    /// Reads a resource.
    #[doc(hidden)]
    fn read_resource(
        &self,
        params: ReadResourceRequestParams,
    ) -> impl Future<Output = Result<ReadResourceResult, ServiceError>> + MaybeSendFuture;
}

macro_rules! client_caller {
    ($($generic:ident: $bound:path)?, $of:ty) => {
        impl<$($generic: $bound)?> ClientCaller for $of {
            async fn call_tool(
                &self,
                params: CallToolRequestParams,
            ) -> Result<CallToolResult, ServiceError> {
                <$of>::call_tool(self, params).await
            }

            async fn get_prompt(
                &self,
                params: GetPromptRequestParams,
            ) -> Result<GetPromptResult, ServiceError> {
                <$of>::get_prompt(self, params).await
            }

            async fn read_resource(
                &self,
                params: ReadResourceRequestParams,
            ) -> Result<ReadResourceResult, ServiceError> {
                <$of>::read_resource(self, params).await
            }
        }
    };
}

client_caller!(, Peer<RoleClient>);
client_caller!(S: Service<RoleClient>, RunningService<RoleClient, S>);
