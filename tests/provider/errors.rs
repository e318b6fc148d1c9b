use serde_json::json;
use tracing_genai::event::FinishReason;
use tracing_genai::provider::{Answer, Api, Endpoint, Reader};

fn reader(api: Api, kind: &str) -> Reader {
    Endpoint::new(api, "").reader(Some(kind), false)
}

fn stream(api: Api, bytes: &[u8]) -> Answer {
    let mut reader = reader(api, "text/event-stream");
    reader.push(bytes);
    reader.answer()
}

#[test]
fn errors_of_every_provider_have_a_short_name() {
    for (api, body, kind) in [
        (
            Api::OpenAiChat,
            json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}),
            "rate_limit_exceeded",
        ),
        (
            Api::AnthropicMessages,
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            "overloaded_error",
        ),
        (
            Api::Gemini,
            json!([{"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}]),
            "RESOURCE_EXHAUSTED",
        ),
        (
            Api::Ollama,
            json!({"error": "model not found, try pulling it"}),
            "_OTHER",
        ),
        (
            Api::Cohere,
            json!({"message": "invalid api token"}),
            "_OTHER",
        ),
        (
            Api::Mistral,
            json!({"object": "error", "message": "no", "type": "invalid_request_error"}),
            "invalid_request_error",
        ),
        (
            Api::BedrockConverse,
            json!({"__type": "com.amazon.coral.service#ThrottlingException", "message": "slow"}),
            "ThrottlingException",
        ),
    ] {
        let mut reader = reader(api, "application/json");
        reader.push(body.to_string().as_bytes());
        let error = reader.answer().error.unwrap_or_else(|| panic!("{body}"));
        assert_eq!(error.kind, kind, "{body}");
        assert!(error.message.is_some(), "{body}");
        assert!(
            !format!("{error:?}").contains("slow"),
            "the message is content"
        );
    }
}

#[test]
fn an_error_in_the_stream_is_told_with_what_was_known_before() {
    let answer = stream(
        Api::AnthropicMessages,
        b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"usage\":{\"input_tokens\":9}}}\n\n\
          event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n",
    );
    assert_eq!(answer.error.unwrap().kind, "overloaded_error");
    assert_eq!(answer.usage.input_tokens, Some(9));
    let answer = stream(
        Api::OpenAiChat,
        b"data: {\"error\":{\"code\":\"server_error\"}}\n\n",
    );
    assert_eq!(answer.error.unwrap().kind, "server_error");
    let answer = stream(
        Api::OpenAiResponses,
        b"data: {\"type\":\"response.failed\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"x\"}}}\n\n",
    );
    assert_eq!(answer.error.unwrap().kind, "rate_limit_exceeded");
}

#[test]
fn refusals_read_as_withheld() {
    for (api, body) in [
        (
            Api::OpenAiChat,
            json!({"choices": [{"message": {"refusal": "I cannot."}, "finish_reason": "stop"}]}),
        ),
        (
            Api::AnthropicMessages,
            json!({"type": "message", "content": [], "stop_reason": "refusal"}),
        ),
        (
            Api::Gemini,
            json!({"promptFeedback": {"blockReason": "SAFETY"}}),
        ),
        (
            Api::BedrockConverse,
            json!({"output": {"message": {"content": []}}, "stopReason": "guardrail_intervened"}),
        ),
    ] {
        let answer = Endpoint::new(api, "").answer(&body, false);
        assert_eq!(
            answer.finish_reasons,
            [FinishReason::ContentFilter],
            "{body}"
        );
    }
}

#[test]
fn a_body_of_json_under_the_type_of_a_stream_is_read_as_what_it_is() {
    let mut reader = reader(Api::OpenAiChat, "text/event-stream");
    reader.push(br#"{"error": {"code": "invalid_api_key"}}"#);
    assert_eq!(reader.answer().error.unwrap().kind, "invalid_api_key");
    assert!(!reader.is_stream());
}
