//! Captured attributes: names and values of one record, in two buffers that are used again and again.
//!
//! Text lies in one `String`, numbers lie inline, names are mostly `&'static str`: filling a used record allocates nothing.
//! Promise: the last write of a name wins; count, value length and total bytes stay within [`Limits`], what is cut is
//! counted, text is cut at a character boundary.
//! Never: runs user code, except [`Fields::set_fmt`], which contains its panics and cuts it off at the limit.

use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::event::Value;

/// How much one span may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Attributes on a span, and on each of its events.
    pub(crate) attributes: usize,
    /// Bytes of one text value; longer ones are cut and end in [`TRUNCATED`].
    pub(crate) value_bytes: usize,
    /// Bytes of text on the whole span; what no longer fits is dropped and counted.
    pub(crate) span_bytes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        // The OpenTelemetry defaults: 128 of each.
        attributes: 128,
        events: 128,
        links: 128,
        // The conventions' default is "no limit"; a prompt of megabytes on every span would cost the whole batch.
        value_bytes: 64 * 1024,
        // A quarter of the 4 MiB that gRPC receivers commonly take, so that one span never fills a request.
        span_bytes: 1024 * 1024,
    };
}

/// What a cut text ends in.
pub(crate) const TRUNCATED: &str = "…[truncated]";
/// What stands for a value whose formatting panicked or failed.
pub(crate) const UNPRINTABLE: &str = "<unprintable>";
/// Buffers above this are given back to the allocator when a record is cleared: one 64 KiB prompt must not stay
/// resident in every pooled record.
const KEEP_BYTES: usize = 4 * 1024;

/// What a buffer begins with: room for a usual model call, so that filling one for the first time is two allocations and
/// not eight.
const FIRST_ENTRIES: usize = 16;
const FIRST_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slice {
    at: u32,
    len: u32,
}

impl Slice {
    fn of(self, text: &str) -> &str {
        let at = self.at as usize;
        text.get(at..at + self.len as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Name {
    Static(&'static str),
    Text(Slice),
}

#[derive(Debug, Clone)]
enum Datum {
    I64(i64),
    F64(f64),
    Bool(bool),
    Str(Slice),
    /// Arrays and JSON, which are rare.
    Boxed(Box<Value>),
}

#[derive(Debug, Clone)]
struct Entry {
    name: Name,
    datum: Datum,
}

/// A captured value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FieldRef<'a> {
    I64(i64),
    F64(f64),
    Bool(bool),
    Str(&'a str),
    Value(&'a Value),
}

impl<'a> FieldRef<'a> {
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Str(s) => Some(s),
            Self::Value(Value::Str(s)) => Some(s),
            _ => None,
        }
    }

    /// The value as a count: what counters, `usize` fields and providers' texts alike mean by it. Negative numbers,
    /// fractions and words are none.
    pub(crate) fn as_count(self) -> Option<u64> {
        match self {
            Self::I64(n) => u64::try_from(n).ok(),
            Self::F64(x) if x >= 0.0 && x.fract() == 0.0 && x < 9e15 => Some(x as u64),
            Self::Str(s) => s.trim().parse().ok(),
            _ => None,
        }
    }

    /// The value as a finite number.
    pub(crate) fn as_number(self) -> Option<f64> {
        match self {
            Self::I64(n) => Some(n as f64),
            Self::F64(x) => Some(x),
            Self::Str(s) => s.trim().parse().ok(),
            _ => None,
        }
        .filter(|x| x.is_finite())
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::I64(n) => Value::I64(n),
            Self::F64(x) => Value::F64(x),
            Self::Bool(b) => Value::Bool(b),
            Self::Str(s) => Value::from(s),
            Self::Value(v) => v.clone(),
        }
    }
}

/// The attributes of one record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    entries: Vec<Entry>,
    text: String,
    dropped: u32,
    /// One bit for each name that was ever set here, see [`mark`]: most names are new, and then nothing is searched.
    marks: u64,
}

impl Fields {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Attributes that did not fit.
    pub(crate) fn dropped(&self) -> u32 {
        self.dropped
    }

    pub(crate) fn drop_one(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }

    /// Bytes this holds, spare room included.
    pub(crate) fn capacity_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.text.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.dropped = 0;
        self.marks = 0;
        if self.text.capacity() > KEEP_BYTES {
            self.text.shrink_to(KEEP_BYTES);
        }
        if self.entries.capacity() * size_of::<Entry>() > KEEP_BYTES {
            self.entries.shrink_to(KEEP_BYTES / size_of::<Entry>());
        }
    }

    /// Takes over what `other` holds, without new buffers where these are large enough.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.entries.clone_from(&other.entries);
        self.text.clone_from(&other.text);
        self.dropped = other.dropped;
        self.marks = other.marks;
    }

    #[inline]
    pub(crate) fn get(&self, name: &str) -> Option<FieldRef<'_>> {
        self.position(name).and_then(|at| self.value_at(at))
    }

    #[inline]
    pub(crate) fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(FieldRef::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, FieldRef<'_>)> {
        self.range(0, self.entries.len())
    }

    /// The entries from `from` up to `to`.
    pub(crate) fn range(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (&str, FieldRef<'_>)> {
        let entries = self.entries.get(from..to).unwrap_or_default();
        entries.iter().map(|e| (self.name_of(e), self.value_of(e)))
    }

    pub(crate) fn remove(&mut self, name: &str) -> bool {
        match self.position(name) {
            Some(at) => {
                self.entries.remove(at);
                true
            }
            None => false,
        }
    }

    // === writing ===

    pub(crate) fn set_i64(&mut self, name: &'static str, value: i64, limits: &Limits) {
        self.put(name, Datum::I64(value), limits);
    }

    pub(crate) fn set_f64(&mut self, name: &'static str, value: f64, limits: &Limits) {
        self.put(name, Datum::F64(value), limits);
    }

    pub(crate) fn set_bool(&mut self, name: &'static str, value: bool, limits: &Limits) {
        self.put(name, Datum::Bool(value), limits);
    }

    pub(crate) fn set_str(&mut self, name: &'static str, value: &str, limits: &Limits) {
        if let Some(slice) = self.append(value, limits) {
            self.put(name, Datum::Str(slice), limits);
        }
    }

    /// A value that only `Debug` or `Display` can tell. It runs user code: panics are contained, endless output is cut.
    pub(crate) fn set_fmt(&mut self, name: &'static str, value: &dyn fmt::Debug, limits: &Limits) {
        let start = self.text.len();
        let room = limits
            .value_bytes
            .min(limits.span_bytes.saturating_sub(start));
        let mut writer = Cut {
            text: &mut self.text,
            end: start + room,
            full: false,
        };
        // The buffer is only ever appended to, so a panic half-way leaves it whole.
        let written = catch_unwind(AssertUnwindSafe(|| write!(writer, "{value:?}")));
        let full = writer.full;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(_)) if full => self.mark_cut(start, room),
            Ok(Err(_)) | Err(_) => {
                self.text.truncate(start);
                self.text.push_str(UNPRINTABLE);
            }
        }
        let slice = Slice {
            at: start as u32,
            len: (self.text.len() - start) as u32,
        };
        self.put(name, Datum::Str(slice), limits);
    }

    /// A value of any shape under a name of any origin.
    pub(crate) fn set_value(
        &mut self,
        name: impl Into<crate::event::Key>,
        value: Value,
        limits: &Limits,
    ) {
        let name = match name.into() {
            std::borrow::Cow::Borrowed(name) => Name::Static(name),
            std::borrow::Cow::Owned(name) => match self.append(&name, limits) {
                Some(slice) => Name::Text(slice),
                None => return,
            },
        };
        let datum = match value {
            Value::Bool(b) => Datum::Bool(b),
            Value::I64(n) => Datum::I64(n),
            Value::F64(x) => Datum::F64(x),
            Value::Str(s) => match self.append(&s, limits) {
                Some(slice) => Datum::Str(slice),
                None => return,
            },
            other => Datum::Boxed(Box::new(cut_value(other, limits.value_bytes, 0))),
        };
        if let Some(place) = self.place_again(name, limits) {
            *place = datum;
        }
    }

    /// Sets everything `other` holds.
    pub(crate) fn merge_from(&mut self, other: &Self, limits: &Limits) {
        for entry in &other.entries {
            if let Some(Entry { name, datum }) = self.adopt(entry, &other.text, limits)
                && let Some(place) = self.place_again(name, limits)
            {
                *place = datum;
            }
        }
        self.dropped = self.dropped.saturating_add(other.dropped);
    }

    /// Sets what `other` holds under names that are not set here.
    pub(crate) fn fill_from(&mut self, other: &Self, limits: &Limits) {
        for entry in &other.entries {
            if self.position(other.name_of(entry)).is_none()
                && let Some(Entry { name, datum }) = self.adopt(entry, &other.text, limits)
                && let Some(place) = self.place_again(name, limits)
            {
                *place = datum;
            }
        }
    }

    /// What is here and not, or not with this value, in `other`.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        for (entry, (name, value)) in self.entries.iter().zip(self.iter()) {
            if other.get(name) != Some(value)
                && let Some(entry) = rest.adopt(entry, &self.text, &Limits::DEFAULT)
            {
                rest.marks |= mark(name);
                rest.entries.push(entry);
            }
        }
        rest
    }

    #[inline]
    fn put(&mut self, name: &'static str, datum: Datum, limits: &Limits) {
        if let Some(place) = self.place(name, limits) {
            *place = datum;
        }
    }

    /// Where the value of `name` goes. Not inlined: its few arguments stay in registers, while a whole entry handed around
    /// is written to the stack in halves and read back in one, for which the processor waits.
    #[inline(never)]
    fn place(&mut self, name: &'static str, limits: &Limits) -> Option<&mut Datum> {
        let mark = mark(name);
        if self.marks & mark != 0 || self.entries.len() >= limits.attributes {
            return self.place_again(Name::Static(name), limits);
        }
        self.add(Name::Static(name), mark)
    }

    /// The same for a name that may be there already: what is there is written over, whatever the limits on the count say.
    #[inline(never)]
    fn place_again(&mut self, name: Name, limits: &Limits) -> Option<&mut Datum> {
        let text = self.resolve(name);
        let mark = mark(text);
        match self.position(text) {
            Some(at) => {
                self.compact_if_wasteful();
                self.entries.get_mut(at).map(|entry| &mut entry.datum)
            }
            None if self.entries.len() < limits.attributes => self.add(name, mark),
            None => {
                self.drop_one();
                None
            }
        }
    }

    #[inline]
    fn add(&mut self, name: Name, mark: u64) -> Option<&mut Datum> {
        if self.entries.capacity() == 0 {
            self.entries.reserve(FIRST_ENTRIES);
        }
        self.marks |= mark;
        let datum = Datum::Bool(false);
        self.entries.push(Entry { name, datum });
        self.entries.last_mut().map(|entry| &mut entry.datum)
    }

    /// Adds all of `other` behind what is there, earlier entries of the same name or not, and says from where to where:
    /// the attributes of one event among those of the span's other events.
    pub(crate) fn extend_from(&mut self, other: &Self, limits: &Limits) -> (u32, u32) {
        let from = self.entries.len();
        for entry in &other.entries {
            if let Some(entry) = self.adopt(entry, &other.text, limits) {
                self.entries.push(entry);
            }
        }
        self.marks |= other.marks;
        (from as u32, self.entries.len() as u32)
    }

    // === the buffers ===

    /// An entry of other fields, whose text is `text`, with its text copied here.
    fn adopt(&mut self, entry: &Entry, text: &str, limits: &Limits) -> Option<Entry> {
        let name = match entry.name {
            Name::Text(slice) => Name::Text(self.append(slice.of(text), limits)?),
            name => name,
        };
        let datum = match &entry.datum {
            Datum::Str(slice) => Datum::Str(self.append(slice.of(text), limits)?),
            datum => datum.clone(),
        };
        Some(Entry { name, datum })
    }

    #[inline]
    fn append(&mut self, value: &str, limits: &Limits) -> Option<Slice> {
        let start = self.text.len();
        let room = limits
            .value_bytes
            .min(limits.span_bytes.saturating_sub(start));
        if value.len() > room {
            return self.append_cut(value, room);
        }
        if self.text.capacity() == 0 {
            self.text.reserve(FIRST_BYTES);
        }
        self.text.push_str(value);
        Some(Slice {
            at: start as u32,
            len: value.len() as u32,
        })
    }

    #[cold]
    fn append_cut(&mut self, value: &str, room: usize) -> Option<Slice> {
        if room <= TRUNCATED.len() {
            self.drop_one();
            return None;
        }
        let start = self.text.len();
        self.text.push_str(floor(value, room));
        self.mark_cut(start, room);
        Some(Slice {
            at: start as u32,
            len: (self.text.len() - start) as u32,
        })
    }

    /// Makes the text from `start` on end in the mark, within `room` bytes.
    fn mark_cut(&mut self, start: usize, room: usize) {
        let keep = room.saturating_sub(TRUNCATED.len());
        let end = start + floor(self.text.get(start..).unwrap_or_default(), keep).len();
        self.text.truncate(end);
        self.text.push_str(TRUNCATED);
    }

    /// Overwritten text stays behind in the buffer; a span that is written to for hours must not grow for it.
    fn compact_if_wasteful(&mut self) {
        if self.text.len() < 16 * 1024 {
            return;
        }
        let live = |e: &Entry| {
            let name = if let Name::Text(s) = e.name { s.len } else { 0 };
            let value = if let Datum::Str(s) = e.datum {
                s.len
            } else {
                0
            };
            (name + value) as usize
        };
        if self.entries.iter().map(live).sum::<usize>() * 2 > self.text.len() {
            return;
        }
        let old = std::mem::take(&mut self.text);
        for entry in &mut self.entries {
            let keep = |slice: &mut Slice, text: &mut String| {
                let at = text.len() as u32;
                text.push_str(slice.of(&old));
                slice.at = at;
            };
            if let Name::Text(slice) = &mut entry.name {
                keep(slice, &mut self.text);
            }
            if let Datum::Str(slice) = &mut entry.datum {
                keep(slice, &mut self.text);
            }
        }
    }

    #[inline]
    fn position(&self, name: &str) -> Option<usize> {
        if self.marks & mark(name) == 0 {
            return None;
        }
        self.entries.iter().position(|e| self.name_of(e) == name)
    }

    #[inline]
    fn resolve(&self, name: Name) -> &str {
        match name {
            Name::Static(name) => name,
            Name::Text(slice) => slice.of(&self.text),
        }
    }

    fn name_of<'a>(&'a self, entry: &Entry) -> &'a str {
        self.resolve(entry.name)
    }

    fn value_at(&self, at: usize) -> Option<FieldRef<'_>> {
        self.entries.get(at).map(|e| self.value_of(e))
    }

    fn value_of<'a>(&'a self, entry: &'a Entry) -> FieldRef<'a> {
        match &entry.datum {
            Datum::I64(n) => FieldRef::I64(*n),
            Datum::F64(x) => FieldRef::F64(*x),
            Datum::Bool(b) => FieldRef::Bool(*b),
            Datum::Str(slice) => FieldRef::Str(slice.of(&self.text)),
            Datum::Boxed(value) => FieldRef::Value(value),
        }
    }
}

/// A bit that tells most names apart from most others: by their length and two letters.
#[inline]
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).copied().unwrap_or_default() as usize;
    let sum = bytes.len() * 7 + letter(bytes.len().wrapping_sub(2)) * 3 + letter(bytes.len() / 2);
    1 << (sum % 64)
}

/// The longest prefix of at most `max` bytes that ends between two characters.
pub(crate) fn floor(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Arrays and JSON keep their shape: their texts are cut, and what nests deeper than 64 levels is left out.
fn cut_value(value: Value, max: usize, depth: usize) -> Value {
    match value {
        Value::Str(s) if s.len() > max => Value::from(cut_text(&s, max)),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|v| cut_value(v, max, depth + 1))
                .collect(),
        ),
        Value::Json(json) => Value::Json(cut_json(json, max, depth)),
        other => other,
    }
}

fn cut_json(json: serde_json::Value, max: usize, depth: usize) -> serde_json::Value {
    use serde_json::Value as J;
    match json {
        _ if depth > 64 => J::Null,
        J::String(s) if s.len() > max => J::String(cut_text(&s, max)),
        J::Array(items) => J::Array(
            items
                .into_iter()
                .map(|v| cut_json(v, max, depth + 1))
                .collect(),
        ),
        J::Object(map) => J::Object(
            map.into_iter()
                .map(|(k, v)| (k, cut_json(v, max, depth + 1)))
                .collect(),
        ),
        other => other,
    }
}

fn cut_text(text: &str, max: usize) -> String {
    let mut cut = floor(text, max.saturating_sub(TRUNCATED.len())).to_owned();
    cut.push_str(TRUNCATED);
    cut
}

/// A writer that stops at a byte, so that a `Debug` which would print for ever is told to stop.
struct Cut<'a> {
    text: &'a mut String,
    end: usize,
    full: bool,
}

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.text.len());
        if s.len() <= room && !self.full {
            self.text.push_str(s);
            return Ok(());
        }
        if !self.full {
            self.text.push_str(floor(s, room));
            self.full = true;
        }
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        attributes: 4,
        value_bytes: 40,
        span_bytes: 200,
        events: 4,
        links: 4,
    };

    #[test]
    fn the_last_write_of_a_name_wins_and_keeps_its_place() {
        let mut fields = Fields::default();
        fields.set_i64("a", 1, &LIMITS);
        fields.set_str("b", "one", &LIMITS);
        fields.set_str("a", "two", &LIMITS);
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(
            all,
            [("a", FieldRef::Str("two")), ("b", FieldRef::Str("one"))]
        );
    }

    #[test]
    fn attributes_beyond_the_limit_are_counted_but_known_names_can_still_be_written() {
        let mut fields = Fields::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            fields.set_bool(name, true, &LIMITS);
        }
        fields.set_i64("a", 7, &LIMITS);
        assert_eq!((fields.len(), fields.dropped()), (4, 2));
        assert_eq!(fields.get("a"), Some(FieldRef::I64(7)));
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_marked() {
        let mut fields = Fields::default();
        fields.set_str("a", &"é".repeat(100), &LIMITS);
        let cut = fields.str("a").unwrap();
        assert!(cut.len() <= 40 && cut.ends_with(TRUNCATED) && cut.starts_with("éé"));
    }

    #[test]
    fn text_beyond_the_spans_budget_is_dropped_and_counted() {
        let limits = Limits {
            attributes: 100,
            ..LIMITS
        };
        let mut fields = Fields::default();
        for name in ["a", "b", "c", "d", "e", "f", "g"] {
            fields.set_str(name, &"x".repeat(40), &limits);
        }
        assert_eq!((fields.len(), fields.dropped()), (5, 2));
    }

    #[test]
    fn hostile_formatting_is_contained() {
        struct Panics;
        impl fmt::Debug for Panics {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                panic!("in Debug")
            }
        }
        struct Errs;
        impl fmt::Debug for Errs {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("more and ")?;
                }
            }
        }
        let mut fields = Fields::default();
        fields.set_str("z", "kept", &LIMITS);
        fields.set_fmt("a", &Panics, &LIMITS);
        fields.set_fmt("b", &Errs, &LIMITS);
        fields.set_fmt("c", &Endless, &LIMITS);
        assert_eq!(fields.str("a"), Some(UNPRINTABLE));
        assert_eq!(fields.str("b"), Some(UNPRINTABLE));
        let cut = fields.str("c").unwrap();
        assert!(cut.len() <= 40 && cut.ends_with(TRUNCATED));
        assert_eq!(fields.str("z"), Some("kept"));
    }

    #[test]
    fn a_name_written_for_hours_does_not_grow_the_buffer() {
        let limits = Limits::DEFAULT;
        let mut fields = Fields::default();
        fields.set_str("kept", "here", &limits);
        for i in 0..10_000 {
            fields.set_str("status", &format!("{i:0>100}"), &limits);
        }
        assert!(fields.text.len() <= 17 * 1024);
        assert_eq!(fields.str("kept"), Some("here"));
        assert!(fields.str("status").unwrap().ends_with("9999"));
    }

    #[test]
    fn counts_are_read_from_numbers_and_digits_and_from_nothing_else() {
        let limits = Limits::DEFAULT;
        let mut fields = Fields::default();
        fields.set_i64("a", 3, &limits);
        fields.set_f64("b", 4.0, &limits);
        fields.set_str("c", " 1200 ", &limits);
        for (name, number) in [
            ("d", -1.0),
            ("e", f64::NAN),
            ("f", 0.5),
            ("g", f64::INFINITY),
        ] {
            fields.set_f64(name, number, &limits);
        }
        fields.set_i64("h", -3, &limits);
        let read = |name: &str| fields.get(name).and_then(FieldRef::as_count);
        assert_eq!(
            [read("a"), read("b"), read("c")],
            [Some(3), Some(4), Some(1200)]
        );
        assert!(
            ["d", "e", "f", "g", "h"]
                .into_iter()
                .all(|name| read(name).is_none())
        );
    }

    #[test]
    fn an_entry_takes_two_machine_words_for_the_name_and_two_for_the_value() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
