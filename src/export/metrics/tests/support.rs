//! Records as the pipeline hands them over, and collections as flat points.

use std::collections::BTreeMap;

use opentelemetry::{SpanId, TraceFlags, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};

use crate::event::{Subject, Value as Field};
use crate::export::metrics::{MetricNames, Metrics};
use crate::record::{Limits, Outcome, Record};
use crate::semconv;

pub(super) const LIMITS: Limits = Limits::DEFAULT;
/// When spans begin: any time but the clock's origin.
pub(super) const START: u64 = 5_000_000_000;

pub(super) fn metrics(names: MetricNames) -> Metrics {
    let resource = Resource::builder_empty()
        .with_service_name("planner")
        .build();
    Metrics::new(resource, names, Temporality::Cumulative)
}

/// A span of this subject that took a second and a half.
pub(super) fn span(subject: Subject) -> Record {
    Record {
        subject: Some(subject),
        start: START,
        end: START + 1_500_000_000,
        ..Record::default()
    }
}

pub(super) trait Build: Sized {
    fn with(self, name: &'static str, value: impl Into<Field>) -> Self;
    /// Its id, and the id of what is around it; 0 for nothing.
    fn at(self, id: u64, around: u64) -> Self;
    fn failed(self, error: &str) -> Self;
    fn nested(self) -> Self;
}

impl Build for Record {
    fn with(mut self, name: &'static str, value: impl Into<Field>) -> Self {
        self.fields.set_value(name, value.into(), &LIMITS);
        self
    }

    fn at(mut self, id: u64, around: u64) -> Self {
        self.id.span = SpanId::from(id);
        self.around = SpanId::from(around);
        self
    }

    fn failed(mut self, error: &str) -> Self {
        self.outcome = Outcome::Failed;
        self.with(semconv::ERROR_TYPE, error)
    }

    fn nested(mut self) -> Self {
        self.inside_inference = true;
        self
    }
}

/// A chat call that answered.
pub(super) fn chat() -> Record {
    let record = span(Subject::LLM_CALL)
        .with(semconv::GEN_AI_OPERATION_NAME, "chat")
        .with(semconv::GEN_AI_PROVIDER_NAME, "openai")
        .with(semconv::GEN_AI_REQUEST_MODEL, "gpt-4o")
        .with(semconv::GEN_AI_RESPONSE_MODEL, "gpt-4o-2024-08-06")
        .with(semconv::SERVER_ADDRESS, "api.openai.com")
        .with(semconv::SERVER_PORT, 443_i64)
        .with(semconv::GEN_AI_USAGE_INPUT_TOKENS, 1_200_i64)
        .with(semconv::GEN_AI_USAGE_OUTPUT_TOKENS, 340_i64);
    assert_eq!(record.id.flags(), TraceFlags::NOT_SAMPLED);
    record
}

/// The run of an agent.
pub(super) fn agent() -> Record {
    span(Subject::AGENT_EXECUTION).with(semconv::GEN_AI_AGENT_NAME, "planner")
}

/// What is collected after these spans ended.
pub(super) fn measured(names: MetricNames, records: &[Record]) -> Points {
    let mut metrics = metrics(names);
    for record in records {
        metrics.record_ended(record);
    }
    Points::of(&metrics)
}

/// One data point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) metric: String,
    pub(super) unit: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) number: Number,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Sum(f64),
    Histogram {
        count: u64,
        sum: f64,
        bounds: Vec<f64>,
    },
}

impl Point {
    pub(super) fn sum(&self) -> f64 {
        match self.number {
            Number::Sum(sum) | Number::Histogram { sum, .. } => sum,
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self.number {
            Number::Histogram { count, .. } => count,
            Number::Sum(_) => panic!("{} is a sum", self.metric),
        }
    }

    /// `name=value` of every attribute, in alphabetical order.
    pub(super) fn labels(&self) -> String {
        let pairs = self.attributes.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join(" ")
    }
}

/// All points, flat.
pub(super) struct Points(pub(super) Vec<Point>);

impl Points {
    pub(super) fn of(metrics: &Metrics) -> Self {
        metrics
            .collect()
            .as_ref()
            .map_or(Self(Vec::new()), Self::from)
    }

    pub(super) fn all(&self, metric: &str) -> Vec<&Point> {
        self.0.iter().filter(|p| p.metric == metric).collect()
    }

    /// The only point of a metric.
    #[track_caller]
    pub(super) fn one(&self, metric: &str) -> &Point {
        match self.all(metric).as_slice() {
            [one] => one,
            other => panic!("{metric} has {} points: {other:#?}", other.len()),
        }
    }

    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().map(|p| p.metric.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl From<&ResourceMetrics> for Points {
    fn from(collected: &ResourceMetrics) -> Self {
        let mut points = Vec::new();
        for metric in collected.scope_metrics().flat_map(|scope| scope.metrics()) {
            let found = match metric.data() {
                AggregatedMetrics::F64(data) => read(data, |x| x),
                AggregatedMetrics::U64(data) => read(data, |n| n as f64),
                AggregatedMetrics::I64(data) => read(data, |n| n as f64),
            };
            points.extend(found.into_iter().map(|(attributes, number)| Point {
                metric: metric.name().to_owned(),
                unit: metric.unit().to_owned(),
                attributes,
                number,
            }));
        }
        Self(points)
    }
}

fn read<T: Copy>(
    data: &MetricData<T>,
    number: impl Fn(T) -> f64,
) -> Vec<(BTreeMap<String, String>, Number)> {
    fn labels<'a>(
        attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>,
    ) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().into_owned();
        attributes
            .map(|kv| (kv.key.to_string(), text(&kv.value)))
            .collect()
    }
    match data {
        MetricData::Sum(sum) => sum
            .data_points()
            .map(|p| (labels(p.attributes()), Number::Sum(number(p.value()))))
            .collect(),
        MetricData::Histogram(histogram) => histogram
            .data_points()
            .map(|p| {
                let (count, sum) = (p.count(), number(p.sum()));
                let bounds = p.bounds().collect();
                (
                    labels(p.attributes()),
                    Number::Histogram { count, sum, bounds },
                )
            })
            .collect(),
        MetricData::Gauge(_) | MetricData::ExponentialHistogram(_) => {
            panic!("an instrument of another kind")
        }
    }
}
