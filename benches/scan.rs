//! What a scan costs: megabytes a second on ordinary and on hostile text, beside the plain alternative.
//!
//! `cargo bench --bench scan`. Each figure is the best of several rounds: the machine's other work only ever slows down.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::hint::black_box;
use std::io::Read as _;
use std::time::{Duration, Instant};

use tracing_genai::security::{Lists, Point, Scanner};

const ROUNDS: usize = 9;

/// The word lists of Cylestio Monitor, as it searches for them.
const DANGEROUS: [&str; 6] = ["DROP", "DELETE", "SHUTDOWN", "EXEC(", "FORMAT", "RM -RF"];
const SUSPICIOUS: [&str; 4] = ["REMOVE", "CLEAR", "HACK", "BOMB"];

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

fn word_by_word(text: &str) -> (bool, bool) {
    let text: Vec<_> = text.split_whitespace().collect();
    let text = text.join(" ").to_uppercase();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    (any(&DANGEROUS), any(&SUSPICIOUS))
}

fn benign() -> String {
    let packed = include_bytes!("../tests/data/security/benign.txt.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn main() {
    let begun = Instant::now();
    let standard = Scanner::builder().build().unwrap();
    println!(
        "building the standard lists {:>9.2} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );
    let seed = Scanner::builder().lists(Lists::seed()).build().unwrap();

    let benign = benign();
    let paragraphs: Vec<&str> = benign.split("\n\n").collect();
    let per_paragraph = |scan: &dyn Fn(&str)| {
        let took = best(|| paragraphs.iter().for_each(|text| scan(black_box(text))));
        benign.len() as f64 / took.as_secs_f64() / 1e6
    };
    println!("\n12,424 paragraphs of ordinary text, one by one   MB/s");
    let own = per_paragraph(&|text| drop(black_box(standard.scan(text))));
    println!("{:<48} {own:>5.0}", "standard lists");
    let words = per_paragraph(&|text| drop(black_box(seed.scan(text))));
    println!("{:<48} {words:>5.0}", "seed lists");
    let plain = per_paragraph(&|text| {
        black_box(word_by_word(text));
    });
    println!("{:<48} {plain:>5.0}", "to_uppercase, contains, ten words");

    let anchors: String = [
        "ignore ",
        "bypass ",
        "rm -",
        "curl ",
        "<|",
        "drop table ",
        "system prompt ",
        "password ",
        "/dev/sd",
        "void ",
        "etc/passwd ",
    ]
    .concat();
    let texts = [
        ("ordinary text as one", benign.clone()),
        (
            "Chinese and accents",
            "Größere Wörter – 日本語のテキスト。 ".repeat(20_000),
        ),
        ("all anchors over and over", anchors.repeat(10_000)),
        ("ignore over and over", "ignore ".repeat(150_000)),
        (
            "ignore all previous over and over",
            "ignore all previous ".repeat(50_000),
        ),
        (
            "curl without a pipe",
            "curl http://example.com/ ".repeat(40_000),
        ),
        ("letters set apart", "a b c d e f ".repeat(80_000)),
        ("base64", "aWdub3JlIGFs".repeat(80_000)),
        ("digits in words", "a1b2c3d0e ".repeat(100_000)),
        ("zero width", "p\u{200b}".repeat(250_000)),
        ("homoglyphs", "ignоrе ".repeat(100_000)),
    ];
    println!("\none megabyte of                                  MB/s");
    for (name, text) in &texts {
        let took = best(|| drop(black_box(standard.scan(black_box(text)))));
        let speed = text.len() as f64 / took.as_secs_f64() / 1e6;
        println!("{name:<48} {speed:>5.0}");
    }

    let chunks: Vec<&str> = benign[..200_000].split_inclusive(' ').collect();
    let took = best(|| {
        let mut stream = standard.stream(Point::Stream);
        for chunk in &chunks {
            drop(black_box(stream.push(chunk)));
        }
        drop(black_box(stream.finish()));
    });
    let each = took.as_secs_f64() / chunks.len() as f64 * 1e6;
    println!("\na word of a stream {each:>6.2} µs");
}
