//! Values in whatever form they came, in the form the conventions have.
//!
//! Promise: a value that cannot be what it is told to be is [`Read::Bad`], never a guess.

use serde_json::Value as Json;

use super::table::Rule;
use super::unquoted;
use crate::event::Value;
use crate::record::FieldRef;

/// A value, read by a rule.
#[derive(Debug, PartialEq)]
pub(crate) enum Read {
    /// It has the right form.
    Same,
    As(Value),
    /// It says nothing worth an attribute.
    Nothing,
    /// It cannot be what the attribute is.
    Bad,
}

/// Reads `value` by `rule`; rules that are about the whole span read as [`Read::Same`].
pub(crate) fn read(rule: Rule, value: FieldRef<'_>) -> Read {
    match rule {
        Rule::Text => text(value),
        Rule::Count => match value {
            FieldRef::I64(0..) => Read::Same,
            other => or_bad(
                other
                    .as_count()
                    .and_then(|n| i64::try_from(n).ok())
                    .map(Value::I64),
            ),
        },
        Rule::Int => match value {
            FieldRef::I64(_) => Read::Same,
            FieldRef::Str(text) => or_bad(text.trim().parse().ok().map(Value::I64)),
            other => or_bad(
                other
                    .as_count()
                    .and_then(|n| i64::try_from(n).ok())
                    .map(Value::I64),
            ),
        },
        Rule::Number => match value {
            FieldRef::F64(_) => Read::Same,
            other => or_bad(other.as_number().map(Value::F64)),
        },
        Rule::Flag => match value {
            FieldRef::Bool(true) => Read::Same,
            other => match truth(other) {
                Some(true) => Read::As(Value::Bool(true)),
                Some(false) => Read::Nothing,
                None => Read::Bad,
            },
        },
        Rule::List => list(value, false),
        Rule::Words => list(value, true),
        Rule::Message(role) => message(value, role),
        Rule::Any
        | Rule::Parameters
        | Rule::Usage
        | Rule::Costs
        | Rule::ErrorText
        | Rule::ErrorFlag
        | Rule::Outcome
        | Rule::StatusText
        | Rule::Kind
        | Rule::Gone
        | Rule::Url
        | Rule::Query => Read::Same,
    }
}

fn or_bad(value: Option<Value>) -> Read {
    value.map_or(Read::Bad, Read::As)
}

fn text(value: FieldRef<'_>) -> Read {
    match value {
        FieldRef::Str(text) => match unquoted(text) {
            bare if bare.len() == text.len() => Read::Same,
            bare => Read::As(Value::from(bare)),
        },
        FieldRef::I64(number) => Read::As(Value::from(number.to_string())),
        FieldRef::F64(number) => Read::As(Value::from(number.to_string())),
        FieldRef::Bool(flag) => Read::As(Value::from(flag.to_string())),
        FieldRef::Value(Value::Str(_)) => Read::Same,
        FieldRef::Value(other) => Read::As(Value::from(other.to_string())),
    }
}

/// What a value says about yes and no.
pub(crate) fn truth(value: FieldRef<'_>) -> Option<bool> {
    match value {
        FieldRef::Bool(flag) => Some(flag),
        FieldRef::I64(0) => Some(false),
        FieldRef::I64(1) => Some(true),
        FieldRef::Str(text) => match unquoted(text.trim()) {
            word if word.eq_ignore_ascii_case("true") => Some(true),
            word if word.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn list(value: FieldRef<'_>, commas: bool) -> Read {
    let told = match value {
        FieldRef::Value(Value::Array(_)) => return Read::Same,
        other => match other.as_str() {
            Some(text) => text.trim(),
            None => return Read::Bad,
        },
    };
    if told.is_empty() {
        return Read::Nothing;
    }
    if told.starts_with('[')
        && let Ok(items @ Json::Array(_)) = serde_json::from_str(told)
    {
        return Read::As(Value::from(items));
    }
    let items: Vec<_> = if commas {
        let words = unquoted(told).split(',').map(str::trim);
        words
            .filter(|word| !word.is_empty())
            .map(Value::from)
            .collect()
    } else {
        vec![Value::from(unquoted(told))]
    };
    Read::As(Value::Array(items))
}

fn message(value: FieldRef<'_>, role: &str) -> Read {
    let Some(text) = value.as_str() else {
        return Read::Same;
    };
    if text.trim_start().starts_with('[') && serde_json::from_str::<Vec<Json>>(text).is_ok() {
        return Read::Same;
    }
    let parts = serde_json::json!([{"role": role, "parts": [{"type": "text", "content": text}]}]);
    Read::As(Value::from(parts.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_the_same_in_every_form() {
        for value in [FieldRef::F64(7.0), FieldRef::Str("7"), FieldRef::Str(" 7 ")] {
            assert_eq!(read(Rule::Count, value), Read::As(Value::I64(7)));
        }
        assert_eq!(read(Rule::Count, FieldRef::I64(7)), Read::Same);
        for value in [
            FieldRef::I64(-1),
            FieldRef::F64(0.5),
            FieldRef::Str("many"),
            FieldRef::Bool(true),
        ] {
            assert_eq!(read(Rule::Count, value), Read::Bad);
        }
    }

    #[test]
    fn words_come_as_json_with_commas_or_alone() {
        let words = |text| read(Rule::Words, FieldRef::Str(text));
        let both = || Read::As(Value::from(["stop", "length"]));
        assert_eq!(words("[\"stop\", \"length\"]"), both());
        assert_eq!(words("stop,length"), both());
        assert_eq!(words("stop"), Read::As(Value::from(["stop"])));
        assert_eq!(words("[broken"), Read::As(Value::from(["[broken"])));
        assert_eq!(words(""), Read::Nothing);
    }

    #[test]
    fn quotes_of_debug_go_and_quotes_inside_stay() {
        let text = |text| read(Rule::Text, FieldRef::Str(text));
        assert_eq!(text("\"gpt\""), Read::As("gpt".into()));
        assert_eq!(text("a \"b\" c"), Read::Same);
        assert_eq!(text("\""), Read::Same);
    }
}
