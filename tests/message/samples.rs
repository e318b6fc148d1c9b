//! The samples of providers: requests and answers.

use serde_json::{Value as Json, json};
use tracing_genai::message::{
    Conversation, Converted, from_anthropic, from_gemini, from_openai, from_openai_responses,
    to_anthropic, to_openai,
};

use super::{Schema, assert_valid, data};

type Reader = fn(&Json) -> Converted<Conversation>;

const FORMATS: [(&str, Reader); 5] = [
    ("openai-chat", from_openai),
    ("mistral", from_openai),
    ("openai-responses", from_openai_responses),
    ("anthropic", from_anthropic),
    ("gemini", from_gemini),
];

/// The names of tools on their results, which the readers of the wire leave out.
fn without_tool_names(mut messages: Json) -> Json {
    for message in messages.as_array_mut().unwrap() {
        if message["role"] == "tool" {
            message.as_object_mut().unwrap().remove("name");
        }
    }
    messages
}

#[test]
fn requests_and_answers_read_as_the_readers_of_the_wire_read_them() {
    for (name, read) in FORMATS {
        let expected = data(&format!("provider/{name}/expected.json"));
        for (file, part) in [
            ("request.json", "request"),
            ("stream-request.json", "stream_request"),
        ] {
            let request = data(&format!("provider/{name}/{file}"));
            let read = read(&request)
                .strict()
                .unwrap_or_else(|error| panic!("{name} {file}: {error}"))
                .plain();
            let expected = &expected["content"][part];
            let none = json!([]);
            let system = expected.get("gen_ai.system_instructions").unwrap_or(&none);
            assert_eq!(
                without_tool_names(read.input_messages()),
                expected["gen_ai.input.messages"],
                "{name} {file}"
            );
            assert_eq!(&read.system_instructions(), system, "{name} {file}");
            assert_valid(Schema::Input, &read.input_messages());
            assert_valid(Schema::System, &read.system_instructions());
        }
        let answer = data(&format!("provider/{name}/response.json"));
        let read = read(&answer)
            .strict()
            .unwrap_or_else(|error| panic!("{name} response: {error}"))
            .plain();
        let expected = &expected["content"]["response"]["gen_ai.output.messages"];
        assert_eq!(&read.output_messages(), expected, "{name}");
        assert_valid(Schema::Output, &read.output_messages());
    }
}

#[test]
fn requests_come_back_out_as_they_went_in() {
    for file in ["request.json", "stream-request.json"] {
        let openai = data(&format!("provider/openai-chat/{file}"));
        let written = to_openai(&from_openai(&openai).strict().unwrap())
            .strict()
            .unwrap();
        assert_eq!(from_openai(&json!(written)), from_openai(&openai), "{file}");
        let anthropic = data(&format!("provider/anthropic/{file}"));
        let written = to_anthropic(&from_anthropic(&anthropic).strict().unwrap())
            .strict()
            .unwrap();
        assert_eq!(
            from_anthropic(&written),
            from_anthropic(&anthropic),
            "{file}"
        );
    }
}

#[test]
fn a_conversation_with_anthropic_goes_on_with_openai_and_back() {
    let request = data("provider/anthropic/stream-request.json");
    let read = from_anthropic(&request).strict().unwrap().plain();
    let openai = json!(to_openai(&read).strict().unwrap());
    let there = from_openai(&openai).strict().unwrap();
    let back = from_anthropic(&to_anthropic(&there).strict().unwrap())
        .strict()
        .unwrap()
        .plain();
    assert_eq!(back, read);
}
