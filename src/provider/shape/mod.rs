//! The shapes of the APIs: where each keeps what, in requests, in whole answers and in the frames of streams.

mod anthropic;
mod bedrock;
mod chat;
mod cohere;
mod embeddings;
mod gemini;
mod ollama;
mod responses;

use serde_json::Value as Json;

use super::Api;
use super::content::Content;
use super::draft::Draft;
use super::parameters::{self, Parameter};
use crate::event::usage::wire;

/// How one API is read.
pub(super) struct Shape {
    /// How it counts tokens.
    pub(super) usage: &'static wire::Shape,
    /// Where a request has its parameters.
    pub(super) parameters: &'static [Parameter],
    /// Reads the messages of a request.
    pub(super) content: fn(&Json, &mut Content),
    /// Reads a whole answer.
    pub(super) whole: fn(&mut Draft, &Json),
    /// Reads a frame of a streamed one; its name comes before it.
    pub(super) frame: fn(&mut Draft, &str, &Json),
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shape").finish_non_exhaustive()
    }
}

macro_rules! shapes {
    ($($name:ident = $usage:ident, $parameters:ident, $content:path, $whole:path, $frame:path;)*) => {
        $(static $name: Shape = Shape {
            usage: &wire::$usage,
            parameters: parameters::$parameters,
            content: $content,
            whole: $whole,
            frame: $frame,
        };)*
    };
}

shapes! {
    CHAT = OPENAI_CHAT, OPENAI, chat::content, chat::whole, chat::frame;
    MISTRAL = OPENAI_CHAT, MISTRAL_AI, chat::content, chat::whole, chat::frame;
    COMPLETIONS = OPENAI_CHAT, OPENAI, chat::prompt, chat::whole, chat::frame;
    RESPONSES = OPENAI_RESPONSES, OPENAI_RESPONSES, responses::content, responses::whole, responses::frame;
    ANTHROPIC = ANTHROPIC, ANTHROPIC, anthropic::content, anthropic::whole, anthropic::frame;
    GEMINI = GEMINI, GEMINI, gemini::content, gemini::whole, gemini::frame;
    OLLAMA = OLLAMA, OLLAMA, chat::content, ollama::whole, ollama::frame;
    OLLAMA_GENERATE = OLLAMA, OLLAMA, chat::prompt, ollama::whole, ollama::frame;
    COHERE = COHERE, COHERE, chat::content, cohere::whole, cohere::frame;
    BEDROCK = BEDROCK, BEDROCK, bedrock::content, bedrock::whole, bedrock::frame;
    OPENAI_EMBEDDINGS = OPENAI_CHAT, EMBEDDINGS, embeddings::content, embeddings::whole, embeddings::frame;
    GEMINI_EMBEDDINGS = GEMINI, EMBEDDINGS, embeddings::content, embeddings::whole, embeddings::frame;
    OLLAMA_EMBEDDINGS = OLLAMA, EMBEDDINGS, embeddings::content, embeddings::whole, embeddings::frame;
    COHERE_EMBEDDINGS = COHERE, EMBEDDINGS, embeddings::content, embeddings::whole, embeddings::frame;
}

impl Api {
    pub(super) fn shape(self) -> &'static Shape {
        match self {
            Self::OpenAiChat => &CHAT,
            Self::OpenAiCompletions => &COMPLETIONS,
            Self::OpenAiResponses => &RESPONSES,
            Self::AnthropicMessages => &ANTHROPIC,
            Self::Gemini => &GEMINI,
            Self::Ollama => &OLLAMA,
            Self::OllamaGenerate => &OLLAMA_GENERATE,
            Self::Cohere => &COHERE,
            Self::Mistral => &MISTRAL,
            Self::BedrockConverse => &BEDROCK,
            Self::OpenAiEmbeddings => &OPENAI_EMBEDDINGS,
            Self::GeminiEmbeddings => &GEMINI_EMBEDDINGS,
            Self::OllamaEmbeddings => &OLLAMA_EMBEDDINGS,
            Self::CohereEmbeddings => &COHERE_EMBEDDINGS,
        }
    }
}
