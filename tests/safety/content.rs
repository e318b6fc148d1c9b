//! The modes of capture, and the budgets.

use serde_json::{Value as Json, json};
use tracing_genai::content::{CaptureMode, ContentLimits};
use tracing_genai::event::{Subject, Value};
use tracing_genai::message::Message;
use tracing_genai::testing::{Capture, CapturedSpan, capture, capture_with};
use tracing_genai::{ConfigError, Telemetry, chat, event, log_event, tool};

const CONTENT: [&str; 5] = [
    "gen_ai.system_instructions",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
];

fn conversation(capture: &Capture) {
    capture.record(|| {
        let call = chat("openai", "gpt-4o")
            .system("You report the weather.")
            .messages(&[
                Message::user("What about Paris? My mail is ada@lovelace.dev."),
                Message::assistant("It rains."),
                Message::user("And Rome?"),
            ])
            .start();
        call.output(&[Message::assistant("Sun.").finish_reason("stop")]);
        call.complete();
        let call = tool("search")
            .arguments(json!({"city": "Rome", "api_key": "k-123"}))
            .start();
        call.result(json!({"sky": "clear"})).complete();
        event("note.taken").body("Rome is sunny").emit();
    });
}

fn json(span: &CapturedSpan, name: &str) -> Json {
    let text = span.attr(name).and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
}

fn body(capture: &Capture) -> Option<Json> {
    let events = capture.events();
    let note = events
        .iter()
        .find(|event| event.ty == "note.taken")
        .unwrap();
    note.body.as_ref().map(|body| body.0.clone())
}

#[test]
fn a_tool_that_gives_text_is_shown_with_the_text_and_not_with_json_of_it() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture.record(|| {
        let call = tool("ask").arguments("Rome").start();
        call.result("Sun, says ada@lovelace.dev").complete();
    });
    let span = capture.span("execute_tool ask");
    let text = |name: &str| span.attr(name).and_then(Value::as_str).unwrap().to_owned();
    assert_eq!(text("gen_ai.tool.call.arguments"), "Rome");
    let result = text("gen_ai.tool.call.result");
    assert!(result.starts_with("Sun, says "), "{result}");
    assert!(!result.contains("ada@lovelace.dev"), "{result}");
}

#[test]
fn content_is_off_by_default_under_whatever_name_and_on_whatever_span() {
    let capture = capture();
    conversation(&capture);
    capture.record(|| {
        // A library's span that declares it, and one of another dialect.
        let said = "what was said";
        tracing::info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.input.messages = said
        );
        tracing::info_span!("chat", gen_ai.operation.name = "chat", gen_ai.prompt = said);
        tracing::info_span!(
            "work",
            gen_ai.tool.call.arguments = said,
            gen_ai.prompt.variable.name = said
        );
        log_event(
            "LLM_call_start",
            json!({"prompt": said, "model": "gpt-4o"}),
            "LLM",
            tracing_genai::event::Level::Info,
        );
    });
    for span in capture.spans() {
        let shown = super::told(&span);
        for said in ["Rome", "Paris", "rains", "weather", "what was said"] {
            assert!(!shown.contains(said), "{shown}");
        }
        for name in CONTENT {
            assert_eq!(span.attr(name), None, "{name}");
        }
        assert_eq!(span.attr("genai.content.bytes"), None);
    }
    assert_eq!(body(&capture), None);
}

#[test]
fn metadata_keeps_roles_kinds_names_and_sizes_and_nothing_that_was_said() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Metadata));
    conversation(&capture);
    let call = capture.span("chat gpt-4o");
    assert_eq!(
        json(&call, "gen_ai.input.messages"),
        json!([
            {"role": "user", "parts": [{"type": "text", "content": "", "bytes": 46}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "", "bytes": 9}]},
            {"role": "user", "parts": [{"type": "text", "content": "", "bytes": 9}]},
        ])
    );
    assert_eq!(
        json(&call, "gen_ai.output.messages"),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "", "bytes": 4}], "finish_reason": "stop"}])
    );
    let tool = capture.span("execute_tool search");
    assert_eq!(tool.attr("gen_ai.tool.call.arguments"), None);
    assert_eq!(tool.attr("gen_ai.tool.call.result"), None);
    assert!(tool.attr("genai.content.bytes").is_some());
    assert_eq!(body(&capture), None);
}

#[test]
fn redacted_keeps_what_was_said_without_secrets_and_people() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    conversation(&capture);
    let call = capture.span("chat gpt-4o");
    let asked = json(&call, "gen_ai.input.messages");
    assert_eq!(
        asked[0]["parts"][0]["content"],
        "What about Paris? My mail is [REDACTED:email]."
    );
    assert_eq!(asked[2]["parts"][0]["content"], "And Rome?");
    assert_eq!(
        json(&call, "gen_ai.system_instructions"),
        json!([{"type": "text", "content": "You report the weather."}])
    );
    let tool = capture.span("execute_tool search");
    assert_eq!(
        json(&tool, "gen_ai.tool.call.arguments"),
        json!({"city": "Rome", "api_key": "[REDACTED:sensitive-key]"})
    );
    assert_eq!(body(&capture), Some("Rome is sunny".into()));
}

#[test]
fn full_keeps_content_as_it_came_and_still_takes_secrets_out_of_everything_else() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    capture.record(|| {
        let call = chat("openai", "gpt-4o")
            .prompt("mail ada@lovelace.dev")
            .attr("contact", "ada@lovelace.dev")
            .start();
        call.complete();
    });
    let call = capture.span("chat gpt-4o");
    let asked = json(&call, "gen_ai.input.messages");
    assert_eq!(asked[0]["parts"][0]["content"], "mail ada@lovelace.dev");
    assert_eq!(call.attr("contact"), Some(&"[REDACTED:email]".into()));
}

#[test]
fn each_subject_may_have_a_mode_of_its_own() {
    let capture = capture_with(|builder| {
        builder
            .capture(CaptureMode::Redacted)
            .capture_for(Subject::TOOL_CALL, CaptureMode::Off)
    });
    conversation(&capture);
    assert!(
        capture
            .span("chat gpt-4o")
            .attr("gen_ai.input.messages")
            .is_some()
    );
    let tool = capture.span("execute_tool search");
    assert_eq!(tool.attr("gen_ai.tool.call.arguments"), None);

    let capture = capture_with(|b| b.capture_for(Subject::TOOL_CALL, CaptureMode::Redacted));
    conversation(&capture);
    assert_eq!(
        capture.span("chat gpt-4o").attr("gen_ai.input.messages"),
        None
    );
    let tool = capture.span("execute_tool search");
    assert!(tool.attr("gen_ai.tool.call.arguments").is_some());
}

#[test]
fn the_variables_of_upstream_turn_capture_on_and_the_builder_wins() {
    let run = |variables: &'static [(&str, &str)], mode: Option<CaptureMode>| {
        let capture = capture_with(|builder| {
            let builder = builder.environment(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            match mode {
                Some(mode) => builder.capture(mode),
                None => builder,
            }
        });
        conversation(&capture);
        capture
            .span("chat gpt-4o")
            .attr("gen_ai.input.messages")
            .is_some()
    };
    const NAME: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
    assert!(run(&[(NAME, "SPAN_ONLY")], None));
    assert!(run(&[(NAME, "span_and_event")], None));
    assert!(!run(&[(NAME, "EVENT_ONLY")], None), "not on the span");
    assert!(
        !run(&[(NAME, "true")], None),
        "older instrumentations meant events"
    );
    assert!(!run(&[(NAME, "NO_CONTENT")], None));
    assert!(!run(&[(NAME, "sure")], None), "nonsense turns nothing on");
    assert!(!run(&[(NAME, "SPAN_ONLY")], Some(CaptureMode::Off)));
    assert!(run(&[(NAME, "NO_CONTENT")], Some(CaptureMode::Redacted)));
    assert!(run(&[("TRACING_GENAI_CAPTURE", "redacted")], None));
    assert!(!run(
        &[(NAME, "SPAN_ONLY"), ("TRACING_GENAI_CAPTURE", "off")],
        None
    ));
}

#[test]
fn texts_of_errors_are_content_and_their_type_is_always_there() {
    for (mode, message) in [
        (CaptureMode::Off, false),
        (CaptureMode::Metadata, false),
        (CaptureMode::Redacted, true),
        (CaptureMode::Full, true),
    ] {
        let capture = capture_with(|builder| builder.capture(mode));
        capture.record(|| {
            chat("openai", "gpt-4o")
                .start()
                .fail("no quota for ada@lovelace.dev");
        });
        let span = capture.span("chat gpt-4o");
        assert_eq!(span.attr("error.type"), Some(&"str".into()));
        let shown = super::told(&span);
        assert_eq!(
            shown.contains("no quota for [REDACTED:email]"),
            message,
            "{mode}: {shown}"
        );
        assert!(!shown.contains("lovelace"));
    }
}

#[test]
fn what_is_over_the_budget_is_cut_inside_its_texts_and_stays_json() {
    let limits = ContentLimits::new(600, 900);
    let capture = capture_with(|b| b.capture(CaptureMode::Redacted).content_limits(limits));
    capture.record(|| {
        let history: Vec<_> = (0..50)
            .map(|n| Message::user(format!("{n} {}", "long ".repeat(200))))
            .collect();
        let call = chat("openai", "gpt-4o").messages(&history).start();
        call.output(&[Message::assistant("ä".repeat(5_000)).finish_reason("length")]);
        call.usage(tracing_genai::event::Usage::new().input(140).output(32));
        call.complete();
    });
    let span = capture.span("chat gpt-4o");
    let mut sum = 0;
    for name in ["gen_ai.output.messages", "gen_ai.input.messages"] {
        let text = span.attr(name).and_then(Value::as_str).unwrap();
        assert!(text.len() <= 600, "{name} {}", text.len());
        sum += text.len();
        let messages = json(&span, name);
        for message in messages.as_array().unwrap() {
            assert!(
                message["role"].is_string() && message["parts"].is_array(),
                "{message}"
            );
        }
    }
    assert!(sum <= 900, "{sum}");
    let answer = json(&span, "gen_ai.output.messages");
    assert_eq!(answer[0]["finish_reason"], "length");
    assert!(
        span.attr("genai.content.cut_bytes")
            .and_then(Value::as_i64)
            .unwrap()
            > 50_000
    );
    assert_eq!(
        span.attr("gen_ai.usage.input_tokens"),
        Some(&140.into()),
        "usage first"
    );
}

#[test]
fn json_that_was_cut_on_its_way_is_mended_and_text_that_is_none_becomes_a_message() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture.record(|| {
        // Longer than one attribute may be.
        let long =
            json!([{"role": "user", "parts": [{"type": "text", "content": "x".repeat(70_000)}]}])
                .to_string();
        tracing::info_span!(
            "a",
            gen_ai.operation.name = "chat",
            gen_ai.input.messages = long
        );
        tracing::info_span!(
            "b",
            gen_ai.operation.name = "chat",
            gen_ai.output.messages = "Hello!",
            gen_ai.system_instructions = "Be kind."
        );
    });
    let spans = capture.spans();
    let cut = json(&spans[0], "gen_ai.input.messages");
    assert_eq!(cut[0]["role"], "user");
    assert!(cut[0]["parts"][0]["content"].as_str().unwrap().len() > 60_000);
    assert_eq!(
        json(&spans[1], "gen_ai.output.messages"),
        json!([{"role": "assistant", "parts": [{"type": "text", "content": "Hello!"}], "finish_reason": "unknown"}])
    );
    assert_eq!(
        json(&spans[1], "gen_ai.system_instructions"),
        json!([{"type": "text", "content": "Be kind."}])
    );
}

#[test]
fn hostile_content_harms_nothing() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    capture.record(|| {
        for text in [
            "",
            "\0",
            "[",
            "{\"a\":",
            "\u{202e}\u{e0041}",
            "\"\\ud83d\"",
            &deep,
        ] {
            tracing::info_span!(
                "x",
                gen_ai.operation.name = "chat",
                gen_ai.input.messages = text,
                gen_ai.tool.call.arguments = text
            );
            chat("openai", "gpt-4o").prompt(text).start().complete();
            tool("t").arguments(text).start().result(text).complete();
        }
        let huge = Message::user("y".repeat(8 << 20));
        chat("openai", "huge")
            .messages(&[huge.clone(), huge])
            .start()
            .complete();
    });
    let spans = capture.spans();
    assert_eq!(spans.len(), 7 * 3 + 1);
    for span in &spans {
        if let Some(text) = span.attr("gen_ai.input.messages").and_then(Value::as_str) {
            let parsed: Json = serde_json::from_str(text).unwrap();
            assert!(parsed.is_array(), "{text:.100}");
            assert!(text.len() <= 64 * 1024);
        }
    }
    let huge = capture.span("chat huge");
    let said = json(&huge, "gen_ai.input.messages");
    assert_eq!(said.as_array().unwrap().len(), 2, "both roles are there");
}

#[test]
fn limits_that_cannot_work_are_refused_with_what_would() {
    for limits in [
        ContentLimits::new(0, 1000),
        ContentLimits::new(1000, 10),
        ContentLimits::new(4 << 20, 8 << 20),
    ] {
        let error = Telemetry::builder("test")
            .content_limits(limits)
            .build()
            .unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { .. }));
        assert!(error.to_string().contains("content_limits"), "{error}");
    }
}

/// Against the schemas of the conventions.
fn assert_valid(attribute: &str, text: &str) {
    let schema = match attribute {
        "gen_ai.input.messages" => "gen-ai-input-messages",
        "gen_ai.output.messages" => "gen-ai-output-messages",
        "gen_ai.system_instructions" => "gen-ai-system-instructions",
        other => panic!("no schema of {other}"),
    };
    let path = format!(
        "{}/tests/data/semconv/schemas/{schema}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let schema: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let json: Json = serde_json::from_str(text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator
        .iter_errors(&json)
        .map(|e| e.to_string())
        .collect();
    assert!(wrong.is_empty(), "{attribute}: {wrong:?} in {json}");
}

#[test]
fn messages_are_valid_against_the_conventions_schemas_in_every_mode_and_whoever_wrote_them() {
    for mode in [
        CaptureMode::Metadata,
        CaptureMode::Redacted,
        CaptureMode::Full,
    ] {
        for limits in [ContentLimits::DEFAULT, ContentLimits::new(512, 1024)] {
            let capture = capture_with(|b| b.capture(mode).content_limits(limits));
            conversation(&capture);
            capture.record(|| {
                for said in [
                    "Hello!",
                    r#"[{"role":"user","content":"as providers have it"},{"role":"assistant","content":[{"type":"text","text":"hi"}]}]"#,
                    r#"{"role":"user","parts":[]}"#,
                    r#"["one", 2, {"a": 1}]"#,
                    r#"[{"role":"user","parts":[{"type":"text","content":"cut he"#,
                ] {
                    tracing::info_span!("call", gen_ai.operation.name = "chat", gen_ai.input.messages = said, gen_ai.output.messages = said, gen_ai.system_instructions = said);
                    tracing::info_span!("call", gen_ai.operation.name = "chat", gen_ai.prompt = said, gen_ai.completion = said);
                }
                let long = vec![Message::user("x".repeat(9_000)); 9];
                chat("openai", "gpt-4o").messages(&long).system(&"y".repeat(9_000)).start().output(&long).complete();
            });
            let mut checked = 0;
            for span in capture.spans() {
                for name in &CONTENT[..3] {
                    if let Some(text) = span.attr(name).and_then(Value::as_str) {
                        assert_valid(name, text);
                        checked += 1;
                    }
                }
            }
            assert!(checked > 20, "{mode}: {checked}");
        }
    }
}

#[test]
fn what_is_over_the_limits_is_kept_whole_elsewhere_with_a_reference_on_the_span() {
    use std::time::Duration;
    use tracing_genai::content::DirectoryStore;

    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("content");
    let store = DirectoryStore::new(&kept);
    let capture = capture_with(|builder| {
        let builder = builder.capture(CaptureMode::Redacted).content_store(store);
        builder.content_limits(ContentLimits::new(512, 1024))
    });
    capture.record(|| {
        let long = format!("{} ada@lovelace.dev", "long ".repeat(2_000));
        chat("openai", "long").prompt(&long).start().complete();
        chat("openai", "short").prompt("short").start().complete();
    });
    assert!(
        capture
            .telemetry()
            .shutdown_within(Duration::from_secs(20))
            .is_complete()
    );
    let span = capture.span("chat long");
    assert!(
        json(&span, "gen_ai.input.messages").is_array(),
        "what is cut is there as well"
    );
    let reference = span
        .attr("gen_ai.input.messages_ref")
        .and_then(Value::as_str)
        .unwrap();
    let file = reference.strip_prefix("file://").unwrap();
    let whole = std::fs::read_to_string(file).unwrap();
    assert_valid("gen_ai.input.messages", &whole);
    assert!(
        whole.len() > 10_000 && whole.contains("[REDACTED:email]") && !whole.contains("lovelace")
    );
    assert_eq!(
        capture.span("chat short").attr("gen_ai.input.messages_ref"),
        None
    );
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode =
            |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&kept), mode(std::path::Path::new(file))),
            (0o700, 0o600)
        );
    }
}

#[test]
fn a_store_in_trouble_costs_the_reference_and_is_counted() {
    use std::time::Duration;
    use tracing_genai::Loss;
    use tracing_genai::content::{ContentId, ContentStore};

    struct Broken;
    impl ContentStore for Broken {
        fn reference(&self, id: ContentId<'_>) -> String {
            assert!(id.attribute != "gen_ai.output.messages", "no reference");
            "nowhere".to_owned()
        }

        fn store(&self, _: &str, _: &str) -> std::io::Result<()> {
            Err(std::io::Error::other("disk full"))
        }
    }
    let capture = capture_with(|builder| {
        let builder = builder.capture(CaptureMode::Redacted).content_store(Broken);
        builder.content_limits(ContentLimits::new(512, 1024))
    });
    capture.record(|| {
        let long = "long ".repeat(2_000);
        let call = chat("openai", "m").prompt(&long).start();
        call.output(&[Message::assistant(&long)]).complete();
    });
    let report = capture.telemetry().shutdown_within(Duration::from_secs(20));
    assert_eq!(report.partial.get(&Loss::Write), Some(&1), "{report:?}");
    assert_eq!(report.partial.get(&Loss::Hook), Some(&1), "{report:?}");
    assert!(
        capture
            .span("chat m")
            .attr("gen_ai.output.messages")
            .is_some()
    );
}
