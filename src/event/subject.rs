//! What has a life: the static table of 71 subjects.
//!
//! Owns, per subject: its kind, its span's name and kind, its default channel, its operation name, its usual phases
//! and the levels of its moments.
//! Promise: one row is everything there is to know about a subject; adding one means adding a row.
//! Never: grows at run time. Names that are not here are event types of [`Subject::CUSTOM`].

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};

use super::{Attrs, Channel, Kind, Level, Value};
use crate::semconv;

/// The role of a span towards others, as OpenTelemetry defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SpanKind {
    /// Work inside this process.
    Internal,
    /// A request to somebody else.
    Client,
    /// Somebody else's request, served here.
    Server,
}

impl From<SpanKind> for opentelemetry::trace::SpanKind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Internal => Self::Internal,
            SpanKind::Client => Self::Client,
            SpanKind::Server => Self::Server,
        }
    }
}

/// A subject: one row of the table.
///
/// One byte: copying, comparing and matching on a subject cost nothing.
///
/// # The table
///
/// Every subject with a span may also end as blocked, paused or canceled. A failure has the level ERROR, what was blocked or
/// canceled WARN, everything else INFO unless the table says so. A subject without a span has moments only.
///
#[doc = include_str!("subjects.md")]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Index);

/// How a subject's span is named: a first word, and the attribute whose value follows it.
struct SpanRow {
    kind: SpanKind,
    word: &'static str,
    /// The attribute that replaces `word` when it is set.
    word_from: Option<&'static str>,
    key: Option<&'static str>,
}

struct Row {
    name: &'static str,
    kind: Kind,
    channel: Channel,
    span: Option<SpanRow>,
    operation: Option<&'static str>,
    phases: &'static [&'static str],
    /// The moments whose level is not that of moments in general.
    levels: &'static [(&'static str, Level)],
}

const fn span(
    kind: SpanKind,
    word: &'static str,
    word_from: Option<&'static str>,
    key: Option<&'static str>,
) -> Option<SpanRow> {
    Some(SpanRow {
        kind,
        word,
        word_from,
        key,
    })
}

macro_rules! subjects {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident, $channel:ident, $span:expr, $operation:expr, $phases:expr $(, {$($word:literal: $level:ident),*})?;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        enum Index {
            $($name,)*
        }

        impl Subject {
            $($(#[$doc])* pub const $name: Self = Self(Index::$name);)*

            /// Every subject, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The subject of this name; `None` if the table has no such row.
            pub fn parse(name: &str) -> Option<Self> {
                Some(match name {
                    $($text => Self::$name,)*
                    _ => return None,
                })
            }
        }

        static ROWS: &[Row] = {
            use SpanKind::{Client, Internal, Server};
            &[$(Row {
                name: $text,
                kind: Kind::$kind,
                channel: Channel::$channel,
                span: $span,
                operation: $operation,
                phases: &$phases,
                levels: &[$($(($word, Level::$level)),*)?],
            },)*]
        };
    };
}

subjects! {
    /// A run of several steps: a crew, a pipeline, a graph.
    WORKFLOW = "workflow", Workflow, WORKFLOW, span(Internal, "invoke_workflow", None, Some("gen_ai.workflow.name")), Some("invoke_workflow"), ["started", "completed", "failed", "created", "paused", "plotted", "canceled"], {"created": Debug, "plotted": Debug};
    /// A training run of a workflow.
    WORKFLOW_TRAIN = "workflow.train", Workflow, WORKFLOW, span(Internal, "train", None, Some("gen_ai.workflow.name")), None, ["started", "completed", "failed"];
    /// A test run of a workflow.
    WORKFLOW_TEST = "workflow.test", Workflow, WORKFLOW, span(Internal, "test", None, Some("gen_ai.workflow.name")), None, ["started", "completed", "failed"];
    /// One step of a workflow, or a plain function.
    STEP = "step", Step, STEP, span(Internal, "step", None, Some("step.name")), None, ["started", "completed", "failed", "paused", "progress", "validated", "retrying", "snapshot"], {"progress": Debug, "retrying": Warn, "snapshot": Debug};
    /// A monitored function call.
    CALL = "call", Step, SYSTEM, span(Internal, "call", None, Some("code.function.name")), None, ["started", "completed", "failed"];
    /// A decision where to go next.
    ROUTING = "routing", Step, STEP, None, None, ["selected"];
    /// An artefact a model writes inline, handled like a tool.
    TAG = "tag", Tool, TOOL, span(Internal, "execute_tool", None, Some("tag.name")), Some("execute_tool"), ["started", "completed", "failed"];
    /// A user's session.
    SESSION = "session", Session, SESSION, span(Internal, "session", None, Some("session.id")), None, ["started", "completed"];
    /// One turn of a conversation: from the user's message to the answer.
    CONVERSATION_TURN = "conversation.turn", Session, SESSION, span(Internal, "turn", None, Some("gen_ai.conversation.id")), None, ["started", "completed", "failed"];
    /// A message inside a conversation.
    CONVERSATION_MESSAGE = "conversation.message", Session, MESSAGE, None, None, ["added", "opened", "chunk"], {"opened": Debug};
    /// A conversation as a whole.
    CONVERSATION = "conversation", Session, MESSAGE, None, None, ["snapshot"], {"snapshot": Debug};
    /// An agent as an object: created, shut down.
    AGENT = "agent", Agent, AGENT, span(Client, "create_agent", None, Some("gen_ai.agent.name")), Some("create_agent"), ["created", "shutdown"];
    /// An agent at work on one task.
    AGENT_EXECUTION = "agent.execution", Agent, AGENT, span(Internal, "invoke_agent", None, Some("gen_ai.agent.name")), Some("invoke_agent"), ["started", "completed", "failed"];
    /// What an agent announces for people to read.
    AGENT_LOG = "agent.log", Agent, AGENT, None, None, ["announced", "output"], {"announced": Debug, "output": Debug};
    /// An agent thinking about how to proceed.
    PLAN_REASONING = "plan.reasoning", Plan, AGENT, span(Internal, "plan", None, Some("gen_ai.agent.name")), Some("plan"), ["started", "completed", "failed"];
    /// An agent judging how a step of its plan went.
    PLAN_OBSERVATION = "plan.observation", Plan, AGENT, span(Internal, "plan", None, Some("gen_ai.agent.name")), Some("plan"), ["started", "completed", "failed"];
    /// A plan and its changes.
    PLAN = "plan", Plan, AGENT, None, None, ["refined", "replanned", "goal_achieved"];
    /// A call of a language model: chat, completion, embeddings.
    LLM_CALL = "llm.call", Llm, LLM, span(Client, "chat", Some(semconv::GEN_AI_OPERATION_NAME), Some("gen_ai.request.model")), Some("chat"), ["started", "completed", "failed", "chunk", "thinking", "blocked"], {"thinking": Debug};
    /// The execution of a tool.
    TOOL_CALL = "tool.call", Tool, TOOL, span(Internal, "execute_tool", None, Some("gen_ai.tool.name")), Some("execute_tool"), ["started", "completed", "failed", "failure_reported", "blocked", "announced", "chunk", "sealed"], {"failure_reported": Warn, "announced": Debug, "sealed": Debug};
    /// The arguments a model gave for a tool.
    TOOL_INPUT = "tool.input", Tool, TOOL, None, None, ["invalid"], {"invalid": Warn};
    /// A model's choice of a tool.
    TOOL_SELECTION = "tool.selection", Tool, TOOL, None, None, ["invalid"], {"invalid": Warn};
    /// A tool as an object.
    TOOL = "tool", Tool, TOOL, None, None, ["recorded", "inferred", "schema_generated"], {"inferred": Debug, "schema_generated": Debug};
    /// A client connecting to an MCP server, and the end of what came of it on either side.
    MCP_CONNECTION = "mcp.connection", Mcp, MCP, span(Client, "initialize", None, None), None, ["started", "completed", "failed", "closed"];
    /// A tool called over MCP.
    MCP_TOOL = "mcp.tool", Mcp, MCP, span(Client, "tools/call", None, Some("gen_ai.tool.name")), Some("execute_tool"), ["started", "completed", "failed", "blocked"];
    /// Any other MCP request.
    MCP_REQUEST = "mcp.request", Mcp, MCP, span(Client, "mcp.request", Some("mcp.method.name"), Some("gen_ai.prompt.name")), None, ["started", "completed", "failed"];
    /// The configuration of MCP servers.
    MCP_CONFIG = "mcp.config", Mcp, MCP, None, None, ["unavailable"], {"unavailable": Error};
    /// An MCP peer as a whole.
    MCP = "mcp", Mcp, MCP, None, None, ["heartbeat", "file_transfer", "agent_status", "authenticated"], {"heartbeat": Trace};
    /// A retrieval as its caller sees it.
    RETRIEVAL_QUERY = "retrieval.query", Retrieval, RETRIEVAL, span(Client, "retrieval", None, Some("gen_ai.data_source.id")), Some("retrieval"), ["started", "completed", "failed"];
    /// One search inside a retrieval.
    RETRIEVAL_SEARCH = "retrieval.search", Retrieval, RETRIEVAL, span(Client, "retrieval", None, Some("gen_ai.data_source.id")), Some("retrieval"), ["started", "completed", "failed"];
    /// A search in memory.
    MEMORY_QUERY = "memory.query", Memory, MEMORY, span(Client, "search_memory", None, None), Some("search_memory"), ["started", "completed", "failed"];
    /// Collecting memories for a task; may query several stores.
    MEMORY_RETRIEVAL = "memory.retrieval", Memory, MEMORY, span(Internal, "search_memory", None, None), Some("search_memory"), ["started", "completed", "failed"];
    /// Writing to memory.
    MEMORY_SAVE = "memory.save", Memory, MEMORY, span(Client, "upsert_memory", Some(semconv::GEN_AI_OPERATION_NAME), None), Some("upsert_memory"), ["started", "completed", "failed"];
    /// A check that may deny. One that ran and denied is completed, with its verdict.
    GUARDRAIL = "guardrail", Guardrail, SECURITY, span(Internal, "apply_guardrail", None, Some("guardrail.name")), None, ["started", "completed", "failed"];
    /// Judging a result.
    EVALUATION = "evaluation", Evaluation, EVALUATION, span(Internal, "evaluate", None, Some("gen_ai.agent.name")), None, ["started", "completed", "failed", "result"];
    /// A person asked to judge.
    HUMAN_FEEDBACK = "human.feedback", Human, HUMAN, None, None, ["requested", "received"];
    /// A person asked for input.
    HUMAN_INPUT = "human.input", Human, HUMAN, None, None, ["requested", "received"];
    /// User code called at a defined point.
    HOOK = "hook", Hook, SYSTEM, None, None, ["dispatched"], {"dispatched": Debug};
    /// Saving state.
    CHECKPOINT_SAVE = "checkpoint.save", Checkpoint, CHECKPOINT, span(Internal, "checkpoint save", None, None), None, ["started", "completed", "failed"];
    /// Branching off saved state.
    CHECKPOINT_FORK = "checkpoint.fork", Checkpoint, CHECKPOINT, span(Internal, "checkpoint fork", None, None), None, ["started", "completed", "failed"];
    /// Resuming from saved state.
    CHECKPOINT_RESTORE = "checkpoint.restore", Checkpoint, CHECKPOINT, span(Internal, "checkpoint restore", None, None), None, ["started", "completed", "failed"];
    /// Saved state as an object.
    CHECKPOINT = "checkpoint", Checkpoint, CHECKPOINT, None, None, ["pruned"];
    /// Looking for skills.
    SKILL_DISCOVERY = "skill.discovery", Skill, SKILL, span(Internal, "skill discovery", None, None), None, ["started", "completed", "failed"];
    /// Fetching a skill.
    SKILL_DOWNLOAD = "skill.download", Skill, SKILL, span(Client, "skill download", None, None), None, ["started", "completed", "failed"];
    /// A skill as an object.
    SKILL = "skill", Skill, SKILL, None, None, ["loaded", "activated", "unavailable", "used"], {"unavailable": Error};
    /// A signal of the operating system.
    SYSTEM_SIGNAL = "system.signal", System, SYSTEM, None, None, ["received"], {"received": Warn};
    /// The environment the process found itself in.
    ENV = "env", System, SYSTEM, None, None, ["detected"], {"detected": Debug};
    /// This library, switched on or off.
    MONITORING = "monitoring", System, SYSTEM, None, None, ["enabled", "disabled"];
    /// Configuration.
    CONFIG = "config", System, SYSTEM, None, None, ["updated"];
    /// The instrumentation of a framework.
    INSTRUMENTATION = "instrumentation", System, SYSTEM, None, None, ["applied", "removed", "errored", "initialized"], {"applied": Debug, "removed": Debug, "errored": Error, "initialized": Debug};
    /// A measured value.
    METRIC = "metric", System, SYSTEM, None, None, ["recorded"], {"recorded": Debug};
    /// A log line worth an event.
    LOG = "log", System, SYSTEM, None, None, ["error", "warning", "info"], {"error": Error, "warning": Warn};
    /// Something suspicious.
    SECURITY = "security", Security, SECURITY, None, None, ["alert", "warning", "block"], {"alert": Alert, "warning": Warn, "block": Warn};
    /// A call of an HTTP interface.
    API_CALL = "api.call", Api, API, span(Client, "HTTP", Some("http.request.method"), Some("url.template")), None, ["started", "completed", "failed"];
    /// A child process.
    PROCESS_EXEC = "process.exec", Process, SECURITY, span(Internal, "exec", None, Some("process.executable.name")), None, ["started", "completed", "failed"];
    /// A network connection.
    NETWORK_CONNECTION = "network.connection", Network, SECURITY, None, None, ["opened", "errored"], {"errored": Error};
    /// A task handed to another agent.
    A2A_DELEGATION = "a2a.delegation", A2a, A2A, span(Client, "invoke_agent", None, Some("gen_ai.agent.name")), Some("invoke_agent"), ["started", "completed", "failed", "paused"];
    /// A conversation of several turns with another agent.
    A2A_CONVERSATION = "a2a.conversation", A2a, A2A, span(Client, "invoke_agent", None, Some("gen_ai.agent.name")), Some("invoke_agent"), ["started", "completed", "failed"];
    /// Several delegations at once.
    A2A_PARALLEL = "a2a.parallel", A2a, A2A, span(Internal, "invoke_workflow a2a_parallel", None, None), Some("invoke_workflow"), ["started", "completed", "failed"];
    /// A task served for another agent.
    A2A_SERVER_TASK = "a2a.server_task", A2a, A2A, span(Server, "a2a.server_task", Some("a2a.method.name"), None), None, ["started", "completed", "canceled", "failed"];
    /// A message between agents.
    A2A_MESSAGE = "a2a.message", A2a, A2A, None, None, ["sent", "received"];
    /// Polling for a remote task.
    A2A_POLL = "a2a.poll", A2a, A2A, None, None, ["opened", "status"], {"opened": Debug, "status": Debug};
    /// Push notifications about a remote task.
    A2A_PUSH = "a2a.push", A2a, A2A, None, None, ["registered", "received", "sent", "timed_out"], {"timed_out": Warn};
    /// Streaming a remote task's output.
    A2A_STREAM = "a2a.stream", A2a, A2A, None, None, ["opened", "chunk"], {"opened": Debug};
    /// An agent's card.
    A2A_CARD = "a2a.card", A2a, A2A, None, None, ["fetched"];
    /// Authentication between agents.
    A2A_AUTH = "a2a.auth", A2a, A2A, None, None, ["rejected"], {"rejected": Error};
    /// An artefact another agent made.
    A2A_ARTIFACT = "a2a.artifact", A2a, A2A, None, None, ["received"];
    /// The connection to another agent.
    A2A_CONNECTION = "a2a.connection", A2a, A2A, None, None, ["errored"], {"errored": Error};
    /// The transport agreed on.
    A2A_TRANSPORT = "a2a.transport", A2a, A2A, None, None, ["negotiated"], {"negotiated": Debug};
    /// The content type agreed on.
    A2A_CONTENT_TYPE = "a2a.content_type", A2a, A2A, None, None, ["negotiated"], {"negotiated": Debug};
    /// The context tasks share.
    A2A_CONTEXT = "a2a.context", A2a, A2A, None, None, ["created", "expired", "idle", "finished", "pruned"], {"created": Debug, "expired": Warn, "idle": Debug, "finished": Debug, "pruned": Debug};
    /// Anything the application defines; also the subject of every event type that is not in this table.
    CUSTOM = "custom", Custom, SYSTEM, None, None, [];
}

impl Subject {
    const fn row(self) -> &'static Row {
        // In bounds by construction: the macro makes one row per index.
        &ROWS[self.0 as usize]
    }

    /// The dotted name.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The component it belongs to.
    pub fn kind(self) -> Kind {
        self.row().kind
    }

    /// The channel its events go to unless they name another.
    pub fn channel(self) -> Channel {
        self.row().channel.clone()
    }

    /// The kind of its span; [`SpanKind::Internal`] for subjects that have none.
    pub fn span_kind(self) -> SpanKind {
        self.row()
            .span
            .as_ref()
            .map_or(SpanKind::Internal, |span| span.kind)
    }

    /// Whether it lives in a span. The others only have moments.
    pub const fn has_span(self) -> bool {
        self.row().span.is_some()
    }

    /// The value of `gen_ai.operation.name` it has unless its span says otherwise.
    pub fn operation(self) -> Option<&'static str> {
        self.row().operation
    }

    /// The first word of its span's name, before an attribute replaces or completes it.
    pub fn span_name_word(self) -> Option<&'static str> {
        self.row().span.as_ref().map(|span| span.word)
    }

    /// The attribute that replaces the first word of its span's name when it is set: `gen_ai.operation.name` for `llm.call`.
    pub fn span_name_word_key(self) -> Option<&'static str> {
        self.row().span.as_ref()?.word_from
    }

    /// The attribute whose value completes its span's name: `gen_ai.request.model` for `llm.call`.
    pub fn span_name_key(self) -> Option<&'static str> {
        self.row().span.as_ref()?.key
    }

    /// Its span's name for these attributes: `chat gpt-4o`. Without the completing attribute the first word
    /// stands alone; `None` for subjects that have no span.
    pub fn span_name(self, attrs: &Attrs) -> Option<Cow<'static, str>> {
        let span = self.row().span.as_ref()?;
        let text = |key: Option<&'static str>| {
            key.and_then(|key| attrs.get(key))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        Some(match (text(span.word_from), text(span.key)) {
            (None, None) => Cow::Borrowed(span.word),
            (Some(word), None) => Cow::Owned(word.to_owned()),
            (word, Some(key)) => Cow::Owned(format!("{} {key}", word.unwrap_or(span.word))),
        })
    }

    /// The phases it is known to go through. Others are allowed; [`Subject::CUSTOM`] lists none.
    pub fn phases(self) -> &'static [&'static str] {
        self.row().phases
    }

    /// The level a moment of it has, where that is not the one moments have in general.
    pub(super) fn moment_level(self, word: &str) -> Option<Level> {
        let levels = self.row().levels;
        let (_, level) = levels.iter().find(|(known, _)| *known == word)?;
        Some(*level)
    }

    /// The subject an operation name (`gen_ai.operation.name`) stands for.
    pub fn from_operation(operation: &str) -> Option<Self> {
        Some(match operation {
            "chat" | "generate_content" | "text_completion" | "embeddings" | "fetch_response" => {
                Self::LLM_CALL
            }
            "execute_tool" => Self::TOOL_CALL,
            "invoke_agent" => Self::AGENT_EXECUTION,
            "create_agent" => Self::AGENT,
            "invoke_workflow" => Self::WORKFLOW,
            "plan" => Self::PLAN_REASONING,
            "retrieval" => Self::RETRIEVAL_QUERY,
            "search_memory" => Self::MEMORY_QUERY,
            "create_memory"
            | "update_memory"
            | "upsert_memory"
            | "delete_memory"
            | "create_memory_store"
            | "delete_memory_store" => Self::MEMORY_SAVE,
            _ => return None,
        })
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.name())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_has_71_rows_that_read_back_from_their_names() {
        assert_eq!(Subject::ALL.len(), 71);
        let names: HashSet<_> = Subject::ALL.iter().map(|subject| subject.name()).collect();
        assert_eq!(names.len(), 71);
        for subject in Subject::ALL {
            assert_eq!(Subject::parse(subject.name()), Some(*subject));
            assert!(
                subject.has_span() || !subject.phases().contains(&"started"),
                "{subject}"
            );
        }
        assert_eq!(Subject::parse("llm"), None);
    }

    #[test]
    fn a_level_belongs_to_a_moment_the_row_lists() {
        for subject in Subject::ALL {
            for (word, _) in subject.row().levels {
                assert!(subject.phases().contains(word), "{subject}.{word}");
                assert!(
                    crate::event::Phase::from(*word).is_moment(),
                    "{subject}.{word}"
                );
            }
        }
    }

    #[test]
    fn an_operation_leads_to_a_subject_of_the_same_kind() {
        for subject in Subject::ALL {
            let Some(operation) = subject.operation() else {
                continue;
            };
            assert!(
                Subject::from_operation(operation).is_some(),
                "{subject}: {operation}"
            );
        }
        assert_eq!(
            Subject::from_operation("embeddings"),
            Some(Subject::LLM_CALL)
        );
        assert_eq!(
            Subject::from_operation("delete_memory_store"),
            Some(Subject::MEMORY_SAVE)
        );
        assert_eq!(Subject::from_operation("dance"), None);
    }

    #[test]
    fn span_names_are_a_word_and_the_attribute_that_completes_it() {
        let mut attrs = Attrs::new();
        assert_eq!(Subject::LLM_CALL.span_name(&attrs).as_deref(), Some("chat"));
        attrs.set("gen_ai.request.model", "gpt-4o");
        assert_eq!(
            Subject::LLM_CALL.span_name(&attrs).as_deref(),
            Some("chat gpt-4o")
        );
        attrs.set("gen_ai.operation.name", "embeddings");
        assert_eq!(
            Subject::LLM_CALL.span_name(&attrs).as_deref(),
            Some("embeddings gpt-4o")
        );
        assert_eq!(
            Subject::TOOL_CALL.span_name(&attrs).as_deref(),
            Some("execute_tool")
        );
        attrs.set("http.request.method", "GET");
        attrs.set("url.template", "/v1/{id}");
        assert_eq!(
            Subject::API_CALL.span_name(&attrs).as_deref(),
            Some("GET /v1/{id}")
        );
        attrs.set("mcp.method.name", "resources/list");
        assert_eq!(
            Subject::MCP_REQUEST.span_name(&attrs).as_deref(),
            Some("resources/list")
        );
        assert_eq!(Subject::ROUTING.span_name(&attrs), None);
    }
}
