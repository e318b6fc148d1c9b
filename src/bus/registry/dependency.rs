//! Which handlers come after which, as declared, and what can be wrong with it.

use std::fmt;

use crate::bus::{Bus, HandlerId};
use crate::console::escape;

/// Says that a handler that is registered comes after others; for [`Bus::depend`].
///
/// ```
/// use tracing_genai::bus::{Bus, CircularDependencyError, Depends, HandlerId, Listener};
///
/// let bus = Bus::new();
/// bus.register(Listener::new("handler_a", |_| {}))?;
/// bus.register(Listener::new("handler_b", |_| {}))?;
///
/// // B depends on A.
/// bus.depend(Depends {
///     handler: HandlerId::new("handler_b"),
///     depends_on: vec![HandlerId::new("handler_a")],
/// })?;
///
/// // Then A cannot depend on B.
/// let circle = bus.depend(Depends {
///     handler: HandlerId::new("handler_a"),
///     depends_on: vec![HandlerId::new("handler_b")],
/// });
/// assert!(matches!(circle, Err(CircularDependencyError::Circular(names)) if names.len() == 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depends {
    /// The handler that comes after; all handlers of a name, if it is one.
    pub handler: HandlerId,
    /// Those it comes after, whether or not they succeed.
    pub depends_on: Vec<HandlerId>,
}

/// One handler that another one comes after.
#[derive(Debug, Clone)]
pub(in crate::bus) struct After {
    pub(in crate::bus) other: HandlerId,
    pub(in crate::bus) only_if_ok: bool,
}

/// Why handlers could not be put in order. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DependencyError {
    /// Each of these handlers comes after the next, and the last after the first. One name is a handler that comes after
    /// itself.
    Circular(Vec<String>),
    /// A handler comes after one that there is not.
    Unresolved {
        /// The handler.
        handler: String,
        /// The name of the one it comes after.
        missing: String,
    },
    /// There is no handler of this name to come after others.
    Unknown(String),
}

/// The name under which crewAI knows [`DependencyError`].
pub type CircularDependencyError = DependencyError;

/// Names of a circle that are shown: the whole of any that people make by hand.
const SHOWN: usize = 8;

impl fmt::Display for DependencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circular(names) => {
                f.write_str("handlers come after each other in a circle: ")?;
                for name in names.iter().take(SHOWN) {
                    write!(f, "{} after ", escape(name))?;
                }
                if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                    write!(f, "{more} more after ")?;
                }
                f.write_str(&escape(names.first().map_or("itself", String::as_str)))
            }
            Self::Unresolved { handler, missing } => write!(
                f,
                "handler {} comes after {}, which is not registered",
                escape(handler),
                escape(missing)
            ),
            Self::Unknown(name) => write!(f, "no handler is called {}", escape(name)),
        }
    }
}

impl std::error::Error for DependencyError {}

impl Bus {
    /// Makes handlers that are registered depend on others that are, from the next event on.
    ///
    /// # Errors
    /// When one of them is not there, or they would come after each other in a circle; nothing is changed then.
    pub fn depend(&self, depends: Depends) -> Result<(), DependencyError> {
        self.inner.depend(&depends)
    }

    /// Whether every handler's dependencies are there and in an order.
    ///
    /// A circle cannot come about, because whatever would close it is refused. But removing a handler leaves those that
    /// come after it without it: they are called as if they did not depend on it, and this says so.
    ///
    /// # Errors
    /// [`DependencyError::Unresolved`] for the first handler that depends on one that was removed.
    pub fn validate_dependencies(&self) -> Result<(), DependencyError> {
        self.inner.registry().visible().check(0)
    }
}
