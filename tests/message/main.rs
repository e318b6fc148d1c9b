//! Messages: their form, the ways in and out, what fits a budget, and what is left when content is not wanted.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod ag_ui;
mod content;
mod convert;
mod fit;
mod form;
mod hostile;
mod samples;

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tracing_genai::message::{Conversation, Message, Modality, Part, Role};

/// One of the conventions' schemas.
pub(crate) enum Schema {
    Input,
    Output,
    System,
    Tools,
}

static SCHEMAS: LazyLock<[jsonschema::Validator; 4]> = LazyLock::new(|| {
    [
        "input-messages",
        "output-messages",
        "system-instructions",
        "tool-definitions",
    ]
    .map(|name| {
        let mut schema = data(&format!("semconv/schemas/gen-ai-{name}.json"));
        // A schema inside the schema, by its address: nothing is fetched here.
        let parameters = "/$defs/FunctionToolDefinition/properties/parameters/anyOf/0";
        if let Some(reference) = schema.pointer_mut(parameters) {
            *reference = json!({"type": ["object", "boolean"]});
        }
        jsonschema::validator_for(&schema).unwrap()
    })
});

pub(crate) fn data(file: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(file);
    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn assert_valid(schema: Schema, json: &Json) {
    let errors: Vec<String> = SCHEMAS[schema as usize]
        .iter_errors(json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{json:#}");
}

/// Every problem as `path: reason`.
pub(crate) fn problems<T>(converted: &tracing_genai::message::Converted<T>) -> Vec<String> {
    converted.problems.iter().map(ToString::to_string).collect()
}

// === what proptest makes ===

/// Text with what is hard about text: escapes, several bytes to a character, marks of cuts.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z ]{0,60}",
        2 => "(\"|\\\\|\n|\u{0}|\u{1f}|é|😀|\u{7f}|\u{2028}|x){0,40}",
        1 => Just("…[cut 3 bytes]".to_owned()),
        1 => "[a-z]{200,400}",
    ]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9f64).prop_map(Json::from),
        any_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop_oneof![4 => "[a-z]{1,8}", 1 => any_text(), 1 => Just("…".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|fields| Json::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_part() -> impl Strategy<Value = Part> {
    let id = || prop::option::of("[a-z]{1,12}");
    prop_oneof![
        any_text().prop_map(Part::text),
        any_text().prop_map(Part::reasoning),
        (id(), "[a-z_]{1,12}", any_json())
            .prop_map(|(id, name, json)| Part::tool_call(id, name, json)),
        (id(), any_json()).prop_map(|(id, json)| Part::tool_call_response(id, json)),
        "[A-Za-z0-9+/]{0,200}".prop_map(|data| Part::blob("image/png", data)),
        any_text().prop_map(|uri| Part::uri(Modality::Image, uri)),
        any_text().prop_map(|id| Part::file(Modality::Document, id)),
        any_json()
            .prop_map(|json| Part::other("new_kind", Map::from_iter([("value".to_owned(), json)]))),
    ]
}

fn any_message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![
        Just(Role::System),
        Just(Role::Developer),
        Just(Role::User),
        Just(Role::Assistant),
        Just(Role::Tool),
        "[a-z]{1,9}".prop_map(|word| Role::from(word.as_str())),
    ];
    let reason = prop::option::of(prop_oneof![
        Just("stop"),
        Just("length"),
        Just("tool_calls")
    ]);
    (
        role,
        prop::collection::vec(any_part(), 0..5),
        prop::option::of("[a-z]{1,9}"),
        reason,
    )
        .prop_map(|(role, parts, name, reason)| {
            let mut message = Message::new(role);
            message.parts = parts;
            message.name = name;
            match reason {
                Some(word) => message.finish_reason(word),
                None => message,
            }
        })
}

fn any_messages() -> impl Strategy<Value = Vec<Message>> {
    prop::collection::vec(any_message(), 0..8)
}

fn conversation(messages: Vec<Message>) -> Conversation {
    Conversation::new(messages)
}

fn text_message(role: &str, text: &str) -> Json {
    json!({"role": role, "parts": [{"type": "text", "content": text}]})
}
