//! Views of what is looked up and remembered: retrieval, memory.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, body, count, duration, error, float, text, value},
};
use crate::{
    event::{Body, ErrorInfo, Event, Value},
    semconv,
};

views! {
    /// Looking up documents: as the caller sees it (`query`), or one search inside (`search`).
    RetrievalView {
        /// What is searched.
        data_source_id: Option<&'e str> = text(semconv::GEN_AI_DATA_SOURCE_ID);
        /// How many documents were asked for.
        top_k: Option<f64> = float(semconv::GEN_AI_RETRIEVAL_TOP_K);
        /// Who looks.
        agent_name: Option<&'e str> = agent_name;
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What was looked for, if capturing content is switched on.
        query: Option<&'e str> = text(semconv::GEN_AI_RETRIEVAL_QUERY_TEXT);
        /// What was found, if capturing content is switched on.
        documents: Option<&'e Value> = value(semconv::GEN_AI_RETRIEVAL_DOCUMENTS);
    } {
        /// A retrieval began.
        RetrievalQueryStarted = "retrieval.query.started";
        /// A retrieval found what it could.
        RetrievalQueryCompleted = "retrieval.query.completed";
        /// A retrieval failed.
        RetrievalQueryFailed = "retrieval.query.failed";
        /// A retrieval was dropped.
        RetrievalQueryCanceled = "retrieval.query.canceled";
        /// A search began.
        RetrievalSearchStarted = "retrieval.search.started";
        /// A search found what it could.
        RetrievalSearchCompleted = "retrieval.search.completed";
        /// A search failed.
        RetrievalSearchFailed = "retrieval.search.failed";
        /// A search was dropped.
        RetrievalSearchCanceled = "retrieval.search.canceled";
    }

    /// Recalling and remembering: one store (`query`), whatever a task needs (`retrieval`), or writing (`save`).
    MemoryView {
        /// What was asked for: `search_memory`, `upsert_memory`, `delete_memory`.
        operation: Option<&'e str> = text(semconv::GEN_AI_OPERATION_NAME);
        /// The store.
        store_id: Option<&'e str> = text(semconv::GEN_AI_MEMORY_STORE_ID);
        /// The most memories asked for.
        limit: Option<u64> = count("memory.limit");
        /// How alike a memory must be.
        score_threshold: Option<f64> = float("memory.score_threshold");
        /// How many memories were found or written.
        record_count: Option<u64> = count(semconv::GEN_AI_MEMORY_RECORD_COUNT);
        /// Whose memory it is.
        agent_name: Option<&'e str> = agent_name;
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What was looked for, if capturing content is switched on.
        query: Option<&'e str> = text(semconv::GEN_AI_MEMORY_QUERY_TEXT);
        /// What was found, if capturing content is switched on.
        records: Option<&'e Value> = value(semconv::GEN_AI_MEMORY_RECORDS);
        /// What was written or recalled, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A search in memory began.
        MemoryQueryStarted = "memory.query.started";
        /// A search in memory found what it could.
        MemoryQueryCompleted = "memory.query.completed";
        /// A search in memory failed.
        MemoryQueryFailed = "memory.query.failed";
        /// A search in memory was dropped.
        MemoryQueryCanceled = "memory.query.canceled";
        /// The memories for a task are being collected.
        MemoryRetrievalStarted = "memory.retrieval.started";
        /// The memories for a task are collected.
        MemoryRetrievalCompleted = "memory.retrieval.completed";
        /// The memories for a task could not be collected.
        MemoryRetrievalFailed = "memory.retrieval.failed";
        /// The collecting was dropped.
        MemoryRetrievalCanceled = "memory.retrieval.canceled";
        /// Writing to memory began.
        MemorySaveStarted = "memory.save.started";
        /// It is written.
        MemorySaveCompleted = "memory.save.completed";
        /// It could not be written.
        MemorySaveFailed = "memory.save.failed";
        /// The writing was dropped.
        MemorySaveCanceled = "memory.save.canceled";
    }
}
