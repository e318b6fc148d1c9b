//! What other systems call these events: one table, both ways.
//!
//! Promise: within a dialect no name stands for two events, and no two events are written under the same name unless the
//! dialect itself tells them apart by a field only.
//! Never: guesses. A name that is not in the table has no alias.

mod table;

use std::{fmt, sync::LazyLock};

use super::{EventType, Flavor, Level, Phase, Subject};

/// A system whose names for events are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// Cylestio Monitor, first generation: `LLM_call_start`.
    Cylestio,
    /// Cylestio Monitor, later versions in the shape of OpenTelemetry: `llm.call.start`.
    CylestioOtel,
    /// AITaskAgent: `pipeline.started`, and the names of its classes.
    AiTaskAgent,
    /// crewAI and crewai-rust: `crew_kickoff_started`, and the names of their classes.
    CrewAi,
    /// LangWatch Scenario: `SCENARIO_RUN_STARTED`, and the names of its classes.
    Scenario,
}

/// A name, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The type it stands for.
    pub ty: EventType,
    /// The flavor that tells it apart from others of the type.
    pub flavor: Flavor,
    /// The level its events have unless they say otherwise.
    pub level: Level,
}

/// One event of one dialect.
struct Alias {
    dialect: Dialect,
    /// The first is the one written; all are read. Never empty.
    names: &'static [&'static str],
    subject: Subject,
    phase: &'static str,
    flavor: &'static str,
    /// Where the dialect's level is not that of the type.
    level: Option<Level>,
    /// What the same name also stands for, told apart by a field (`Success`, `status`).
    also: &'static [(Subject, &'static str)],
}

impl Alias {
    fn resolved(&self) -> Resolved {
        let ty = EventType::new(self.subject, Phase::from(self.phase));
        Resolved {
            level: self.level.unwrap_or_else(|| ty.default_level()),
            flavor: Flavor::new(self.flavor),
            ty,
        }
    }

    /// Everything its names stand for.
    fn events(&self) -> impl Iterator<Item = (Subject, &'static str)> {
        [(self.subject, self.phase)]
            .into_iter()
            .chain(self.also.iter().copied())
    }

    fn writes(&self, ty: &EventType, flavor: &Flavor) -> bool {
        self.flavor == flavor.as_str()
            && self
                .events()
                .any(|event| event == (ty.subject(), ty.phase().as_str()))
    }
}

/// Every name, sorted; where dialects share one, in the order of [`Dialect::ALL`].
static NAMES: LazyLock<Vec<(&'static str, &'static Alias)>> = LazyLock::new(|| {
    let mut names: Vec<_> = table::TABLE
        .iter()
        .flat_map(|alias| alias.names.iter().map(move |name| (*name, alias)))
        .collect();
    names.sort_by_key(|(name, alias)| (*name, alias.dialect));
    names
});

fn aliases(name: &str) -> impl Iterator<Item = &'static Alias> + '_ {
    let from = NAMES.partition_point(|(known, _)| *known < name);
    NAMES[from..]
        .iter()
        .take_while(move |(known, _)| *known == name)
        .map(|(_, alias)| *alias)
}

/// What `name` stands for, in this library's own words or else in any dialect's; `None` if nobody has such a name.
pub(crate) fn resolve(name: &str) -> Option<Resolved> {
    if let Some(ty) = canonical(name) {
        return Some(Resolved {
            level: ty.default_level(),
            flavor: Flavor::NONE,
            ty,
        });
    }
    aliases(name).next().map(Alias::resolved)
}

/// Everything `name` stands for: what [`resolve`] finds, and the other outcomes a dialect tells under the same name.
pub(super) fn outcomes(name: &str) -> Vec<(EventType, Flavor)> {
    if let Some(ty) = canonical(name) {
        return vec![(ty, Flavor::NONE)];
    }
    let Some(alias) = aliases(name).next() else {
        return Vec::new();
    };
    alias
        .events()
        .map(|(subject, phase)| {
            let ty = EventType::new(subject, Phase::from(phase));
            (ty, Flavor::new(alias.flavor))
        })
        .collect()
}

/// Whose name this is, the first dialect that has it, unless it is this library's own; and what it stands for.
pub(super) fn foreign(name: &str) -> Option<(Dialect, Resolved)> {
    if canonical(name).is_some() {
        return None;
    }
    let alias = aliases(name).next()?;
    Some((alias.dialect, alias.resolved()))
}

/// `name` as a type of the subject table, if the table lists its phase.
///
/// A phase that is not listed does not count: `tool.error` is a name Cylestio has, not a moment of a tool.
fn canonical(name: &str) -> Option<EventType> {
    let (subject, phase) = name.rsplit_once('.')?;
    let subject = Subject::parse(subject)?;
    let known = subject.phases().iter().find(|known| **known == phase)?;
    Some(EventType::new(subject, Phase::from(*known)))
}

impl Dialect {
    /// Every dialect.
    pub const ALL: &'static [Self] = &[
        Self::Cylestio,
        Self::CylestioOtel,
        Self::AiTaskAgent,
        Self::CrewAi,
        Self::Scenario,
    ];

    /// A short name: `cylestio`, `cylestio-otel`, `ai-task-agent`, `crewai`, `scenario`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cylestio => "cylestio",
            Self::CylestioOtel => "cylestio-otel",
            Self::AiTaskAgent => "ai-task-agent",
            Self::CrewAi => "crewai",
            Self::Scenario => "scenario",
        }
    }

    /// What `name` stands for in this dialect.
    ///
    /// ```
    /// use tracing_genai::event::Dialect;
    ///
    /// let started = Dialect::AiTaskAgent.resolve("pipeline.started").unwrap();
    /// assert_eq!((started.ty, started.flavor.as_str()), ("workflow.started".parse()?, "pipeline"));
    /// assert!(Dialect::Cylestio.resolve("pipeline.started").is_none());
    /// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
    /// ```
    pub fn resolve(self, name: &str) -> Option<Resolved> {
        aliases(name)
            .find(|alias| alias.dialect == self)
            .map(Alias::resolved)
    }

    /// Every name this dialect has for an event, older and alternative spellings and names of classes included.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        table::TABLE
            .iter()
            .filter(move |alias| alias.dialect == self)
            .flat_map(|alias| alias.names.iter().copied())
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl EventType {
    /// What `name` stands for in any [`Dialect`], and the flavor that goes with it.
    ///
    /// This library's own reading wins: `step.started` is AITaskAgent's name as well and has no flavor here, while
    /// [`Dialect::resolve`] reads it as that system does. Where dialects share a name they mean the same by it.
    ///
    /// ```
    /// use tracing_genai::event::{Dialect, EventType};
    ///
    /// let crew = EventType::from_alias("crew_kickoff_started").unwrap();
    /// assert_eq!((&crew.ty, crew.flavor.as_str()), (&"workflow.started".parse()?, "crew"));
    /// assert_eq!(crew.ty.alias(Dialect::CrewAi, &crew.flavor), Some("crew_kickoff_started"));
    /// assert_eq!(EventType::from_alias("no_such_event"), None);
    /// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
    /// ```
    pub fn from_alias(name: &str) -> Option<Resolved> {
        resolve(name)
    }

    /// The name `dialect` has for this type and flavor; `None` if that system has no such event.
    ///
    /// Some systems tell an event's outcomes apart by a field only: `step.failed` is AITaskAgent's `step.completed`.
    pub fn alias(&self, dialect: Dialect, flavor: &Flavor) -> Option<&'static str> {
        table::TABLE
            .iter()
            .find(|alias| alias.dialect == dialect && alias.writes(self, flavor))
            .and_then(|alias| alias.names.first().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_dialect_uses_a_name_or_an_event_twice() {
        for dialect in Dialect::ALL {
            let (mut names, mut events) = (HashMap::new(), HashMap::new());
            for alias in table::TABLE
                .iter()
                .filter(|alias| alias.dialect == *dialect)
            {
                for name in alias.names {
                    assert!(names.insert(*name, ()).is_none(), "{dialect}: {name}");
                }
                for event in alias.events() {
                    let event = (event, alias.flavor);
                    assert!(events.insert(event, ()).is_none(), "{dialect}: {event:?}");
                }
            }
        }
    }

    #[test]
    fn the_first_name_of_an_event_leads_back_to_itself() {
        for alias in table::TABLE {
            for name in alias.names {
                let resolved = alias.dialect.resolve(name).unwrap();
                assert_eq!(
                    resolved.ty.alias(alias.dialect, &resolved.flavor),
                    Some(alias.names[0]),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn the_subject_table_lists_every_phase_a_name_stands_for() {
        for alias in table::TABLE {
            for (subject, phase) in alias.events() {
                assert!(subject.phases().contains(&phase), "{subject}.{phase}");
            }
        }
    }

    #[test]
    fn names_that_dialects_share_mean_the_same_everywhere() {
        for pair in NAMES.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            assert_eq!(
                pair[0].1.resolved(),
                pair[1].1.resolved(),
                "{}: give the later dialect's row the meaning of the earlier, or say which wins",
                pair[0].0
            );
        }
    }

    #[test]
    fn this_library_s_own_reading_of_a_name_wins() {
        let own = resolve("tag.started").unwrap();
        assert_eq!(
            (own.ty.to_string().as_str(), own.flavor.as_str()),
            ("tag.started", "")
        );
        let theirs = Dialect::AiTaskAgent.resolve("tag.started").unwrap();
        assert_eq!((theirs.ty, theirs.flavor.as_str()), (own.ty, "tag"));
        assert_eq!(resolve("tool.error").unwrap().ty, *"tool.call.failed");
        assert_eq!(resolve("tool.call").unwrap().ty, *"tool.call.started");
        assert_eq!(resolve("tool.whatever"), None);
        assert_eq!(resolve(""), None);
    }
}
