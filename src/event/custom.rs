//! Placeholder.
use super::{Attrs, Channel, Level};
/// Placeholder.
pub trait CustomEvent {
    /// Placeholder.
    const TYPE: &'static str;
    /// Placeholder.
    fn channel(&self) -> Channel;
    /// Placeholder.
    fn level(&self) -> Level;
    /// Placeholder.
    fn into_attrs(self) -> Attrs;
}
