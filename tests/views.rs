//! What typed views promise: every subject people touch has one, they read the names the catalogue uses, and nothing is lost or
//! shown by reading.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value as Json, json};
use tracing_genai::{
    bus::Bus,
    event::{self, *},
};

fn event(ty: &str, attrs: Json) -> Event {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), SystemTime::UNIX_EPOCH);
    data.attrs = serde_json::from_value(attrs).unwrap();
    data.into()
}

fn with(event: &Event, change: impl FnOnce(&mut EventData)) -> Event {
    let mut data = event.clone().into_data();
    change(&mut data);
    data.into()
}

fn with_body(event: &Event, body: Json) -> Event {
    with(event, |data| data.body = Some(Body(body)))
}

#[test]
fn a_view_of_the_wrong_type_or_flavor_is_none() {
    let failed = event("tool.call.failed", json!({}));
    assert!(ToolCallFailed::view(&failed).is_some());
    assert!(ToolCallCompleted::view(&failed).is_none());
    assert!(McpToolFailed::view(&failed).is_none());

    let workflow = event("workflow.completed", json!({}));
    assert!(WorkflowCompleted::view(&workflow).is_some());
    assert!(ScenarioRunCompleted::view(&workflow).is_none());
    let scenario = with(&workflow, |data| data.flavor = Flavor::new("scenario"));
    assert!(ScenarioRunCompleted::view(&scenario).is_some());
    assert!(WorkflowCompleted::view(&scenario).is_some());
}

#[test]
fn success_follows_from_how_it_ended() {
    for (phase, success) in [
        ("started", None),
        ("completed", Some(true)),
        ("failed", Some(false)),
        ("paused", None),
        ("canceled", Some(false)),
        ("progress", None),
    ] {
        let event = event(&format!("step.{phase}"), json!({}));
        let seen = [
            StepStarted::view(&event).map(|view| view.success()),
            StepCompleted::view(&event).map(|view| view.success()),
            StepFailed::view(&event).map(|view| view.success()),
            StepPaused::view(&event).map(|view| view.success()),
            StepCanceled::view(&event).map(|view| view.success()),
            event::StepProgress::view(&event).map(|view| view.success()),
        ];
        let views: Vec<_> = seen.into_iter().flatten().collect();
        assert_eq!(views, [success], "{phase}");
    }
    let blocked = event("llm.call.blocked", json!({}));
    assert_eq!(
        LlmCallBlocked::view(&blocked).unwrap().success(),
        Some(false)
    );
}

#[test]
fn a_model_call_says_what_was_asked_answered_and_refused() {
    let call = event(
        "llm.call.blocked",
        json!({
            "llm.call_id": "c1", "llm.call_type": "tool_call", "gen_ai.request.stream": true,
            "gen_ai.request.top_p": 0.5, "security.block_reason": "rule rm_rf",
            "security.alert_level": "dangerous", "llm.usage.total_tokens": 15,
            "gen_ai.input.messages": [{"role": "user"}],
        }),
    );
    let view = LlmCallBlocked::view(&call).unwrap();
    assert_eq!(
        (view.call_id, view.call_type),
        (Some("c1"), Some("tool_call"))
    );
    assert_eq!(view.block_reason, Some("rule rm_rf"));
    assert_eq!(view.alert_level, Some("dangerous"));
    assert_eq!((view.top_p, view.is_streaming()), (Some(0.5), true));
    assert_eq!(view.total_tokens, Some(15), "reported as a total only");
    assert!(view.input_messages.is_some());

    let parts = json!({"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2, "llm.usage.total_tokens": 99});
    let call = event("llm.call.completed", parts);
    let view = LlmCallCompleted::view(&call).unwrap();
    assert_eq!(view.total_tokens, Some(12), "the parts know better");
    assert!(!view.is_streaming());
}

#[test]
fn a_chunk_says_what_it_is_a_piece_of() {
    let attrs = json!({
        "tool_call.id": "t1", "tool_call.name": "search", "tool_call.index": 1,
        "tool_call.arguments": "{\"q\":", "genai.chunk.bytes": 5,
    });
    let chunk = with_body(&event("llm.call.chunk", attrs), json!("hello"));
    let view = LlmCallChunk::view(&chunk).unwrap();
    assert_eq!(
        (view.tool_call_id, view.tool_call_name, view.tool_call_index),
        (Some("t1"), Some("search"), Some(1))
    );
    assert_eq!((view.bytes, view.text), (Some(5), Some("hello")));
    assert!(!view.is_thinking());
    let thinking = event("llm.call.thinking", json!({}));
    assert!(LlmCallThinking::view(&thinking).unwrap().is_thinking());
}

#[test]
fn a_tool_that_returned_and_reports_a_failure_says_which() {
    let attrs = json!({
        "gen_ai.tool.name": "search", "tool.from_cache": true, "tool.attempt": 2,
        "tool.failure.reason": "rate_limited", "tool.failure.code": 429, "tool.failure.retryable": true,
        "tool.failure.policy": "warn", "tool.failure.message": "slow down",
    });
    for ty in ["tool.call.failure_reported", "tool.call.completed"] {
        let event = event(ty, attrs.clone());
        let view = ToolCallFailureReported::view(&event)
            .or_else(|| ToolCallCompleted::view(&event))
            .unwrap();
        assert_eq!((view.from_cache, view.attempt), (Some(true), Some(2)));
        assert_eq!(view.failure_reason, Some("rate_limited"));
        assert_eq!(view.failure_code, Some(&429.into()));
        assert_eq!(view.failure_retryable, Some(true));
        assert_eq!(view.failure_policy, Some("warn"));
        assert_eq!(view.failure_message, Some("slow down"));
    }
}

#[test]
fn a_tool_call_on_its_way_says_which_call_and_which_message() {
    let attrs = json!({"gen_ai.tool.name": "search", "gen_ai.tool.call.id": "t1", "message.parent.id": "m1"});
    let piece = with_body(&event("tool.call.chunk", attrs), json!("{\"q\":"));
    let view = ToolCallChunk::view(&piece).unwrap();
    assert_eq!((view.name, view.call_id), (Some("search"), Some("t1")));
    assert_eq!((view.message_id, view.text), (Some("m1"), Some("{\"q\":")));
}

#[test]
fn a_paused_workflow_says_what_it_waits_for() {
    let attrs = json!({
        "gen_ai.workflow.name": "review", "workflow.run.id": "r1", "step.name": "approve",
        "human.prompt": "Ship it?", "human.outcomes": ["yes", "no", 3],
    });
    let paused = event("workflow.paused", attrs);
    let view = WorkflowPaused::view(&paused).unwrap();
    assert_eq!((view.run_id, view.step_name), (Some("r1"), Some("approve")));
    assert_eq!(view.outcomes, ["yes", "no"], "what is no text is left out");
    assert_eq!(view.prompt, Some("Ship it?"));

    let one = event("step.paused", json!({"human.outcomes": "yes"}));
    assert_eq!(StepPaused::view(&one).unwrap().outcomes, ["yes"]);
}

#[test]
fn progress_has_a_percentage_unless_there_is_nothing_to_divide_by() {
    let percent = |attrs: Json| {
        let event = event("step.progress", attrs);
        event::StepProgress::view(&event).unwrap().percent
    };
    assert_eq!(
        percent(json!({"step.progress.current": 3, "step.progress.total": 4})),
        Some(75.0)
    );
    assert_eq!(
        percent(
            json!({"step.progress.current": 3, "step.progress.total": 4, "step.progress.percent": 80})
        ),
        Some(80.0),
        "as reported"
    );
    assert_eq!(
        percent(json!({"step.progress.current": 3, "step.progress.total": 0})),
        None
    );
    assert_eq!(
        percent(json!({"step.progress.current": 3, "step.progress.total": -4})),
        None
    );
    assert_eq!(percent(json!({"step.progress.current": 3})), None);
    assert_eq!(
        percent(json!({"step.progress.current": 1e308, "step.progress.total": 1e-308})),
        None
    );
    let mut data = event("step.progress", json!({})).into_data();
    data.attrs.set("step.progress.percent", f64::NAN);
    assert_eq!(
        event::StepProgress::view(&data.into()).unwrap().percent,
        None
    );
}

#[test]
fn a_validation_says_whether_and_why_not() {
    let attrs = json!({
        "step.name": "draft", "step.validation.valid": false, "step.validation.type": "semantic",
        "step.validation.error": "too long", "step.attempt": 2,
    });
    let validated = event("step.validated", attrs);
    let view = StepValidated::view(&validated).unwrap();
    assert_eq!(
        (view.valid, view.validation_type),
        (Some(false), Some("semantic"))
    );
    assert_eq!(
        (view.validation_error, view.attempt),
        (Some("too long"), Some(2))
    );
    let retrying = event("step.retrying", json!({"step.attempt": 3}));
    assert_eq!(StepRetrying::view(&retrying).unwrap().attempt, Some(3));
}

#[test]
fn a_route_says_where_to_where_from_and_why() {
    let attrs = json!({"routing.selected": "refund", "routing.previous": "greet", "routing.reason": "asked", "message.index": 4});
    let routed = event("routing.selected", attrs);
    let view = RoutingSelected::view(&routed).unwrap();
    assert_eq!(
        (view.selected, view.previous),
        (Some("refund"), Some("greet"))
    );
    assert_eq!((view.reason, view.message_index), (Some("asked"), Some(4)));
}

#[test]
fn mcp_views_know_the_server_and_the_transport() {
    let attrs = json!({
        "mcp.server.name": "files", "network.transport": "pipe", "gen_ai.tool.name": "read",
        "mcp.connect_timeout": 30, "mcp.reconnect": false, "server.port": 8080, "mcp.method.name": "resources/read",
        "jsonrpc.request.id": "7", "security.block_reason": "path",
    });
    let tool = event("mcp.tool.blocked", attrs.clone());
    let tool = McpToolBlocked::view(&tool).unwrap();
    assert_eq!((tool.name, tool.server_name), (Some("read"), Some("files")));
    assert_eq!(
        (tool.transport, tool.block_reason),
        (Some("pipe"), Some("path"))
    );
    let connection = event("mcp.connection.started", attrs.clone());
    let connection = McpConnectionStarted::view(&connection).unwrap();
    assert_eq!(connection.connect_timeout, Some(30.0));
    assert_eq!(
        (connection.reconnect, connection.port),
        (Some(false), Some(8080))
    );
    let request = event("mcp.request.completed", attrs.clone());
    let request = McpRequestCompleted::view(&request).unwrap();
    assert_eq!(
        (request.method, request.request_id),
        (Some("resources/read"), Some("7"))
    );

    let mut named = attrs;
    named["mcp.transport"] = json!("stdio");
    let tool = event("mcp.tool.started", named);
    assert_eq!(
        McpToolStarted::view(&tool).unwrap().transport,
        Some("stdio")
    );
}

#[test]
fn security_findings_guardrails_and_evaluations_are_read() {
    let attrs = json!({
        "security.alert_level": "dangerous", "security.category": "dangerous_commands", "security.severity": "high",
        "security.rule": "rm_rf", "security.keywords": ["rm -rf"], "security.action": "blocked",
        "security.content_sample": "rm -r***",
    });
    let alert = event("security.alert", attrs);
    let view = SecurityAlert::view(&alert).unwrap();
    assert_eq!(
        (view.alert_level, view.category),
        (Some("dangerous"), Some("dangerous_commands"))
    );
    assert_eq!(
        (view.severity, view.rule, view.action),
        (Some("high"), Some("rm_rf"), Some("blocked"))
    );
    assert_eq!(
        (view.keywords, view.content_sample),
        (vec!["rm -rf"], Some("rm -r***"))
    );

    let attrs = json!({
        "guardrail.name": "pii", "guardrail.type": "llm", "guardrail.verdict": "deny", "guardrail.reason": "an address",
        "guardrail.retry_count": 1,
    });
    let denied = event("guardrail.completed", attrs);
    let view = GuardrailCompleted::view(&denied).unwrap();
    assert_eq!((view.name, view.guardrail_type), (Some("pii"), Some("llm")));
    assert_eq!(
        (view.reason, view.retry_count),
        (Some("an address"), Some(1))
    );
    assert!(view.is_denied());
    assert_eq!(view.success(), Some(true), "the check itself went well");

    let attrs = json!({
        "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 1, "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "on topic",
    });
    let result = event("evaluation.result", attrs);
    let view = EvaluationResult::view(&result).unwrap();
    assert_eq!(
        (view.name, view.score, view.label),
        (Some("relevance"), Some(1.0), Some("pass"))
    );
    assert_eq!(view.explanation, Some("on topic"));
}

#[test]
fn people_are_asked_and_answer() {
    let requested = event(
        "human.feedback.requested",
        json!({"human.request.id": "q1", "human.outcomes": ["approve", "reject"], "step.name": "publish"}),
    );
    let requested = with_body(
        &requested,
        json!({"message": "Good?", "output": {"title": "T"}}),
    );
    let view = HumanFeedbackRequested::view(&requested).unwrap();
    assert_eq!(
        (view.request_id, view.step_name),
        (Some("q1"), Some("publish"))
    );
    assert_eq!((view.prompt, view.answer), (Some("Good?"), None));
    assert_eq!(view.output, Some(&json!({"title": "T"})));

    let received = event(
        "human.feedback.received",
        json!({"human.request.id": "q1", "human.outcome": "approve"}),
    );
    let received = with_body(&received, json!("yes, nice"));
    let view = HumanFeedbackReceived::view(&received).unwrap();
    assert_eq!(
        (view.outcome, view.answer),
        (Some("approve"), Some("yes, nice"))
    );
    assert_eq!(view.prompt, None);

    let input = with_body(
        &event("human.input.requested", json!({})),
        json!("Your name?"),
    );
    assert_eq!(
        HumanInputRequested::view(&input).unwrap().prompt,
        Some("Your name?")
    );
    let input = with_body(
        &event("human.input.received", json!({})),
        json!({"message": "Your name?", "response": "Ada"}),
    );
    let view = HumanInputReceived::view(&input).unwrap();
    assert_eq!(
        (view.prompt, view.answer),
        (Some("Your name?"), Some("Ada"))
    );
}

#[test]
fn retrieval_memory_sessions_and_messages_are_read() {
    let attrs = json!({
        "gen_ai.data_source.id": "docs", "gen_ai.retrieval.query.text": "q", "gen_ai.retrieval.top_k": 5,
        "gen_ai.memory.store.id": "long", "memory.limit": 3, "memory.score_threshold": 0.35,
        "gen_ai.memory.record.count": 2, "session.id": "s1", "user.id": "u1", "gen_ai.conversation.id": "c1",
        "message.id": "m1", "message.role": "user", "message.index": 0, "conversation.message_count": 9,
    });
    let of = |ty: &str| with_body(&event(ty, attrs.clone()), json!("text"));

    let retrieval = of("retrieval.search.completed");
    let view = RetrievalSearchCompleted::view(&retrieval).unwrap();
    assert_eq!(
        (view.data_source_id, view.query, view.top_k),
        (Some("docs"), Some("q"), Some(5.0))
    );
    let memory = of("memory.query.completed");
    let view = MemoryQueryCompleted::view(&memory).unwrap();
    assert_eq!(
        (view.store_id, view.limit, view.record_count),
        (Some("long"), Some(3), Some(2))
    );
    assert_eq!(view.score_threshold, Some(0.35));
    let session = of("session.started");
    let view = SessionStarted::view(&session).unwrap();
    assert_eq!((view.session_id, view.user_id), (Some("s1"), Some("u1")));
    let turn = of("conversation.turn.failed");
    assert_eq!(
        ConversationTurnFailed::view(&turn).unwrap().conversation_id,
        Some("c1")
    );
    let message = of("conversation.message.added");
    let view = ConversationMessageAdded::view(&message).unwrap();
    assert_eq!(
        (view.message_id, view.role, view.index),
        (Some("m1"), Some("user"), Some(0))
    );
    assert_eq!(view.text, Some("text"));
    let snapshot = of("conversation.snapshot");
    assert_eq!(
        ConversationSnapshot::view(&snapshot).unwrap().message_count,
        Some(9)
    );
}

#[test]
fn plans_checkpoints_and_skills_are_read() {
    let attrs = json!({
        "plan.attempt": 2, "plan.ready": true, "plan.step_completed_successfully": true, "plan.needs_full_replan": true,
        "plan.remaining_plan_still_valid": false, "plan.replan_reason": "blocked", "plan.replan_count": 1,
        "plan.refined_steps": 3, "plan.steps_remaining": 4, "step.index": 2,
        "checkpoint.id": "k1", "checkpoint.branch": "main", "checkpoint.parent_checkpoint_id": "k0",
        "checkpoint.removed_count": 7, "skill.name": "pdf", "skill.disclosure_level": 2, "skill.skills_found": 2,
        "skill.skill_names": ["pdf", "csv"], "skill.version": "1.2",
    });
    let of = |ty: &str| event(ty, attrs.clone());

    let reasoning = of("plan.reasoning.completed");
    let view = PlanReasoningCompleted::view(&reasoning).unwrap();
    assert_eq!((view.attempt, view.ready), (Some(2), Some(true)));
    let observation = of("plan.observation.completed");
    let view = PlanObservationCompleted::view(&observation).unwrap();
    assert_eq!(
        (view.step_succeeded, view.plan_still_valid),
        (Some(true), Some(false))
    );
    assert_eq!(
        (view.needs_full_replan, view.replan_reason),
        (Some(true), Some("blocked"))
    );
    let replanned = of("plan.replanned");
    let view = PlanReplanned::view(&replanned).unwrap();
    assert_eq!(
        (view.replan_count, view.refined_steps, view.step_index),
        (Some(1), Some(3), Some(2))
    );
    assert_eq!(
        PlanGoalAchieved::view(&of("plan.goal_achieved"))
            .unwrap()
            .steps_remaining,
        Some(4)
    );

    let forked = of("checkpoint.fork.completed");
    let view = CheckpointForkCompleted::view(&forked).unwrap();
    assert_eq!(
        (view.id, view.branch, view.parent_id),
        (Some("k1"), Some("main"), Some("k0"))
    );
    assert_eq!(
        CheckpointPruned::view(&of("checkpoint.pruned"))
            .unwrap()
            .removed_count,
        Some(7)
    );

    let used = of("skill.used");
    let view = SkillUsed::view(&used).unwrap();
    assert_eq!(
        (view.name, view.disclosure_level),
        (Some("pdf"), Some(&2.into()))
    );
    let found = of("skill.discovery.completed");
    let view = SkillDiscoveryCompleted::view(&found).unwrap();
    assert_eq!(
        (view.skills_found, view.skill_names),
        (Some(2), vec!["pdf", "csv"])
    );
    assert_eq!(
        SkillDownloadStarted::view(&of("skill.download.started"))
            .unwrap()
            .version,
        Some("1.2")
    );
}

#[test]
fn talk_between_agents_and_signals_are_read() {
    let attrs = json!({
        "gen_ai.agent.name": "travel", "url.full": "https://agents.example/a2a", "a2a.context.id": "x1",
        "a2a.task.id": "t1", "a2a.task.state": "input_required", "a2a.turn_number": 2, "a2a.is_multiturn": true,
        "a2a.turns": 5, "a2a.message_id": "m1", "a2a.final": false, "a2a.success_count": 1,
        "a2a.endpoints": ["https://a.example", "https://b.example"], "process.signal.number": 15,
    });
    let of = |ty: &str| event(ty, attrs.clone());

    let paused = with_body(
        &of("a2a.delegation.paused"),
        json!({"task_description": "book"}),
    );
    let view = A2aDelegationPaused::view(&paused).unwrap();
    assert_eq!(
        (view.agent_name, view.task_state),
        (Some("travel"), Some("input_required"))
    );
    assert_eq!(
        (view.turn_number, view.is_multiturn, view.task),
        (Some(2), Some(true), Some("book"))
    );
    assert_eq!(
        A2aConversationCompleted::view(&of("a2a.conversation.completed"))
            .unwrap()
            .turns,
        Some(5)
    );
    assert_eq!(
        A2aServerTaskStarted::view(&of("a2a.server_task.started"))
            .unwrap()
            .task_id,
        Some("t1")
    );
    let received = of("a2a.message.received");
    let view = A2aMessageReceived::view(&received).unwrap();
    assert_eq!(
        (view.message_id, view.is_final, view.status),
        (Some("m1"), Some(false), Some("input_required"))
    );
    let parallel = of("a2a.parallel.completed");
    assert_eq!(
        A2aParallelCompleted::view(&parallel)
            .unwrap()
            .endpoints
            .len(),
        2
    );

    let signal = with(&of("system.signal.received"), |data| {
        data.flavor = Flavor::new("sigterm")
    });
    let view = SystemSignalReceived::view(&signal).unwrap();
    assert_eq!((view.name, view.number), (Some("sigterm"), Some(15)));
}

#[test]
fn a_scenario_run_is_a_workflow_with_a_verdict() {
    let attrs = json!({
        "gen_ai.workflow.name": "weather", "scenario.id": "weather-query", "scenario.run.id": "run-456",
        "scenario.batch_run.id": "batch-123", "scenario.set.id": "default", "scenario.status": "FAILED",
        "scenario.verdict": "failure", "scenario.criteria.met": ["is helpful"],
        "scenario.criteria.unmet": ["names the city"], "conversation.message_count": 2,
    });
    let scenario = |ty: &str| {
        with(&event(ty, attrs.clone()), |data| {
            data.flavor = Flavor::new("scenario")
        })
    };
    let failed = with_body(
        &scenario("workflow.failed"),
        json!({"reasoning": "no city"}),
    );
    let view = ScenarioRunFailed::view(&failed).unwrap();
    assert_eq!(
        (view.name, view.scenario_id),
        (Some("weather"), Some("weather-query"))
    );
    assert_eq!(
        (view.run_id, view.batch_run_id, view.set_id),
        (Some("run-456"), Some("batch-123"), Some("default"))
    );
    assert_eq!(
        (view.verdict, view.status, view.success()),
        (Some("failure"), Some("FAILED"), Some(false))
    );
    assert_eq!(
        (view.met_criteria, view.unmet_criteria),
        (vec!["is helpful"], vec!["names the city"])
    );
    assert_eq!(view.reasoning, Some("no city"));
    let snapshot = scenario("conversation.snapshot");
    assert_eq!(
        ScenarioMessageSnapshot::view(&snapshot)
            .unwrap()
            .message_count,
        Some(2)
    );
}

#[test]
fn any_failure_reaches_one_handler_whatever_failed() {
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    bus.on::<AnyFailed>(move |failure| {
        let kind = failure.error.map(|error| error.kind.to_string());
        into.lock()
            .unwrap()
            .push((failure.event.ty.to_string(), failure.subject, kind));
    });
    for ty in [
        "llm.call.failed",
        "llm.call.completed",
        "billing.invoice.failed",
        "step.failed_later",
    ] {
        let failed = with(&event(ty, json!({})), |data| {
            data.error = Some(ErrorInfo::new("timeout"))
        });
        bus.publish(failed);
    }
    assert!(bus.flush(Instant::now() + Duration::from_secs(30)).complete);
    let timeout = Some("timeout".to_owned());
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (
                "llm.call.failed".to_owned(),
                Subject::LLM_CALL,
                timeout.clone()
            ),
            (
                "billing.invoice.failed".to_owned(),
                Subject::CUSTOM,
                timeout
            ),
        ]
    );
}

#[test]
fn who_did_it_is_read_from_the_envelope_when_no_attribute_says_so() {
    let inside = with(&event("step.started", json!({})), |data| {
        data.who.step_name = Some("rank".into());
        data.who.agent_name = Some("planner".into());
        data.who.session_id = Some("s1".into());
        data.who.conversation_id = Some("c1".into());
    });
    assert_eq!(StepStarted::view(&inside).unwrap().name, Some("rank"));
    let retype = |ty: &str| with(&inside, |data| data.ty = EventType::parse(ty).unwrap());
    let tool = retype("tool.call.started");
    assert_eq!(
        ToolCallStarted::view(&tool).unwrap().agent_name,
        Some("planner")
    );
    let turn = retype("conversation.turn.started");
    let turn = ConversationTurnStarted::view(&turn).unwrap();
    assert_eq!(
        (turn.session_id, turn.conversation_id),
        (Some("s1"), Some("c1"))
    );
}

/// Reads `event` as every one of the types and returns what `Debug` prints of the one that fits.
macro_rules! printed {
    ($event:expr, $($spec:ident),* $(,)?) => {{
        let printed = [$($spec::view($event).map(|view| format!("{view:?} {view:#?}"))),*];
        printed.into_iter().flatten().collect::<String>()
    }};
}

#[test]
fn debug_of_a_view_says_that_there_is_content_and_never_shows_it() {
    let attrs: Json = [
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.retrieval.query.text",
        "gen_ai.retrieval.documents",
        "gen_ai.memory.query.text",
        "gen_ai.memory.records",
        "gen_ai.evaluation.explanation",
        "tool_call.arguments",
        "tool.failure.message",
        "error.message",
        "human.prompt",
        "guardrail.reason",
        "security.content_sample",
        "security.description",
        "security.keywords",
        "routing.reason",
        "step.validation.error",
        "step.description",
        "plan.replan_reason",
        "scenario.reasoning",
        "scenario.evaluations",
        "scenario.criteria.verdicts",
        "hook.abort_reason",
    ]
    .into_iter()
    .map(|key| (key.to_owned(), json!("CANARY")))
    .collect::<serde_json::Map<_, _>>()
    .into();
    let mut types = 0;
    for subject in Subject::ALL {
        for phase in subject.phases() {
            for body in [
                json!("CANARY"),
                json!({"message": "CANARY", "output": "CANARY", "result": "CANARY", "reasoning": "CANARY"}),
            ] {
                let event = with_body(&event(&format!("{subject}.{phase}"), attrs.clone()), body);
                let event = with(&event, |data| {
                    data.flavor = Flavor::new("scenario");
                    data.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
                });
                let shown = printed!(
                    &event,
                    LlmCallStarted,
                    LlmCallCompleted,
                    LlmCallChunk,
                    LlmCallThinking,
                    ToolCallCompleted,
                    ToolCallFailed,
                    ToolCallFailureReported,
                    ToolCallChunk,
                    ToolInputInvalid,
                    TagCompleted,
                    McpToolCompleted,
                    McpConnectionFailed,
                    McpConnectionClosed,
                    AgentExecutionCompleted,
                    AgentLogOutput,
                    PlanReasoningCompleted,
                    PlanObservationCompleted,
                    PlanReplanned,
                    WorkflowPaused,
                    StepPaused,
                    StepProgress,
                    StepValidated,
                    StepRetrying,
                    StepSnapshot,
                    CallCompleted,
                    RoutingSelected,
                    SecurityAlert,
                    GuardrailCompleted,
                    EvaluationResult,
                    HumanFeedbackRequested,
                    HumanInputReceived,
                    ConversationMessageAdded,
                    ConversationSnapshot,
                    RetrievalQueryCompleted,
                    MemorySaveCompleted,
                    SkillUnavailable,
                    A2aDelegationCompleted,
                    A2aMessageSent,
                    A2aServerTaskCompleted,
                    ScenarioRunFailed,
                    ScenarioMessageSnapshot,
                    HookDispatched,
                    AnyFailed,
                );
                assert!(!shown.contains("CANARY"), "{subject}.{phase}: {shown}");
                let whole = format!("{event:?}");
                assert!(!whole.contains("CANARY"), "{whole}");
                types += usize::from(shown.contains("<content>"));
            }
        }
    }
    assert!(types > 40, "only {types} views had content to hide");
}

#[test]
fn ill_typed_attributes_leave_their_field_empty() {
    let attrs = json!({
        "tool.attempt": -1, "tool.from_cache": "true", "gen_ai.tool.name": 7, "human.outcomes": {"a": 1},
        "step.progress.current": "3", "security.keywords": 4,
    });
    let tool = event("tool.call.started", attrs.clone());
    let view = ToolCallStarted::view(&tool).unwrap();
    assert_eq!(
        (view.attempt, view.from_cache, view.name),
        (None, None, None)
    );
    let paused = event("workflow.paused", attrs.clone());
    assert!(WorkflowPaused::view(&paused).unwrap().outcomes.is_empty());
    let alert = event("security.alert", attrs);
    assert!(SecurityAlert::view(&alert).unwrap().keywords.is_empty());
    assert_eq!(
        SecurityAlert::view(&alert)
            .unwrap()
            .event
            .attr("security.keywords"),
        Some(&4.into()),
        "what was said stays readable"
    );
}
