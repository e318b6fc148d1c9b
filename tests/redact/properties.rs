//! Properties: wherever a secret is, it goes; whatever the text is, nothing breaks.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracing_genai::security::redact::{Mask, Redactor};

use crate::corpus::{B62, Random, cases};

/// Secrets no rule needs a neighbour for, with a part that must not survive.
fn canary(seed: u64) -> (String, String) {
    let mut random = Random(seed | 1);
    let body = random.text(B62, 40);
    let secret = match random.next() % 8 {
        0 => format!("sk-{}-api03-{body}", "ant"),
        1 => format!("sk-{}-{body}", "proj"),
        2 => format!("{}_{}", "ghp", &body[..36]),
        3 => format!("{}-{body}", "glpat"),
        4 => format!("xoxb-{}", body),
        5 => format!("{}_live_{body}", "sk"),
        6 => format!("hf_{body}"),
        _ => format!("ada{}@{}.dev", &body[..8], &body[8..20].to_lowercase()),
    };
    (secret.clone(), secret)
}

/// A canary at a random place of a random value.
fn place(seed: u64, depth: u8) -> (Json, String) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (secret, part) = canary(random.next());
    let around = [
        "", " ", "\n", "\"", "'", ": ", "=", "/", "(", "é", "東京 ", "\\n", "key ", "😀", ",",
    ];
    let pick = |random: &mut Random| around[(random.next() % around.len() as u64) as usize];
    let mut value = Json::from(format!(
        "{}{secret}{}",
        pick(&mut random),
        pick(&mut random)
    ));
    for _ in 0..depth {
        value = match random.next() % 6 {
            0 => json!([1, value, null]),
            1 => json!({"content": value, "n": 1.5}),
            2 => json!({"password": {"inner": value}}),
            3 if value.is_string() => json!({ value.as_str().unwrap_or_default(): 1 }),
            4 => Json::from(value.to_string()),
            _ => json!({"role": "user", "parts": [{"type": "text", "content": value}]}),
        };
    }
    (value, part)
}

#[test]
fn no_canary_survives_ten_thousand_random_places() {
    let redactor = Redactor::standard();
    for seed in 0..10_000u64 {
        // JSON in a string of JSON five times over is read as plain text, where quotes stand in the way of nothing.
        let (mut value, canary) = place(seed, (seed % 6) as u8);
        let text = value.to_string();
        let redacted = redactor.redact_str(&text);
        assert!(!redacted.contains(&canary), "{seed}: {text} -> {redacted}");
        assert!(
            serde_json::from_str::<Json>(&redacted).is_ok(),
            "{seed}: {redacted}"
        );
        redactor.redact_json(&mut value);
        let redacted = value.to_string();
        assert!(!redacted.contains(&canary), "{seed}: {text} -> {redacted}");
        let mut again = value.clone();
        assert!(
            redactor.redact_json(&mut again).is_clean() && again == value,
            "{seed}: {redacted}"
        );
    }
}

fn pieces() -> impl Strategy<Value = String> {
    let secrets: Vec<String> = cases()
        .into_iter()
        .flat_map(|case| [case.secret, case.text])
        .collect();
    let odd = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        "\\\"",
        ":",
        ",",
        "=",
        "@",
        "://",
        "%41",
        "\\u0041",
        "\u{200b}",
        "１",
        "password",
        "token",
        "api_key",
        "Bearer ",
        "Basic ",
        "AKIA",
        "sk-",
        "-----BEGIN ",
        "[REDACTED:email]",
        "[REDACTED",
        "****",
        "+",
        "4111",
        "DE89",
        "é",
        "\u{0}",
        "\n",
        " ",
        "null",
        "1e9",
        "?key=",
        "&",
        "Cookie: ",
    ];
    prop_oneof![
        2 => proptest::sample::select(secrets),
        4 => proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
        1 => ".{0,12}".prop_map(|text: String| text),
    ]
}

fn mixed() -> impl Strategy<Value = String> {
    proptest::collection::vec(pieces(), 0..14).prop_map(|pieces| pieces.concat())
}

fn tree() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        mixed().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            proptest::collection::vec((mixed(), inner), 0..3)
                .prop_map(|pairs| Json::from(serde_json::Map::from_iter(pairs))),
        ]
    })
}

fn masked() -> &'static Redactor {
    static MASKED: LazyLock<Redactor> = LazyLock::new(|| {
        Redactor::builder()
            .default_mask(Mask::Partial { keep: 3 })
            .mask("email", Mask::Email)
            .mask("phone", Mask::Phone)
            .mask("credit-card", Mask::CreditCard)
            .build()
            .unwrap()
    });
    &MASKED
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_second_time_changes_nothing(text in mixed()) {
        let redactor = Redactor::standard();
        let once = redactor.redact_str(&text).into_owned();
        let twice = redactor.redact_str(&once).into_owned();
        prop_assert_eq!(&twice, &once, "{}", text);
        // A marker is longer than what it stands for by its name at most.
        prop_assert!(once.len() <= text.len() * 32 + 64);
    }

    #[test]
    fn valid_json_stays_valid_json_and_keeps_its_shape(value in tree()) {
        let redactor = Redactor::standard();
        let text = value.to_string();
        let out = redactor.redact_str(&text).into_owned();
        prop_assert!(serde_json::from_str::<Json>(&out).is_ok(), "{} -> {}", text, out);
        let mut walked = value.clone();
        redactor.redact_json(&mut walked);
        let mut again = walked.clone();
        redactor.redact_json(&mut again);
        prop_assert_eq!(again, walked);
    }

    #[test]
    fn no_text_breaks_it_and_a_second_time_changes_nothing_whatever_the_masks(text in any::<String>(), mixed in mixed()) {
        let redactor = masked();
        for text in [text, mixed] {
            let once = redactor.redact_str(&text).into_owned();
            prop_assert_eq!(redactor.redact_str(&once).into_owned(), once, "{}", text);
            let mut report = tracing_genai::security::redact::Report::new();
            let once = redactor.redact_field("api_key", &text, &mut report).into_owned();
            prop_assert_eq!(redactor.redact_field("api_key", &once, &mut report).into_owned(), once, "{}", text);
        }
    }
}
