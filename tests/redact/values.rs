//! Values: attributes, JSON, headers, events; whatever the depth.

use http::{HeaderMap, HeaderValue};
use serde_json::{Value as Json, json};
use tracing_genai::event::{Attrs, ErrorInfo, EventData, EventType, Value};
use tracing_genai::security::redact::{Redactor, Report};

const KEYED: &str = "[REDACTED:sensitive-key]";
const MAIL: &str = "[REDACTED:email]";

fn json(mut value: Json) -> Json {
    Redactor::standard().redact_json(&mut value);
    value
}

#[test]
fn key_names_are_masked_by_whole_segments_and_token_counts_stay() {
    let counts = json!({
        "gen_ai.usage.input_tokens": 1200, "max_tokens": 4096, "token_count": 7, "keyboard": "qwerty", "monkey": "abu",
        "tokenizer": "o200k", "author": "ada", "session.id": "s-1",
    });
    assert_eq!(json(counts.clone()), counts);
    assert_eq!(
        json(json!({
            "api_key": "a", "apiKey": "b", "x-api-key": ["c", "d"], "db.password": 12345, "Authorization": "e",
            "credentials": {"username": "u", "password": "p"}, "secret": true, "token": null,
        })),
        json!({
            "api_key": KEYED, "apiKey": KEYED, "x-api-key": [KEYED, KEYED], "db.password": KEYED, "Authorization": KEYED,
            "credentials": {"username": KEYED, "password": KEYED}, "secret": true, "token": null,
        }),
    );
}

#[test]
fn a_schema_under_a_secrets_name_is_its_description_and_stays() {
    let tool = json!({
        "name": "login",
        "parameters": {"type": "object", "properties": {"password": {"type": "string", "description": "as given"}}, "required": ["password"]},
    });
    assert_eq!(json(tool.clone()), tool);
    let text = tool.to_string();
    assert_eq!(Redactor::standard().redact_str(&text), text);
}

#[test]
fn names_beside_values_say_what_they_are() {
    let headers =
        json!([{"name": "Authorization", "value": "x"}, {"name": "Accept", "value": "x"}]);
    let expected =
        json!([{"name": "Authorization", "value": KEYED}, {"name": "Accept", "value": "x"}]);
    assert_eq!(json(headers.clone()), expected);
    let out = Redactor::standard()
        .redact_str(&headers.to_string())
        .into_owned();
    assert_eq!(serde_json::from_str::<Json>(&out).unwrap(), expected);
}

#[test]
fn secrets_in_keys_and_card_numbers_as_numbers_are_found() {
    assert_eq!(
        json(
            json!({"ada@lovelace.dev": 1, "bob@lovelace.dev": 2, "n": 4111111111111111u64, "id": 1732608700000u64})
        ),
        json!({MAIL: 1, format!("{MAIL} (2)"): 2, "n": "[REDACTED:credit-card]", "id": 1732608700000u64}),
    );
}

#[test]
fn json_in_strings_is_cut_inside_its_values_at_any_depth() {
    let inner =
        json!({"to": "ada@lovelace.dev", "password": "correct horse", "n": 1.50}).to_string();
    let middle = json!({"arguments": inner, "x": [inner]}).to_string();
    let outer =
        json!([{"role": "assistant", "parts": [{"type": "tool_call", "arguments": middle}]}])
            .to_string();
    let out = Redactor::standard().redact_str(&outer).into_owned();
    assert!(!out.contains("lovelace") && !out.contains("horse"), "{out}");
    let outer: Json = serde_json::from_str(&out).unwrap();
    let middle: Json =
        serde_json::from_str(outer[0]["parts"][0]["arguments"].as_str().unwrap()).unwrap();
    let inner: Json = serde_json::from_str(middle["x"][0].as_str().unwrap()).unwrap();
    assert_eq!(inner, json!({"to": MAIL, "password": KEYED, "n": 1.50}));
}

#[test]
fn what_does_not_change_in_a_document_keeps_its_spelling() {
    let text =
        "{ \"n\" : 1.50, \"n\":1e400,\n\t\"u\":\"\\u00e9\\/\", \"to\" :\"ada@lovelace.dev\" }";
    let expected = text.replace("ada@lovelace.dev", MAIL);
    assert_eq!(Redactor::standard().redact_str(text), expected);
}

#[test]
fn a_document_that_was_cut_off_is_cut_off_at_the_same_place() {
    let redactor = Redactor::standard();
    assert_eq!(
        redactor.redact_str(r#"[{"password":"p","x":["ada@lovelace.dev","#),
        format!(r#"[{{"password":"{KEYED}","x":["{MAIL}","#)
    );
    assert_eq!(
        redactor.redact_str(r#"{"password":"correct hor"#),
        format!(r#"{{"password":"{KEYED}"#)
    );
}

#[test]
fn attributes_of_every_shape_are_walked() {
    let mut attrs = Attrs::new();
    attrs.set(
        "gen_ai.input.messages",
        r#"[{"role":"user","parts":[{"type":"text","content":"I am ada@lovelace.dev"}]}]"#,
    );
    attrs.set("http.request.header.authorization", vec!["Bearer x"]);
    attrs.set("db.password", 123_456);
    attrs.set(
        "nested",
        Value::Json(json!({"a": [{"b": "ada@lovelace.dev"}]})),
    );
    attrs.set(
        "list",
        vec![Value::from("ok"), Value::from("ada@lovelace.dev")],
    );
    attrs.set("mail ada@lovelace.dev", true);
    attrs.set("gen_ai.usage.input_tokens", 12);
    let report = Redactor::standard().redact_attrs(&mut attrs);
    assert_eq!(
        (
            report.count("email"),
            report.count("sensitive-key"),
            report.failed()
        ),
        (4, 2, 0)
    );
    let text = serde_json::to_string(&attrs).unwrap();
    assert!(
        !text.contains("lovelace") && !text.contains("Bearer") && !text.contains("123456"),
        "{text}"
    );
    assert_eq!(
        attrs.get("gen_ai.usage.input_tokens"),
        Some(&Value::I64(12))
    );
    assert_eq!(attrs.get("mail [REDACTED:email]"), Some(&Value::Bool(true)));
    let messages = attrs
        .get("gen_ai.input.messages")
        .unwrap()
        .as_str()
        .unwrap();
    assert_eq!(
        messages,
        r#"[{"role":"user","parts":[{"type":"text","content":"I am [REDACTED:email]"}]}]"#
    );
}

#[test]
fn an_event_is_walked_as_a_whole() {
    let mut event = EventData::new(
        EventType::from_lossy("tool.call.failed"),
        std::time::SystemTime::UNIX_EPOCH,
    );
    event.name = "call ada@lovelace.dev".into();
    event.attrs.set("tool.arguments", r#"{"password":"p w"}"#);
    event.error =
        Some(ErrorInfo::new("Refused").with_message("postgres://ada:pa55word@db refused"));
    event.body = Some(tracing_genai::event::Body(
        json!({"text": "4111 1111 1111 1111"}),
    ));
    let report = Redactor::standard().redact_event(&mut event);
    assert_eq!(report.total(), 4);
    assert_eq!(&*event.name, "call [REDACTED:email]");
    let error = event.error.unwrap();
    assert_eq!(
        error.message.as_deref(),
        Some("postgres://[REDACTED:url-credentials]@db refused")
    );
    assert_eq!(&*error.kind, "Refused");
    assert_eq!(
        event.body.unwrap().0,
        json!({"text": "[REDACTED:credit-card]"})
    );
}

#[test]
fn headers_are_redacted_by_name_and_by_what_they_hold() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("set-cookie", "a=b"),
        ("x-api-key", "k"),
        ("x-note", "ada@lovelace.dev"),
        ("accept", "*/*"),
    ] {
        headers.append(
            http::HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.append(
        "x-bin",
        HeaderValue::from_bytes(b"\xff ada@lovelace.dev").unwrap(),
    );
    let report = Redactor::standard().redact_headers(&mut headers);
    assert_eq!(
        (report.count("sensitive-key"), report.count("email")),
        (4, 2)
    );
    assert_eq!(headers["accept"], "*/*");
    assert_eq!(headers["x-note"], MAIL);
    assert!(!format!("{headers:?}").contains("lovelace"));
}

#[test]
fn clean_text_is_borrowed_and_nothing_is_allocated_for_it() {
    let redactor = Redactor::standard();
    let long = "The quick brown fox jumps over the lazy dog, 42 times in 2024; secrets of tokens and keys. ".repeat(50);
    let document =
        json!([{"role": "user", "parts": [{"type": "text", "content": long}]}]).to_string();
    let texts = [long.as_str(), &document, "", "gpt-4o", "Zürich 東京"];
    // The first search of a thread makes room for those that follow.
    texts
        .iter()
        .for_each(|text| assert_eq!(redactor.redact_str(text), *text));
    let mut report = Report::new();
    let allocated = allocation_counter::measure(|| {
        for text in texts {
            assert!(matches!(
                redactor.redact_field("gen_ai.input.messages", text, &mut report),
                std::borrow::Cow::Borrowed(_)
            ));
        }
    });
    assert_eq!(allocated.count_total, 0);
    assert!(report.is_clean());
}

#[test]
fn depth_costs_no_stack() {
    let mut deep = Json::from("ada@lovelace.dev");
    for _ in 0..20_000 {
        deep = Json::Array(vec![deep]);
    }
    assert_eq!(Redactor::standard().redact_json(&mut deep).total(), 1);
    // Dropping it the usual way would recurse.
    while let Json::Array(mut items) = deep {
        deep = items.pop().unwrap();
    }
    assert_eq!(deep, MAIL);
    let text = format!(
        "{}\"ada@lovelace.dev\"{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(Redactor::standard().redact_str(&text).contains(MAIL));
}

#[test]
fn strings_of_every_odd_kind_are_taken() {
    let redactor = Redactor::standard();
    let mut texts = vec![
        String::new(),
        "\0".repeat(9),
        "\u{1b}]0;x\u{7}".into(),
        "\r\n".repeat(9),
        "\u{202e}abc".into(),
        "\u{e0041}\u{e0042}".into(),
    ];
    for around in [65_535, 65_536, 65_537] {
        texts.push("a".repeat(around));
        texts.push("é".repeat(around / 2));
        texts.push(format!("{} ada@lovelace.dev", "é".repeat(around / 2)));
    }
    for text in texts {
        let out = redactor.redact_str(&text);
        assert!(!out.contains('@'), "{}", text.len());
        assert_eq!(redactor.redact_str(&out), out);
    }
}

#[test]
fn hostile_text_is_done_with_in_linear_time_or_this_test_does_not_end() {
    let redactor = Redactor::builder()
        .with("ip-address")
        .with("date-of-birth")
        .build()
        .unwrap();
    for piece in [
        "sk-ant-",
        "eyJ.",
        "eyJaaaaaaaaaaaa.a.",
        "password=",
        "token: \"",
        "a@a.",
        "@",
        "4111 1111-",
        "1",
        "+1 ",
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN A ",
        "[",
        "{\"a\":\"@",
        "\\",
        "\\\"",
        "[\"\\u0041\\\\",
        "://a:b@",
        "://",
        "p\u{200b}",
        "%41",
        "aws ",
        "twilio ",
        "Bearer ",
        "Cookie: ",
        "?key=",
        "[REDACTED:",
        "[REDACTED:email]@a.bc ",
        "DE89 ",
        "\u{ff21}",
        ":AA",
        "Q~",
    ] {
        let text = piece.repeat(300_000 / piece.len());
        let once = redactor.redact_str(&text).into_owned();
        assert_eq!(redactor.redact_str(&once), once, "{piece}");
    }
}
