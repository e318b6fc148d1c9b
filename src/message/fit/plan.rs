//! What of a message is written in any case, and what as far as there is room.

use serde_json::Value as Json;

use super::super::reading::DEEPEST;
use super::super::{Content, Message, Part};
use super::Cut;
use super::write::{
    MIN_FIELDS, MIN_JSON, MIN_TEXT, json_len, members_len, short, text_len, write_data, write_json,
    write_members, write_text,
};
use crate::event::import::nests_within;

/// What stands for a value that nests deeper.
const TOO_DEEP: &str = "…[cut: nests too deep]";
/// More than the mark for parts that are left out takes, its comma included.
const PARTS_MARK: usize = 56;

/// Text that is written as it is, and slots for values between.
pub(super) struct Plan<'m> {
    pieces: Vec<Piece<'m>>,
    min: usize,
    parts_left_out: u64,
    /// Cut already: names that are longer than names are.
    cut: Cut,
}

enum Piece<'m> {
    Fixed(String),
    Slot(Slot<'m>),
}

struct Slot<'m> {
    value: Value<'m>,
    /// Its length if nothing is cut. A length past what anybody asked for may be given as any such.
    whole: usize,
    /// What it may take; never less than the least it can be cut to.
    grant: usize,
}

enum Value<'m> {
    Text(&'m str),
    Data(&'m str),
    Json(&'m Json),
    /// Members of an object, each with a comma before it.
    Fields(Vec<(&'m str, &'m Json)>),
}

/// Which values are given room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slots {
    Text,
    Data,
}

/// Whether all of it can be read back once it is written.
pub(super) fn is_writable(message: &Message) -> bool {
    message.extra.values().all(is_shallow) && message.parts.iter().all(is_part_writable)
}

pub(super) fn is_part_writable(part: &Part) -> bool {
    let inside = match &part.content {
        Content::ToolCall { arguments, .. } => is_shallow(arguments),
        Content::ToolCallResponse { response, .. } => is_shallow(response),
        _ => true,
    };
    inside && part.extra.values().all(is_shallow)
}

fn is_shallow(json: &Json) -> bool {
    nests_within(json, DEEPEST)
}

impl<'m> Plan<'m> {
    fn new() -> Self {
        Self {
            pieces: Vec::new(),
            min: 0,
            parts_left_out: 0,
            cut: Cut::default(),
        }
    }

    /// A message in at least the room it needs, which is at most `room`. Where it needs more, `None`, or if `shorten` as many
    /// parts as there is room for. Values are measured up to `reach`, which is what they may be granted later.
    pub(super) fn message(
        message: &'m Message,
        room: usize,
        reach: usize,
        shorten: bool,
    ) -> Option<Self> {
        let mut end = Self::new();
        end.fixed("]");
        let named = [
            (",\"name\":", &message.name),
            (",\"finish_reason\":", &message.finish_reason),
            (",\"id\":", &message.id),
        ];
        for (field, value) in named {
            if let Some(value) = value {
                end.fixed(field);
                end.short(value);
            }
        }
        end.fields(message.extra_fields().collect(), reach);
        end.fixed("}");

        let mut plan = Self::new();
        plan.fixed("{\"role\":");
        plan.short(message.role.as_str());
        plan.fixed(",\"parts\":[");
        plan.list(&message.parts, room.checked_sub(end.min)?, reach, shorten)?;
        plan.append(end);
        (plan.min <= room).then_some(plan)
    }

    /// Parts without what is around them, as many as there is room for.
    pub(super) fn parts(parts: &'m [Part], room: usize) -> Option<Self> {
        let mut plan = Self::new();
        plan.list(parts, room, room, true)?;
        Some(plan)
    }

    fn list(&mut self, parts: &'m [Part], room: usize, reach: usize, shorten: bool) -> Option<()> {
        for (at, part) in parts.iter().enumerate() {
            let mut next = Self::new();
            if at > 0 {
                next.fixed(",");
            }
            next.part(part, reach);
            let last = at + 1 == parts.len();
            let mark = if last || !shorten { 0 } else { PARTS_MARK };
            if self.min + next.min + mark > room {
                if !shorten || self.min + PARTS_MARK > room {
                    return None;
                }
                let left_out = (parts.len() - at) as u64;
                let comma = if at > 0 { "," } else { "" };
                self.fixed(&format!("{comma}{{\"type\":\"cut\",\"parts\":{left_out}}}"));
                self.parts_left_out = left_out;
                return Some(());
            }
            self.append(next);
        }
        Some(())
    }

    fn part(&mut self, part: &'m Part, reach: usize) {
        self.fixed("{\"type\":");
        self.short(part.kind());
        match &part.content {
            Content::Text(text) | Content::Reasoning(text) => {
                self.fixed(",\"content\":");
                self.text(text, reach);
            }
            Content::ToolCall {
                id,
                name,
                arguments,
            } => {
                self.named(",\"id\":", id.as_deref());
                self.named(",\"name\":", Some(name));
                if !arguments.is_null() {
                    self.fixed(",\"arguments\":");
                    self.json(arguments, reach);
                }
            }
            Content::ToolCallResponse { id, response } => {
                self.named(",\"id\":", id.as_deref());
                self.fixed(",\"response\":");
                self.json(response, reach);
            }
            Content::Blob {
                modality,
                mime_type,
                content,
            } => {
                self.named(",\"modality\":", Some(modality.as_str()));
                self.named(",\"mime_type\":", mime_type.as_deref());
                self.fixed(",\"content\":");
                self.slot(Value::Data(content), text_len(content, reach), MIN_TEXT);
            }
            Content::File {
                modality,
                mime_type,
                file_id: place,
            }
            | Content::Uri {
                modality,
                mime_type,
                uri: place,
            } => {
                self.named(",\"modality\":", Some(modality.as_str()));
                self.named(",\"mime_type\":", mime_type.as_deref());
                self.fixed(&format!(",\"{}\":", part.content.data_field()));
                self.text(place, reach);
            }
            Content::Other { .. } => {}
        }
        self.fields(part.extra_fields().collect(), reach);
        self.fixed("}");
    }

    /// The least it takes.
    pub(super) fn min(&self) -> usize {
        self.min
    }

    fn append(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Fixed(text) => self.push_fixed(&text),
                slot => self.pieces.push(slot),
            }
        }
        self.min += other.min;
        self.cut.values += other.cut.values;
        self.cut.bytes += other.cut.bytes;
        self.parts_left_out += other.parts_left_out;
    }

    fn fixed(&mut self, text: &str) {
        self.push_fixed(text);
        self.min += text.len();
    }

    fn push_fixed(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Fixed(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Fixed(text.to_owned())),
        }
    }

    fn short(&mut self, name: &str) {
        let mut json = String::new();
        short(&mut json, name, &mut self.cut);
        self.fixed(&json);
    }

    fn named(&mut self, field: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.fixed(field);
            self.short(value);
        }
    }

    fn text(&mut self, text: &'m str, room: usize) {
        self.slot(Value::Text(text), text_len(text, room), MIN_TEXT);
    }

    fn json(&mut self, json: &'m Json, room: usize) {
        if is_shallow(json) {
            self.slot(Value::Json(json), json_len(json, room), MIN_JSON);
        } else {
            self.deep();
        }
    }

    fn deep(&mut self) {
        self.cut.values += 1;
        self.fixed(&format!("\"{TOO_DEEP}\""));
    }

    fn fields(&mut self, fields: Vec<(&'m str, &'m Json)>, room: usize) {
        if fields.is_empty() {
            return;
        }
        if fields.iter().all(|(_, json)| is_shallow(json)) {
            let whole = members_len(&fields, room);
            self.slot(Value::Fields(fields), whole, MIN_FIELDS);
        } else {
            self.fixed(",\"…\":");
            self.deep();
        }
    }

    fn slot(&mut self, value: Value<'m>, whole: usize, least: usize) {
        let grant = whole.min(least);
        self.min += grant;
        self.pieces.push(Piece::Slot(Slot {
            value,
            whole,
            grant,
        }));
    }

    /// Gives the values what they need of what is to spare, the first ones first.
    pub(super) fn grant(&mut self, slots: Slots, spare: &mut usize) {
        for piece in &mut self.pieces {
            let Piece::Slot(slot) = piece else { continue };
            let missing = slot.whole - slot.grant;
            let more = match (&slot.value, slots) {
                // Half of a picture is no picture.
                (Value::Data(_), Slots::Data) if missing <= *spare => missing,
                (Value::Data(_), _) | (_, Slots::Data) => 0,
                _ => missing.min(*spare),
            };
            slot.grant += more;
            *spare -= more;
        }
    }

    pub(super) fn write(&self, out: &mut String, cut: &mut Cut) {
        cut.values += self.cut.values;
        cut.bytes += self.cut.bytes;
        cut.parts += self.parts_left_out;
        for piece in &self.pieces {
            match piece {
                Piece::Fixed(text) => out.push_str(text),
                Piece::Slot(slot) => match &slot.value {
                    Value::Text(text) => write_text(out, text, slot.grant, cut),
                    Value::Data(data) => write_data(out, data, slot.grant, cut),
                    Value::Json(json) => write_json(out, json, slot.grant, cut),
                    Value::Fields(fields) => {
                        write_members(out, fields, slot.grant, true, cut);
                    }
                },
            }
        }
    }
}
