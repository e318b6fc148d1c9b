//! What the environment says of content.

use super::{Asked, CaptureMode, Carrier};
use crate::diagnostics;

const CAPTURE: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
const EMIT: &str = "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT";
const MODE: &str = "TRACING_GENAI_CAPTURE";

/// The directory that upstream's upload hook writes to, if that is asked for.
pub(crate) fn upload_directory(env: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    const HOOK: &str = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK";
    const PATH: &str = "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH";
    let set = |name| env(name).filter(|value: &String| !value.trim().is_empty());
    set(HOOK).filter(|hook| hook.trim() == "upload")?;
    let path = set(PATH)?;
    if path.contains("://") && !path.starts_with("file://") {
        ignored(PATH, "a directory, file://");
        return None;
    }
    Some(path.strip_prefix("file://").unwrap_or(&path).to_owned())
}

/// The words of [`CAPTURE`], and what they ask for.
const WORDS: [(&str, Option<Carrier>); 6] = [
    ("NO_CONTENT", None),
    ("SPAN_ONLY", Some(Carrier::Span)),
    ("EVENT_ONLY", Some(Carrier::Event)),
    ("SPAN_AND_EVENT", Some(Carrier::SpanAndEvent)),
    ("true", Some(Carrier::Event)),
    ("false", None),
];

/// What the variables ask for. Nonsense asks for nothing, and is said once.
pub(crate) fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Asked {
    let set = |name| env(name).filter(|value| !value.trim().is_empty());
    let mut asked = Asked::default();
    if let Some(value) = set(CAPTURE) {
        let is = |(word, _): &&(&str, _)| value.trim().eq_ignore_ascii_case(word);
        match WORDS.iter().find(is) {
            Some((_, Some(carrier))) => {
                (asked.capture, asked.carrier) = (Some(CaptureMode::Redacted), Some(*carrier));
            }
            Some((_, None)) => asked.capture = Some(CaptureMode::Off),
            None => ignored(CAPTURE, "NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT"),
        }
    }
    if let Some(value) = set(MODE) {
        match value.parse() {
            Ok(mode) => asked.capture = Some(mode),
            Err(_) => ignored(MODE, "off, metadata, redacted, full"),
        }
    }
    if let Some(value) = set(EMIT) {
        match value.trim() {
            yes if yes.eq_ignore_ascii_case("true") => asked.details = Some(true),
            no if no.eq_ignore_ascii_case("false") => asked.details = Some(false),
            _ => ignored(EMIT, "true, false"),
        }
    }
    asked
}

fn ignored(name: &'static str, words: &str) {
    diagnostics::say_once(
        name,
        format_args!("{name} is ignored: it is none of {words}"),
    );
}
