//! The ordered attributes of an event.
//!
//! Promise: a key occurs once, the last write wins, and the order is that of the first write.
//! Never: interprets a key. Limits on number and size belong to whoever captures.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

use super::{Value, content};

/// The name of an attribute: borrowed when it is known at compile time.
pub type Key = Cow<'static, str>;

/// Attributes in the order they were first set; at most one value per key.
///
/// `Debug` shows the size instead of the text of attributes known to carry content (messages, tool arguments,
/// results). Lookups walk the list: at the few dozen attributes an event has, that is faster than hashing.
#[derive(Clone, PartialEq, Default)]
pub struct Attrs(Vec<(Key, Value)>);

impl Attrs {
    /// From this many incoming pairs on, duplicates are found by hashing, so that a hostile or merely huge
    /// document costs linear time. Below it the walk is faster.
    const HASH_FROM: usize = 64;

    /// No attributes, nothing allocated.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// No attributes yet, room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value)
    }

    /// Sets `key`, replacing an earlier value in its place.
    pub fn set(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((key, value)),
        }
    }

    /// Adds `key`, which is not there yet: what copies from something that holds each name once need not search.
    pub(crate) fn push_new(&mut self, key: Key, value: Value) {
        debug_assert!(!self.contains(&key), "{key} is there already");
        self.0.push((key, value));
    }

    /// Takes `key` out, keeping the order of the rest.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1)
    }

    /// Whether `key` is set.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All pairs, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + '_ {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// All pairs, in order, their values to change.
    pub(crate) fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Value)> + '_ {
        self.0.iter_mut().map(|(key, value)| (&**key, value))
    }

    /// About how many bytes they hold.
    pub(crate) fn bytes(&self) -> usize {
        fn of(value: &Value) -> usize {
            size_of::<Value>()
                + match value {
                    Value::Str(text) => text.len(),
                    Value::Array(items) => items.iter().map(of).sum(),
                    Value::Json(json) => super::data::json_bytes(json),
                    Value::Bool(_) | Value::I64(_) | Value::F64(_) => 0,
                }
        }
        self.iter().map(|(key, value)| key.len() + of(value)).sum()
    }

    fn extend_hashed(&mut self, pairs: impl Iterator<Item = (Key, Value)>) {
        let mut places: HashMap<Key, usize> = self
            .0
            .iter()
            .enumerate()
            .map(|(at, (key, _))| (key.clone(), at))
            .collect();
        for (key, value) in pairs {
            match places.get(&key) {
                Some(&at) => self.0[at].1 = value,
                None => {
                    places.insert(key.clone(), self.0.len());
                    self.0.push((key, value));
                }
            }
        }
    }
}

impl<K: Into<Key>, V: Into<Value>> Extend<(K, V)> for Attrs {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        let mut pairs = pairs.into_iter();
        while self.0.len() < Self::HASH_FROM {
            let Some((key, value)) = pairs.next() else {
                return;
            };
            self.set(key, value);
        }
        let mut rest = pairs
            .map(|(key, value)| (key.into(), value.into()))
            .peekable();
        if rest.peek().is_some() {
            self.extend_hashed(rest);
        }
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Attrs {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut attrs = Self::new();
        attrs.extend(pairs);
        attrs
    }
}

impl IntoIterator for Attrs {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Attrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter() {
            if content::CONTENT.contains(&key) {
                map.entry(&key, &format_args!("<{} bytes>", value.to_string().len()));
            } else {
                map.entry(&key, value);
            }
        }
        map.finish()
    }
}

impl Serialize for Attrs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Attrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Attrs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attrs, A::Error> {
                let mut pairs: Vec<(String, Value)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_write_wins_in_the_place_of_the_first() {
        let mut attrs = Attrs::new();
        attrs.set("a", 1);
        attrs.set("b", 2);
        attrs.set("a", "three");
        assert_eq!(
            attrs.iter().collect::<Vec<_>>(),
            [("a", &Value::from("three")), ("b", &Value::from(2))]
        );
        assert_eq!(attrs.remove("a"), Some("three".into()));
        assert_eq!(attrs.len(), 1);
    }

    #[test]
    fn long_lists_keep_the_same_rule() {
        let pairs = (0..300).map(|n| (format!("k{}", n % 150), n));
        let attrs: Attrs = pairs.collect();
        assert_eq!(attrs.len(), 150);
        assert_eq!(attrs.get("k7"), Some(&Value::from(157)));
        assert_eq!(attrs.iter().nth(149).map(|(key, _)| key), Some("k149"));
    }
}
