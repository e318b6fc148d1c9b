-- For people with the `sqlite3` tool.
CREATE VIEW v_events AS
SELECT e.id, e.timestamp, a.agent_id AS agent, e.event_type, e.flavor, e.channel, e.level,
       e.data ->> '$.name' AS name,
       (e.data ->> '$.duration_ns') / 1e6 AS duration_ms,
       e.data ->> '$.error.type' AS error_type,
       e.trace_id, e.span_id, e.session_id, e.conversation_id, e.user_id, e.data
FROM events e LEFT JOIN agents a ON a.id = e.agent_id;

-- One row per finished model call.
CREATE VIEW v_llm_calls AS
SELECT e.id, e.timestamp, a.agent_id AS agent,
       substr(e.event_type, length('llm.call.') + 1) AS outcome,
       e.data ->> '$.attributes."gen_ai.provider.name"' AS provider,
       coalesce(e.data ->> '$.attributes."gen_ai.response.model"',
                e.data ->> '$.attributes."gen_ai.request.model"') AS model,
       e.data ->> '$.attributes."gen_ai.usage.input_tokens"' AS input_tokens,
       e.data ->> '$.attributes."gen_ai.usage.output_tokens"' AS output_tokens,
       e.data ->> '$.attributes."gen_ai.usage.cost"' AS cost_usd,
       (e.data ->> '$.duration_ns') / 1e6 AS duration_ms,
       e.data ->> '$.error.type' AS error_type,
       e.trace_id, e.span_id, e.session_id, e.conversation_id, e.user_id
FROM events e LEFT JOIN agents a ON a.id = e.agent_id
WHERE e.event_type IN ('llm.call.completed', 'llm.call.failed', 'llm.call.blocked', 'llm.call.canceled');

-- One row per finished tool call.
CREATE VIEW v_tool_calls AS
SELECT e.id, e.timestamp, a.agent_id AS agent,
       substr(e.event_type, length('tool.call.') + 1) AS outcome,
       e.data ->> '$.attributes."gen_ai.tool.name"' AS tool,
       (e.data ->> '$.duration_ns') / 1e6 AS duration_ms,
       e.data ->> '$.error.type' AS error_type,
       e.trace_id, e.span_id, e.session_id, e.conversation_id, e.user_id
FROM events e LEFT JOIN agents a ON a.id = e.agent_id
WHERE e.event_type IN ('tool.call.completed', 'tool.call.failed', 'tool.call.blocked', 'tool.call.canceled');

-- One row per trace. Tokens and cost are those of its model calls; NULL where no call said.
CREATE VIEW v_runs AS
SELECT e.trace_id, min(e.timestamp) AS first, max(e.timestamp) AS last, count(*) AS events,
       group_concat(DISTINCT a.agent_id) AS agents,
       count(c.id) AS llm_calls, count(t.id) AS tool_calls, sum(e.severity >= 17) AS errors,
       sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(c.cost_usd) AS cost_usd
FROM events e
LEFT JOIN agents a ON a.id = e.agent_id
LEFT JOIN v_llm_calls c ON c.id = e.id
LEFT JOIN v_tool_calls t ON t.id = e.id
WHERE e.trace_id IS NOT NULL
GROUP BY e.trace_id;
