//! What is added to spans: hooks, prices, estimates.

use std::sync::Arc;

use super::TelemetryBuilder;
use crate::enrich::{CostModel, Enrich, ModelAliases};

impl TelemetryBuilder {
    /// Adds a hook; hooks run in the order they were added.
    pub fn enrich(mut self, hook: impl Enrich) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    /// Whether token counts that no provider told are estimated from the texts of a call, where these are known: the mean of
    /// ¾ of a word a token and 4 characters a token. Such a call carries `genai.usage.estimated`; its cost is worked out from
    /// the estimate. Default `false`: an unknown count is absent.
    pub fn estimate_tokens(mut self, on: bool) -> Self {
        self.estimate_tokens = on;
        self
    }

    /// What prices model calls. Default: the bundled table of `genai-prices` (feature `pricing`); without the feature every
    /// cost is unknown.
    pub fn prices(mut self, prices: impl CostModel + 'static) -> Self {
        self.prices = Some(Arc::new(prices));
        self
    }

    /// Names of models that stand for others when they are priced: deployments, gateways.
    pub fn model_aliases(mut self, aliases: ModelAliases) -> Self {
        self.aliases = aliases;
        self
    }
}
