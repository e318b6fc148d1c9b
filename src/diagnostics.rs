//! The few lines this crate says about itself, on stderr.
//!
//! Promise: one line a topic and interval, escaped so that foreign text cannot move the cursor or
//! forge a line; a broken stderr is ignored. Never: stdout, a panic, a tracing event.

use std::collections::HashMap;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::console::escape;

/// How long a topic stays silent after it was spoken about. An hour keeps a misconfigured process
/// readable for a day; shorter repeats teach people to filter the line away.
pub(crate) const QUIET: Duration = Duration::from_secs(3600);

/// Topics remembered at most. Most come from a closed set of names; a collector that answers ever other statuses makes more.
const TOPICS: usize = 256;

/// Characters of one line. A server's error page must not fill a terminal.
const LINE: usize = 600;

/// Where diagnostics go: the process's stderr, or a buffer in tests.
#[derive(Clone)]
pub struct Voice(Arc<Inner>);

struct Inner {
    said: Mutex<HashMap<String, Instant>>,
    out: Option<Arc<Mutex<String>>>,
}

impl Voice {
    /// The process-wide voice: lines go to stderr.
    pub fn stderr() -> Voice {
        static STDERR: LazyLock<Voice> = LazyLock::new(|| Voice::new(None));
        STDERR.clone()
    }

    /// A voice that writes into the returned buffer, with a memory of its own.
    pub fn captured() -> (Voice, Arc<Mutex<String>>) {
        let buffer = Arc::new(Mutex::new(String::new()));
        (Voice::new(Some(buffer.clone())), buffer)
    }

    fn new(out: Option<Arc<Mutex<String>>>) -> Voice {
        Voice(Arc::new(Inner {
            said: Mutex::default(),
            out,
        }))
    }

    /// Says one line, unless `topic` was spoken about less than `quiet` ago. Returns whether it was
    /// said.
    pub fn say(&self, topic: &str, quiet: Duration, text: fmt::Arguments<'_>) -> bool {
        if !self.may_say(topic, quiet, Instant::now()) {
            return false;
        }
        self.write(text);
        true
    }

    fn may_say(&self, topic: &str, quiet: Duration, now: Instant) -> bool {
        let mut said = self.0.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = said.get_mut(topic) {
            let due = now.saturating_duration_since(*last) >= quiet;
            if due {
                *last = now;
            }
            return due;
        }
        if said.len() >= TOPICS {
            // The one that has been silent for longest may speak again before its time; nothing new is ever kept silent.
            let oldest = said.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(topic, _)| topic.clone()) {
                said.remove(&oldest);
            }
        }
        said.insert(topic.to_owned(), now);
        true
    }

    fn write(&self, text: fmt::Arguments<'_>) {
        let mut line = escape(&format!("tracing-genai: {text}")).into_owned();
        if let Some((at, _)) = line.char_indices().nth(LINE) {
            line.truncate(at);
            line.push('…');
        }
        line.push('\n');
        match &self.0.out {
            Some(buffer) => buffer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&line),
            // A closed or full stderr is nobody's reason to fail.
            None => drop(std::io::stderr().lock().write_all(line.as_bytes())),
        }
    }
}

impl fmt::Debug for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.out.is_some() {
            "Voice(captured)"
        } else {
            "Voice(stderr)"
        })
    }
}

/// Says one line on stderr, at most once an hour a topic.
#[allow(
    dead_code,
    reason = "the front door for modules without a voice of their own"
)]
pub(crate) fn say_once(topic: &str, text: fmt::Arguments<'_>) -> bool {
    Voice::stderr().say(topic, QUIET, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_topics_there_were_a_new_one_is_said_and_memory_is_bounded() {
        let (voice, _) = Voice::captured();
        for n in 0..2 * TOPICS {
            assert!(voice.say(&format!("status {n}"), QUIET, format_args!("{n}")));
        }
        let last = format!("status {}", 2 * TOPICS - 1);
        assert!(!voice.say(&last, QUIET, format_args!("again")));
        assert!(voice.0.said.lock().unwrap().len() <= TOPICS);
    }

    #[test]
    fn a_topic_is_said_once_an_interval_and_topics_do_not_silence_each_other() {
        let (voice, out) = Voice::captured();
        assert!(voice.say("a", QUIET, format_args!("first")));
        assert!(!voice.say("a", QUIET, format_args!("second")));
        assert!(voice.say("b", QUIET, format_args!("other")));
        assert!(voice.say("a", Duration::ZERO, format_args!("third")));
        assert_eq!(
            *out.lock().unwrap(),
            "tracing-genai: first\ntracing-genai: other\ntracing-genai: third\n"
        );
    }

    #[test]
    fn the_interval_is_measured_from_the_last_time_it_was_said() {
        let (voice, _) = Voice::captured();
        let start = Instant::now();
        assert!(voice.may_say("a", QUIET, start));
        assert!(!voice.may_say("a", QUIET, start + QUIET - Duration::from_nanos(1)));
        assert!(voice.may_say("a", QUIET, start + QUIET));
        assert!(!voice.may_say("a", QUIET, start + QUIET + Duration::from_secs(1)));
    }

    #[test]
    fn foreign_text_cannot_break_the_line_move_the_cursor_or_hide() {
        let (voice, out) = Voice::captured();
        voice.say(
            "a",
            QUIET,
            format_args!("x\r\ny\x1b[31m\u{202e}\u{200b}\u{e0041}\u{9b}é"),
        );
        assert_eq!(
            *out.lock().unwrap(),
            "tracing-genai: x\\r\\ny\\u{1b}[31m\\u{202e}\\u{200b}\\u{e0041}\\u{9b}é\n"
        );
    }

    #[test]
    fn a_line_is_cut_on_a_character_boundary() {
        let (voice, out) = Voice::captured();
        voice.say("a", QUIET, format_args!("{}", "é".repeat(10_000)));
        let out = out.lock().unwrap();
        assert_eq!(out.chars().count(), LINE + 2);
        assert!(out.ends_with("é…\n"));
    }
}
