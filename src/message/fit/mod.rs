//! Messages, and any other JSON, as text of a bounded length.
//!
//! Owns: what is cut, in which order, and how it shows.
//! Promise: the text is complete JSON and no longer than asked, or there is none and [`Unfit`] says why; of messages, `role`,
//! `parts` and, where it was there, `finish_reason` remain; what is cut is marked in its place, and counted. The same input
//! gives the same text, and fitting what was fitted changes nothing. What lies past the bound is hardly read.
//! Never: cuts in the middle of JSON, of a character, or of base64.
//!
//! 1. What fits as it is stays as it is.
//! 2. Every value is reduced to a mark, and the newest messages, half the budget's worth of marks, are kept; older ones become
//!    one message of one part, `{"type":"cut","messages":12}`.
//! 3. What is left of the budget goes to the values of the newest message, from its first part on, then to the one before it.
//!    Inline data (`blob`) comes after all text, and is whole or not there.
//!
//! ```
//! use tracing_genai::message::fit;
//!
//! let said = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}]"#, "long ".repeat(1000));
//! let fitted = fit::json_text(&said, 100)?;
//! assert_eq!(
//!     fitted.json,
//!     r#"[{"role":"user","parts":[{"type":"text","content":"long long long long long …[cut 4975 bytes]"}]}]"#
//! );
//! assert_eq!(fitted.cut.bytes, 4975);
//! # Ok::<(), tracing_genai::message::fit::Unfit>(())
//! ```

mod foreign;
mod plan;
mod write;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

pub use self::foreign::{json, json_text, text};
use self::plan::{Plan, Slots};
pub(super) use self::write::json_len;
use self::write::{Limited, short};
use super::{Message, Part};

/// JSON text of at most a length.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "the text is in `json`, and what it lacks in `cut`"]
#[non_exhaustive]
pub struct Fitted<'a> {
    /// Complete JSON: what was given, if nothing had to be changed.
    pub json: Cow<'a, str>,
    /// What it lacks.
    pub cut: Cut,
}

/// Why there is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Not even the marks fit. Messages take about 130 bytes, any other value 48 at most.
    #[error("does not fit, even without its content")]
    TooSmall,
    /// It is no JSON, or JSON that is cut off.
    #[error("is not JSON")]
    NotJson,
    /// It nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("nests deeper than 64 levels")]
    TooDeep,
    /// It is longer than [`MAX_BYTES`], and was not read.
    #[error("is longer than 8 MiB")]
    TooLarge,
}

/// The longest JSON text that is read to be cut: 8 MiB. To cut it, it is parsed, which takes several times its length.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

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

impl fmt::Debug for Fitted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fitted")
            .field("bytes", &self.json.len())
            .field("cut", &self.cut)
            .finish()
    }
}

/// Messages as the JSON text of `gen_ai.input.messages` or `gen_ai.output.messages`, in at most `max_bytes`.
///
/// A text that was cut ends in `…[cut 1234 bytes]`; data is replaced by such a mark; objects and lists lose their last members,
/// with a mark in their place. The newest messages stay whole the longest. A [finish reason](Message::finish_reason) is kept,
/// and not made up.
///
/// # Errors
/// [`Unfit::TooSmall`], if not even the newest message fits without its content.
///
/// ```
/// use tracing_genai::message::{Message, fit};
///
/// let history = [Message::user("a".repeat(500)), Message::assistant("Paris is 14 °C.")];
/// let fitted = fit::messages(&history, 400)?;
/// assert!(fitted.json.len() <= 400);
/// assert!(fitted.json.contains("aaa…[cut ") && fitted.json.contains("Paris is 14 °C."));
/// assert_eq!((fitted.cut.values, fitted.cut.messages), (1, 0));
/// # Ok::<(), tracing_genai::message::fit::Unfit>(())
/// ```
pub fn messages(messages: &[Message], max_bytes: usize) -> Result<Fitted<'static>, Unfit> {
    if messages.iter().all(plan::is_writable)
        && let Some(fitted) = whole(&messages, max_bytes)
    {
        return Ok(fitted);
    }
    // Brackets.
    let room = max_bytes.checked_sub(2).ok_or(Unfit::TooSmall)?;
    let mut cut = Cut::default();
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
        let Some(plan) = free.and_then(|free| Plan::message(newest, free, room, first)) else {
            break;
        };
        used += plan.min() + comma;
        kept.push(plan);
        rest = older;
        left_out = mark;
    }
    if kept.is_empty() {
        return Err(Unfit::TooSmall);
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
    let mut json = String::from("[");
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
    Ok(Fitted::cut(json, cut))
}

/// Parts as the JSON text of `gen_ai.system_instructions`, in at most `max_bytes`. As [`messages`], but the first parts stay
/// whole the longest.
///
/// # Errors
/// [`Unfit::TooSmall`], if not even a mark for all of them fits.
pub fn parts(parts: &[Part], max_bytes: usize) -> Result<Fitted<'static>, Unfit> {
    if parts.iter().all(plan::is_part_writable)
        && let Some(fitted) = whole(&parts, max_bytes)
    {
        return Ok(fitted);
    }
    let room = max_bytes.checked_sub(2).ok_or(Unfit::TooSmall)?;
    let mut plan = Plan::parts(parts, room).ok_or(Unfit::TooSmall)?;
    let mut spare = room.saturating_sub(plan.min());
    plan.grant(Slots::Text, &mut spare);
    plan.grant(Slots::Data, &mut spare);
    let mut cut = Cut::default();
    let mut json = String::from("[");
    plan.write(&mut json, &mut cut);
    json.push(']');
    Ok(Fitted::cut(json, cut))
}

impl Fitted<'_> {
    fn cut(json: String, cut: Cut) -> Self {
        let json = Cow::Owned(json);
        Self { json, cut }
    }
}

fn whole(value: &impl Serialize, max: usize) -> Option<Fitted<'static>> {
    let mut out = Limited::new(max);
    serde_json::to_writer(&mut out, value).ok()?;
    Some(Fitted::cut(out.into_text()?, Cut::default()))
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
