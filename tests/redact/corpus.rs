//! The lines of `tests/data/security`, with what stands for generated characters filled in.

use std::fmt::Write as _;

/// A text with a secret in it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) rule: String,
    pub(crate) text: String,
    pub(crate) secret: String,
}

pub(crate) fn cases() -> Vec<Case> {
    let lines = lines(include_str!("../data/security/secrets.txt"));
    lines
        .map(|(number, line)| {
            let (rule, template) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("line {number} has no tab"));
            let text = fill(&unescape(template), number as u64);
            let (before, rest) = text
                .split_once('«')
                .unwrap_or_else(|| panic!("line {number} has no secret"));
            let (secret, after) = rest
                .split_once('»')
                .unwrap_or_else(|| panic!("line {number} has no end"));
            Case {
                rule: rule.to_owned(),
                text: format!("{before}{secret}{after}"),
                secret: secret.to_owned(),
            }
        })
        .collect()
}

pub(crate) fn near_misses() -> Vec<String> {
    lines(include_str!("../data/security/near_misses.txt"))
        .map(|(_, line)| unescape(line))
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with("# "))
}

/// `\n`, `\r`, `\t`, `\\` and `\u{…}`; any other `\` stays.
fn unescape(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let c = after.chars().next().unwrap();
        rest = &after[1..];
        match c {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '\\' => out.push('\\'),
            'u' if rest.starts_with('{') => {
                let (code, after) = rest[1..].split_once('}').unwrap();
                out.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                rest = after;
            }
            c => write!(out, "\\{c}").unwrap(),
        }
    }
    out + rest
}

/// `{b62:20}` and its kin; `{}` is nothing, other braces stay.
fn fill(template: &str, seed: u64) -> String {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let made = after.split_once('}').and_then(|(spec, after)| match spec {
            "" => Some((String::new(), after)),
            spec => {
                let (alphabet, length) = spec.split_once(':')?;
                Some((
                    random.text(alphabet_of(alphabet)?, length.parse().ok()?),
                    after,
                ))
            }
        });
        match made {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

pub(crate) const B62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn alphabet_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "b62" => B62,
        "hex" => "0123456789abcdef",
        "b32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "b64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "url" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        "num" => "1234567890",
        "up" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        _ => return None,
    })
}

/// The same on every machine and in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        // xorshift64*.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        // Begins and ends with a letter or digit, as keys do.
        let mut text: Vec<u8> = (0..length)
            .map(|_| alphabet[(self.next() % alphabet.len() as u64) as usize])
            .collect();
        for at in [0, length.saturating_sub(1)] {
            while !text.is_empty() && !text[at].is_ascii_alphanumeric() {
                text[at] = alphabet[(self.next() % alphabet.len() as u64) as usize];
            }
        }
        String::from_utf8(text).unwrap()
    }
}
