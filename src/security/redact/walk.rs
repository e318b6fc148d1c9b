//! The walk through values: attributes, JSON, headers, events.
//!
//! Promise: every text and every key is looked at, at any depth, without recursion; what does not change is not copied.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};
use serde_json::Value as Json;

use super::keys::Names;
use super::{Known, Redactor, Report, json};
use crate::event::{Attrs, EventData, Value};
use crate::record::{FieldRef, Fields, Record};

/// Numbers of as many digits as the shortest card has.
const LONG_NUMBER: u64 = 10_000_000_000_000;

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

    /// Replaces secrets in a record, whatever outlet reads it afterwards: attributes, events, error message, and the name and
    /// body of a moment. Values of attributes that `leave` names, and the body if it says so of `""`, stay as they are.
    pub(crate) fn redact_record(
        &self,
        record: &mut Record,
        known: &mut Known,
        leave: impl Fn(&str) -> bool,
    ) -> Report {
        let mut report = Report::new();
        self.fields(&mut record.fields, known, &leave, &mut report);
        self.fields(&mut record.event_fields, known, &leave, &mut report);
        let message = record.error_message.as_deref();
        if let Some(new) = message
            .and_then(|m| self.contained(Some("error.message"), m, Names::Nothing, &mut report))
        {
            record.error_message = Some(new);
        }
        if let Some(moment) = &mut record.moment {
            if let Some(new) = self.short(known, "", &moment.name, &mut report) {
                (moment.name, moment.ty) = (new.into(), None);
            }
            if let Some(body) = moment.body.as_mut().filter(|_| !leave("")) {
                self.json(body, None, Names::Nothing, &mut report);
            }
        }
        report
    }

    /// Replaces secrets in one attribute's text.
    pub(crate) fn redact_shared(
        &self,
        name: &str,
        text: &mut Option<std::sync::Arc<str>>,
        known: &mut Known,
        report: &mut Report,
    ) {
        if let Some(new) = text
            .as_deref()
            .and_then(|text| self.short(known, name, text, report))
        {
            *text = Some(new.into());
        }
    }

    /// The text of an attribute, most often one that was seen before.
    fn short(
        &self,
        known: &mut Known,
        name: &str,
        text: &str,
        report: &mut Report,
    ) -> Option<String> {
        // A hook may say something else the next time.
        if self.0.hook.is_none() && known.has(name, text) {
            return None;
        }
        let new = self.contained(Some(name), text, self.judge(name), report);
        if new.is_none() {
            known.remember(name, text);
        }
        new
    }

    fn fields(
        &self,
        fields: &mut Fields,
        known: &mut Known,
        leave: &impl Fn(&str) -> bool,
        report: &mut Report,
    ) {
        fields.rewrite(|name, value| {
            let new = match value {
                _ if leave(name) => None,
                FieldRef::Str(text) => self.short(known, name, text, report).map(Value::from),
                FieldRef::Bool(_) | FieldRef::F64(_) => None,
                FieldRef::I64(number) => self.number(known, name, number, report).map(Value::from),
                FieldRef::Value(_) => {
                    let mut new = value.to_value();
                    let found = self.value(Some(name), &mut new, self.judge(name), report);
                    found.then_some(new)
                }
            };
            (self.name(known, name, report), new)
        });
    }

    /// A number of an attribute, most often one whose name was seen before.
    fn number(
        &self,
        known: &mut Known,
        name: &str,
        number: i64,
        report: &mut Report,
    ) -> Option<String> {
        // No text is this: it stands for all numbers too short to be anything.
        const SHORT: &str = "\u{1}";
        let size = number.unsigned_abs();
        let short = size < LONG_NUMBER && self.0.patterns.is_empty();
        if short && known.has(name, SHORT) {
            return None;
        }
        let said = self.judge(name);
        if short && said != Names::Secret {
            known.remember(name, SHORT);
        }
        self.whole_number(size, || number.to_string(), said, report)
    }

    /// The name of an attribute.
    fn name(&self, known: &mut Known, name: &str, report: &mut Report) -> Option<String> {
        if known.has(name, "") {
            return None;
        }
        let new = self.0.text(name, Names::Nothing, report);
        if new.is_none() {
            known.remember(name, "");
        }
        new
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

    /// Whether anything was replaced.
    fn value(
        &self,
        key: Option<&str>,
        value: &mut Value,
        said: Names,
        report: &mut Report,
    ) -> bool {
        let before = (report.total(), report.failed());
        let hooked = self.0.hook.is_some();
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
        // What a hook replaces is in no report.
        hooked || before != (report.total(), report.failed())
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
        let any = said == Names::Secret || size >= LONG_NUMBER || !self.0.patterns.is_empty();
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::{Limits, Moment};

    #[test]
    fn a_record_is_walked_as_a_whole_whatever_its_limits() {
        let limits = Limits::DEFAULT;
        let mut record = Record::default();
        record.fields.set_str("note", "ada@lovelace.dev", &limits);
        record
            .fields
            .set_i64("gen_ai.usage.input_tokens", 12, &limits);
        record.fields.set_str("db.password", "p", &limits);
        record
            .fields
            .set_value("list", vec!["ada@lovelace.dev", "fine"].into(), &limits);
        record
            .fields
            .set_value("of ada@lovelace.dev".to_owned(), true.into(), &limits);
        let mut event = Fields::default();
        event.set_str(
            "exception.message",
            "at postgres://ada:pa55word@db",
            &limits,
        );
        record.add_event(1, "exception", &event, &limits);
        record.error_message = Some("for 219-09-1234".to_owned());
        let mut moment = Moment::new("mail to ada@lovelace.dev");
        moment.body = Some(Box::new(json!({"api_key": "k", "n": 1})));
        record.moment = Some(moment);

        let (redactor, mut known) = (Redactor::standard(), Known::default());
        assert_eq!(
            redactor
                .redact_record(&mut record, &mut known, |_| false)
                .total(),
            8
        );
        let mail = "[REDACTED:email]";
        assert_eq!(record.fields.str("note"), Some(mail));
        assert_eq!(
            record.fields.str("db.password"),
            Some("[REDACTED:sensitive-key]")
        );
        assert_eq!(
            record.fields.get("gen_ai.usage.input_tokens"),
            Some(FieldRef::I64(12))
        );
        let list = record.fields.get("list").map(FieldRef::to_value);
        assert_eq!(list, Some(vec![mail, "fine"].into()));
        assert_eq!(
            record.fields.get("of [REDACTED:email]"),
            Some(FieldRef::Bool(true))
        );
        let event = record.event_fields.str("exception.message");
        assert_eq!(event, Some("at postgres://[REDACTED:url-credentials]@db"));
        assert_eq!(
            record.error_message.as_deref(),
            Some("for [REDACTED:us-ssn]")
        );
        let moment = record.moment.as_ref().unwrap();
        assert_eq!(moment.name, "mail to [REDACTED:email]");
        assert_eq!(
            moment.body.as_deref(),
            Some(&json!({"api_key": "[REDACTED:sensitive-key]", "n": 1}))
        );
        assert!(
            redactor
                .redact_record(&mut record, &mut known, |_| false)
                .is_clean()
        );
    }
}
