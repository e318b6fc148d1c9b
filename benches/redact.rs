//! What redaction costs: megabytes a second on text of several kinds, and nanoseconds for an attribute.
//!
//! `cargo bench --bench redact`. Each figure is the best of several rounds: the machine's other work only ever slows down.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tracing_genai::security::redact::Redactor;

const ROUNDS: usize = 15;

/// The shortest time of several.
fn best(mut run: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .min()
        .unwrap_or_default()
}

/// Licence texts: prose with years, addresses of web pages, and words such as "token", "key" and "secret" now and then.
fn prose() -> String {
    let texts = [
        include_str!("../LICENSE-APACHE"),
        include_str!("../LICENSE-MIT"),
        include_str!("../README.md"),
        include_str!("../CHANGELOG.md"),
    ];
    texts.concat().repeat(20)
}

fn main() {
    let begun = Instant::now();
    let redactor = Redactor::standard();
    println!(
        "building the standard set   {:>9.2} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );

    let prose = prose();
    let messages =
        serde_json::json!([{"role": "user", "parts": [{"type": "text", "content": prose}]}])
            .to_string();
    let code = include_str!("../src/lib.rs").repeat(100);
    let accents = "Ein Satz mit Umlauten – für „Übung“ – und größeren Wörtern, 日本語のテキスト。 "
        .repeat(5_000);
    let names = "the secret of the token is a key; password, cookie and api_key: ".repeat(10_000);
    let secrets = format!(
        "{} ada@lovelace.dev {} ",
        &prose[..4000],
        ["sk-", "proj-", "8sKd4Yt6RbM1cH3gF5jUe9oAiXkP"].concat()
    )
    .repeat(100);
    let hostile = [
        ("sk-ant- over and over", "sk-ant-".repeat(150_000)),
        ("eyJ. over and over", "eyJ.".repeat(250_000)),
        ("password= over and over", "password=".repeat(110_000)),
        ("@a. over and over", "a@a.".repeat(250_000)),
        ("digits", "4111 1111-".repeat(100_000)),
        (
            "BEGIN without an end",
            "-----BEGIN PRIVATE KEY-----\n".repeat(37_000),
        ),
        ("[ over and over", "[".repeat(1_000_000)),
        ("{\"a\":\" over and over", "{\"a\":\"@".repeat(140_000)),
        ("\\ over and over", "[\"\\u0041\\\\".repeat(90_000)),
        (":// over and over", "://a:b@".repeat(140_000)),
        ("zero width", "p\u{200b}".repeat(250_000)),
    ];
    println!("\ntext                            MB/s");
    let own = [
        ("prose", &prose),
        ("messages as JSON", &messages),
        ("code", &code),
        ("other scripts", &accents),
        ("names without values", &names),
        ("a secret every 4 KB", &secrets),
    ];
    let all = own
        .into_iter()
        .chain(hostile.iter().map(|(name, text)| (*name, text)));
    for (name, text) in all {
        let rounds = (4_000_000 / text.len()).max(1);
        let took = best(|| {
            for _ in 0..rounds {
                black_box(redactor.redact_str(black_box(text)));
            }
        });
        let bytes = (text.len() * rounds) as f64;
        println!("{name:<28} {:>7.1}", bytes / took.as_secs_f64() / 1e6);
    }
    println!("\nattribute                     ns");
    let mut report = tracing_genai::security::redact::Report::new();
    for (key, text) in [
        ("gen_ai.request.model", "gpt-4o-mini-2024-07-18"),
        (
            "gen_ai.response.id",
            "chatcmpl-9xKq0b2Zr7Yt5LmWv3NcD8sHfJgP",
        ),
        ("url.full", "https://api.openai.com/v1/chat/completions"),
        (
            "error.message",
            "connection to db.internal:5432 refused after 3 attempts",
        ),
    ] {
        let took = best(|| {
            for _ in 0..10_000 {
                black_box(redactor.redact_field(black_box(key), black_box(text), &mut report));
            }
        });
        println!("{key:<26} {:>6.0}", took.as_secs_f64() * 1e5);
    }
}
