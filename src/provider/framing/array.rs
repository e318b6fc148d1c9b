//! A JSON array whose elements are the frames: how Gemini streams without `alt=sse`.

use super::{Found, keep};

/// The state between two pieces of bytes.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Array {
    element: Vec<u8>,
    /// Open brackets and braces, those of the array itself left out.
    depth: u32,
    in_text: bool,
    escaped: bool,
    lost: bool,
}

impl Array {
    /// The next bytes.
    pub(in super::super) fn push(&mut self, bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        // Where the element at hand begins in `bytes`.
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = self.depth > 0,
                b'{' => {
                    if self.depth == 0 {
                        from = at;
                    }
                    self.depth += 1;
                }
                b'[' if self.depth > 0 => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.tell(bytes.get(from..=at).unwrap_or_default(), found);
                    }
                }
                _ => {}
            }
        }
        if self.depth > 0 && !self.lost {
            let rest = bytes.get(from..).unwrap_or_default();
            if !keep(&mut self.element, rest) {
                self.lost = true;
                self.element = Vec::new();
            }
        }
    }

    fn tell(&mut self, end: &[u8], found: &mut impl FnMut(Found<'_>)) {
        if self.element.is_empty() && !self.lost {
            return found(Found::Frame("", end));
        }
        self.lost |= !keep(&mut self.element, end);
        if std::mem::take(&mut self.lost) {
            found(Found::Broken);
        } else {
            found(Found::Frame("", &self.element));
        }
        self.element.clear();
    }

    /// An element that has not ended says nothing.
    pub(in super::super) fn rest(self, found: &mut impl FnMut(Found<'_>)) {
        if self.lost {
            found(Found::Broken);
        }
    }
}
