//! Where in a run an event happened: the names of the workflow, agent and steps around it.
//!
//! Promise: bounded. Past the bound, and below spans that have no events, an event's own facts are what is known.

use std::collections::HashMap;
use std::sync::Arc;

use crate::event::{Event, Phase, SpanId, Subject, Value};
use crate::semconv;

/// Spans remembered while they are open: far more than a run has open at once, so a guard and no working limit.
const MOST: usize = 10_000;

/// The paths of the open spans of one run.
#[derive(Debug, Default)]
pub(super) struct Namespaces(HashMap<SpanId, Vec<Arc<str>>>);

impl Namespaces {
    /// The path of `event`, which is the next of its run.
    pub(super) fn of(&mut self, event: &Event) -> Vec<Arc<str>> {
        let cx = &event.cx;
        match event.phase {
            Phase::Started => {
                let path = match (self.0.get(&cx.parent_span), own_name(event)) {
                    (Some(around), own) => around.iter().cloned().chain(own).collect(),
                    (None, _) => alone(event),
                };
                if self.0.len() < MOST {
                    self.0.insert(cx.span, path.clone());
                }
                path
            }
            Phase::Moment(_) => self.known(event),
            _ => {
                let path = self.known(event);
                self.0.remove(&cx.span);
                path
            }
        }
    }

    fn known(&self, event: &Event) -> Vec<Arc<str>> {
        let cx = &event.cx;
        let known = self.0.get(&cx.span).or_else(|| self.0.get(&cx.parent_span));
        known.cloned().unwrap_or_else(|| alone(event))
    }
}

/// What an event knows by itself.
pub(super) fn alone(event: &Event) -> Vec<Arc<str>> {
    let who = &event.who;
    [
        workflow(event),
        who.agent_name.clone(),
        who.step_name.clone(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn workflow(event: &Event) -> Option<Arc<str>> {
    let name = event
        .attr(semconv::GEN_AI_WORKFLOW_NAME)
        .and_then(Value::as_str)?;
    Some(name.into())
}

/// The name under which others happen in what `event` is about.
fn own_name(event: &Event) -> Option<Arc<str>> {
    match event.ty.subject() {
        Subject::WORKFLOW => workflow(event),
        Subject::AGENT_EXECUTION => event.who.agent_name.clone(),
        Subject::STEP => event.who.step_name.clone(),
        _ => None,
    }
}
