//! Starters for every subject of the taxonomy that lives in a span.
//!
//! The ones used daily ([`chat`](crate::chat), [`agent`](crate::agent), [`tool`](crate::tool), [`step`](crate::step) …) stand
//! at the top of the crate too. Each takes the name its span goes by, which may be empty where there is none; further facts are
//! set with [`Starter::attr`], and what is learned meanwhile with [`ActiveSpan::set`](crate::ActiveSpan::set).
//!
//! ```
//! use tracing_genai::starters;
//!
//! let check = starters::guardrail("no-pii").start();
//! check.deny("an e-mail address");
//!
//! # async fn example() -> Result<(), std::io::Error> {
//! let hits = starters::memory_query("user-profile").run(async { Ok::<_, std::io::Error>(3) }).await?;
//! # Ok(()) }
//! ```

use super::{Plain, Starter};
use crate::event::Subject;
use crate::semconv;

pub use super::{
    agent, chat, embeddings, generate_content, plan, retrieval, step, text_completion, tool,
    workflow,
};

macro_rules! starters {
    ($($(#[$doc:meta])* $function:ident($name:ident) = $subject:ident, $key:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// ```
            #[doc = concat!("let done = tracing_genai::starters::", stringify!($function), "(\"", stringify!($name), "\").in_scope(|span| {")]
            ///     span.set("app.rows", 3); // what is learned meanwhile
            ///     Ok::<_, std::io::Error>("done") // an `Err` fails the span
            /// });
            /// assert!(done.is_ok());
            /// ```
            pub fn $function($name: &str) -> Starter<Plain> {
                Starter::of(Subject::$subject).named($key, $name)
            }
        )*

        /// The subjects above, for the test that none is forgotten.
        #[cfg(test)]
        const HERE: &[Subject] = &[$(Subject::$subject),*];
    };
}

starters! {
    /// A training run of a workflow: `workflow.train`, span `train {name}`.
    workflow_train(name) = WORKFLOW_TRAIN, semconv::GEN_AI_WORKFLOW_NAME;
    /// A test run of a workflow: `workflow.test`, span `test {name}`.
    workflow_test(name) = WORKFLOW_TEST, semconv::GEN_AI_WORKFLOW_NAME;
    /// A monitored function: `call`, span `call {function}`.
    call(function) = CALL, semconv::CODE_FUNCTION_NAME;
    /// A user's session: `session`, span `session {id}`. What lies inside inherits the id.
    session(id) = SESSION, semconv::SESSION_ID;
    /// One turn of a conversation, from the user's message to the answer: `conversation.turn`, span `turn {conversation}`.
    turn(conversation_id) = CONVERSATION_TURN, semconv::GEN_AI_CONVERSATION_ID;
    /// The making of an agent: `agent`, span `create_agent {name}`.
    create_agent(name) = AGENT, semconv::GEN_AI_AGENT_NAME;
    /// An agent judging how a step of its plan went: `plan.observation`, span `plan {agent}`.
    plan_observation(agent) = PLAN_OBSERVATION, semconv::GEN_AI_AGENT_NAME;
    /// A client connecting to an MCP server: `mcp.connection`, span `initialize`.
    mcp_connection(server) = MCP_CONNECTION, "mcp.server.name";
    /// A tool called over MCP: `mcp.tool`, span `tools/call {tool}`.
    mcp_tool(tool) = MCP_TOOL, semconv::GEN_AI_TOOL_NAME;
    /// Any other MCP request: `mcp.request`, span `{method}`.
    mcp_request(method) = MCP_REQUEST, semconv::MCP_METHOD_NAME;
    /// One search inside a retrieval: `retrieval.search`, span `retrieval {data_source}`.
    retrieval_search(data_source) = RETRIEVAL_SEARCH, semconv::GEN_AI_DATA_SOURCE_ID;
    /// A search in memory: `memory.query`, span `search_memory`.
    memory_query(store) = MEMORY_QUERY, semconv::GEN_AI_MEMORY_STORE_ID;
    /// Collecting memories for a task, which may query several stores: `memory.retrieval`, span `search_memory`.
    memory_retrieval(store) = MEMORY_RETRIEVAL, semconv::GEN_AI_MEMORY_STORE_ID;
    /// Writing to memory: `memory.save`, span `upsert_memory`.
    memory_save(store) = MEMORY_SAVE, semconv::GEN_AI_MEMORY_STORE_ID;
    /// A check that may deny: `guardrail`, span `apply_guardrail {name}`. It ends with
    /// [`allow`](crate::ActiveSpan::allow) or [`deny`](crate::ActiveSpan::deny).
    guardrail(name) = GUARDRAIL, semconv::GUARDRAIL_NAME;
    /// Judging an agent's result: `evaluation`, span `evaluate {agent}`. Verdicts are told by
    /// [`evaluation`](crate::evaluation()) inside.
    evaluate(agent) = EVALUATION, semconv::GEN_AI_AGENT_NAME;
    /// Saving state: `checkpoint.save`, span `checkpoint save`.
    checkpoint_save(location) = CHECKPOINT_SAVE, "checkpoint.location";
    /// Branching off saved state: `checkpoint.fork`, span `checkpoint fork`.
    checkpoint_fork(branch) = CHECKPOINT_FORK, "checkpoint.branch";
    /// Resuming from saved state: `checkpoint.restore`, span `checkpoint restore`.
    checkpoint_restore(location) = CHECKPOINT_RESTORE, "checkpoint.location";
    /// Looking for skills: `skill.discovery`, span `skill discovery`.
    skill_discovery(search_path) = SKILL_DISCOVERY, "skill.search_path";
    /// Fetching a skill: `skill.download`, span `skill download`.
    skill_download(skill) = SKILL_DOWNLOAD, "skill.name";
    /// A call of an HTTP interface: `api.call`, span `{method} {template}`; give the template as `url.template`.
    api_call(method) = API_CALL, "http.request.method";
    /// A child process: `process.exec`, span `exec {program}`.
    process_exec(program) = PROCESS_EXEC, semconv::PROCESS_EXECUTABLE_NAME;
    /// A task handed to another agent: `a2a.delegation`, span `invoke_agent {agent}`.
    a2a_delegation(agent) = A2A_DELEGATION, semconv::GEN_AI_AGENT_NAME;
    /// A conversation of several turns with another agent: `a2a.conversation`, span `invoke_agent {agent}`.
    a2a_conversation(agent) = A2A_CONVERSATION, semconv::GEN_AI_AGENT_NAME;
    /// Several delegations at once: `a2a.parallel`, span `invoke_workflow a2a_parallel`.
    a2a_parallel(workflow) = A2A_PARALLEL, semconv::GEN_AI_WORKFLOW_NAME;
    /// A task served for another agent: `a2a.server_task`, span `{method}`.
    a2a_server_task(method) = A2A_SERVER_TASK, "a2a.method.name";
}

/// An artefact that a model writes inline, handled like a tool: `tag`, span `execute_tool {name}`, `gen_ai.tool.type` `tag`.
/// The tag's own attributes go to `tag.attr.*`.
///
/// ```
/// let file = tracing_genai::starters::tag("write_file").attr("tag.attr.path", "a.txt").start();
/// file.complete();
/// ```
pub fn tag(name: &str) -> Starter<Plain> {
    Starter::of(Subject::TAG)
        .named(semconv::GEN_AI_TOOL_NAME, name)
        .named(semconv::TAG_NAME, name)
        .attr(semconv::GEN_AI_TOOL_TYPE, "tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_that_has_a_span_has_a_starter() {
        let elsewhere = [
            Subject::WORKFLOW,
            Subject::STEP,
            Subject::AGENT_EXECUTION,
            Subject::PLAN_REASONING,
            Subject::LLM_CALL,
            Subject::TOOL_CALL,
            Subject::RETRIEVAL_QUERY,
            Subject::TAG,
        ];
        for subject in Subject::ALL {
            let found = HERE.contains(subject) || elsewhere.contains(subject);
            assert_eq!(found, subject.has_span(), "{subject}");
        }
    }
}
