//! Captured attributes: names and values of one record, in two buffers that are used again and again.
//!
//! Text lies in one `String`, numbers lie inline, names are mostly `&'static str`: filling a used record allocates nothing.
//! Promise: the last write of a name wins; count, value length and total bytes stay within [`Limits`], what is cut is
//! counted, text is cut at a character boundary.
//! Never: runs user code, except [`Fields::set_fmt`], which contains its panics and cuts it off at the limit.

use std::fmt::{self, Write as _};

use super::cut::{Cut, TRUNCATED, UNPRINTABLE, cut_value, floor};
use super::{FieldRef, Limits};
use crate::contain::contain;
use crate::event::{Key, Value};

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

/// The attributes of one record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    entries: Vec<Entry>,
    text: String,
    dropped: u32,
    /// Bytes of the values that lie elsewhere, or more.
    boxed: usize,
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
        self.entries.capacity() * size_of::<Entry>() + self.text.capacity() + self.boxed
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.dropped = 0;
        self.boxed = 0;
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
        self.boxed = other.boxed;
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

    /// The same with the names as they are: those known at compile time stay borrowed.
    pub(crate) fn keyed(&self) -> impl Iterator<Item = (Key, FieldRef<'_>)> {
        self.entries.iter().map(|entry| {
            let name = match entry.name {
                Name::Static(name) => Key::Borrowed(name),
                Name::Text(slice) => Key::Owned(slice.of(&self.text).to_owned()),
            };
            (name, self.value_of(entry))
        })
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

    /// Sets a text whatever its length: what was fitted into a budget of its own is on no other.
    pub(crate) fn put_whole(&mut self, name: &str, text: &str) {
        let slice = self.append_whole(text);
        self.put_again(name, Datum::Str(slice));
    }

    /// Sets a count, whatever the limits say.
    pub(crate) fn put_count(&mut self, name: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.put_again(name, Datum::I64(count));
    }

    fn put_again(&mut self, name: &str, datum: Datum) {
        if let Some(entry) = self.position(name).and_then(|at| self.entries.get_mut(at)) {
            entry.datum = datum;
            return;
        }
        self.marks |= mark(name);
        let name = Name::Text(self.append_whole(name));
        self.entries.push(Entry { name, datum });
    }

    // === one by one ===

    pub(crate) fn name_at(&self, at: usize) -> Option<&str> {
        self.entries.get(at).map(|entry| self.name_of(entry))
    }

    /// Gives the entry at `at` another name, which must be nobody's here.
    pub(crate) fn rename_at(&mut self, at: usize, name: &'static str) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.name = Name::Static(name);
            self.marks |= mark(name);
        }
    }

    /// Gives the entry at `at` another text.
    pub(crate) fn put_at(&mut self, at: usize, text: &str, limits: &Limits) {
        if let Some(slice) = self.append(text, limits)
            && let Some(entry) = self.entries.get_mut(at)
        {
            entry.datum = Datum::Str(slice);
        }
    }

    pub(crate) fn remove_at(&mut self, at: usize) {
        if at < self.entries.len() {
            self.entries.remove(at);
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
        let written = contain(|| write!(writer, "{value:?}"));
        let full = writer.full;
        match written {
            Some(Ok(())) => {}
            Some(Err(_)) if full => self.mark_cut(start, room),
            Some(Err(_)) | None => {
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
    pub(crate) fn set_value(&mut self, name: impl Into<Key>, value: Value, limits: &Limits) {
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
            other => {
                let value = cut_value(other, limits.value_bytes, 0);
                let bytes = value.bytes();
                if bytes > limits.structure_bytes.saturating_sub(self.boxed) {
                    self.drop_one();
                    return;
                }
                self.boxed += bytes;
                Datum::Boxed(Box::new(value))
            }
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

    /// Changes names and values where they are: `change` gets each entry and says what its name and its value become.
    ///
    /// No limit applies: what takes secrets out must not fail for want of room.
    pub(crate) fn rewrite(
        &mut self,
        mut change: impl FnMut(&str, FieldRef<'_>) -> (Option<String>, Option<Value>),
    ) {
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get(at) else {
                return;
            };
            let (name, value) = change(self.name_of(entry), self.value_of(entry));
            let name = name.map(|name| {
                self.marks |= mark(&name);
                Name::Text(self.append_whole(&name))
            });
            let datum = value.map(|value| match value {
                Value::Bool(b) => Datum::Bool(b),
                Value::I64(n) => Datum::I64(n),
                Value::F64(x) => Datum::F64(x),
                Value::Str(s) => Datum::Str(self.append_whole(&s)),
                other => Datum::Boxed(Box::new(other)),
            });
            if let Some(entry) = self.entries.get_mut(at) {
                entry.name = name.unwrap_or(entry.name);
                if let Some(datum) = datum {
                    entry.datum = datum;
                }
            }
        }
    }

    fn append_whole(&mut self, value: &str) -> Slice {
        let at = self.text.len() as u32;
        self.text.push_str(value);
        Slice {
            at,
            len: value.len() as u32,
        }
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
            Datum::Boxed(value) => {
                self.boxed += value.bytes();
                Datum::Boxed(value.clone())
            }
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
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
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

    pub(crate) fn value_at(&self, at: usize) -> Option<FieldRef<'_>> {
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

#[cfg(test)]
mod tests;
