//! The spans that are open, on disk: should this process die, the next one with its spool exports them as interrupted,
//! which is a failure.
//!
//! ```text
//! open   "TGOPEN1\n"  crc32 of the rest: u32  length: u64  requests of one span each, end to end
//! ```
//!
//! Requests of OTLP laid end to end are one request, so nothing is encoded twice. The file is written whole, beside the old one
//! and then in its place. Promise: a span that ends is taken out after the batch it is in has reached the spool, never before;
//! a crash between the two shows it twice, once as interrupted. A damaged file costs itself only.
//! Never: holds a span that is not sampled, or anything that was not redacted.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use opentelemetry::SpanId;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span, status::StatusCode};
use prost::Message as _;

use super::encode::{BatchEncoder, Push};
use super::outbox::Batch;
use crate::diagnostics;
use crate::record::Record;
use crate::semconv;

/// The file in a process's directory of the spool.
const NAME: &str = "open";
const MAGIC: &[u8; 8] = b"TGOPEN1\n";
const HEAD: usize = MAGIC.len() + 4 + 8;
/// How often the open spans are looked at. With a batch's 200 ms it bounds what a crash can take.
const INTERVAL: Duration = Duration::from_millis(250);
/// How often the file is touched while spans are open: how exactly the end of an interrupted span is known.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Looking costs at most this part of the thread's time, however many spans are open.
const SHARE: u32 = 20;
/// Spans in one request of interrupted ones: as many as in a batch.
const BATCH: usize = 512;

/// The file of this process.
pub(crate) struct OpenSpansFile {
    path: PathBuf,
    encoder: BatchEncoder,
    /// Each as a request of its own.
    spans: HashMap<SpanId, Bytes>,
    /// Of them, those that ended and are not in the spool yet.
    ended: Vec<SpanId>,
    stale: bool,
    due: Instant,
    written: Instant,
    looking_since: Option<Instant>,
}

impl OpenSpansFile {
    /// In the process's `directory` of the spool. `encoder` is for spans.
    pub(crate) fn new(directory: &Path, encoder: BatchEncoder) -> Self {
        let now = Instant::now();
        Self {
            path: directory.join(NAME),
            encoder,
            spans: HashMap::new(),
            ended: Vec::new(),
            stale: false,
            due: now + INTERVAL,
            written: now,
            looking_since: None,
        }
    }

    /// When the open spans are to be looked at next.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Whether it is time to look at the open spans. What is found is told by [`note`](Self::note), then
    /// [`looked`](Self::looked).
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let due = self.due <= now;
        self.looking_since = due.then_some(now);
        due
    }

    pub(crate) fn knows(&self, span: SpanId) -> bool {
        self.spans.contains_key(&span)
    }

    /// Takes in an open span, as it would be exported if it were interrupted now.
    pub(crate) fn note(&mut self, record: &Record) {
        if self.encoder.push(record) == Push::Added {
            let (request, _) = self.encoder.finish();
            self.spans.insert(record.id.span, request);
            self.stale = true;
        }
    }

    /// All open spans have been told.
    pub(crate) fn looked(&mut self) {
        if self.stale {
            self.write();
        } else if !self.spans.is_empty() && self.written.elapsed() >= HEARTBEAT {
            self.touch();
        }
        let now = Instant::now();
        let cost = self
            .looking_since
            .take()
            .map_or(Duration::ZERO, |since| now - since);
        self.due = now + INTERVAL.max(cost * SHARE);
    }

    /// The span ended; it is in a batch that is not in the spool yet.
    pub(crate) fn ended(&mut self, span: SpanId) {
        if self.knows(span) {
            self.ended.push(span);
        }
    }

    /// Everything that ended so far is in the spool, or lost.
    pub(crate) fn spooled(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        for span in self.ended.drain(..) {
            self.spans.remove(&span);
        }
        self.write();
    }

    /// No span is open any more: the process ends as it should.
    pub(crate) fn close(&mut self) {
        self.spans.clear();
        self.ended.clear();
        self.write();
    }

    fn write(&mut self) {
        self.stale = false;
        self.written = Instant::now();
        let written = if self.spans.is_empty() {
            match fs::remove_file(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                removed => removed,
            }
        } else {
            self.replace()
        };
        if let Err(error) = written {
            // The spans are exported all the same, should the process live to see their ends.
            self.stale = !self.spans.is_empty();
            diagnostics::say_once(
                "open spans",
                format_args!("open spans are not kept in the spool: {}", error.kind()),
            );
        }
    }

    fn replace(&self) -> io::Result<()> {
        let mut crc = crc32fast::Hasher::new();
        let mut length = 0;
        for request in self.spans.values() {
            crc.update(request);
            length += request.len() as u64;
        }
        let mut bytes = Vec::with_capacity(HEAD + length as usize);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&crc.finalize().to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        for request in self.spans.values() {
            bytes.extend_from_slice(request);
        }
        let beside = self.path.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&beside)?.write_all(&bytes)?;
        fs::rename(&beside, &self.path)
    }

    fn touch(&mut self) {
        self.written = Instant::now();
        // That it does not work is seen when the file is next written.
        let _ = File::options()
            .append(true)
            .open(&self.path)
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// The spans that were open when the process of this directory died, as requests, oldest process first. The file stays until
/// [`forget`] is called: what it tells is to be safe elsewhere first.
pub(crate) fn left_open(directory: &Path) -> Vec<Batch> {
    let path = directory.join(NAME);
    let Ok(bytes) = fs::read(&path) else {
        return Vec::new();
    };
    let Some(request) = read(&bytes) else {
        diagnostics::say_once(
            "open spans damaged",
            format_args!("the open spans of a process that died are not readable, and lost"),
        );
        return Vec::new();
    };
    batches(request, last_alive(directory))
}

/// Removes the file that [`left_open`] has read.
pub(crate) fn forget(directory: &Path) {
    for name in [NAME.to_owned(), format!("{NAME}.new")] {
        // If it stays, its spans are told once more by the next process.
        let _ = fs::remove_file(directory.join(name));
    }
}

/// The content of the file; `None` if it is damaged.
pub(crate) fn read(bytes: &[u8]) -> Option<ExportTraceServiceRequest> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (length, body) = rest.split_first_chunk::<8>()?;
    let whole = u64::from_le_bytes(*length) == body.len() as u64
        && u32::from_le_bytes(*crc) == crc32fast::hash(body);
    whole
        .then(|| ExportTraceServiceRequest::decode(body).ok())
        .flatten()
}

/// The last time the process was certainly there: when it last changed anything in its directory.
fn last_alive(directory: &Path) -> SystemTime {
    let mut latest = SystemTime::UNIX_EPOCH;
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if let Ok(modified) = metadata.modified() {
                latest = latest.max(modified);
            }
        }
    }
    latest
}

/// All spans share the resource of their process, and the scope.
fn batches(request: ExportTraceServiceRequest, end: SystemTime) -> Vec<Batch> {
    let end = end
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        });
    let mut frame: Option<ResourceSpans> = None;
    let mut spans: Vec<Span> = Vec::new();
    for mut resource in request.resource_spans {
        for scope in &mut resource.scope_spans {
            spans.append(&mut scope.spans);
        }
        frame.get_or_insert(resource);
    }
    for span in &mut spans {
        span.end_time_unix_nano = span.end_time_unix_nano.max(end);
        fail(span);
    }
    // Parents begin first, and are read first.
    spans.sort_by_key(|span| span.start_time_unix_nano);
    let Some(frame) = frame else {
        return Vec::new();
    };
    spans
        .chunks(BATCH)
        .map(|spans| {
            let mut resource = frame.clone();
            if let Some(scope) = resource.scope_spans.first_mut() {
                scope.spans = spans.to_vec();
            }
            let request = ExportTraceServiceRequest {
                resource_spans: vec![resource],
            };
            Batch {
                body: request.encode_to_vec().into(),
                records: spans.len() as u32,
            }
        })
        .collect()
}

/// Work that its process did not live to end has failed, unless it had said before how it would end.
fn fail(span: &mut Span) {
    let status = span.status.get_or_insert_default();
    if status.code() != StatusCode::Unset {
        return;
    }
    status.set_code(StatusCode::Error);
    status.message = "the process ended before this did".to_owned();
    if !span.attributes.iter().any(|a| a.key == semconv::ERROR_TYPE) {
        let value = any_value::Value::StringValue(semconv::error_type::PROCESS_ENDED.to_owned());
        span.attributes.push(KeyValue {
            key: semconv::ERROR_TYPE.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        });
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::Resource;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Clock;

    fn spans(n: u8) -> Vec<Record> {
        let record = |n| {
            let mut record = Record::default();
            record.id.span = SpanId::from_bytes([n; 8]);
            record.id.trace = opentelemetry::TraceId::from_bytes([n; 16]);
            record.id.sampled = true;
            record.start = u64::from(n);
            record
        };
        (1..=n).map(record).collect()
    }

    fn file(directory: &Path) -> OpenSpansFile {
        let resource = Resource::builder_empty().with_service_name("open").build();
        let clock = Clock::fixed(Duration::from_millis(1));
        OpenSpansFile::new(directory, BatchEncoder::spans(&resource, clock, 1 << 20))
    }

    fn noted(directory: &Path, n: u8) -> OpenSpansFile {
        let mut file = file(directory);
        for record in spans(n) {
            file.note(&record);
        }
        file.looked();
        file
    }

    #[test]
    fn what_is_open_is_told_once_in_one_resource_and_what_ended_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = noted(directory.path(), 3);
        let ended = SpanId::from_bytes([2; 8]);
        file.ended(ended);
        assert!(file.knows(ended), "its batch is not in the spool yet");
        file.spooled();
        let left = left_open(directory.path());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].records, 2);
        let request = ExportTraceServiceRequest::decode(left[0].body.clone()).unwrap();
        assert_eq!(request.resource_spans.len(), 1);
        let spans = &request.resource_spans[0].scope_spans[0].spans;
        let mut ids: Vec<_> = spans.iter().map(|span| span.span_id[0]).collect();
        ids.sort_unstable();
        assert_eq!(ids, [1, 3]);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let now = now.as_nanos() as u64;
        let second = 1_000_000_000;
        assert!(
            spans
                .iter()
                .all(|s| s.end_time_unix_nano.abs_diff(now) < 60 * second)
        );
        file.close();
        assert!(left_open(directory.path()).is_empty());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn many_come_in_batches() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = file(directory.path());
        for n in 0..1100_u64 {
            let mut record = spans(1).remove(0);
            record.id.span = SpanId::from_bytes((n + 1).to_be_bytes());
            file.note(&record);
        }
        file.looked();
        let records: Vec<_> = left_open(directory.path())
            .iter()
            .map(|b| b.records)
            .collect();
        assert_eq!(records, [512, 512, 76]);
        forget(directory.path());
        assert!(left_open(directory.path()).is_empty());
    }

    #[test]
    fn a_file_that_is_damaged_anywhere_tells_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let _file = noted(directory.path(), 2);
        let whole = fs::read(directory.path().join(NAME)).unwrap();
        assert!(read(&whole).is_some());
        for at in 0..whole.len() {
            assert!(read(&whole[..at]).is_none(), "cut at {at}");
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(read(&flipped).is_none(), "flipped at {at}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut file = MAGIC.to_vec();
            file.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
            file.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            file.extend_from_slice(&bytes);
            prop_assert!(read(&bytes).is_none());
            if let Some(request) = read(&file) {
                batches(request, SystemTime::now());
            }
        }
    }
}
