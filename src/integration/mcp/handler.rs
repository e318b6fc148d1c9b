//! The wrapper for those who take a [`ServerHandler`] and nothing else, as `StreamableHttpService` does.
//!
//! Never: answers anything itself. Every method of the trait as of `rmcp` 3.11 goes to the handler within.
#![allow(deprecated, reason = "what is deprecated is still asked for")]

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CancelledNotificationParam,
    CompleteRequestParams, CompleteResult, CustomNotification, CustomRequest, CustomResult,
    DiscoverResult, ErrorData, GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams,
    GetSkillResult, GetTaskParams, GetTaskResult, InitializeRequestParams, InitializeResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
    ReadResourceDirectoryRequestParams, ReadResourceDirectoryResult, ReadResourceRequestParams,
    ReadResourceResponse, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{
    MaybeSendFuture, NotificationContext, RequestContext, RoleServer, SubscriptionContext,
};

use super::Transport;
use super::message::{Answer, Answers, Message, Target};
use super::observed::End;
use super::server::{Watch, answered};
use crate::semconv::mcp_method;

/// A [`ServerHandler`] whose messages have spans. Made by [`traced_handler`].
#[derive(Clone)]
pub struct TracedHandler<H> {
    handler: H,
    watch: Watch,
}

/// Wraps the handler that a `StreamableHttpService` makes for each session or request.
///
/// ```
/// use std::sync::Arc;
///
/// use rmcp::ServerHandler;
/// use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
/// use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
/// use tracing_genai::mcp::traced_handler;
///
/// struct Weather;
/// impl ServerHandler for Weather {}
///
/// let service = StreamableHttpService::new(
///     || Ok(traced_handler(Weather)),
///     Arc::new(LocalSessionManager::default()),
///     StreamableHttpServerConfig::default(),
/// );
/// # let _ = service;
/// ```
///
/// The same spans as those of [`traced`](super::traced), but for requests that `rmcp` answers before it asks the handler (of a
/// protocol version that is not spoken, say): those have none. Prefer [`traced`](super::traced) wherever it is taken: this
/// passes on the methods of `ServerHandler` one by one, so what a version after 3.11 adds to the trait is answered by its
/// default until this crate knows it.
pub fn traced_handler<H: ServerHandler>(handler: H) -> TracedHandler<H> {
    TracedHandler {
        handler,
        watch: Watch::default(),
    }
}

impl<H> TracedHandler<H> {
    /// What carries the messages, for those that do not say so themselves as HTTP requests do.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.watch.transport = Some(transport);
        self
    }

    /// The methods that get no span, as [`Traced::skip`](super::Traced::skip).
    #[must_use]
    pub fn skip(mut self, methods: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.watch.skip = methods.into_iter().map(Into::into).collect();
        self
    }

    /// The handler.
    pub fn inner(&self) -> &H {
        &self.handler
    }

    /// The handler back.
    pub fn into_inner(self) -> H {
        self.handler
    }
}

impl<H> fmt::Debug for TracedHandler<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedHandler")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

type Handled<T> = Result<T, ErrorData>;

impl<H: ServerHandler> TracedHandler<H> {
    async fn request<T, F>(
        &self,
        message: Message<'_>,
        context: RequestContext<RoleServer>,
        handle: impl FnOnce(RequestContext<RoleServer>) -> F,
    ) -> Handled<T>
    where
        T: Answers,
        F: Future<Output = Handled<T>>,
    {
        let ct = context.ct.clone();
        match self.watch.request(message, &context) {
            None => handle(context).await,
            Some(span) => {
                answered(
                    &span,
                    handle(context),
                    || ct.is_cancelled(),
                    Answers::answer,
                )
                .await
            }
        }
    }

    async fn notification<F>(
        &self,
        method: &str,
        context: NotificationContext<RoleServer>,
        handle: impl FnOnce(NotificationContext<RoleServer>) -> F,
    ) where
        F: Future<Output = ()>,
    {
        match self.watch.notification(Message::new(method), &context) {
            None => handle(context).await,
            Some(span) => {
                span.run(handle(context)).await;
                span.end(End::Answered(Answer::default()));
            }
        }
    }
}

/// Requests with parameters: how each reads as a message, and where it goes.
macro_rules! requests {
    ($($(#[$meta:meta])* $method:ident($request:ident: $Params:ty) -> $Answer:ty = $message:expr;)*) => {
        $(
            $(#[$meta])*
            async fn $method(
                &self,
                $request: $Params,
                context: RequestContext<RoleServer>,
            ) -> Handled<$Answer> {
                // Made before the parameters move on; the span is started and the message gone before the handler runs.
                let (ct, span) = (context.ct.clone(), self.watch.request($message, &context));
                let handled = self.handler.$method($request, context);
                match span {
                    None => handled.await,
                    Some(span) => {
                        answered(&span, handled, || ct.is_cancelled(), Answers::answer).await
                    }
                }
            }
        )*
    };
}

/// Notifications with parameters.
macro_rules! notifications {
    ($($method:ident($notification:ident: $Params:ty) = $name:expr;)*) => {
        $(
            async fn $method(
                &self,
                $notification: $Params,
                context: NotificationContext<RoleServer>,
            ) {
                let name: Cow<'static, str> = $name;
                self.notification(&name, context, |context| {
                    self.handler.$method($notification, context)
                })
                .await;
            }
        )*
    };
}

impl<H: ServerHandler> ServerHandler for TracedHandler<H> {
    requests! {
        initialize(request: InitializeRequestParams) -> InitializeResult = Message::new(mcp_method::INITIALIZE);
        complete(request: CompleteRequestParams) -> CompleteResult = (&request).into();
        set_level(request: SetLevelRequestParams) -> () = Message::new(mcp_method::LOGGING_SET_LEVEL);
        get_prompt(request: GetPromptRequestParams) -> GetPromptResponse = (&request).into();
        list_prompts(request: Option<PaginatedRequestParams>) -> ListPromptsResult =
            Message::new(mcp_method::PROMPTS_LIST);
        list_resources(request: Option<PaginatedRequestParams>) -> ListResourcesResult =
            Message::new(mcp_method::RESOURCES_LIST);
        list_resource_templates(request: Option<PaginatedRequestParams>) -> ListResourceTemplatesResult =
            Message::new(mcp_method::RESOURCES_TEMPLATES_LIST);
        read_resource(request: ReadResourceRequestParams) -> ReadResourceResponse = (&request).into();
        subscribe(request: SubscribeRequestParams) -> () = (&request).into();
        unsubscribe(request: UnsubscribeRequestParams) -> () = (&request).into();
        call_tool(request: CallToolRequestParams) -> CallToolResponse = (&request).into();
        list_tools(request: Option<PaginatedRequestParams>) -> ListToolsResult =
            Message::new(mcp_method::TOOLS_LIST);
        on_custom_request(request: CustomRequest) -> CustomResult = Message::new(request.method.as_str());
        get_task(request: GetTaskParams) -> GetTaskResult = Message::new("tasks/get");
        update_task(request: UpdateTaskParams) -> () = Message::new("tasks/update");
        cancel_task(request: CancelTaskParams) -> () = Message::new("tasks/cancel");
        list_skills(request: Option<PaginatedRequestParams>) -> ListSkillsResult = Message::new("skills/list");
        get_skill(request: GetSkillRequestParams) -> GetSkillResult =
            Message::of("skills/get", Target::Resource(&request.uri));
        read_resource_directory(request: ReadResourceDirectoryRequestParams) -> ReadResourceDirectoryResult =
            Message::of("resources/directory/read", Target::Resource(&request.uri));
    }

    notifications! {
        on_cancelled(notification: CancelledNotificationParam) = mcp_method::NOTIFICATIONS_CANCELLED.into();
        on_progress(notification: ProgressNotificationParam) = mcp_method::NOTIFICATIONS_PROGRESS.into();
        on_custom_notification(notification: CustomNotification) = notification.method.clone().into();
    }

    async fn ping(&self, context: RequestContext<RoleServer>) -> Handled<()> {
        let message = Message::new(mcp_method::PING);
        self.request(message, context, |context| self.handler.ping(context))
            .await
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Handled<DiscoverResult> {
        let message = Message::new("server/discover");
        self.request(message, context, |context| self.handler.discover(context))
            .await
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let method = mcp_method::NOTIFICATIONS_INITIALIZED;
        self.notification(method, context, |context| {
            self.handler.on_initialized(context)
        })
        .await;
    }

    async fn on_roots_list_changed(&self, context: NotificationContext<RoleServer>) {
        let method = mcp_method::NOTIFICATIONS_ROOTS_LIST_CHANGED;
        self.notification(method, context, |context| {
            self.handler.on_roots_list_changed(context)
        })
        .await;
    }

    // === no messages of their own ===

    fn listen(
        &self,
        context: SubscriptionContext,
    ) -> impl Future<Output = Handled<()>> + MaybeSendFuture + '_ {
        self.handler.listen(context)
    }

    fn negotiate_initialize(&self, request: &InitializeRequestParams) -> Handled<InitializeResult> {
        self.handler.negotiate_initialize(request)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        self.handler.supported_protocol_versions()
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        self.handler.accepted_subscription_filter(requested)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.handler.get_tool(name)
    }

    fn get_info(&self) -> ServerConfig {
        self.handler.get_info()
    }
}
