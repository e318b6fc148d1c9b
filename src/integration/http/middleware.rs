//! The tap as a middleware of `reqwest-middleware`.

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};

use super::sending::Sending;
use super::{Exchange, Tap, reqwest as adapter};

/// Before a middleware that retries, the whole is one call; after it, each attempt is. A request that the
/// [policy](crate::TelemetryBuilder::security) blocks fails with [`Error::Middleware`], which holds a
/// [`SecurityBlocked`](crate::security::SecurityBlocked).
///
/// ```
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(tracing_genai::tap::Tap::new())
///     .build();
/// ```
#[async_trait::async_trait]
impl Middleware for Tap {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let mut exchange = adapter::begin(self, &mut request);
        if let Some(blocked) = exchange.as_mut().and_then(Exchange::take_blocked) {
            return Err(Error::middleware(blocked));
        }
        let sending = match &exchange {
            Some(exchange) => exchange.in_scope(|| next.run(request, extensions)),
            None => next.run(request, extensions),
        };
        let (result, exchange) = Sending::new(sending, exchange).await;
        adapter::finish(result, exchange, |error| match error {
            Error::Reqwest(error) => adapter::error_type(error),
            Error::Middleware(_) => "reqwest_middleware::Error",
        })
    }
}
