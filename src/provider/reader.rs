//! An answer as it arrives.

use serde_json::Value as Json;

use super::fold::Fold;
use super::framing::{Array, Aws, Found, Lines, Sse};
use super::likeness::Likeness;
use super::{Answer, error, skim};

/// Reads an answer, whole or streamed (server-sent events, JSON lines, a JSON array, an AWS event stream), as its bytes arrive.
///
/// A frame is parsed until the first output was seen, and then whenever it differs from the frame before in more than its
/// text: thousands of frames that are alike but for a word cost a comparison each.
#[derive(Debug)]
pub struct Reader {
    fold: Fold,
    framing: Framing,
    likeness: Likeness,
    /// The texts themselves are wanted: every frame is parsed.
    thorough: bool,
    progress: Progress,
}

/// What a piece of bytes brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Frames that were completed by it.
    pub frames: u32,
    /// How many of them hold generated output: text, reasoning, a tool call.
    pub outputs: u32,
}

#[derive(Debug, Clone)]
enum Framing {
    /// Nothing has come, and the first byte decides.
    Unknown(Hint),
    Whole(Vec<u8>),
    Sse(Sse),
    Lines(Lines),
    Array(Array),
    Aws(Aws),
    /// It is larger than the limit, and not read.
    TooLarge,
}

/// What the content type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hint {
    Sse,
    Lines,
    Aws,
    /// JSON, or nothing that is known.
    Other,
}

/// The byte order mark, which some servers put in front.
const MARK: &[u8] = "\u{feff}".as_bytes();
/// Members of whole answers that are embedding vectors. Nothing is read from them, and there may be thousands.
const VECTORS: &[&str] = &["data", "embedding", "embeddings"];

impl Reader {
    /// Bytes kept of one frame, or of a whole answer: 8 MiB. What is larger is not read, and counted in
    /// [`Answer::unread`].
    pub const LIMIT: usize = 8 * 1024 * 1024;

    pub(super) fn new(fold: Fold, content_type: Option<&str>, thorough: bool) -> Self {
        let mime = content_type.unwrap_or_default();
        let mime = mime.split(';').next().unwrap_or_default().trim();
        let hint = match mime.to_ascii_lowercase().as_str() {
            "text/event-stream" => Hint::Sse,
            "application/x-ndjson" | "application/jsonl" | "application/json-seq" => Hint::Lines,
            "application/vnd.amazon.eventstream" => Hint::Aws,
            _ => Hint::Other,
        };
        let framing = match hint {
            // Its first bytes are lengths and tell nothing.
            Hint::Aws => Framing::Aws(Aws::default()),
            hint => Framing::Unknown(hint),
        };
        Self {
            fold,
            framing,
            likeness: Likeness::default(),
            thorough,
            progress: Progress::default(),
        }
    }

    /// Whether the answer comes in frames. Known once its first bytes are there.
    pub fn is_stream(&self) -> bool {
        match &self.framing {
            Framing::Unknown(hint) => matches!(hint, Hint::Sse | Hint::Lines),
            Framing::Whole(_) | Framing::TooLarge => false,
            Framing::Sse(_) | Framing::Lines(_) | Framing::Array(_) | Framing::Aws(_) => true,
        }
    }

    /// The next bytes of the body, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) -> Progress {
        self.progress = Progress::default();
        if let Framing::Unknown(hint) = self.framing {
            match framing(hint, bytes) {
                Some(framing) => self.framing = framing,
                None => return self.progress,
            }
        }
        // The framing calls back into the rest of the reader, so it is taken out for the time.
        let mut framing = std::mem::replace(&mut self.framing, Framing::TooLarge);
        let mut found = |found: Found<'_>| self.found(found);
        match &mut framing {
            Framing::Sse(sse) => sse.push(bytes, &mut found),
            Framing::Lines(lines) => lines.push(bytes, &mut found),
            Framing::Array(array) => array.push(bytes, &mut found),
            Framing::Aws(aws) => aws.push(bytes, &mut found),
            Framing::Whole(whole) if whole.len() + bytes.len() <= Self::LIMIT => {
                whole.extend_from_slice(bytes);
            }
            Framing::Whole(_) => {
                self.fold.unread();
                framing = Framing::TooLarge;
            }
            Framing::Unknown(_) | Framing::TooLarge => {}
        }
        self.framing = framing;
        self.progress
    }

    /// What is known so far, or at the end of the body all there is.
    pub fn answer(&self) -> Answer {
        let mut last = Self {
            fold: self.fold.clone(),
            framing: Framing::TooLarge,
            likeness: Likeness::default(),
            thorough: true,
            progress: Progress::default(),
        };
        let mut found = |found: Found<'_>| last.found(found);
        match &self.framing {
            Framing::Whole(whole) => last.whole(whole),
            Framing::Sse(sse) => sse.clone().rest(&mut found),
            Framing::Lines(lines) => lines.clone().rest(&mut found),
            Framing::Array(array) => array.clone().rest(&mut found),
            Framing::Aws(aws) => aws.clone().rest(&mut found),
            Framing::Unknown(_) | Framing::TooLarge => {}
        }
        last.fold.answer()
    }

    fn whole(&mut self, body: &[u8]) {
        // The mark may have come in pieces, so it was not seen when the framing was decided.
        let body = body.strip_prefix(MARK).unwrap_or(body);
        match skim::parse(body, VECTORS) {
            Ok(answer) => self.fold.read_whole(&answer),
            Err(_) if body.is_empty() => {}
            Err(_) if self.lines(body) => {}
            // Not all has come, or it is no JSON at all.
            Err(_) => self.fold.unread(),
        }
    }

    /// Whether the body is a JSON value a line, under a type that does not say so.
    fn lines(&mut self, body: &[u8]) -> bool {
        let mut first = body.split(|byte| *byte == b'\n');
        let lines = first.next().is_some_and(|line| {
            serde_json::from_slice::<Json>(line).is_ok_and(|frame| frame.is_object())
        });
        if lines {
            let mut lines = Lines::default();
            let mut found = |found: Found<'_>| self.found(found);
            lines.push(body, &mut found);
            lines.rest(&mut found);
        }
        lines
    }

    fn found(&mut self, found: Found<'_>) {
        match found {
            Found::Frame(_, b"[DONE]") => {
                self.progress.frames += 1;
                self.fold.done();
            }
            Found::Frame(event, data) => {
                self.progress.frames += 1;
                let alike = !self.thorough && self.likeness.is_like(data);
                if alike || self.frame(event, data) {
                    self.progress.outputs += 1;
                }
            }
            Found::Error(kind, payload) => {
                self.progress.frames += 1;
                let payload = serde_json::from_slice::<Json>(payload).unwrap_or_default();
                self.fold.error(error::aws(kind, payload.get("message")));
            }
            Found::Broken => {
                self.progress.frames += 1;
                self.fold.unread();
            }
        }
    }

    /// Whether it holds output.
    fn frame(&mut self, event: &str, data: &[u8]) -> bool {
        let Ok(json) = serde_json::from_slice::<Json>(data) else {
            self.likeness.forget();
            self.fold.unread();
            return false;
        };
        let frame = self.fold.frame(event, &json);
        if frame.output && !frame.news {
            self.likeness.learn(data);
        }
        frame.output
    }
}

/// How a body is framed, by its content type and its first byte; `None` while there is none. Servers err in the type, and
/// errors come as JSON whatever was asked for.
fn framing(hint: Hint, bytes: &[u8]) -> Option<Framing> {
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    // What JSON takes for space: a form feed, say, is none.
    let first = bytes.iter().find(|byte| !b" \t\r\n".contains(byte))?;
    Some(match (first, hint) {
        (b'[', _) => Framing::Array(Array::default()),
        (b'{', Hint::Lines) => Framing::Lines(Lines::default()),
        (b'{', _) => Framing::Whole(Vec::new()),
        (b'd' | b'e' | b':' | b'i' | b'r', _) | (_, Hint::Sse) => Framing::Sse(Sse::default()),
        _ => Framing::Whole(Vec::new()),
    })
}
