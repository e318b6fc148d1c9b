//! Whether a value next to a secret's name looks like a secret, or like a placeholder, a word or code.

use super::{check, marker};

/// Words that stand for a value in code, schemas and documentation.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "any", "boolean", "bytes", "false", "int", "integer", "nil", "none", "null", "number", "object", "optional",
    "pass", "password", "passwd", "pwd", "required", "secret", "str", "string", "token", "true", "undefined",
];

/// Names of algorithms and encodings: letters and digits, and no secret.
#[rustfmt::skip]
const ALGORITHMS: &[&str] = &[
    "aes", "argon2", "base32", "base58", "base64", "bcrypt", "blake", "ed25519", "es256", "es384", "es512",
    "float", "hmac", "hs256", "hs384", "hs512", "http", "int", "iso", "latin1", "md5", "oauth", "p256",
    "pbkdf2", "ps256", "rs256", "rs384", "rs512", "rsa", "scrypt", "secp256", "sha-", "sha1", "sha2", "sha3",
    "sha5", "uint", "utf", "x25519",
];

/// What only code and templates have in them.
const CODE: &[&str] = &[
    "process.env",
    "os.environ",
    "getenv",
    "ENV[",
    "secrets.",
    "self.",
    "::",
    "->",
    "://",
    "()",
];

/// A value that stands for another one.
pub(super) fn is_placeholder(value: &str) -> bool {
    let Some(first) = value.chars().next() else {
        return true;
    };
    if marker::is_marker(value) || value == "__REDACTED__" || value.chars().all(|c| c == first) {
        return true;
    }
    let inner = |n: usize| value.get(n..).unwrap_or_default();
    let ends = |c: char| value.ends_with(c);
    let variable = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    match first {
        '$' if value.starts_with("${") || value.starts_with("$(") || variable(inner(1)) => {
            return true;
        }
        '<' if ends('>') => return true,
        // Templates, lists, links.
        '{' | '[' => return true,
        '%' if ends('%') || value.len() == 2 || value.starts_with("%(") => return true,
        _ => {}
    }
    if WORDS.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return true;
    }
    let begins = |word: &str| {
        value
            .get(..word.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    if value.len() <= 16
        && ALGORITHMS.iter().any(|name| begins(name))
        && !value.contains(['!', '@', '#', '$'])
    {
        return true;
    }
    let has = |word: &str| {
        value
            .as_bytes()
            .windows(word.len())
            .any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
    };
    [
        "your",
        "example",
        "placeholder",
        "redacted",
        "replace",
        "xxxx",
        "****",
        "...",
    ]
    .iter()
    .any(|word| has(word))
        || begins("my_")
        || begins("my-")
}

/// What stands there in code instead of a value: a call, a macro, a type, a reference, a field, a literal of a number.
fn is_code(value: &str) -> bool {
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':'))
    };
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let bare = value.trim_start_matches(['*', '&', '(', '[', '{', '<', '#']);
    CODE.iter().any(|code| value.contains(code))
        || value.find(['(', '[', '!']).is_some_and(|at| {
            value.get(at..).is_some_and(|rest| rest.starts_with(['(', '[']) || rest.starts_with("![") || rest.starts_with("!("))
                && value.get(..at).is_some_and(name)
        })
        // `node.or1_token`, `WIN32_ERROR`, `*const`, `{CLIENT_SECRET`.
        || (bare.contains(['_', '.']) || bare.len() < value.len()) && name(bare) && digits <= 2
        || value.starts_with("#[") || value.starts_with("(*")
        // `9104u32`.
        || value.split_once(['u', 'i', 'f']).is_some_and(|(number, bits)| {
            [number, bits].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        })
}

/// Whether upper and lower case change as they do in no name in code: runs of capitals here and there.
fn has_odd_case(value: &str) -> bool {
    let letters = value.bytes().all(|b| b.is_ascii_alphabetic());
    let runs = value.as_bytes().split(u8::is_ascii_lowercase);
    letters && value.len() >= 16 && runs.filter(|run| run.len() >= 2).count() >= 2
}

/// An unquoted value that looks like a secret of at least `min` bytes.
pub(super) fn is_noise(value: &str, min: usize) -> bool {
    let has = |test: fn(u8) -> bool| value.bytes().any(test);
    let letter = has(|b| b.is_ascii_alphabetic());
    let digit = has(|b| b.is_ascii_digit());
    let mark = has(|b| {
        matches!(
            b,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'?' | b'~'
        )
    });
    value.len() >= min
        && letter
        && (digit || mark || has_odd_case(value))
        && !is_placeholder(value)
        && !is_code(value)
        && check::end_entropy(value) >= 2.3
}

/// A quoted value that looks like a secret: it may be words run together, but no sentence.
pub(super) fn is_quoted_secret(value: &str) -> bool {
    if value.contains([' ', '\t', '(']) {
        return value.len() <= 256 && value.split([' ', '\t']).all(|word| is_noise(word, 6));
    }
    // Words run together; a name in code has an upper-case letter or a mark.
    let letters = || {
        value.len() >= 12
            && value.bytes().all(|b| b.is_ascii_lowercase())
            && check::entropy(value) >= 3.0
    };
    !is_placeholder(value) && (is_noise(value, 4) || letters())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_placeholders_words_and_code() {
        for value in [
            "hunter2",
            "P@ssw0rd",
            "s3cr3t-Value",
            "9f86d081884c7d65",
            "$ecr3tPa55",
            "Summer2024!",
            "pa55wörd",
        ] {
            assert!(is_noise(value, 6), "{value}");
        }
        for value in [
            "",
            "true",
            "hunter",
            "get_password",
            "PasswordField",
            "settings.api_key",
            "${DB_PASSWORD}",
            "$DB_PASSWORD",
            "<password1>",
            "{{secret1}}",
            "%s",
            "xxxxxxxx",
            "********",
            "your-api-key-1",
            "sha256",
            "utf-8",
            "base64-encoded",
            "2024-01-01",
            "123456789",
            "[REDACTED:jwt]",
            "os.environ['X1']",
            "Token::new2",
            "h2",
        ] {
            assert!(!is_noise(value, 6), "{value}");
        }
        for value in ["hunter2", "correcthorsebatterystaple", "x7Kp2"] {
            assert!(is_quoted_secret(value), "{value}");
        }
        for value in [
            "string",
            "Enter your password",
            "required",
            "short",
            "password_field_name",
            "the 2 of us",
            "",
        ] {
            assert!(!is_quoted_secret(value), "{value}");
        }
    }
}
