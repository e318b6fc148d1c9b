//! Any sequence of what can be done and can happen, beside an ordered list that does the same.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use tracing_genai::otlp::internal::{AppendError, Spool};
use tracing_genai::otlp::{SpoolConfig, WhenFull};

use super::faults::{EIO, EMFILE, ENOSPC, FaultDisk, HANDLES, Op};
use super::*;

const KIB: usize = 1024;
/// The spool's clock is the real one put forward, the model's stands still: between any two steps of `WAIT` and the
/// age there are five seconds, which is more than a case takes.
const AGE: Duration = Duration::from_secs(605);
const WAIT: u64 = 10;

#[derive(Debug, Clone)]
enum Action {
    Append {
        size: usize,
        records: u32,
    },
    Take,
    Ack,
    PutBack,
    /// Takes and settles so many.
    Drain(u8),
    /// The process dies, and the next one starts.
    Crash,
    /// The disk has room for so many bytes more.
    Fill(u64),
    /// Something fails from now on.
    Fail(u8),
    Heal,
    /// So many seconds pass.
    Wait(u64),
    Purge,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => (prop_oneof![4..200_usize, 4..40 * KIB, 60 * KIB..70 * KIB], 1..6_u32)
            .prop_map(|(size, records)| Action::Append { size, records }),
        6 => Just(Action::Take),
        5 => Just(Action::Ack),
        1 => Just(Action::PutBack),
        2 => (1..20_u8).prop_map(Action::Drain),
        2 => Just(Action::Crash),
        1 => (0..60_000_u64).prop_map(Action::Fill),
        1 => any::<u8>().prop_map(Action::Fail),
        3 => Just(Action::Heal),
        1 => (0..400 / WAIT).prop_map(|steps| Action::Wait(steps * WAIT)),
        1 => Just(Action::Purge),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Item {
    n: u32,
    records: u64,
    /// Seconds of the model's clock.
    written: u64,
}

struct Model {
    waiting: VecDeque<Item>,
    out: Option<Item>,
    now: u64,
}

impl Model {
    fn pending(&self) -> u64 {
        let waiting: u64 = self.waiting.iter().map(|item| item.records).sum();
        waiting + self.out.map_or(0, |out| out.records)
    }

    /// The oldest, of so many records in total, are gone.
    fn forget(&mut self, mut records: u64) {
        while records > 0 {
            let item = self
                .waiting
                .pop_front()
                .expect("more is dropped than there was");
            records = records
                .checked_sub(item.records)
                .expect("a batch is dropped in part");
        }
    }

    fn expire(&mut self) {
        while let Some(item) = self.waiting.front() {
            if self.now - item.written <= AGE.as_secs() {
                break;
            }
            self.waiting.pop_front();
        }
    }
}

struct World {
    dir: tempfile::TempDir,
    disk: FaultDisk,
    config: SpoolConfig,
    open: Option<(Spool, DiskQueue)>,
    model: Model,
    next: u32,
    /// accepted = settled + dropped + lost + pending
    accepted: u64,
    settled: u64,
    gone: u64,
    failing: bool,
}

impl World {
    fn new(when_full: WhenFull) -> World {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultDisk::new();
        let config = config(dir.path())
            .segment_bytes(64 * KIB as u64)
            .max_bytes(200 * KIB as u64)
            .max_age(AGE)
            .when_full(when_full);
        let model = Model {
            waiting: VecDeque::new(),
            out: None,
            now: 0,
        };
        let mut world = World {
            dir,
            disk,
            config,
            open: None,
            model,
            next: 0,
            accepted: 0,
            settled: 0,
            gone: 0,
            failing: false,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let spool = Spool::open_on(&self.config, self.disk.arc()).unwrap();
        let queue = spool.queue("traces").unwrap();
        self.open = Some((spool, queue));
    }

    fn queue(&mut self) -> &mut DiskQueue {
        &mut self.open.as_mut().unwrap().1
    }

    fn act(&mut self, action: &Action, when_full: WhenFull) {
        match action {
            Action::Append { size, records } => {
                let (n, before) = (self.next, self.queue().bytes());
                self.next += 1;
                let result = self.queue().append(&body(n, *size), *records);
                let freed = match &result {
                    Ok(freed) => freed.records,
                    Err(_) => self.queue().losses().full,
                };
                self.gone += freed;
                self.model.forget(freed);
                if result.is_ok() {
                    self.accepted += u64::from(*records);
                    self.model.waiting.push_back(Item {
                        n,
                        records: u64::from(*records),
                        written: self.model.now,
                    });
                }
                match result {
                    Err(AppendError::Full) => {
                        let tight = before + *size as u64 + 52 > 200 * KIB as u64;
                        assert!(tight && (when_full == WhenFull::DropNewest || self.failing));
                    }
                    Err(AppendError::Io(error)) => assert!(self.failing, "{error}"),
                    Err(other) => panic!("{other}"),
                    Ok(_) => {}
                }
                assert!(when_full == WhenFull::DropOldest || freed == 0);
                assert!(self.queue().bytes() <= before.max(200 * KIB as u64));
            }
            Action::Take => self.take(),
            Action::Ack => self.ack(),
            Action::PutBack => {
                let gone = self.queue().put_back();
                self.gone += gone;
                match self.model.out.take() {
                    Some(out) if gone == 0 => self.model.waiting.push_front(out),
                    out => assert_eq!(gone, out.map_or(0, |out| out.records)),
                }
            }
            Action::Drain(times) => {
                for _ in 0..*times {
                    self.take();
                    self.ack();
                }
            }
            Action::Crash => self.crash(),
            Action::Fill(room) => {
                self.failing = true;
                self.disk.room(Some(*room));
            }
            Action::Fail(which) => {
                self.failing = true;
                match which % 5 {
                    0 => self.disk.fail([Op::Append], ENOSPC),
                    1 => self.disk.fail([Op::Remove], EIO),
                    2 => self.disk.fail(HANDLES, EMFILE),
                    3 => self.disk.fail([Op::ReadAt], EIO),
                    _ => self.disk.fail([Op::Create], EIO),
                }
            }
            Action::Heal => self.heal(),
            Action::Wait(seconds) => {
                // What cannot be read for a minute is given up, which is another test's subject.
                self.heal();
                self.model.now += seconds;
                self.disk.later(Duration::from_secs(*seconds));
            }
            Action::Purge => {
                let purged = self.queue().purge();
                self.gone += purged;
                assert_eq!(
                    purged,
                    self.model
                        .waiting
                        .drain(..)
                        .map(|item| item.records)
                        .sum::<u64>()
                );
            }
        }
        self.conserve();
    }

    fn heal(&mut self) {
        self.failing = false;
        self.disk.heal();
    }

    fn take(&mut self) {
        let was_out = self.model.out.is_some();
        let taken = self.queue().take();
        let losses = self.queue().losses();
        assert_eq!(
            (losses.corrupt, losses.unreadable_bytes, losses.full),
            (0, 0, 0)
        );
        self.gone += losses.expired;
        if was_out {
            assert_eq!(taken, None);
            assert_eq!(losses.expired, 0);
            return;
        }
        match taken {
            Some(taken) => {
                self.model.expire();
                let item = self.model.waiting.pop_front().expect("nothing is waiting");
                assert_eq!(
                    (item.n, item.records),
                    (number(&taken), u64::from(taken.records))
                );
                self.model.out = Some(item);
            }
            None if self.failing => self.model.forget(losses.expired),
            None => {
                self.model.expire();
                assert_eq!(self.model.waiting, [], "it gives nothing");
            }
        }
    }

    fn ack(&mut self) {
        self.queue().ack();
        if let Some(out) = self.model.out.take() {
            self.settled += out.records;
        }
    }

    fn crash(&mut self) {
        self.heal();
        // What was settled while the cursor could not be opened would come again.
        self.queue().sync().unwrap();
        self.disk.die(true);
        self.open = None;
        self.disk.die(false);
        // Directories are adopted by age, which some file systems count in hundredths of a second.
        std::thread::sleep(Duration::from_millis(12));
        self.start();
        let recovered = self.queue().recovered();
        let waiting: u64 = self.model.waiting.iter().map(|item| item.records).sum();
        if let Some(out) = self.model.out.take() {
            if recovered == waiting + out.records {
                self.model.waiting.push_front(out);
            } else {
                // Its segment had to go; the process that held it is no more.
                self.gone += out.records;
            }
        }
        assert_eq!(recovered, self.model.pending());
    }

    fn conserve(&mut self) {
        let pending = self.queue().pending();
        assert_eq!(pending, self.model.pending());
        assert_eq!(self.accepted, self.settled + self.gone + pending);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_every_record_is_accounted_for(
        actions in prop::collection::vec(action(), 1..120),
        oldest in any::<bool>(),
    ) {
        let when_full = if oldest { WhenFull::DropOldest } else { WhenFull::DropNewest };
        let mut world = World::new(when_full);
        for action in &actions {
            world.act(action, when_full);
        }
        // In the end everything that is left comes, and nothing stays.
        world.heal();
        world.act(&Action::Ack, when_full);
        while !world.model.waiting.is_empty() {
            world.act(&Action::Drain(1), when_full);
        }
        world.open = None;
        let left = tree(world.dir.path());
        prop_assert!(left.is_empty(), "{:?}", left.keys());
    }
}
