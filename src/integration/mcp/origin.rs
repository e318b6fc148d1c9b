//! Where a call is made: the span it is made in, and the span of a tool that it is the work of.

use std::ops::ControlFlow;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;

use super::is_connection;
use super::message::{Message, Target};
use super::observed::{self, Observed};
use crate::event::{Subject, Value};
use crate::layer::entered;
use crate::layer::starting::Opened;
use crate::semconv;
use crate::span::opened;

/// Taken when a call is made: its future may be polled anywhere.
#[derive(Debug)]
pub(super) struct Origin {
    span: Span,
    /// The context around the call, which names the span, or one that OpenTelemetry's own interface made inside it.
    context: Context,
    /// Whether `context` is not of `span`.
    foreign: bool,
    tool: Option<Opened>,
}

impl Origin {
    pub(super) fn of(message: &Message<'_>) -> Self {
        let span = Span::current();
        if is_connection(&span) {
            // A handler calls back, outside any span of its own. The connection is nobody's parent.
            return Self {
                span: Span::none(),
                context: Context::new(),
                foreign: false,
                tool: None,
            };
        }
        let seen = opened(&span);
        let current = Context::current();
        let around = current.span().span_context().clone();
        let own = seen.as_ref().map(|o| o.instance.identity(&o.state));
        let foreign =
            around.is_valid() && own.is_none_or(|own| own.context().span_id() != around.span_id());
        let context = match &seen {
            Some(o) if !around.is_valid() => o.instance.context(&o.state),
            _ => current,
        };
        let tool = match message.target {
            Target::Tool { name, .. } => seen.and_then(|o| open_tool(o, name)),
            _ => None,
        };
        Self {
            span,
            context,
            foreign,
            tool,
        }
    }

    /// The span that tells of `message`: the tool's, if the call is its work, or a new one.
    pub(super) fn open(
        &self,
        message: &Message<'_>,
        known: Vec<(&'static str, Value)>,
    ) -> Observed {
        if let Some(span) = &self.tool
            && !span.state.is_ended()
        {
            let method = (
                semconv::MCP_METHOD_NAME,
                Value::from(message.method.as_ref()),
            );
            for (name, value) in known.into_iter().chain([method]) {
                span.instance.set(&span.state, name, value);
            }
            return Observed::Tool(span.clone());
        }
        let mut starter = observed::starter(message).parent(&self.span);
        for (name, value) in known {
            starter = starter.attr(name, value);
        }
        if self.foreign {
            starter = starter.remote_parent(&self.context);
        }
        Observed::Own(starter.start())
    }

    /// What travels to the peer; nothing where nobody sees the span.
    pub(super) fn outgoing(&self, span: &Observed) -> Option<Context> {
        let context = match span {
            // What else is in the caller's context, baggage for one, travels along.
            Observed::Own(span) => self.context.with_remote_span_context(span.span_context()),
            Observed::Tool(_) => self.context.clone(),
        };
        let seen = context.span().span_context().is_valid();
        seen.then_some(context)
    }
}

/// The open span of the tool `name` that this thread is in. Steps inside it are part of the tool's work; an agent, a model call
/// or another tool is work of its own.
fn open_tool(here: Opened, name: &str) -> Option<Opened> {
    let found = entered::search(here.instance.number, |state| {
        let inner = state.lock();
        match inner.record.subject {
            None | Some(Subject::STEP) => ControlFlow::Continue(()),
            Some(Subject::TOOL_CALL)
                if inner.record.fields.str(semconv::GEN_AI_TOOL_NAME) == Some(name) =>
            {
                ControlFlow::Break(Some(state.clone()))
            }
            Some(_) => ControlFlow::Break(None),
        }
    });
    let state = found.flatten()?;
    Some(Opened {
        instance: here.instance,
        state,
    })
}
