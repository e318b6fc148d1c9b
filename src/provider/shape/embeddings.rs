//! Embeddings: what matters of the answer is the model and the tokens.

use serde_json::Value as Json;

use super::super::content::{self, Content, items, text};
use super::super::draft::Draft;
use crate::semconv;

/// Reads what is to be embedded.
pub(super) fn content(request: &Json, content: &mut Content) {
    let input = request.get("input").or_else(|| request.get("texts"));
    for said in text(input)
        .into_iter()
        .chain(items(input).filter_map(Json::as_str))
    {
        let part = content::text_part(said);
        content.messages.push(content::message("user", vec![part]));
    }
}

/// Reads an answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, answer.get("id"));
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, answer.get("model"));
    for place in ["/usage", "/usageMetadata", "/meta"] {
        draft.usage(answer.pointer(place));
    }
    // Ollama counts beside the vectors.
    if answer.get("prompt_eval_count").is_some() {
        draft.usage(Some(answer));
    }
}

/// Embeddings are not streamed.
pub(super) fn frame(draft: &mut Draft, _: &str, frame: &Json) {
    whole(draft, frame);
}
