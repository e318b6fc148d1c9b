//! What streams of frames yield.

use super::Frame;
use crate::bus::Delivery;

/// A frame, or how many events are missing in its place.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all of them are frames, and they are passed on at once"
)]
pub enum FrameItem {
    /// A frame.
    Frame(Frame),
    /// At this place, this many events are missing because the reader was too slow. Never zero.
    Lagged(u64),
}

impl FrameItem {
    /// The frame, unless this tells of a loss.
    pub fn into_frame(self) -> Option<Frame> {
        match self {
            Self::Frame(frame) => Some(frame),
            Self::Lagged(_) => None,
        }
    }
}

impl From<Frame> for FrameItem {
    fn from(frame: Frame) -> Self {
        Self::Frame(frame)
    }
}

impl From<Frame> for Option<FrameItem> {
    fn from(frame: Frame) -> Self {
        Some(FrameItem::Frame(frame))
    }
}

/// Hidden events give nothing.
impl From<Delivery> for Option<FrameItem> {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Event(event) => Frame::of(&event).map(FrameItem::Frame),
            Delivery::Lagged(missed) => Some(FrameItem::Lagged(missed)),
        }
    }
}
