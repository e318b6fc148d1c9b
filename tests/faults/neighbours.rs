//! F21: what other layers of the stack print is the same with and without us, byte for byte.
//!
//! With one exception, which `layer` holds: where a question about another call site makes `tracing-subscriber` lose a line to a
//! stale filter (tokio-rs/tracing#2519), it is not lost with us.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::{debug, error, info, info_span, instrument, trace, warn};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::otlp::Protocol;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::support::books::{Acks, settle};
use crate::support::collector::Collector;
use crate::support::waiting::alone;
use crate::{SOON, builder, to};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[instrument(err)]
fn fails(n: u64) -> Result<(), io::Error> {
    debug!(n, "about to");
    Err(io::Error::other("in the work"))
}

/// The same call sites every time, of every level, in and outside of spans.
fn work() {
    trace!("quiet");
    debug!(target: "library", "quiet for most");
    let outer = info_span!("outer", x = 1, late = tracing::field::Empty);
    outer.in_scope(|| {
        info!(answer = 42, "inside");
        warn!(target: "library", text = "a\nb", "warned");
        let _ = fails(3);
        info_span!(target: "library", "inner").in_scope(|| error!("deep"));
    });
    outer.record("late", "recorded");
    drop(outer);
    info!(genai.event = "order.placed", order = 7);
}

type Handle = reload::Handle<EnvFilter, Registry>;

/// What a formatting layer prints when it is set up like this.
fn printed(setup: &str, ours_first: bool, with_us: bool) -> String {
    let buffer = Buffer::default();
    // Each stack has its own types, and so have the layers in it.
    macro_rules! fmt {
        () => {{
            let writer = buffer.clone();
            tracing_subscriber::fmt::layer()
                .without_time()
                .with_ansi(false)
                .with_writer(move || writer.clone())
        }};
    }
    let collector = Collector::start();
    let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
        .build()
        .unwrap();
    macro_rules! stack {
        ($below:expr, $neighbour:expr) => {
            $below
                .with((with_us && ours_first).then(|| telemetry.layer()))
                .with($neighbour)
                .with((with_us && !ours_first).then(|| telemetry.layer()))
                .into()
        };
    }
    let mut handle: Option<Handle> = None;
    let registry = Registry::default;
    let library = || Targets::new().with_target("library", LevelFilter::TRACE);
    let spans = FmtSpan::NEW | FmtSpan::ENTER | FmtSpan::EXIT;
    let own = || EnvFilter::new("info,library=debug,[outer]=trace");
    let dispatch: tracing::Dispatch = match setup {
        "everything" => stack!(registry(), fmt!()),
        "spans too" => stack!(registry(), fmt!().with_span_events(spans)),
        "compact" => stack!(registry(), fmt!().compact()),
        "a level" => stack!(registry(), fmt!().with_filter(LevelFilter::WARN)),
        "targets" => stack!(registry(), fmt!().with_filter(library())),
        "an EnvFilter of its own" => stack!(registry(), fmt!().with_filter(own())),
        "an EnvFilter for all" => {
            stack!(
                registry().with(EnvFilter::new("debug,library=warn")),
                fmt!()
            )
        }
        "an EnvFilter that is reloaded" => {
            let (filter, told) = reload::Layer::new(EnvFilter::new("warn"));
            handle = Some(told);
            stack!(registry().with(filter), fmt!())
        }
        other => panic!("{other}"),
    };
    tracing::dispatcher::with_default(&dispatch, || {
        work();
        if let Some(handle) = handle {
            for filter in ["trace", "error", "info,library=off"] {
                handle.reload(filter).unwrap();
                info!("now {filter}");
                work();
            }
        }
    });
    settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    let bytes = buffer.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn f21_what_neighbours_print_is_byte_for_byte_the_same_with_and_without_us() {
    for setup in [
        "everything",
        "spans too",
        "compact",
        "a level",
        "targets",
        "an EnvFilter of its own",
        "an EnvFilter for all",
        "an EnvFilter that is reloaded",
    ] {
        let alone = printed(setup, true, false);
        assert!(
            alone.contains("deep") || setup == "targets",
            "{setup}: {alone}"
        );
        for ours_first in [true, false] {
            let beside = printed(setup, ours_first, true);
            assert_eq!(beside, alone, "{setup}, ours first: {ours_first}");
        }
    }
}

/// What both a hook and the application call.
fn shared(from: &str) {
    info!(from, "heard");
    info_span!("shared").in_scope(|| warn!(from, "heard inside"));
}

struct CallsShared;

impl Enrich for CallsShared {
    fn after_span(&self, _: &mut SpanMut<'_>) {
        shared("the hook");
    }
}

#[test]
fn f21_a_call_site_that_our_thread_comes_to_first_is_not_switched_off_for_the_application() {
    let test = "neighbours::f21_a_call_site_that_our_thread_comes_to_first_is_not_switched_off_for_the_application";
    alone(test, || {
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
            .enrich(CallsShared)
            .build()
            .unwrap();
        let buffer = Buffer::default();
        let writer = buffer.clone();
        // One subscriber in the process, as most have it.
        Registry::default()
            .with(telemetry.layer())
            .with(
                tracing_subscriber::fmt::layer()
                    .with_ansi(false)
                    .with_writer(move || writer.clone()),
            )
            .init();
        info_span!("work").in_scope(|| {});
        assert!(telemetry.flush(SOON).is_complete());
        shared("the application");
        let bytes = buffer.0.lock().unwrap().clone();
        let printed = String::from_utf8(bytes).unwrap();
        assert_eq!(printed.matches("heard").count(), 2, "{printed}");
        assert!(!printed.contains("the hook"), "{printed}");
        settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
        assert_eq!(collector.spans().len(), 2);
    });
}
