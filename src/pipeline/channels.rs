//! Channels that were declared, where an application says which it uses.
//!
//! Promise: an event on another channel goes on; the channel is reported once. Never: remembers channels without bound.

use std::collections::HashSet;

use crate::diagnostics;
use crate::event::Channel;

/// Undeclared channels that are reported at most: past it somebody makes names up.
const REPORTED: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct DeclaredChannels {
    declared: HashSet<Channel>,
    reported: HashSet<Channel>,
}

impl DeclaredChannels {
    pub(crate) fn new(declared: impl IntoIterator<Item = Channel>) -> Self {
        Self {
            declared: declared.into_iter().collect(),
            reported: HashSet::new(),
        }
    }

    /// Reports the channel the first time, unless it is declared or one of the known ones.
    pub(crate) fn check(&mut self, channel: &Channel) {
        if Channel::KNOWN.contains(channel) || self.declared.contains(channel) {
            return;
        }
        if self.reported.len() < REPORTED && self.reported.insert(channel.clone()) {
            diagnostics::say_once(
                &format!("channel {channel}"),
                format_args!("channel {channel} is not among the declared ones"),
            );
        }
    }
}
