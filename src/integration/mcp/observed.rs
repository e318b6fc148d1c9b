//! The span of one message: made from what the message says, ended by what the answer says.
//!
//! Promise: content (arguments, results, variables, texts of errors) reaches only the installations that asked for it, cut to
//! their limits; names and ids from the wire are short.
//! Never: changes a message or an answer.

use std::convert::Infallible;
use std::future::Future;
use std::io;

use rmcp::model::{CallToolResult, ErrorData, JsonObject, ProtocolVersion};
use rmcp::service::ServiceError;
use serde::Serialize;

use super::message::{Answer, Message, Target};
use crate::event::{Subject, Value};
use crate::layer::starting::Opened;
use crate::record::Outcome;
use crate::record::cut::floor;
use crate::security::{SecurityBlocked, found};
use crate::semconv::{self, error_type, mcp_method};
use crate::span::{ActiveSpan, Plain, Starter};

/// The longest name, id or URI that is kept, in bytes: a peer may send megabytes, and no dashboard shows more than this.
const LONGEST: usize = 1024;
/// Prompt variables that are kept; the conventions' limit of attributes is 128 for a whole span.
const MOST_VARIABLES: usize = 64;

/// What is known of a message before it is handled, as attributes.
pub(super) fn starter(message: &Message<'_>) -> Starter<Plain> {
    let subject = match (&message.target, message.method.as_ref()) {
        (Target::Tool { .. }, _) => Subject::MCP_TOOL,
        (_, mcp_method::INITIALIZE) => Subject::MCP_CONNECTION,
        _ => Subject::MCP_REQUEST,
    };
    let mut span = Starter::of(subject).with(semconv::MCP_METHOD_NAME, short(&message.method));
    span = match &message.target {
        Target::None => span,
        Target::Tool { name, .. } => span.named(semconv::GEN_AI_TOOL_NAME, short(name)),
        Target::Prompt { name, .. } => span.named(semconv::GEN_AI_PROMPT_NAME, short(name)),
        Target::Resource(uri) => span.named(semconv::MCP_RESOURCE_URI, short(uri)),
    };
    match message.id {
        Some(id) => span.with(semconv::JSONRPC_REQUEST_ID, short(&id.to_string())),
        None => span,
    }
}

pub(super) fn short(text: &str) -> &str {
    floor(text, LONGEST)
}

/// How a message fared.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    Answered(Answer<'a>),
    /// The peer answered with an error of JSON-RPC.
    Refused(&'a ErrorData),
    /// There was no answer, for this reason.
    Failed(&'static str),
    Canceled,
}

impl<'a> End<'a> {
    pub(super) fn of(error: &'a ServiceError) -> Self {
        match error {
            ServiceError::McpError(error) => Self::Refused(error),
            ServiceError::Cancelled { .. } => Self::Canceled,
            ServiceError::Timeout { .. } => Self::Failed(error_type::TIMEOUT),
            ServiceError::TransportClosed => Self::Failed("transport_closed"),
            ServiceError::TransportSend(_) => Self::Failed("transport_send"),
            ServiceError::UnexpectedResponse => Self::Failed("unexpected_response"),
            ServiceError::InputRequiredRoundsExceeded { .. } => {
                Self::Failed("input_required_rounds_exceeded")
            }
            _ => Self::Failed(error_type::OTHER),
        }
    }

    fn failed_tool(self) -> Option<&'a CallToolResult> {
        match self {
            Self::Answered(answer) => answer.tool.filter(|tool| tool.is_error == Some(true)),
            _ => None,
        }
    }
}

/// The span that tells of a message.
#[derive(Debug)]
pub(super) enum Observed {
    /// One of the message's own.
    Own(ActiveSpan<Plain>),
    /// The `execute_tool` span that the call is the work of. Somebody else ends it.
    Tool(Opened),
}

impl Observed {
    fn each(&self, f: impl Fn(&Opened)) {
        match self {
            Self::Own(span) => span.each(f),
            Self::Tool(span) => f(span),
        }
    }

    pub(super) fn set(&self, name: &'static str, value: &str) {
        self.each(|o| o.instance.set(&o.state, name, Value::from(short(value))));
    }

    /// Runs what sends the message, or handles it, inside the span.
    pub(super) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        match self {
            Self::Own(span) => {
                let answered = async { Ok::<_, Infallible>(future.await) };
                match span.run(answered).await {
                    Ok(answer) => answer,
                    Err(never) => match never {},
                }
            }
            // The caller is in it.
            Self::Tool(_) => future.await,
        }
    }

    /// Arguments of a tool, variables of a prompt.
    pub(super) fn content_of(&self, message: &Message<'_>) {
        self.each(|o| {
            if !o.instance.content {
                return;
            }
            match &message.target {
                Target::Tool {
                    arguments: Some(arguments),
                    ..
                } => set_json(o, semconv::GEN_AI_TOOL_CALL_ARGUMENTS, arguments),
                Target::Prompt {
                    variables: Some(variables),
                    ..
                } => set_variables(o, variables),
                _ => {}
            }
        });
    }

    /// Why the message is not to be handled, if the policy blocks it; its span has ended then, or will as blocked.
    pub(super) fn stopped(&self) -> Result<(), SecurityBlocked> {
        let blocked = match self {
            Self::Own(span) => span.stopped(),
            Self::Tool(span) => found::stop(span, None).inspect(|blocked| {
                span.instance.note_blocked(&span.state, &blocked.reason);
            }),
        };
        blocked.map_or(Ok(()), Err)
    }

    pub(super) fn version(&self, version: Option<&ProtocolVersion>) {
        if let Some(version) = version {
            self.set(semconv::MCP_PROTOCOL_VERSION, version.as_str());
        }
    }

    /// Tells how it ended. A span of somebody else's stays open.
    pub(super) fn end(&self, end: End<'_>) {
        if let End::Answered(answer) = end {
            self.version(answer.version);
            if let Some(tool) = answer.tool {
                self.each(|o| {
                    if o.instance.content {
                        set_json(o, semconv::GEN_AI_TOOL_CALL_RESULT, tool);
                    }
                });
            }
        }
        if let End::Refused(error) = end {
            self.set(semconv::RPC_RESPONSE_STATUS_CODE, &error.code.0.to_string());
        }
        let failure = failure(end);
        match self {
            Self::Own(span) => match (failure, end) {
                (_, End::Canceled) => span.cancel(),
                (None, _) => span.complete(),
                (Some((kind, message)), _) => span.each(|o| {
                    o.instance.note_error(&o.state, Some(&kind), message);
                    o.instance.end(&o.state, Outcome::Failed, None);
                }),
            },
            // Nothing is known of the tool then.
            Self::Tool(_) if matches!(end, End::Canceled) => {}
            Self::Tool(span) => {
                let failure = failure.as_ref().map(|(kind, text)| (kind.as_str(), *text));
                span.instance.note_call(&span.state, failure);
            }
        }
    }
}

/// The `error.type` of a failure, and its text.
fn failure(end: End<'_>) -> Option<(String, Option<&str>)> {
    if let Some(tool) = end.failed_tool() {
        let mut texts = tool.content.iter().filter_map(|block| block.as_text());
        let text = texts.next().map(|text| text.text.as_str());
        return Some((error_type::TOOL_ERROR.to_owned(), text));
    }
    match end {
        End::Refused(error) => Some((error.code.0.to_string(), Some(error.message.as_ref()))),
        End::Failed(kind) => Some((kind.to_owned(), None)),
        End::Answered(_) | End::Canceled => None,
    }
}

/// The error of JSON-RPC that stands for a call that was not made.
pub(super) fn refusal(blocked: &SecurityBlocked) -> ErrorData {
    let rules: Vec<_> = blocked.rules().collect();
    let data = serde_json::json!({"reason": blocked.reason, "level": blocked.level.as_str(), "rules": rules});
    ErrorData::invalid_params(blocked.to_string(), Some(data))
}

fn set_json(o: &Opened, name: &'static str, value: &impl Serialize) {
    let text = json(value, o.instance.limits.value_bytes);
    o.instance.set(&o.state, name, Value::from(text));
}

fn set_variables(o: &Opened, variables: &JsonObject) {
    for (name, value) in variables.iter().take(MOST_VARIABLES) {
        let key = format!("{}.{}", semconv::GEN_AI_PROMPT_VARIABLE, short(name));
        let text = match value.as_str() {
            Some(text) => floor(text, o.instance.limits.value_bytes + 1).to_owned(),
            None => json(value, o.instance.limits.value_bytes),
        };
        o.instance.set(&o.state, key, Value::from(text));
    }
}

/// `value` as JSON, up to a little more than `most` bytes: what is longer is cut, and marked as cut, where it is recorded.
fn json(value: &impl Serialize, most: usize) -> String {
    struct Bounded {
        bytes: Vec<u8>,
        most: usize,
    }
    impl io::Write for Bounded {
        fn write(&mut self, more: &[u8]) -> io::Result<usize> {
            let room = self.most.saturating_sub(self.bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let taken = more.get(..more.len().min(room)).unwrap_or(more);
            self.bytes.extend_from_slice(taken);
            Ok(taken.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut out = Bounded {
        bytes: Vec::new(),
        // A character is at most four bytes, and may be cut in two here.
        most: most.saturating_add(4),
    };
    // It stops where there is no more room.
    let _ = serde_json::to_writer(&mut out, value);
    String::from_utf8_lossy(&out.bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_written_no_further_than_it_is_kept() {
        let value = serde_json::json!({"text": "ä".repeat(1 << 20)});
        let text = json(&value, 100);
        assert!((100..=106).contains(&text.len()), "{}", text.len());
        assert_eq!(
            json(&serde_json::json!({"a": [1, "b"]}), 100),
            r#"{"a":[1,"b"]}"#
        );
    }
}
