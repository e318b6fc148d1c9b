//! Which API a request goes to.

use serde_json::Value as Json;

use super::{Answer, Reader, Request};

/// The shape of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Api {
    /// OpenAI chat completions, and everything compatible with it.
    OpenAiChat,
    /// OpenAI responses.
    OpenAiResponses,
    /// Anthropic messages.
    AnthropicMessages,
    /// Gemini `generateContent`.
    Gemini,
    /// Ollama `/api/chat`.
    Ollama,
    /// Cohere v2 chat.
    Cohere,
    /// Mistral chat completions.
    Mistral,
    /// Bedrock Converse.
    BedrockConverse,
    /// Embeddings as OpenAI has them.
    OpenAiEmbeddings,
}

/// What a request goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    api: Api,
    provider: String,
    address: String,
    port: Option<u16>,
    model: Option<String>,
    streaming: bool,
}

impl Endpoint {
    /// What a `POST` to `url` is; `None` if it is no call of a model. The shape by the path, the provider by the host: a host
    /// nobody knows is taken for what the path's API usually is.
    pub fn of_url(_url: &str) -> Option<Self> {
        None
    }

    /// An endpoint by its shape and provider, where there is no URL.
    pub fn new(api: Api, provider: &str) -> Self {
        Self {
            api,
            provider: provider.to_owned(),
            address: String::new(),
            port: None,
            model: None,
            streaming: false,
        }
    }

    /// The shape.
    pub fn api(&self) -> Api {
        self.api
    }

    /// The value of `gen_ai.provider.name`.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The value of `gen_ai.operation.name`.
    pub fn operation(&self) -> &'static str {
        crate::semconv::operation::CHAT
    }

    /// What the URL alone tells.
    pub fn bare(&self) -> Request {
        Request::default()
    }

    /// What the body tells, and the URL. With `content`, messages too.
    pub fn request(&self, _body: &[u8], _content: bool) -> Request {
        self.bare()
    }

    /// Reads a whole answer.
    pub fn answer(&self, _answer: &Json, _content: bool) -> Answer {
        Answer::default()
    }

    /// Reads an answer as it arrives; `content_type` is what the response's head says, and decides how it is framed.
    pub fn reader(&self, content_type: Option<&str>, content: bool) -> Reader {
        Reader::new(self.clone(), content_type, content)
    }
}
