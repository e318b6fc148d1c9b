//! Text in which there is nothing to find.

use std::io::Read as _;
use std::path::Path;

use tracing_genai::security::redact::{Redactor, Report};

/// Of so many paragraphs one may be taken for something it is not.
const ONE_IN: usize = 1000;

#[test]
fn paragraphs_of_this_crate_are_left_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for file in [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Cargo.lock",
    ] {
        texts.push(std::fs::read_to_string(root.join(file)).unwrap());
    }
    collect(&root.join("src"), &mut texts);
    check(texts.iter().flat_map(|text| text.split("\n\n")), 4_000);
}

#[test]
fn prose_documentation_and_system_prompts_are_left_as_they_are() {
    let packed = include_bytes!("../data/security/benign.txt.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    check(text.split("\n\n"), 12_000);
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The rules' own tests are full of what looks like secrets.
        if path.is_dir() && !path.ends_with("security") {
            collect(&path, texts);
        } else if path.is_file() {
            // Tests of ours talk about credentials.
            let text = std::fs::read_to_string(&path).unwrap();
            texts.push(
                text.split("#[cfg(test)]")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
}

/// E-mail addresses in licences and manifests are ones, and do not count as mistakes.
fn check<'t>(paragraphs: impl Iterator<Item = &'t str>, at_least: usize) {
    let redactor = Redactor::standard();
    let (mut count, mut wrong) = (0, Vec::new());
    for paragraph in paragraphs.filter(|p| p.len() > 20) {
        count += 1;
        let mut report = Report::new();
        redactor.redact_text(paragraph, &mut report);
        if report.total() > report.count("email") || report.failed() > 0 {
            wrong.push(format!("{report:?} in {paragraph}"));
        }
    }
    println!("{} of {count} paragraphs flagged", wrong.len());
    assert!(count >= at_least, "{count}");
    assert!(
        wrong.len() * ONE_IN <= count,
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}
