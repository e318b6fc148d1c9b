//! What is known before a span starts.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tracing::Span;

use super::active::{ActiveSpan, content_value};
use super::future::Run;
use super::site::{self, Place};
use super::{Inference, Paused, Plain, Source};
use crate::emit::{Cause, installed};
use crate::event::{Channel, Flavor, Key, Subject, Value};
use crate::layer::starting;
use crate::message::Message;
use crate::record::{Fields, Limits};
use crate::security::SecurityBlocked;
use crate::semconv;

/// A span about to start. Made by [`chat`](crate::chat), [`tool`](crate::tool) and their siblings.
#[must_use = "nothing is recorded until `start`, `run` or `in_scope`"]
pub struct Starter<K> {
    /// The name of its call site.
    site: &'static str,
    fields: Fields,
    place: Place,
    remote: Option<Context>,
    cause: Option<Cause>,
    links: Vec<SpanContext>,
    kind: PhantomData<fn() -> K>,
}

impl<K> fmt::Debug for Starter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Attributes may be content: their names are enough to know what one is looking at.
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Starter")
            .field("site", &self.site)
            .field("attributes", &names)
            .finish_non_exhaustive()
    }
}

impl<K> Starter<K> {
    /// A span of the subject that `operation` stands for.
    pub(crate) fn new(operation: &'static str) -> Self {
        Self::at(operation).with(semconv::GEN_AI_OPERATION_NAME, operation)
    }

    /// A span of this subject, whose operation, if it has one, others may share.
    pub(crate) fn of(subject: Subject) -> Self {
        let starter = Self::at(subject.name()).with(semconv::GENAI_SUBJECT, subject.name());
        match subject.operation() {
            Some(operation) => starter.with(semconv::GEN_AI_OPERATION_NAME, operation),
            None => starter,
        }
    }

    fn at(site: &'static str) -> Self {
        Self {
            site,
            fields: Fields::default(),
            place: Place::Current,
            remote: None,
            cause: None,
            links: Vec::new(),
            kind: PhantomData,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.set_str(name, value, &Limits::DEFAULT);
        self
    }

    /// A name the span goes by; an empty one is no name.
    pub(crate) fn named(self, name: &'static str, value: &str) -> Self {
        if value.is_empty() {
            self
        } else {
            self.with(name, value)
        }
    }

    /// Sets any attribute. The last value of a name wins.
    pub fn attr(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.fields.set_value(name, value.into(), &Limits::DEFAULT);
        self
    }

    /// The conversation this belongs to, `gen_ai.conversation.id`. Spans inside inherit it. Give one only where the
    /// application has one: the conventions forbid inventing it.
    pub fn conversation_id(self, id: &str) -> Self {
        self.with(semconv::GEN_AI_CONVERSATION_ID, id)
    }

    /// The session this belongs to, `session.id`. Spans inside inherit it.
    pub fn session_id(self, id: &str) -> Self {
        self.with(semconv::SESSION_ID, id)
    }

    /// Below `parent` instead of the span this thread is in: what a spawned task needs.
    pub fn parent(mut self, parent: &Span) -> Self {
        self.place = Place::Below(parent.id());
        self
    }

    /// A trace of its own.
    pub fn root(mut self) -> Self {
        self.place = Place::Below(None);
        self
    }

    /// Below a span of another process, as [`extract`](crate::propagation::extract) read it from a request, whose baggage
    /// travels on. A context without a span leaves the parent as it is.
    pub fn remote_parent(mut self, context: &Context) -> Self {
        self.remote = Some(context.clone());
        self
    }

    /// Links another span, for instance the one whose answer triggered this. Invalid contexts are left out.
    pub fn link(mut self, span: SpanContext) -> Self {
        self.links.push(span);
        self
    }

    /// Names the event that set this off, instead of the one of the [scope](crate::triggered_by).
    pub fn triggered_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says who emits, `source.*`: the same agent, crew or task across runs.
    pub fn source(mut self, source: Source) -> Self {
        self = self.attr(semconv::SOURCE_FINGERPRINT, source.fingerprint);
        if let Some(kind) = source.kind {
            self = self.attr(semconv::SOURCE_TYPE, kind);
        }
        match source.metadata {
            Some(metadata) => self.attr(semconv::SOURCE_METADATA, metadata),
            None => self,
        }
    }

    /// Goes on with work that was paused: the span links the one that was, and carries the same `workflow.run.id`.
    pub fn resume(mut self, paused: &Paused) -> Self {
        self = self.attr(semconv::WORKFLOW_RUN_ID, paused.run_id.as_str());
        self.link(paused.span_context())
    }

    /// The dialect it is told in, `genai.flavor`: `crew`, `pipeline`, `flow`.
    pub fn flavor(self, flavor: impl Into<Flavor>) -> Self {
        let flavor: Flavor = flavor.into();
        self.attr(semconv::GENAI_FLAVOR, flavor.as_str())
    }

    /// The channel of its events, instead of the subject's.
    pub fn channel(self, channel: impl Into<Channel>) -> Self {
        let channel: Channel = channel.into();
        self.attr(semconv::GENAI_CHANNEL, channel.as_str())
    }

    /// Hides its events from user-facing subscribers; logs, stores and exporters have them all the same.
    pub fn internal(self) -> Self {
        self.with(semconv::GENAI_VISIBILITY, "internal")
    }

    /// Starts the span.
    pub fn start(self) -> ActiveSpan<K> {
        let Self {
            site,
            fields,
            place,
            remote,
            cause,
            links,
            ..
        } = self;
        // The fields are moved to the layer; what the neighbours print is read from a copy of the few short ones.
        let shown = fields.clone();
        let make = || site::span(site, place, &shown);
        let (span, opened) = match cause {
            Some(cause) => cause.scope().in_scope(|| starting::start(fields, make)),
            None => starting::start(fields, make),
        };
        for opened in &opened {
            if let Some(remote) = &remote {
                opened.instance.set_parent(&opened.state, remote);
            }
            for link in &links {
                opened.instance.add_link(&opened.state, link.clone());
            }
            opened.instance.identity(&opened.state);
        }
        ActiveSpan::new(span, opened)
    }

    /// Starts the span, unless the [policy](crate::TelemetryBuilder::security) blocks what is asked: the
    /// [prompt](Starter::prompt), the [messages](Starter::messages), the [arguments](Starter::arguments) of a tool, with its name.
    /// Then the span starts and ends, as blocked, and what was found is told.
    ///
    /// ```
    /// use tracing_genai::chat;
    ///
    /// # fn ask(prompt: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let call = chat("openai", "gpt-4o").prompt(prompt).try_start()?;
    /// # call.complete();
    /// # Ok(()) }
    /// # ask("hello").unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SecurityBlocked`], with what was found, if the call is not to be made.
    pub fn try_start(self) -> Result<ActiveSpan<K>, SecurityBlocked> {
        let active = self.start();
        match active.stopped() {
            None => Ok(active),
            Some(blocked) => Err(blocked),
        }
    }

    /// Sets what is content, where that is collected at all; it is made only there.
    fn content(mut self, name: &'static str, make: impl FnOnce() -> Json) -> Self {
        if installed().is_some_and(|instance| instance.content) {
            self.fields
                .set_value(name, content_value(make()), &Limits::DEFAULT);
        }
        self
    }

    /// Starts the span, runs `future` inside it, and ends it: completed on `Ok`, failed on `Err` with the error's type as
    /// `error.type`, canceled if the future is dropped before its end, failed with `panic` if it panics.
    pub fn run<F, T, E>(self, future: F) -> Run<F, K>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        Run::whole(self.start(), future)
    }

    /// The same for code that does not await: `f` gets the open span.
    ///
    /// ```
    /// let doubled = tracing_genai::tool("double").in_scope(|tool| {
    ///     tool.set("tool.cached", false);
    ///     Ok::<_, std::num::TryFromIntError>(21 * 2)
    /// });
    /// assert_eq!(doubled, Ok(42));
    /// ```
    pub fn in_scope<T, E: fmt::Display>(
        self,
        f: impl FnOnce(&ActiveSpan<K>) -> Result<T, E>,
    ) -> Result<T, E> {
        let active = self.start();
        let result = active.in_scope(|| f(&active));
        active.settle(&result);
        result
    }
}

impl Starter<Plain> {
    /// What the tool is called with, `gen_ai.tool.call.arguments`: content, which is [captured](crate::content) and
    /// [checked](Self::try_start) where that is on.
    pub fn arguments(self, arguments: impl Serialize) -> Self {
        self.content(semconv::GEN_AI_TOOL_CALL_ARGUMENTS, || {
            Value::from_serialize(&arguments).to_json()
        })
    }
    /// The id the model gave the call, `gen_ai.tool.call.id`.
    pub fn call_id(self, id: &str) -> Self {
        self.with(semconv::GEN_AI_TOOL_CALL_ID, id)
    }

    /// `gen_ai.tool.type`: `function` (the default of [`tool`](crate::tool)), `extension` or `datastore`.
    pub fn tool_type(self, kind: &str) -> Self {
        self.with(semconv::GEN_AI_TOOL_TYPE, kind)
    }

    /// What the agent or tool is for: `gen_ai.agent.description` or `gen_ai.tool.description`.
    pub fn description(self, text: &str) -> Self {
        let name = if self.site == "execute_tool" {
            semconv::GEN_AI_TOOL_DESCRIPTION
        } else {
            semconv::GEN_AI_AGENT_DESCRIPTION
        };
        self.with(name, text)
    }

    /// Which attempt this is, from 1: `tool.attempt` of tools, `step.attempt` of everything else.
    pub fn attempt(self, number: u32) -> Self {
        let name = if self.site == "execute_tool" {
            semconv::TOOL_ATTEMPT
        } else {
            semconv::STEP_ATTEMPT
        };
        self.attr(name, number)
    }

    /// The one model an agent always uses, `gen_ai.request.model`.
    pub fn model(self, model: &str) -> Self {
        self.with(semconv::GEN_AI_REQUEST_MODEL, model)
    }
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $setter:ident($kind:ty) = $name:ident;)*) => {
        $($(#[$doc])* pub fn $setter(self, value: $kind) -> Self {
            self.attr(semconv::$name, value)
        })*
    };
}

impl Starter<Inference> {
    /// What the model is asked, as one message of the user, `gen_ai.input.messages`: content, which is
    /// [captured](crate::content) and [checked](Self::try_start) where that is on.
    pub fn prompt(self, text: &str) -> Self {
        self.content(
            semconv::GEN_AI_INPUT_MESSAGES,
            || json!([{"role": "user", "parts": [{"type": "text", "content": text}]}]),
        )
    }

    /// The whole conversation the model is asked to go on with; as [`prompt`](Self::prompt).
    ///
    /// ```
    /// use tracing_genai::chat;
    /// use tracing_genai::message::Message;
    ///
    /// let history = [Message::user("Weather in Paris?"), Message::assistant("Rain."), Message::user("And in Rome?")];
    /// let call = chat("openai", "gpt-4o").messages(&history).start();
    /// # call.complete();
    /// ```
    pub fn messages(self, messages: &[Message]) -> Self {
        self.content(semconv::GEN_AI_INPUT_MESSAGES, || {
            serde_json::to_value(messages).unwrap_or_default()
        })
    }

    /// What the model is told to be, `gen_ai.system_instructions`; as [`prompt`](Self::prompt).
    pub fn system(self, text: &str) -> Self {
        self.content(
            semconv::GEN_AI_SYSTEM_INSTRUCTIONS,
            || json!([{"type": "text", "content": text}]),
        )
    }

    numbers! {
        /// `gen_ai.request.temperature`.
        temperature(f64) = GEN_AI_REQUEST_TEMPERATURE;
        /// `gen_ai.request.top_p`.
        top_p(f64) = GEN_AI_REQUEST_TOP_P;
        /// `gen_ai.request.top_k`: how many tokens decoding chooses from.
        top_k(i64) = GEN_AI_REQUEST_TOP_K;
        /// `gen_ai.request.max_tokens`.
        max_tokens(i64) = GEN_AI_REQUEST_MAX_TOKENS;
        /// `gen_ai.request.seed`.
        seed(i64) = GEN_AI_REQUEST_SEED;
        /// `gen_ai.request.frequency_penalty`.
        frequency_penalty(f64) = GEN_AI_REQUEST_FREQUENCY_PENALTY;
        /// `gen_ai.request.presence_penalty`.
        presence_penalty(f64) = GEN_AI_REQUEST_PRESENCE_PENALTY;
    }

    /// How many answers were asked for, `gen_ai.request.choice.count`; recorded only if not 1, as the conventions say.
    pub fn choice_count(self, n: i64) -> Self {
        if n == 1 {
            self
        } else {
            self.attr(semconv::GEN_AI_REQUEST_CHOICE_COUNT, n)
        }
    }

    /// Says that the answer is streamed, `gen_ai.request.stream`.
    pub fn streaming(self) -> Self {
        self.attr(semconv::GEN_AI_REQUEST_STREAM, true)
    }

    /// `gen_ai.request.stop_sequences`.
    pub fn stop_sequences<S: Into<String>>(self, sequences: impl IntoIterator<Item = S>) -> Self {
        let all = sequences
            .into_iter()
            .map(|s| Value::from(s.into()))
            .collect();
        self.attr(semconv::GEN_AI_REQUEST_STOP_SEQUENCES, Value::Array(all))
    }

    /// `gen_ai.output.type`: `text`, `json`, `image` or `speech`.
    pub fn output_type(self, kind: &str) -> Self {
        self.with(semconv::GEN_AI_OUTPUT_TYPE, kind)
    }

    /// `gen_ai.request.reasoning.level`, in the provider's own words (`low`, `high` …).
    pub fn reasoning_level(self, level: &str) -> Self {
        self.with(semconv::GEN_AI_REQUEST_REASONING_LEVEL, level)
    }

    /// The server that is asked: `server.address` and `server.port`.
    pub fn server(self, address: &str, port: u16) -> Self {
        self.with(semconv::SERVER_ADDRESS, address)
            .attr(semconv::SERVER_PORT, i64::from(port))
    }
}
