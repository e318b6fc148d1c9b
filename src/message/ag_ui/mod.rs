//! AG-UI, the protocol between agents and user interfaces: its messages, and its events.
//!
//! Owns: what a message and an event of this library are called there, after <https://docs.ag-ui.com>.
//! Promise: the order of the events keeps the protocol's rules (what is opened is closed, nothing is opened twice, a run starts
//! first and ends last), whatever the order of the frames.
//! Never: makes content up. What was not captured is not in an event.

mod event;
mod project;
mod read;
mod stream;
mod write;

pub use self::{
    event::AgUiEvent, project::AgUi, read::from_ag_ui, stream::AgUiStream, write::to_ag_ui,
};
