//! The least level at which events of a channel are told.
//!
//! Promise: an event below it reaches nobody, neither bus nor history, console, files nor logs, and is counted once. Spans that are
//! exported, metrics and totals are not events, and stay whole.
//! Never: costs more than a load where no channel has a level.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::event::{Channel, Level};

/// From where on events of a channel are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Least {
    /// All of them.
    All,
    /// Those at this level and above.
    Level(Level),
    /// None.
    Off,
}

/// Who said so: what code said, a configuration file does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Code,
    #[cfg_attr(
        not(feature = "config"),
        allow(dead_code, reason = "files are read with it")
    )]
    File,
}

#[derive(Debug, Default)]
pub(crate) struct ChannelLevels {
    levels: RwLock<HashMap<Channel, (Least, Said)>>,
    any: AtomicBool,
    filtered: AtomicU64,
}

impl ChannelLevels {
    pub(crate) fn new(levels: impl IntoIterator<Item = (Channel, Least, Said)>) -> Self {
        let all = Self::default();
        for (channel, least, said) in levels {
            all.set(channel, least, said);
        }
        all
    }

    /// Sets the level of a channel; false if that is not for `said` to say.
    pub(crate) fn set(&self, channel: Channel, least: Least, said: Said) -> bool {
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        if said == Said::File
            && levels
                .get(&channel)
                .is_some_and(|(_, by)| *by == Said::Code)
        {
            return false;
        }
        levels.insert(channel, (least, said));
        let any = levels.values().any(|(least, _)| *least != Least::All);
        self.any.store(any, Ordering::Release);
        true
    }

    pub(crate) fn get(&self, channel: &Channel) -> Least {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        levels.get(channel).map_or(Least::All, |(least, _)| *least)
    }

    /// Whether there is anything to ask.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Whether an event of this channel and level is told.
    pub(crate) fn let_through(&self, channel: &Channel, level: Level) -> bool {
        if !self.any() {
            return true;
        }
        match self.get(channel) {
            Least::All => true,
            Least::Level(least) => level >= least,
            Least::Off => false,
        }
    }

    pub(crate) fn count(&self) {
        self.filtered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn filtered(&self) -> u64 {
        self.filtered.load(Ordering::Relaxed)
    }
}
