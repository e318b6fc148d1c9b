//! From a span that ended, or a moment, to the instruments it counts in.
//!
//! Promise: attributes are read once a span and shared by all its metrics, which the conventions let differ by one at most.
//! Never: decides what a value is; [`Facts`] does.

use opentelemetry::KeyValue;

use super::Metrics;
use super::facts::{Facts, Work};
use crate::event::{Subject, Usage};
use crate::record::{Record, What};
use crate::semconv::{self, token_modality, token_type};

/// What every metric of a client operation has, and the only thing that a price depends on.
const MODEL: &[&str] = &[
    semconv::GEN_AI_OPERATION_NAME,
    semconv::GEN_AI_PROVIDER_NAME,
    semconv::GEN_AI_REQUEST_MODEL,
    semconv::GEN_AI_RESPONSE_MODEL,
];
/// What every metric of a client operation has besides.
const SERVER: &[&str] = &[semconv::SERVER_ADDRESS, semconv::SERVER_PORT];
/// What metrics have that tell failures apart.
const ERROR: &[&str] = &[semconv::ERROR_TYPE];

/// What the price of a call has besides its model.
const COST: &[&str] = &[semconv::GENAI_COST_SOURCE, semconv::GEN_AI_AGENT_NAME];
/// What a security finding is told apart by. Rules and categories come from the application's own lists, which are short.
const FINDING: &[&str] = &[
    semconv::SECURITY_ALERT_LEVEL,
    semconv::SECURITY_ACTION,
    semconv::SECURITY_CATEGORY,
    semconv::SECURITY_RULE,
    semconv::SECURITY_POINT,
];

/// What a retry is told apart by.
const RETRY: &[&str] = &[semconv::GEN_AI_AGENT_NAME, semconv::ERROR_TYPE];

const AGENT: &[&str] = &[semconv::GEN_AI_AGENT_NAME];
const AGENT_RUN: &[&str] = &[semconv::GEN_AI_AGENT_NAME, semconv::GEN_AI_REQUEST_MODEL];
const WORKFLOW_RUN: &[&str] = &[semconv::GEN_AI_WORKFLOW_NAME];
const TOOL_RUN: &[&str] = &[
    semconv::GEN_AI_TOOL_NAME,
    semconv::GEN_AI_TOOL_TYPE,
    semconv::GEN_AI_AGENT_NAME,
];

/// What an MCP message's durations have. The names a server is sent are bounded in length by what reads them, and in number
/// by the limit of the SDK.
const MCP: &[&str] = &[
    semconv::MCP_METHOD_NAME,
    semconv::GEN_AI_OPERATION_NAME,
    semconv::GEN_AI_TOOL_NAME,
    semconv::GEN_AI_PROMPT_NAME,
    semconv::RPC_RESPONSE_STATUS_CODE,
    semconv::MCP_PROTOCOL_VERSION,
    semconv::JSONRPC_PROTOCOL_VERSION,
    semconv::NETWORK_TRANSPORT,
    semconv::NETWORK_PROTOCOL_NAME,
    semconv::NETWORK_PROTOCOL_VERSION,
];

/// What a whole MCP session has.
const MCP_SESSION: &[&str] = &[
    semconv::MCP_PROTOCOL_VERSION,
    semconv::JSONRPC_PROTOCOL_VERSION,
    semconv::NETWORK_TRANSPORT,
    semconv::NETWORK_PROTOCOL_NAME,
    semconv::NETWORK_PROTOCOL_VERSION,
];

impl Metrics {
    /// Counts what ended or happened.
    pub(crate) fn record(&mut self, record: &Record) {
        match record.what {
            What::Moment => self.record_moment(record),
            _ => self.record_ended(record),
        }
    }

    /// Counts a moment: of all there are, security findings, retries and the ends of MCP sessions.
    fn record_moment(&self, record: &Record) {
        let to = &self.instruments;
        let Some(ty) = record.moment.as_ref().and_then(|moment| moment.ty.as_ref()) else {
            return;
        };
        let (counter, attributes) = match ty.subject() {
            Subject::SECURITY => (&to.findings, FINDING),
            Subject::STEP if ty.phase().as_str() == "retrying" => (&to.retries, RETRY),
            Subject::MCP_CONNECTION if ty.phase().as_str() == "closed" => {
                return self.session(&Facts::of(record));
            }
            _ => return,
        };
        counter.add(1, &Facts::of(record).attributes(attributes));
    }

    /// A session that does not say how long it lasted is not measured.
    fn session(&self, facts: &Facts<'_>) {
        let Some(seconds) = facts.lasted() else {
            return;
        };
        let mut session = with_error(facts, MCP_SESSION);
        if facts.is_server() {
            self.instruments
                .mcp_server_session
                .record(seconds, &session);
        } else {
            facts.extend(&mut session, SERVER);
            self.instruments
                .mcp_client_session
                .record(seconds, &session);
        }
    }

    /// Counts a span that ended. To be told of every one of them, measured or not: calls are added up along them.
    pub(crate) fn record_ended(&mut self, record: &Record) {
        if record.what != What::Ended {
            return;
        }
        let work = Work::of(record);
        let called = self.own_calls.ended(record, work);
        let Some(work) = work else { return };
        let facts = Facts::of(record);
        let to = &self.instruments;
        match work {
            // Part of the model call around it, which counts.
            Work::Inference | Work::Embeddings if record.inside_inference => {}
            Work::Inference => self.inference(&facts),
            Work::Embeddings => self.embeddings(&facts),
            Work::Client => {
                let mut call = facts.attributes(MODEL);
                facts.extend(&mut call, SERVER);
                facts.extend(&mut call, ERROR);
                to.operation_duration.record(facts.seconds(), &call);
            }
            Work::Agent => {
                let agent = facts.attributes(AGENT);
                to.agent_inference_calls.record(called.calls, &agent);
                to.agent_tool_calls.record(called.tool_calls, &agent);
                to.agent_duration
                    .record(facts.seconds(), &with_error(&facts, AGENT_RUN));
            }
            Work::Workflow => to
                .workflow_duration
                .record(facts.seconds(), &with_error(&facts, WORKFLOW_RUN)),
            Work::Tool => to
                .tool_duration
                .record(facts.seconds(), &with_error(&facts, TOOL_RUN)),
            Work::McpClient { .. } => {
                let mut call = with_error(&facts, MCP);
                facts.extend(&mut call, SERVER);
                to.mcp_client_duration.record(facts.seconds(), &call);
            }
            Work::McpServer => to
                .mcp_server_duration
                .record(facts.seconds(), &with_error(&facts, MCP)),
        }
    }

    fn inference(&self, facts: &Facts<'_>) {
        let usage = facts.usage();
        let mut call = facts.attributes(MODEL);
        self.cost(facts, &mut call);
        facts.extend(&mut call, SERVER);
        self.stream(facts, &call);
        self.tokens(facts, usage, &mut call);
        self.legacy_tokens(usage, &mut call);
        facts.extend(&mut call, ERROR);
        if let Some(to) = &self.instruments.latest {
            to.duration.record(facts.seconds(), &call);
            for (histogram, tokens) in [
                (&to.input_per_call, usage.input_tokens),
                (&to.output_per_call, usage.output_tokens),
            ] {
                if let Some(tokens) = tokens {
                    histogram.record(tokens, &call);
                }
            }
        }
        if self.instruments.legacy.is_some() {
            let duration = &self.instruments.operation_duration;
            duration.record(facts.seconds(), &call);
        }
    }

    /// In force, no metric has the tokens of embeddings; the older one does.
    fn embeddings(&self, facts: &Facts<'_>) {
        let mut call = facts.attributes(MODEL);
        self.cost(facts, &mut call);
        facts.extend(&mut call, SERVER);
        self.legacy_tokens(facts.usage(), &mut call);
        facts.extend(&mut call, ERROR);
        let duration = &self.instruments.operation_duration;
        duration.record(facts.seconds(), &call);
    }

    fn stream(&self, facts: &Facts<'_>, call: &[KeyValue]) {
        let to = &self.instruments;
        let latest = to
            .latest
            .as_ref()
            .map(|to| (&to.first_chunk, &to.per_chunk));
        let legacy = to
            .legacy
            .as_ref()
            .map(|to| (&to.first_chunk, &to.per_chunk));
        for (first_chunk, per_chunk) in [latest, legacy].into_iter().flatten() {
            if let Some(seconds) = facts.first_chunk() {
                first_chunk.record(seconds, call);
            }
            for seconds in facts.gaps() {
                per_chunk.record(seconds, call);
            }
        }
    }

    /// A call that failed and says nothing of its tokens counts with none; where others say nothing, nothing is known.
    fn tokens(&self, facts: &Facts<'_>, usage: Usage, call: &mut Vec<KeyValue>) {
        let Some(to) = &self.instruments.latest else {
            return;
        };
        let or_none = |tokens: Option<u64>| tokens.or(facts.failed.then_some(0));
        // Nobody reports tokens by modality in one way yet.
        call.push(KeyValue::new(
            semconv::GEN_AI_TOKEN_MODALITY,
            token_modality::UNKNOWN,
        ));
        for (counter, tokens) in [
            (&to.input, or_none(usage.input_tokens)),
            (&to.output, or_none(usage.output_tokens)),
            (&to.cache_read, usage.cache_read_tokens),
            (&to.cache_write, usage.cache_write_tokens),
            (&to.reasoning, usage.reasoning_tokens),
        ] {
            if let Some(tokens) = tokens {
                counter.add(tokens, call);
            }
        }
        call.pop();
    }

    fn legacy_tokens(&self, usage: Usage, call: &mut Vec<KeyValue>) {
        let Some(to) = &self.instruments.legacy else {
            return;
        };
        for (direction, tokens) in [
            (token_type::INPUT, usage.input_tokens),
            (token_type::OUTPUT, usage.output_tokens),
        ] {
            if let Some(tokens) = tokens {
                call.push(KeyValue::new(semconv::GEN_AI_TOKEN_TYPE, direction));
                to.token_usage.record(tokens, call);
                call.pop();
            }
        }
    }

    fn cost(&self, facts: &Facts<'_>, model: &mut Vec<KeyValue>) {
        let to = &self.instruments;
        let known = model.len();
        if let Some(usd) = facts.cost() {
            facts.extend(model, COST);
            to.cost.record(usd, model);
        } else if let Some(reason) = facts.attribute(semconv::GENAI_COST_UNKNOWN_REASON) {
            model.push(reason);
            to.cost_unknown.add(1, model);
        }
        model.truncate(known);
    }
}

fn with_error(facts: &Facts<'_>, names: &[&'static str]) -> Vec<KeyValue> {
    let mut attributes = facts.attributes(names);
    facts.extend(&mut attributes, ERROR);
    attributes
}
