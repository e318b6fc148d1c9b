//! What a browser is told as it happens: server-sent events of state.
//!
//! Promise: the next message is made when the last one was taken, so a client that reads slowly, or never, is owed one message and no
//! more; one that comes back with an old cursor is told what changed since, or begins anew.
//! Never: queues events for a client.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use futures_core::Stream;
use opentelemetry::TraceId;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::model::Model;
use super::rows::{ModelRow, RunRow, SpanRow};
use super::serve::{KEEP_ALIVE, Page, Seat};
use super::totals::by_model;

/// The pause between two messages: what the eye takes for at once.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a client is: after this change of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) process: u64,
    pub(super) change: u64,
}

impl Place {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (process, change) = text.split_once('-')?;
        Some(Self {
            process: u64::from_str_radix(process, 16).ok()?,
            change: change.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{}", self.process, self.change)
    }
}

/// The messages for one client.
#[derive(Debug)]
pub(super) struct Messages(mpsc::Receiver<Bytes>);

impl Stream for Messages {
    type Item = Result<Bytes, std::convert::Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|event| event.map(Ok))
    }
}

/// Tells a client what changed after `place` in the list of runs, and in the run it watches.
pub(super) fn messages(seat: Seat, watched: Option<TraceId>, place: Option<Place>) -> Messages {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(tell(seat, watched, place, sender));
    Messages(receiver)
}

async fn tell(
    seat: Seat,
    watched: Option<TraceId>,
    place: Option<Place>,
    sender: mpsc::Sender<Bytes>,
) {
    let page = &*seat.0;
    let mut change = place
        .filter(|place| place.process == page.process)
        .map(|place| place.change)
        .filter(|change| {
            let model = page.model();
            *change <= model.change && model.gone(*change).is_some()
        });
    let hello = message("hello", &page.hello());
    if sender.send(hello).await.is_err() {
        return;
    }
    let reset = || message("reset", "{}");
    if place.is_some() && change.is_none() && sender.send(reset()).await.is_err() {
        return;
    }
    let mut said = Instant::now();
    let mut pause = tokio::time::interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = sender.closed() => return,
            () = page.ending() => {
                // The last of it, and the word that it is the last.
                while let Some(event) = changes(page, watched, &mut change) {
                    if sender.send(event).await.is_err() {
                        return;
                    }
                }
                let _ = sender.send(message("bye", "{}")).await;
                return;
            }
            _ = pause.tick() => {}
        }
        // First the room for it, then what is to be said by then.
        tokio::select! {
            () = page.ending() => {}
            room = sender.reserve() => {
                let Ok(room) = room else { return };
                let more = changes(page, watched, &mut change);
                let silent = said.elapsed() >= KEEP_ALIVE;
                if let Some(more) = more.or_else(|| silent.then_some(LIVES)) {
                    said = Instant::now();
                    room.send(more);
                }
            }
        }
    }
}

/// Says that the connection lives.
const LIVES: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A message, whose data is JSON and so one line.
fn message(event: &str, data: &str) -> Bytes {
    format!("event: {event}\ndata: {data}\n\n").into()
}

/// What changed since `change`, which moves on; `None` for nothing.
fn changes(page: &Page, watched: Option<TraceId>, change: &mut Option<u64>) -> Option<Bytes> {
    let model = page.model();
    if *change == Some(model.change) {
        return None;
    }
    let gone = match *change {
        // It has nothing that could be gone.
        None => Vec::new(),
        Some(since) => match model.gone(since) {
            Some(gone) => gone,
            // More was forgotten than is remembered: it begins anew with the next message.
            None => {
                *change = None;
                return Some(message("reset", "{}"));
            }
        },
    };
    let asked = Asked {
        watched,
        since: *change,
        until: model.change,
    };
    let told = page.told(asked, || {
        let place = Place {
            process: page.process,
            change: model.change,
        };
        let data = said(page, &model, asked, gone);
        format!("event: changes\nid: {place}\ndata: {data}\n\n").into()
    });
    *change = Some(model.change);
    Some(told)
}

/// What a client is told: many ask the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    watched: Option<TraceId>,
    since: Option<u64>,
    until: u64,
}

fn said(page: &Page, model: &Model, asked: Asked, gone: Vec<u64>) -> String {
    let since = asked.since.unwrap_or(0);
    let runs: Vec<RunRow<'_>> = model.changed(since).filter_map(RunRow::new).collect();
    let watched = asked.watched.and_then(|trace| model.run(trace));
    let spans = watched.map(|run| {
        let changed = run.spans.values().filter(|span| span.change > since);
        let rows = changed.map(|span| SpanRow::new(span, &model.clock));
        rows.collect()
    });
    let told = Changes {
        runs,
        spans: spans.unwrap_or_default(),
        gone,
        kept: watched.map(|run| run.spans.len()),
        models: by_model(model),
        books: json!({ "spans": model.spans, "forgotten": model.forgotten, "missed": page.missed() }),
    };
    // Nothing in it can fail to be written.
    serde_json::to_string(&told).unwrap_or_default()
}

#[derive(Serialize)]
struct Changes<'a> {
    runs: Vec<RunRow<'a>>,
    spans: Vec<SpanRow<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<usize>,
    models: Vec<ModelRow>,
    books: Json,
}
