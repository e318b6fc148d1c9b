//! What is learned while a model is called.

use super::{ActiveSpan, Inference};
use crate::event::{Usage, Value};
use crate::layer::visit::with_scratch;
use crate::layer::wire;
use crate::message::Message;
use crate::provider::fold::Fold;
use crate::provider::guess;
use crate::provider::{Answer, TextSize};
use crate::record::{Limits, Moment};
use crate::security::Point;
use crate::semconv;

/// An open model call.
pub type Call = ActiveSpan<Inference>;

impl Call {
    /// The tokens used, `gen_ai.usage.*`: input includes what was read from and written to a cache, output includes
    /// reasoning. Cost is worked out from them.
    pub fn usage(&self, usage: Usage) -> &Self {
        for (name, count) in usage.counts() {
            self.set(name, count);
        }
        self
    }

    /// What the model answered, `gen_ai.output.messages`: content, which is [captured](crate::content) and checked where that is
    /// on.
    pub fn output(&self, messages: &[Message]) -> &Self {
        self.content(semconv::GEN_AI_OUTPUT_MESSAGES, || {
            serde_json::to_value(messages).unwrap_or_default()
        })
    }

    /// The model that answered, `gen_ai.response.model`.
    pub fn response_model(&self, model: &str) -> &Self {
        self.set(semconv::GEN_AI_RESPONSE_MODEL, model)
    }

    /// The answer's id, `gen_ai.response.id`.
    pub fn response_id(&self, id: &str) -> &Self {
        self.set(semconv::GEN_AI_RESPONSE_ID, id)
    }

    /// Why the model stopped, in the provider's word, `gen_ai.response.finish_reasons`. For several choices see
    /// [`finish_reasons`](Self::finish_reasons).
    pub fn finish_reason(&self, reason: &str) -> &Self {
        self.finish_reasons([reason])
    }

    /// The same, one reason for each choice.
    pub fn finish_reasons<'a>(&self, reasons: impl IntoIterator<Item = &'a str>) -> &Self {
        let all = reasons.into_iter().map(Value::from).collect();
        self.set(semconv::GEN_AI_RESPONSE_FINISH_REASONS, Value::Array(all))
    }

    /// What the provider itself says the call cost, in US dollars. It wins over the price table and is marked as the
    /// provider's.
    pub fn cost_usd(&self, dollars: f64) -> &Self {
        self.set(semconv::GEN_AI_USAGE_COST, dollars)
    }

    /// Reads model, id, finish reasons and usage from a provider's whole JSON answer: OpenAI chat completions, responses and
    /// embeddings, Anthropic messages, Gemini, Ollama, Cohere, Mistral, Bedrock Converse, and what is compatible. What is not
    /// there is not set, counts that make no sense are left out and counted in `genai.usage.refused`; an error body fails the
    /// call, with the provider's word as `error.type`. Where content is [captured](crate::content), what it says is the call's
    /// output, unless [`output`](Self::output) tells it.
    ///
    /// ```
    /// let call = tracing_genai::chat("openai", "gpt-4o-mini").start();
    /// call.response(&serde_json::json!({
    ///     "id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18",
    ///     "choices": [{ "finish_reason": "stop" }],
    ///     "usage": { "prompt_tokens": 140, "completion_tokens": 32 },
    /// })).complete();
    /// ```
    pub fn response(&self, answer: &serde_json::Value) -> &Self {
        let mut spans = self.opened().iter();
        let estimates = spans.any(|span| span.instance.estimate_tokens);
        self.told(Answer::guess_wanting(
            answer,
            estimates,
            self.wants_content(),
        ))
    }

    /// Reads a frame of the provider's streamed answer, parsed, of any of the APIs that [`response`](Self::response) reads:
    /// the way to tell everything from a loop of one's own. Counts of a stream grow, and each replaces the one before. A frame
    /// that holds output is a [`chunk`](Self::chunk), or a piece of [`thinking`](Self::thinking); an error in the stream fails
    /// the call. When the call ends, what came is its output, as with [`response`](Self::response).
    ///
    /// ```
    /// use serde_json::json;
    ///
    /// let call = tracing_genai::chat("anthropic", "claude-sonnet-4-5").streaming().start();
    /// for frame in [
    ///     json!({ "type": "message_start", "message": { "id": "msg_1", "usage": { "input_tokens": 25, "output_tokens": 1 } } }),
    ///     json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "Rain." } }),
    ///     json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 12 } }),
    /// ] {
    ///     call.stream_frame(&frame);
    /// }
    /// call.complete();
    /// ```
    pub fn stream_frame(&self, frame: &serde_json::Value) -> &Self {
        if self.opened().is_empty() {
            return self;
        }
        let (read, piece, news) = {
            let mut frames = self.frames();
            let fold = match &mut *frames {
                Some(fold) => fold,
                none => match guess::api_of_frame(frame) {
                    Some(api) => none.insert(Box::new(Fold::of_frames(api, self.wants_content()))),
                    // A notice, or an error before anything else.
                    None => return self.told(Answer::guess_wanting(frame, false, false)),
                },
            };
            let read = fold.frame("", frame);
            (read, fold.take_piece(), read.news.then(|| fold.facts()))
        };
        if read.output {
            match piece {
                Some((true, text)) => self.thinking(&text),
                Some((false, text)) => self.chunk(&text),
                None => self.chunk(""),
            };
        }
        match news {
            Some(answer) => self.told(answer),
            None => self,
        }
    }

    fn told(&self, answer: Answer) -> &Self {
        for (name, value) in answer.attrs {
            self.set(name, value);
        }
        self.each(|o| {
            if answer.refused > 0 {
                let refused = i64::from(answer.refused);
                o.instance
                    .set(&o.state, semconv::GENAI_USAGE_REFUSED, refused.into());
            }
            o.instance
                .note_text(&o.state, TextSize::default(), answer.text);
        });
        self.fill_content(&answer.content);
        if let Some(error) = answer.error {
            self.fail_as(&error.kind);
        }
        self
    }

    /// Measures the texts that were sent and received, for an estimate of the tokens where no provider tells them and
    /// [`estimate_tokens`](crate::TelemetryBuilder::estimate_tokens) is on. The texts are not kept; what is measured in
    /// several calls adds up, and so does the text of [`response`](Self::response).
    ///
    /// ```
    /// use tracing_genai::{chat, testing::capture_with};
    ///
    /// let capture = capture_with(|builder| builder.estimate_tokens(true));
    /// capture.record(|| {
    ///     chat("local", "my-model").start().texts("What about Paris?", "Take an umbrella.").complete();
    /// });
    /// let span = capture.span("chat my-model");
    /// assert_eq!(span.attr("gen_ai.usage.output_tokens"), Some(&5.into()));
    /// assert_eq!(span.attr("genai.usage.estimated"), Some(&true.into()));
    /// ```
    pub fn texts(&self, prompt: &str, answer: &str) -> &Self {
        self.each(|o| {
            if o.instance.estimate_tokens {
                o.instance
                    .note_text(&o.state, wire::size(prompt), wire::size(answer));
            }
        });
        self
    }

    /// A piece of the streamed answer arrived: generated content of any kind, not a service notice. The first sets
    /// `gen_ai.response.time_to_first_chunk`; each is `llm.call.chunk` on the bus, with `text` where
    /// [`chunk_text`](crate::TelemetryBuilder::chunk_text) allows it, and nothing on the wire.
    pub fn chunk(&self, text: &str) -> &Self {
        self.piece("llm.call.chunk", text)
    }

    /// A piece of the model's streamed reasoning arrived: as [`chunk`](Self::chunk), and `llm.call.thinking` on the bus.
    pub fn thinking(&self, text: &str) -> &Self {
        self.piece("llm.call.thinking", text)
    }

    fn piece(&self, event_type: &'static str, text: &str) -> &Self {
        self.each(|o| {
            let count = o.instance.chunk_arrived(&o.state);
            let exported = o.instance.chunk_export.takes(count);
            let policy = o.instance.security.as_deref();
            let checked = policy.is_some_and(|policy| policy.watches(Point::Stream));
            if !exported && !checked && !o.instance.bus.has_interest() {
                return;
            }
            with_scratch(|fields| {
                fields.set_i64(
                    semconv::GENAI_CHUNK_BYTES,
                    text.len() as i64,
                    &Limits::DEFAULT,
                );
                if o.instance.chunk_text || checked {
                    fields.set_str(semconv::GENAI_CHUNK_TEXT, text, &Limits::DEFAULT);
                }
                let moment = Moment {
                    bus_only: !exported,
                    ..Moment::new(event_type)
                };
                o.instance.push_moment(Some(&o.state), moment, fields);
            });
        });
        self
    }
}
