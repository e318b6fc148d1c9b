//! What a record says, as metrics want it: which work it was, under which attributes, with which numbers.
//!
//! Promise: an attribute is short text, a port or absent; a number is finite, not negative and possible, or absent.
//! Never: invents a value that the conventions do not name.

use std::borrow::Cow;

use opentelemetry::{KeyValue, Value};

use crate::enrich::builtin;
use crate::event::{SpanKind, Subject, Usage};
use crate::pipeline::{events, names};
use crate::record::cut::floor;
use crate::record::{FieldRef, Record};
use crate::semconv;

/// The longest attribute, in bytes: every distinct value is kept in memory for as long as the process lives.
const LONGEST: usize = 256;
/// More tokens than this is a mistake, not a count: a thousand times the longest context there is. Sums of calls below it
/// stay within the signed 64 bits that OTLP has for them.
const MOST_TOKENS: u64 = 1 << 40;
/// No call costs a billion dollars, and a sum of larger numbers would no longer show the cents of the others.
const MOST_USD: f64 = 1e9;
/// Thirty years, for times that somebody else measured.
const MOST_SECONDS: f64 = 1e9;

/// Which metrics a span is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A model generates.
    Inference,
    /// A model embeds: a client operation with tokens and a price.
    Embeddings,
    /// A client operation without a model call of its own: retrieval, memory, stored responses, remote agents.
    Client,
    /// An agent in this process.
    Agent,
    Workflow,
    Tool,
    /// An MCP message, as its sender sees it; `tool` where a tool is called that no other span tells of.
    McpClient {
        tool: bool,
    },
    /// The same, as its receiver sees it.
    McpServer,
}

impl Work {
    /// `None` for what has no metric: steps, plain spans, parts of a retrieval, MCP requests of no known method.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let remote = || names::span_kind(record) == SpanKind::Client;
        Some(match record.subject? {
            Subject::LLM_CALL => match operation(record) {
                Some(semconv::operation::EMBEDDINGS) => Self::Embeddings,
                Some(semconv::operation::FETCH_RESPONSE) => Self::Client,
                _ => Self::Inference,
            },
            Subject::AGENT_EXECUTION if remote() => Self::Client,
            Subject::AGENT_EXECUTION => Self::Agent,
            Subject::WORKFLOW => Self::Workflow,
            Subject::TOOL_CALL | Subject::TAG => Self::Tool,
            Subject::MCP_TOOL | Subject::MCP_CONNECTION | Subject::MCP_REQUEST => {
                mcp_method(record)?;
                match names::span_kind(record) {
                    SpanKind::Server => Self::McpServer,
                    _ => Self::McpClient {
                        tool: record.subject == Some(Subject::MCP_TOOL),
                    },
                }
            }
            Subject::AGENT
            | Subject::RETRIEVAL_QUERY
            | Subject::MEMORY_QUERY
            | Subject::MEMORY_SAVE => Self::Client,
            _ => return None,
        })
    }
}

fn operation(record: &Record) -> Option<&str> {
    let told = record.fields.str(semconv::GEN_AI_OPERATION_NAME);
    told.filter(|told| !told.is_empty())
        .or_else(|| record.subject?.operation())
}

/// The method of an MCP message: what it says, else what its subject is.
fn mcp_method(record: &Record) -> Option<&str> {
    let told = record.fields.str(semconv::MCP_METHOD_NAME);
    told.filter(|told| !told.is_empty())
        .or_else(|| match record.subject? {
            Subject::MCP_TOOL => Some(semconv::mcp_method::TOOLS_CALL),
            Subject::MCP_CONNECTION => Some(semconv::mcp_method::INITIALIZE),
            _ => None,
        })
}

/// A record, read for its metrics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) record: &'a Record,
    pub(super) failed: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let failed = events::failed(record);
        Self { record, failed }
    }

    /// Those of `names` that are known.
    pub(super) fn attributes(&self, names: &[&'static str]) -> Vec<KeyValue> {
        // As many as the largest set has, a model call's.
        let mut attributes = Vec::with_capacity(8);
        self.extend(&mut attributes, names);
        attributes
    }

    /// Adds those of `names` that are known.
    pub(super) fn extend(&self, attributes: &mut Vec<KeyValue>, names: &[&'static str]) {
        attributes.extend(names.iter().filter_map(|name| self.attribute(name)));
    }

    pub(super) fn attribute(&self, name: &'static str) -> Option<KeyValue> {
        let value = match name {
            semconv::GEN_AI_OPERATION_NAME => text(operation(self.record)?.into()),
            semconv::MCP_METHOD_NAME => text(mcp_method(self.record)?.into()),
            semconv::SERVER_PORT => {
                let port = self.record.fields.get(name)?.as_count()?;
                Some(Value::I64(i64::from(u16::try_from(port).ok()?)))
            }
            // A moment has it from the spans around.
            semconv::GEN_AI_AGENT_NAME => self.text(name).or_else(|| {
                let around = self.record.inherited.as_deref()?;
                text(around.agent_name.as_deref()?.into())
            }),
            semconv::ERROR_TYPE => self.text(name).or_else(|| {
                let other = Value::from(semconv::error_type::OTHER);
                self.failed.then_some(other)
            }),
            _ => self.text(name),
        };
        Some(KeyValue::new(name, value?))
    }

    fn text(&self, name: &str) -> Option<Value> {
        text(match self.record.fields.get(name)? {
            // A status code, say.
            FieldRef::I64(number) => number.to_string().into(),
            other => other.as_str()?.into(),
        })
    }

    pub(super) fn seconds(&self) -> f64 {
        self.record.duration().as_secs_f64()
    }

    /// How long what a moment tells the end of has lasted.
    pub(super) fn lasted(&self) -> Option<f64> {
        let lasted = self.record.moment.as_ref()?.lasted?.as_secs_f64();
        (lasted <= MOST_SECONDS).then_some(lasted)
    }

    /// Whether it is told from the server's side.
    pub(super) fn is_server(&self) -> bool {
        names::span_kind(self.record) == SpanKind::Server
    }

    /// The token counts that can be true.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = builtin::usage(self.record);
        for count in [
            &mut usage.input_tokens,
            &mut usage.output_tokens,
            &mut usage.cache_read_tokens,
            &mut usage.cache_write_tokens,
            &mut usage.reasoning_tokens,
        ] {
            *count = count.filter(|tokens| *tokens <= MOST_TOKENS);
        }
        usage
    }

    /// Seconds to the first piece of a streamed answer: what is on the span, else what was seen.
    pub(super) fn first_chunk(&self) -> Option<f64> {
        let record = self.record;
        let told = record
            .fields
            .get(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK);
        let seen = || {
            let waited = record.chunks.first.saturating_sub(record.start);
            (record.chunks.count > 0).then(|| nanos(waited))
        };
        told.and_then(|told| possible(told, MOST_SECONDS))
            .or_else(seen)
    }

    /// Seconds between one piece of a streamed answer and the next.
    pub(super) fn gaps(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.record.chunks.gaps.iter().map(|gap| nanos(*gap))
    }

    pub(super) fn cost(&self) -> Option<f64> {
        let told = self.record.fields.get(semconv::GEN_AI_USAGE_COST)?;
        possible(told, MOST_USD)
    }
}

fn text(text: Cow<'_, str>) -> Option<Value> {
    let text = floor(&text, LONGEST);
    (!text.is_empty()).then(|| Value::from(text.to_owned()))
}

fn possible(value: FieldRef<'_>, most: f64) -> Option<f64> {
    value.as_number().filter(|x| (0.0..=most).contains(x))
}

fn nanos(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}
