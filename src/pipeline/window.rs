//! The window in which identical events count as one.
//!
//! Promise: bounded; two events are identical when type, place, channel, level, attributes and content are, whatever their
//! ids and times. Never: takes two different events for one, but for a collision of a 64-bit keyed hash.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::event::{EventData, Value};

/// The last `size` events, as hashes.
#[derive(Debug)]
pub(crate) struct Window {
    size: usize,
    hasher: RandomState,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            hasher: RandomState::new(),
            seen: HashSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether an identical event is in the window; it is afterwards.
    pub(crate) fn repeats(&mut self, event: &EventData) -> bool {
        let hash = self.hash(event);
        if !self.seen.insert(hash) {
            return true;
        }
        self.order.push_back(hash);
        if self.order.len() > self.size
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        false
    }

    fn hash(&self, event: &EventData) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        event.ty.hash(&mut hasher);
        event.flavor.hash(&mut hasher);
        event.channel.hash(&mut hasher);
        event.level.hash(&mut hasher);
        (event.cx.trace, event.cx.span).hash(&mut hasher);
        for (name, value) in event.attrs.iter() {
            name.hash(&mut hasher);
            hash_value(value, &mut hasher);
        }
        if let Some(body) = &event.body {
            body.0.hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn hash_value(value: &Value, hasher: &mut impl Hasher) {
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Bool(flag) => flag.hash(hasher),
        Value::I64(number) => number.hash(hasher),
        Value::F64(number) => number.to_bits().hash(hasher),
        Value::Str(text) => text.hash(hasher),
        Value::Array(items) => {
            items.len().hash(hasher);
            items.iter().for_each(|item| hash_value(item, hasher));
        }
        Value::Json(json) => json.hash(hasher),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::event::EventType;

    #[test]
    fn identical_events_repeat_within_the_window_only() {
        let event = |number: i64| {
            let mut event = EventData::new(EventType::from_lossy("a.b"), SystemTime::now());
            event.attrs.set("n", number);
            event
        };
        let mut window = Window::new(2);
        assert!(!window.repeats(&event(1)));
        assert!(window.repeats(&event(1)));
        assert!(!window.repeats(&event(2)));
        assert!(window.repeats(&event(1)));
        assert!(!window.repeats(&event(3)), "the first leaves the window");
        assert!(!window.repeats(&event(1)));
        let mut with_body = event(1);
        with_body.body = Some("text".into());
        assert!(!window.repeats(&with_body));
    }
}
