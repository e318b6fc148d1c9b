//! Names of ours on the spans and moments of the event taxonomy.
//!
//! Owns what the conventions have no word for and an event has a field for: `<subject>.<field>`, in the words of the systems
//! the events come from. Never: content. Texts of people and models travel in an event's body.

/// Which dialect said it: `crew`, `pipeline`, `flow` (string).
pub const GENAI_FLAVOR: &str = "genai.flavor";

/// The id of the event that set this off (string, a UUID).
pub const GENAI_TRIGGERED_BY: &str = "genai.triggered_by";

/// The caller's own id for one run of a workflow, the same before and after a pause (string).
pub const WORKFLOW_RUN_ID: &str = "workflow.run.id";

/// Which attempt this is, from 1 (integer).
pub const STEP_ATTEMPT: &str = "step.attempt";
/// The step's place in its plan (integer).
pub const STEP_INDEX: &str = "step.index";
/// How much is done (integer).
pub const STEP_PROGRESS_CURRENT: &str = "step.progress.current";
/// How much there is to do; 0 when nobody knows (integer).
pub const STEP_PROGRESS_TOTAL: &str = "step.progress.total";
/// Whether a validation passed (boolean).
pub const STEP_VALIDATION_VALID: &str = "step.validation.valid";
/// `structural` or `semantic` (string).
pub const STEP_VALIDATION_TYPE: &str = "step.validation.type";

/// Where a routing decision leads (string).
pub const ROUTING_SELECTED: &str = "routing.selected";
/// Why (string).
pub const ROUTING_REASON: &str = "routing.reason";
/// Where the route led before (string).
pub const ROUTING_PREVIOUS: &str = "routing.previous";

/// Which attempt at a tool call this is, from 1 (integer).
pub const TOOL_ATTEMPT: &str = "tool.attempt";
/// Whether a tool's result came from a cache (boolean).
pub const TOOL_FROM_CACHE: &str = "tool.from_cache";
/// Why a tool says it failed (string, few values).
pub const TOOL_FAILURE_REASON: &str = "tool.failure.reason";
/// The tool's own code for it (string).
pub const TOOL_FAILURE_CODE: &str = "tool.failure.code";
/// Whether trying again may help (boolean).
pub const TOOL_FAILURE_RETRYABLE: &str = "tool.failure.retryable";
/// What is done about it: `ignore`, `warn` or `raise` (string).
pub const TOOL_FAILURE_POLICY: &str = "tool.failure.policy";

/// The name of an inline artefact tag (string).
pub const TAG_NAME: &str = "tag.name";

/// The name of a guardrail (string).
pub const GUARDRAIL_NAME: &str = "guardrail.name";
/// What kind of guardrail it is (string).
pub const GUARDRAIL_TYPE: &str = "guardrail.type";
/// `allow` or `deny` (string).
pub const GUARDRAIL_VERDICT: &str = "guardrail.verdict";
/// Why it denied (string).
pub const GUARDRAIL_REASON: &str = "guardrail.reason";

/// The id that ties a question to a person to the answer (string).
pub const HUMAN_REQUEST_ID: &str = "human.request.id";
/// What a person may choose from (strings).
pub const HUMAN_OUTCOMES: &str = "human.outcomes";
/// What a person chose (string).
pub const HUMAN_OUTCOME: &str = "human.outcome";

/// Why something was blocked (string).
pub const SECURITY_BLOCK_REASON: &str = "security.block_reason";
/// How bad it looks: `suspicious` or `dangerous` (string).
pub const SECURITY_ALERT_LEVEL: &str = "security.alert_level";
/// The rule that found it (string, few values).
pub const SECURITY_RULE: &str = "security.rule";
/// The rules that found something, the worst first (strings).
pub const SECURITY_RULES: &str = "security.rules";
/// What kind of thing it is: `dangerous_commands`, `prompt_manipulation`, `sensitive_data` (string, few values).
pub const SECURITY_CATEGORY: &str = "security.category";
/// How bad the worst finding is: `low`, `medium` or `high` (string).
pub const SECURITY_SEVERITY: &str = "security.severity";
/// How many places were found (int).
pub const SECURITY_MATCHES: &str = "security.matches";
/// Where the text was on its way: `prompt`, `message`, `tool_call`, `tool_result`, `response` or `stream` (string).
pub const SECURITY_POINT: &str = "security.point";
/// How long the text is that was checked, in bytes (int).
pub const SECURITY_TEXT_BYTES: &str = "security.text_bytes";
/// What was done about it: `logged`, `alerted` or `blocked` (string).
pub const SECURITY_ACTION: &str = "security.action";

/// The fingerprint of who emits, for instance of an agent's configuration (string).
pub const SOURCE_FINGERPRINT: &str = "source.fingerprint";
/// What kind of thing emits: `agent`, `crew`, `task` (string).
pub const SOURCE_TYPE: &str = "source.type";
/// What else is known of who emits (a JSON object).
pub const SOURCE_METADATA: &str = "source.metadata";

/// A framework that was instrumented (string).
pub const FRAMEWORK_NAME: &str = "framework.name";

/// The function that was called (string).
pub const CODE_FUNCTION_NAME: &str = "code.function.name";
