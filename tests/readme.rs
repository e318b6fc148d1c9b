//! The README says what the examples do.
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
fn every_test_that_the_readme_names_exists() {
    let mut sources = String::new();
    for dir in ["tests", "src"] {
        collect(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(dir)
                .as_path(),
            &mut sources,
        );
    }
    let rows = README.split("the tests that hold them").nth(1).unwrap();
    let (rows, _) = rows.split_once("\n## ").unwrap();
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
