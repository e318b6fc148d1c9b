//! A collector that takes, refuses or hangs, and counts the spans it took.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tokio::sync::watch;

/// What it does with requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// There is nobody.
    Closed,
    Takes,
    /// 503, without saying when.
    Unavailable,
    /// Reads and never answers.
    Hangs,
}

#[derive(Default)]
struct Seen {
    ids: HashSet<(Vec<u8>, Vec<u8>)>,
    total: usize,
}

/// A running collector.
pub struct Receiver {
    mode: watch::Sender<Mode>,
    seen: Arc<Mutex<Seen>>,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub fn start(address: SocketAddr, mode: Mode) -> Receiver {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (mode, watched) = watch::channel(mode);
        let seen = Arc::<Mutex<Seen>>::default();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .expect("the port");
        let counts = Arc::clone(&seen);
        runtime.spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else {
                    continue;
                };
                let (counts, mode) = (Arc::clone(&counts), watched.clone());
                tokio::spawn(async move {
                    let mut changes = mode.clone();
                    let hanging = *changes.borrow_and_update() == Mode::Hangs;
                    let service = service_fn(move |request| {
                        answer(request, mode.clone(), Arc::clone(&counts))
                    });
                    let serving =
                        http1::Builder::new().serve_connection(TokioIo::new(socket), service);
                    tokio::select! {
                        _ = serving => {}
                        // One that hung comes back without its connections.
                        _ = changes.changed(), if hanging => {}
                    }
                });
            }
        });
        Receiver {
            mode,
            seen,
            _runtime: runtime,
        }
    }

    /// Takes everything from now on.
    pub fn heal(&self) {
        self.mode.send_replace(Mode::Takes);
    }

    /// Spans with different ids, and all of them.
    pub fn counts(&self) -> (usize, usize) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.ids.len(), seen.total)
    }
}

async fn answer(
    request: Request<Incoming>,
    mode: watch::Receiver<Mode>,
    seen: Arc<Mutex<Seen>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let traces = request.uri().path() == "/v1/traces";
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(status(StatusCode::BAD_REQUEST)),
    };
    let now = *mode.borrow();
    match now {
        Mode::Unavailable => return Ok(status(StatusCode::SERVICE_UNAVAILABLE)),
        Mode::Hangs => tokio::time::sleep(Duration::from_secs(3_600)).await,
        Mode::Takes | Mode::Closed => {}
    }
    if traces {
        let request = ExportTraceServiceRequest::decode(body).expect("a request of OTLP");
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        for span in scopes.flat_map(|scope| scope.spans) {
            seen.total += 1;
            seen.ids.insert((span.trace_id, span.span_id));
        }
    }
    let mut response = status(StatusCode::OK);
    let protobuf = http::HeaderValue::from_static("application/x-protobuf");
    response.headers_mut().insert("content-type", protobuf);
    Ok(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
