//! The workload every competitor runs: one agent, four steps, in each a model call and a tool call. Thirteen spans, made
//! by nothing but `tracing`'s macros.

use tracing::field::Empty;
use tracing::{info, info_span};

/// Spans of one [`agent_run`].
pub const SPANS: u64 = 13;

/// agent > 4 × (step > {chat, tool}).
pub fn agent_run() {
    let agent = info_span!(
        "agent",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.agent.name = "trip-planner",
        gen_ai.conversation.id = "conv_5j66UpCpwteGg4YSxUnt7lPY",
    );
    let _agent = agent.enter();
    for turn in 0..4_i64 {
        let step = info_span!("turn", turn);
        let _step = step.enter();
        chat();
        tool();
    }
}

/// Eight fields at the start, five later, one event.
fn chat() {
    let chat = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = "gpt-4o-mini",
        gen_ai.request.temperature = 0.2,
        gen_ai.request.max_tokens = 1024_i64,
        gen_ai.conversation.id = "conv_5j66UpCpwteGg4YSxUnt7lPY",
        server.address = "api.openai.com",
        server.port = 443_i64,
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
    );
    let _chat = chat.enter();
    info!(attempt = 1_i64, "first token");
    chat.record(
        "gen_ai.response.id",
        "chatcmpl-9J3uIL87gldCFtiIbyaOvTeYBRA3l",
    );
    chat.record("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
    chat.record("gen_ai.response.finish_reasons", "stop");
    chat.record("gen_ai.usage.input_tokens", 1200_i64);
    chat.record("gen_ai.usage.output_tokens", 340_i64);
}

fn tool() {
    let tool = info_span!(
        "tool",
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = "search_flights",
        gen_ai.tool.call.id = "call_mszuSIzqtI65i1wAUOE8w5H4",
        gen_ai.tool.type = "function",
    );
    let _tool = tool.enter();
}

/// Spans of one [`plain_run`].
pub const PLAIN_SPANS: u64 = 5;

/// A request with four queries: nothing of it speaks GenAI.
pub fn plain_run() {
    let request = info_span!("request", method = "GET", route = "/flights");
    let _request = request.enter();
    for page in 0..4_i64 {
        let query = info_span!("query", table = "flights", page);
        let _query = query.enter();
    }
}
