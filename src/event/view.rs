//! Typed views: an event of a known type, its attributes read into fields.
//!
//! Promise: a view borrows the event and keeps it at hand, so unknown attributes stay readable.
//! Never: fails on a missing or ill-typed attribute; its field is `None`. `Debug` never shows content.

use std::{fmt, time::Duration};

use super::{ErrorInfo, Event, FinishReason, Usage, Value};
use crate::semconv;

/// A type of event, and how to read it.
///
/// Implement it for an event type of your own to subscribe to it with a typed handler:
///
/// ```
/// use tracing_genai::event::{Event, EventSpec};
///
/// struct InvoicePaid;
///
/// impl EventSpec for InvoicePaid {
///     const TYPE: &'static str = "billing.invoice.paid";
///     type View<'e> = Option<&'e str>;
///
///     fn view(event: &Event) -> Option<Self::View<'_>> {
///         (event.ty == Self::TYPE).then(|| event.attr("invoice.id").and_then(|id| id.as_str()))
///     }
/// }
/// ```
pub trait EventSpec {
    /// The event type, as printed.
    const TYPE: &'static str;

    /// What a handler gets.
    type View<'e>;

    /// Reads the event; `None` if it is of another type.
    fn view(event: &Event) -> Option<Self::View<'_>>;
}

macro_rules! views {
    ($(
        $(#[$doc:meta])*
        $view:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $read:expr;)*
        } content {
            $($(#[$content_doc:meta])* $content:ident: $content_type:ty = $content_read:expr;)*
        } {
            $($(#[$spec_doc:meta])* $spec:ident = $text:literal;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct $view<'e> {
            /// The event itself, with every attribute.
            pub event: &'e Event,
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$content_doc])* pub $content: $content_type,)*
        }

        impl<'e> $view<'e> {
            fn read(event: &'e Event) -> Self {
                Self {
                    event,
                    $($field: ($read)(event),)*
                    $($content: ($content_read)(event),)*
                }
            }
        }

        impl fmt::Debug for $view<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = f.debug_struct(stringify!($view));
                out.field("type", &format_args!("{}", self.event.ty));
                $(out.field(stringify!($field), &self.$field);)*
                $(if self.$content.is_some() {
                    out.field(stringify!($content), &format_args!("<content>"));
                })*
                out.finish_non_exhaustive()
            }
        }

        $(
            $(#[$spec_doc])*
            #[doc = concat!("\n\nThe type `", $text, "`, read as [`", stringify!($view), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $spec;

            impl EventSpec for $spec {
                const TYPE: &'static str = $text;
                type View<'e> = $view<'e>;

                fn view(event: &Event) -> Option<$view<'_>> {
                    (event.ty == $text).then(|| $view::read(event))
                }
            }
        )*
    )*};
}

fn text<'e>(key: &'static str) -> impl Fn(&'e Event) -> Option<&'e str> {
    move |event| event.attrs.get(key).and_then(Value::as_str)
}

fn value<'e>(key: &'static str) -> impl Fn(&'e Event) -> Option<&'e Value> {
    move |event| event.attrs.get(key)
}

fn whole(key: &'static str) -> impl Fn(&Event) -> Option<i64> {
    move |event| event.attrs.get(key).and_then(Value::as_i64)
}

fn float(key: &'static str) -> impl Fn(&Event) -> Option<f64> {
    move |event| event.attrs.get(key).and_then(Value::as_f64)
}

fn flag(key: &'static str) -> impl Fn(&Event) -> Option<bool> {
    move |event| event.attrs.get(key).and_then(Value::as_bool)
}

fn model(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_RESPONSE_MODEL)(event)
        .or_else(|| text(semconv::GEN_AI_REQUEST_MODEL)(event))
}

fn usage(event: &Event) -> Usage {
    Usage::from_attrs(&event.attrs)
}

fn total_usage(event: &Event) -> Usage {
    let count = |key| whole(key)(event).and_then(|count| u64::try_from(count).ok());
    Usage {
        input_tokens: count(semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS),
        output_tokens: count(semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS),
        ..Usage::new()
    }
}

fn finish_reasons(event: &Event) -> Vec<FinishReason> {
    FinishReason::from_attrs(&event.attrs)
}

fn duration(event: &Event) -> Option<Duration> {
    event.duration
}

fn error(event: &Event) -> Option<&ErrorInfo> {
    event.error.as_ref()
}

fn body_text(event: &Event) -> Option<&str> {
    event.body.as_ref().and_then(|body| body.as_str())
}

fn agent_name(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_AGENT_NAME)(event).or(event.who.agent_name.as_deref())
}

fn agent_id(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_AGENT_ID)(event).or(event.who.agent_id.as_deref())
}

fn conversation_id(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_CONVERSATION_ID)(event).or(event.who.conversation_id.as_deref())
}

fn step_name(event: &Event) -> Option<&str> {
    text(semconv::STEP_NAME)(event).or(event.who.step_name.as_deref())
}

views! {
    /// A model call. What only its end knows is empty on its start.
    LlmCallView {
        /// What was asked for: `chat`, `embeddings`, `text_completion`.
        operation: Option<&'e str> = text(semconv::GEN_AI_OPERATION_NAME);
        /// Who answers: `openai`, `anthropic`, `gcp.gemini`.
        provider: Option<&'e str> = text(semconv::GEN_AI_PROVIDER_NAME);
        /// The model that was asked for.
        request_model: Option<&'e str> = text(semconv::GEN_AI_REQUEST_MODEL);
        /// The model that answered, or else the one asked for.
        model: Option<&'e str> = model;
        /// The temperature asked for.
        temperature: Option<f64> = float(semconv::GEN_AI_REQUEST_TEMPERATURE);
        /// The most tokens it may write.
        max_tokens: Option<i64> = whole(semconv::GEN_AI_REQUEST_MAX_TOKENS);
        /// Whether the answer is streamed.
        stream: Option<bool> = flag(semconv::GEN_AI_REQUEST_STREAM);
        /// The provider's id of the answer.
        response_id: Option<&'e str> = text(semconv::GEN_AI_RESPONSE_ID);
        /// Why the model stopped, per choice.
        finish_reasons: Vec<FinishReason> = finish_reasons;
        /// The tokens it read and wrote.
        usage: Usage = usage;
        /// What it cost, in US dollars. `None` when the price is unknown.
        cost_usd: Option<f64> = float(semconv::GEN_AI_USAGE_COST);
        /// Seconds until the first chunk of a stream.
        time_to_first_chunk: Option<f64> = float(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A model call began.
        LlmCallStarted = "llm.call.started";
        /// A model call was answered.
        LlmCallCompleted = "llm.call.completed";
        /// A model call failed, for instance by time-out.
        LlmCallFailed = "llm.call.failed";
        /// A model call was refused before it was sent.
        LlmCallBlocked = "llm.call.blocked";
        /// A model call was dropped before its answer was complete.
        LlmCallCanceled = "llm.call.canceled";
    }

    /// A piece of a streamed answer.
    LlmChunkView {
        /// The model that answers.
        model: Option<&'e str> = model;
        /// The provider's id of the answer.
        response_id: Option<&'e str> = text(semconv::GEN_AI_RESPONSE_ID);
    } content {
        /// The piece, if capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// A piece of the answer arrived.
        LlmCallChunk = "llm.call.chunk";
        /// A piece of the model's reasoning arrived.
        LlmCallThinking = "llm.call.thinking";
    }

    /// The execution of a tool.
    ToolCallView {
        /// The tool's name.
        name: Option<&'e str> = text(semconv::GEN_AI_TOOL_NAME);
        /// The id the model gave to the call.
        call_id: Option<&'e str> = text(semconv::GEN_AI_TOOL_CALL_ID);
        /// `function`, `extension`, `datastore`.
        tool_type: Option<&'e str> = text(semconv::GEN_AI_TOOL_TYPE);
        /// The agent that runs it.
        agent_name: Option<&'e str> = agent_name;
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Its arguments, if capturing content is switched on.
        arguments: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_ARGUMENTS);
        /// Its result, if capturing content is switched on.
        result: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_RESULT);
    } {
        /// A tool began to run.
        ToolCallStarted = "tool.call.started";
        /// A tool returned.
        ToolCallCompleted = "tool.call.completed";
        /// A tool failed.
        ToolCallFailed = "tool.call.failed";
        /// A tool was not allowed to run.
        ToolCallBlocked = "tool.call.blocked";
        /// A tool was dropped before it returned.
        ToolCallCanceled = "tool.call.canceled";
    }

    /// An agent at work.
    AgentExecutionView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The agent's id.
        agent_id: Option<&'e str> = agent_id;
        /// The conversation it takes part in.
        conversation_id: Option<&'e str> = conversation_id;
        /// The model, when the agent has one fixed model.
        model: Option<&'e str> = model;
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// An agent began a task.
        AgentExecutionStarted = "agent.execution.started";
        /// An agent finished its task.
        AgentExecutionCompleted = "agent.execution.completed";
        /// An agent failed.
        AgentExecutionFailed = "agent.execution.failed";
        /// An agent was dropped at work.
        AgentExecutionCanceled = "agent.execution.canceled";
    }

    /// A run of several steps.
    WorkflowView {
        /// The workflow's name.
        name: Option<&'e str> = text(semconv::GEN_AI_WORKFLOW_NAME);
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A workflow began.
        WorkflowStarted = "workflow.started";
        /// A workflow finished.
        WorkflowCompleted = "workflow.completed";
        /// A workflow failed.
        WorkflowFailed = "workflow.failed";
        /// A workflow waits to be resumed.
        WorkflowPaused = "workflow.paused";
        /// A workflow was dropped.
        WorkflowCanceled = "workflow.canceled";
    }

    /// One step, or a plain instrumented function.
    StepView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// The step's id.
        id: Option<&'e str> = text(semconv::STEP_ID);
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A step began.
        StepStarted = "step.started";
        /// A step finished.
        StepCompleted = "step.completed";
        /// A step failed.
        StepFailed = "step.failed";
        /// A step waits to be resumed.
        StepPaused = "step.paused";
        /// A step was dropped.
        StepCanceled = "step.canceled";
    }
}
