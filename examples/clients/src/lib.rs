//! What the clients here share: a model on loopback, and an installation that prints the tree of what it would export.

use std::error::Error;
use std::time::Duration;

use tracing_genai::Telemetry;
use tracing_genai::testing::{Captured, CapturedSpan, render};

#[path = "../../support/model_server.rs"]
mod model_server;

pub type Failure = Box<dyn Error + Send + Sync>;

/// Starts a model that speaks OpenAI's chat completions, and gives its base URL: no key, no network.
pub fn start_model() -> Result<String, Failure> {
    Ok(model_server::start()?)
}

/// An installation whose spans can be shown.
pub struct Shown {
    telemetry: Telemetry,
    spans: Captured,
}

/// Installs the layer for the whole program. What it sees is shown, not sent; a program of your own says
/// `Telemetry::builder("my-agent").otlp_from_env().build()?.install()?`.
pub fn install() -> Result<Shown, Failure> {
    let spans = Captured::default();
    let telemetry = Telemetry::builder("clients")
        .span_exporter(spans.clone())
        .build()?;
    telemetry.install()?;
    Ok(Shown { telemetry, spans })
}

impl Shown {
    /// The spans that have ended.
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.telemetry.flush(Duration::from_secs(5));
        self.spans.spans()
    }

    /// The same as text.
    pub fn tree(&self) -> String {
        render(&self.spans())
    }
}
