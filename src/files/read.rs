//! Reading JSON Lines back.
//!
//! Promise: every whole line is an event or an error with its number; half a line at the very end, which a killed process
//! leaves, is passed over.
//! Never: shows in an error what the line says.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use crate::event::Event;

/// The events of one file, from [`JsonFile::read`](super::JsonFile::read).
///
/// Lines that cannot be read are errors and do not end it. Empty lines are passed over, and so is a last line that was never
/// finished: [`is_torn`](Self::is_torn) tells of it.
pub struct Events {
    file: BufReader<File>,
    line: u64,
    buffer: Vec<u8>,
    torn: bool,
    ended: bool,
}

/// A line that is no event.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
#[non_exhaustive]
pub struct LineError {
    /// Its number in the file, from 1.
    pub line: u64,
    why: Why,
}

#[derive(Debug)]
enum Why {
    /// Where it stops being JSON or an event; `serde_json`'s own words may quote the line.
    Json {
        category: serde_json::error::Category,
        column: usize,
    },
    Io(io::Error),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use serde_json::error::Category;
        match self {
            Self::Json { category, column } => {
                let what = match category {
                    Category::Data => "JSON, but not an event",
                    Category::Eof => "JSON that ends too early",
                    Category::Syntax | Category::Io => "not JSON",
                };
                write!(f, "{what} (column {column})")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl Events {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::new(File::open(path)?),
            line: 0,
            buffer: Vec::new(),
            torn: false,
            ended: false,
        })
    }

    /// Whether half a line was passed over at the end. Known once the iterator has ended.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The next line, without its end; whether it had one.
    fn next_line(&mut self) -> Option<Result<bool, io::Error>> {
        self.buffer.clear();
        match self.file.read_until(b'\n', &mut self.buffer) {
            Ok(0) => None,
            Ok(_) => Some(Ok(self.buffer.pop_if(|last| *last == b'\n').is_some())),
            Err(error) => Some(Err(error)),
        }
    }

    fn error(&self, why: Why) -> LineError {
        LineError {
            line: self.line,
            why,
        }
    }
}

impl Iterator for Events {
    type Item = Result<Event, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            self.line += 1;
            let whole = match self.next_line() {
                Some(Ok(whole)) => whole,
                Some(Err(error)) => {
                    // A disk that cannot be read now is not asked for ever.
                    self.ended = true;
                    return Some(Err(self.error(Why::Io(error))));
                }
                None => break,
            };
            if self.buffer.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&self.buffer) {
                Ok(event) => return Some(Ok(event)),
                Err(_) if !whole => self.torn = true,
                Err(error) => {
                    return Some(Err(self.error(Why::Json {
                        category: error.classify(),
                        column: error.column(),
                    })));
                }
            }
        }
        self.ended = true;
        None
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}
