//! What a message is about, and what its answer says: the facts that spans are made of, read by reference.
//!
//! Never: copies arguments or results; decides what becomes of the facts.

use std::borrow::Cow;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ClientNotification, ClientRequest,
    ClientResult, CompleteRequestParams, GetMeta as _, GetPromptRequestParams, InitializeResult,
    JsonObject, NotificationMetaObject, ProtocolVersion, ReadResourceRequestParams, Reference,
    RequestId, ServerNotification, ServerRequest, ServerResult, SubscribeRequestParams,
    UnsubscribeRequestParams,
};
use rmcp::service::{RoleClient, RoleServer, ServiceRole};

use crate::semconv::{error_type, mcp_method};

/// A request or a notification.
#[derive(Debug)]
pub struct Message<'a> {
    pub(super) method: Cow<'a, str>,
    pub(super) target: Target<'a>,
    pub(super) id: Option<&'a RequestId>,
}

/// What a message works on.
pub(super) enum Target<'a> {
    None,
    Tool {
        name: &'a str,
        arguments: Option<&'a JsonObject>,
    },
    Prompt {
        name: &'a str,
        variables: Option<&'a JsonObject>,
    },
    Resource(&'a str),
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Arguments are content.
        f.write_str(match self {
            Self::None => "None",
            Self::Tool { name, .. } | Self::Prompt { name, .. } => name,
            Self::Resource(uri) => uri,
        })
    }
}

impl<'a> Message<'a> {
    pub(super) fn new(method: impl Into<Cow<'a, str>>) -> Self {
        Self {
            method: method.into(),
            target: Target::None,
            id: None,
        }
    }

    pub(super) fn of(method: &'static str, target: Target<'a>) -> Self {
        Self {
            target,
            ..Self::new(method)
        }
    }

    pub(super) fn id(self, id: &'a RequestId) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }
}

// === what is asked ===

impl<'a> From<&'a CallToolRequestParams> for Message<'a> {
    fn from(params: &'a CallToolRequestParams) -> Self {
        let target = Target::Tool {
            name: &params.name,
            arguments: params.arguments.as_ref(),
        };
        Self::of(mcp_method::TOOLS_CALL, target)
    }
}

impl<'a> From<&'a GetPromptRequestParams> for Message<'a> {
    fn from(params: &'a GetPromptRequestParams) -> Self {
        let target = Target::Prompt {
            name: &params.name,
            variables: params.arguments.as_ref(),
        };
        Self::of(mcp_method::PROMPTS_GET, target)
    }
}

impl<'a> From<&'a CompleteRequestParams> for Message<'a> {
    fn from(params: &'a CompleteRequestParams) -> Self {
        let target = match &params.r#ref {
            Reference::Prompt(prompt) => Target::Prompt {
                name: &prompt.name,
                variables: None,
            },
            Reference::Resource(resource) => Target::Resource(&resource.uri),
            _ => Target::None,
        };
        Self::of(mcp_method::COMPLETION_COMPLETE, target)
    }
}

impl<'a> From<&'a ReadResourceRequestParams> for Message<'a> {
    fn from(params: &'a ReadResourceRequestParams) -> Self {
        Self::of(mcp_method::RESOURCES_READ, Target::Resource(&params.uri))
    }
}

impl<'a> From<&'a SubscribeRequestParams> for Message<'a> {
    fn from(params: &'a SubscribeRequestParams) -> Self {
        Self::of(
            mcp_method::RESOURCES_SUBSCRIBE,
            Target::Resource(&params.uri),
        )
    }
}

impl<'a> From<&'a UnsubscribeRequestParams> for Message<'a> {
    fn from(params: &'a UnsubscribeRequestParams) -> Self {
        Self::of(
            mcp_method::RESOURCES_UNSUBSCRIBE,
            Target::Resource(&params.uri),
        )
    }
}

impl<'a> From<&'a ClientRequest> for Message<'a> {
    fn from(request: &'a ClientRequest) -> Self {
        match request {
            ClientRequest::CallToolRequest(request) => (&request.params).into(),
            ClientRequest::GetPromptRequest(request) => (&request.params).into(),
            ClientRequest::CompleteRequest(request) => (&request.params).into(),
            ClientRequest::ReadResourceRequest(request) => (&request.params).into(),
            ClientRequest::SubscribeRequest(request) => (&request.params).into(),
            ClientRequest::UnsubscribeRequest(request) => (&request.params).into(),
            other => Self::new(other.method()),
        }
    }
}

/// For messages of kinds that `rmcp` learns later.
const OTHER: &str = error_type::OTHER;

impl<'a> From<&'a ServerRequest> for Message<'a> {
    fn from(request: &'a ServerRequest) -> Self {
        Self::new(match request {
            ServerRequest::PingRequest(_) => mcp_method::PING,
            ServerRequest::CreateMessageRequest(_) => mcp_method::SAMPLING_CREATE_MESSAGE,
            ServerRequest::ListRootsRequest(_) => mcp_method::ROOTS_LIST,
            ServerRequest::ElicitRequest(_) => mcp_method::ELICITATION_CREATE,
            ServerRequest::CustomRequest(request) => &request.method,
            _ => OTHER,
        })
    }
}

impl<'a> From<&'a ClientNotification> for Message<'a> {
    fn from(notification: &'a ClientNotification) -> Self {
        Self::new(match notification {
            ClientNotification::CancelledNotification(_) => mcp_method::NOTIFICATIONS_CANCELLED,
            ClientNotification::ProgressNotification(_) => mcp_method::NOTIFICATIONS_PROGRESS,
            ClientNotification::InitializedNotification(_) => mcp_method::NOTIFICATIONS_INITIALIZED,
            ClientNotification::RootsListChangedNotification(_) => {
                mcp_method::NOTIFICATIONS_ROOTS_LIST_CHANGED
            }
            ClientNotification::CustomNotification(notification) => &notification.method,
            _ => OTHER,
        })
    }
}

impl<'a> From<&'a ServerNotification> for Message<'a> {
    fn from(notification: &'a ServerNotification) -> Self {
        use ServerNotification as Not;
        let method = match notification {
            Not::ResourceUpdatedNotification(updated) => {
                return Self::of(
                    mcp_method::NOTIFICATIONS_RESOURCES_UPDATED,
                    Target::Resource(&updated.params.uri),
                );
            }
            Not::CancelledNotification(_) => mcp_method::NOTIFICATIONS_CANCELLED,
            Not::ProgressNotification(_) => mcp_method::NOTIFICATIONS_PROGRESS,
            Not::LoggingMessageNotification(_) => mcp_method::NOTIFICATIONS_MESSAGE,
            Not::ResourceListChangedNotification(_) => {
                mcp_method::NOTIFICATIONS_RESOURCES_LIST_CHANGED
            }
            Not::ToolListChangedNotification(_) => mcp_method::NOTIFICATIONS_TOOLS_LIST_CHANGED,
            Not::PromptListChangedNotification(_) => mcp_method::NOTIFICATIONS_PROMPTS_LIST_CHANGED,
            Not::SubscriptionsAcknowledgedNotification(_) => {
                "notifications/subscriptions/acknowledged"
            }
            Not::TaskStatusNotification(_) => "notifications/tasks",
            Not::CustomNotification(notification) => &notification.method,
            _ => OTHER,
        };
        Self::new(method)
    }
}

// === what is answered ===

/// What of an answer goes on a span.
#[derive(Clone, Copy, Default)]
pub struct Answer<'a> {
    pub(super) tool: Option<&'a CallToolResult>,
    /// The version that `initialize` agreed on.
    pub(super) version: Option<&'a ProtocolVersion>,
}

impl std::fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// What an answer says, if it says anything that goes on a span.
pub(super) trait Answers {
    fn answer(&self) -> Answer<'_> {
        Answer::default()
    }
}

impl Answers for CallToolResult {
    fn answer(&self) -> Answer<'_> {
        Answer {
            tool: Some(self),
            ..Answer::default()
        }
    }
}

impl Answers for CallToolResponse {
    fn answer(&self) -> Answer<'_> {
        match self {
            Self::Complete(result) => result.answer(),
            _ => Answer::default(),
        }
    }
}

impl Answers for InitializeResult {
    fn answer(&self) -> Answer<'_> {
        Answer {
            version: Some(&self.protocol_version),
            ..Answer::default()
        }
    }
}

impl Answers for ServerResult {
    fn answer(&self) -> Answer<'_> {
        match self {
            Self::CallToolResult(result) => result.answer(),
            Self::InitializeResult(result) => result.answer(),
            _ => Answer::default(),
        }
    }
}

impl Answers for ClientResult {}

macro_rules! silent {
    ($($answer:ident)*) => { $(impl Answers for rmcp::model::$answer {})* };
}

silent! {
    CompleteResult CustomResult DiscoverResult GetPromptResponse GetPromptResult GetSkillResult GetTaskResult
    ListPromptsResult ListResourceTemplatesResult ListResourcesResult ListSkillsResult ListToolsResult
    ReadResourceResponse ReadResourceResult
}

impl Answers for () {}

// === the two sides ===

/// A side of a session. The two roles of `rmcp` are all there are, and nobody outside can name this.
pub trait Side: ServiceRole + Sized {
    /// What this side asks.
    fn asked(request: &Self::Req) -> Message<'_>;
    /// What this side is asked.
    fn asks(request: &Self::PeerReq) -> Message<'_>;
    /// What this side is told.
    fn told(notification: &Self::PeerNot) -> Message<'_>;
    /// What this side tells.
    fn tells(notification: &Self::Not) -> Message<'_>;
    /// What this side answers.
    fn gives(answer: &Self::Resp) -> Answer<'_>;
    /// What this side is answered.
    fn gets(answer: &Self::PeerResp) -> Answer<'_>;
    /// The version of the protocol that the peer speaks.
    fn version(peer: &Self::PeerInfo) -> &ProtocolVersion;
    /// The trace context of a notification of this side.
    fn meta_mut(notification: &mut Self::Not) -> &mut NotificationMetaObject;
}

macro_rules! side {
    ($role:ty) => {
        impl Side for $role {
            fn asked(request: &Self::Req) -> Message<'_> {
                request.into()
            }
            fn asks(request: &Self::PeerReq) -> Message<'_> {
                request.into()
            }
            fn told(notification: &Self::PeerNot) -> Message<'_> {
                notification.into()
            }
            fn tells(notification: &Self::Not) -> Message<'_> {
                notification.into()
            }
            fn gives(answer: &Self::Resp) -> Answer<'_> {
                answer.answer()
            }
            fn gets(answer: &Self::PeerResp) -> Answer<'_> {
                answer.answer()
            }
            fn version(peer: &Self::PeerInfo) -> &ProtocolVersion {
                &peer.protocol_version
            }
            fn meta_mut(notification: &mut Self::Not) -> &mut NotificationMetaObject {
                notification.get_meta_mut()
            }
        }
    };
}

side!(RoleClient);
side!(RoleServer);
