//! How long sessions lasted, told once on either side however they end.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_sdk::trace::Sampler;
use rmcp::ServiceExt as _;
use rmcp::service::{RoleClient, RoleServer, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};
use tracing_genai::Telemetry;
use tracing_genai::event::{EventSpec as _, McpConnectionClosed};
use tracing_genai::mcp::{self, PeerExt as _, Transport, traced};
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::testing::{Capture, capture};
use tracing_subscriber::prelude::*;

use super::library::{Library, Reader, blocking, call, run};
use super::support::collector::Collector;

const CLIENT: &str = "mcp.client.session.duration";
const SERVER: &str = "mcp.server.session.duration";

/// The attributes of each point of a metric, and how many sessions it counts.
pub(crate) fn points(collector: &Collector, name: &str) -> Vec<(u64, BTreeMap<String, String>)> {
    let metrics = collector.metrics();
    let found = metrics.iter().filter(|metric| metric.name == name);
    let points = found.flat_map(|metric| match metric.data.clone() {
        Some(Data::Histogram(histogram)) => histogram.data_points,
        other => panic!("{other:?}"),
    });
    points
        .map(|point| {
            let attributes = point.attributes.into_iter().map(|kv| {
                let value = kv.value.and_then(|value| value.value);
                (kv.key, format!("{value:?}"))
            });
            (point.count, attributes.collect())
        })
        .collect()
}

/// Runs `f` in an installation of its own, and answers what its collector got.
fn exported<T>(sampler: Sampler, f: impl Future<Output = T>) -> Collector {
    let collector = Collector::start();
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .sampler(sampler)
        .otlp(OtlpConfig::new().endpoint(collector.endpoint()))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        // As many do, for `rmcp` logs every message.
        .with(tracing_subscriber::EnvFilter::new("info,rmcp=off"))
        .with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || blocking(f));
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    collector
}

/// The ends of sessions that were told of: whose, and with which error.
fn ends(capture: &Capture) -> Vec<(bool, Option<String>)> {
    let events = capture.events();
    let closed = events.iter().filter_map(McpConnectionClosed::view);
    let mut ends: Vec<_> = closed
        .map(|closed| {
            assert!(closed.duration.is_some());
            let kind = closed.error.map(|error| error.kind.to_string());
            (closed.address.is_some(), kind)
        })
        .collect();
    ends.sort();
    ends
}

type Client = rmcp::service::RunningService<RoleClient, ()>;

/// Connects a client, told apart by its server's address, serves the library to it, and ends it by `end`.
fn a_session<F: Future<Output = ()>>(capture: &Capture, end: impl FnOnce(Client) -> F) {
    run(capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(async move {
            let server = traced(Library).serve(theirs).await.unwrap();
            server.waiting().await.unwrap();
        });
        let client = mcp::connect((), ours).server("library", 80).await.unwrap();
        client.traced().call_tool(call("search")).await.unwrap();
        assert_eq!(ends(capture), [], "both are open");
        end(client).await;
        serving.await.unwrap();
    });
}

#[test]
fn a_session_that_is_closed_ends_once_on_either_side() {
    let capture = capture();
    a_session(&capture, |mut client| async move {
        client.close().await.unwrap();
        client.close().await.unwrap();
    });
    assert_eq!(ends(&capture), [(false, None), (true, None)]);
}

#[test]
fn a_session_that_is_canceled_ends_once_on_either_side() {
    let capture = capture();
    a_session(&capture, |client| async move {
        client.cancel().await.unwrap();
    });
    assert_eq!(ends(&capture), [(false, None), (true, None)]);
}

#[test]
fn a_session_whose_client_is_dropped_ends_once_on_either_side() {
    let capture = capture();
    a_session(&capture, |client| async move { drop(client) });
    assert_eq!(ends(&capture), [(false, None), (true, None)]);
}

#[test]
fn a_session_ends_with_its_transport_though_both_services_are_kept() {
    let capture = capture();
    run(&capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(traced(Library).serve(theirs));
        let mut client = mcp::connect(traced(Reader), ours)
            .server("library", 80)
            .await
            .unwrap();
        let server = serving.await.unwrap().unwrap();
        client.close().await.unwrap();
        while ends(&capture).len() < 2 {
            tokio::task::yield_now().await;
        }
        drop((client, server));
    });
    assert_eq!(ends(&capture), [(false, None), (true, None)]);
}

#[test]
fn a_server_that_is_served_by_others_ends_its_session_with_its_handler() {
    let capture = capture();
    run(&capture, async {
        // `rmcp`'s own function, which knows nothing of ours.
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(rmcp::serve_server(traced(Library), theirs));
        let client = ().serve(ours).await.unwrap();
        let server = serving.await.unwrap().unwrap();
        client.call_tool(call("search")).await.unwrap();
        client.cancel().await.unwrap();
        server.waiting().await.unwrap();
    });
    assert_eq!(ends(&capture), [(false, None)]);
}

#[test]
fn a_handshake_that_fails_is_no_session() {
    let capture = capture();
    run(&capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        drop(theirs);
        mcp::connect((), ours).await.unwrap_err();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        drop(ours);
        traced(Library).serve(theirs).await.unwrap_err();
    });
    assert_eq!(ends(&capture), []);
}

/// A server's pipe that breaks when it is told to, for what is sent.
struct Breaking {
    pipe: AsyncRwTransport<RoleServer, ReadHalf<DuplexStream>, WriteHalf<DuplexStream>>,
    /// From when on it is broken, and whether somebody has found out.
    broken: Arc<[AtomicBool; 2]>,
}

impl rmcp::transport::Transport<RoleServer> for Breaking {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let broken = self.broken.clone();
        let sent = (!broken[0].load(Ordering::SeqCst)).then(|| self.pipe.send(item));
        async move {
            match sent {
                Some(sent) => sent.await,
                None => {
                    broken[1].store(true, Ordering::SeqCst);
                    Err(io::ErrorKind::BrokenPipe.into())
                }
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.pipe.receive().await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.pipe.close().await
    }
}

#[test]
fn a_session_whose_transport_breaks_ends_with_that_error_on_the_side_that_sees_it() {
    let capture = capture();
    run(&capture, async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (read, write) = tokio::io::split(theirs);
        let broken = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let transport = Breaking {
            pipe: AsyncRwTransport::new(read, write),
            broken: broken.clone(),
        };
        let serving = tokio::spawn(traced(Library).serve(transport));
        let client = mcp::connect((), ours).server("library", 80).await.unwrap();
        let server = serving.await.unwrap().unwrap();
        broken[0].store(true, Ordering::SeqCst);
        // The answer never comes.
        let peer = client.peer().clone();
        let asked = tokio::spawn(async move { peer.list_tools(None).await });
        while !broken[1].load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        client.cancel().await.unwrap();
        asked.await.unwrap().unwrap_err();
        server.waiting().await.unwrap();
    });
    let sent = Some("transport_send".to_owned());
    assert_eq!(ends(&capture), [(false, sent), (true, None)]);
}

#[test]
fn sessions_are_measured_with_what_the_conventions_list_whatever_is_sampled_and_filtered() {
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        let collector = exported(sampler, async {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let server = traced(Library).transport(Transport::Stdio);
            let serving = tokio::spawn(async move {
                server.serve(theirs).await.unwrap().waiting().await.unwrap();
            });
            let client = mcp::connect((), ours)
                .transport(Transport::Stdio)
                .server("library", 80)
                .await
                .unwrap();
            client.traced().call_tool(call("search")).await.unwrap();
            client.cancel().await.unwrap();
            serving.await.unwrap();
        });
        let keys = |name: &str| {
            let points = points(&collector, name);
            let [(1, attributes)] = &points[..] else {
                panic!("{name}: {points:?}");
            };
            attributes.keys().cloned().collect::<Vec<_>>()
        };
        let server = ["mcp.protocol.version", "network.transport"];
        assert_eq!(keys(SERVER), server);
        let client = [&server[..], &["server.address", "server.port"]].concat();
        assert_eq!(keys(CLIENT), client);
    }
}

#[test]
fn without_a_layer_sessions_pass_untouched() {
    blocking(async {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(traced(Library).serve(theirs));
        let client = mcp::connect((), ours).await.unwrap();
        client.traced().call_tool(call("search")).await.unwrap();
        client.cancel().await.unwrap();
        serving.await.unwrap().unwrap().waiting().await.unwrap();
    });
}
