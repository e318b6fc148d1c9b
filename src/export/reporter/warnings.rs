//! The lines a queue says about itself.
//!
//! Promise: the first loss of a kind is told at once, later ones at most once a minute with their number; no content, no secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::redacted::{Redacted, clean};
use crate::diagnostics::Voice;
use crate::event::Event;
use crate::stats::Loss;

/// How long one kind of loss stays silent. It is news for whoever looks; a line an event would hide everything else.
const QUIET: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Warnings {
    pub(super) name: &'static str,
    pub(super) voice: Voice,
    untold: Mutex<BTreeMap<Loss, u64>>,
}

impl Warnings {
    pub(super) fn new(name: &'static str, voice: Voice) -> Self {
        Self {
            name,
            voice,
            untold: Mutex::default(),
        }
    }

    /// An event was dropped by the worker, after what happened.
    pub(super) fn dropped(&self, why: Loss, event: &Event, happened: &dyn fmt::Display) {
        let happened = clean(&happened.to_string());
        self.tell(why, format_args!("{happened}: {:?}", Redacted(event)));
    }

    /// An event was not taken in.
    pub(super) fn refused(&self, why: Loss) {
        self.tell(why, format_args!("the queue takes no more"));
    }

    /// What was left at the end.
    pub(super) fn left(&self, n: u64, listened: bool) {
        let why = if listened {
            "were left when it was shut down"
        } else {
            "were published, but `listen` was never called"
        };
        let topic = format!("reporter {} left", self.name);
        self.voice.say(
            &topic,
            Duration::ZERO,
            format_args!("reporter {}: {n} events {why}; they are lost", self.name),
        );
    }

    fn tell(&self, why: Loss, about: fmt::Arguments<'_>) {
        let untold = self.take(why);
        let more = match untold {
            0 => String::new(),
            n => format!(" (and {n} more since the last such line)"),
        };
        let topic = format!("reporter {} {why}", self.name);
        let line = format_args!(
            "reporter {}: an event is dropped, {why}{more}: {about}",
            self.name
        );
        if !self.voice.say(&topic, QUIET, line) {
            self.put(why, untold + 1);
        }
    }

    fn take(&self, why: Loss) -> u64 {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.remove(&why).unwrap_or(0)
    }

    fn put(&self, why: Loss, n: u64) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        *untold.entry(why).or_default() += n;
    }
}
