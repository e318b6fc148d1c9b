//! Records that are rendered and not yet written.
//!
//! Promise: a record is in here whole or not at all, and when writing stops half-way, how many whole ones got out is known.
//! Never: keeps a buffer the size of the largest event it ever saw.

use std::error::Error;
use std::io::{self, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Render;
use crate::event::Event;
use crate::outlet::WriteError;

/// Rendered bytes that are written at once: a system call for some hundred events, little enough to hold on to.
const CHUNK: usize = 256 * 1024;
/// A buffer that had to grow past this is given back: one huge event must not cost memory for ever.
const KEEP: usize = 4 * CHUNK;

/// Why an event was not rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("the renderer failed")]
    Failed,
    #[error("the renderer panicked")]
    Panicked,
}

#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: String,
    /// Where each record ends in `text`.
    ends: Vec<usize>,
}

/// How far writing came.
#[derive(Debug)]
pub(crate) struct Put {
    /// Records that are out, whole.
    pub(crate) records: usize,
    /// Their bytes.
    pub(crate) bytes: usize,
    /// Whether a part of the next one is out too.
    pub(crate) torn: bool,
    pub(crate) result: io::Result<()>,
}

impl Batch {
    /// Writes `events`, rendered, by `put`: called with some of them at a time, it says how many it wrote.
    pub(crate) fn write<R: Render>(
        &mut self,
        events: &[Event],
        render: &R,
        mut put: impl FnMut(&Self) -> (usize, io::Result<()>),
    ) -> Result<(), WriteError> {
        let mut written = 0;
        let mut error: Option<Box<dyn Error + Send + Sync>> = None;
        // Whatever a panic may have left behind.
        self.clear();
        for (at, event) in events.iter().enumerate() {
            match self.push(render, event) {
                Ok(true) => {}
                Ok(false) => written += 1,
                Err(failed) => {
                    error.get_or_insert_with(|| failed.into());
                }
            }
            let last = at + 1 == events.len();
            if self.records() > 0 && (last || self.text.len() >= CHUNK) {
                let (records, result) = put(self);
                written += records;
                if let Err(failed) = result {
                    error.get_or_insert_with(|| failed.into());
                }
                self.clear();
            }
        }
        match error {
            None => Ok(()),
            Some(error) => Err(WriteError::after(written, error)),
        }
    }

    /// Renders one more record; false if the renderer leaves the event out.
    fn push<R: Render>(&mut self, render: &R, event: &Event) -> Result<bool, RenderError> {
        let start = self.text.len();
        let text = &mut self.text;
        let failure = match catch_unwind(AssertUnwindSafe(|| render.render(event, text))) {
            Ok(Ok(())) if self.text.len() == start => return Ok(false),
            Ok(Ok(())) => {
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
                self.ends.push(self.text.len());
                return Ok(true);
            }
            Ok(Err(_)) => RenderError::Failed,
            Err(payload) => {
                // Dropping the payload could panic again.
                std::mem::forget(payload);
                RenderError::Panicked
            }
        };
        self.text.truncate(start);
        Err(failure)
    }

    pub(crate) fn records(&self) -> usize {
        self.ends.len()
    }

    fn start(&self, record: usize) -> usize {
        record.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// How many records from `first` on fit into `room` bytes.
    pub(crate) fn fitting(&self, first: usize, room: u64) -> usize {
        let start = self.start(first);
        self.ends[first..].partition_point(|end| (end - start) as u64 <= room)
    }

    /// Writes these records.
    pub(crate) fn put(&self, records: Range<usize>, out: &mut (impl Write + ?Sized)) -> Put {
        let start = self.start(records.start);
        let mut rest = &self.text.as_bytes()[start..self.start(records.end)];
        let all = rest.len();
        let result = loop {
            if rest.is_empty() {
                break Ok(());
            }
            match out.write(rest) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                // A writer that says it took more than it was given took it all.
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let taken = all - rest.len();
        let whole = self.fitting(records.start, taken as u64);
        let whole = whole.min(records.len());
        let bytes = self.start(records.start + whole) - start;
        Put {
            records: whole,
            bytes,
            torn: taken > bytes,
            result,
        }
    }

    fn clear(&mut self) {
        if self.text.capacity() > KEEP {
            self.text = String::new();
        }
        self.text.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::time::SystemTime;

    use super::*;
    use crate::event::{EventData, EventType};

    fn event(name: &str) -> Event {
        let mut data = EventData::new(EventType::from_lossy("a.b"), SystemTime::UNIX_EPOCH);
        data.name = name.into();
        Event::new(data)
    }

    /// Fails on some names, and leaves a part of what it wrote behind.
    fn picky(event: &Event, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("<")?;
        match &*event.name {
            "fail" => return Err(fmt::Error),
            "panic" => panic!("expected"),
            name => out.write_str(name)?,
        }
        out.write_str(">")
    }

    /// Takes `room` bytes, a few at a time, and is full.
    struct Full {
        room: usize,
        taken: String,
    }

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(3).min(self.room - self.taken.len());
            if n == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.taken
                .push_str(std::str::from_utf8(&bytes[..n]).unwrap());
            Ok(n)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_renderer_that_fails_or_panics_costs_its_own_event_and_leaves_no_trace() {
        let mut batch = Batch::default();
        let mut out = Vec::new();
        let events = ["a", "fail", "b", "panic", "c"].map(event);
        let result = batch.write(&events, &picky, |batch| {
            let put = batch.put(0..batch.records(), &mut out);
            (put.records, put.result)
        });
        assert_eq!(String::from_utf8(out).unwrap(), "<a>\n<b>\n<c>\n");
        assert_eq!(result.unwrap_err().written, 3);
    }

    #[test]
    fn nothing_rendered_is_an_event_left_out_not_lost() {
        let nothing = |_: &Event, _: &mut dyn fmt::Write| Ok(());
        let result = Batch::default().write(&[event("a")], &nothing, |_| unreachable!());
        assert!(result.is_ok());
    }

    #[test]
    fn writing_that_stops_half_way_says_how_many_whole_records_got_out() {
        for (room, whole, torn) in [
            (0, 0, false),
            (3, 0, true),
            (4, 1, false),
            (6, 1, true),
            (12, 3, false),
        ] {
            let mut batch = Batch::default();
            for name in ["a", "b", "c"] {
                assert_eq!(batch.push(&picky, &event(name)), Ok(true));
            }
            let mut out = Full {
                room,
                taken: String::new(),
            };
            let put = batch.put(0..3, &mut out);
            assert_eq!((put.records, put.torn), (whole, torn), "{room}");
            assert_eq!(put.bytes, whole * 4);
            assert_eq!(put.result.is_ok(), whole == 3);
        }
    }

    #[test]
    fn records_fit_up_to_the_last_byte() {
        let mut batch = Batch::default();
        for name in ["a", "b", "c"] {
            batch.push(&picky, &event(name)).unwrap();
        }
        let fitting: Vec<_> = [0, 3, 4, 7, 8, 12, 99]
            .map(|room| batch.fitting(0, room))
            .into();
        assert_eq!(fitting, [0, 0, 1, 1, 2, 3, 3]);
        assert_eq!(batch.fitting(1, 8), 2);
    }
}
