//! A text that comes in chunks, checked as it comes.
//!
//! Promise: what the chunks say together is found wherever they are cut, told once, in memory that does not grow with the text.
//! Never: tells of what only seems to be there because the rest has not come yet.

use std::fmt;
use std::sync::Arc;

use super::content::Content;
use super::fold::floor;
use super::hidden;
use super::level::Point;
use super::scanner::Scanner;
use super::verdict::{Finding, Label, Verdict};

/// Checks a text that comes in chunks; made by [`Scanner::stream`].
///
/// ```
/// use tracing_genai::security::{AlertLevel, Point, Scanner};
///
/// let mut stream = Scanner::standard().stream(Point::Stream);
/// assert!(stream.push("Just run `rm -r").is_clean());
/// assert!(stream.push("f /").is_clean()); // it may go on: `rm -rf /tmp/build`
/// assert_eq!(stream.push("` and wait.").level(), AlertLevel::Dangerous);
/// assert!(stream.push(" That is all.").is_clean()); // told once
/// assert!(stream.finish().is_clean());
/// ```
///
/// What is found is told with the chunk that makes it certain: a finding at the very end of what has come waits for the next
/// character or for [`finish`](StreamScanner::finish). Places are counted in bytes from the beginning of the stream.
///
/// The last [`WINDOW`](StreamScanner::WINDOW) bytes are kept and read again with each chunk, so the time a chunk takes is that
/// of the window and the chunk. What is spread over more than the window is not found. Of one rule at most
/// [four](Verdict::PER_RULE) findings are told in a stream; of a check of your own each rule once.
pub struct StreamScanner {
    scanner: Scanner,
    point: Point,
    /// The window, then what is new.
    text: String,
    /// Where `text` begins in the stream.
    base: usize,
    told: Vec<Told>,
}

/// What was told of one rule.
struct Told {
    label: Arc<Label>,
    times: usize,
    /// Where the last of them ended in the stream.
    end: usize,
}

impl StreamScanner {
    /// How many bytes of what came before are read again with a chunk. More than the bundled patterns reach over, with room
    /// for characters of four bytes and base64.
    pub const WINDOW: usize = 1024;

    pub(super) fn new(scanner: Scanner, point: Point) -> StreamScanner {
        StreamScanner {
            scanner,
            point,
            text: String::new(),
            base: 0,
            told: Vec::new(),
        }
    }

    /// What is new with this chunk.
    pub fn push(&mut self, chunk: &str) -> Verdict {
        if chunk.is_empty() {
            return Verdict::clean();
        }
        self.text.push_str(chunk);
        let verdict = self.look(false);
        let keep = floor(&self.text, self.text.len().saturating_sub(Self::WINDOW));
        self.base += keep;
        self.text.drain(..keep);
        verdict
    }

    /// What is certain now that nothing more comes.
    pub fn finish(mut self) -> Verdict {
        self.look(true)
    }

    fn look(&mut self, last: bool) -> Verdict {
        let mut findings = Vec::new();
        self.scanner.find(&self.text, &mut findings);
        findings.sort_by_key(|found| found.span.start);
        let mut new = Vec::new();
        for found in findings {
            // Cut off in front, words and lines seem to begin where they do not. What truly begins here was seen before.
            let cut = found.span.start == 0 && self.base > 0;
            if !cut && (last || !self.may_go_on(&found)) {
                self.tell(found, &mut new);
            }
        }
        let content = Content::new(self.point, &self.text);
        for found in self.scanner.own_checks(&content).into_findings() {
            if self.told.iter().all(|told| told.label.id != found.label.id) {
                self.tell(found, &mut new);
            }
        }
        Verdict::from_findings(new)
    }

    /// Whether a finding touches the end of what has come.
    fn may_go_on(&self, found: &Finding) -> bool {
        let rest = &self.text[found.span.end..];
        rest.chars().all(hidden::is_hidden)
    }

    fn tell(&mut self, mut found: Finding, new: &mut Vec<Finding>) {
        found.span = found.span.start + self.base..found.span.end + self.base;
        let same = |told: &&mut Told| told.label.id == found.label.id;
        match self.told.iter_mut().find(same) {
            Some(told) if told.times >= Verdict::PER_RULE || found.span.start < told.end => return,
            Some(told) => {
                told.times += 1;
                told.end = found.span.end;
            }
            None => self.told.push(Told {
                label: found.label.clone(),
                times: 1,
                end: found.span.end,
            }),
        }
        new.push(found);
    }
}

impl fmt::Debug for StreamScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamScanner")
            .field("point", &self.point)
            .field("bytes", &(self.base + self.text.len()))
            .field("rules_told", &self.told.len())
            .finish_non_exhaustive()
    }
}
