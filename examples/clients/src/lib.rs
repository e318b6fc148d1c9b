//! What the clients here share: a model on loopback, and an installation that prints the tree of what it would export.

use std::error::Error;

use tracing_genai::testing::{Capture, capture};
use tracing_subscriber::prelude::*;

#[path = "../../support/model_server.rs"]
mod model_server;

pub type Failure = Box<dyn Error + Send + Sync>;

/// Starts a model that speaks OpenAI's chat completions, and gives its base URL: no key, no network.
pub fn start_model() -> Result<String, Failure> {
    Ok(model_server::start()?)
}

/// Installs the layer for the whole program. What it sees is printed, not exported; a program of your own says
/// `Telemetry::builder("my-agent").otlp_from_env().build()?.install()?` instead.
pub fn install() -> Capture {
    let capture = capture();
    tracing_subscriber::registry()
        .with(capture.telemetry().layer())
        .init();
    capture
}
