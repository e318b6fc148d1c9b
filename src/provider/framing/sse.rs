//! Server-sent events, by the rules of the HTML standard (§9.2.6): lines end in LF, CR or CRLF, a byte order mark may stand in
//! front, lines that begin with a colon are comments, several `data` lines are one text with line breaks in it.

use super::{Found, keep};

/// The state between two pieces of bytes.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Sse {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    event: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The line, or the event, is larger than the limit: the rest of it passes by.
    line_lost: bool,
    event_lost: bool,
    /// The last byte was a CR, so a LF that follows belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Sse {
    /// The next bytes.
    pub(in super::super) fn push(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        if std::mem::take(&mut self.after_cr) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            if self.line.is_empty() && !self.line_lost {
                self.read(line, found);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                self.line_lost |= !keep(&mut whole, line);
                if std::mem::take(&mut self.line_lost) {
                    self.event_lost = true;
                } else {
                    self.read(&whole, found);
                }
                whole.clear();
                self.line = whole;
            }
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
        }
        if !self.line_lost && !keep(&mut self.line, bytes) {
            self.line_lost = true;
            self.line = Vec::new();
        }
    }

    /// What came without the blank line that ends an event.
    pub(in super::super) fn rest(mut self, found: &mut impl FnMut(Found<'_>)) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() && !self.line_lost {
            self.read(&line, found);
        }
        self.dispatch(found);
    }

    fn read(&mut self, line: &[u8], found: &mut impl FnMut(Found<'_>)) {
        let line = match std::mem::replace(&mut self.begun, true) {
            false => line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            return self.dispatch(found);
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.event_lost |= !keep(&mut self.data, b"\n");
                }
                self.has_data = true;
                self.event_lost |= !keep(&mut self.data, value);
            }
            b"event" => {
                self.event.clear();
                self.event_lost |= !keep(&mut self.event, value);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, found: &mut impl FnMut(Found<'_>)) {
        if std::mem::take(&mut self.event_lost) {
            found(Found::Broken);
        } else if self.has_data {
            let event = std::str::from_utf8(&self.event).unwrap_or_default();
            found(Found::Frame(event, &self.data));
        }
        self.has_data = false;
        self.event.clear();
        self.data.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut sse, mut all) = (Sse::default(), Vec::new());
        let mut found = |found: Found<'_>| {
            let Found::Frame(event, data) = found else {
                panic!("{found:?}");
            };
            all.push((event.to_owned(), String::from_utf8_lossy(data).into_owned()));
        };
        pieces.iter().for_each(|piece| sse.push(piece, &mut found));
        sse.rest(&mut found);
        all
    }

    #[test]
    fn line_ends_comments_and_marks_are_as_the_standard_has_them() {
        let text = "\u{feff}: hello\r\nevent: a\rdata:1\n\ndata: 2\r\ndata: 3\r\n\r\nid: 7\n\nevent: b\ndata\n\n";
        let expected = [("a", "1"), ("", "2\n3"), ("b", "")];
        let expected = expected.map(|(event, data)| (event.to_owned(), data.to_owned()));
        assert_eq!(events(&[text.as_bytes()]), expected);
        let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
        assert_eq!(events(&bytes), expected);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        assert_eq!(events(&[b"data: 1\n\ndata: 2"]).len(), 2);
    }

    #[test]
    fn a_line_above_the_limit_is_counted_and_the_next_event_is_read() {
        let (mut sse, mut broken, mut read) = (Sse::default(), 0, 0);
        let mut found = |found: Found<'_>| match found {
            Found::Broken => broken += 1,
            _ => read += 1,
        };
        sse.push(b"data: ", &mut found);
        for _ in 0..20 {
            sse.push(&[b'x'; 1 << 20], &mut found);
        }
        sse.push(b"\n\ndata: 1\n\n", &mut found);
        assert!(sse.line.capacity() < 2 * crate::provider::Reader::LIMIT);
        assert_eq!((broken, read), (1, 1));
    }
}
