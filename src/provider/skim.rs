//! JSON objects without the members nobody will look at.
//!
//! Promise: what is left out is passed over, not built: a conversation of a megabyte, or thousands of embedding vectors, cost
//! neither an allocation nor a copy.
//! Never: accepts what is no JSON.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value as Json};

/// Parses `text`; if it is an object, without its members called one of `left_out`.
pub(super) fn parse(text: &[u8], left_out: &[&str]) -> serde_json::Result<Json> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        return serde_json::from_slice(text);
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let object = Object(left_out).deserialize(&mut json)?;
    json.end()?;
    Ok(Json::Object(object))
}

struct Object<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Map<String, Json>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Map<String, Json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if self.0.contains(&name.as_str()) {
                members.next_value::<IgnoredAny>()?;
            } else {
                object.insert(name, members.next_value()?);
            }
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_members_of_the_object_itself_are_left_out() {
        let text =
            br#" {"model":"m","messages":[{"a":1}],"options":{"messages":2},"stream":true} "#;
        assert_eq!(
            parse(text, &["messages"]).unwrap(),
            json!({"model": "m", "options": {"messages": 2}, "stream": true})
        );
        assert_eq!(parse(b"[1]", &["messages"]).unwrap(), json!([1]));
    }

    #[test]
    fn what_is_no_json_is_an_error_also_where_nobody_looks() {
        for text in [
            "",
            "{",
            r#"{"messages":[}"#,
            r#"{"messages":1} x"#,
            r#"{"messages":1}{}"#,
        ] {
            assert!(parse(text.as_bytes(), &["messages"]).is_err(), "{text}");
        }
    }
}
