//! The environment variables by which other systems are told where to post, and with which key.
//!
//! Promise: a key goes only to the address of its own system, or to one that code names. Never: reads the environment by itself.

use std::sync::Arc;

use super::Body;
use super::cylestio::cylestio;
use super::target::HttpTarget;
use crate::scenario::Payloads;

/// Makes what is posted for an event; `None` if it is not for the receiver.
pub(super) type Shape = fn() -> Arc<Body>;

/// How one system is told.
#[derive(Debug)]
pub(super) struct System {
    /// The variable with the address.
    endpoint: &'static str,
    /// What is appended to the address, unless it ends so.
    path: &'static str,
    /// The variable with the key.
    key: &'static str,
    /// What it takes.
    shape: Shape,
}

/// The first that has an address counts.
pub(super) const SYSTEMS: [System; 3] = [
    // LangWatch Scenario, Events System, "Event Reporter".
    System {
        endpoint: "SCENARIO_EVENTS_ENDPOINT",
        path: "",
        key: "LANGWATCH_API_KEY",
        shape: scenario,
    },
    // LangWatch Scenario since 2025: one variable for all of LangWatch.
    System {
        endpoint: "LANGWATCH_ENDPOINT",
        path: "/api/scenario-events",
        key: "LANGWATCH_API_KEY",
        shape: scenario,
    },
    // Cylestio Monitor since 0.1.4: `telemetry_endpoint` and `access_key` of `start_monitoring`.
    System {
        endpoint: "CYLESTIO_TELEMETRY_ENDPOINT",
        path: super::cylestio::PATH,
        key: "CYLESTIO_ACCESS_KEY",
        shape: || Arc::new(cylestio),
    },
];

/// Scenario's events, snapshots whole.
fn scenario() -> Arc<Body> {
    let payloads = Payloads::new();
    Arc::new(move |event| payloads.of(event))
}

/// Fills in what `target` leaves open; says what the receiver takes, where the environment named it.
pub(super) fn fill(
    target: &mut HttpTarget,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Option<Shape> {
    let set = |name: &str| lookup(name).filter(|text| !text.trim().is_empty());
    if target.endpoint.is_some() {
        if target.key.is_none()
            && let Some(key) = set(SYSTEMS[0].key)
        {
            target.set_key(key, SYSTEMS[0].key);
        }
        return None;
    }
    let (system, address) = SYSTEMS
        .iter()
        .find_map(|system| Some((system, set(system.endpoint)?)))?;
    target.set_endpoint(with_path(&address, system.path), system.endpoint);
    if target.key.is_none()
        && let Some(key) = set(system.key)
    {
        target.set_key(key, system.key);
    }
    Some(system.shape)
}

/// The address of a service, below its base.
pub(in super::super) fn with_path(base: &str, path: &str) -> String {
    let base = base.trim();
    if path.is_empty() || base.ends_with(path) {
        return base.to_owned();
    }
    format!("{}{path}", base.trim_end_matches('/'))
}
