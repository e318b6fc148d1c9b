//! Messages as JSON text of a bounded length.
//!
//! Owns: what is cut, in which order, and how it shows.
//! Promise: the text is complete JSON of the conventions' form and no longer than asked, or absent; `parts` and
//! `finish_reason` are there wherever a message is; what is cut is marked in its place, and counted. Fitting what was fitted
//! changes nothing. The work is linear in what is read, and what lies past the bound is hardly read.
//! Never: cuts in the middle of JSON, of a character, or of base64.
//!
//! 1. What fits as it is stays as it is.
//! 2. Every value is reduced to a mark, and the newest messages, half the budget's worth of marks, are kept; older ones become
//!    one message of one part, `{"type":"cut","messages":12}`.
//! 3. What is left of the budget goes to the values of the newest message, from its first part on, then to the one before it.
//!    Inline data (`blob`) comes after all text, and is whole or not there.

mod plan;
mod write;

use std::fmt;

use serde::Serialize;

use self::plan::{Plan, Slots};
use self::write::{Limited, short};
use super::{Message, Part};

/// Messages, or parts, as JSON text of at most a length.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the text is in `json`, and what it lacks in `cut`"]
#[non_exhaustive]
pub struct Fitted {
    /// Complete JSON, or `None` if not even the marks fit.
    pub json: Option<String>,
    /// What it lacks.
    pub cut: Cut,
}

/// What was left out to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Cut {
    /// Values that were shortened, or replaced by a mark.
    pub values: u64,
    /// Bytes of text and data those lost.
    pub bytes: u64,
    /// Parts that were left out whole, in messages that are there.
    pub parts: u64,
    /// Messages that were left out whole.
    pub messages: u64,
}

impl Cut {
    /// Whether nothing was cut.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fitted")
            .field("bytes", &self.json.as_ref().map(String::len))
            .field("cut", &self.cut)
            .finish()
    }
}

/// Messages as the JSON text of `gen_ai.input.messages` or `gen_ai.output.messages`, in at most `max_bytes`.
///
/// A text that was cut ends in `…[cut 1234 bytes]`; data is replaced by such a mark; objects and lists lose their last members,
/// with a mark in their place. The newest messages stay whole the longest. Give output messages a
/// [finish reason](Message::finish_reason): it is kept, and not made up.
///
/// ```
/// use tracing_genai::message::{Message, fit};
///
/// let history = [Message::user("a".repeat(500)), Message::assistant("Paris is 14 °C.")];
/// let fitted = fit(&history, 200);
/// let json = fitted.json.unwrap();
/// assert!(json.len() <= 200);
/// assert!(json.contains("aaa…[cut ") && json.contains("Paris is 14 °C."));
/// assert_eq!((fitted.cut.values, fitted.cut.messages), (1, 0));
/// ```
pub fn fit(messages: &[Message], max_bytes: usize) -> Fitted {
    if messages.iter().all(plan::is_writable)
        && let Some(fitted) = whole(&messages, max_bytes)
    {
        return fitted;
    }
    let mut cut = Cut::default();
    // Brackets, and room to say what is left out.
    let Some(room) = max_bytes.checked_sub(2) else {
        return absent(cut, messages.len());
    };
    let mut kept: Vec<Plan<'_>> = Vec::new();
    let mut used = 0;
    let mut rest = messages;
    let mut left_out = String::new();
    while let Some((newest, older)) = rest.split_last() {
        let first = kept.is_empty();
        let mark = gone(older);
        // Whatever comes next may not fit: then its mark has to.
        let limit = if first { room } else { room / 2 };
        let comma = usize::from(!first);
        let mark_bytes = if older.is_empty() { 0 } else { mark.len() + 1 };
        let free = limit.checked_sub(used + comma + mark_bytes);
        let Some(plan) = free.and_then(|free| Plan::message(newest, free, first)) else {
            break;
        };
        used += plan.min() + comma;
        kept.push(plan);
        rest = older;
        left_out = mark;
    }
    if kept.is_empty() {
        return absent(cut, messages.len());
    }
    if !rest.is_empty() {
        used += left_out.len() + 1;
        cut.messages = rest.len() as u64;
    }
    let mut spare = room.saturating_sub(used);
    for slots in [Slots::Text, Slots::Data] {
        for plan in &mut kept {
            plan.grant(slots, &mut spare);
        }
    }
    let mut json = String::with_capacity(max_bytes.min(used + 64));
    json.push('[');
    if !rest.is_empty() {
        json.push_str(&left_out);
        json.push(',');
    }
    for (at, plan) in kept.iter().rev().enumerate() {
        if at > 0 {
            json.push(',');
        }
        plan.write(&mut json, &mut cut);
    }
    json.push(']');
    Fitted {
        json: Some(json),
        cut,
    }
}

/// Parts as the JSON text of `gen_ai.system_instructions`, in at most `max_bytes`. As [`fit`], but the first parts stay whole
/// the longest.
pub fn fit_system(parts: &[Part], max_bytes: usize) -> Fitted {
    if parts.iter().all(plan::is_part_writable)
        && let Some(fitted) = whole(&parts, max_bytes)
    {
        return fitted;
    }
    let mut cut = Cut::default();
    let room = max_bytes.checked_sub(2);
    let Some(mut plan) = room.and_then(|room| Plan::parts(parts, room)) else {
        cut.parts = parts.len() as u64;
        return Fitted { json: None, cut };
    };
    let mut spare = room.unwrap_or_default().saturating_sub(plan.min());
    plan.grant(Slots::Text, &mut spare);
    plan.grant(Slots::Data, &mut spare);
    let mut json = String::from("[");
    plan.write(&mut json, &mut cut);
    json.push(']');
    Fitted {
        json: Some(json),
        cut,
    }
}

fn absent(mut cut: Cut, messages: usize) -> Fitted {
    cut.messages = messages as u64;
    Fitted { json: None, cut }
}

fn whole(value: &impl Serialize, max: usize) -> Option<Fitted> {
    let mut out = Limited::new(max);
    serde_json::to_writer(&mut out, value).ok()?;
    Some(Fitted {
        json: Some(out.into_text()?),
        cut: Cut::default(),
    })
}

/// What stands for messages that are left out: the last of them, without its content.
fn gone(messages: &[Message]) -> String {
    let Some(last) = messages.last() else {
        return String::new();
    };
    let mut unseen = Cut::default();
    let mut json = String::from("{\"role\":");
    short(&mut json, last.role.as_str(), &mut unseen);
    json.push_str(&format!(
        ",\"parts\":[{{\"type\":\"cut\",\"messages\":{}}}]",
        messages.len()
    ));
    if let Some(reason) = &last.finish_reason {
        json.push_str(",\"finish_reason\":");
        short(&mut json, reason, &mut unseen);
    }
    json.push('}');
    json
}
