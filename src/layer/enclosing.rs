//! The model call somebody else's span stands for: found from the span this thread is in, outwards.
//!
//! Promise: looks at spans that are open, entered on this thread or not; stops at an agent, a tool or a workflow, because a
//! model call inside one of them is its own.
//! Never: fixes an identity, writes anything, or runs anybody's code.

use std::sync::Arc;

use tracing::dispatcher::get_default;
use tracing::{Dispatch, Id, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

use super::GenAiLayer;
use super::entered;
use super::instance::Instance;
use super::starting::Opened;
use super::state::{Inner, SpanState};
use crate::event::{Kind, Subject};
use crate::semconv::{self, operation};

/// The installation that listens on this thread, if one does and is not told to look away.
pub(crate) fn listening() -> Option<Arc<Instance>> {
    let instance = get_default(|dispatch| {
        let layer = dispatch.downcast_ref::<GenAiLayer>()?;
        let instance = layer.instance();
        instance.is_on().then(|| Arc::clone(instance))
    })?;
    (!entered::is_quiet()).then_some(instance)
}

/// The open model call around `span` that a call of `operation` is, if there is one.
pub(crate) fn model_call(span: &Span, operation: &str) -> Option<Opened> {
    span.with_subscriber(|(id, dispatch)| {
        let layer = dispatch.downcast_ref::<GenAiLayer>()?;
        let state = outwards(layer, dispatch, id, operation)?;
        let instance = Arc::clone(layer.instance());
        Some(Opened { instance, state })
    })?
}

fn outwards(
    layer: &GenAiLayer,
    dispatch: &Dispatch,
    id: &Id,
    operation: &str,
) -> Option<Arc<SpanState>> {
    let Some(span) = dispatch
        .downcast_ref::<Registry>()
        .and_then(|registry| registry.span(id))
    else {
        // A subscriber of another kind: it alone knows what lies around the span.
        let state = layer.state(id)?;
        let found = verdict(&state.lock(), operation) == Verdict::Found;
        return found.then_some(state);
    };
    for span in span.scope() {
        let Some(state) = layer.state(&span.id()) else {
            continue;
        };
        let verdict = verdict(&state.lock(), operation);
        match verdict {
            Verdict::Found => return Some(state),
            Verdict::Further => {}
            Verdict::Stop => return None,
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Found,
    Further,
    Stop,
}

fn verdict(inner: &Inner, wanted: &str) -> Verdict {
    if inner.ended {
        return Verdict::Further;
    }
    let record = &inner.record;
    let embeds = |operation: &str| operation == operation::EMBEDDINGS;
    match record.subject.map(Subject::kind) {
        Some(Kind::Llm) => {
            let own = record.fields.str(semconv::GEN_AI_OPERATION_NAME);
            // Embeddings that are looked up in the course of a chat are a call of their own.
            if own.is_none_or(|own| embeds(own) == embeds(wanted)) {
                Verdict::Found
            } else {
                Verdict::Stop
            }
        }
        Some(_) if inner.scope => Verdict::Stop,
        None if is_to_come(inner) => Verdict::Found,
        _ => Verdict::Further,
    }
}

/// Whether the span leaves room for the operation, model and usage of a call, and has not said yet which it is: some clients
/// open the span first and fill it in when the request is made.
fn is_to_come(inner: &Inner) -> bool {
    let Some(meta) = inner.record.meta else {
        return false;
    };
    let declares = |name: &str| meta.fields().field(name).is_some();
    let open = inner
        .record
        .fields
        .str(semconv::GEN_AI_OPERATION_NAME)
        .is_none();
    open && declares(semconv::GEN_AI_OPERATION_NAME)
        && declares(semconv::GEN_AI_REQUEST_MODEL)
        && (declares(semconv::GEN_AI_USAGE_INPUT_TOKENS)
            || declares(semconv::GEN_AI_RESPONSE_MODEL))
}
