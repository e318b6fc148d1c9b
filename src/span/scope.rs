//! Attributes for everything that happens in a scope: a user, a session, a tenant.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::event::{Key, Value};
use crate::layer::scope;
use crate::record::{Around, Fields, Limits};

/// Attributes of a scope. Made by [`scope`](crate::scope()).
#[derive(Clone)]
#[must_use = "it takes effect in `in_scope` or `run`"]
pub struct Scope(Arc<Around>);

/// Puts attributes on every GenAI span, step and moment that begins within: in `in_scope`'s closure or `run`'s future, and in
/// what is spawned from spans that began there. An attribute that a span sets itself wins; an inner scope wins over an outer
/// one and leaves it as it was.
///
/// `session.id`, `gen_ai.conversation.id` and `correlation.id` given here are found again in [`Who`](crate::event::Who).
///
/// ```
/// use tracing_genai::{scope, testing::capture, tool};
///
/// let capture = capture();
/// capture.record(|| {
///     scope([("user.id", "u1"), ("session.id", "s1")]).in_scope(|| {
///         tool("search").start().complete();
///     });
/// });
/// let span = capture.span("execute_tool search");
/// assert_eq!(span.attr("user.id").and_then(|v| v.as_str()), Some("u1"));
/// ```
pub fn scope<K: Into<Key>, V: Into<Value>>(attributes: impl IntoIterator<Item = (K, V)>) -> Scope {
    let mut fields = Fields::default();
    for (name, value) in attributes {
        fields.set_value(name, value.into(), &Limits::DEFAULT);
    }
    Scope(Arc::new(Around {
        fields,
        cause: None,
    }))
}

impl Scope {
    pub(crate) fn around(around: Around) -> Self {
        Self(Arc::new(around))
    }

    pub(crate) fn inner(&self) -> &Arc<Around> {
        &self.0
    }

    /// Runs `f` in the scope.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        scope::within(&self.0, f)
    }

    /// Runs `future` in the scope, wherever it is polled.
    pub fn run<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped {
            inner: future,
            scope: Arc::clone(&self.0),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.fields.iter().map(|(name, _)| name).collect();
        f.debug_tuple("Scope").field(&names).finish()
    }
}

pin_project_lite::pin_project! {
    /// Made by [`Scope::run`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scoped<F> {
        #[pin]
        inner: F,
        scope: Arc<Around>,
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped").finish_non_exhaustive()
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        scope::within(this.scope, || this.inner.poll(cx))
    }
}
