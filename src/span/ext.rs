//! What a `tracing` span of anybody's can be told beyond its declared fields.

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use tracing::Span;

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
