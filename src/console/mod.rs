#![allow(missing_docs)]
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {}
pub(crate) struct Console;
impl Console {
    pub(crate) fn new(_: ConsoleOptions) -> Self {
        Self
    }
    pub(crate) fn on_event(&mut self, _: &crate::event::Event) {}
    pub(crate) fn tick(&mut self, _: std::time::Instant) -> Option<std::time::Instant> {
        None
    }
    pub(crate) fn finish(&mut self) {}
}
