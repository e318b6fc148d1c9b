//! A model that speaks OpenAI's chat completions on 127.0.0.1: the examples run without a key and without a network.
//!
//! The wire format is the real one: server-sent events, tool calls in pieces, usage in the last chunk. Only the thinking is
//! fake: offered tools, it asks for the first two; given their results, or no tools, it answers in words.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

/// Before the first piece of an answer, and between two.
const THINKING: Duration = Duration::from_millis(80);
const TYPING: Duration = Duration::from_millis(15);

/// Starts it on a thread of its own, where it runs until the process ends. Gives what a client takes for
/// `https://api.openai.com/v1`.
pub(crate) fn start() -> std::io::Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let base_url = format!("http://{}/v1", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::spawn(move || runtime.block_on(serve(listener)));
    Ok(base_url)
}

async fn serve(listener: std::net::TcpListener) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let socket = TokioIo::new(listener.accept().await?.0);
        tokio::spawn(http1::Builder::new().serve_connection(socket, service_fn(answer)));
    }
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

async fn answer(request: Request<Incoming>) -> Result<Answer, hyper::Error> {
    let found = request.uri().path() == "/v1/chat/completions";
    let body = request.into_body().collect().await?.to_bytes();
    let error = |message| {
        json!({ "error": { "message": message, "type": "invalid_request_error" } }).to_string()
    };
    Ok(match serde_json::from_slice::<Value>(&body) {
        _ if !found => respond(404, "application/json", vec![error("Unknown request URL")]),
        Ok(body) if body["messages"].is_array() => complete(&body),
        _ => respond(
            400,
            "application/json",
            vec![error("Could not parse the JSON body of the request")],
        ),
    })
}

fn respond(status: u16, content_type: &'static str, pieces: Vec<String>) -> Answer {
    let pieces = stream::iter(pieces.into_iter().enumerate()).then(|(n, piece)| async move {
        tokio::time::sleep(if n == 0 { THINKING } else { TYPING }).await;
        Ok(Frame::data(Bytes::from(piece)))
    });
    let mut response = Response::new(StreamBody::new(pieces).boxed_unsync());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static(content_type),
    );
    response
}

fn complete(request: &Value) -> Answer {
    let reply = Reply::to(request);
    if request["stream"] != true {
        return respond(200, "application/json", vec![reply.whole().to_string()]);
    }
    let with_usage = request["stream_options"]["include_usage"] == true;
    let chunks = reply
        .chunks(with_usage)
        .into_iter()
        .map(|chunk| format!("data: {chunk}\n\n"));
    let events = chunks.chain(["data: [DONE]\n\n".to_owned()]).collect();
    respond(200, "text/event-stream", events)
}

/// What the model says, before it is cut into chunks.
struct Reply {
    id: String,
    /// The tools it asks for, whole; if there are none it answers in words.
    calls: Vec<Value>,
    text: &'static str,
    usage: Value,
}

impl Reply {
    fn to(request: &Value) -> Self {
        let list = |name| request[name].as_array().map_or(&[][..], Vec::as_slice);
        let results = list("messages")
            .iter()
            .filter(|message| message["role"] == "tool")
            .count();
        let wanted = if results == 0 { 2 } else { 0 };
        let names = list("tools")
            .iter()
            .filter_map(|tool| tool["function"]["name"].as_str());
        let calls: Vec<Value> = names.take(wanted).map(call).collect();
        let (text, output) = match (calls.is_empty(), results) {
            (false, _) => ("", 24 * calls.len()),
            (true, 0) => (
                "Check the weather, find what is open, then plan the day around the rain.",
                17,
            ),
            (true, _) => (
                "Pack an umbrella, it will rain a little. Stay at the Hôtel des Arts and start at the Orsay.",
                22,
            ),
        };
        let input = 20 + request.to_string().len() / 4;
        // A prompt that was seen before comes from the cache, in blocks of 128 tokens.
        let cached = if results > 0 { input / 128 * 128 } else { 0 };
        Self {
            id: format!("chatcmpl-{input:06}{output:04}"),
            calls,
            text,
            usage: json!({
                "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
                "prompt_tokens_details": { "cached_tokens": cached },
                "completion_tokens_details": { "reasoning_tokens": 0 },
            }),
        }
    }

    fn envelope(&self, object: &str, choices: Value) -> Value {
        let model = "gpt-4o-mini-2024-07-18";
        json!({ "id": self.id, "object": object, "created": 1_750_000_000, "model": model, "choices": choices })
    }

    fn finish_reason(&self) -> &'static str {
        if self.calls.is_empty() {
            "stop"
        } else {
            "tool_calls"
        }
    }

    fn whole(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.text });
        if !self.calls.is_empty() {
            message = json!({ "role": "assistant", "content": null, "tool_calls": self.calls });
        }
        let choice =
            json!({ "index": 0, "message": message, "finish_reason": self.finish_reason() });
        let mut answer = self.envelope("chat.completion", json!([choice]));
        answer["usage"] = self.usage.clone();
        answer
    }

    fn chunks(&self, with_usage: bool) -> Vec<Value> {
        let chunk = |choices| self.envelope("chat.completion.chunk", choices);
        let delta = |delta, reason: Option<&str>| {
            chunk(json!([{ "index": 0, "delta": delta, "finish_reason": reason }]))
        };
        let mut chunks = vec![delta(json!({ "role": "assistant", "content": "" }), None)];
        chunks.extend(
            self.text
                .split_inclusive(' ')
                .map(|word| delta(json!({ "content": word }), None)),
        );
        for (index, call) in self.calls.iter().enumerate() {
            let mut first = call.clone();
            first["index"] = index.into();
            first["function"]["arguments"] = "".into();
            chunks.push(delta(json!({ "tool_calls": [first] }), None));
            // The arguments are JSON inside a string, and arrive in pieces that are not JSON.
            let arguments = call["function"]["arguments"]
                .as_str()
                .unwrap_or_default()
                .as_bytes();
            chunks.extend(arguments.chunks(9).map(|piece| {
                let function = json!({ "arguments": String::from_utf8_lossy(piece) });
                delta(
                    json!({ "tool_calls": [{ "index": index, "function": function }] }),
                    None,
                )
            }));
        }
        chunks.push(delta(json!({}), Some(self.finish_reason())));
        if with_usage {
            chunks
                .iter_mut()
                .for_each(|chunk| chunk["usage"] = Value::Null);
            let mut last = chunk(json!([]));
            last["usage"] = self.usage.clone();
            chunks.push(last);
        }
        chunks
    }
}

/// A call of this tool, with the arguments the model thinks it wants.
fn call(tool: &str) -> Value {
    let arguments = match tool {
        name if name.contains("weather") => json!({ "city": "Paris", "days": 2 }),
        _ => json!({ "city": "Paris", "limit": 3 }),
    };
    json!({
        "id": format!("call_{tool}"), "type": "function",
        "function": { "name": tool, "arguments": arguments.to_string() },
    })
}
