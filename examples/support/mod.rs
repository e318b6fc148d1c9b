//! What the examples share: a client for OpenAI-compatible APIs, and a model to talk to when there is no key.
//!
//! The client is what a client is: JSON over HTTP, answers whole or as a stream of server-sent events, and the trace context
//! of the span it is called in on every request. Everything about telemetry stays in the examples themselves.

pub(crate) mod model_server;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A client of one OpenAI-compatible API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OpenAi {
    base_url: String,
    api_key: String,
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("the server answered {0}: {1}")]
    Refused(u16, String),
    #[error("no way to make the request: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("no connection: {0}")]
    Connect(#[from] hyper_util::client::legacy::Error),
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    #[error("the answer is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl OpenAi {
    /// `base_url` ends in the version, as in `https://api.openai.com/v1`.
    pub(crate) fn new(base_url: &str, api_key: &str) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key: api_key.to_owned(),
            http: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Sends a chat completion request, gives the whole answer.
    #[allow(dead_code, reason = "not every example wants it")]
    pub(crate) async fn chat(&self, body: &Value) -> Result<Value, ClientError> {
        let answer = self.post(body).await?.collect().await?;
        Ok(serde_json::from_slice(&answer.to_bytes())?)
    }

    /// The same with `"stream": true` in `body`: gives the chunks as they arrive.
    pub(crate) async fn chat_stream(
        &self,
        body: &Value,
    ) -> Result<impl Stream<Item = Result<Value, ClientError>> + use<>, ClientError> {
        Ok(server_sent_events(self.post(body).await?))
    }

    async fn post(&self, body: &Value) -> Result<Incoming, ClientError> {
        let mut request = Request::post(format!("{}/chat/completions", self.base_url))
            .header(AUTHORIZATION, format!("Bearer {}", self.api_key))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))?;
        // The span this runs in becomes the parent of whatever the server traces.
        tracing_genai::propagation::inject(request.headers_mut());
        let response = self.http.request(request).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        let error: Value = serde_json::from_slice(&body).unwrap_or_default();
        let reason = error["error"]["message"]
            .as_str()
            .unwrap_or("no reason given");
        Err(ClientError::Refused(status, reason.to_owned()))
    }
}

/// The `data:` lines of a body, parsed, up to `[DONE]`. Ends after the first error.
fn server_sent_events(body: Incoming) -> impl Stream<Item = Result<Value, ClientError>> {
    let start = (Some(body.into_data_stream()), Vec::new());
    stream::unfold(start, |(mut body, mut buffer)| async move {
        loop {
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                match line
                    .trim_ascii()
                    .strip_prefix(b"data:")
                    .map(<[u8]>::trim_ascii)
                {
                    None => {} // an empty line, a comment, another field
                    Some(b"[DONE]") => return None,
                    Some(data) => {
                        let event = serde_json::from_slice(data).map_err(ClientError::from);
                        let body = body.filter(|_| event.is_ok());
                        return Some((event, (body, buffer)));
                    }
                }
            }
            match body.as_mut()?.next().await? {
                Ok(bytes) => buffer.extend_from_slice(&bytes),
                Err(broken) => return Some((Err(broken.into()), (None, Vec::new()))),
            }
        }
    })
}
