//! The server: the page, its assets, and what it asks for.
//!
//! Promise: reads only; an address that means nothing is a 404 with a reason; what a client asks for is answered from memory.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use opentelemetry::{SpanId, TraceId};
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use super::assets::{self, Asset};
use super::detail::{detail, search};
use super::feed::Handover;
use super::guard::guard;
use super::live::{Asked, Place, messages};
use super::model::Model;
use super::rows::{RunRow, SpanRow};

/// Clients that are told what happens, at most: more tabs than anybody has open.
pub(super) const CLIENTS: usize = 64;
/// A silent connection says that it lives, before proxies and browsers give it up.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Found spans in an answer: unless the page says, and at most.
const FOUND: usize = 200;
const MOST_FOUND: usize = 1_000;

/// What all requests share.
pub(super) struct Page {
    pub(super) service: String,
    pub(super) capture: &'static str,
    pub(super) started: u64,
    /// This process, for cursors.
    pub(super) process: u64,
    pub(super) port: u16,
    pub(super) token: Option<String>,
    pub(super) handover: Arc<Handover>,
    pub(super) model: Mutex<Model>,
    /// What was told last: clients that read as fast as each other are told the same, which is put together once.
    pub(super) last: Mutex<Option<(Asked, Bytes)>>,
    pub(super) clients: AtomicUsize,
    pub(super) end: watch::Receiver<bool>,
}

impl Page {
    /// What is known by now.
    pub(super) fn model(&self) -> MutexGuard<'_, Model> {
        let mut model = self.model.lock().unwrap_or_else(PoisonError::into_inner);
        model.take(self.handover.take());
        model
    }

    /// What `asked` is told, by `say` unless that was just said.
    pub(super) fn told(&self, asked: Asked, say: impl FnOnce() -> Bytes) -> Bytes {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = last.as_ref().filter(|(before, _)| *before == asked) {
            return text.clone();
        }
        let text = say();
        *last = Some((asked, text.clone()));
        text
    }

    pub(super) fn missed(&self) -> u64 {
        self.handover.missed()
    }

    pub(super) fn hello(&self) -> String {
        // The browser's clock may be another one.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_micros() as u64;
        json!({
            "service": self.service,
            "version": env!("CARGO_PKG_VERSION"),
            "started": self.started,
            "now": now,
            "capture": self.capture,
        })
        .to_string()
    }

    /// Resolves when the program ends.
    pub(super) async fn ending(&self) {
        let mut end = self.end.clone();
        // Who could say so is gone: that is the end too.
        let _ = end.wait_for(|end| *end).await;
    }

    /// A place among the clients, until it is dropped; `None` when all are taken.
    fn seat(self: &Arc<Self>) -> Option<Seat> {
        let taken = self.clients.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(Arc::clone(self));
        (taken < CLIENTS).then_some(seat)
    }
}

pub(super) struct Seat(pub(super) Arc<Page>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn router(page: &Arc<Page>) -> Router {
    Router::new()
        .route("/", get(async || file(assets::INDEX)))
        .route(
            "/assets/{name}",
            get(async |Path(name): Path<String>| file(&name)),
        )
        .route("/api/live", get(live))
        .route("/api/runs/{trace}", get(run))
        .route("/api/runs/{trace}/{span}", get(span))
        .route("/api/search", get(found))
        .fallback(async || nothing("there is nothing at this address"))
        .layer(from_fn_with_state(Arc::clone(page), guard))
        .with_state(Arc::clone(page))
}

fn file(name: &str) -> Response {
    match assets::find(name) {
        Some(Asset {
            content_type, text, ..
        }) => ([(header::CONTENT_TYPE, *content_type)], *text).into_response(),
        None => nothing("there is no such file"),
    }
}

async fn live(
    State(page): State<Arc<Page>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(seat) = page.seat() else {
        return failure(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open");
    };
    let query = query.unwrap_or_default();
    let watched = parameter(&query, "run").and_then(|trace| TraceId::from_hex(&trace).ok());
    // A browser that connects again by itself asks for the same address, and says where it is in a header.
    let last = headers
        .get("last-event-id")
        .and_then(|place| place.to_str().ok());
    let place = last
        .map(str::to_owned)
        .or_else(|| parameter(&query, "cursor"));
    // What is no cursor of ours is one that is too old.
    let place = place.filter(|place| !place.is_empty()).map(|place| {
        Place::parse(&place).unwrap_or(Place {
            process: !page.process,
            change: 0,
        })
    });
    let messages = Body::from_stream(messages(seat, watched, place));
    ([(header::CONTENT_TYPE, "text/event-stream")], messages).into_response()
}

async fn run(State(page): State<Arc<Page>>, Path(trace): Path<String>) -> Response {
    let model = page.model();
    let run = TraceId::from_hex(&trace)
        .ok()
        .and_then(|trace| model.run(trace));
    let Some((run, row)) = run.and_then(|run| Some((run, RunRow::new(run)?))) else {
        return nothing("there is no such run, or it was forgotten");
    };
    let spans: Vec<SpanRow<'_>> = run
        .spans
        .values()
        .map(|span| SpanRow::new(span, &model.clock))
        .collect();
    answer(&Whole { run: row, spans })
}

#[derive(Serialize)]
struct Whole<'a> {
    run: RunRow<'a>,
    spans: Vec<SpanRow<'a>>,
}

async fn span(
    State(page): State<Arc<Page>>,
    Path((trace, span)): Path<(String, String)>,
) -> Response {
    let model = page.model();
    let ids = TraceId::from_hex(&trace)
        .ok()
        .zip(SpanId::from_hex(&span).ok());
    match ids.and_then(|(trace, span)| model.run(trace)?.get(span)) {
        Some(span) => answer(&detail(span, &model.clock)),
        None => nothing("there is no such span, or it was forgotten"),
    }
}

async fn found(State(page): State<Arc<Page>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let text = parameter(&query, "q").unwrap_or_default();
    let limit = parameter(&query, "limit").and_then(|limit| limit.parse().ok());
    let model = page.model();
    let (spans, more) = search(&model, &text, limit.unwrap_or(FOUND).clamp(1, MOST_FOUND));
    answer(&Found { spans, more })
}

#[derive(Serialize)]
struct Found<'a> {
    spans: Vec<SpanRow<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

fn answer(what: &impl Serialize) -> Response {
    // Nothing in it can fail to be written.
    let text = serde_json::to_string(what).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

fn nothing(why: &str) -> Response {
    failure(StatusCode::NOT_FOUND, why)
}

fn failure(status: StatusCode, why: &str) -> Response {
    (status, answer(&json!({ "error": why }))).into_response()
}
