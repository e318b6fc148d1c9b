//! The tap for `reqwest`.
//!
//! `reqwest` has no hook for requests, so a request is sent through the tap, and its answer made anew around the body that is
//! read: status, headers, version, URL, extensions and size as they were.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, header};
use reqwest::{Client, Request, RequestBuilder, Response, ResponseBuilderExt as _, Result};
use tower_service::Service;

use super::sending::Sending;
use super::{Exchange, Tap, TapBody, TapService};
use crate::security::SecurityBlocked;

impl Tap {
    /// Sends a request by `client`, as [`Client::execute`], and reads the call. One that the
    /// [policy](crate::TelemetryBuilder::security) blocks is not sent, and answered with `403`, an error as JSON, and
    /// [`SecurityBlocked`] among the extensions. The span of the call is taken or opened here,
    /// not at the first poll.
    ///
    /// ```no_run
    /// # async fn example(client: reqwest::Client, request: reqwest::Request) -> reqwest::Result<()> {
    /// let tap = tracing_genai::tap::Tap::new();
    /// let answer = tap.send(&client, request).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Client::execute`], untouched.
    pub fn send(
        &self,
        client: &Client,
        mut request: Request,
    ) -> impl Future<Output = Result<Response>> + Send + 'static + use<> {
        let mut exchange = begin(self, &mut request);
        let blocked = exchange.as_mut().and_then(Exchange::take_blocked);
        let sending = blocked.is_none().then(|| {
            let sending = match &exchange {
                Some(exchange) => exchange.in_scope(|| client.execute(request)),
                None => client.execute(request),
            };
            Sending::new(sending, exchange)
        });
        async move {
            match (sending, blocked) {
                (Some(sending), None) => {
                    let (result, exchange) = sending.await;
                    finish(result, exchange, error_type)
                }
                (_, blocked) => Ok(refused(blocked)),
            }
        }
    }
}

/// Adds `send_tapped` to every `reqwest` request.
pub trait RequestBuilderExt: Sized {
    /// Sends the request as `send` does, and reads the call.
    ///
    /// # Errors
    /// Those of [`RequestBuilder::send`], untouched.
    fn send_tapped(
        self,
        tap: &Tap,
    ) -> impl Future<Output = Result<Response>> + Send + 'static + use<Self>;
}

impl RequestBuilderExt for RequestBuilder {
    fn send_tapped(
        self,
        tap: &Tap,
    ) -> impl Future<Output = Result<Response>> + Send + 'static + use<> {
        let (client, request) = self.build_split();
        let sending = request.map(|request| tap.send(&client, request));
        async move { sending?.await }
    }
}

impl<S> Service<Request> for TapService<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = std::result::Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut exchange = begin(&self.tap, &mut request);
        if let Some(blocked) = exchange.as_mut().and_then(Exchange::take_blocked) {
            return Box::pin(async move { Ok(refused(Some(blocked))) });
        }
        let sending = match &exchange {
            Some(exchange) => exchange.in_scope(|| self.inner.call(request)),
            None => self.inner.call(request),
        };
        let sending = Sending::new(sending, exchange);
        Box::pin(async move {
            let (result, exchange) = sending.await;
            finish(result, exchange, |_| {
                super::sending::error_type::<S::Error>()
            })
        })
    }
}

/// The answer to a request that was not sent, with a body as providers' errors have it.
fn refused(blocked: Option<SecurityBlocked>) -> Response {
    let Some(blocked) = blocked else {
        return http::Response::new("").into();
    };
    let body = serde_json::json!({"error": {
        "type": "security_blocked",
        "code": "security_blocked",
        "message": blocked.to_string(),
    }});
    let mut response = super::service::refused(blocked, body.to_string());
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response.into()
}

/// Begins to read the call that `request` is.
pub(super) fn begin(tap: &Tap, request: &mut Request) -> Option<Exchange> {
    let body = request.body().and_then(reqwest::Body::as_bytes);
    let exchange = tap.request(
        request.method(),
        request.url().as_str(),
        request.headers(),
        body,
    )?;
    exchange.propagate(request.headers_mut());
    Some(exchange)
}

/// What became of the request.
pub(super) fn finish<E>(
    result: std::result::Result<Response, E>,
    exchange: Option<Exchange>,
    error_type: impl FnOnce(&E) -> &'static str,
) -> std::result::Result<Response, E> {
    match (result, exchange) {
        (Ok(response), Some(exchange)) => Ok(read(response, exchange)),
        (Err(error), Some(exchange)) => {
            exchange.fail(error_type(&error));
            Err(error)
        }
        (result, None) => result,
    }
}

fn read(response: Response, mut exchange: Exchange) -> Response {
    exchange.response(response.status(), response.headers());
    let url = response.url().clone();
    let (mut parts, body) = http::Response::from(response).into_parts();
    // The URL is an extension that only a builder can make.
    if let Ok(url) = http::Response::builder().url(url).body(()) {
        parts.extensions.extend(url.into_parts().0.extensions);
    }
    let body = TapBody::new(body, Some(exchange)).naming_errors(error_type);
    let body = reqwest::Body::wrap(body);
    http::Response::from_parts(parts, body).into()
}

/// The kind of an error. Its text is not for records: it quotes the URL, where some APIs have their key.
pub(super) fn error_type(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else {
        "reqwest::Error"
    }
}
