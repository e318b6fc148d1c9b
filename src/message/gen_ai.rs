//! The conventions' own form.

use serde_json::Value as Json;

use super::convert::{Converted, Place, Reason};
use super::message::extra_of;
use super::reading::{Reading, document, find, messages};
use super::{Content, Conversation, Message, Part, Role};

/// Reads messages in the conventions' JSON (`gen_ai.input.messages`, `gen_ai.output.messages`): a list, or one message.
///
/// A message without a role is lost, and so is a part without a type; parts of unknown types are kept as they are. Places are
/// named from `messages`.
pub fn from_gen_ai(json: &Json) -> Converted<Conversation> {
    document(json, |json, cx| {
        let found = find(json, "messages", cx);
        Conversation::new(messages(found, cx, message))
    })
}

fn message(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    let role = cx.required(fields, "role", place)?;
    let mut message = Message::new(Role::from(role));
    if !fields.contains_key("parts") {
        cx.log.kept(&place.field("parts"), Reason::Missing);
    }
    let parts = place.field("parts");
    for (at, json) in cx.items(fields, "parts", place).iter().enumerate() {
        let place = parts.at(at);
        let Some(part) = Part::from_json(json) else {
            cx.log.lost(&place, Reason::Not("a part with a type"));
            continue;
        };
        match &part.content {
            Content::ToolCall { id, .. } => cx.call(id.as_deref(), &place.field("id")),
            Content::ToolCallResponse { id, .. } => cx.result(id.as_deref(), &place.field("id")),
            _ => {}
        }
        message.parts.push(part);
    }
    message.name = cx.text(fields, "name", place).map(str::to_owned);
    // As it came: whoever wrote it chose the word.
    message.finish_reason = cx.text(fields, "finish_reason", place).map(str::to_owned);
    message.id = cx.text(fields, "id", place).map(str::to_owned);
    cx.message_id(message.id.as_deref(), &place.field("id"));
    message.extra = extra_of(fields, &[]);
    Some(message)
}
