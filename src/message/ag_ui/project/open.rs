//! What is open: opened once, and closed with the span it belongs to.

use std::time::SystemTime;

use serde_json::Value as Json;

use super::super::AgUiEvent;
use super::{AgUi, Item, ItemKind, MOST, Now, owner, text};
use crate::frame::Frame;

impl AgUi {
    /// Opens it, unless it is open; false if there is no room for it.
    pub(super) fn open_item(
        &mut self,
        now: &mut Now<'_>,
        kind: ItemKind,
        id: &str,
        owner: &str,
        more: impl FnOnce(AgUiEvent) -> AgUiEvent,
    ) -> bool {
        if self
            .open
            .iter()
            .any(|item| item.kind == kind && item.id == id)
        {
            return true;
        }
        if self.open.len() >= MOST {
            self.unshown += 1;
            return false;
        }
        let time = now.frame.time;
        let event = match kind {
            ItemKind::Text => AgUiEvent::new(
                "TEXT_MESSAGE_START",
                time,
                [("messageId", id.into()), ("role", "assistant".into())],
            ),
            ItemKind::Reasoning => {
                now.say("REASONING_START", [("messageId", id.into())]);
                AgUiEvent::new(
                    "REASONING_MESSAGE_START",
                    time,
                    [("messageId", id.into()), ("role", "reasoning".into())],
                )
            }
            ItemKind::Call => AgUiEvent::new("TOOL_CALL_START", time, [("toolCallId", id.into())]),
            ItemKind::Step => AgUiEvent::new("STEP_STARTED", time, [("stepName", id.into())]),
        };
        now.out.push(more(event));
        self.open.push(Item {
            kind,
            id: id.to_owned(),
            owner: owner.to_owned(),
            index: None,
        });
        true
    }

    pub(super) fn open_call(
        &mut self,
        now: &mut Now<'_>,
        id: &str,
        name: &str,
        owner: &str,
        index: Option<u64>,
    ) -> bool {
        if self.called.len() >= MOST {
            self.unshown += 1;
            return false;
        }
        let parent = text(now.frame, "message.parent.id").map(str::to_owned);
        let opened = self.open_item(now, ItemKind::Call, id, owner, |event| {
            let event = event.with("toolCallName", name);
            match parent {
                Some(parent) => event.with("parentMessageId", parent),
                None => event,
            }
        });
        if opened {
            self.called.insert(id.to_owned());
            if let Some(item) = self.open.last_mut() {
                item.index = index;
            }
        }
        opened
    }

    pub(super) fn close_owned(&mut self, now: &mut Now<'_>) {
        let owner = owner(now.frame);
        self.close(now.frame.time, now.out, |item| item.owner == owner);
    }

    pub(super) fn owns(&self, frame: &Frame) -> bool {
        let owner = owner(frame);
        self.open.iter().any(|item| item.owner == owner)
    }

    /// Closes what `which` says, the last opened first.
    pub(super) fn close(
        &mut self,
        time: SystemTime,
        out: &mut Vec<AgUiEvent>,
        which: impl Fn(&Item) -> bool,
    ) {
        let closed: Vec<Item> = self.open.extract_if(.., |item| which(item)).collect();
        for item in closed.into_iter().rev() {
            let id = || Json::from(item.id.as_str());
            let mut say = |ty, name| out.push(AgUiEvent::new(ty, time, [(name, id())]));
            match item.kind {
                ItemKind::Text => say("TEXT_MESSAGE_END", "messageId"),
                ItemKind::Reasoning => {
                    say("REASONING_MESSAGE_END", "messageId");
                    say("REASONING_END", "messageId");
                }
                ItemKind::Call => say("TOOL_CALL_END", "toolCallId"),
                ItemKind::Step => say("STEP_FINISHED", "stepName"),
            }
        }
    }

    pub(super) fn remember_stream(&mut self, owner: &str) {
        if self.streamed.len() < MOST {
            self.streamed.insert(owner.to_owned());
        }
    }
}
