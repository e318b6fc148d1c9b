//! The walk through values: attributes, JSON, headers, events.
//!
//! Promise: every text and every key is looked at, at any depth, without recursion; what does not change is not copied.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};
use serde_json::Value as Json;

use super::keys::Names;
use super::{Redactor, Report, json};
use crate::event::{Attrs, EventData, Value};

impl Redactor {
    /// Replaces secrets in a JSON value, its keys included. Values under a key that names a secret are replaced as a whole;
    /// booleans and nulls stay.
    pub fn redact_json(&self, value: &mut Json) -> Report {
        let mut report = Report::new();
        self.json(value, None, Names::Nothing, &mut report);
        report
    }

    /// Replaces secrets in the value of an attribute.
    pub fn redact_value(&self, value: &mut Value) -> Report {
        let mut report = Report::new();
        self.value(None, value, Names::Nothing, &mut report);
        report
    }

    /// Replaces secrets in attributes, their names included.
    ///
    /// ```
    /// use tracing_genai::event::Attrs;
    /// use tracing_genai::security::redact::Redactor;
    ///
    /// let mut attrs: Attrs = [("db.password", "pa55"), ("gen_ai.request.model", "gpt-4o")].into_iter().collect();
    /// let report = Redactor::standard().redact_attrs(&mut attrs);
    /// assert_eq!(attrs.get("db.password").and_then(|v| v.as_str()), Some("[REDACTED:sensitive-key]"));
    /// assert_eq!(report.total(), 1);
    /// ```
    pub fn redact_attrs(&self, attrs: &mut Attrs) -> Report {
        let mut report = Report::new();
        self.attrs(attrs, &mut report);
        report
    }

    /// Replaces secrets in headers: `authorization`, `cookie`, `x-api-key` and their kin as a whole, others by what they hold.
    /// A value that is not UTF-8 is looked at as what it is in Latin-1.
    pub fn redact_headers(&self, headers: &mut HeaderMap) -> Report {
        let mut report = Report::new();
        for (name, value) in headers.iter_mut() {
            let text = match std::str::from_utf8(value.as_bytes()) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(value.as_bytes().iter().map(|b| char::from(*b)).collect()),
            };
            if let Some(new) = self.contained(
                Some(name.as_str()),
                &text,
                self.judge(name.as_str()),
                &mut report,
            ) {
                // A hook may return what no header can be.
                *value = HeaderValue::from_str(&new)
                    .unwrap_or(HeaderValue::from_static(super::marker::PLAIN));
            }
        }
        report
    }

    /// Replaces secrets in an event: its name, attributes, body and error.
    pub fn redact_event(&self, event: &mut EventData) -> Report {
        let mut report = Report::new();
        if let Some(new) = self.contained(None, &event.name, Names::Nothing, &mut report) {
            event.name = new.into();
        }
        self.attrs(&mut event.attrs, &mut report);
        if let Some(body) = &mut event.body {
            self.json(&mut body.0, None, Names::Nothing, &mut report);
        }
        if let Some(message) = event
            .error
            .as_mut()
            .and_then(|error| error.message.as_mut())
            && let Some(new) =
                self.contained(Some("error.message"), message, Names::Nothing, &mut report)
        {
            *message = new.into();
        }
        report
    }

    fn attrs(&self, attrs: &mut Attrs, report: &mut Report) {
        if attrs.iter().any(|(key, _)| {
            self.0
                .text(key, Names::Nothing, &mut Report::new())
                .is_some()
        }) {
            let renamed = std::mem::take(attrs).into_iter().map(|(key, value)| {
                let new = self.0.text(&key, Names::Nothing, report);
                (new.map_or(key, Cow::Owned), value)
            });
            let renamed: Vec<_> = renamed.collect();
            for (key, value) in renamed {
                attrs.set(free(key.into_owned(), |key| attrs.contains(key)), value);
            }
        }
        for (key, value) in attrs.iter_mut() {
            let said = self.judge(key);
            self.value(Some(key), value, said, report);
        }
    }

    fn value(&self, key: Option<&str>, value: &mut Value, said: Names, report: &mut Report) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::Str(text) => {
                    if let Some(new) = self.contained(key, text, said, report) {
                        *value = new.into();
                    }
                }
                Value::I64(number) => {
                    if let Some(new) = self.whole_number(
                        number.unsigned_abs(),
                        || number.to_string(),
                        said,
                        report,
                    ) {
                        *value = new.into();
                    }
                }
                Value::Array(items) => open.extend(items.iter_mut()),
                Value::Json(json) => self.json(json, key, said, report),
                Value::Bool(_) | Value::F64(_) => {}
            }
        }
    }

    fn json(&self, root: &mut Json, key: Option<&str>, said: Names, report: &mut Report) {
        let mut open = vec![(root, key, said)];
        while let Some((value, key, said)) = open.pop() {
            match value {
                Json::String(text) => {
                    if let Some(new) = self.contained(key, text, said, report) {
                        *text = new;
                    }
                }
                Json::Number(number) => {
                    let size = number
                        .as_i64()
                        .map(i64::unsigned_abs)
                        .or_else(|| number.as_u64());
                    if let Some(new) = size.and_then(|size| {
                        self.whole_number(size, || number.to_string(), said, report)
                    }) {
                        *value = Json::String(new);
                    }
                }
                Json::Array(items) => open.extend(items.iter_mut().map(|item| (item, key, said))),
                Json::Object(map) => {
                    self.keys(map, report);
                    let is_schema = map
                        .keys()
                        .next()
                        .is_some_and(|first| json::SCHEMA.contains(&first.as_str()));
                    let under = if is_schema { Names::Nothing } else { said };
                    let named = json::NAMES
                        .iter()
                        .filter_map(|name| map.get(*name)?.as_str())
                        .map(|name| self.judge(name))
                        .max()
                        .unwrap_or(Names::Nothing);
                    open.extend(map.iter_mut().map(|(key, value)| {
                        let by_name = if json::VALUES.contains(&key.as_str()) {
                            named
                        } else {
                            Names::Nothing
                        };
                        let said = self.judge(key).max(under).max(by_name);
                        (value, Some(key.as_str()), said)
                    }));
                }
                Json::Null | Json::Bool(_) => {}
            }
        }
    }

    /// Numbers a rule has something to say about: secrets by their key, cards, and what patterns of the user's find.
    fn whole_number(
        &self,
        size: u64,
        text: impl FnOnce() -> String,
        said: Names,
        report: &mut Report,
    ) -> Option<String> {
        let any =
            said == Names::Secret || size >= 10_000_000_000_000 || !self.0.patterns.is_empty();
        any.then(|| self.0.number(&text(), said, report)).flatten()
    }

    /// Replaces secrets in the keys of an object.
    fn keys(&self, map: &mut serde_json::Map<String, Json>, report: &mut Report) {
        if map.keys().all(|key| {
            self.0
                .text(key, Names::Nothing, &mut Report::new())
                .is_none()
        }) {
            return;
        }
        for (key, value) in std::mem::take(map) {
            let new = self.0.text(&key, Names::Nothing, report).unwrap_or(key);
            map.insert(free(new, |key| map.contains_key(key)), value);
        }
    }
}

/// A key that is not taken: two that were replaced alike stay two.
fn free(key: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&key) {
        return key;
    }
    let mut number = 2u64;
    loop {
        let next = format!("{key} ({number})");
        if !taken(&next) {
            return next;
        }
        number += 1;
    }
}
