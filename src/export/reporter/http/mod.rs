//! Events by HTTP: one POST with JSON for each.
//!
//! Promise: what can be wrong with an address or a key is said when it is built; the status alone decides what becomes of an
//! event; the key goes to the configured address and nowhere else.
//! Never: follows a redirect, or fails at run time because nothing was configured.

mod cylestio;
mod judge;
mod response;
mod target;
mod variables;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use self::response::Told;
use self::target::addressing;
use super::{ReportError, Reporter, ReporterConfigError};
use crate::contain::contain;
use crate::diagnostics::{QUIET, Voice};
use crate::event::Event;

pub use cylestio::cylestio;
pub(in crate::export::reporter) use judge::{Verdict, in_words, judge};
pub use response::ReportResponse;
pub use target::HttpTarget;
pub(in crate::export::reporter) use target::Sink;

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;
type Body = dyn Fn(&Event) -> Option<Value> + Send + Sync;
type Hook = dyn Fn(&ReportResponse<'_>) + Send + Sync;

/// Posts each event as JSON to a web address.
///
/// ```
/// use tracing_genai::Telemetry;
/// use tracing_genai::reporter::HttpReporter;
///
/// let reporter = HttpReporter::builder()
///     .endpoint("https://events.example/api/events")
///     .api_key("secret")
///     .build()?;
/// let telemetry = Telemetry::builder("planner").reporter(reporter).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What becomes of an event
///
/// | Answer | Meaning |
/// | --- | --- |
/// | 2xx, whatever its body is, or none | delivered |
/// | 408, 429, 5xx, no answer, no connection | tried again, not before `Retry-After` says (seconds or a date, 5 minutes at most) |
/// | all else; redirects are not followed | dropped |
///
/// # Variables
///
/// With [`from_env`](Self::from_env) or [`or_env`](HttpReporterBuilder::or_env). The first address that is set counts, with its
/// own key; an empty variable counts as absent.
///
/// | Address | Appended | Key | Posted |
/// | --- | --- | --- | --- |
/// | `SCENARIO_EVENTS_ENDPOINT` | | `LANGWATCH_API_KEY` | a scenario run's events, as [`scenario::Payloads`](crate::scenario::Payloads) makes them |
/// | `LANGWATCH_ENDPOINT` | `/api/scenario-events` | `LANGWATCH_API_KEY` | the same |
/// | `CYLESTIO_TELEMETRY_ENDPOINT` | `/v1/telemetry` | `CYLESTIO_ACCESS_KEY` | [`cylestio`]'s |
///
/// Without any address nothing is posted: that is said once on stderr, and events count as `rejected`.
pub struct HttpReporter {
    sink: Option<Sink>,
    body: Option<Arc<Body>>,
    hook: Option<Arc<Hook>>,
    told: Told,
    voice: Voice,
}

/// An [`HttpReporter`] about to be made, from [`HttpReporter::builder`].
#[derive(Clone)]
#[must_use = "nothing is posted until it is built"]
pub struct HttpReporterBuilder {
    target: HttpTarget,
    environment: Option<Arc<Lookup>>,
    body: Option<Arc<Body>>,
    hook: Option<Arc<Hook>>,
    voice: Voice,
}

impl HttpReporter {
    /// Begins one. Reads no variables unless [told to](HttpReporterBuilder::or_env).
    pub fn builder() -> HttpReporterBuilder {
        HttpReporterBuilder {
            target: HttpTarget::default(),
            environment: None,
            body: None,
            hook: None,
            voice: Voice::stderr(),
        }
    }

    /// As the variables say, see [above](Self#variables).
    ///
    /// # Errors
    /// When an address or a key is set that cannot be used. That none is set is no error.
    pub fn from_env() -> Result<Self, ReporterConfigError> {
        Self::builder().or_env().build()
    }

    /// One that posts as Cylestio Monitor does, to the address of its configuration.
    #[cfg(feature = "config")]
    pub(crate) fn cylestio_api(address: &str) -> HttpReporterBuilder {
        let mut builder = Self::builder().body(cylestio);
        let address = variables::with_path(address, cylestio::PATH);
        builder.target.set_endpoint(address, "`api.endpoint`");
        builder
    }

    fn json(&self, event: &Event) -> Result<Vec<u8>, ReportError> {
        match &self.body {
            None => serde_json::to_vec(event),
            Some(body) => serde_json::to_vec(&body(event).ok_or(ReportError::Skipped)?),
        }
        .map_err(ReportError::permanent)
    }

    /// Shows the answer to who wants it. A panic there is none of the event's.
    fn show(&self, response: &ReportResponse<'_>) {
        if let Some(hook) = &self.hook
            && self.told.is_first(response.event)
            && contain(|| hook(response)).is_none()
        {
            let line = format_args!("an `on_response` of a reporter panicked");
            self.voice.say("on_response", QUIET, line);
        }
    }
}

impl Reporter for HttpReporter {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        let Some(sink) = &self.sink else {
            let line = format_args!(
                "no endpoint is given and none of SCENARIO_EVENTS_ENDPOINT, LANGWATCH_ENDPOINT, \
                 CYLESTIO_TELEMETRY_ENDPOINT is set, so no event is posted"
            );
            self.voice.say("no reporter endpoint", QUIET, line);
            return Err(ReportError::Skipped);
        };
        let json = self.json(event)?;
        let answer = sink.post(json).await.map_err(ReportError::transient)?;
        let words = || sink.scrubbed(in_words(&answer));
        match judge(answer.status, &answer.headers, SystemTime::now()) {
            Verdict::Delivered => {
                self.show(&ReportResponse {
                    answer: &answer,
                    event,
                });
                Ok(())
            }
            Verdict::Later(Some(after)) => Err(ReportError::transient_after(after, words())),
            Verdict::Later(None) => Err(ReportError::transient(words())),
            Verdict::Never => Err(ReportError::permanent(words())),
        }
    }
}

impl fmt::Debug for HttpReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpReporter")
            .field("to", &self.sink)
            .finish_non_exhaustive()
    }
}

impl HttpReporterBuilder {
    /// Posts to this URL, used as it is.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.target.set_endpoint(url.into(), "endpoint");
        self
    }

    addressing!();

    /// Has what is left open said by the [variables](HttpReporter#variables). Where only the address is given here, the key is
    /// `LANGWATCH_API_KEY`.
    pub fn or_env(self) -> Self {
        self.or_env_of(|name| std::env::var(name).ok())
    }

    /// The same, looking variables up by `lookup` instead of in the process's environment.
    pub fn or_env_of(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Some(Arc::new(lookup));
        self
    }

    /// What is posted for an event; `None` if it is not for the receiver: it then counts as `rejected`. Default: the event's own
    /// JSON, or what the system takes that a variable names.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracing_genai::reporter::HttpReporter;
    ///
    /// let reporter = HttpReporter::builder()
    ///     .endpoint("https://hooks.example/T0/B0")
    ///     .body(|event| event.error.as_ref().map(|error| json!({ "text": format!("{}: {}", event.ty, error.kind) })))
    ///     .build()?;
    /// # Ok::<(), tracing_genai::reporter::ReporterConfigError>(())
    /// ```
    pub fn body(mut self, shape: impl Fn(&Event) -> Option<Value> + Send + Sync + 'static) -> Self {
        self.body = Some(Arc::new(shape));
        self
    }

    /// Shows `hook` the answer to the first event of each batch run (`scenario.batch_run.id`) that is delivered, and to the first
    /// of those without one: to tell a person where to watch, for instance. Runs on the queue's thread; its panics are contained.
    ///
    /// ```
    /// use tracing_genai::console::escape;
    /// use tracing_genai::reporter::HttpReporter;
    ///
    /// let reporter = HttpReporter::builder()
    ///     .endpoint("https://events.example/api/scenario-events")
    ///     .on_response(|response| {
    ///         if let Some(url) = response.json().and_then(|json| Some(json["url"].as_str()?.to_owned())) {
    ///             eprintln!("watch it at {}", escape(&url));
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), tracing_genai::reporter::ReporterConfigError>(())
    /// ```
    pub fn on_response(
        mut self,
        hook: impl Fn(&ReportResponse<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Where warnings go. For this crate's tests.
    #[doc(hidden)]
    pub fn voice(mut self, voice: Voice) -> Self {
        self.voice = voice;
        self
    }

    /// Makes the reporter. Opens no connection.
    ///
    /// # Errors
    /// When the address, the key, a header, or the certificate file cannot be used. That there is no address is no error.
    pub fn build(mut self) -> Result<HttpReporter, ReporterConfigError> {
        let named = self
            .environment
            .as_ref()
            .and_then(|lookup| variables::fill(&mut self.target, &**lookup));
        let body = self.body.or_else(|| named.map(|make| make()));
        Ok(HttpReporter {
            sink: self.target.open()?,
            body,
            hook: self.hook,
            told: Told::default(),
            voice: self.voice,
        })
    }

    fn target_mut(&mut self) -> &mut HttpTarget {
        &mut self.target
    }
}

impl fmt::Debug for HttpReporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpReporterBuilder")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
