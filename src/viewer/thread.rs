//! The viewer's thread: a runtime of its own, so that nobody else's work waits for a browser.
//!
//! Promise: the address is bound before `build` returns, so a port that is taken is an error there; after a shutdown the port is free
//! within a second, whatever clients do.
//! Never: is observed, and so never shows itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{fmt, io};

use opentelemetry::Context;
use tokio::sync::watch;
use tracing::dispatcher;

use super::connection::Door;
use super::feed::{Feed, Handover};
use super::model::Model;
use super::serve::{Page, router};
use super::{Viewer, ViewerError};
use crate::clock::{Clock, Nanos};
use crate::record::Record;
use crate::stats::Tally;
use crate::unobserved;

/// How often records are taken over while nobody looks.
const ROUND: Duration = Duration::from_millis(250);
/// How long clients have to take the last message.
const GOODBYE: Duration = Duration::from_millis(500);

/// What the page is about.
pub(crate) struct Subject {
    pub(crate) service: String,
    pub(crate) clock: Clock,
    /// When it began. The clock is not read here: reading a fixed one moves it.
    pub(crate) begun: Nanos,
    pub(crate) capture: &'static str,
    /// What happened before, to begin with.
    pub(crate) past: Box<dyn FnOnce() -> Vec<Record> + Send>,
}

/// The page as the program holds it: where to look.
#[derive(Clone)]
pub struct ViewerHandle(Arc<Running>);

struct Running {
    address: SocketAddr,
    url: String,
    page: Arc<Page>,
    end: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl ViewerHandle {
    /// The address to open, with the token if there is one: show it to who may look, and write it to no log. A page served on all
    /// addresses (`0.0.0.0`) is told by its loopback address; other machines use the name of this one.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Where it listens; the port is the one that was taken for port 0.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Shows what was handed over so far, and says how much that was.
    pub(crate) fn settle(&self) {
        drop(self.0.page.model());
    }

    pub(crate) fn tally(&self) -> Tally {
        self.0.page.handover.tally()
    }

    /// Says goodbye to clients and ends the thread; false if it is not gone by `deadline`.
    pub(crate) fn end(&self, deadline: Instant) -> bool {
        self.0.end(deadline)
    }
}

impl Running {
    fn end(&self, deadline: Instant) -> bool {
        self.end.send_replace(true);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(running) = thread.as_ref() {
            if running.is_finished() {
                break;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if let Some(thread) = thread.take() {
            // Nothing of the application's runs on it.
            let _ = thread.join();
        }
        true
    }
}

/// Where the installation could not be built after all, the port is free when that is said.
impl Drop for Running {
    fn drop(&mut self) {
        self.end(Instant::now() + 2 * GOODBYE);
    }
}

/// Without the token.
impl fmt::Debug for ViewerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewerHandle")
            .field("address", &self.0.address)
            .finish_non_exhaustive()
    }
}

/// Binds the address and starts the thread.
pub(crate) fn start(
    viewer: &Viewer,
    subject: Subject,
) -> Result<(Feed, ViewerHandle), ViewerError> {
    let (address, token) = viewer.resolve()?;
    let listen = |source| ViewerError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;

    let handover = Arc::<Handover>::default();
    let (end, ended) = watch::channel(false);
    let mut process = [0; 8];
    getrandom::fill(&mut process).map_err(|error| ViewerError::Start(io::Error::other(error)))?;
    let started = subject.clock.unix_nanos(subject.begun) / 1_000;
    let url = url(address, token.as_deref());
    let page = Arc::new(Page {
        service: subject.service,
        capture: subject.capture,
        started,
        process: u64::from_le_bytes(process),
        port: address.port(),
        token,
        handover: Arc::clone(&handover),
        model: Mutex::new(Model::new(subject.clock, viewer.spans, viewer.bytes)),
        last: Mutex::default(),
        clients: AtomicUsize::new(0),
        end: ended,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(ViewerError::Start)?;
    let past = subject.past;
    let running = Arc::clone(&page);
    let thread = std::thread::Builder::new()
        .name("tracing-genai-viewer".into())
        .spawn(move || {
            dispatcher::with_default(unobserved::dispatch(), || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                // Somebody else's store may take its time, and nobody waits for it.
                let past = past();
                page.model().take(past);
                runtime.block_on(serve(listener, page));
                // A client that does not read keeps nobody.
                runtime.shutdown_background();
            });
        })
        .map_err(ViewerError::Start)?;
    let running = Running {
        address,
        url,
        page: running,
        end,
        thread: Mutex::new(Some(thread)),
    };
    Ok((Feed::new(handover), ViewerHandle(Arc::new(running))))
}

fn url(address: SocketAddr, token: Option<&str>) -> String {
    let mut shown = address;
    if address.ip().is_unspecified() {
        shown.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    match token {
        Some(token) => format!(
            "http://{shown}/?token={}",
            form_urlencoded::byte_serialize(token.as_bytes()).collect::<String>()
        ),
        None => format!("http://{shown}/"),
    }
}

async fn serve(listener: TcpListener, page: Arc<Page>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let taking = Arc::clone(&page);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(ROUND).await;
            drop(taking.model());
        }
    });
    let ending = Arc::clone(&page);
    let server = axum::serve(Door::new(listener), router(&page))
        .with_graceful_shutdown(async move { ending.ending().await });
    let late = async {
        page.ending().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        // It only ever ends because it was asked to.
        _ = server.into_future() => {}
        () = late => {}
    }
}
