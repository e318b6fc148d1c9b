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
