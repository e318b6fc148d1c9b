//! What is captured of which subject.

use super::{CaptureMode, Carrier, ContentLimits};
use crate::event::Subject;

/// What the builder was asked for; the rest is the environment's and the defaults'.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) capture: Option<CaptureMode>,
    pub(crate) subjects: Vec<(Subject, CaptureMode)>,
    pub(crate) carrier: Option<Carrier>,
    pub(crate) details: Option<bool>,
    pub(crate) limits: ContentLimits,
}

/// The rules of one installation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    capture: CaptureMode,
    /// The last one of a subject counts.
    subjects: Vec<(Subject, CaptureMode)>,
    pub(crate) carrier: Carrier,
    /// Whether the log event with the details of a model call is emitted.
    pub(crate) details: bool,
    pub(crate) limits: ContentLimits,
}

impl Rules {
    /// The builder's word over the environment's.
    pub(crate) fn new(asked: Asked, env: Asked) -> Self {
        let carrier = asked.carrier.or(env.carrier).unwrap_or_default();
        let rules = Self {
            capture: asked.capture.or(env.capture).unwrap_or_default(),
            subjects: asked.subjects,
            carrier,
            details: false,
            limits: asked.limits,
        };
        let details = asked.details.or(env.details);
        Self {
            details: details.unwrap_or(carrier.has_event() && rules.any()),
            ..rules
        }
    }

    /// What is captured of a record of this subject.
    pub(crate) fn of(&self, subject: Option<Subject>) -> CaptureMode {
        let of = |subject| {
            let mut all = self.subjects.iter().rev();
            all.find_map(|(of, capture)| (*of == subject).then_some(*capture))
        };
        subject.and_then(of).unwrap_or(self.capture)
    }

    /// What is captured, in a word.
    #[cfg(feature = "viewer")]
    pub(crate) fn word(&self) -> &'static str {
        let same = self
            .subjects
            .iter()
            .all(|(_, capture)| *capture == self.capture);
        if same { self.capture.as_str() } else { "mixed" }
    }

    /// Whether content of anything is captured, in any form.
    pub(crate) fn any(&self) -> bool {
        let mut all = self.subjects.iter().map(|(_, capture)| *capture);
        self.capture != CaptureMode::Off || all.any(|capture| capture != CaptureMode::Off)
    }

    /// Whether texts of errors are captured unless that is decided apart.
    pub(crate) fn texts(&self) -> bool {
        self.capture >= CaptureMode::Redacted
    }
}
