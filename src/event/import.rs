//! Placeholder.
use super::{EventData, EventType, Value, alias};
pub(crate) fn read_named(
    name: &str,
    data: serde_json::Map<String, serde_json::Value>,
) -> EventData {
    let ty = alias::resolve(name).map_or_else(|| EventType::from_lossy(name), |k| k.ty);
    let mut event = EventData::new(ty, std::time::SystemTime::UNIX_EPOCH);
    for (k, v) in data {
        event.attrs.set(k, Value::from(v));
    }
    event
}
/// Placeholder.
#[derive(Debug, thiserror::Error)]
#[error("placeholder")]
pub struct ImportError;
/// Placeholder.
pub fn import(_: super::Dialect, _: &serde_json::Value) -> Result<Vec<EventData>, ImportError> {
    Err(ImportError)
}
