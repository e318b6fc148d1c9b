//! What stands where something was found.
//!
//! Promise: a mask applied to what it made changes nothing, and none of them tells how long a secret was.

use std::borrow::Cow;

use super::marker;

/// How a finding is shown. The default everywhere is [`Mask::Label`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mask {
    /// `[REDACTED:rule]`.
    #[default]
    Label,
    /// `****`, whatever the length.
    Full,
    /// The first and the last `keep` characters around `****`. What is shorter than four times `keep` is masked in full, so
    /// that at most half of it is shown. Zero is [`Mask::Full`].
    Partial {
        /// Characters shown at each end.
        keep: usize,
    },
    /// The last four digits: `****1111`.
    CreditCard,
    /// The first letter and the domain: `a****@lovelace.dev`.
    Email,
    /// The last two digits, and whether it was international: `+****67`.
    Phone,
    /// The last four digits: `***-**-6789`.
    Ssn,
    /// Text of your own. It must not itself be something a rule finds; [`build`](super::RedactorBuilder::build) checks that.
    Text(Cow<'static, str>),
}

const STARS: &str = "****";
const SSN_HEAD: &str = "***-**-";

impl Mask {
    /// A replacement of your own, such as `"[CREDIT_CARD]"`.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Whether anything of the original is shown.
    pub(super) fn reveals(&self) -> bool {
        !matches!(self, Self::Label | Self::Full | Self::Text(_))
    }

    /// Appends what stands for `found`.
    pub(super) fn write(&self, rule: &str, found: &str, out: &mut String) {
        if self.made(found) {
            return out.push_str(found);
        }
        match self {
            Self::Label => marker::label(rule, out),
            Self::Full => out.push_str(STARS),
            Self::Text(text) => out.push_str(text),
            Self::Partial { keep } => match ends(found, *keep) {
                Some((head, tail)) => out.extend([head, STARS, tail]),
                None => out.push_str(STARS),
            },
            Self::CreditCard => {
                out.push_str(STARS);
                out.push_str(&last_digits(found, 4, 12));
            }
            Self::Ssn => {
                out.push_str(SSN_HEAD);
                out.push_str(&last_digits(found, 4, 9));
            }
            Self::Phone => {
                out.push_str(if found.starts_with('+') { "+" } else { "" });
                out.push_str(STARS);
                out.push_str(&last_digits(found, 2, 7));
            }
            Self::Email => match found.rsplit_once('@') {
                Some((user, domain)) if !user.is_empty() => {
                    out.extend(user.chars().next());
                    out.extend([STARS, "@", domain]);
                }
                _ => out.push_str(STARS),
            },
        }
    }

    /// Whether `text` is what this mask makes, so that a second pass leaves it alone.
    pub(super) fn made(&self, text: &str) -> bool {
        let digits = |tail: &str, n: usize| {
            (tail.len() == n || tail.is_empty()) && tail.bytes().all(|b| b.is_ascii_digit())
        };
        if marker::is_marker(text) || text == STARS {
            return true;
        }
        match self {
            Self::Label | Self::Full => false,
            Self::Text(own) => text == own,
            Self::Partial { keep } => {
                after(text, *keep).is_some_and(|tail| tail.chars().count() == *keep)
            }
            Self::CreditCard => text.strip_prefix(STARS).is_some_and(|t| digits(t, 4)),
            Self::Ssn => text.strip_prefix(SSN_HEAD).is_some_and(|t| digits(t, 4)),
            Self::Phone => {
                let text = text.strip_prefix('+').unwrap_or(text);
                text.strip_prefix(STARS).is_some_and(|t| digits(t, 2))
            }
            Self::Email => after(text, 1).is_some_and(|tail| tail.starts_with('@')),
        }
    }
}

/// What follows the stars that follow the first `shown` characters.
fn after(text: &str, shown: usize) -> Option<&str> {
    let (at, _) = text.char_indices().nth(shown)?;
    text.get(at..)?.strip_prefix(STARS)
}

/// The first and last `keep` characters, where that shows half at most.
fn ends(text: &str, keep: usize) -> Option<(&str, &str)> {
    if keep == 0 || text.chars().count() < keep.saturating_mul(4) {
        return None;
    }
    let (head, _) = text.char_indices().nth(keep)?;
    let (tail, _) = text.char_indices().nth_back(keep - 1)?;
    Some((text.get(..head)?, text.get(tail..)?))
}

/// The last `n` digits, or none where there are fewer than `of` in all.
fn last_digits(text: &str, n: usize, of: usize) -> String {
    let digits: Vec<char> = text.chars().filter_map(super::fold::digit).collect();
    if digits.len() < of {
        return String::new();
    }
    digits[digits.len() - n..].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mask_method_shows_what_it_says_and_is_stable() {
        let partial = Mask::Partial { keep: 4 };
        for (mask, from, to) in [
            (Mask::Label, "hunter2", "[REDACTED:r]"),
            (Mask::Full, "hunter2", "****"),
            (Mask::Full, "", "****"),
            (partial.clone(), "abcdefghijklmnop", "abcd****mnop"),
            (partial.clone(), "abcdefghijklmno", "****"),
            (partial, "äöüßefghijklmnéè→", "äöüß****néè→"),
            (Mask::Partial { keep: 1 }, "*****abc", "*****c"),
            (Mask::Partial { keep: 0 }, "abc", "****"),
            (Mask::Partial { keep: usize::MAX }, "abc", "****"),
            (Mask::CreditCard, "4111 1111 1111 1234", "****1234"),
            (
                Mask::CreditCard,
                "４１１１１１１１１１１１１２３４",
                "****1234",
            ),
            (Mask::CreditCard, "1234", "****"),
            (Mask::Email, "ada@lovelace.dev", "a****@lovelace.dev"),
            (Mask::Email, "ädä@lovelace.dev", "ä****@lovelace.dev"),
            (Mask::Email, "no address", "****"),
            (Mask::Phone, "+49 30 1234567", "+****67"),
            (Mask::Phone, "(415) 555-2671", "****71"),
            (Mask::Ssn, "219-09-1234", "***-**-1234"),
            (Mask::text("[CREDIT_CARD]"), "4111", "[CREDIT_CARD]"),
        ] {
            let mut once = String::new();
            mask.write("r", from, &mut once);
            assert_eq!(once, to, "{mask:?} of {from}");
            let mut twice = String::new();
            mask.write("r", &once, &mut twice);
            assert_eq!(twice, once, "{mask:?} again");
        }
    }
}
