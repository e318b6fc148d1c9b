//! Our span as OpenTelemetry sees it: what lies in the current [`opentelemetry::Context`] while a span is entered.
//!
//! Promise: attributes, events, links, status and name set through the OpenTelemetry API land on the same record as those
//! set through `tracing`, and native spans started inside find their parent.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Span, SpanContext, Status};
use opentelemetry::{Array, KeyValue, StringValue, Value as OtelValue};

use super::instance::Instance;
use super::state::SpanState;
use super::visit::with_scratch;
use crate::event::Value;
use crate::record::Outcome;
use crate::semconv;

#[derive(Debug)]
pub(crate) struct SpanFace {
    instance: Arc<Instance>,
    state: Arc<SpanState>,
    context: SpanContext,
}

impl SpanFace {
    pub(crate) fn new(
        instance: Arc<Instance>,
        state: Arc<SpanState>,
        context: SpanContext,
    ) -> Self {
        Self {
            instance,
            state,
            context,
        }
    }
}

impl Span for SpanFace {
    fn add_event_with_timestamp<T>(&mut self, name: T, _: SystemTime, attributes: Vec<KeyValue>)
    where
        T: Into<Cow<'static, str>>,
    {
        // An event's time is read from the instance's clock, like everything else on the record.
        let name = name.into();
        with_scratch(|fields| {
            fields.set_str(semconv::MESSAGE, &name, &self.instance.limits);
            for attribute in attributes {
                let value = from_otel(attribute.value);
                fields.set_value(
                    attribute.key.as_str().to_owned(),
                    value,
                    &self.instance.limits,
                );
            }
            self.instance.add_event(&self.state, "event", fields);
        });
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        !self.state.is_ended()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let value = from_otel(attribute.value);
        self.instance
            .set(&self.state, attribute.key.as_str().to_owned(), value);
    }

    fn set_status(&mut self, status: Status) {
        match status {
            Status::Error { description } => {
                let message = (!description.is_empty()).then_some(description.as_ref());
                self.instance.note_error(&self.state, None, message);
            }
            Status::Ok => self.instance.note_outcome(&self.state, Outcome::Completed),
            Status::Unset => {}
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        self.instance.set(
            &self.state,
            semconv::OTEL_NAME,
            Value::from(new_name.into().as_ref()),
        );
    }

    fn add_link(&mut self, span_context: SpanContext, _: Vec<KeyValue>) {
        self.instance.add_link(&self.state, span_context);
    }

    /// The span ends when its `tracing` span does; a holder of the context cannot end it.
    fn end_with_timestamp(&mut self, _: SystemTime) {}
}

/// An OpenTelemetry value as ours.
pub(crate) fn from_otel(value: OtelValue) -> Value {
    let text = |s: &StringValue| Value::from(s.as_str());
    match value {
        OtelValue::Bool(b) => Value::Bool(b),
        OtelValue::I64(n) => Value::I64(n),
        OtelValue::F64(x) => Value::F64(x),
        OtelValue::String(s) => text(&s),
        OtelValue::Array(Array::Bool(items)) => {
            Value::Array(items.into_iter().map(Value::Bool).collect())
        }
        OtelValue::Array(Array::I64(items)) => {
            Value::Array(items.into_iter().map(Value::I64).collect())
        }
        OtelValue::Array(Array::F64(items)) => {
            Value::Array(items.into_iter().map(Value::F64).collect())
        }
        OtelValue::Array(Array::String(items)) => Value::Array(items.iter().map(text).collect()),
        other => Value::from(other.to_string()),
    }
}
