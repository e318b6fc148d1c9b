//! What is known of a run before it starts.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use tracing::Span;

use super::ids::{self, Ids};
use super::{Results, Run, Verdict, names};
use crate::event::{Key, Value};
use crate::span::{Plain, Starter, workflow};

/// A run of a scenario about to start.
///
/// Ids that are not given are made: the scenario's from its name (`weather-query-test`), the run's at random, the batch's from
/// the variable `SCENARIO_BATCH_RUN_ID`, else one a process. The set is `default`.
///
/// ```
/// use tracing_genai::scenario::{Results, Scenario};
///
/// let run = Scenario::new("refund").set("nightly").field("tier", "gold").start();
/// assert_eq!(run.scenario_id(), "refund");
/// run.finish(Results::inconclusive().reasoning("The judge ran out of turns."));
/// ```
#[must_use = "nothing is recorded until `start`, `run` or `in_scope`"]
pub struct Scenario {
    name: String,
    id: Option<String>,
    run: Option<String>,
    batch: Option<String>,
    set: Option<String>,
    description: Option<String>,
    agents: Vec<Agent>,
    fields: Map<String, Json>,
    metadata: Vec<(String, Value)>,
    attributes: Vec<(Key, Value)>,
    place: Option<Place>,
    snapshots: Snapshots,
}

enum Place {
    Root,
    Below(Span),
}

/// Who takes part in a run: its name and its part, `agent` (what is tested), `user` or `judge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Agent {
    /// What it is called.
    pub name: String,
    /// Its part.
    pub role: String,
}

impl Agent {
    /// An agent of this name and part.
    pub fn new(name: impl Into<String>, role: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role: role.into(),
        }
    }
}

impl From<(&str, &str)> for Agent {
    fn from((name, role): (&str, &str)) -> Self {
        Self::new(name, role)
    }
}

/// How the conversation is told; see [`Run::messages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Snapshots {
    /// All messages each time. The default, and what LangWatch takes.
    #[default]
    Full,
    /// What changed since the snapshot before: a long conversation costs its length, not its square. A [`Transcript`] and
    /// [`Payloads`](super::Payloads) put the whole together again.
    ///
    /// [`Transcript`]: super::Transcript
    Delta,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario")
            .field("name", &self.name)
            .field("snapshots", &self.snapshots)
            .finish_non_exhaustive()
    }
}

impl Scenario {
    /// A scenario of this name, which is the workflow's: `gen_ai.workflow.name`, a label of metrics. Keep it to few values.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            id: None,
            run: None,
            batch: None,
            set: None,
            description: None,
            agents: Vec::new(),
            fields: Map::new(),
            metadata: Vec::new(),
            attributes: Vec::new(),
            place: None,
            snapshots: Snapshots::Full,
        }
    }

    /// The scenario's id, the same in every run: `scenario.id`.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The run's id, of this run only: `scenario.run.id`.
    pub fn run_id(mut self, id: impl Into<String>) -> Self {
        self.run = Some(id.into());
        self
    }

    /// The set of scenarios it belongs to: `scenario.set.id`.
    pub fn set(mut self, id: impl Into<String>) -> Self {
        self.set = Some(id.into());
        self
    }

    /// What runs together, a job of a CI for instance: `scenario.batch_run.id`.
    pub fn batch(mut self, id: impl Into<String>) -> Self {
        self.batch = Some(id.into());
        self
    }

    /// What it is about: `workflow.description`.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Who takes part, in the order of the list: `scenario.agents`.
    pub fn agents(mut self, agents: impl IntoIterator<Item = impl Into<Agent>>) -> Self {
        self.agents.extend(agents.into_iter().map(Into::into));
        self
    }

    /// A value the scenario carries beside its description, one of `scenario.fields`.
    pub fn field(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = Value::from_serialize(&value).to_json();
        self.fields.insert(name.into(), value);
        self
    }

    /// Anything else LangWatch is to have of the run: `scenario.metadata.{name}`.
    pub fn metadata(mut self, name: &str, value: impl Serialize) -> Self {
        let name = format!("{}{name}", names::METADATA);
        self.metadata.push((name, Value::from_serialize(&value)));
        self
    }

    /// Sets any attribute of the run's span. It is no part of what LangWatch gets.
    pub fn attr(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// How [`Run::messages`] tells the conversation.
    pub fn snapshots(mut self, snapshots: Snapshots) -> Self {
        self.snapshots = snapshots;
        self
    }

    /// Below `parent` instead of the span this thread is in.
    pub fn parent(mut self, parent: &Span) -> Self {
        self.place = Some(Place::Below(parent.clone()));
        self
    }

    /// A trace of its own.
    pub fn root(mut self) -> Self {
        self.place = Some(Place::Root);
        self
    }

    /// Starts the run.
    pub fn start(self) -> Run {
        let ids = Ids {
            batch: self.batch.unwrap_or_else(ids::batch),
            scenario: self.id.unwrap_or_else(|| ids::of_name(&self.name)),
            run: self.run.unwrap_or_else(|| ids::fresh("scenariorun")),
            set: self.set.unwrap_or_else(|| "default".to_owned()),
        };
        let mut starter: Starter<Plain> = workflow(&self.name).flavor(names::FLAVOR);
        for (name, value) in ids.attributes() {
            starter = starter.attr(name, value);
        }
        if let Some(text) = self.description {
            starter = starter.attr(names::DESCRIPTION, text);
        }
        if !self.agents.is_empty() {
            starter = starter.attr(names::AGENTS, Value::from(json!(self.agents)));
        }
        if !self.fields.is_empty() {
            starter = starter.attr(names::FIELDS, Value::from(Json::Object(self.fields)));
        }
        for (name, value) in self.metadata {
            starter = starter.attr(name, value);
        }
        for (name, value) in self.attributes {
            starter = starter.attr(name, value);
        }
        starter = match &self.place {
            Some(Place::Root) => starter.root(),
            Some(Place::Below(parent)) => starter.parent(parent),
            None => starter,
        };
        Run::new(starter.start(), ids, self.snapshots)
    }

    /// Starts the run, runs `play` inside it, and finishes it with the results it gives: an `Err` ends the run as `ERROR`, being
    /// dropped as `CANCELLED`, a panic as `ERROR`. Gives the verdict.
    ///
    /// ```
    /// use tracing_genai::scenario::{Results, Run, Scenario, Verdict};
    /// use tracing_genai::message::Message;
    ///
    /// # async fn ask(_: &str) -> Result<String, std::io::Error> { Ok("14 °C".into()) }
    /// # async fn example() -> Result<(), std::io::Error> {
    /// let verdict = Scenario::new("weather query test")
    ///     .run(async |run: &Run| {
    ///         let answer = ask("What's the weather like?").await?;
    ///         run.messages(&[Message::user("What's the weather like?"), Message::assistant(answer)]);
    ///         Ok::<_, std::io::Error>(Results::success().met("The agent answers"))
    ///     })
    ///     .await?;
    /// assert_eq!(verdict, Verdict::Success);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What `play` gives, once the run has ended.
    pub async fn run<E: fmt::Display>(
        self,
        play: impl AsyncFnOnce(&Run) -> Result<Results, E>,
    ) -> Result<Verdict, E> {
        let run = self.start();
        let results = run.run(play(&run)).await?;
        let verdict = results.verdict();
        run.finish(results);
        Ok(verdict)
    }

    /// The same for code that does not await.
    ///
    /// # Errors
    /// What `play` gives, once the run has ended.
    pub fn in_scope<E: fmt::Display>(
        self,
        play: impl FnOnce(&Run) -> Result<Results, E>,
    ) -> Result<Verdict, E> {
        let run = self.start();
        match run.in_scope(|| play(&run)) {
            Ok(results) => {
                let verdict = results.verdict();
                run.finish(results);
                Ok(verdict)
            }
            Err(error) => {
                run.fail(&error);
                Err(error)
            }
        }
    }
}
