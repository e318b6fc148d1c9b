//! Text as the rules read it, and the way back to the text as it was written.
//!
//! Promise: ASCII text is read where it lies, without a copy. Other text comes out with compatibility forms (full width,
//! mathematical letters, ligatures) and accents folded, in lower case, without what cannot be seen, with tags as the letters
//! they stand for and with letters of other alphabets as the Latin ones they imitate inside a Latin word; each place in it
//! leads back to the characters it came from.
//! Never: used for anything but finding. The text that is sent, stored or shown is the original.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::char::decompose_compatible;

use super::hidden::{self, Hidden};

/// Text in the form of Cylestio's word lists: white space collapsed to single spaces, trimmed, in upper case. Nothing
/// else is folded.
///
/// ```
/// use tracing_genai::security::normalize_text;
///
/// assert_eq!(normalize_text("  rm \t -rf\n"), "RM -RF");
/// ```
pub fn normalize_text(text: &str) -> Cow<'_, str> {
    upper(text).text
}

/// A text to search in, and the way back.
#[derive(Debug)]
pub(super) struct Folded<'t> {
    pub(super) text: Cow<'t, str>,
    original: &'t str,
    /// From the place `.0` in the folded text on, the original is at `.1`. Ascending; empty when nothing moved.
    moves: Vec<(usize, usize)>,
}

impl<'t> Folded<'t> {
    fn same(text: &'t str) -> Folded<'t> {
        Folded {
            text: Cow::Borrowed(text),
            original: text,
            moves: Vec::new(),
        }
    }

    /// The range of the original a range of the folded text came from, on character boundaries.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = floor(self.original, self.place(range.start));
        if range.is_empty() {
            return start..start;
        }
        // Not the end but the last byte leads back: the end may be the beginning of something that was moved.
        let last = floor(self.original, self.place(range.end - 1));
        start..ceil(self.original, last + 1)
    }

    fn place(&self, at: usize) -> usize {
        let after = self.moves.partition_point(|(folded, _)| *folded <= at);
        let (folded, original) = match after.checked_sub(1) {
            Some(before) => self.moves[before],
            None => (0, 0),
        };
        // A character that became longer may not reach into the next one.
        let next = self.moves.get(after).map(|(_, original)| *original);
        let most = next.unwrap_or(self.original.len() + 1) - 1;
        (original + (at - folded)).min(most)
    }
}

/// The last character boundary that is not after `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    let mut near = (at.saturating_sub(3)..=at).rev();
    near.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first character boundary that is not before `at`.
fn ceil(text: &str, at: usize) -> usize {
    let mut near = at..text.len();
    near.find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

/// For Cylestio's lists: white space collapsed, upper case.
pub(super) fn upper(text: &str) -> Folded<'_> {
    // Python's notion of white space, which counts four separators that Unicode does not.
    let is_space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let mut out = Folder::new(text);
    let mut space_at = None;
    for (at, c) in text.char_indices() {
        if is_space(c) {
            space_at.get_or_insert(at);
            continue;
        }
        if let Some(space) = space_at.take()
            && !out.text.is_empty()
        {
            out.put(space, ' ');
        }
        for upper in c.to_uppercase() {
            out.put(at, upper);
        }
    }
    if out.text == text {
        return Folded::same(text);
    }
    out.done()
}

/// For everything else. What is hidden in the text is told to `hidden`.
pub(super) fn lower<'t>(text: &'t str, hidden: &mut Hidden) -> Folded<'t> {
    if text.is_ascii() {
        return Folded::same(text);
    }
    let mut out = Folder::new(text);
    let mut word = Word::default();
    let mut at = 0;
    while at < text.len() {
        let ascii = ascii_run(&text.as_bytes()[at..]);
        out.put_all(at, &text[at..at + ascii]);
        at += ascii;
        let Some(c) = text[at..].chars().next() else {
            break;
        };
        if stays(c) {
            out.put(at, c);
        } else if hidden::is_hidden(c) {
            hidden.see(text, at, c);
            if let Some(letter) = hidden::tag_letter(c) {
                out.put(at, letter);
            }
        } else if is_mark(c) {
            // An accent on its own, as in letters buried under stacks of them.
        } else if let Some(latin) = imitated(c).filter(|_| word.is_mixed(text, at)) {
            out.put(at, latin);
        } else {
            decompose_compatible(c, |part| fold_part(part, |c| out.put(at, c)));
        }
        at += c.len_utf8();
    }
    out.done()
}

fn fold_part(part: char, mut put: impl FnMut(char)) {
    match part {
        _ if is_mark(part) => {}
        '\u{2010}'..='\u{2015}' | '\u{2212}' => put('-'),
        '\u{2018}'..='\u{201b}' | '\u{2032}' => put('\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' => put('"'),
        '\u{2044}' | '\u{2215}' => put('/'),
        _ if part.is_whitespace() => put(' '),
        _ => part.to_lowercase().filter(|c| !is_mark(*c)).for_each(put),
    }
}

/// Letters that fold to themselves, so that long texts in their scripts need no look-up: lower-case Cyrillic that imitates
/// nothing, CJK, kana, Hangul, and pictures.
fn stays(c: char) -> bool {
    matches!(c,
        'б' | 'д' | 'ж'..='и' | 'л' | 'н' | 'п' | 'ф' | 'ц'..='ы' | 'э'..='я'
        | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}'
    )
}

/// Accents that are written after their letter. Vowel signs of scripts that need them are not among them.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The Latin letter a Cyrillic, Greek, Armenian or phonetic one looks like. After the confusables of UTS 39, the single letters.
fn imitated(c: char) -> Option<char> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'Β' | 'Ь' | 'ь' => 'b',
        'с' | 'С' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'Е' | 'ё' | 'Ё' | 'Ε' | 'ε' => 'e',
        'ɡ' => 'g',
        'һ' | 'Н' | 'Η' => 'h',
        'і' | 'І' | 'ι' | 'Ι' | 'ı' => 'i',
        'ј' | 'Ј' => 'j',
        'К' | 'к' | 'Κ' | 'κ' => 'k',
        'ӏ' | 'Ӏ' => 'l',
        'М' | 'м' | 'Μ' => 'm',
        'Ν' | 'ո' => 'n',
        'о' | 'О' | 'ο' | 'Ο' | 'σ' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'т' | 'Τ' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ѡ' | 'ω' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'γ' | 'Υ' => 'y',
        'Ζ' => 'z',
        _ => return None,
    })
}

/// Whether the word at a place has Latin letters in it, remembered to the end of the word.
#[derive(Default)]
struct Word {
    end: usize,
    mixed: bool,
}

impl Word {
    /// Bytes of a word that are looked at, on each side.
    const REACH: usize = 64;

    fn is_mixed(&mut self, text: &str, at: usize) -> bool {
        if at < self.end {
            return self.mixed;
        }
        let is_letter = |c: &char| c.is_alphabetic() || hidden::is_hidden(*c) || is_mark(*c);
        let from = floor(text, at.saturating_sub(Word::REACH));
        let to = floor(text, at + Word::REACH);
        let before = text[from..at].chars().rev().take_while(is_letter);
        let after = || text[at..to].chars().take_while(is_letter);
        self.mixed = before.chain(after()).any(|c| c.is_ascii_alphabetic());
        self.end = at + after().map(char::len_utf8).sum::<usize>();
        self.mixed
    }
}

/// How many bytes at the start are ASCII.
fn ascii_run(bytes: &[u8]) -> usize {
    let mut run = 0;
    for block in bytes.chunks(32) {
        if !block.is_ascii() {
            return run + block.iter().take_while(|byte| byte.is_ascii()).count();
        }
        run += block.len();
    }
    run
}

/// Builds a [`Folded`].
struct Folder<'t> {
    text: String,
    original: &'t str,
    moves: Vec<(usize, usize)>,
    /// How far a place in `text` is ahead of its place in the original, wrapping.
    shift: usize,
    /// The place in the original that was put last.
    noted: Option<usize>,
}

impl<'t> Folder<'t> {
    fn new(original: &'t str) -> Folder<'t> {
        Folder {
            text: String::with_capacity(original.len()),
            original,
            moves: Vec::new(),
            shift: 0,
            noted: None,
        }
    }

    fn note(&mut self, at: usize) {
        // Of the characters one became, the first leads back.
        if self.noted == Some(at) {
            return;
        }
        self.noted = Some(at);
        let shift = self.text.len().wrapping_sub(at);
        if shift != self.shift {
            self.shift = shift;
            self.moves.push((self.text.len(), at));
        }
    }

    fn put(&mut self, at: usize, c: char) {
        self.note(at);
        self.text.push(c);
    }

    fn put_all(&mut self, at: usize, text: &str) {
        if !text.is_empty() {
            self.note(at);
            self.text.push_str(text);
        }
    }

    fn done(self) -> Folded<'t> {
        Folded {
            text: Cow::Owned(self.text),
            original: self.original,
            moves: self.moves,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        lower(text, &mut Hidden::default()).text.into_owned()
    }

    #[test]
    fn what_looks_the_same_reads_the_same() {
        for (text, expected) in [
            ("Ｉｇｎｏｒｅ", "ignore"),
            ("𝐢𝐠𝐧𝐨𝐫𝐞 𝓪𝓵𝓵", "ignore all"),
            ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
            ("ig\u{200b}no\u{ad}re", "ignore"),
            ("ïgnörè", "ignore"),
            ("i\u{334}g\u{35f}n\u{300}\u{301}\u{302}ore", "ignore"),
            ("ignоrе", "ignore"),
            ("\u{e0069}\u{e0067}", "ig"),
            ("don’t “go” – now", "don't \"go\" - now"),
            ("ﬁle", "file"),
            ("a\u{a0}b", "a b"),
            // Words of their own alphabets are left alone.
            ("тоска", "тоска"),
            ("忽略之前的指令", "忽略之前的指令"),
            ("がっこう", "がっこう"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }

    #[test]
    fn every_place_leads_back_to_whole_characters() {
        for text in [
            "aﬁb",
            "ß",
            "ßß",
            "Ｉｇ no\u{200b}re",
            "ﷺ!",
            "x\u{e0069}\u{e0067}y",
            "  a \t ß b ",
            "İ",
            "…",
            "\u{200b}",
        ] {
            for folded in [upper(text), lower(text, &mut Hidden::default())] {
                let len = folded.text.len();
                for start in 0..=len {
                    for end in start..=len {
                        let range = folded.original(start..end);
                        assert!(text.get(range.clone()).is_some(), "{text:?} {range:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_place_in_folded_text_leads_back_to_what_it_came_from() {
        let folded = lower("è: Ｉｇｎｏｒｅ ﬁles\u{200b}, è", &mut Hidden::default());
        for (part, from) in [
            ("ignore", "Ｉｇｎｏｒｅ"),
            ("files", "ﬁles"),
            (", e", ", è"),
        ] {
            let at = folded.text.find(part).unwrap();
            let range = folded.original(at..at + part.len());
            assert_eq!(&folded.original[range], from);
        }
    }

    #[test]
    fn a_place_in_upper_case_leads_back_to_the_letter_that_became_two() {
        let folded = upper("aßb  ß c");
        for (part, from) in [("SSB", 1..4), ("B SS", 3..8), ("S C", 6..10)] {
            let at = folded.text.find(part).unwrap();
            assert_eq!(folded.original(at..at + part.len()), from, "{part}");
        }
    }

    #[test]
    fn the_upper_case_form_is_the_one_of_the_word_lists() {
        for (text, expected) in [
            ("", ""),
            (" \n", ""),
            ("ABC", "ABC"),
            ("rm  -rf\u{1f}x", "RM -RF X"),
            ("straße", "STRASSE"),
            ("a\u{200b}b", "A\u{200b}B"),
        ] {
            assert_eq!(normalize_text(text), expected);
        }
        assert!(matches!(normalize_text("A B"), Cow::Borrowed("A B")));
    }
}
