//! What a call site's spans can be, decided once per call site from its static metadata.
//!
//! Promise: the answer costs a thread-local look-up after the first time.
//! Never: looks at values: what a span says of itself later wins over what its call site is known for.

use std::cell::RefCell;

use tracing::{Level, Metadata};

use crate::enrich::dialect::{Site, events};
use crate::semconv;

/// Which spans without GenAI fields count as the steps of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Steps {
    /// Every span at `INFO` or above whose target is not a known infrastructure crate (`hyper`, `h2`, `reqwest`,
    /// `tonic`, `tower`, `sqlx`, `rustls`, `tokio` …). The default.
    #[default]
    Application,
    /// The same, but only below a span that speaks GenAI.
    InsideGenAi,
    /// Spans whose target is one of these or lies below one of these (`"my_app"` takes `my_app::search` too).
    Targets(Vec<String>),
    /// Only spans with the field `genai.subject = "step"` and those of [`step`](crate::step).
    Marked,
}

/// Static facts about a call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    bits: u8,
    /// Which dialect its names are of, and which shape its spans have.
    pub(crate) site: Site,
}

/// One answer about a call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fact(u8);

impl Class {
    /// It declares a field of the conventions or of a dialect, is a span of a known client's, or is one of ours.
    pub(crate) const GENAI: Fact = Fact(1);
    /// It is the call site of one of this crate's starters.
    pub(crate) const STARTER: Fact = Fact(1 << 1);
    /// Its spans may be steps.
    pub(crate) const STEP: Fact = Fact(1 << 2);
    /// It is an event that names itself by `genai.event`.
    pub(crate) const MOMENT: Fact = Fact(1 << 3);
    /// It is an event of a client library's, whose texts may be content.
    pub(crate) const CLIENT: Fact = Fact(1 << 4);
    /// It is an event that tells facts about its span.
    pub(crate) const OF_SPAN: Fact = Fact(1 << 5);
    /// Its spans live as long as a connection does, and are no work of anybody's: they are not seen.
    pub(crate) const CONNECTION: Fact = Fact(1 << 6);

    pub(crate) fn is(self, fact: Fact) -> bool {
        self.bits & fact.0 != 0
    }

    fn with(mut self, fact: Fact, on: bool) -> Self {
        if on {
            self.bits |= fact.0;
        }
        self
    }
}

/// The target of our own call sites.
pub(crate) const OUR_TARGET: &str = "tracing_genai";

/// Crates that carry requests and are no step of anybody's agent.
const INFRASTRUCTURE: [&str; 24] = [
    "actix_http",
    "actix_web",
    "axum",
    "diesel",
    "h2",
    "hyper",
    "hyper_util",
    "lapin",
    "mio",
    "quinn",
    "rdkafka",
    "redis",
    "reqwest",
    "reqwest_middleware",
    "reqwest_tracing",
    "rmcp",
    "rustls",
    "sea_orm",
    "sqlx",
    "tokio",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
];

/// Crates whose spans live as long as a connection: `rmcp`'s `serve_inner` and `streamable_http_session`. What is done over a
/// connection has parents of its own, so a span for it would be a trace that holds nothing and, on a server, never ends.
const CONNECTIONS: [&str; 1] = ["rmcp"];

/// Call sites remembered per thread. A direct-mapped table: two call sites that share a place only cost the walk again.
const REMEMBERED: usize = 256;

thread_local! {
    static CACHE: RefCell<Vec<(u32, usize, Class)>> = const { RefCell::new(Vec::new()) };
}

/// What `meta`'s spans or events can be under `steps`, the rule of instance `instance`.
pub(crate) fn classify(meta: &'static Metadata<'static>, steps: &Steps, instance: u32) -> Class {
    let address = std::ptr::from_ref(meta).addr();
    // Metadata is word-aligned and a few hundred bytes long: the low bits say nothing.
    let place = (address >> 4) % REMEMBERED;
    let cached = CACHE.try_with(|cache| {
        let cache = cache.try_borrow().ok()?;
        cache
            .get(place)
            .filter(|(i, a, _)| *i == instance && *a == address)
            .map(|(_, _, class)| *class)
    });
    if let Ok(Some(class)) = cached {
        return class;
    }
    let class = walk(meta, steps);
    let _ = CACHE.try_with(|cache| {
        if let Ok(mut cache) = cache.try_borrow_mut() {
            if cache.is_empty() {
                cache.resize(REMEMBERED, (0, 0, class));
            }
            if let Some(entry) = cache.get_mut(place) {
                *entry = (instance, address, class);
            }
        }
    });
    class
}

fn walk(meta: &Metadata<'_>, steps: &Steps) -> Class {
    let ours = meta.target() == OUR_TARGET;
    let named = |prefix: &str| meta.fields().iter().any(|f| f.name().starts_with(prefix));
    let moment = meta.is_event() && meta.fields().field(semconv::GENAI_EVENT).is_some();
    let starter = ours && meta.is_span();
    let (mut site, hinted) = if starter {
        (Site::default(), true)
    } else {
        Site::of(meta)
    };
    if starter {
        // Its attributes are not those it declares.
        site.note_undeclared();
    }
    let genai = ours || hinted || named("gen_ai.") || named("genai.") || named("mcp.");
    Class { bits: 0, site }
        .with(Class::GENAI, genai)
        .with(Class::STARTER, starter)
        .with(Class::STEP, is_step(meta, steps))
        .with(Class::MOMENT, moment)
        .with(Class::CLIENT, events::is_clients(meta))
        .with(Class::OF_SPAN, events::tells_of_span(meta))
        .with(Class::CONNECTION, is_connection(meta))
}

/// Whether it is a span that lives as long as a connection does.
pub(crate) fn is_connection(meta: &Metadata<'_>) -> bool {
    meta.is_span()
        && CONNECTIONS
            .into_iter()
            .any(|of| is_below(meta.target(), of))
}

/// Whether `target` is this crate or module, or lies in it.
fn is_below(target: &str, of: &str) -> bool {
    let rest = target.strip_prefix(of);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_step(meta: &Metadata<'_>, steps: &Steps) -> bool {
    let below = |target: &str| is_below(meta.target(), target);
    match steps {
        Steps::Application | Steps::InsideGenAi => {
            *meta.level() <= Level::INFO && !INFRASTRUCTURE.into_iter().any(below)
        }
        Steps::Targets(targets) => targets.iter().any(|t| below(t)),
        Steps::Marked => false,
    }
}
