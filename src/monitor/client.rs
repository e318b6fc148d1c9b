//! A client of a model, monitored wherever it is called.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::guard::Guard;
use super::llm::{LlmCall, LlmError};
use super::response::LlmResponse;
use crate::security::SecurityBlocked;
use crate::span::chat;

/// What is known of a request before it is sent.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LlmRequest<'a> {
    /// `gen_ai.provider.name`; empty where it is not known.
    pub provider: Cow<'a, str>,
    /// `gen_ai.request.model`; empty where it is not known.
    pub model: Cow<'a, str>,
    /// What a guard reads, and what is kept where content is allowed.
    pub prompt: Cow<'a, str>,
}

impl<'a> LlmRequest<'a> {
    /// A request of this model of this provider, with this prompt.
    pub fn new(
        provider: impl Into<Cow<'a, str>>,
        model: impl Into<Cow<'a, str>>,
        prompt: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            provider: provider.into(),
            model: model.into(),
            prompt: prompt.into(),
        }
    }
}

impl fmt::Debug for LlmRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmRequest")
            .field("provider", &self.provider)
            .field("model", &self.model)
            .field("prompt_bytes", &self.prompt.len())
            .finish()
    }
}

/// A client that calls a model. Implement it once for the client's type: [`Monitored`] is then a client of the same trait, and
/// code that is written against it is monitored without a change.
pub trait LlmClient {
    /// What is sent.
    type Request;
    /// What comes back.
    type Response: LlmResponse;
    /// What goes wrong; a blocked prompt among it.
    type Error: fmt::Display + From<SecurityBlocked>;

    /// What is known of the request.
    fn describe<'r>(&self, request: &'r Self::Request) -> LlmRequest<'r>;

    /// Sends it.
    fn send(
        &self,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Self::Error>> + Send;
}

/// A client whose calls are recorded, and guarded if it is given a guard. It is used like the client: by the trait, or by
/// [`Deref`] for everything else the client can do.
///
/// ```
/// use serde_json::{Value, json};
/// use tracing_genai::security::SecurityBlocked;
/// use tracing_genai::monitor::{LlmClient, LlmRequest, Monitored};
///
/// struct Client;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ClientError {
///     #[error(transparent)]
///     Blocked(#[from] SecurityBlocked),
/// }
///
/// impl LlmClient for Client {
///     type Request = String;
///     type Response = Value;
///     type Error = ClientError;
///
///     fn describe<'r>(&self, prompt: &'r String) -> LlmRequest<'r> {
///         LlmRequest::new("openai", "gpt-4o", prompt)
///     }
///
///     async fn send(&self, _prompt: String) -> Result<Value, ClientError> {
///         Ok(json!({ "usage": { "prompt_tokens": 9, "completion_tokens": 3 } }))
///     }
/// }
///
/// async fn answer(client: &impl LlmClient<Request = String, Response = Value, Error = ClientError>) -> Result<Value, ClientError> {
///     client.send("Hello, AI!".to_owned()).await
/// }
///
/// # async fn example() -> Result<(), ClientError> {
/// answer(&Client).await?;
/// answer(&Monitored::new(Client)).await?; // a span, its events, its cost
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Monitored<C> {
    client: C,
    guard: Option<Arc<dyn Guard>>,
}

impl<C> Monitored<C> {
    /// Monitors `client`.
    pub fn new(client: C) -> Self {
        Self {
            client,
            guard: None,
        }
    }

    /// Has `guard` judge every prompt and answer; see [`Starter::guard`](crate::Starter::guard).
    #[must_use]
    pub fn guard(mut self, guard: impl Guard + 'static) -> Self {
        self.guard = Some(Arc::new(guard));
        self
    }

    /// The client itself.
    pub fn into_inner(self) -> C {
        self.client
    }
}

impl<C> Deref for Monitored<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}

impl<C: fmt::Debug> fmt::Debug for Monitored<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitored")
            .field("client", &self.client)
            .field("guarded", &self.guard.is_some())
            .finish()
    }
}

impl<C> LlmClient for Monitored<C>
where
    C: LlmClient + Sync,
    C::Request: Send + Sync,
    C::Response: Send,
    C::Error: Send,
{
    type Request = C::Request;
    type Response = C::Response;
    type Error = C::Error;

    fn describe<'r>(&self, request: &'r C::Request) -> LlmRequest<'r> {
        self.client.describe(request)
    }

    async fn send(&self, request: C::Request) -> Result<C::Response, C::Error> {
        let (starter, prompt) = {
            let known = self.client.describe(&request);
            (
                chat(&known.provider, &known.model),
                known.prompt.into_owned(),
            )
        };
        let call = match &self.guard {
            Some(guard) => starter.guard(&**guard),
            None => LlmCall::from(starter),
        };
        let answer = call.call_async(&prompt, |_| self.client.send(request));
        answer.await.map_err(|error| match error {
            LlmError::Blocked(blocked) => blocked.into(),
            LlmError::Call(error) => error,
        })
    }
}
