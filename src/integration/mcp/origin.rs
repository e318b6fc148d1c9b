//! Where a call is made: the span it is made in, and the span of a tool that it is the work of.
//!
//! A future may be polled elsewhere than it was made: handed to a task without a span, collected and awaited further out, or
//! wrapped in a span (`.instrument(span)`, `tool("search").run(..)`) after it was made. The nearer of the two places counts.

use std::ops::ControlFlow;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::TraceContextExt as _;
use tracing::Span;

use super::is_connection;
use super::message::{Message, Target};
use super::observed::{self, Observed};
use crate::event::{Subject, Value};
use crate::layer::starting::Opened;
use crate::semconv;
use crate::span::{is_around, opened, search};

/// A place in the code, as traces see it.
#[derive(Debug)]
pub(super) struct Origin {
    span: Span,
    /// The OpenTelemetry context there, which has the span, or one that was made inside it by OpenTelemetry's own interface.
    context: Context,
}

impl Origin {
    /// Where this thread is.
    pub(super) fn here() -> Self {
        let span = Span::current();
        if is_connection(&span) {
            // A handler calls back, outside any span of its own. The connection is nobody's parent.
            return Self {
                span: Span::none(),
                context: Context::new(),
            };
        }
        Self {
            span,
            context: Context::current(),
        }
    }

    /// Where the call belongs that was made at this place and begins where this thread is now.
    pub(super) fn or_nearer(self) -> Self {
        let now = Self::here();
        if now.is_nowhere() || is_around(&now.span, &self.span) {
            self
        } else {
            now
        }
    }

    fn is_nowhere(&self) -> bool {
        self.span.is_none() && !self.context.has_active_span() && self.context.baggage().is_empty()
    }

    /// The span that tells of `message`: the tool's, if the call is its work, or a new one.
    pub(super) fn open(
        &self,
        message: &Message<'_>,
        known: Vec<(&'static str, Value)>,
    ) -> Observed {
        if let Target::Tool { name, .. } = message.target
            && let Some(span) = self.open_tool(name)
        {
            let method = Value::from(message.method.as_ref());
            let method = (semconv::MCP_METHOD_NAME, method);
            for (name, value) in known.into_iter().chain([method]) {
                span.instance.set(&span.state, name, value);
            }
            return Observed::Tool(span);
        }
        let mut starter = observed::starter(message).parent(&self.span);
        for (name, value) in known {
            starter = starter.attr(name, value);
        }
        if self.is_foreign() {
            starter = starter.remote_parent(&self.context);
        }
        Observed::Own(starter.start())
    }

    /// What travels to the peer; nothing where nobody sees the span.
    pub(super) fn outgoing(&self, span: &Observed) -> Option<Context> {
        let context = match span {
            // What else is in the caller's context, baggage for one, travels along.
            Observed::Own(span) => self.context.with_remote_span_context(span.span_context()),
            Observed::Tool(_) if self.context.span().span_context().is_valid() => {
                self.context.clone()
            }
            // Contexts are not activated here.
            Observed::Tool(_) => {
                let o = opened(&self.span)?;
                o.instance.context(&o.state)
            }
        };
        let seen = context.span().span_context().is_valid();
        seen.then_some(context)
    }

    /// Whether the context's span is another than the one `tracing` has for current.
    fn is_foreign(&self) -> bool {
        let around = self.context.span().span_context().span_id();
        let ours = opened(&self.span).map(|o| o.instance.identity(&o.state).context().span_id());
        self.context.has_active_span() && ours != Some(around)
    }

    /// The open span of the tool `name` around this place. Steps inside it are part of the tool's work; an agent, a model call
    /// or another tool is work of its own.
    fn open_tool(&self, name: &str) -> Option<Opened> {
        let found = search(&self.span, |o| {
            let inner = o.state.lock();
            let same = inner.record.fields.str(semconv::GEN_AI_TOOL_NAME) == Some(name);
            let answer = match inner.record.subject {
                None | Some(Subject::STEP) => return ControlFlow::Continue(()),
                Some(Subject::TOOL_CALL) if same && !inner.ended => true,
                Some(_) => false,
            };
            drop(inner);
            ControlFlow::Break(answer.then_some(o))
        });
        found.flatten()
    }
}
