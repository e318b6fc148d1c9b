//! An answer as it is put together: the draft, and the shape that fills it.

use serde_json::Value as Json;

use super::draft::{Draft, Kind, Want};
use super::shape::Shape;
use super::{Answer, Api, error};
use crate::event::Attrs;
use crate::semconv;

/// Reads the frames of one answer, or a whole one.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    shape: &'static Shape,
    draft: Draft,
    /// Attributes of the OpenAI conventions are for OpenAI's own APIs.
    openai: bool,
}

/// What a frame was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// It held generated output.
    pub(crate) output: bool,
    /// It told more than text.
    pub(crate) news: bool,
}

impl Fold {
    pub(super) fn new(api: Api, provider: &str, want: Want) -> Self {
        let shape = api.shape();
        Self {
            shape,
            draft: Draft::new(want, shape.usage),
            openai: matches!(
                provider,
                "" | semconv::provider::OPENAI | semconv::provider::AZURE_AI_OPENAI
            ),
        }
    }

    /// One that keeps the text of each frame, for whoever tells it on, and the messages where `content` asks for them.
    pub(crate) fn of_frames(api: Api, content: bool) -> Self {
        let want = Want {
            content,
            piece: true,
            ..Want::default()
        };
        Self::new(api, "", want)
    }

    /// Reads a whole answer.
    pub(super) fn whole(api: Api, provider: &str, want: Want, answer: &Json) -> Answer {
        let mut fold = Self::new(api, provider, want);
        fold.read_whole(answer);
        fold.answer()
    }

    pub(super) fn read_whole(&mut self, answer: &Json) {
        match error::of(answer) {
            Some(error) => self.draft.error(error),
            None => (self.shape.whole)(&mut self.draft, answer),
        }
        self.draft.complete = true;
    }

    /// Reads the next frame of a stream. `event` is the name it came under, empty if it has none.
    pub(crate) fn frame(&mut self, event: &str, frame: &Json) -> Frame {
        self.draft.next_frame();
        match error::of_frame(frame) {
            Some(error) => self.draft.error(error),
            None => (self.shape.frame)(&mut self.draft, event, frame),
        }
        Frame {
            output: self.draft.output,
            news: self.draft.news,
        }
    }

    /// The text of the last frame, and whether it is reasoning. Arguments of tool calls are no text.
    pub(crate) fn take_piece(&mut self) -> Option<(bool, String)> {
        let (kind, text) = self.draft.piece.take()?;
        Some((kind == Kind::Reasoning, text))
    }

    pub(super) fn error(&mut self, error: super::ProviderError) {
        self.draft.error(error);
    }

    /// The stream said that it is at its end.
    pub(super) fn done(&mut self) {
        self.draft.complete = true;
    }

    /// Something could not be read.
    pub(super) fn unread(&mut self) {
        self.draft.unread = self.draft.unread.saturating_add(1);
    }

    /// What is known.
    pub(crate) fn answer(&self) -> Answer {
        self.of_the_provider(self.draft.answer())
    }

    /// The same without the messages.
    pub(crate) fn facts(&self) -> Answer {
        self.of_the_provider(self.draft.facts())
    }

    /// The messages alone.
    pub(crate) fn content(&self) -> Attrs {
        self.draft.content()
    }

    fn of_the_provider(&self, mut answer: Answer) -> Answer {
        if !self.openai {
            for name in [
                semconv::OPENAI_RESPONSE_SERVICE_TIER,
                semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT,
            ] {
                answer.attrs.remove(name);
            }
        }
        answer
    }
}
