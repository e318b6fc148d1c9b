//! Attributes in the making: finds out in constant time whether a name is taken, so that a document of a million fields is
//! read in linear time.
//!
//! Promise: a value that is set stays; nothing is overwritten.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::event::{Attrs, Key, Value};

#[derive(Default)]
pub(super) struct Pairs {
    list: Vec<(Key, Value)>,
    places: HashMap<Key, usize>,
}

impl Pairs {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let place = *self.places.get(name)?;
        self.list.get(place).map(|(_, value)| value)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = *self.places.get(name)?;
        self.list.get_mut(place).map(|(_, value)| value)
    }

    /// Sets `name`; false if another value is there.
    pub(super) fn put(&mut self, name: Key, value: Value) -> bool {
        if let Some(there) = self.get(&name) {
            return *there == value;
        }
        self.places.insert(name.clone(), self.list.len());
        self.list.push((name, value));
        true
    }

    /// Sets `name`; gives the value back if another one is there.
    pub(super) fn put_json(&mut self, name: Key, json: Json) -> Option<Json> {
        match self.get(&name) {
            Some(there) => (there.to_json() != json).then_some(json),
            None => {
                self.put(name, json.into());
                None
            }
        }
    }

    /// Sets a field of the object under `name`; false if there is something else than an object, or another value.
    pub(super) fn put_into(&mut self, name: &'static str, field: &str, json: &Json) -> bool {
        match self.get_mut(name) {
            Some(Value::Json(Json::Object(object))) => {
                object.entry(field).or_insert_with(|| json.clone()) == json
            }
            Some(_) => false,
            None => {
                let object = Map::from_iter([(field.to_owned(), json.clone())]);
                self.put(name.into(), Value::Json(Json::Object(object)))
            }
        }
    }

    /// Adds to the list under `name`.
    pub(super) fn append(&mut self, name: &'static str, texts: Vec<String>) {
        match self.get_mut(name) {
            Some(Value::Array(list)) => list.extend(texts.into_iter().map(Value::from)),
            _ => {
                self.put(name.into(), texts.into());
            }
        }
    }

    /// Sets `field`, or the first free name like it.
    pub(super) fn keep(&mut self, field: &str, value: Value) {
        let mut name = field.to_owned();
        if self.get(&name).is_some_and(|there| *there != value) {
            name.insert_str(0, "source.");
        }
        while self.get(&name).is_some_and(|there| *there != value) {
            name.push('_');
        }
        self.put(name.into(), value);
    }

    pub(super) fn into_attrs(self) -> Attrs {
        self.list.into_iter().collect()
    }
}
