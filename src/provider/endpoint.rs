//! Which API a request goes to.
//!
//! Promise: the shape by the path, the provider by the host, so that a gateway and a local server are read too; nothing of a
//! query string is looked at.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value as Json;

use super::content::Content;
use super::draft::Want;
use super::fold::Fold;
use super::text::TextMeter;
use super::{Answer, Reader, Request, parameters, skim};
use crate::event::Value;
use crate::semconv::{self, operation, provider};

/// The shape of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Api {
    /// OpenAI chat completions, and everything compatible with it.
    OpenAiChat,
    /// OpenAI's legacy completions: a prompt instead of messages.
    OpenAiCompletions,
    /// OpenAI responses.
    OpenAiResponses,
    /// Anthropic messages.
    AnthropicMessages,
    /// Gemini `generateContent` and `streamGenerateContent`, of the Gemini API and of Vertex AI.
    Gemini,
    /// Ollama `/api/chat`.
    Ollama,
    /// Ollama `/api/generate`.
    OllamaGenerate,
    /// Cohere v2 chat.
    Cohere,
    /// Mistral chat completions.
    Mistral,
    /// Bedrock Converse and ConverseStream.
    BedrockConverse,
    /// Embeddings as OpenAI has them.
    OpenAiEmbeddings,
    /// Gemini `embedContent` and `batchEmbedContents`.
    GeminiEmbeddings,
    /// Ollama `/api/embed`.
    OllamaEmbeddings,
    /// Cohere `/v2/embed`.
    CohereEmbeddings,
}

impl Api {
    /// The value of `gen_ai.operation.name`.
    pub fn operation(self) -> &'static str {
        match self {
            Self::OpenAiCompletions | Self::OllamaGenerate => operation::TEXT_COMPLETION,
            Self::Gemini => operation::GENERATE_CONTENT,
            Self::OpenAiEmbeddings
            | Self::GeminiEmbeddings
            | Self::OllamaEmbeddings
            | Self::CohereEmbeddings => operation::EMBEDDINGS,
            _ => operation::CHAT,
        }
    }

    /// Whose API it is, where the host does not say.
    fn provider(self) -> &'static str {
        match self {
            Self::OpenAiChat
            | Self::OpenAiCompletions
            | Self::OpenAiResponses
            | Self::OpenAiEmbeddings => provider::OPENAI,
            Self::AnthropicMessages => provider::ANTHROPIC,
            Self::Gemini | Self::GeminiEmbeddings => provider::GCP_GEMINI,
            Self::Ollama | Self::OllamaGenerate | Self::OllamaEmbeddings => OLLAMA,
            Self::Cohere | Self::CohereEmbeddings => provider::COHERE,
            Self::Mistral => provider::MISTRAL_AI,
            Self::BedrockConverse => provider::AWS_BEDROCK,
        }
    }

    /// The value of `openai.api.type`.
    fn openai_type(self) -> Option<&'static str> {
        match self {
            Self::OpenAiChat => Some("chat_completions"),
            Self::OpenAiResponses => Some("responses"),
            _ => None,
        }
    }
}

/// No well-known name of the conventions, which allow others.
const OLLAMA: &str = "ollama";

/// Hosts, and whose they are. One that begins with a dot or a dash is the end of a host.
const HOSTS: [(&str, &str); 23] = [
    ("api.openai.com", provider::OPENAI),
    (".openai.azure.com", provider::AZURE_AI_OPENAI),
    (".cognitiveservices.azure.com", provider::AZURE_AI_OPENAI),
    (".services.ai.azure.com", provider::AZURE_AI_INFERENCE),
    (".models.ai.azure.com", provider::AZURE_AI_INFERENCE),
    ("api.anthropic.com", provider::ANTHROPIC),
    ("generativelanguage.googleapis.com", provider::GCP_GEMINI),
    ("aiplatform.googleapis.com", provider::GCP_VERTEX_AI),
    ("-aiplatform.googleapis.com", provider::GCP_VERTEX_AI),
    ("api.mistral.ai", provider::MISTRAL_AI),
    ("api.cohere.com", provider::COHERE),
    ("api.cohere.ai", provider::COHERE),
    ("api.groq.com", provider::GROQ),
    ("api.deepseek.com", provider::DEEPSEEK),
    ("api.x.ai", provider::X_AI),
    ("api.perplexity.ai", provider::PERPLEXITY),
    ("api.moonshot.ai", provider::MOONSHOT_AI),
    ("api.moonshot.cn", provider::MOONSHOT_AI),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("router.huggingface.co", "huggingface"),
    ("ollama.com", OLLAMA),
];

/// Members of requests that hold what is said to the model, and no parameters: not looked at unless asked for.
const TEXTS: &[&str] = &[
    "contents",
    "images",
    "input",
    "instructions",
    "messages",
    "prompt",
    "system",
    "systemInstruction",
    "system_instruction",
    "texts",
    "toolConfig",
    "tools",
];

/// Where Ollama listens unless told otherwise, whichever API it is asked by.
const OLLAMA_PORT: u16 = 11434;

/// What a request goes to.
///
/// ```
/// use tracing_genai::provider::{Api, Endpoint};
///
/// let endpoint = Endpoint::of_url("https://api.groq.com/openai/v1/chat/completions").unwrap();
/// assert_eq!((endpoint.api(), endpoint.provider()), (Api::OpenAiChat, "groq"));
/// assert!(Endpoint::of_url("https://api.groq.com/openai/v1/models").is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    api: Api,
    provider: String,
    address: String,
    port: Option<u16>,
    model: Option<String>,
    streaming: bool,
    measuring: bool,
}

impl Endpoint {
    /// What a `POST` to `url`, which is absolute, is; `None` if it is no call of a model. The shape by the path, the provider
    /// by the host: a host nobody knows is taken for what the path's API usually is, unless the path is as plain as `/api/chat`
    /// (Ollama) or `/v2/chat` (Cohere), which counts on this machine and at hosts of that name only. Query strings, which may
    /// hold keys, are not looked at.
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        let path = path.split(['?', '#']).next()?;
        let (host, port) = host_and_port(authority.rsplit('@').next()?);
        let port = port.or(match scheme {
            "https" => Some(443),
            "http" => Some(80),
            _ => None,
        });
        let host = host.to_ascii_lowercase();
        let owner = owner(&host, port);
        let Route {
            api,
            model,
            streaming,
        } = route(path, &host, owner)?;
        Some(Self {
            provider: owner.unwrap_or_else(|| api.provider()).to_owned(),
            address: host,
            port,
            model: model.map(Cow::into_owned),
            streaming,
            ..Self::new(api, "")
        })
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
            measuring: false,
        }
    }

    /// Whether requests and answers say how much text they hold. Default `false`: it costs reading every frame of a stream.
    #[must_use]
    pub fn measuring(mut self, on: bool) -> Self {
        self.measuring = on;
        self
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
        self.api.operation()
    }

    /// What the URL alone tells.
    pub fn bare(&self) -> Request {
        let mut request = Request {
            streaming: self.streaming,
            ..Request::default()
        };
        let attrs = &mut request.attrs;
        attrs.set(semconv::GEN_AI_OPERATION_NAME, self.operation());
        attrs.set(semconv::GEN_AI_PROVIDER_NAME, self.provider.as_str());
        if let Some(api) = self.api.openai_type().filter(|_| self.is_openai()) {
            attrs.set(semconv::OPENAI_API_TYPE, api);
        }
        if !self.address.is_empty() {
            attrs.set(semconv::SERVER_ADDRESS, self.address.as_str());
        }
        if let Some(port) = self.port {
            attrs.set(semconv::SERVER_PORT, i64::from(port));
        }
        if let Some(model) = &self.model {
            attrs.set(semconv::GEN_AI_REQUEST_MODEL, model.as_str());
        }
        if self.streaming {
            attrs.set(semconv::GEN_AI_REQUEST_STREAM, true);
        }
        request
    }

    /// What the body tells, and the URL. With `content`, messages too.
    pub fn request(&self, body: &[u8], content: bool) -> Request {
        let mut request = self.bare();
        let texts = content || self.measuring;
        let Ok(body) = skim::parse(body, if texts { &[] } else { TEXTS }) else {
            return request;
        };
        let shape = self.api.shape();
        parameters::read(shape.parameters, &body, &mut request.attrs);
        if !self.is_openai() {
            request.attrs.remove(semconv::OPENAI_REQUEST_SERVICE_TIER);
        }
        let stream = body.get("stream").and_then(Json::as_bool);
        // Ollama streams unless told not to.
        let silent = matches!(self.api, Api::Ollama | Api::OllamaGenerate);
        request.streaming = self.streaming || stream.unwrap_or(silent);
        if request.streaming {
            request.attrs.set(semconv::GEN_AI_REQUEST_STREAM, true);
        }
        if texts {
            let mut messages = Content::default();
            (shape.content)(&body, &mut messages);
            let messages = messages.into_attrs();
            if self.measuring {
                request.text = size(&messages);
            }
            if content {
                request.content = messages;
            }
        }
        request
    }

    /// Reads a whole answer.
    pub fn answer(&self, answer: &Json, content: bool) -> Answer {
        Fold::whole(self.api, &self.provider, self.want(content), answer)
    }

    /// Reads an answer as it arrives; `content_type` is what the response's head says, and decides how it is framed.
    pub fn reader(&self, content_type: Option<&str>, content: bool) -> Reader {
        let fold = Fold::new(self.api, &self.provider, self.want(content));
        Reader::new(fold, content_type, content || self.measuring)
    }

    fn want(&self, content: bool) -> Want {
        Want {
            content,
            size: self.measuring,
            piece: false,
        }
    }

    fn is_openai(&self) -> bool {
        matches!(
            self.provider.as_str(),
            provider::OPENAI | provider::AZURE_AI_OPENAI
        )
    }
}

fn size(messages: &crate::event::Attrs) -> super::TextSize {
    let mut meter = TextMeter::default();
    for (_, value) in messages.iter() {
        if let Value::Array(items) = value {
            items.iter().for_each(|item| meter.add_all(&item.to_json()));
        }
    }
    meter.size()
}

fn host_and_port(authority: &str) -> (&str, Option<u16>) {
    // An IPv6 address stands in brackets, and has colons of its own.
    let after = authority.rfind(']').map_or(0, |end| end + 1);
    match authority.get(after..).and_then(|rest| rest.rfind(':')) {
        Some(colon) => {
            let (host, port) = authority.split_at(after + colon);
            (host, port.get(1..).and_then(|port| port.parse().ok()))
        }
        None => (authority, None),
    }
}

fn owner(host: &str, port: Option<u16>) -> Option<&'static str> {
    let known = HOSTS.iter().find(|(pattern, _)| {
        if pattern.starts_with(['.', '-']) {
            host.ends_with(pattern)
        } else {
            host == *pattern
        }
    });
    let known = known.map(|(_, owner)| *owner);
    let known = known.or_else(|| is_bedrock(host).then_some(provider::AWS_BEDROCK));
    known.or_else(|| (port == Some(OLLAMA_PORT)).then_some(OLLAMA))
}

/// `bedrock-runtime.{region}.amazonaws.com`, the same for FIPS, and the private endpoints that have more in front. Anything
/// may run on the other hosts of AWS.
fn is_bedrock(host: &str) -> bool {
    let aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    aws && host
        .split('.')
        .any(|label| matches!(label, "bedrock-runtime" | "bedrock-runtime-fips"))
}

struct Route<'a> {
    api: Api,
    model: Option<Cow<'a, str>>,
    streaming: bool,
}

/// Whether a path as plain as `/api/chat` means this provider's API: at its own hosts, on this machine, and where the name of
/// the host says so. Elsewhere it may be anybody's.
fn is_at(provider: &str, host: &str, owner: Option<&str>) -> bool {
    let here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    owner == Some(provider) || here || host.contains(provider)
}

/// What the path asks for. Prefixes do not matter: gateways have their own.
fn route<'a>(path: &'a str, host: &str, owner: Option<&str>) -> Option<Route<'a>> {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let plain = |api| {
        Some(Route {
            api,
            model: None,
            streaming: false,
        })
    };
    match segments.as_slice() {
        [.., "chat", "completions"] if owner == Some(provider::MISTRAL_AI) => plain(Api::Mistral),
        [.., "deployments", model, "chat", "completions"] => Some(Route {
            api: Api::OpenAiChat,
            model: decoded(model),
            streaming: false,
        }),
        [.., "chat", "completions"] => plain(Api::OpenAiChat),
        [.., "deployments", model, "embeddings"] => Some(Route {
            api: Api::OpenAiEmbeddings,
            model: decoded(model),
            streaming: false,
        }),
        [.., "api", action] if is_at(OLLAMA, host, owner) => match *action {
            "chat" => plain(Api::Ollama),
            "generate" => plain(Api::OllamaGenerate),
            "embed" | "embeddings" => plain(Api::OllamaEmbeddings),
            _ => None,
        },
        [.., "v2", action] if is_at(provider::COHERE, host, owner) => match *action {
            "chat" => plain(Api::Cohere),
            "embed" => plain(Api::CohereEmbeddings),
            _ => None,
        },
        [.., "v1" | "openai", "responses"] => plain(Api::OpenAiResponses),
        [.., "v1" | "openai", "embeddings"] => plain(Api::OpenAiEmbeddings),
        [.., "v1", "completions"] => plain(Api::OpenAiCompletions),
        [.., "v1", "messages"] => plain(Api::AnthropicMessages),
        [
            ..,
            "model",
            model,
            action @ ("converse" | "converse-stream"),
        ] => Some(Route {
            api: Api::BedrockConverse,
            model: decoded(model),
            streaming: *action == "converse-stream",
        }),
        [.., "models" | "tunedModels" | "endpoints", last] => google(last),
        _ => None,
    }
}

/// `{model}:{action}`, of Gemini and of Vertex AI.
fn google(last: &str) -> Option<Route<'_>> {
    let (model, action) = last.split_once(':')?;
    let (api, streaming) = match action {
        "generateContent" => (Api::Gemini, false),
        "streamGenerateContent" => (Api::Gemini, true),
        "embedContent" | "batchEmbedContents" => (Api::GeminiEmbeddings, false),
        "rawPredict" if model.starts_with("claude") => (Api::AnthropicMessages, false),
        "streamRawPredict" if model.starts_with("claude") => (Api::AnthropicMessages, true),
        _ => return None,
    };
    Some(Route {
        api,
        model: decoded(model),
        streaming,
    })
}

fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(segment).decode_utf8().ok()
}
