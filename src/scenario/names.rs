//! What the attributes of a scenario run are called; the import of foreign documents uses the same names.

pub(super) const FLAVOR: &str = "scenario";

pub(super) const BATCH: &str = "scenario.batch_run.id";
pub(super) const ID: &str = "scenario.id";
pub(super) const RUN: &str = "scenario.run.id";
pub(super) const SET: &str = "scenario.set.id";

pub(super) const DESCRIPTION: &str = "workflow.description";
pub(super) const AGENTS: &str = "scenario.agents";
pub(super) const FIELDS: &str = "scenario.fields";
pub(super) const METADATA: &str = "scenario.metadata.";

pub(super) const STATUS: &str = "scenario.status";
pub(super) const VERDICT: &str = "scenario.verdict";
pub(super) const REASONING: &str = "scenario.reasoning";
pub(super) const MET: &str = "scenario.criteria.met";
pub(super) const UNMET: &str = "scenario.criteria.unmet";
pub(super) const INCONCLUSIVE: &str = "scenario.criteria.inconclusive";
pub(super) const CRITERIA: &str = "scenario.criteria.verdicts";
pub(super) const EVALUATIONS: &str = "scenario.evaluations";
pub(super) const RESULTS: &str = "scenario.results.";
/// Why a run was canceled, a word of few values. Under [`RESULTS`], so that it travels with the results.
pub(super) const REASON: &str = "scenario.results.reason";

pub(super) const MESSAGE_COUNT: &str = "conversation.message_count";
pub(super) const MESSAGE_ID: &str = "message.id";
pub(super) const MESSAGE_ROLE: &str = "message.role";
pub(super) const MESSAGE_INDEX: &str = "message.index";
pub(super) const MESSAGE_PARENT: &str = "message.parent.id";
