//! Words for what a span is: operations of older conventions and of clients, and the kinds of other dialects.
//!
//! Promise: every word leads to one subject and to the operation the conventions have for it, where they have one.

use super::unquoted;
use crate::event::Subject;
use crate::record::Fields;
use crate::semconv::operation as op;

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) subject: Subject,
    /// The value of `gen_ai.operation.name`.
    pub(crate) operation: Option<&'static str>,
    /// The word says that the answer is streamed.
    pub(crate) streamed: bool,
}

const fn means(subject: Subject, operation: &'static str) -> Meaning {
    Meaning {
        subject,
        operation: Some(operation),
        streamed: false,
    }
}

const fn only(subject: Subject) -> Meaning {
    Meaning {
        subject,
        operation: None,
        streamed: false,
    }
}

const fn streamed(meaning: Meaning) -> Meaning {
    Meaning {
        streamed: true,
        ..meaning
    }
}

const CHAT: Meaning = means(Subject::LLM_CALL, op::CHAT);
const COMPLETION: Meaning = means(Subject::LLM_CALL, op::TEXT_COMPLETION);
const EMBEDDINGS: Meaning = means(Subject::LLM_CALL, op::EMBEDDINGS);
const TOOL: Meaning = means(Subject::TOOL_CALL, op::EXECUTE_TOOL);
const AGENT: Meaning = means(Subject::AGENT_EXECUTION, op::INVOKE_AGENT);
const WORKFLOW: Meaning = means(Subject::WORKFLOW, op::INVOKE_WORKFLOW);
const RETRIEVAL: Meaning = means(Subject::RETRIEVAL_QUERY, op::RETRIEVAL);
/// Sorting what was found is a part of finding it; the conventions have no operation of its own for it.
const RERANK: Meaning = means(Subject::RETRIEVAL_SEARCH, op::RETRIEVAL);

/// Operations that are no value of the conventions' any more, or never were one.
const OPERATIONS: &[(&str, Meaning)] = &[
    ("chat_streaming", streamed(CHAT)),
    ("interactions", CHAT),
    ("interactions_streaming", streamed(CHAT)),
    ("completion", COMPLETION),
    ("text.completion", COMPLETION),
    ("embedding", EMBEDDINGS),
];

/// Operations that models are called for and that the conventions have no value for: they keep their own.
const MODEL_OPERATIONS: &[&str] = &[
    "audio_generation",
    "image_generation",
    "rerank",
    "transcription",
];

/// What a value of `gen_ai.operation.name` means.
pub(crate) fn operation(word: &str) -> Option<Meaning> {
    let word = unquoted(word);
    if let Some(subject) = Subject::from_operation(word) {
        return Some(only(subject));
    }
    let known = OPERATIONS.iter().find(|(old, _)| *old == word);
    known.map(|(_, meaning)| *meaning).or_else(|| {
        MODEL_OPERATIONS
            .contains(&word)
            .then_some(only(Subject::LLM_CALL))
    })
}

/// Attributes that tell the kind, the first that says something wins, and their words, without regard to case.
pub(crate) const KINDS: &[(&str, &[(&str, Meaning)])] = &[
    (
        "openinference.span.kind",
        &[
            ("llm", CHAT),
            ("embedding", EMBEDDINGS),
            ("chain", WORKFLOW),
            ("tool", TOOL),
            ("retriever", RETRIEVAL),
            ("agent", AGENT),
            ("reranker", RERANK),
            ("guardrail", only(Subject::GUARDRAIL)),
            ("evaluator", only(Subject::EVALUATION)),
        ],
    ),
    ("langfuse.observation.type", LANGFUSE),
    ("langfuse.type", LANGFUSE),
    (
        "traceloop.span.kind",
        &[
            ("workflow", WORKFLOW),
            ("task", only(Subject::STEP)),
            ("agent", AGENT),
            ("tool", TOOL),
        ],
    ),
    (
        "llm.request.type",
        &[
            ("chat", CHAT),
            ("completion", COMPLETION),
            ("embedding", EMBEDDINGS),
            ("rerank", RERANK),
        ],
    ),
];

const LANGFUSE: &[(&str, Meaning)] = &[
    ("generation", CHAT),
    ("embedding", EMBEDDINGS),
    ("retriever", RETRIEVAL),
    ("tool", TOOL),
    ("agent", AGENT),
    ("chain", WORKFLOW),
    ("guardrail", only(Subject::GUARDRAIL)),
    ("evaluator", only(Subject::EVALUATION)),
];

/// What the kind on a span means, whichever dialect tells it.
pub(crate) fn kind(fields: &Fields) -> Option<Meaning> {
    KINDS.iter().find_map(|(name, words)| {
        let told = unquoted(fields.str(name)?);
        let meant = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(told))?;
        Some(meant.1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_conventions_means_itself() {
        for word in op::ALL {
            let meaning = operation(word).map(|meaning| (meaning.operation, meaning.streamed));
            assert_eq!(meaning, Some((None, false)), "{word}");
        }
        assert_eq!(operation("\"chat\""), operation("chat"));
        assert_eq!(operation("chat_streaming"), Some(streamed(CHAT)));
        assert_eq!(operation("dance"), None);
    }
}
