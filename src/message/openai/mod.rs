//! OpenAI's chat messages, which many others speak (Mistral, Ollama, DeepSeek, OpenRouter, vLLM).

mod read;
mod write;

pub use self::{read::from_openai, write::to_openai};
