//! The README says what the examples do, and what it leads to is there.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

const README: &str = include_str!("../README.md");

#[test]
fn the_twenty_lines_of_the_readme_are_the_example_that_runs() {
    let example = include_str!("../examples/readme.rs");
    let (_, code) = example.split_once("\n\n").unwrap();
    let (shown, _) = code.split_once("\nasync fn ask_the_model").unwrap();
    assert!(
        README.contains(shown.trim_end()),
        "the README shows other code than examples/readme.rs"
    );
}

#[test]
fn every_test_that_a_promise_names_exists() {
    let mut sources = String::new();
    for dir in ["tests", "src"] {
        collect(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(dir)
                .as_path(),
            &mut sources,
        );
    }
    let rows = include_str!("README.md").split("| --- |").nth(1).unwrap();
    let named: Vec<_> = rows
        .split('`')
        .filter(|word| word.contains('_') && !word.contains('.'))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    for test in named {
        assert!(
            sources.contains(&format!("fn {test}(")),
            "no test is called {test}"
        );
    }
}

/// The headings of a page, as their anchors.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_and_picture_of_the_guides_leads_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for guide in [
        "README.md",
        "benches/README.md",
        "tests/README.md",
        "examples/observability/README.md",
        "examples/observability/jaeger.md",
        "examples/observability/phoenix.md",
    ] {
        let page = std::fs::read_to_string(root.join(guide)).unwrap();
        for link in page.split("](").skip(1) {
            let (link, _) = link.split_once(')').unwrap();
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let mut target = root.join(guide);
            if !path.is_empty() {
                target = target.parent().unwrap().join(path);
            }
            assert!(target.exists(), "{guide}: {link}");
            if !anchor.is_empty() {
                let page = std::fs::read_to_string(target).unwrap();
                assert!(
                    anchors(&page).iter().any(|a| a == anchor),
                    "{guide}: {link}"
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}

fn collect(dir: &std::path::Path, sources: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|e| e == "rs") {
            sources.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}
