//! What a span hands to its ancestors, and what becomes of it on the way.
//!
//! Promise: the way past several ended spans is itself one [`Way`], so a long one can be shortened once and for all.

use super::Totals;

/// What an ended span is to the model calls around and inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// A model call. Those inside it are part of it, see [`Totals::around`].
    ModelCall,
    /// An agent, a tool, a workflow: model calls inside it are its own doing, whatever it was called from.
    Scope,
    /// Anything else, such as a step or an HTTP request: model calls inside it belong to what is around it.
    Plain,
}

/// What ended below a span: `inner` would be part of a model call around it, `apart` would not.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    pub(super) inner: Totals,
    pub(super) apart: Totals,
}

impl Load {
    pub(super) fn is_none(&self) -> bool {
        self.inner.is_none() && self.apart.is_none()
    }

    pub(super) fn add(&mut self, other: &Self) -> bool {
        // Both, whatever the first says.
        self.inner.add(&other.inner) & self.apart.add(&other.apart)
    }

    pub(super) fn whole(&self) -> (Totals, bool) {
        let mut whole = self.inner;
        let fits = whole.add(&self.apart);
        (whole, fits)
    }

    /// What is left of a load that ended late, after it went `way`.
    pub(super) fn past(mut self, way: Way) -> (Self, bool) {
        if way.calls_counted {
            self.inner.calls = 0;
        }
        if way.tokens_counted {
            let tools = (self.inner.tool_calls, self.inner.tool_errors);
            self.inner = Totals {
                tool_calls: tools.0,
                tool_errors: tools.1,
                ..Totals::NONE
            };
        }
        if !way.apart {
            return (self, true);
        }
        let (apart, fits) = self.whole();
        (
            Self {
                inner: Totals::NONE,
                apart,
            },
            fits,
        )
    }
}

/// What happens to the `inner` part of a load that passes ended spans.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way {
    /// A model call was passed, so the calls are part of one that has been counted.
    pub(super) calls_counted: bool,
    /// A model call with tokens of its own was passed, so tokens and cost have been counted too.
    pub(super) tokens_counted: bool,
    /// A scope was passed, and what is left is its own doing.
    pub(super) apart: bool,
}

impl Way {
    /// Past the span that an ended `role` leaves behind.
    pub(super) fn past(role: Role, reports_tokens: bool) -> Self {
        let model_call = role == Role::ModelCall;
        Self {
            calls_counted: model_call,
            tokens_counted: model_call && reports_tokens,
            apart: role == Role::Scope,
        }
    }

    /// This way, then that one further up. Past a scope nothing is `inner` any more, so nothing else happens to it.
    pub(super) fn then(self, further: Self) -> Self {
        if self.apart {
            return self;
        }
        Self {
            calls_counted: self.calls_counted || further.calls_counted,
            tokens_counted: self.tokens_counted || further.tokens_counted,
            apart: further.apart,
        }
    }
}
