//! Metrics of tapped calls, at a collector.

use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use tokio::sync::Notify;
use tracing_genai::Telemetry;
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_subscriber::prelude::*;

use super::clients::{ask, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::collector::Collector;
use super::support::waiting::block_on;
use super::wire_text::*;

struct Sent {
    collector: Collector,
}

impl Sent {
    /// Count and sum of the points of a histogram or counter.
    fn points(&self, name: &str) -> Vec<(u64, f64)> {
        let metrics = self.collector.metrics();
        let found = metrics.iter().filter(|metric| metric.name == name);
        found
            .flat_map(|metric| match metric.data.clone() {
                Some(Data::Histogram(histogram)) => histogram
                    .data_points
                    .iter()
                    .map(|point| (point.count, point.sum.unwrap_or_default()))
                    .collect(),
                _ => Vec::new(),
            })
            .collect()
    }
}

/// Runs `f` under an installation that exports to a collector.
fn exported(f: impl FnOnce()) -> Sent {
    let collector = Collector::start();
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .otlp(OtlpConfig::new().endpoint(collector.endpoint()))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, f);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    Sent { collector }
}

#[test]
fn a_stream_counts_its_tokens_its_first_chunk_and_the_time_between_chunks() {
    let server = Server::always(Reply::sse(stream(&WORDS, &usage(140, 32))));
    let sent = exported(|| {
        block_on(ask(&server, true)).unwrap();
    });
    assert_eq!(sent.points("gen_ai.client.operation.duration").len(), 1);
    let first = sent.points("gen_ai.client.operation.time_to_first_chunk");
    assert!(
        matches!(first[..], [(1, seconds)] if seconds > 0.0),
        "{first:?}"
    );
    let between = sent.points("gen_ai.client.operation.time_per_output_chunk");
    assert_eq!(
        between.iter().map(|(count, _)| count).sum::<u64>(),
        WORDS.len() as u64 - 1
    );
    let mut tokens: Vec<_> = sent
        .points("gen_ai.client.token.usage")
        .iter()
        .map(|(_, sum)| *sum as u64)
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [32, 140]);
}

#[test]
fn metrics_are_recorded_though_the_context_of_the_request_is_gone() {
    // The whole answer has come, the caller's task is aborted, and its runtime with it.
    let never = Arc::new(Notify::new());
    let events = stream(&WORDS, &usage(140, 32));
    let server = Server::always(Reply::sse(events.clone()).then(Part::Wait(never)));
    let sent = exported(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let (done, read) = tokio::sync::oneshot::channel();
            let task = tokio::spawn(async move {
                let mut bytes = 0;
                while bytes < events.concat().len() {
                    bytes += response.chunk().await.unwrap().unwrap().len();
                }
                done.send(()).unwrap();
                std::future::pending::<()>().await;
                drop(response);
            });
            read.await.unwrap();
            task.abort();
            task.await.unwrap_err();
        });
    });
    let mut tokens: Vec<_> = sent
        .points("gen_ai.client.token.usage")
        .iter()
        .map(|(_, sum)| *sum as u64)
        .collect();
    tokens.sort_unstable();
    assert_eq!(tokens, [32, 140]);
}
