//! One signal's way out: batches wait, go one at a time, and are tried again while that may help.
//!
//! Promise: handing a batch over never blocks; every record is counted; a wait asked for by the receiver
//! is kept; a deadline is kept whatever the receiver does. Never: prints more than a line about a trouble
//! and a line about its end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::backoff::{Backoff, Jitter};
use super::counts::OtlpCounts;
use super::judge::{Cause, Verdict};
use super::kinds::Signal;
use super::outbox::{Admission, Batch, DiskState, Outbox, Outcome};
use super::spool::DiskQueue;
use crate::diagnostics::{QUIET, Voice};

/// Troubles that come and go are told at most this often; they are worth more than a line an hour.
const OUTAGE_QUIET: Duration = Duration::from_secs(300);

/// How long a disk that cannot be read is left alone.
const UNREADABLE: Duration = Duration::from_secs(1);

/// The bound of the wait before the next try where nobody listens: that costs the receiver nothing, and one that is back is
/// found within seconds.
const UNREACHABLE: Duration = Duration::from_secs(5);

/// Something that takes a request body somewhere and says what became of it.
pub trait Deliver: Send + Sync + 'static {
    /// Sends one body. Must end by itself: the sender waits for it.
    fn deliver(&self, signal: Signal, body: Bytes) -> impl Future<Output = Verdict> + Send;

    /// Where the signal goes, for messages.
    fn shown(&self, signal: Signal) -> String;
}

/// The limits of a [`Sender`].
#[derive(Debug, Clone)]
pub struct SenderOptions {
    /// Bytes of batches that may wait in memory, the one under way included. Default 32 MiB: ten minutes of
    /// 100 spans a second without content.
    pub max_bytes: usize,
    /// The waits between tries.
    pub backoff: Backoff,
    /// How long one batch is tried, from its first try. It is checked when a try has failed. Default
    /// 5 min. Only the oldest batch is tried, so an outage of an hour costs twelve batches, and beyond
    /// them what found no room. A batch in the spool is tried for as long as the spool keeps it.
    pub give_up_after: Duration,
    /// Where troubles are told.
    pub voice: Voice,
}

impl Default for SenderOptions {
    fn default() -> SenderOptions {
        SenderOptions {
            max_bytes: 32 * 1024 * 1024,
            backoff: Backoff::default(),
            give_up_after: Duration::from_secs(300),
            voice: Voice::stderr(),
        }
    }
}

/// Sends one signal's batches, in order, one request at a time, from a task of the given runtime.
///
/// Dropping it counts what is waiting as `shutdown_timeout`; [`shutdown`](Sender::shutdown) sends it.
pub struct Sender {
    shared: Arc<Shared>,
    worker: AbortHandle,
}

struct Shared {
    signal: Signal,
    to: String,
    options: SenderOptions,
    state: Mutex<State>,
    /// There is a batch, or there will be none any more.
    wake: Notify,
    /// Someone waits: try now rather than after the jitter.
    nudge: Notify,
    settled: watch::Sender<u64>,
}

struct State {
    outbox: Outbox,
    /// Tries in a row that failed.
    failures: u32,
    /// It was shut down.
    ended: bool,
    /// Whether it was told that the spool takes nothing.
    disk_told: bool,
    /// Since the first of them: whether that was told, and the losses until then.
    outage: Option<Outage>,
}

struct Outage {
    told: bool,
    lost_before: u64,
}

/// What the worker does after a try.
enum Next {
    /// The next batch, if there is one.
    Go,
    /// The same batch, or the next if this one was given up, after a wait.
    Wait {
        wait: Duration,
        asked_for: bool,
        given_up: bool,
    },
}

/// Something to say once the lock is released.
struct Line {
    topic: String,
    quiet: Duration,
    text: String,
    /// Its end is told only if this was.
    starts_outage: bool,
}

impl Line {
    fn hourly(topic: impl Into<String>, text: String) -> Line {
        Line {
            topic: topic.into(),
            quiet: QUIET,
            text,
            starts_outage: false,
        }
    }

    fn always(topic: &str, text: String) -> Line {
        Line {
            topic: topic.into(),
            quiet: Duration::ZERO,
            text,
            starts_outage: false,
        }
    }
}

impl Sender {
    /// Starts a sender whose requests run as a task of `runtime`, which must have time enabled. With a queue on disk, batches
    /// wait there, what earlier processes left in it first.
    pub fn spawn<D: Deliver>(
        runtime: &Handle,
        signal: Signal,
        deliver: Arc<D>,
        options: SenderOptions,
        disk: Option<DiskQueue>,
    ) -> Sender {
        let outbox = Outbox::new(options.max_bytes, disk);
        let shared = Arc::new(Shared {
            signal,
            to: deliver.shown(signal),
            options,
            state: Mutex::new(State {
                outbox,
                failures: 0,
                ended: false,
                disk_told: false,
                outage: None,
            }),
            wake: Notify::new(),
            nudge: Notify::new(),
            settled: watch::Sender::new(0),
        });
        let worker = runtime.spawn(work(shared.clone(), deliver)).abort_handle();
        Sender { shared, worker }
    }

    /// Hands a batch over. Never blocks. `false` if it was dropped, and counted: there is no room, the
    /// signal is refused, or this sender was shut down. An empty batch is ignored, and `true`.
    pub fn enqueue(&self, batch: Batch) -> bool {
        let shared = &self.shared;
        let (admission, disk) = {
            let mut state = shared.lock();
            (state.outbox.push(batch), shared.disk_line(&mut state))
        };
        if let Some(line) = disk {
            shared.say(line);
        }
        let (signal, to) = (shared.signal, &shared.to);
        match admission {
            Admission::Queued => shared.wake.notify_one(),
            Admission::QueuedInsteadOf(records) => {
                shared.wake.notify_one();
                let text = format!(
                    "the spool is full of {signal} for {to}; the oldest {records} made room for new ones"
                );
                shared.say(Line::hourly("spool full", text));
            }
            Admission::Full => {
                let room = mib(shared.options.max_bytes);
                let text = format!(
                    "{room} of {signal} wait for {to}; no more may: the newest are dropped"
                );
                shared.say(Line::hourly("full", text));
            }
            Admission::TooLarge => {
                let text = format!("a request of {signal} above 64 MiB is dropped");
                shared.say(Line::hourly("too large", text));
            }
            Admission::Empty | Admission::Refused | Admission::Closed => {}
        }
        matches!(
            admission,
            Admission::Queued | Admission::QueuedInsteadOf(_) | Admission::Empty
        )
    }

    /// Hands over a batch of an earlier process.
    pub(crate) fn recover(&self, batch: Batch) {
        let records = u64::from(batch.records);
        if self.enqueue(batch) {
            self.shared.lock().outbox.note_recovered(records);
        }
    }

    /// Waits until everything handed over before this call has been settled, or until the deadline.
    /// Resolves to whether it was settled.
    ///
    /// The call itself cuts a wait between tries short, unless the receiver asked for it, so that
    /// several senders can be drained side by side however their futures are awaited.
    pub fn drain(&self, deadline: Instant) -> impl Future<Output = bool> + Send + 'static + use<> {
        let shared = &self.shared;
        let mut settled = shared.settled.subscribe();
        let target = {
            let mut state = shared.lock();
            // From the start of the series, so that a recovered receiver is found before the deadline.
            state.failures = 0;
            state.outbox.sync();
            state.outbox.queued()
        };
        shared.nudge.notify_waiters();
        let shared = Arc::clone(shared);
        async move {
            let done = settled.wait_for(|settled| *settled >= target);
            let in_time = timeout_at(deadline, done)
                .await
                .is_ok_and(|done| done.is_ok());
            // Kept until here: it holds the other end of the channel.
            drop(shared);
            in_time
        }
    }

    /// Takes nothing more, sends what is waiting until the deadline, and counts the rest as
    /// `shutdown_timeout`, the batch under way included: it may have arrived, but nobody said so. What is in the spool stays
    /// there, and pending.
    pub async fn shutdown(&self, deadline: Instant) -> OtlpCounts {
        self.shared.lock().outbox.close();
        self.shared.wake.notify_one();
        self.drain(deadline).await;
        self.end();
        self.counts()
    }

    /// The account so far. `pending` is exact.
    pub fn counts(&self) -> OtlpCounts {
        self.shared.lock().outbox.counts()
    }

    /// Bytes of batches waiting in memory, the one under way included.
    pub fn pending_bytes(&self) -> usize {
        self.shared.lock().outbox.bytes()
    }

    /// Deletes what waits, but for the batch under way. Returns its records.
    pub fn purge(&self) -> u64 {
        let mut state = self.shared.lock();
        let purged = state.outbox.purge();
        self.shared.settled.send_replace(state.outbox.settled());
        purged
    }

    fn end(&self) {
        let (left, stored) = {
            let mut state = self.shared.lock();
            let first = !state.ended;
            state.ended = true;
            let left = state.outbox.abandon();
            self.shared.settled.send_replace(state.outbox.settled());
            (
                left,
                if first {
                    state.outbox.counts().stored
                } else {
                    0
                },
            )
        };
        self.worker.abort();
        if stored > 0 {
            let (signal, to) = (self.shared.signal, &self.shared.to);
            let text = format!(
                "shut down before {stored} records of {signal} reached {to}; the next process with this spool sends them"
            );
            self.shared.say(Line::always("stored", text));
        }
        if left > 0 {
            let (signal, to) = (self.shared.signal, &self.shared.to);
            let text =
                format!("shut down before {left} records of {signal} reached {to}; they are lost");
            self.shared.say(Line::always("left", text));
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("signal", &self.shared.signal)
            .field("to", &self.shared.to)
            .field("counts", &self.counts())
            .finish()
    }
}

async fn work<D: Deliver>(shared: Arc<Shared>, deliver: Arc<D>) {
    let mut jitter = Jitter::new();
    let mut first_try = None;
    while let Some(body) = shared.front().await {
        let began = *first_try.get_or_insert_with(Instant::now);
        let verdict = deliver.deliver(shared.signal, body).await;
        // Made before the state is read: a nudge from then on is not missed.
        let nudge = shared.nudge.notified();
        match shared.settle(verdict, began.elapsed(), &mut jitter) {
            Next::Go => first_try = None,
            Next::Wait {
                wait,
                asked_for,
                given_up,
            } => {
                if given_up {
                    first_try = None;
                }
                if asked_for {
                    tokio::time::sleep(wait).await;
                } else {
                    let _ = timeout(wait, nudge).await;
                }
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest batch's body, once there is one; `None` when there will be none any more.
    async fn front(&self) -> Option<Bytes> {
        loop {
            let stuck = {
                let mut state = self.lock();
                let body = state.outbox.front().map(|batch| batch.body.clone());
                // A batch may have been found damaged, or too old.
                self.settled.send_replace(state.outbox.settled());
                if body.is_some() {
                    return body;
                }
                let stuck = state.outbox.is_stuck();
                if state.outbox.is_closed() && !stuck {
                    return None;
                }
                stuck
            };
            let woken = self.wake.notified();
            if stuck {
                // The disk cannot be read: it is asked again, whatever happens meanwhile.
                let _ = timeout(UNREADABLE, woken).await;
            } else {
                woken.await;
            }
        }
    }

    fn settle(&self, verdict: Verdict, tried_for: Duration, jitter: &mut Jitter) -> Next {
        let mut lines = Vec::new();
        let next = {
            let mut state = self.lock();
            let next = self.judge(&mut state, verdict, tried_for, jitter, &mut lines);
            self.settled.send_replace(state.outbox.settled());
            next
        };
        for line in lines {
            let starts_outage = line.starts_outage;
            if self.say(line)
                && starts_outage
                && let Some(outage) = &mut self.lock().outage
            {
                outage.told = true;
            }
        }
        next
    }

    fn judge(
        &self,
        state: &mut State,
        verdict: Verdict,
        tried_for: Duration,
        jitter: &mut Jitter,
        lines: &mut Vec<Line>,
    ) -> Next {
        let (signal, to) = (self.signal, &self.to);
        let Verdict::Retry { after, cause } = verdict else {
            state.failures = 0;
            match verdict {
                Verdict::Delivered { rejected, message } => {
                    let records = state.outbox.settle(Outcome::Delivered { rejected });
                    lines.extend(self.partial(rejected, records, message));
                    lines.extend(self.recovered(state));
                }
                Verdict::Drop(cause) => {
                    let outcome = match cause {
                        Cause::RequestTooLarge(_) => Outcome::TooLarge,
                        _ => Outcome::Permanent,
                    };
                    let records = state.outbox.settle(outcome);
                    let text = format!(
                        "{to} refused {records} records of {signal}: {cause}; they are dropped"
                    );
                    lines.push(Line::hourly(cause.topic(), text));
                }
                Verdict::Refused(cause) => {
                    state.outbox.refuse();
                    let text =
                        format!("{to} does not take {signal}: {cause}; they are not sent any more");
                    lines.push(Line::hourly("refused", text));
                }
                Verdict::Retry { .. } => {}
            }
            return Next::Go;
        };
        state.failures = state.failures.saturating_add(1);
        lines.extend(self.failing(state, &cause));
        let give_up_after = self.options.give_up_after;
        let given_up = state.outbox.is_overdue(tried_for, give_up_after);
        if given_up {
            let records = state.outbox.settle(Outcome::Exhausted);
            let text = format!(
                "gave up sending {records} records of {signal} to {to} after {tried_for:.0?}: {cause}"
            );
            lines.push(Line::hourly("given up", text));
        }
        let mut backoff = self.options.backoff;
        if cause.is_unreachable() {
            backoff.max = backoff.max.min(UNREACHABLE);
        }
        let wait = backoff.wait(state.failures, after, jitter);
        Next::Wait {
            wait,
            asked_for: after.is_some(),
            given_up,
        }
    }

    fn partial(&self, rejected: u64, records: u64, message: Option<String>) -> Option<Line> {
        if rejected == 0 && message.is_none() {
            return None;
        }
        let (signal, to) = (self.signal, &self.to);
        let said = message.unwrap_or_else(|| "it did not say why".to_owned());
        Some(match rejected {
            0 => Line::hourly("warning", format!("{to} took {signal} and warns: {said}")),
            _ => Line::hourly(
                "rejected",
                format!("{to} rejected {rejected} of {records} {signal}: {said}"),
            ),
        })
    }

    fn failing(&self, state: &mut State, cause: &Cause) -> Option<Line> {
        if state.outage.is_some() {
            return None;
        }
        state.outage = Some(Outage {
            told: false,
            lost_before: state.outbox.counts().dropped(),
        });
        let (signal, to, room) = (self.signal, &self.to, mib(self.options.max_bytes));
        let wait = match state.outbox.is_durable() {
            true => "they wait in the spool".to_owned(),
            false => format!("up to {room} may wait"),
        };
        let text = format!("{signal} do not reach {to}: {cause}; trying again, {wait}");
        Some(Line {
            topic: "failing".into(),
            quiet: OUTAGE_QUIET,
            starts_outage: true,
            text,
        })
    }

    fn recovered(&self, state: &mut State) -> Option<Line> {
        let outage = state.outage.take().filter(|outage| outage.told)?;
        let losses = match state.outbox.counts().dropped() - outage.lost_before {
            0 => "nothing was lost".to_owned(),
            lost => format!("{lost} records were lost meanwhile"),
        };
        Some(Line::always(
            "recovered",
            format!("{} reach {} again; {losses}", self.signal, self.to),
        ))
    }

    /// What is to be said about the spool, when that has changed.
    fn disk_line(&self, state: &mut State) -> Option<Line> {
        let failing = match state.outbox.disk_state() {
            DiskState::Fine => None,
            DiskState::Failing(why) => Some(why),
        };
        if failing.is_some() == state.disk_told {
            return None;
        }
        state.disk_told = failing.is_some();
        let (signal, room) = (self.signal, mib(self.options.max_bytes));
        let text = match failing {
            Some(why) => format!(
                "the spool takes no {signal}: {why}; they wait in memory, up to {room} of them"
            ),
            None => format!("the spool takes {signal} again"),
        };
        Some(Line::always("spool", text))
    }

    fn say(&self, line: Line) -> bool {
        let topic = format!("otlp {} {}", self.signal, line.topic);
        self.options
            .voice
            .say(&topic, line.quiet, format_args!("{}", line.text))
    }
}

fn mib(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        mib => format!("{mib} MiB"),
    }
}
