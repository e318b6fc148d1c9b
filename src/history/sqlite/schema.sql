-- One row per agent that ever spoke, by id and name; `agent_id` is the name where an agent has no id.
CREATE TABLE agents (
    id         INTEGER PRIMARY KEY,
    agent_id   TEXT NOT NULL,
    name       TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    last_seen  TEXT NOT NULL,
    UNIQUE (agent_id, name)
);
CREATE INDEX idx_agents_name ON agents (name) WHERE name <> '';

-- One row per event. `id` is the cursor: ascending in the order of commits, never used twice. `data` is the whole event;
-- the other columns repeat what is asked for. Times are RFC 3339 in UTC with nine digits, so that they sort as text.
CREATE TABLE events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id        TEXT NOT NULL UNIQUE,
    agent_id        INTEGER REFERENCES agents (id),
    event_type      TEXT NOT NULL,
    flavor          TEXT,
    channel         TEXT NOT NULL,
    level           TEXT NOT NULL,
    severity        INTEGER NOT NULL,
    timestamp       TEXT NOT NULL,
    trace_id        TEXT,
    span_id         TEXT,
    session_id      TEXT,
    conversation_id TEXT,
    user_id         TEXT,
    data            TEXT NOT NULL
);
-- Each ends with the time (and, as every index, with `id`), so that "the newest of" reads its first entries and stops.
CREATE INDEX idx_events_agent_id ON events (agent_id, timestamp);
CREATE INDEX idx_events_agent_type ON events (agent_id, event_type, timestamp);
CREATE INDEX idx_events_event_type ON events (event_type, timestamp);
CREATE INDEX idx_events_channel ON events (channel, timestamp);
CREATE INDEX idx_events_level ON events (level, timestamp);
CREATE INDEX idx_events_timestamp ON events (timestamp);
CREATE INDEX idx_events_serious ON events (timestamp) WHERE severity >= 13;
CREATE INDEX idx_events_trace_id ON events (trace_id) WHERE trace_id IS NOT NULL;
CREATE INDEX idx_events_session_id ON events (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX idx_events_conversation_id ON events (conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX idx_events_user_id ON events (user_id) WHERE user_id IS NOT NULL;

-- The highest `id` that retention deleted: readers with a cursor before it learn that they missed something.
CREATE TABLE state (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('dropped', 0);
