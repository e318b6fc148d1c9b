//! How a call of an unknown function ended, told from the value it returned.
//!
//! A wrapper that takes any function knows nothing of its return type, and the language has no stable way to treat `Result`
//! apart from the rest. Two facts of any value tell all that is needed: the name of its type, and its discriminant.
//!
//! Promise: a `Result` is taken for what it is, whatever is in it; anything else is no failure.
//! Never: looks into the value.

use std::any::type_name;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::mem::discriminant;

/// The name of the error's type, if the value is an `Err`.
pub(super) fn failure<R>(value: &R) -> Option<&'static str> {
    let error = error_type::<R>()?;
    let err = Err::<(), ()>(());
    (variant(value) == variant(&err)).then_some(error)
}

/// The name of `E`, if `R` is a `Result<T, E>`.
fn error_type<R>() -> Option<&'static str> {
    // What comes before the parameters is read from a `Result`, so that nothing here depends on how it is spelled.
    let result = type_name::<Result<(), ()>>().split('<').next()?;
    let rest = type_name::<R>().strip_prefix(result)?;
    let parameters = rest.strip_prefix('<')?.strip_suffix('>')?;
    let (mut depth, mut before) = (0_u32, ' ');
    for (at, c) in parameters.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            // The arrow of a function type closes nothing.
            '>' if before != '-' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return parameters.get(at + 1..).map(str::trim_start),
            _ => {}
        }
        before = c;
    }
    None
}

/// A number for the variant of an enum, the same for the same variant whatever the enum's parameters are.
fn variant<R>(value: &R) -> u64 {
    let mut hasher = DefaultHasher::new();
    discriminant(value).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::num::{NonZeroU8, ParseIntError};

    use super::*;

    #[test]
    fn an_err_is_a_failure_of_its_errors_type_whatever_the_layout() {
        let parse = "x".parse::<i32>();
        assert_eq!(failure(&parse), Some("core::num::error::ParseIntError"));
        assert_eq!(failure(&Err::<NonZeroU8, _>(())), Some("()"));
        assert_eq!(failure(&Err::<(), _>("text")), Some("&str"));
        assert_eq!(
            failure(&Err::<Box<u8>, Box<u8>>(Box::new(1))),
            Some("alloc::boxed::Box<u8>")
        );
        type Nested = Result<(Vec<Result<u8, ()>>, fn(u8) -> u8), Result<(), [u8; 2]>>;
        assert_eq!(
            failure(&Nested::Err(Ok(()))),
            Some("core::result::Result<(), [u8; 2]>")
        );
    }

    #[test]
    fn an_ok_and_what_is_no_result_is_no_failure() {
        assert_eq!(failure(&Ok::<_, ParseIntError>(1)), None);
        assert_eq!(failure(&Ok::<NonZeroU8, ()>(NonZeroU8::MIN)), None);
        assert_eq!(failure(&Ok::<u8, Infallible>(1)), None);
        assert_eq!(failure(&Some(1)), None);
        assert_eq!(failure(&None::<u8>), None);
        assert_eq!(failure(&"core::result::Result<(), ()>"), None);
        assert_eq!(failure(&Some(Err::<(), ()>(()))), None);
        enum Mine {
            #[expect(dead_code, reason = "the other variant is first")]
            Good,
            Bad,
        }
        assert_eq!(failure(&Mine::Bad), None);
    }
}
