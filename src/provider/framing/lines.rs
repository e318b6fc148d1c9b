//! A JSON value a line (`application/x-ndjson`).

use super::{Found, keep};

/// The state between two pieces of bytes.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Lines {
    line: Vec<u8>,
    lost: bool,
}

impl Lines {
    /// The next bytes.
    pub(in super::super) fn push(&mut self, mut bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.line.is_empty() && !self.lost {
                tell(line, found);
                continue;
            }
            self.lost |= !keep(&mut self.line, line);
            if std::mem::take(&mut self.lost) {
                found(Found::Broken);
            } else {
                tell(&self.line, found);
            }
            self.line.clear();
        }
        if !self.lost && !keep(&mut self.line, bytes) {
            self.lost = true;
            self.line = Vec::new();
        }
    }

    /// What came without a line end.
    pub(in super::super) fn rest(self, found: &mut impl FnMut(Found<'_>)) {
        if self.lost {
            found(Found::Broken);
        } else {
            tell(&self.line, found);
        }
    }
}

fn tell(line: &[u8], found: &mut impl FnMut(Found<'_>)) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        found(Found::Frame("", line));
    }
}
