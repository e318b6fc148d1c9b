//! Names of keys whose values are secrets.
//!
//! Promise: a name is judged by its whole segments: `api_key`, `apiKey`, `x-api-key`, `db.password` name secrets; `keyboard`,
//! `monkey`, `max_tokens`, `gen_ai.usage.input_tokens`, `password_policy` do not.
//! Never: allocates, unless a name is not ASCII.

use super::fold;

/// What a key's name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    /// Nothing.
    Nothing,
    /// A secret, if the value looks like one: a bare `token` is often a word or a number.
    Perhaps,
    /// A secret, whatever the value is.
    Secret,
}

/// Segments that name a secret.
#[rustfmt::skip]
const SECRETS: &[&str] = &[
    "accesskey", "accesstoken", "accountkey", "apikey", "apikeys", "apitoken", "authkey", "authorization",
    "authtoken", "bearer", "bearertoken", "clientsecret", "connectionstring", "cookie", "cookies", "credential",
    "credentials", "cvc", "cvv", "idtoken", "jwt", "kennwort", "otp", "passcode", "passphrase", "passwd",
    "password", "passwords", "passwort", "privatekey", "pwd", "refreshtoken", "secret", "secretkey", "secrets",
    "sessiontoken", "sharedaccesskey", "ssn", "totp",
];

/// Two segments in a row that name a secret.
#[rustfmt::skip]
const PAIRS: &[(&str, &[&str])] = &[
    ("key", &[
        "access", "account", "admin", "aes", "api", "auth", "client", "deploy", "encryption", "hmac", "license",
        "master", "private", "root", "rsa", "service", "shared", "signing", "ssh", "storage", "subscription",
    ]),
    ("keys", &["access", "api", "private"]),
    ("string", &["conn", "connection"]),
    ("auth", &["basic", "http", "proxy", "registry"]),
    ("security", &["social"]),
    ("card", &["credit"]),
    ("number", &["card"]),
    ("code", &["security"]),
];

/// Before `token`: what makes it a credential beyond doubt.
#[rustfmt::skip]
const CREDENTIAL_TOKENS: &[&str] = &[
    "access", "api", "app", "auth", "bearer", "bot", "client", "csrf", "deploy", "device", "github", "gitlab",
    "hf", "id", "jwt", "login", "oauth", "personal", "private", "push", "refresh", "registration", "reset",
    "sas", "security", "service", "session", "slack", "user", "vault", "verification", "xsrf",
];

/// Before `token`: what makes it a piece of text, a number of them, or a place in a list.
#[rustfmt::skip]
const TEXT_TOKENS: &[&str] = &[
    "bos", "cached", "cls", "completion", "continuation", "continue", "cost", "current", "end", "eos", "first",
    "input", "last", "mask", "max", "min", "n", "new", "next", "num", "number", "output", "pad", "page",
    "progress", "per", "prev", "previous", "prompt", "reasoning", "sep", "special", "start", "stop", "sync",
    "total", "unk", "pagination", "cursor",
];

/// After a word that names a secret: the key is about the secret and does not hold it.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "age", "algorithm", "arn", "at", "budget", "change", "changed", "cost", "count", "counter", "counts",
    "created", "date", "days", "description", "details", "domain", "enabled", "endpoint", "error", "exists",
    "expiration", "expired", "expires", "expiry", "field", "file", "format", "hint", "id", "ids", "index",
    "invalid", "issuer", "kind", "label", "len", "length", "limit", "limits", "manager", "max", "maximum",
    "metadata", "method", "min", "minimum", "missing", "modality", "mode", "name", "names", "path",
    "placeholder", "policy", "present", "price", "provider", "rate", "ref", "reference", "required",
    "requirements", "rotation", "rule", "rules", "scheme", "scope", "scopes", "set", "settings", "size",
    "source", "status", "stream", "strength", "time", "timeout", "ttl", "type", "types", "updated", "uri",
    "url", "usage", "used", "valid", "validation", "version", "window",
];

/// Longer names are judged by their last bytes.
const NAME_BYTES: usize = 128;
/// More segments than this are judged by the last ones.
const SEGMENTS: usize = 16;

/// A name as lower-case segments.
struct Segments {
    bytes: [u8; NAME_BYTES],
    ends: [u8; SEGMENTS],
    len: usize,
}

impl Segments {
    fn of(name: &str) -> Self {
        let name = name.as_bytes();
        let name = &name[name.len().saturating_sub(NAME_BYTES)..];
        let mut all = Self {
            bytes: [0; NAME_BYTES],
            ends: [0; SEGMENTS],
            len: 0,
        };
        let (mut filled, mut begun) = (0, 0);
        for (at, byte) in name.iter().enumerate() {
            let before = at.checked_sub(1).map_or(b'_', |at| name[at]);
            let after = name.get(at + 1).copied().unwrap_or(b'_');
            let word = byte.is_ascii_alphanumeric() || *byte >= 0x80;
            // `apiKey` and `APIKey` alike have two segments.
            let hump = byte.is_ascii_uppercase()
                && (before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_ascii_lowercase()));
            if !word || hump {
                begun = all.close(begun, filled);
            }
            if word {
                all.bytes[filled] = byte.to_ascii_lowercase();
                filled += 1;
            }
        }
        all.close(begun, filled);
        all
    }

    /// Ends a segment at `end`; an empty one is none.
    fn close(&mut self, begun: usize, end: usize) -> usize {
        if end > begun {
            if self.len == SEGMENTS {
                // The first goes; what is left of it at the front belongs to the second, which no longer matters.
                self.ends.copy_within(1.., 0);
                self.len -= 1;
            }
            self.ends[self.len] = end as u8;
            self.len += 1;
        }
        end
    }

    /// A segment without the digits at its end, `password2`; empty where there is none.
    fn get(&self, at: usize) -> &[u8] {
        if at >= self.len {
            return b"";
        }
        let from = at.checked_sub(1).map_or(0, |at| usize::from(self.ends[at]));
        let segment = &self.bytes[from..usize::from(self.ends[at])];
        let digits = segment
            .iter()
            .rev()
            .take_while(|b| b.is_ascii_digit())
            .count();
        &segment[..segment.len() - digits]
    }
}

fn is_in(words: &[&str], segment: &[u8]) -> bool {
    words.iter().any(|word| word.as_bytes() == segment)
}

/// The names that count as secrets: the standard ones, and those that were added.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyNames {
    pub(super) standard: bool,
    /// Segments of the names that were added, lower case.
    pub(super) own: Vec<Vec<String>>,
    /// Names that are never secrets, lower case.
    pub(super) allowed: Vec<String>,
}

impl KeyNames {
    /// What the name says about its value.
    pub(super) fn judge(&self, name: &str) -> Names {
        if name.len() < 3 {
            return Names::Nothing;
        }
        if !name.is_ascii() {
            return match fold::fold(name) {
                Some(folded) => self.judge_plain(&folded.text),
                None => self.judge_plain(name),
            };
        }
        self.judge_plain(name)
    }

    fn judge_plain(&self, name: &str) -> Names {
        if self
            .allowed
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            return Names::Nothing;
        }
        let segments = Segments::of(name);
        if self.own.iter().any(|own| holds(&segments, own)) {
            return Names::Secret;
        }
        if !self.standard {
            return Names::Nothing;
        }
        // A password in a connection string, the working directory in an environment.
        if matches!(name, "PWD" | "OLDPWD") {
            return Names::Perhaps;
        }
        (0..segments.len)
            .map(|at| judge_segment(&segments, at))
            .max()
            .unwrap_or(Names::Nothing)
    }

    /// Words of which at least one is in every standard name of a secret, in whatever way its segments are joined.
    pub(super) fn words() -> Vec<String> {
        let joined = PAIRS.iter().flat_map(|(second, firsts)| {
            firsts.iter().flat_map(move |first| {
                ["", "_", "-", "."].map(|mark| format!("{first}{mark}{second}"))
            })
        });
        let keys = ["_key", "-key", ".key", "token"].map(str::to_owned);
        let mut words: Vec<String> = SECRETS
            .iter()
            .map(|word| (*word).to_owned())
            .chain(joined)
            .chain(keys)
            .collect();
        words.sort_by_key(String::len);
        let mut fewest: Vec<String> = Vec::new();
        for word in words {
            if !fewest.iter().any(|known| word.contains(known.as_str())) {
                fewest.push(word);
            }
        }
        fewest
    }

    /// The segments of a name that is to be added, or none if it has none.
    pub(super) fn segments_of(name: &str) -> Vec<String> {
        let segments = Segments::of(name);
        (0..segments.len)
            .map(|at| String::from_utf8_lossy(segments.get(at)).into_owned())
            .filter(|segment| !segment.is_empty())
            .collect()
    }
}

fn holds(segments: &Segments, own: &[String]) -> bool {
    !own.is_empty()
        && (0..segments.len).any(|at| {
            own.iter()
                .enumerate()
                .all(|(n, word)| segments.get(at + n) == word.as_bytes())
        })
}

/// Which lengths the words have that begin with a letter: most segments are told by it not to be one.
type Lengths = [u32; 26];

const LEADS: Lengths = {
    let mut lengths = [0; 26];
    let mut at = 0;
    while at < SECRETS.len() {
        lengths = with(lengths, SECRETS[at]);
        at += 1;
    }
    at = 0;
    while at < PAIRS.len() {
        lengths = with(lengths, PAIRS[at].0);
        at += 1;
    }
    with(lengths, "token")
};

const fn with(mut lengths: Lengths, word: &str) -> Lengths {
    lengths[(word.as_bytes()[0] - b'a') as usize] |= 1 << word.len();
    lengths
}

/// Whether the segment may be one of the words that lead anywhere.
fn leads(segment: &[u8]) -> bool {
    let first = segment.first().map(|first| first.wrapping_sub(b'a'));
    let lengths = first.and_then(|first| LEADS.get(usize::from(first)));
    lengths.is_some_and(|lengths| segment.len() < 32 && lengths & (1 << segment.len()) != 0)
}

fn judge_segment(segments: &Segments, at: usize) -> Names {
    let segment = segments.get(at);
    if !leads(segment) {
        return Names::Nothing;
    }
    let before = at.checked_sub(1).map_or(&b""[..], |at| segments.get(at));
    let names = match segment {
        b"token" if is_in(TEXT_TOKENS, before) => Names::Nothing,
        b"token" if is_in(CREDENTIAL_TOKENS, before) => Names::Secret,
        b"token" => Names::Perhaps,
        _ if is_in(SECRETS, segment) => Names::Secret,
        _ if PAIRS
            .iter()
            .any(|(second, firsts)| second.as_bytes() == segment && is_in(firsts, before)) =>
        {
            Names::Secret
        }
        _ => return Names::Nothing,
    };
    if is_in(ABOUT, segments.get(at + 1)) {
        return Names::Nothing;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: KeyNames = KeyNames {
        standard: true,
        own: Vec::new(),
        allowed: Vec::new(),
    };

    #[test]
    fn names_are_judged_by_whole_segments() {
        for name in [
            "api_key",
            "apiKey",
            "APIKey",
            "x-api-key",
            "X-API-Key",
            "OPENAI_API_KEY",
            "apikey",
            "db.password",
            "password2",
            "userPassword",
            "client_secret",
            "aws_secret_access_key",
            "secretAccessKey",
            "Authorization",
            "proxy-authorization",
            "http.request.header.authorization",
            "set-cookie",
            "access_token",
            "accessToken",
            "refresh-token",
            "x-amz-security-token",
            "connectionString",
            "private_key",
            "Ocp-Apim-Subscription-Key",
            "password_hash",
            "pass\u{200b}word",
            "ｐａｓｓｗｏｒｄ",
            "credit_card",
            "card_number",
            "cvv",
        ] {
            assert_eq!(STANDARD.judge(name), Names::Secret, "{name}");
        }
        for name in ["token", "acme_token", "token1", "PWD"] {
            assert_eq!(STANDARD.judge(name), Names::Perhaps, "{name}");
        }
        for name in [
            "",
            "k",
            "key",
            "keyboard",
            "monkey",
            "public_key",
            "primary_key",
            "tokens",
            "token_count",
            "tokenCount",
            "max_tokens",
            "maxTokens",
            "max_token",
            "gen_ai.usage.input_tokens",
            "gen_ai.token.type",
            "llm.token_count.prompt",
            "time_to_first_token",
            "next_page_token",
            "next_token",
            "eos_token",
            "tokenizer",
            "secretary",
            "author",
            "authority",
            "cookiecutter",
            "password_policy",
            "passwordRequired",
            "secret_name",
            "access_key_id",
            "credit_card_type",
            "authorization_url",
            "session.id",
            "compass",
            "bypass",
            "passenger",
            "credit",
            "social",
        ] {
            assert_eq!(STANDARD.judge(name), Names::Nothing, "{name}");
        }
    }

    #[test]
    fn none_of_the_conventions_names_is_a_secret() {
        let sources = [
            include_str!("../../semconv/attribute.rs"),
            include_str!("../../semconv/borrowed.rs"),
            include_str!("../../semconv/ours.rs"),
        ];
        let names = sources
            .iter()
            .flat_map(|s| s.lines())
            .filter_map(|line| line.split_once(": &str = \"")?.1.strip_suffix("\";"));
        let mut seen = 0;
        for name in names {
            assert_eq!(STANDARD.judge(name), Names::Nothing, "{name}");
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn own_names_are_added_and_names_are_exempted() {
        let names = KeyNames {
            standard: true,
            own: vec![
                KeyNames::segments_of("employeeNumber"),
                KeyNames::segments_of("--"),
            ],
            allowed: vec!["cookie".to_owned()],
        };
        assert_eq!(names.judge("hr.employee-number"), Names::Secret);
        assert_eq!(names.judge("employeeNumbers"), Names::Nothing);
        assert_eq!(names.judge("Cookie"), Names::Nothing);
        assert_eq!(names.judge("cookies"), Names::Secret);
    }

    #[test]
    fn long_and_many_segmented_names_are_judged_by_their_end() {
        assert_eq!(
            STANDARD.judge(&format!("{}api_key", "a.".repeat(300))),
            Names::Secret
        );
        assert_eq!(
            STANDARD.judge(&format!("{}.password", "é".repeat(300))),
            Names::Secret
        );
        assert_eq!(STANDARD.judge(&"ß".repeat(300)), Names::Nothing);
    }
}
