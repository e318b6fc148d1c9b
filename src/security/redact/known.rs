//! Short attributes that were looked at before and found clean: most of what spans say, they say again and again.
//!
//! Promise: bounded memory, no allocation after the first record, and never a wrong answer: name and text are compared whole.

/// The longest name and text together that are remembered, in bytes.
const LONGEST: usize = 118;
/// Places there are. A pair has one it can be in, and takes it from whoever was there.
const PLACES: usize = 1024;

#[derive(Clone, Copy)]
struct Pair {
    name: u8,
    text: u8,
    bytes: [u8; LONGEST],
}

impl Pair {
    const NONE: Self = Self {
        name: u8::MAX,
        text: u8::MAX,
        bytes: [0; LONGEST],
    };

    fn is(&self, name: &[u8], text: &[u8]) -> bool {
        let (mine, rest) = self.bytes.split_at(name.len());
        usize::from(self.name) == name.len()
            && usize::from(self.text) == text.len()
            && mine == name
            && rest.get(..text.len()) == Some(text)
    }
}

/// A memory of clean attributes. Belongs to one redactor with the same rules all its life.
#[derive(Default)]
pub(crate) struct Known {
    pairs: Box<[Pair]>,
}

impl Known {
    fn place(&self, name: &[u8], text: &[u8]) -> usize {
        // Where a pair lies is no secret and no promise, so eight bytes at a time are mixed well enough.
        let mut hash = name.len() as u64 ^ ((text.len() as u64) << 32);
        for part in [name, text] {
            for chunk in part.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word))
                    .wrapping_mul(0x517c_c1b7_2722_0a95);
            }
        }
        (hash >> 40) as usize % PLACES
    }

    /// Whether this text under this name was [remembered](Self::remember).
    pub(super) fn has(&self, name: &str, text: &str) -> bool {
        let (name, text) = (name.as_bytes(), text.as_bytes());
        if name.len() + text.len() > LONGEST || self.pairs.is_empty() {
            return false;
        }
        self.pairs[self.place(name, text)].is(name, text)
    }

    /// Remembers that this text under this name is clean.
    pub(super) fn remember(&mut self, name: &str, text: &str) {
        let (name, text) = (name.as_bytes(), text.as_bytes());
        if name.len() + text.len() > LONGEST {
            return;
        }
        if self.pairs.is_empty() {
            self.pairs = vec![Pair::NONE; PLACES].into_boxed_slice();
        }
        let mut pair = Pair {
            name: name.len() as u8,
            text: text.len() as u8,
            ..Pair::NONE
        };
        pair.bytes[..name.len()].copy_from_slice(name);
        pair.bytes[name.len()..name.len() + text.len()].copy_from_slice(text);
        let place = self.place(name, text);
        self.pairs[place] = pair;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_remembered_whole_is_known() {
        let mut known = Known::default();
        assert!(!known.has("a", "bc"));
        known.remember("a", "bc");
        assert!(known.has("a", "bc"));
        assert!(!known.has("ab", "c") && !known.has("a", "b") && !known.has("a", "bcd"));
        let long = "x".repeat(LONGEST);
        known.remember("a", &long);
        assert!(!known.has("a", &long));
        known.remember("", &long);
        assert!(known.has("", &long));
    }

    #[test]
    fn many_pairs_take_the_places_of_each_other_and_are_never_confused() {
        let mut known = Known::default();
        for n in 0..10_000 {
            let text = n.to_string();
            known.remember("n", &text);
            assert!(known.has("n", &text));
        }
        let kept = (0..10_000).filter(|n: &u32| known.has("n", &n.to_string()));
        let kept = kept.count();
        assert!(kept <= PLACES && kept > PLACES / 4, "{kept}");
    }
}
