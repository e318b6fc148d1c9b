//! What a `tracing` span of anybody's can be told beyond its declared fields.

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use tracing::Span;
#[cfg(feature = "mcp")]
use tracing_subscriber::registry::LookupSpan as _;

use crate::event::{Key, Value};
use crate::layer::GenAiLayer;
use crate::layer::starting::Opened;

/// Why a parent could not be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetParentError {
    /// No layer of ours sees the span: it is disabled, a filter hides it, or no layer is installed.
    #[error("no tracing-genai layer sees this span")]
    NotSeen,
    /// The span's identity is fixed: it has been entered, has a child, or its context was read. Set the parent before.
    #[error("the span's identity is already fixed; set the parent before it is entered")]
    Fixed,
}

/// Parent, context, links and undeclared attributes for every [`tracing::Span`].
///
/// ```
/// use tracing_genai::SpanExt as _;
///
/// #[tracing::instrument(fields(gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "search"))]
/// fn search(query: &str) {
///     tracing::Span::current().set_attribute("search.hits", 3);
/// }
/// ```
pub trait SpanExt {
    /// Places the span below a span of another process, whose baggage travels on with it. A context without a span leaves
    /// the parent as it is.
    ///
    /// # Errors
    /// If no layer sees the span, or its identity is already fixed.
    fn set_parent(&self, context: &Context) -> Result<(), SetParentError>;

    /// The span's OpenTelemetry context, which fixes its identity. If no layer sees the span: the current context.
    fn context(&self) -> Context;

    /// Sets an attribute whether or not the call site declares a field of that name.
    fn set_attribute(&self, name: impl Into<Key>, value: impl Into<Value>);

    /// Links another span.
    fn add_link(&self, span: SpanContext);
}

/// The span in the eyes of the installation whose layer its subscriber has.
pub(crate) fn opened(span: &Span) -> Option<Opened> {
    span.with_subscriber(|(id, dispatch)| {
        let layer = dispatch.downcast_ref::<GenAiLayer>()?;
        let (instance, state) = (layer.instance().clone(), layer.state(id)?);
        Some(Opened { instance, state })
    })?
}

/// The span and what lies around it, the innermost first, in the eyes of the same installation, until `ask` answers.
#[cfg(feature = "mcp")]
pub(crate) fn search<R>(
    span: &Span,
    mut ask: impl FnMut(Opened) -> std::ops::ControlFlow<R>,
) -> Option<R> {
    span.with_subscriber(|(id, dispatch)| {
        let layer = dispatch.downcast_ref::<GenAiLayer>()?;
        let registry = dispatch.downcast_ref::<tracing_subscriber::Registry>()?;
        let mut around = registry.span(id)?.scope();
        let answer = around.try_for_each(|span| match layer.state(&span.id()) {
            Some(state) => ask(Opened {
                instance: layer.instance().clone(),
                state,
            }),
            None => std::ops::ControlFlow::Continue(()),
        });
        answer.break_value()
    })?
}

/// Whether `outer` is `inner` or lies around it.
#[cfg(feature = "mcp")]
pub(crate) fn is_around(outer: &Span, inner: &Span) -> bool {
    let found = inner.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<tracing_subscriber::Registry>()?;
        let outer = outer.id()?;
        Some(registry.span(id)?.scope().any(|span| span.id() == outer))
    });
    found.flatten().unwrap_or_default()
}

impl SpanExt for Span {
    fn set_parent(&self, context: &Context) -> Result<(), SetParentError> {
        let opened = opened(self).ok_or(SetParentError::NotSeen)?;
        let set = opened.instance.set_parent(&opened.state, context);
        set.then_some(()).ok_or(SetParentError::Fixed)
    }

    fn context(&self) -> Context {
        opened(self).map_or_else(Context::current, |o| o.instance.context(&o.state))
    }

    fn set_attribute(&self, name: impl Into<Key>, value: impl Into<Value>) {
        if let Some(opened) = opened(self) {
            opened.instance.set(&opened.state, name, value.into());
        }
    }

    fn add_link(&self, span: SpanContext) {
        if let Some(opened) = opened(self) {
            opened.instance.add_link(&opened.state, span);
        }
    }
}
