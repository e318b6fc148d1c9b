//! The four ids of a run, given or made.

use std::sync::OnceLock;
use std::time::SystemTime;

use super::names;
use crate::event::EventId;

/// The variable that names the batch, as Scenario's own SDKs read it.
const BATCH_VARIABLE: &str = "SCENARIO_BATCH_RUN_ID";

/// Which run it is, of which scenario, in which set and batch.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) batch: String,
    pub(super) scenario: String,
    pub(super) run: String,
    pub(super) set: String,
}

impl Ids {
    /// The attributes of everything that happens in the run.
    pub(super) fn attributes(&self) -> [(&'static str, &str); 4] {
        [
            (names::BATCH, &self.batch),
            (names::ID, &self.scenario),
            (names::RUN, &self.run),
            (names::SET, &self.set),
        ]
    }
}

pub(super) fn fresh(kind: &str) -> String {
    format!("{kind}_{}", EventId::generate(SystemTime::now()))
}

/// The batch of this process: the variable's, else one that is made once.
pub(super) fn batch() -> String {
    static MADE: OnceLock<String> = OnceLock::new();
    let given = std::env::var(BATCH_VARIABLE).ok();
    given
        .filter(|id| !id.trim().is_empty())
        .unwrap_or_else(|| MADE.get_or_init(|| fresh("scenariobatchrun")).clone())
}

/// The id of a scenario that was given none: its name in small letters, so that it is the same in every run.
pub(super) fn of_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words: Vec<_> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    match words.is_empty() {
        true => fresh("scenario"),
        false => words.join("-"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_known_by_its_name_in_every_run() {
        assert_eq!(of_name("weather query test"), "weather-query-test");
        assert_eq!(of_name("  Größe: XL! "), "größe-xl");
        assert!(of_name("!!").starts_with("scenario_"));
        assert_ne!(of_name(""), of_name(""));
    }
}
