//! The question, put together word by word.
//!
//! Promise: narrowing reads nothing and changes nothing; each view stands for itself.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{AgentStats, By, EventStore, Query, Stats, StoreError};
use crate::event::{Channel, Event, Level, ParseEventTypeError, Pattern, TraceId};

/// The stored events, or a part of them: every filter gives a narrower view, and nothing is read before one of
/// [`fetch`](Self::fetch), [`count`](Self::count), [`stats`](Self::stats), [`agents`](Self::agents),
/// [`distribution`](Self::distribution) or [`erase`](Self::erase) asks.
///
/// Filters of different kinds must all hold. Of the same kind the last one counts, but for event types, where any may hold.
/// Without [`limit`](Self::limit) a fetch returns everything, newest first: on a large store, say how much you want.
///
/// Asking blocks the thread for as long as the store takes: microseconds in memory; a disk read or more in a database, which
/// async code hands to `spawn_blocking`. Cloning is cheap.
///
/// ```
/// use std::time::SystemTime;
/// use tracing_genai::event::{EventData, EventType, Level};
/// use tracing_genai::history::{By, EventStore, History, MemoryStore};
///
/// let store = MemoryStore::new();
/// let mut data = EventData::new(EventType::parse("llm.call.failed")?, SystemTime::now());
/// data.who.agent_id = Some("my-agent".into());
/// data.attrs.set("gen_ai.request.model", "gpt-4o");
/// store.append(&[data.into()])?;
///
/// let history = History::new(store);
/// let failures = history.agent("my-agent").event_type("*.failed")?.last_hours(24);
/// assert_eq!(failures.limit(50).fetch()?.len(), 1);
/// assert_eq!(failures.min_level(Level::Warn).search("GPT-4").count()?, 1);
/// assert_eq!(history.distribution(By::Channel)?, [("LLM".to_owned(), 1)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct History {
    store: Arc<dyn EventStore>,
    pub(super) query: Query,
}

impl History {
    /// All events of a store.
    pub fn new(store: impl EventStore + 'static) -> Self {
        Self::from(Arc::new(store) as Arc<dyn EventStore>)
    }

    /// The store, for what is no question: [`append`](EventStore::append), [`since`](EventStore::since).
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Whether an event is one of those this view is of.
    #[cfg(feature = "otlp")]
    pub(crate) fn wants(&self, event: &Event) -> bool {
        self.query.matches(event)
    }

    /// Only events of this agent, by its id or its name.
    #[must_use = "a narrower view is returned"]
    pub fn agent(&self, agent: impl Into<Arc<str>>) -> Self {
        self.narrow(|query| query.agent = Some(agent.into()))
    }

    /// Only events of this type, or of another one named before: a type (`llm.call.completed`), a pattern (`llm.*`,
    /// `*.failed`), or a seed system's name for one (`LLM_call_start`, `crew_kickoff_started`). See [`Pattern`].
    ///
    /// # Errors
    /// When it is none of these.
    pub fn event_type(&self, ty: &str) -> Result<Self, ParseEventTypeError> {
        Pattern::parse(ty).map(|pattern| self.pattern(pattern))
    }

    /// Only events whose type matches, or matches another pattern named before.
    #[must_use = "a narrower view is returned"]
    pub fn pattern(&self, pattern: Pattern) -> Self {
        self.narrow(|query| query.types.push(pattern))
    }

    /// Only events on this channel.
    #[must_use = "a narrower view is returned"]
    pub fn channel(&self, channel: impl Into<Channel>) -> Self {
        self.narrow(|query| query.channel = Some(channel.into()))
    }

    /// Only events of exactly this level; [`min_level`](Self::min_level) includes what is more serious.
    #[must_use = "a narrower view is returned"]
    pub fn level(&self, level: Level) -> Self {
        self.narrow(|query| query.level = Some(level))
    }

    /// Only events of this level and above.
    #[must_use = "a narrower view is returned"]
    pub fn min_level(&self, level: Level) -> Self {
        self.narrow(|query| query.min_level = Some(level))
    }

    /// Only events of this trace.
    #[must_use = "a narrower view is returned"]
    pub fn trace(&self, trace: TraceId) -> Self {
        self.narrow(|query| query.trace = Some(trace))
    }

    /// Only events of this session.
    #[must_use = "a narrower view is returned"]
    pub fn session(&self, session: impl Into<Arc<str>>) -> Self {
        self.narrow(|query| query.session = Some(session.into()))
    }

    /// Only events of this conversation.
    #[must_use = "a narrower view is returned"]
    pub fn conversation(&self, conversation: impl Into<Arc<str>>) -> Self {
        self.narrow(|query| query.conversation = Some(conversation.into()))
    }

    /// Only events with this user in their attribute `user.id`.
    #[must_use = "a narrower view is returned"]
    pub fn user(&self, user: impl Into<Arc<str>>) -> Self {
        self.narrow(|query| query.user = Some(user.into()))
    }

    /// Only what happened at this time or after it.
    #[must_use = "a narrower view is returned"]
    pub fn since(&self, time: SystemTime) -> Self {
        self.narrow(|query| query.since = Some(time))
    }

    /// Only what happened before this time.
    #[must_use = "a narrower view is returned"]
    pub fn before(&self, time: SystemTime) -> Self {
        self.narrow(|query| query.before = Some(time))
    }

    /// Only what happened from `start` on and before `end`.
    #[must_use = "a narrower view is returned"]
    pub fn between(&self, start: SystemTime, end: SystemTime) -> Self {
        self.since(start).before(end)
    }

    /// Only what happened in this time up to now, and after: the beginning is fixed when this is called.
    #[must_use = "a narrower view is returned"]
    pub fn last(&self, time: Duration) -> Self {
        // Further back than the clock can say is everything.
        self.narrow(|query| query.since = SystemTime::now().checked_sub(time))
    }

    /// [`last`](Self::last) so many hours.
    #[must_use = "a narrower view is returned"]
    pub fn last_hours(&self, hours: u32) -> Self {
        self.last(Duration::from_secs(3600) * hours)
    }

    /// [`last`](Self::last) so many days of 24 hours.
    #[must_use = "a narrower view is returned"]
    pub fn last_days(&self, days: u32) -> Self {
        self.last(DAY * days)
    }

    /// Only events that mention `text`, ASCII letters in any case: in their type, name, error, agent, step, session,
    /// conversation or correlation, or in any value of attributes and body. Keys are not searched.
    ///
    /// Reads every event the other filters leave: narrow by time or type first on a large store.
    #[must_use = "a narrower view is returned"]
    pub fn search(&self, text: impl Into<Arc<str>>) -> Self {
        self.narrow(|query| query.search = Some(text.into()))
    }

    /// At most so many events. Concerns [`fetch`](Self::fetch) and [`erase`](Self::erase) only.
    #[must_use = "a narrower view is returned"]
    pub fn limit(&self, events: usize) -> Self {
        self.narrow(|query| query.limit = Some(events))
    }

    /// Passes over the first so many. Concerns [`fetch`](Self::fetch) and [`erase`](Self::erase) only.
    #[must_use = "a narrower view is returned"]
    pub fn offset(&self, events: usize) -> Self {
        self.narrow(|query| query.offset = events)
    }

    /// The oldest first, instead of the newest. Events of the same time are in the order in which they were stored.
    #[must_use = "a narrower view is returned"]
    pub fn oldest_first(&self) -> Self {
        self.narrow(|query| query.oldest_first = true)
    }

    /// The events.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn fetch(&self) -> Result<Vec<Event>, StoreError> {
        self.store.find(&self.query)
    }

    /// How many there are, limit and offset aside.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        self.store.count(&self.query)
    }

    /// How many there are and when the first and the last happened, limit and offset aside.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stats(&self) -> Result<Stats, StoreError> {
        self.store.stats(&self.query)
    }

    /// The same per agent, the most recently seen first, limit and offset aside.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn agents(&self) -> Result<Vec<AgentStats>, StoreError> {
        self.store.agents(&self.query)
    }

    /// How many there are for each type, channel, level or agent, the most frequent first, limit and offset aside. The
    /// counts add up to [`count`](Self::count).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn distribution(&self, by: By) -> Result<Vec<(String, u64)>, StoreError> {
        self.store.distribution(&self.query, by)
    }

    /// Deletes them for good, exactly what [`fetch`](Self::fetch) would return, and says how many: all events of an agent,
    /// a session or a user. Without any filter, everything.
    ///
    /// # Errors
    /// When not all could be deleted; some may be gone. Asking again goes on.
    pub fn erase(&self) -> Result<u64, StoreError> {
        self.store.delete(&self.query)
    }

    fn narrow(&self, change: impl FnOnce(&mut Query)) -> Self {
        let mut narrower = self.clone();
        change(&mut narrower.query);
        narrower
    }
}

pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// All events of a store.
impl<S: EventStore + 'static> From<S> for History {
    fn from(store: S) -> Self {
        Self::new(store)
    }
}

impl From<Arc<dyn EventStore>> for History {
    fn from(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            query: Query::default(),
        }
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}
