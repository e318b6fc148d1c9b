//! Whole runs over real sockets: what arrives, what the report says when it does not.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use support::collector::{Answer, Collector, closed_address};
use support::waiting::{until, within};
use tracing_genai::event::Usage;
use tracing_genai::otlp::{Compression, OtlpConfig, Protocol, Signal};
use tracing_genai::{Loss, Telemetry, TelemetryBuilder, agent, chat, tool};
use tracing_subscriber::prelude::*;

const SOON: Duration = Duration::from_secs(20);

fn config(collector: &Collector) -> OtlpConfig {
    OtlpConfig::new().endpoint(collector.endpoint())
}

fn builder(config: OtlpConfig) -> TelemetryBuilder {
    Telemetry::builder("otlp-test")
        .environment(|_| None)
        .otlp(config)
}

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), f)
}

fn run() {
    let done = agent("planner").in_scope(|_| {
        let call = chat("openai", "gpt-4o-mini")
            .server("api.openai.com", 443)
            .start();
        tracing::info!(genai.event = "order.placed", order = 7);
        call.usage(Usage::new().input(140).output(32))
            .finish_reason("stop")
            .complete();
        chat("openai", "gpt-4o-mini")
            .start()
            .fail_as("rate_limited");
        tool("search").in_scope(|_| Ok::<_, std::fmt::Error>(()))
    });
    done.unwrap();
}

fn text(value: &Option<AnyValue>) -> String {
    match value.as_ref().and_then(|v| v.value.as_ref()) {
        Some(any_value::Value::StringValue(s)) => s.clone(),
        other => format!("{other:?}"),
    }
}

fn all_three_signals(protocol: Protocol) {
    let collector = Collector::start();
    let telemetry = builder(
        config(&collector)
            .protocol(protocol)
            .compression(Compression::Gzip),
    )
    .build()
    .unwrap();
    record(&telemetry, run);
    let report = telemetry.flush(SOON);
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.traces.as_ref().unwrap().delivered, 4);
    assert_eq!(report.logs.as_ref().unwrap().delivered, 2);
    assert!(report.metrics.as_ref().unwrap().delivered > 0);

    let spans = collector.spans();
    let chat = spans
        .iter()
        .find(|s| s.name == "chat gpt-4o-mini" && s.status.is_none_or_unset())
        .unwrap();
    let get = |key: &str| {
        chat.attributes
            .iter()
            .find(|a| a.key == key)
            .map(|a| a.value.clone())
    };
    assert_eq!(text(&get("gen_ai.provider.name").unwrap()), "openai");
    assert!(matches!(
        get("gen_ai.usage.input_tokens").unwrap().unwrap().value,
        Some(any_value::Value::IntValue(140))
    ));
    let root = spans.iter().find(|s| s.parent_span_id.is_empty()).unwrap();
    assert_eq!(root.name, "invoke_agent planner");
    assert!(spans.iter().all(|s| s.trace_id == root.trace_id));

    let logs = collector.log_records();
    let moment = logs
        .iter()
        .find(|l| l.event_name == "order.placed")
        .unwrap();
    assert_eq!(
        moment.span_id, root.span_id,
        "the innermost entered span: a started call is not entered by itself"
    );
    let exception = logs
        .iter()
        .find(|l| l.event_name == "gen_ai.client.operation.exception")
        .unwrap();
    assert_eq!(exception.severity_text, "WARN");

    let metrics: HashSet<_> = collector.metrics().into_iter().map(|m| m.name).collect();
    for name in [
        "gen_ai.client.inference.duration",
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "gen_ai.invoke_agent.duration",
        "gen_ai.execute_tool.duration",
        "gen_ai.usage.cost",
    ] {
        assert!(metrics.contains(name), "{name} is missing of {metrics:?}");
    }
}

trait Unset {
    fn is_none_or_unset(&self) -> bool;
}
impl Unset for Option<opentelemetry_proto::tonic::trace::v1::Status> {
    fn is_none_or_unset(&self) -> bool {
        self.as_ref().is_none_or(|s| s.code == 0)
    }
}

#[test]
fn traces_logs_and_metrics_arrive_over_grpc_with_gzip() {
    all_three_signals(Protocol::Grpc);
}

#[test]
fn traces_logs_and_metrics_arrive_over_http_with_gzip() {
    all_three_signals(Protocol::HttpProtobuf);
}

#[test]
fn a_burst_of_twenty_thousand_spans_is_delivered_whole_at_default_settings() {
    let collector = Collector::start();
    let telemetry = builder(config(&collector).protocol(Protocol::Grpc))
        .build()
        .unwrap();
    record(&telemetry, || {
        for n in 0..20_000 {
            tracing::info_span!(
                "burst",
                n,
                gen_ai.operation.name = "chat",
                gen_ai.request.model = "gpt-4o-mini"
            )
            .in_scope(|| {});
        }
    });
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    let ids: HashSet<_> = collector.spans().into_iter().map(|s| s.span_id).collect();
    assert_eq!(ids.len(), 20_000);
}

#[test]
fn beyond_the_queue_the_newest_are_dropped_and_the_count_is_exact() {
    let collector = Collector::start();
    let telemetry = builder(config(&collector))
        .queue_records(16)
        .build()
        .unwrap();
    record(&telemetry, || {
        (0..5_000).for_each(|_| tracing::info_span!("s").in_scope(|| {}))
    });
    let report = telemetry.shutdown();
    let captured = &report.capture;
    assert_eq!(captured.accepted, 5_000);
    assert_eq!(
        captured.delivered + captured.total_dropped(),
        5_000,
        "{report}"
    );
    assert_eq!(
        report.traces.as_ref().unwrap().delivered,
        captured.delivered
    );
    assert_eq!(collector.spans().len() as u64, captured.delivered);
}

#[test]
fn an_absent_collector_costs_nothing_but_what_the_report_names() {
    let telemetry = builder(OtlpConfig::new().endpoint(format!("http://{}", closed_address())))
        .build()
        .unwrap();
    record(&telemetry, run);
    until("the spans wait to be sent", || {
        telemetry.stats().traces.unwrap().pending == 4
    });
    let flushed = telemetry.flush(Duration::from_millis(300));
    assert!(
        !flushed.in_time && flushed.traces.as_ref().unwrap().pending == 4,
        "{flushed}"
    );
    let report = within("the shutdown", move || {
        telemetry.shutdown_within(Duration::from_secs(1))
    });
    let traces = report.traces.unwrap();
    assert_eq!(
        (traces.accepted, traces.delivered, traces.pending),
        (4, 0, 0)
    );
    assert_eq!(traces.dropped[&Loss::ShutdownTimeout], 4);
}

#[test]
fn a_collector_that_comes_late_gets_everything() {
    let address = closed_address();
    let telemetry = builder(OtlpConfig::new().endpoint(format!("http://{address}")))
        .build()
        .unwrap();
    record(&telemetry, run);
    assert!(!telemetry.flush(Duration::from_millis(200)).in_time);
    let collector = Collector::start_at(address);
    let report = telemetry.flush(SOON);
    assert!(report.is_complete(), "{report}");
    assert_eq!(collector.spans().len(), 4);
}

#[test]
fn a_hanging_collector_is_given_up_in_time_and_the_report_says_what_is_pending() {
    let collector = Collector::start();
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        collector.always(signal, Answer::Hang);
    }
    let telemetry = builder(config(&collector)).build().unwrap();
    record(&telemetry, run);
    until("the spans are on their way", || {
        telemetry.stats().traces.unwrap().pending == 4
    });
    let report = within("the shutdown", move || {
        telemetry.shutdown_within(Duration::from_secs(1))
    });
    assert!(!report.is_complete());
    assert_eq!(report.traces.unwrap().dropped[&Loss::ShutdownTimeout], 4);
}

#[test]
fn refused_metrics_and_logs_are_counted_and_traces_go_on() {
    let collector = Collector::start();
    collector.always(Signal::Metrics, Answer::status(405));
    collector.always(Signal::Logs, Answer::status(405));
    let telemetry = builder(config(&collector)).build().unwrap();
    record(&telemetry, run);
    let report = telemetry.flush(SOON);
    assert!(report.traces.as_ref().unwrap().is_complete(), "{report}");
    assert_eq!(
        report.logs.as_ref().unwrap().dropped[&Loss::RefusedSignal],
        2
    );
    assert!(report.metrics.as_ref().unwrap().dropped[&Loss::RefusedSignal] > 0);
}

#[test]
fn a_partial_success_is_counted_as_rejected_and_not_sent_again() {
    let collector = Collector::start();
    collector.always(
        Signal::Traces,
        Answer::Partial {
            rejected: 3,
            message: "quota".into(),
        },
    );
    let telemetry = builder(config(&collector)).build().unwrap();
    record(&telemetry, run);
    let traces = telemetry.shutdown().traces.unwrap();
    assert_eq!(
        (
            traces.accepted,
            traces.delivered,
            traces.rejected,
            traces.pending
        ),
        (4, 1, 3, 0)
    );
    assert_eq!(
        collector
            .requests()
            .iter()
            .filter(|r| r.signal == Some(Signal::Traces))
            .count(),
        1
    );
}

#[test]
fn unsampled_traces_still_feed_metrics_and_totals() {
    let collector = Collector::start();
    let telemetry = builder(config(&collector))
        .sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
        .build()
        .unwrap();
    record(&telemetry, run);
    let report = telemetry.flush(SOON);
    assert_eq!(report.traces.as_ref().unwrap().accepted, 0);
    assert!(
        collector
            .metrics()
            .iter()
            .any(|m| m.name == "gen_ai.client.inference.duration")
    );
}

#[test]
fn large_spans_are_split_over_requests_that_receivers_take() {
    let collector = Collector::start();
    let telemetry = builder(config(&collector)).build().unwrap();
    let page = "x".repeat(60_000);
    record(&telemetry, || {
        for _ in 0..100 {
            tracing::info_span!("page", a = page, b = page, c = page).in_scope(|| {});
        }
    });
    let report = telemetry.shutdown_within(SOON);
    assert!(report.is_complete(), "{report}");
    assert!(collector.requests().iter().all(|r| r.body.len() < 4 << 20));
    assert_eq!(collector.spans().len(), 100);
}

#[test]
fn exporting_is_not_itself_recorded() {
    let collector = Collector::start();
    let telemetry = builder(config(&collector))
        .level(tracing::level_filters::LevelFilter::TRACE)
        .build()
        .unwrap();
    record(&telemetry, || {
        run();
        telemetry.flush(SOON);
    });
    telemetry.shutdown();
    assert_eq!(collector.spans().len(), 4);
}

#[test]
fn a_disabled_sdk_exports_nothing_and_says_nothing() {
    let collector = Collector::start();
    let telemetry = Telemetry::builder("off")
        .environment(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
        .otlp(config(&collector))
        .build()
        .unwrap();
    record(&telemetry, run);
    let report = telemetry.shutdown();
    assert_eq!(report.capture.accepted, 0);
    assert!(collector.requests().is_empty());
}

#[test]
fn nothing_secret_is_in_any_debug_output() {
    let config = OtlpConfig::new()
        .endpoint("http://user:canary-password@127.0.0.1:4318/?key=canary-query")
        .header("authorization", "Bearer canary-token");
    let shown = format!("{config:?}");
    let telemetry = builder(config).build();
    let shown = format!(
        "{shown} {telemetry:?} {:?}",
        chat("openai", "m").attr("prompt", "canary-prompt")
    );
    assert!(!shown.contains("canary"), "{shown}");
}
