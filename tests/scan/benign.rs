//! Text in which there is nothing to find, and the real commands in it.

use std::io::Read as _;

use tracing_genai::security::{AlertLevel, Lists, Scanner};

/// Of so many paragraphs one may be taken for something it is not.
const ONE_IN: usize = 1000;

/// Paragraphs that are dangerous because they have a real command in them: a part of each, and why it is right.
const REAL: &[(&str, &str)] = &[(
    "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n",
    "installs Rust by running what it fetches",
)];

fn corpus() -> String {
    let packed = include_bytes!("../data/security/benign.txt.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[test]
fn prose_documentation_and_system_prompts_are_clean() {
    let corpus = corpus();
    let (mut count, mut suspicious, mut dangerous) = (0, 0, Vec::new());
    for paragraph in corpus.split("\n\n") {
        count += 1;
        let verdict = tracing_genai::security::scan(paragraph);
        if verdict.is_clean() {
            continue;
        }
        for found in verdict.findings() {
            println!("{} {:?}", found.rule(), &paragraph[found.span()]);
        }
        if verdict.level() == AlertLevel::Suspicious {
            suspicious += 1;
        } else {
            dangerous.push(paragraph);
        }
    }
    println!(
        "{suspicious} suspicious, {} dangerous of {count}",
        dangerous.len()
    );
    assert!(count > 12_000);
    assert!(suspicious * ONE_IN <= count);
    for paragraph in dangerous {
        assert!(
            REAL.iter().any(|(part, _)| paragraph.contains(part)),
            "{paragraph}"
        );
    }
}

#[test]
fn the_real_commands_in_it_are_still_found() {
    let corpus = corpus();
    for (part, why) in REAL {
        assert!(corpus.contains(part), "{part}");
        assert!(
            tracing_genai::security::contains_dangerous(part),
            "{part}: {why}"
        );
    }
}

#[test]
fn single_word_lists_take_hundreds_of_the_same_paragraphs_for_dangerous() {
    let seed = Scanner::builder().lists(Lists::seed()).build().unwrap();
    let corpus = corpus();
    let dangerous = corpus
        .split("\n\n")
        .filter(|paragraph| seed.contains_dangerous(paragraph))
        .count();
    println!("{dangerous} dangerous");
    assert!(dangerous > 500);
}
