//! Functions and pieces of code, monitored.

use std::borrow::Cow;

use super::ending::failure;
use super::future::{MonitoredFuture, monitor_future};
use super::{Around, Function};
use crate::contain::contain;
use crate::event::{Channel, Value};
use crate::semconv;
use crate::span::{ActiveSpan, Plain, subjects};

/// What is monitored, and where its events go.
#[derive(Debug, Clone)]
pub(super) struct Site {
    name: Cow<'static, str>,
    channel: Channel,
}

impl Site {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, channel: impl Into<Channel>) -> Self {
        Self {
            name: name.into(),
            channel: channel.into(),
        }
    }

    pub(super) fn start(&self) -> ActiveSpan<Plain> {
        subjects::call(&self.name)
            .channel(self.channel.clone())
            .start()
    }
}

/// Ends the span of a call that returned `value`.
pub(super) fn settle<T>(call: &ActiveSpan<Plain>, value: &T) {
    match failure(value) {
        Some(error) => call.fail_as(error),
        None => call.complete(),
    }
}

/// Puts what `show` makes of a result on the span, where content is allowed; only there is it called, and a panic in it is
/// nobody's.
pub(super) fn show<T>(call: &ActiveSpan<Plain>, value: &T, show: &dyn Fn(&T) -> Value) {
    call.each(|seen| {
        if seen.instance.content
            && let Some(shown) = contain(|| show(value))
        {
            seen.instance.set(&seen.state, semconv::CALL_RESULT, shown);
        }
    });
}

/// Runs `f` as a call of this name: what a method, or a piece of code that borrows, is monitored by. The first argument is
/// `code.function.name`, the second the channel of its events.
///
/// ```
/// use tracing_genai::monitor;
///
/// struct Framework;
///
/// impl Framework {
///     fn process(&self, input: &str) -> Result<String, std::io::Error> {
///         monitor("Framework::process", "MY_FRAMEWORK", || Ok(input.to_uppercase()))
///     }
/// }
///
/// assert_eq!(Framework.process("hello")?, "HELLO");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// An `Err` ends it as failed, with the error's Rust type as `error.type`; a panic ends it as failed and goes on. For the
/// error's text (where [`error_messages`](crate::TelemetryBuilder::error_messages) allows it) and further attributes use
/// [`starters::call`](crate::starters::call).
pub fn monitor<T>(
    name: impl Into<Cow<'static, str>>,
    channel: impl Into<Channel>,
    f: impl FnOnce() -> T,
) -> T {
    let call = Site::new(name, channel).start();
    let value = call.poll_in_scope(f);
    settle(&call, &value);
    value
}

/// Wraps a function or closure of up to six arguments: what comes out has the same signature, and each call of it is a span
/// `call {name}` with its events on `channel`. Values, errors and panics pass unchanged.
///
/// ```
/// use tracing_genai::monitor_call;
///
/// let parse = monitor_call("parse", |text: String| text.parse::<u16>(), "CUSTOM");
/// assert_eq!(parse("42".to_owned()), Ok(42));
/// assert!(parse("forty".to_owned()).is_err()); // call.failed, error.type core::num::error::ParseIntError
/// ```
///
/// Methods are closures over their object:
///
/// ```
/// # use tracing_genai::monitor_call;
/// # struct Framework;
/// # impl Framework { fn analyze(&self, rows: u32) -> u32 { rows * 2 } }
/// let framework = Framework;
/// let analyze = monitor_call("Framework::analyze", |rows| framework.analyze(rows), "MY_FRAMEWORK");
/// assert_eq!(analyze(21), 42);
/// ```
///
/// The wrapped function is a `Box<dyn Fn>`: one allocation when it is wrapped, none for a call but those of its span. A
/// reference that it takes lives as long as the box; where calls borrow different things, use [`monitor`](crate::monitor()) in
/// the place. An async function returns its future at once: wrap it by [`monitor_async`](crate::monitor_async).
pub fn monitor_call<'f, Args, F>(
    name: impl Into<Cow<'static, str>>,
    f: F,
    channel: impl Into<Channel>,
) -> F::Boxed<'f, F::Output>
where
    F: Function<Args> + 'f,
{
    f.boxed(Now(Site::new(name, channel)))
}

/// As [`monitor_call`], and keeps what `show` makes of each result as the attribute `call.result`, where
/// [`capture`](crate::TelemetryBuilder::capture) allows it. Elsewhere `show` is not called.
///
/// ```
/// use tracing_genai::{content::CaptureMode, monitor_call_showing, testing::capture_with};
///
/// let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
/// capture.record(|| {
///     let add = monitor_call_showing("add", |a: i64, b: i64| a + b, "CUSTOM", |sum| (*sum).into());
///     add(1, 2);
/// });
/// assert_eq!(capture.span("call add").attr("call.result"), Some(&3.into()));
/// ```
pub fn monitor_call_showing<'f, Args, F, S>(
    name: impl Into<Cow<'static, str>>,
    f: F,
    channel: impl Into<Channel>,
    show: S,
) -> F::Boxed<'f, F::Output>
where
    F: Function<Args> + 'f,
    S: Fn(&F::Output) -> Value + Send + Sync + 'f,
{
    f.boxed(Showing(Site::new(name, channel), show))
}

/// Wraps an async function, or a closure that returns a future, of up to six arguments: the future it returns is monitored as
/// by [`monitor_future`].
///
/// ```
/// use tracing_genai::monitor_async;
///
/// async fn fetch(url: String) -> Result<usize, std::io::Error> { Ok(url.len()) }
///
/// # async fn example() -> Result<(), std::io::Error> {
/// let fetch = monitor_async("fetch", fetch, "CUSTOM");
/// assert_eq!(fetch("https://example.com".to_owned()).await?, 19);
/// # Ok(()) }
/// ```
pub fn monitor_async<'f, Args, F>(
    name: impl Into<Cow<'static, str>>,
    f: F,
    channel: impl Into<Channel>,
) -> F::Boxed<'f, MonitoredFuture<F::Output>>
where
    F: Function<Args> + 'f,
    F::Output: Future,
{
    f.boxed(Later(Site::new(name, channel)))
}

struct Now(Site);

impl<T> Around<T> for Now {
    type Output = T;

    fn around(&self, f: impl FnOnce() -> T) -> T {
        let call = self.0.start();
        let value = call.poll_in_scope(f);
        settle(&call, &value);
        value
    }
}

struct Showing<S>(Site, S);

impl<T, S: Fn(&T) -> Value> Around<T> for Showing<S> {
    type Output = T;

    fn around(&self, f: impl FnOnce() -> T) -> T {
        let call = self.0.start();
        let value = call.poll_in_scope(f);
        show(&call, &value, &self.1);
        settle(&call, &value);
        value
    }
}

struct Later(Site);

impl<T: Future> Around<T> for Later {
    type Output = MonitoredFuture<T>;

    fn around(&self, f: impl FnOnce() -> T) -> MonitoredFuture<T> {
        let Site { name, channel } = self.0.clone();
        // Making a future does nothing yet: what it does, it does inside the span.
        monitor_future(name, channel, f())
    }
}
