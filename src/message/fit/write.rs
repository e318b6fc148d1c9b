//! Values as JSON text of at most a length.
//!
//! Every writer takes a length, and keeps to it as long as it is not below the least its value can be cut to: the whole value, or
//! the constant that is named for it here.

use std::fmt::Write as _;
use std::io;

use serde_json::Value as Json;

use super::Cut;

/// The longest mark for text, in quotes: `"…[cut 18446744073709551615 bytes]"`.
pub(super) const MIN_TEXT: usize = 37;
/// The longest mark for the members of an object, its comma included: `,"…":"[cut 18446744073709551615 fields]"`.
pub(super) const MIN_FIELDS: usize = 43;
/// Either of those, or the one for the items of a list, in brackets.
pub(super) const MIN_JSON: usize = 48;
/// Names longer than this are no names. The longest tool name a provider takes is 128 bytes, ids are shorter.
const LONGEST_NAME: usize = 256;
/// The key of the mark in an object.
const MARK_KEY: &str = "…";

/// A text in memory that refuses to grow past a length.
pub(super) struct Limited {
    bytes: Vec<u8>,
    max: usize,
}

impl Limited {
    pub(super) fn new(max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            max,
        }
    }

    pub(super) fn into_text(self) -> Option<String> {
        String::from_utf8(self.bytes).ok()
    }
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.max - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts, up to a length.
struct Counter {
    left: usize,
}

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The length of a value as JSON, or `max + 1` if it is longer than `max`.
pub(in crate::message) fn json_len(json: &Json, max: usize) -> usize {
    let mut counter = Counter { left: max };
    match serde_json::to_writer(&mut counter, json) {
        Ok(()) => max - counter.left,
        Err(_) => max.saturating_add(1),
    }
}

/// The same for a text.
pub(super) fn text_len(text: &str, max: usize) -> usize {
    if text.len() > max {
        return max.saturating_add(1);
    }
    let escaped: usize = text.chars().map(escaped_len).sum();
    (escaped + 2).min(max.saturating_add(1))
}

/// The same for members of an object, each with a comma before it.
pub(super) fn members_len(members: &[(&str, &Json)], max: usize) -> usize {
    let mut sum = 0usize;
    for (key, value) in members {
        let left = max.saturating_sub(sum);
        sum = sum
            .saturating_add(text_len(key, left) + 2)
            .saturating_add(json_len(value, left));
        if sum > max {
            return max.saturating_add(1);
        }
    }
    sum
}

/// How many bytes a character takes in JSON, as `serde_json` writes it.
fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

fn push_string(out: &mut String, text: &str) {
    // A string always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// A name: role, id, type. Far longer ones are cut.
pub(super) fn short(out: &mut String, name: &str, cut: &mut Cut) {
    write_text(out, name, LONGEST_NAME + MIN_TEXT, cut);
}

/// The most the mark at the end of this text takes, without quotes: `…[cut 1234 bytes]`.
pub(super) fn mark_len(text: &str) -> usize {
    let digits = text.len().checked_ilog10().unwrap_or_default() + 1;
    "…[cut  bytes]".len() + digits as usize
}

pub(super) fn write_text(out: &mut String, text: &str, grant: usize, cut: &mut Cut) {
    if text_len(text, grant) <= grant {
        return push_string(out, text);
    }
    let mut room = grant.saturating_sub(mark_len(text) + 2);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let Some(left) = room.checked_sub(escaped_len(c)) else {
            break;
        };
        room = left;
        end = at + c.len_utf8();
    }
    let (kept, gone) = text.split_at(end);
    push_string(out, kept);
    out.pop();
    // Writing to a string cannot fail.
    let _ = write!(out, "…[cut {} bytes]\"", gone.len());
    cut.values += 1;
    cut.bytes += gone.len() as u64;
}

/// Data in base64: whole, or not at all.
pub(super) fn write_data(out: &mut String, data: &str, grant: usize, cut: &mut Cut) {
    if text_len(data, grant) <= grant {
        return push_string(out, data);
    }
    let _ = write!(out, "\"[cut {} bytes]\"", data.len());
    cut.values += 1;
    cut.bytes += data.len() as u64;
}

pub(super) fn write_json(out: &mut String, json: &Json, grant: usize, cut: &mut Cut) {
    if json_len(json, grant) <= grant {
        let _ = write!(out, "{json}");
        return;
    }
    match json {
        Json::String(text) => write_text(out, text, grant, cut),
        Json::Array(items) => {
            out.push('[');
            write_items(out, items, grant.saturating_sub(2), cut);
            out.push(']');
        }
        Json::Object(fields) => {
            let members: Vec<(&str, &Json)> = fields.iter().map(|(k, v)| (k.as_str(), v)).collect();
            out.push('{');
            write_members(out, &members, grant.saturating_sub(2), false, cut);
            out.push('}');
        }
        // The longest number is shorter than the least that is granted.
        Json::Null | Json::Bool(_) | Json::Number(_) => {
            let _ = write!(out, "{json}");
        }
    }
}

/// What each of several values may take of `room`, if their least fits: what is to spare goes to the first ones.
///
/// `around` is what is written for a value beside it.
fn shares<'j>(
    values: impl Iterator<Item = (usize, &'j Json)> + Clone,
    room: usize,
) -> Option<impl Iterator<Item = usize>> {
    let mut least = 0usize;
    for (around, json) in values.clone() {
        least += around + json_len(json, MIN_JSON).min(MIN_JSON);
        if least > room {
            return None;
        }
    }
    let mut spare = room - least;
    Some(values.map(move |(_, json)| {
        let least = json_len(json, MIN_JSON).min(MIN_JSON);
        let missing = json_len(json, least + spare) - least;
        let more = missing.min(spare);
        spare -= more;
        least + more
    }))
}

fn write_items(out: &mut String, items: &[Json], room: usize, cut: &mut Cut) {
    let commas = |at: usize| usize::from(at > 0);
    let values = items.iter().enumerate();
    let values = values.map(|(at, json)| (commas(at), json));
    if let Some(shares) = shares(values, room) {
        for (at, (json, share)) in items.iter().zip(shares).enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_json(out, json, share, cut);
        }
        return;
    }
    let start = out.len();
    for (at, json) in items.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // One more item, and the mark for the others.
        let used = out.len() - start + comma.len();
        let free = room.saturating_sub(used + 1 + MIN_TEXT);
        if free < json_len(json, MIN_JSON).min(MIN_JSON) {
            let gone = items.len() - at;
            let _ = write!(out, "{comma}\"…[cut {gone} items]\"");
            cut.values += 1;
            return;
        }
        out.push_str(comma);
        write_json(out, json, free, cut);
    }
}

/// Members of an object. `leading` puts a comma before the first, too.
pub(super) fn write_members(
    out: &mut String,
    members: &[(&str, &Json)],
    room: usize,
    leading: bool,
    cut: &mut Cut,
) {
    let comma = |at: usize| if at > 0 || leading { "," } else { "" };
    let plain = members
        .iter()
        .all(|(key, _)| key.len() <= LONGEST_NAME && *key != MARK_KEY);
    let values = members.iter().enumerate();
    let values = values.map(|(at, (key, json))| {
        let key = text_len(key, usize::MAX - 1);
        (comma(at).len() + key + 1, *json)
    });
    let whole = members_len(members, room + usize::from(!leading)) <= room + usize::from(!leading);
    if (whole || plain)
        && let Some(shares) = shares(values, room)
    {
        for (at, ((key, json), share)) in members.iter().zip(shares).enumerate() {
            out.push_str(comma(at));
            push_string(out, key);
            out.push(':');
            write_json(out, json, share, cut);
        }
        return;
    }
    let start = out.len();
    let mut gone = 0u64;
    let mut full = false;
    for (key, json) in members {
        let at = out.len() - start;
        // One more member, and the mark for the others.
        let around = comma(at).len() + text_len(key, LONGEST_NAME * 6) + 1;
        let free = room.saturating_sub(at + around + MIN_FIELDS);
        let fits = free >= json_len(json, MIN_JSON).min(MIN_JSON);
        if full || !fits || key.len() > LONGEST_NAME || *key == MARK_KEY {
            // What follows a member that is left out is left out, too, unless its name was the reason.
            full |= !fits;
            gone += 1;
            continue;
        }
        out.push_str(comma(at));
        push_string(out, key);
        out.push(':');
        write_json(out, json, free, cut);
    }
    if gone > 0 {
        let comma = comma(out.len() - start);
        let _ = write!(out, "{comma}\"{MARK_KEY}\":\"[cut {gone} fields]\"");
        cut.values += 1;
    }
}
