//! A small real collector on loopback: OTLP over HTTP/1, HTTP/2 and gRPC, with scripted answers.
//!
//! Every request takes the next scripted [`Answer`]; without one it is accepted. Faults happen here, at a
//! real socket, never in the code under test.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, oneshot};
use tracing_genai::otlp::Signal;

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a request is answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Accepted, as the protocol of the request says it.
    Ok,
    /// Accepted in part, as the protocol of the request says it.
    Partial { rejected: i64, message: String },
    /// This status, headers and body, whatever the protocol of the request.
    Http {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// This gRPC status in trailers, with further trailers.
    Grpc {
        code: i32,
        trailers: Vec<(String, String)>,
    },
    /// A complete 200 of gRPC's type that lacks a gRPC status.
    NoStatus,
    /// Reads the request and never answers.
    Hang,
    /// Answers this status at once, then one byte every 50 ms, for ever.
    Drip(u16),
    /// Closes the connection on the request's head, its body unread.
    ResetUnread,
    /// Closes the connection after having read the request: the acknowledgement is lost.
    ResetRead,
    /// The answer, after this time.
    Slow(Duration, Box<Answer>),
}

impl Answer {
    pub fn status(status: u16) -> Answer {
        Answer::Http {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let headers = headers
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        Answer::Http {
            status,
            headers,
            body: body.into(),
        }
    }

    pub fn grpc(code: i32, trailers: &[(&str, &str)]) -> Answer {
        let trailers = trailers
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        Answer::Grpc { code, trailers }
    }
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub at: Instant,
    /// `None` for a path that is no OTLP path.
    pub signal: Option<Signal>,
    pub grpc: bool,
    pub version: Version,
    pub path: String,
    pub headers: HeaderMap,
    /// Bytes of the body as it travelled, framing included.
    pub wire_bytes: usize,
    /// The protobuf bytes, unframed and decompressed. Empty if the body was not read.
    pub body: Bytes,
    /// Whether it was acknowledged: what a real collector would now have.
    pub accepted: bool,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn traces(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(self.body.clone()).unwrap()
    }

    pub fn logs(&self) -> ExportLogsServiceRequest {
        ExportLogsServiceRequest::decode(self.body.clone()).unwrap()
    }

    pub fn metrics(&self) -> ExportMetricsServiceRequest {
        ExportMetricsServiceRequest::decode(self.body.clone()).unwrap()
    }
}

/// A running collector. Dropping it closes the port and every connection.
pub struct Collector {
    address: SocketAddr,
    tls: bool,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<Script>,
    log: Mutex<Log>,
    arrived: Condvar,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Answer>,
    always: [Option<Answer>; 3],
}

#[derive(Default)]
struct Log {
    requests: Vec<Received>,
    connections: usize,
}

impl Collector {
    /// Starts on a free port of 127.0.0.1.
    pub fn start() -> Collector {
        Collector::run(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None)
    }

    /// Starts at an address, for one that comes back.
    pub fn start_at(address: SocketAddr) -> Collector {
        Collector::run(address, None)
    }

    pub fn start_tls(config: Arc<rustls::ServerConfig>) -> Collector {
        Collector::run(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Some(config))
    }

    /// `http://127.0.0.1:port`, or `https://localhost:port`.
    pub fn endpoint(&self) -> String {
        match self.tls {
            true => format!("https://localhost:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers the next request without an answer of its own with this.
    pub fn answer(&self, answer: Answer) {
        self.shared.script.lock().unwrap().next.push_back(answer);
    }

    /// Answers all requests of a signal with this, once the script is over.
    pub fn always(&self, signal: Signal, answer: Answer) {
        self.shared.script.lock().unwrap().always[index(signal)] = Some(answer);
    }

    /// Goes back to accepting everything.
    pub fn heal(&self) {
        *self.shared.script.lock().unwrap() = Script::default();
    }

    /// All requests whose head arrived, in order.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.lock().unwrap().requests.clone()
    }

    /// Connections that were opened.
    pub fn connections(&self) -> usize {
        self.shared.log.lock().unwrap().connections
    }

    /// Waits until the requests are as wanted, and returns them. Fails the test if they never are.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let deadline = Instant::now() + PATIENCE;
        let mut log = self.shared.log.lock().unwrap();
        while !wanted(&log.requests) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never saw {what}; saw {:#?}", log.requests);
            log = self.shared.arrived.wait_timeout(log, left).unwrap().0;
        }
        log.requests.clone()
    }

    /// Waits for the n-th request, counted from 1, of whatever fate.
    pub fn wait_for_requests(&self, n: usize) -> Vec<Received> {
        self.wait_for(&format!("{n} requests"), |requests| requests.len() >= n)
    }

    /// All accepted spans, in order of arrival.
    pub fn spans(&self) -> Vec<Span> {
        let scopes = self
            .accepted(Signal::Traces)
            .into_iter()
            .flat_map(|request| {
                request
                    .traces()
                    .resource_spans
                    .into_iter()
                    .flat_map(|resource| resource.scope_spans)
            });
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// All accepted log records, in order of arrival.
    pub fn log_records(&self) -> Vec<LogRecord> {
        let scopes = self.accepted(Signal::Logs).into_iter().flat_map(|request| {
            request
                .logs()
                .resource_logs
                .into_iter()
                .flat_map(|resource| resource.scope_logs)
        });
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    /// All accepted metrics, in order of arrival.
    pub fn metrics(&self) -> Vec<Metric> {
        let scopes = self
            .accepted(Signal::Metrics)
            .into_iter()
            .flat_map(|request| {
                request
                    .metrics()
                    .resource_metrics
                    .into_iter()
                    .flat_map(|resource| resource.scope_metrics)
            });
        scopes.flat_map(|scope| scope.metrics).collect()
    }

    fn accepted(&self, signal: Signal) -> Vec<Received> {
        let requests = self.requests().into_iter();
        requests
            .filter(|request| request.accepted && request.signal == Some(signal))
            .collect()
    }

    fn run(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> Collector {
        // Bound here, so that the port is open when this returns.
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let with_tls = tls.is_some();
        let tls = tls.map(tokio_rustls::TlsAcceptor::from);
        let thread = std::thread::Builder::new()
            .name("test-collector".into())
            .spawn({
                let shared = shared.clone();
                move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build();
                    let runtime = runtime.unwrap();
                    runtime.block_on(async {
                        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                        tokio::select! {
                            _ = accept(listener, tls, shared) => {}
                            _ = stopped => {}
                        }
                    });
                    runtime.shutdown_background();
                }
            });
        let thread = Some(thread.unwrap());
        Collector {
            address,
            tls: with_tls,
            shared,
            stop: Some(stop),
            thread,
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A loopback address where nothing listens.
pub fn closed_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
}

async fn accept(
    listener: tokio::net::TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    shared: Arc<Shared>,
) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let _ = socket.set_nodelay(true);
        shared.log.lock().unwrap().connections += 1;
        shared.arrived.notify_all();
        let (tls, shared) = (tls.clone(), shared.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(socket, shared).await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        serve(socket, shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(socket: impl AsyncRead + AsyncWrite + Unpin + 'static, shared: Arc<Shared>) {
    let cut = Arc::new(Notify::new());
    let service = service_fn({
        let cut = cut.clone();
        move |request| handle(request, shared.clone(), cut.clone())
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    tokio::select! {
        _ = builder.serve_connection(TokioIo::new(socket), service) => {}
        // Dropping the connection closes the socket, at once and for all its streams.
        _ = cut.notified() => {}
    }
}

async fn handle(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    cut: Arc<Notify>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let content_type = head
        .headers
        .get("content-type")
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    let grpc = content_type.starts_with(b"application/grpc");
    let path = head.uri.path().to_owned();
    let signal = signal_of(&path);
    let mut answer = {
        let mut script = shared.script.lock().unwrap();
        let always = signal.and_then(|signal| script.always[index(signal)].clone());
        script.next.pop_front().or(always).unwrap_or(Answer::Ok)
    };
    let read = match answer {
        Answer::ResetUnread => Bytes::new(),
        _ => body
            .collect()
            .await
            .map(|body| body.to_bytes())
            .unwrap_or_default(),
    };
    let received = Received {
        at: Instant::now(),
        signal,
        grpc,
        version: head.version,
        path,
        wire_bytes: read.len(),
        body: decoded(&head.headers, grpc, &read),
        headers: head.headers,
        accepted: false,
    };
    let at = {
        let mut log = shared.log.lock().unwrap();
        log.requests.push(received);
        log.requests.len() - 1
    };
    shared.arrived.notify_all();

    while let Answer::Slow(time, then) = answer {
        tokio::time::sleep(time).await;
        answer = *then;
    }
    if matches!(answer, Answer::Ok | Answer::Partial { .. }) {
        shared.log.lock().unwrap().requests[at].accepted = true;
        shared.arrived.notify_all();
    }
    Ok(match answer {
        Answer::Ok => success(grpc, 0, ""),
        Answer::Partial { rejected, message } => success(grpc, rejected, &message),
        Answer::Http {
            status,
            headers,
            body,
        } => {
            let mut response = Response::new(Full::new(body).boxed_unsync());
            *response.status_mut() = status.try_into().unwrap();
            response.headers_mut().extend(map(&headers));
            response
        }
        Answer::Grpc { code, mut trailers } => {
            trailers.push(("grpc-status".into(), code.to_string()));
            let trailers = map(&trailers);
            let body = Empty::new().with_trailers(async move { Some(Ok(trailers)) });
            let mut response = Response::new(body.boxed_unsync());
            response
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/grpc"));
            response
        }
        Answer::NoStatus => {
            let mut response = Response::new(Empty::new().boxed_unsync());
            response
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/grpc"));
            response
        }
        Answer::Hang => std::future::pending().await,
        Answer::Drip(status) => {
            let drops = futures_util::stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Ok(Frame::data(Bytes::from_static(b"\n"))), ()))
            });
            let mut response = Response::new(StreamBody::new(drops).boxed_unsync());
            *response.status_mut() = status.try_into().unwrap();
            response
        }
        Answer::ResetUnread | Answer::ResetRead => {
            cut.notify_one();
            std::future::pending().await
        }
        Answer::Slow(..) => unreachable!("unwrapped above"),
    })
}

/// The answer of a collector that took the request; all three signals' messages have this shape.
fn success(grpc: bool, rejected: i64, message: &str) -> Response<Body> {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    let partial_success =
        (rejected != 0 || !message.is_empty()).then(|| ExportTracePartialSuccess {
            rejected_spans: rejected,
            error_message: message.to_owned(),
        });
    let message = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    if !grpc {
        let mut response = Response::new(Full::from(message).boxed_unsync());
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        response.headers_mut().insert("content-type", protobuf);
        return response;
    }
    let mut framed = BytesMut::from(&[0][..]);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(&message);
    let trailers = map(&[("grpc-status".into(), "0".into())]);
    let body = Full::new(framed.freeze()).with_trailers(async move { Some(Ok(trailers)) });
    let mut response = Response::new(body.boxed_unsync());
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

fn decoded(headers: &HeaderMap, grpc: bool, wire: &Bytes) -> Bytes {
    let (gzipped, bytes) = match (grpc, wire.len()) {
        (_, 0) => return Bytes::new(),
        (true, 0..5) => panic!("a gRPC body of {} bytes", wire.len()),
        (true, _) => {
            let length = u32::from_be_bytes(wire[1..5].try_into().unwrap()) as usize;
            assert_eq!(length, wire.len() - 5, "the length of a gRPC message");
            let named = headers
                .get("grpc-encoding")
                .is_some_and(|value| value == "gzip");
            assert_eq!(wire[0] == 1, named, "flag and header agree");
            (named, wire.slice(5..))
        }
        (false, _) => (
            headers
                .get("content-encoding")
                .is_some_and(|value| value == "gzip"),
            wire.clone(),
        ),
    };
    if !gzipped {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_end(&mut plain)
        .unwrap();
    plain.into()
}

fn signal_of(path: &str) -> Option<Signal> {
    [
        (
            Signal::Traces,
            "/v1/traces",
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        ),
        (
            Signal::Logs,
            "/v1/logs",
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        ),
        (
            Signal::Metrics,
            "/v1/metrics",
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        ),
    ]
    .into_iter()
    .find(|(_, http, grpc)| path.ends_with(http) || path == *grpc)
    .map(|(signal, ..)| signal)
}

fn index(signal: Signal) -> usize {
    match signal {
        Signal::Traces => 0,
        Signal::Logs => 1,
        _ => 2,
    }
}

fn map(pairs: &[(String, String)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}
