//! The tap as a `tower` layer over services of `http` 1 requests.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode, Uri, header};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::sending::{Sending, error_type};
use super::tap::Seen;
use super::{Exchange, Tap, TapBody, body, peek};
use crate::security::SecurityBlocked;

/// Taps a client stack: over services of `http::Request<B>` (hyper, axum) and, with the feature `reqwest`, of
/// `reqwest::Request`. Below a layer that retries, each attempt is a call of its own; above it, the whole is one.
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper_util::client::legacy::Client;
/// use hyper_util::rt::TokioExecutor;
/// use tower_layer::Layer as _;
/// use tracing_genai::tap::Tap;
///
/// let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
/// let client = Tap::new().layer().layer(client);
/// ```
#[derive(Debug, Clone, Default)]
pub struct TapLayer {
    tap: Tap,
}

impl TapLayer {
    /// A layer of this tap.
    pub fn new(tap: Tap) -> Self {
        Self { tap }
    }
}

impl<S> Layer<S> for TapLayer {
    type Service = TapService<S>;

    fn layer(&self, inner: S) -> TapService<S> {
        TapService {
            inner,
            tap: self.tap.clone(),
        }
    }
}

/// Made by [`TapLayer`].
#[derive(Clone)]
pub struct TapService<S> {
    pub(super) inner: S,
    pub(super) tap: Tap,
}

impl<S> fmt::Debug for TapService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapService")
            .field("tap", &self.tap)
            .finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for TapService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: 'static,
    R: Body,
{
    type Response = Response<TapBody<R>>;
    type Error = S::Error;
    type Future = TapFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut exchange = begin(&self.tap, &mut request);
        if let Some(blocked) = exchange.as_mut().and_then(Exchange::take_blocked) {
            return TapFuture {
                sending: None,
                blocked: Some(blocked),
            };
        }
        let sending = match &exchange {
            Some(exchange) => exchange.in_scope(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        TapFuture {
            sending: Some(Sending::new(sending, exchange)),
            blocked: None,
        }
    }
}

fn begin<B: 'static>(tap: &Tap, request: &mut Request<B>) -> Option<Exchange> {
    if !tap.may_read(request.method()) || request.extensions().get::<Seen>().is_some() {
        return None;
    }
    crate::layer::enclosing::listening()?;
    let url = url(request)?;
    let body = peek::bytes(request.body(), request.extensions());
    let exchange = tap.request(request.method(), &url, request.headers(), body.as_deref())?;
    exchange.propagate(request.headers_mut());
    request.extensions_mut().insert(Seen);
    Some(exchange)
}

/// The answer to a request that was not sent.
pub(super) fn refused<B>(blocked: SecurityBlocked, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.extensions_mut().insert(blocked);
    response
}

/// The absolute URL: a request to an origin names its host in a header.
fn url<B>(request: &Request<B>) -> Option<String> {
    let uri = request.uri();
    if uri.authority().is_some() {
        return Some(uri.to_string());
    }
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    let path = uri.path_and_query()?.clone();
    let absolute = Uri::builder().scheme("http").authority(host);
    Some(absolute.path_and_query(path).build().ok()?.to_string())
}

pin_project_lite::pin_project! {
    /// Made by [`TapService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct TapFuture<F> {
        #[pin]
        sending: Option<Sending<F>>,
        // In the place of the answer, until it is given.
        blocked: Option<SecurityBlocked>,
    }
}

impl<F, R, E> Future for TapFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<TapBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(sending) = this.sending.as_pin_mut() else {
            return match this.blocked.take() {
                Some(blocked) => Poll::Ready(Ok(refused(blocked, TapBody::nothing()))),
                // It was polled again after it was ready, which no executor does.
                None => Poll::Pending,
            };
        };
        let (result, exchange) = ready!(sending.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(body::read(response, exchange)),
            Err(error) => {
                if let Some(exchange) = exchange {
                    exchange.fail(error_type::<E>());
                }
                Err(error)
            }
        })
    }
}
