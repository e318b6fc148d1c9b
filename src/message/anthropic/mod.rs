//! Anthropic's messages.

mod read;
mod write;

pub use self::{read::from_anthropic, write::to_anthropic};
