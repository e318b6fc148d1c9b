//! The forwarder's thread: reads on from the cursor, posts, moves the cursor, waits.
//!
//! Promise: the cursor moves only over what was confirmed, or refused for good and counted.
//! Never: drops an event because the receiver is away, or because it refuses everybody.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::super::backoff::Backoff;
use super::super::http::{Sink, Verdict, in_words, judge};
use super::super::redacted::{Redacted, clean};
use super::Shared;
use super::cursor_file::CursorFile;
use crate::diagnostics::{QUIET, Voice};
use crate::event::Event;
use crate::export::jitter::Jitter;
use crate::history::{Cursor, History};
use crate::stats::Loss;

pub(super) struct Thread {
    pub(super) history: History,
    pub(super) sink: Sink,
    pub(super) file: Option<CursorFile>,
    pub(super) cursor: Cursor,
    pub(super) interval: Duration,
    /// Events a request may have. Made smaller by receivers that take less.
    pub(super) batch: usize,
    pub(super) batch_bytes: usize,
    pub(super) voice: Voice,
    pub(super) shared: Arc<Shared>,
}

/// Why a round ended.
enum Round {
    /// Everything there is was forwarded.
    Done,
    /// It goes on later; not before this long from now, if the receiver said so.
    Failed(Option<Duration>),
    Stopped,
}

/// What became of a request.
enum Posted {
    Confirmed,
    /// It was longer than a request may be, and not sent.
    Unsent,
    /// It is too long for the receiver.
    TooLong(String),
    /// Something in it is wrong.
    Refused(String),
    /// Something else is wrong: the way, the receiver, the key.
    Failed(String, Option<Duration>),
}

impl Thread {
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let asked = self.shared.asked();
            let (wait, keep) = match self.round().await {
                Round::Stopped => return,
                Round::Done => {
                    failures = 0;
                    self.shared.answered(asked);
                    (self.interval, false)
                }
                Round::Failed(after) => {
                    failures += 1;
                    let backoff = Backoff::new().max(self.interval);
                    (
                        backoff.wait(failures, after, &mut Jitter::new()),
                        after.is_some(),
                    )
                }
            };
            self.wait(wait, keep).await;
        }
    }

    /// Waits, unless a flush or the end wants something; with `keep`, because the receiver asked for it, only for the end.
    async fn wait(&self, wait: Duration, keep: bool) {
        let until = Instant::now() + wait;
        while !self.shared.is_stopping() {
            let woken = tokio::time::timeout_at(until, self.shared.wake.notified()).await;
            if woken.is_err() || !keep {
                return;
            }
        }
    }

    async fn round(&mut self) -> Round {
        loop {
            if self.shared.is_stopping() {
                return Round::Stopped;
            }
            let page = match self.history.store().since(self.cursor, self.batch) {
                Ok(page) => page,
                Err(error) => {
                    self.say(
                        "history",
                        format_args!("the history cannot be read: {error}"),
                    );
                    return Round::Failed(None);
                }
            };
            let done = page.events.is_empty();
            let wanted = |(_, event): &(Cursor, Event)| self.history.wants(event);
            let events: Vec<_> = page.events.into_iter().filter(wanted).collect();
            match self.forward(&events).await {
                Round::Done => {
                    self.shared.missed(page.missed);
                    self.advance(page.next);
                }
                unfinished => return unfinished,
            }
            if done {
                return Round::Done;
            }
        }
    }

    /// Posts events in requests as long as the receiver takes them, in order.
    async fn forward(&mut self, events: &[(Cursor, Event)]) -> Round {
        self.shared.in_hand(events.len());
        let mut parts = VecDeque::new();
        parts.push_front(0..events.len());
        while let Some(part) = parts.pop_front().filter(|part| !part.is_empty()) {
            if self.shared.is_stopping() {
                return Round::Stopped;
            }
            let (why, words) = match self.post(&events[part.clone()]).await {
                Posted::Confirmed => {
                    self.shared.delivered(part.len());
                    self.advance(events[part.end - 1].0);
                    continue;
                }
                Posted::Failed(words, after) => {
                    let to = self.sink.shown();
                    self.say("failed", format_args!("{to}: {words}; it is tried again"));
                    return Round::Failed(after);
                }
                // More than one event, so that it is halved.
                Posted::Unsent => (Loss::TooLarge, String::new()),
                Posted::TooLong(words) => {
                    self.batch = self.batch.min(part.len().div_ceil(2));
                    (Loss::TooLarge, words)
                }
                Posted::Refused(words) => (Loss::Permanent, words),
            };
            if part.len() == 1 {
                let (cursor, event) = &events[part.start];
                self.shared.lost(why);
                self.warn(why, event, &words);
                self.advance(*cursor);
            } else {
                let (first, second) = halves(part);
                parts.push_front(second);
                parts.push_front(first);
            }
        }
        self.say_recovered();
        Round::Done
    }

    async fn post(&self, events: &[(Cursor, Event)]) -> Posted {
        let mut json = br#"{"events":["#.to_vec();
        for (at, (_, event)) in events.iter().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            if let Err(error) = serde_json::to_writer(&mut json, event) {
                return Posted::Refused(format!("it cannot be written as JSON ({error})"));
            }
            if events.len() > 1 && json.len() > self.batch_bytes {
                return Posted::Unsent;
            }
        }
        json.extend_from_slice(b"]}");
        let answer = match self.sink.post(json).await {
            Ok(answer) => answer,
            Err(words) => return Posted::Failed(words, None),
        };
        let words = self.sink.scrubbed(in_words(&answer));
        match judge(answer.status, &answer.headers, SystemTime::now()) {
            Verdict::Delivered => Posted::Confirmed,
            Verdict::Later(after) => Posted::Failed(words, after),
            Verdict::Never if answer.status == 413 => Posted::TooLong(words),
            Verdict::Never if is_about_contents(answer.status) => Posted::Refused(words),
            Verdict::Never => Posted::Failed(words, None),
        }
    }

    /// Remembers that everything up to here is settled.
    fn advance(&mut self, cursor: Cursor) {
        if cursor <= self.cursor {
            return;
        }
        self.cursor = cursor;
        self.shared.at(cursor);
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.save(cursor)) {
            let line = format_args!(
                "forwarder: the cursor cannot be written ({error}): after a restart events are posted again"
            );
            self.voice.say("forwarder cursor", QUIET, line);
        }
    }

    /// Tells a trouble that comes and goes.
    fn say(&self, topic: &str, text: std::fmt::Arguments<'_>) {
        let topic = format!("forwarder {} {topic}", self.sink.shown());
        let text = clean(&text.to_string());
        if self
            .voice
            .say(&topic, QUIET, format_args!("forwarder: {text}"))
        {
            self.shared.trouble(true);
        }
    }

    /// A trouble that was told has its end told too.
    fn say_recovered(&self) {
        if self.shared.trouble(false) {
            let line = format_args!("forwarder: {} takes events again", self.sink.shown());
            self.voice.say("forwarder recovered", Duration::ZERO, line);
        }
    }

    fn warn(&self, why: Loss, event: &Event, words: &str) {
        let topic = format!("forwarder {} {why}", self.sink.shown());
        let (words, event) = (clean(words), Redacted(event));
        let line = format_args!("forwarder: an event is skipped, {why}: {words}: {event:?}");
        self.voice.say(&topic, Duration::from_secs(60), line);
    }
}

/// Whether a refusal is about what was posted. Others are about the address, the key or the receiver, and would meet every event.
fn is_about_contents(status: u16) -> bool {
    matches!(status, 400 | 406 | 409 | 411 | 412 | 414 | 415 | 422 | 431)
}

fn halves(part: Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = part.start + part.len() / 2;
    (part.start..middle, middle..part.end)
}
