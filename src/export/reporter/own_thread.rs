//! A thread of our own with a runtime in it: nothing of the application's is needed, or disturbed.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use tracing::dispatcher;

use crate::unobserved;

/// Runs `work` to its end, then drops `gone`, however the thread ends.
pub(super) fn run<W, G>(name: &str, gone: G, work: W) -> io::Result<JoinHandle<()>>
where
    W: Future<Output = ()> + Send + 'static,
    G: Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _gone = gone;
        // What reporters and clients log would come back as events.
        dispatcher::with_default(unobserved::dispatch(), || {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            runtime.block_on(work);
            // Connections may take their time to close; nobody waits for them.
            runtime.shutdown_background();
        });
    })
}

/// Waits for a thread, but not for ever: one that user code blocks is left to itself.
pub(super) fn join(thread: JoinHandle<()>, deadline: Instant) {
    while !thread.is_finished() {
        if Instant::now() >= deadline {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    let _ = thread.join();
}
