//! The filter the layer carries: level and quiet threads, per layer, so that neighbours see what they always saw.
//!
//! Promise: never answers `Interest::always` (a cached `always` makes `tracing-subscriber` read a stale bitmap and lose
//! spans) nor `never`, keeps a level hint so that disabled levels stay free, and never disables anything for others.

use std::sync::Arc;

use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing_subscriber::layer::{Context, Filter};

use super::entered;
use super::instance::Instance;

/// Per-layer filter of [`GenAiLayer`](super::GenAiLayer). Comes with [`Telemetry::layer`](crate::Telemetry::layer).
#[derive(Debug, Clone)]
pub struct GenAiFilter {
    instance: Arc<Instance>,
}

impl GenAiFilter {
    pub(crate) fn new(instance: Arc<Instance>) -> Self {
        Self { instance }
    }
}

impl<S> Filter<S> for GenAiFilter {
    fn enabled(&self, meta: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        *meta.level() <= self.instance.switch.seen() && !entered::is_quiet()
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.instance.switch.seen())
    }
}
