//! A server with a tool for every way a call can go, and clients connected to it.
#![allow(deprecated, reason = "servers still ask their clients for model calls")]

use std::future::Future;
use std::time::Duration;

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CreateMessageRequest,
    CreateMessageRequestParams, CreateMessageResult, ErrorData, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, ListToolsResult, PaginatedRequestParams, PromptMessage,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents, Role,
    SamplingMessage, ServerCapabilities, ServerConfig, ServerRequest, Tool,
};
use rmcp::service::{Peer, RequestContext, RoleClient, RoleServer, RunningService, Service};
use rmcp::{ServerHandler, ServiceExt as _};
use serde_json::json;
use tracing::{Instrument as _, info_span};
use tracing_genai::mcp::PeerExt as _;
use tracing_genai::testing::Capture;

/// The server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Library;

impl ServerHandler for Library {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = |text: String| CallToolResult::success(vec![ContentBlock::text(text)]);
        let result = match request.name.as_ref() {
            "search" => {
                let found = async {
                    tokio::task::yield_now().await;
                    text("three books".to_owned())
                };
                found.instrument(info_span!("look up")).await
            }
            // What arrived in `_meta`, for the client to read.
            "meta" => text(serde_json::to_string(&context.meta).unwrap()),
            // What was asked, as it was asked.
            "echo" => text(serde_json::to_string(&request.arguments).unwrap()),
            "lend" => CallToolResult::error(vec![ContentBlock::text("the canary is lent out")]),
            "wait" => {
                context.ct.cancelled().await;
                text("too late".to_owned())
            }
            "panic" => panic!("the tool panics"),
            "ask" => {
                let params = CreateMessageRequestParams::new(
                    vec![SamplingMessage::user_text("a canary?")],
                    16,
                );
                let request =
                    ServerRequest::CreateMessageRequest(CreateMessageRequest::new(params));
                let asked = context.peer.traced().request(request).await;
                text(asked.map_or_else(|error| error.to_string(), |_| "asked".to_owned()))
            }
            unknown => {
                let error = format!("unknown tool: {unknown}");
                return Err(ErrorData::invalid_params(error, None));
            }
        };
        Ok(result.into())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({"type": "object"}).as_object().unwrap().clone();
        Ok(ListToolsResult::with_all_items(vec![Tool::new(
            "search",
            "Searches.",
            schema,
        )]))
    }

    async fn get_prompt(
        &self,
        _: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let message = PromptMessage::new_text(Role::User, "Recommend a book.");
        Ok(GetPromptResult::new(vec![message]).into())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let page = ResourceContents::text("page one", request.uri);
        Ok(ReadResourceResult::new(vec![page]).into())
    }
}

/// A client that has a model for those who ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader;

impl ClientHandler for Reader {
    async fn create_message(
        &self,
        _: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let answer = SamplingMessage::assistant_text("yes");
        Ok(CreateMessageResult::new(answer, "a-model".to_owned()))
    }

    fn get_info(&self) -> rmcp::model::ClientInfo {
        let mut info = rmcp::model::ClientInfo::default();
        info.capabilities = rmcp::model::ClientCapabilities::builder()
            .enable_sampling()
            .build();
        info
    }
}

/// Runs `f` under the capture's subscriber, on a runtime of this thread, with a deadline.
pub(crate) fn run<T>(capture: &Capture, f: impl Future<Output = T>) -> T {
    capture.record(|| blocking(f))
}

/// The same without a subscriber.
pub(crate) fn blocking<T>(f: impl Future<Output = T>) -> T {
    super::support::waiting::block_on(async {
        let done = tokio::time::timeout(Duration::from_secs(20), f).await;
        done.unwrap()
    })
}

/// Serves `server` to a client over a pipe in this process; closes the connection when `f` is done.
pub(crate) async fn with<S, F, T>(server: S, f: impl FnOnce(Peer<RoleClient>) -> F) -> T
where
    S: Service<RoleServer>,
    F: Future<Output = T>,
{
    with_client(server, (), |client| f(Peer::<RoleClient>::clone(&client))).await
}

/// The same with a client of one's own.
pub(crate) async fn with_client<S, C, F, T>(
    server: S,
    client: C,
    f: impl FnOnce(std::sync::Arc<RunningService<RoleClient, C>>) -> F,
) -> T
where
    S: Service<RoleServer>,
    C: Service<RoleClient>,
    F: Future<Output = T>,
{
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let serving = tokio::spawn(async move {
        let server = server.serve(theirs).await.unwrap();
        server.waiting().await.unwrap();
    });
    let client = std::sync::Arc::new(client.serve(ours).await.unwrap());
    let kept = client.clone();
    let done = f(client).await;
    kept.cancellation_token().cancel();
    serving.await.unwrap();
    done
}

pub(crate) fn call(tool: &'static str) -> CallToolRequestParams {
    CallToolRequestParams::new(tool)
}

/// The text a tool answered.
pub(crate) fn text(result: &CallToolResult) -> String {
    let block = result.content.first().unwrap();
    block.as_text().unwrap().text.clone()
}
