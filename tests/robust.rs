//! What holds for all of the crate: no `unsafe`, no panic out of it, nothing global that it needs.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};

use opentelemetry::Context;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use tracing_genai::event::{Channel, Dialect, Event, EventId, Flavor, Level, Pattern, import};
use tracing_genai::message::{Message, Role, from_ag_ui, from_anthropic, from_openai};
use tracing_genai::propagation::extract;
use tracing_genai::scenario::{Results, Scenario, Snapshots, Transcript, payload};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{agent, chat, evaluation, event, log_event, scope, starters, tool};

/// Every file of the library, with its text up to its unit tests.
fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|it| it == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    let tests = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "tests");
    files.retain(|path| !tests(path) && !path.ends_with("tests.rs"));
    assert!(files.len() > 200, "the library is here");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let product = text.split("mod tests {").next().unwrap();
        let product = product.to_owned();
        (path.strip_prefix(root).unwrap().to_owned(), product)
    };
    files.into_iter().map(read).collect()
}

#[test]
fn unsafe_code_is_forbidden_and_there_is_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    assert!(lib.lines().any(|line| line == "#![forbid(unsafe_code)]"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\nunsafe_code = \"forbid\"\n"));
    for (path, text) in sources() {
        for word in ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code"] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn no_code_of_the_library_asks_for_a_panic() {
    const WORDS: [&str; 9] = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "unreachable!(",
        "todo!(",
        "unimplemented!(",
        "assert!(",
        "assert_eq!(",
        "assert_ne!(",
    ];
    // The kit for tests stops a test; the checks of declared event types run in the compiler.
    let allowed = ["src/testing", "src/event/custom/check.rs"];
    for (path, text) in sources() {
        if allowed.iter().any(|it| path.starts_with(it)) {
            continue;
        }
        for (at, line) in text.lines().enumerate() {
            let code = line.trim_start();
            // A test compiles the bundled rules, which nobody can change.
            let proven = code.contains("the bundled rules compile, as tests show");
            if code.starts_with("//") || code.starts_with("debug_assert") || proven {
                continue;
            }
            for word in WORDS {
                let place = format!("{}:{}", path.display(), at + 1);
                assert!(!code.contains(word), "{place}: {code}");
            }
        }
    }
}

#[test]
fn nothing_global_is_needed_and_nothing_global_is_touched() {
    // Two installations, on one thread, one inside the other, and none installed.
    let (outer, inner) = (capture(), capture());
    outer
        .record(|| {
            agent("outer").in_scope(|_| {
                inner.record(|| tool("inner").start().complete());
                Ok::<_, std::fmt::Error>(())
            })
        })
        .unwrap();
    assert_eq!(outer.spans().len(), 1);
    assert_eq!(
        outer.span("invoke_agent outer").parent_id,
        opentelemetry::SpanId::INVALID
    );
    assert_eq!(inner.spans().len(), 1);
    // The place is free: nobody took it.
    let free = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    assert!(free.is_ok(), "a global subscriber was set");
    let fields = opentelemetry::global::get_text_map_propagator(|it| it.fields().count());
    assert_eq!(fields, 0, "a global propagator was set");
    drop((outer, inner));
    tool("nobody listens").start().complete();
}

fn any_json() -> impl Strategy<Value = Json> {
    let text = || prop_oneof![3 => "[a-zA-Z_. ]{0,12}", 1 => any::<String>(), 1 => Just("\0\u{202e}é😀".to_owned())];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(|number| json!(number)),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::Array),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|fields| Json::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_number_or_json_given_to_the_library_makes_it_panic(
        a in any::<String>(),
        b in ".{0,40}",
        number in any::<f64>(),
        long in 0..200_000usize,
        json in any_json(),
    ) {
        let capture = capture_with(|builder| builder.capture(tracing_genai::content::CaptureMode::Redacted));
        let long = "😀x".repeat(long / 5);
        capture.record(|| {
            let call = chat(&a, &b).temperature(number).prompt(&long).attr(a.clone(), json.clone()).start();
            call.finish_reason(&b).response(&json);
            call.chunk(&a);
            call.fail(&b);
            agent(&a).source(tracing_genai::Source::new(b.clone()).metadata(&json)).start().block(&a);
            tool(&b).arguments(&json).call_id(&a).start().result(&json).complete();
            starters::guardrail(&a).start().deny(&b);
            event(a.clone()).data(&json).body(&json).channel(b.clone()).emit();
            event(b.clone()).message(&a).error(&long).emit();
            log_event(b.clone(), &json, a.clone(), Level::Warn);
            evaluation(&a).score(number).label(&b).explanation(&long).emit();
            scope([(a.clone(), b.clone())]).in_scope(|| tool("x").start().complete());
            let read = from_openai(&json).value.messages;
            let run = Scenario::new(a.clone()).set(b.clone()).field(a.clone(), &json).snapshots(Snapshots::Delta).start();
            run.messages(&read).messages(&[Message::user(long.clone())]);
            run.message(&a, Role::from(b.as_str())).push(&b);
            run.tool_call(&b, &a).push(&a);
            run.finish(Results::failure().met(b.clone()).undecided(a.clone()).reasoning(long.clone()));
        });
        let mut transcript = Transcript::new();
        for event in capture.events() {
            let _ = (payload(&event), transcript.apply(&event), event.to_string(), format!("{event:?}"));
        }
        for dialect in Dialect::ALL {
            for event in import(*dialect, &json).unwrap_or_default() {
                let _ = payload(&Event::new(event));
            }
            for name in dialect.names().take(8) {
                let mut document = json!({"timestamp": 1_703_123_456_789_u64, "data": json, "metadata": json, "results": json});
                for field in ["type", "event", "name", "EventType"] {
                    document[field] = name.into();
                }
                for event in import(*dialect, &document).unwrap_or_default() {
                    let _ = payload(&Event::new(event));
                }
            }
        }
        let _ = (from_anthropic(&json), from_ag_ui(&json));
        let _ = (a.parse::<EventId>(), Pattern::parse(&b), Channel::new(a.clone()), Flavor::from(b.clone()));
        let carrier = Map::from_iter([("traceparent".to_owned(), Json::from(a)), ("baggage".to_owned(), Json::from(b))]);
        let _: Context = extract(&carrier);
    }
}
