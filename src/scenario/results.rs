//! What came out of a run.

use std::fmt;

use serde_json::{Map, Value as Json};

use super::names;
use crate::event::Value;
use crate::semconv;

/// What the judge says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The scenario was passed.
    Success,
    /// It was not.
    Failure,
    /// Nobody could decide. It counts as not passed.
    Inconclusive,
}

impl Verdict {
    /// `success`, `failure` or `inconclusive`, as `scenario.verdict` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// How a run ends that was judged so.
    pub const fn status(self) -> Status {
        match self {
            Self::Success => Status::Success,
            Self::Failure | Self::Inconclusive => Status::Failed,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It was judged, and passed: `workflow.completed`.
    Success,
    /// It was judged, and did not pass: `workflow.failed` with `error.type` `verdict_failure`.
    Failed,
    /// It broke off before a verdict: `workflow.failed` with the error's type, `panic` for a panic.
    Error,
    /// It was given up: `workflow.canceled`.
    Cancelled,
}

impl Status {
    /// `SUCCESS`, `FAILED`, `ERROR` or `CANCELLED`, as `scenario.status` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The verdict on a run and what it rests on; what a run is [finished](super::Run::finish) with.
///
/// ```
/// use tracing_genai::scenario::{EvaluatorResult, Results};
///
/// let results = Results::failure()
///     .reasoning("The agent never said the temperature.")
///     .met("The agent is helpful")
///     .unmet("The agent gives a temperature")
///     .evaluation(EvaluatorResult::new("toxicity").score(0.01).passed(true));
/// # drop(results);
/// ```
#[derive(Clone, PartialEq)]
#[must_use = "a run is finished with it"]
pub struct Results {
    verdict: Verdict,
    reasoning: Option<String>,
    met: Vec<String>,
    unmet: Vec<String>,
    inconclusive: Vec<String>,
    evaluations: Vec<EvaluatorResult>,
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The reasoning quotes the conversation.
        f.debug_struct("Results")
            .field("verdict", &self.verdict)
            .field("met", &self.met)
            .field("unmet", &self.unmet)
            .field("inconclusive", &self.inconclusive)
            .field("evaluations", &self.evaluations)
            .finish_non_exhaustive()
    }
}

impl Results {
    /// This verdict.
    pub fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            reasoning: None,
            met: Vec::new(),
            unmet: Vec::new(),
            inconclusive: Vec::new(),
            evaluations: Vec::new(),
        }
    }

    /// The scenario was passed.
    pub fn success() -> Self {
        Self::new(Verdict::Success)
    }

    /// The scenario was not passed.
    pub fn failure() -> Self {
        Self::new(Verdict::Failure)
    }

    /// Nobody could decide.
    pub fn inconclusive() -> Self {
        Self::new(Verdict::Inconclusive)
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why, in the judge's words: content, which is kept where [that is captured](crate::content).
    pub fn reasoning(mut self, text: impl Into<String>) -> Self {
        self.reasoning = Some(text.into());
        self
    }

    /// A criterion that was met. Its text is the name of an evaluation, and is no content.
    pub fn met(mut self, criterion: impl Into<String>) -> Self {
        self.met.push(criterion.into());
        self
    }

    /// A criterion that was not met.
    pub fn unmet(mut self, criterion: impl Into<String>) -> Self {
        self.unmet.push(criterion.into());
        self
    }

    /// A criterion nobody could decide. It counts as unmet, and is listed there as well.
    pub fn undecided(mut self, criterion: impl Into<String>) -> Self {
        let criterion = criterion.into();
        self.unmet.push(criterion.clone());
        self.inconclusive.push(criterion);
        self
    }

    /// What an evaluator found.
    pub fn evaluation(mut self, evaluation: EvaluatorResult) -> Self {
        self.evaluations.push(evaluation);
        self
    }

    /// The attributes of the run's end; those of content apart, as `content` has it.
    pub(super) fn attributes(&self, content: bool) -> Vec<(&'static str, Value)> {
        let list = |texts: &[String]| Value::Array(texts.iter().map(Value::from).collect());
        let mut all = vec![
            (names::VERDICT, self.verdict.as_str().into()),
            (names::MET, list(&self.met)),
            (names::UNMET, list(&self.unmet)),
        ];
        if !self.inconclusive.is_empty() {
            all.push((names::INCONCLUSIVE, list(&self.inconclusive)));
        }
        if content {
            if !self.evaluations.is_empty() {
                let every = self.evaluations.iter().map(EvaluatorResult::json);
                all.push((names::EVALUATIONS, Json::Array(every.collect()).into()));
            }
            if let Some(text) = &self.reasoning {
                all.push((names::REASONING, text.into()));
            }
        }
        all
    }

    /// The attributes of one `evaluation.result` a criterion and evaluator.
    pub(super) fn judgements(&self) -> Vec<Vec<(String, Value)>> {
        let decided = |criterion: &&String| !self.inconclusive.contains(criterion);
        let of = |criterion: &String, label: &str, score: Option<f64>| {
            let mut attrs = vec![
                (semconv::GEN_AI_EVALUATION_NAME.to_owned(), criterion.into()),
                (
                    semconv::GEN_AI_EVALUATION_SCORE_LABEL.to_owned(),
                    label.into(),
                ),
            ];
            if let Some(score) = score {
                let name = semconv::GEN_AI_EVALUATION_SCORE_VALUE.to_owned();
                attrs.push((name, score.into()));
            }
            attrs
        };
        let met = self.met.iter().map(|it| of(it, "pass", Some(1.0)));
        let unmet = self.unmet.iter().filter(decided);
        let unmet = unmet.map(|it| of(it, "fail", Some(0.0)));
        let undecided = self.inconclusive.iter();
        let undecided = undecided.map(|it| of(it, "inconclusive", None));
        let evaluators = self.evaluations.iter().map(EvaluatorResult::attributes);
        met.chain(unmet)
            .chain(undecided)
            .chain(evaluators)
            .collect()
    }
}

/// What an evaluator says of a run: a score, a label, whether it is passed, why.
#[derive(Clone, PartialEq)]
#[must_use = "it goes into `Results::evaluation`"]
pub struct EvaluatorResult {
    name: String,
    score: Option<f64>,
    passed: Option<bool>,
    label: Option<String>,
    details: Option<String>,
}

impl fmt::Debug for EvaluatorResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvaluatorResult")
            .field("name", &self.name)
            .field("score", &self.score)
            .field("passed", &self.passed)
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl EvaluatorResult {
    /// The result of the evaluator of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            score: None,
            passed: None,
            label: None,
            details: None,
        }
    }

    /// `gen_ai.evaluation.score.value`.
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Whether the run passed it: `evaluation.passed`.
    pub fn passed(mut self, passed: bool) -> Self {
        self.passed = Some(passed);
        self
    }

    /// `gen_ai.evaluation.score.label`: what the score means, of few values.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Why: content, `gen_ai.evaluation.explanation`.
    pub fn details(mut self, text: impl Into<String>) -> Self {
        self.details = Some(text.into());
        self
    }

    /// Each fact with its name on the wire and the one of its attribute.
    fn facts(&self) -> Vec<(&'static str, &'static str, Json)> {
        let text = |text: &Option<String>| text.clone().map(Json::from);
        let facts = [
            (
                "name",
                semconv::GEN_AI_EVALUATION_NAME,
                Some(Json::from(self.name.as_str())),
            ),
            (
                "score",
                semconv::GEN_AI_EVALUATION_SCORE_VALUE,
                self.score.map(Json::from),
            ),
            ("passed", "evaluation.passed", self.passed.map(Json::from)),
            (
                "label",
                semconv::GEN_AI_EVALUATION_SCORE_LABEL,
                text(&self.label),
            ),
            (
                "details",
                semconv::GEN_AI_EVALUATION_EXPLANATION,
                text(&self.details),
            ),
        ];
        facts
            .into_iter()
            .filter_map(|(wire, attr, json)| Some((wire, attr, json?)))
            .collect()
    }

    fn json(&self) -> Json {
        let facts = self.facts().into_iter();
        let facts = facts.map(|(wire, _, json)| (wire.to_owned(), json));
        Json::Object(facts.collect::<Map<_, _>>())
    }

    fn attributes(&self) -> Vec<(String, Value)> {
        let facts = self.facts().into_iter();
        facts
            .map(|(_, attr, json)| (attr.to_owned(), json.into()))
            .collect()
    }
}
