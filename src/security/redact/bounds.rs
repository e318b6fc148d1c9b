//! Where words begin and end.

/// What may belong to a token of Base64 or its kin.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The byte before `at`, unless it is the end of an escape: in `\nAKIA…`, `%20AKIA…` and `\u0009AKIA…` nothing stands before the
/// `A`.
pub(super) fn before(bytes: &[u8], at: usize) -> Option<u8> {
    let byte = *bytes.get(at.checked_sub(1)?)?;
    let behind = |mark: &[u8], digits: usize| {
        let digits = at.checked_sub(digits).map(|from| (from, &bytes[from..at]));
        digits.is_some_and(|(from, digits)| {
            digits.iter().all(u8::is_ascii_hexdigit) && bytes[..from].ends_with(mark)
        })
    };
    let letter = matches!(byte, b'n' | b'r' | b't' | b'b' | b'f' | b'0')
        && at >= 2
        && bytes.get(at - 2) == Some(&b'\\');
    let escaped = letter || behind(b"%", 2) || behind(b"\\u", 4) || behind(b"\\x", 2);
    (!escaped).then_some(byte)
}

/// The last place of a character's beginning, no later than `at`.
pub(super) fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The first place of a character's beginning, no earlier than `at`.
pub(super) fn ceil(text: &str, at: usize) -> usize {
    let mut places = at..text.len();
    places
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

/// Whether one of the words (lower case) ends within `reach` bytes before `at`, with no line between.
pub(super) fn context(bytes: &[u8], at: usize, reach: usize, words: &[&str]) -> bool {
    let from = at.saturating_sub(reach);
    let window = bytes.get(from..at).unwrap_or_default();
    let window = match memchr::memrchr(b'\n', window) {
        Some(line) => &window[line..],
        None => window,
    };
    words.iter().any(|word| {
        window.windows(word.len()).enumerate().any(|(n, piece)| {
            piece.eq_ignore_ascii_case(word.as_bytes())
                && n.checked_sub(1)
                    .is_none_or(|before| !window[before].is_ascii_alphabetic())
        })
    })
}
