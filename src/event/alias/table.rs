//! Every name the dialects have, one row an event.
//!
//! A row: the dialect's names for it (the first is the one written, all are read), what it is, the flavor (`@`), its level
//! where that is not the type's (`at`), and what else the same name stands for when its fields say so (`or`).

use super::{Alias, Dialect};
use crate::event::{Level, Subject};

macro_rules! aliases {
    ($($dialect:ident {$(
        $($name:literal)|+ => $subject:ident $phase:ident $(@ $flavor:literal)? $(at $level:ident)? $(or $($other:ident . $also:ident)+)?;
    )*})*) => {
        pub(super) static TABLE: &[Alias] = &[$($(
            Alias {
                dialect: Dialect::$dialect,
                names: &[$($name),+],
                subject: Subject::$subject,
                phase: stringify!($phase),
                flavor: concat!($($flavor)?),
                level: first!($(Some(Level::$level),)? None),
                also: &[$($((Subject::$other, stringify!($also))),+)?],
            },
        )*)*];
    };
}

macro_rules! first {
    ($first:expr $(, $rest:expr)*) => {
        $first
    };
}

aliases! {
    CrewAi {
        // LLM
        "llm_call_started" | "LLMCallStartedEvent" => LLM_CALL started;
        "llm_call_completed" | "LLMCallCompletedEvent" => LLM_CALL completed;
        "llm_call_failed" | "LLMCallFailedEvent" => LLM_CALL failed;
        "llm_stream_chunk" | "LLMStreamChunkEvent" => LLM_CALL chunk;
        "llm_thinking_chunk" | "LLMThinkingChunkEvent" => LLM_CALL thinking;
        // Tool
        "tool_usage_started" | "ToolUsageStartedEvent" => TOOL_CALL started;
        "tool_usage_finished" | "ToolUsageFinishedEvent" => TOOL_CALL completed;
        "tool_usage_error" | "ToolUsageErrorEvent" => TOOL_CALL failed;
        "tool_failure_detected" | "ToolFailureDetectedEvent" => TOOL_CALL failure_reported;
        "tool_validate_input_error" | "ToolValidateInputErrorEvent" => TOOL_INPUT invalid;
        "tool_selection_error" | "ToolSelectionErrorEvent" => TOOL_SELECTION invalid;
        "tool_execution_error" | "ToolExecutionErrorEvent" => TOOL_CALL failed @ "runtime";
        "tool_usage" | "ToolUsageEvent" => TOOL recorded;
        // Agent
        "agent_execution_started" | "AgentExecutionStartedEvent" => AGENT_EXECUTION started;
        "agent_execution_completed" | "AgentExecutionCompletedEvent" => AGENT_EXECUTION completed;
        "agent_execution_error" | "AgentExecutionErrorEvent" => AGENT_EXECUTION failed;
        "lite_agent_execution_started" | "LiteAgentExecutionStartedEvent" => AGENT_EXECUTION started @ "lite";
        "lite_agent_execution_completed" | "LiteAgentExecutionCompletedEvent" => AGENT_EXECUTION completed @ "lite";
        "lite_agent_execution_error" | "LiteAgentExecutionErrorEvent" => AGENT_EXECUTION failed @ "lite";
        "agent_evaluation_started" | "AgentEvaluationStartedEvent" => EVALUATION started @ "agent";
        "agent_evaluation_completed" | "AgentEvaluationCompletedEvent" => EVALUATION completed @ "agent";
        "agent_evaluation_failed" | "AgentEvaluationFailedEvent" => EVALUATION failed @ "agent";
        // Crew
        "crew_kickoff_started" | "CrewKickoffStartedEvent" => WORKFLOW started @ "crew";
        "crew_kickoff_completed" | "CrewKickoffCompletedEvent" => WORKFLOW completed @ "crew";
        "crew_kickoff_failed" | "CrewKickoffFailedEvent" => WORKFLOW failed @ "crew";
        "crew_train_started" | "CrewTrainStartedEvent" => WORKFLOW_TRAIN started @ "crew";
        "crew_train_completed" | "CrewTrainCompletedEvent" => WORKFLOW_TRAIN completed @ "crew";
        "crew_train_failed" | "CrewTrainFailedEvent" => WORKFLOW_TRAIN failed @ "crew";
        "crew_test_started" | "CrewTestStartedEvent" => WORKFLOW_TEST started @ "crew";
        "crew_test_completed" | "CrewTestCompletedEvent" => WORKFLOW_TEST completed @ "crew";
        "crew_test_failed" | "CrewTestFailedEvent" => WORKFLOW_TEST failed @ "crew";
        "crew_test_result" | "CrewTestResultEvent" => EVALUATION result @ "crew_test";
        // Task
        "task_started" | "TaskStartedEvent" => STEP started @ "task";
        "task_completed" | "TaskCompletedEvent" => STEP completed @ "task";
        "task_failed" | "TaskFailedEvent" => STEP failed @ "task";
        "task_evaluation" | "TaskEvaluationEvent" => EVALUATION result @ "task";
        // Flow, conversation, human
        "flow_started" | "FlowStartedEvent" => WORKFLOW started @ "flow";
        "flow_created" | "FlowCreatedEvent" => WORKFLOW created @ "flow";
        "method_execution_started" | "MethodExecutionStartedEvent" => STEP started @ "method";
        "method_execution_finished" | "MethodExecutionFinishedEvent" => STEP completed @ "method";
        "method_execution_failed" | "MethodExecutionFailedEvent" => STEP failed @ "method";
        "method_execution_paused" | "MethodExecutionPausedEvent" => STEP paused @ "method";
        "flow_finished" | "FlowFinishedEvent" => WORKFLOW completed @ "flow";
        "flow_failed" | "FlowFailedEvent" => WORKFLOW failed @ "flow";
        "flow_paused" | "FlowPausedEvent" => WORKFLOW paused @ "flow";
        "flow_plot" | "FlowPlotEvent" => WORKFLOW plotted @ "flow";
        "flow_input_requested" | "FlowInputRequestedEvent" => HUMAN_INPUT requested;
        "flow_input_received" | "FlowInputReceivedEvent" => HUMAN_INPUT received;
        "conversation_message_added" | "ConversationMessageAddedEvent" => CONVERSATION_MESSAGE added;
        "conversation_turn_started" | "ConversationTurnStartedEvent" => CONVERSATION_TURN started;
        "conversation_turn_completed" | "ConversationTurnCompletedEvent" => CONVERSATION_TURN completed;
        "conversation_turn_failed" | "ConversationTurnFailedEvent" => CONVERSATION_TURN failed;
        "conversation_route_selected" | "ConversationRouteSelectedEvent" => ROUTING selected @ "conversation";
        "human_feedback_requested" | "HumanFeedbackRequestedEvent" => HUMAN_FEEDBACK requested;
        "human_feedback_received" | "HumanFeedbackReceivedEvent" => HUMAN_FEEDBACK received;
        // Knowledge
        "knowledge_search_query_started" | "KnowledgeRetrievalStartedEvent" => RETRIEVAL_SEARCH started;
        "knowledge_search_query_completed" | "KnowledgeRetrievalCompletedEvent" => RETRIEVAL_SEARCH completed;
        "knowledge_query_started" | "KnowledgeQueryStartedEvent" => RETRIEVAL_QUERY started;
        "knowledge_query_failed" | "KnowledgeQueryFailedEvent" => RETRIEVAL_QUERY failed;
        "knowledge_query_completed" | "KnowledgeQueryCompletedEvent" => RETRIEVAL_QUERY completed;
        "knowledge_search_query_failed" | "KnowledgeSearchQueryFailedEvent" => RETRIEVAL_SEARCH failed;
        // Memory
        "memory_query_started" | "MemoryQueryStartedEvent" => MEMORY_QUERY started;
        "memory_query_completed" | "MemoryQueryCompletedEvent" => MEMORY_QUERY completed;
        "memory_query_failed" | "MemoryQueryFailedEvent" => MEMORY_QUERY failed;
        "memory_save_started" | "MemorySaveStartedEvent" => MEMORY_SAVE started;
        "memory_save_completed" | "MemorySaveCompletedEvent" => MEMORY_SAVE completed;
        "memory_save_failed" | "MemorySaveFailedEvent" => MEMORY_SAVE failed;
        "memory_retrieval_started" | "MemoryRetrievalStartedEvent" => MEMORY_RETRIEVAL started;
        "memory_retrieval_completed" | "MemoryRetrievalCompletedEvent" => MEMORY_RETRIEVAL completed;
        "memory_retrieval_failed" | "MemoryRetrievalFailedEvent" => MEMORY_RETRIEVAL failed;
        // MCP
        "mcp_connection_started" | "MCPConnectionStartedEvent" => MCP_CONNECTION started;
        "mcp_connection_completed" | "MCPConnectionCompletedEvent" => MCP_CONNECTION completed;
        "mcp_connection_failed" | "MCPConnectionFailedEvent" => MCP_CONNECTION failed;
        "mcp_tool_execution_started" | "MCPToolExecutionStartedEvent" => MCP_TOOL started;
        "mcp_tool_execution_completed" | "MCPToolExecutionCompletedEvent" => MCP_TOOL completed;
        "mcp_tool_execution_failed" | "MCPToolExecutionFailedEvent" => MCP_TOOL failed;
        "mcp_config_fetch_failed" | "MCPConfigFetchFailedEvent" => MCP_CONFIG unavailable;
        // A2A
        "a2a_delegation_started" | "A2ADelegationStartedEvent" => A2A_DELEGATION started;
        "a2a_delegation_completed" | "A2ADelegationCompletedEvent" => A2A_DELEGATION completed or A2A_DELEGATION.failed A2A_DELEGATION.paused;
        "a2a_conversation_started" | "A2AConversationStartedEvent" => A2A_CONVERSATION started;
        "a2a_message_sent" | "A2AMessageSentEvent" => A2A_MESSAGE sent;
        "a2a_response_received" | "A2AResponseReceivedEvent" => A2A_MESSAGE received;
        "a2a_conversation_completed" | "A2AConversationCompletedEvent" => A2A_CONVERSATION completed or A2A_CONVERSATION.failed;
        "a2a_polling_started" | "A2APollingStartedEvent" => A2A_POLL opened;
        "a2a_polling_status" | "A2APollingStatusEvent" => A2A_POLL status;
        "a2a_push_notification_registered" | "A2APushNotificationRegisteredEvent" => A2A_PUSH registered;
        "a2a_push_notification_received" | "A2APushNotificationReceivedEvent" => A2A_PUSH received;
        "a2a_push_notification_sent" | "A2APushNotificationSentEvent" => A2A_PUSH sent;
        "a2a_push_notification_timeout" | "A2APushNotificationTimeoutEvent" => A2A_PUSH timed_out;
        "a2a_streaming_started" | "A2AStreamingStartedEvent" => A2A_STREAM opened;
        "a2a_streaming_chunk" | "A2AStreamingChunkEvent" => A2A_STREAM chunk;
        "a2a_agent_card_fetched" | "A2AAgentCardFetchedEvent" => A2A_CARD fetched;
        "a2a_authentication_failed" | "A2AAuthenticationFailedEvent" => A2A_AUTH rejected;
        "a2a_artifact_received" | "A2AArtifactReceivedEvent" => A2A_ARTIFACT received;
        "a2a_connection_error" | "A2AConnectionErrorEvent" => A2A_CONNECTION errored;
        "a2a_server_task_started" | "A2AServerTaskStartedEvent" => A2A_SERVER_TASK started;
        "a2a_server_task_completed" | "A2AServerTaskCompletedEvent" => A2A_SERVER_TASK completed;
        "a2a_server_task_canceled" | "A2AServerTaskCanceledEvent" => A2A_SERVER_TASK canceled;
        "a2a_server_task_failed" | "A2AServerTaskFailedEvent" => A2A_SERVER_TASK failed;
        "a2a_parallel_delegation_started" | "A2AParallelDelegationStartedEvent" => A2A_PARALLEL started;
        "a2a_parallel_delegation_completed" | "A2AParallelDelegationCompletedEvent" => A2A_PARALLEL completed;
        "a2a_transport_negotiated" | "A2ATransportNegotiatedEvent" => A2A_TRANSPORT negotiated;
        "a2a_content_type_negotiated" | "A2AContentTypeNegotiatedEvent" => A2A_CONTENT_TYPE negotiated;
        "a2a_context_created" | "A2AContextCreatedEvent" => A2A_CONTEXT created;
        "a2a_context_expired" | "A2AContextExpiredEvent" => A2A_CONTEXT expired;
        "a2a_context_idle" | "A2AContextIdleEvent" => A2A_CONTEXT idle;
        "a2a_context_completed" | "A2AContextCompletedEvent" => A2A_CONTEXT finished;
        "a2a_context_pruned" | "A2AContextPrunedEvent" => A2A_CONTEXT pruned;
        // Guardrail
        "llm_guardrail_started" | "LLMGuardrailStartedEvent" => GUARDRAIL started;
        "llm_guardrail_completed" | "LLMGuardrailCompletedEvent" => GUARDRAIL completed;
        "llm_guardrail_failed" | "LLMGuardrailFailedEvent" => GUARDRAIL failed;
        // Reasoning
        "agent_reasoning_started" | "AgentReasoningStartedEvent" => PLAN_REASONING started;
        "agent_reasoning_completed" | "AgentReasoningCompletedEvent" => PLAN_REASONING completed;
        "agent_reasoning_failed" | "AgentReasoningFailedEvent" => PLAN_REASONING failed;
        // Plan / observation
        "plan_step_started" | "PlanStepStartedEvent" => STEP started @ "plan";
        "plan_step_completed" | "PlanStepCompletedEvent" => STEP completed @ "plan" or STEP.failed;
        "step_observation_started" | "StepObservationStartedEvent" => PLAN_OBSERVATION started;
        "step_observation_completed" | "StepObservationCompletedEvent" => PLAN_OBSERVATION completed;
        "step_observation_failed" | "StepObservationFailedEvent" => PLAN_OBSERVATION failed;
        "plan_refinement" | "PlanRefinementEvent" => PLAN refined;
        "plan_replan_triggered" | "PlanReplanTriggeredEvent" => PLAN replanned;
        "goal_achieved_early" | "GoalAchievedEarlyEvent" => PLAN goal_achieved;
        // Skill
        "skill_discovery_started" | "SkillDiscoveryStartedEvent" => SKILL_DISCOVERY started;
        "skill_discovery_completed" | "SkillDiscoveryCompletedEvent" => SKILL_DISCOVERY completed;
        "skill_loaded" | "SkillLoadedEvent" => SKILL loaded;
        "skill_activated" | "SkillActivatedEvent" => SKILL activated;
        "skill_load_failed" | "SkillLoadFailedEvent" => SKILL unavailable;
        "skill_used" | "SkillUsedEvent" => SKILL used;
        "skill_download_started" | "SkillDownloadStartedEvent" => SKILL_DOWNLOAD started;
        "skill_download_completed" | "SkillDownloadCompletedEvent" => SKILL_DOWNLOAD completed;
        // Checkpoint
        "checkpoint_started" | "CheckpointStartedEvent" => CHECKPOINT_SAVE started;
        "checkpoint_completed" | "CheckpointCompletedEvent" => CHECKPOINT_SAVE completed;
        "checkpoint_failed" | "CheckpointFailedEvent" => CHECKPOINT_SAVE failed;
        "checkpoint_pruned" | "CheckpointPrunedEvent" => CHECKPOINT pruned;
        "checkpoint_fork_started" | "CheckpointForkStartedEvent" => CHECKPOINT_FORK started;
        "checkpoint_fork_completed" | "CheckpointForkCompletedEvent" => CHECKPOINT_FORK completed;
        "checkpoint_restore_started" | "CheckpointRestoreStartedEvent" => CHECKPOINT_RESTORE started;
        "checkpoint_restore_completed" | "CheckpointRestoreCompletedEvent" => CHECKPOINT_RESTORE completed;
        "checkpoint_restore_failed" | "CheckpointRestoreFailedEvent" => CHECKPOINT_RESTORE failed;
        // Hook
        "hook_dispatched" | "HookDispatchedEvent" => HOOK dispatched;
        // System signals
        "SIGTERM" | "SigTermEvent" => SYSTEM_SIGNAL received @ "sigterm";
        "SIGINT" | "SigIntEvent" => SYSTEM_SIGNAL received @ "sigint";
        "SIGHUP" | "SigHupEvent" => SYSTEM_SIGNAL received @ "sighup";
        "SIGTSTP" | "SigTStpEvent" => SYSTEM_SIGNAL received @ "sigtstp" at Info;
        "SIGCONT" | "SigContEvent" => SYSTEM_SIGNAL received @ "sigcont" at Info;
        // Environment
        "cc_env" | "CCEnvEvent" => ENV detected @ "claude_code";
        "codex_env" | "CodexEnvEvent" => ENV detected @ "codex";
        "cursor_env" | "CursorEnvEvent" => ENV detected @ "cursor";
        "default_env" | "DefaultEnvEvent" => ENV detected @ "default";
        // Logging
        "agent_logs_started" | "AgentLogsStartedEvent" => AGENT_LOG announced;
        "agent_logs_execution" | "AgentLogsExecutionEvent" => AGENT_LOG output;
    }
    Cylestio {
        "monitoring_enabled" => MONITORING enabled;
        "monitoring_disabled" => MONITORING disabled;
        "config_updated" => CONFIG updated;
        "LLM_patch" => INSTRUMENTATION applied @ "llm";
        "MCP_patch" => INSTRUMENTATION applied @ "mcp";
        "framework_patch" => INSTRUMENTATION applied @ "framework";
        "LLM_call_start" => LLM_CALL started;
        "LLM_call_finish" => LLM_CALL completed;
        "LLM_call_error" => LLM_CALL failed;
        "LLM_call_blocked" => LLM_CALL blocked;
        "MCP_tool_call_start" => MCP_TOOL started;
        "MCP_tool_call_finish" => MCP_TOOL completed;
        "MCP_tool_call_error" => MCP_TOOL failed;
        "MCP_tool_call_blocked" => MCP_TOOL blocked;
        "call_start" => CALL started;
        "call_finish" => CALL completed;
        "call_error" => CALL failed;
        "API_call_start" => API_CALL started;
        "API_call_finish" => API_CALL completed;
        "API_error" => API_CALL failed;
        "mcp_request" => MCP_REQUEST started;
        "mcp_response" => MCP_REQUEST completed;
        "mcp_error" => MCP_REQUEST failed;
        "anthropic_request" => LLM_CALL started @ "anthropic";
        "anthropic_response" => LLM_CALL completed @ "anthropic";
        "anthropic_error" => LLM_CALL failed @ "anthropic";
        "security_alert" | "custom_security_error" => SECURITY alert;
        "security_block" => SECURITY block;
        "security_warning" | "custom_security_warning" => SECURITY warning;
    }
    CylestioOtel {
        "monitoring.start" => MONITORING enabled;
        "monitoring.stop" => MONITORING disabled;
        "framework.patch" => INSTRUMENTATION applied;
        "framework.unpatch" => INSTRUMENTATION removed;
        "framework.patch.error" | "framework.unpatch.error" => INSTRUMENTATION errored;
        "framework.initialization" => INSTRUMENTATION initialized;
        "llm.call.start" | "llm.request" | "llm.chat.request" | "llm.completion.request" | "llm_request" => LLM_CALL started;
        "llm.call.end" | "llm.call.finish" | "llm.response" | "llm.chat.response" | "llm.completion.response" | "llm_response" => LLM_CALL completed;
        "llm.call.error" | "llm.error" => LLM_CALL failed;
        "tool.start" | "tool.call" | "tool.execution" | "agent_tool.start" | "tool_call" => TOOL_CALL started or MCP_TOOL.started;
        "tool.end" | "tool.result" | "agent_tool.end" | "tool_response" => TOOL_CALL completed or MCP_TOOL.completed;
        "tool.error" | "agent_tool.error" => TOOL_CALL failed or MCP_TOOL.failed;
        "tool.inferred" => TOOL inferred;
        "tool.schema.generated" => TOOL schema_generated;
        "agent.startup" | "langgraph.react_agent.create" => AGENT created;
        "agent.shutdown" => AGENT shutdown;
        "agent.invoke.start" | "agent.run.start" | "agent.start" | "agent_start" => AGENT_EXECUTION started;
        "agent.invoke.end" | "agent.run.end" | "agent.finish" | "agent_end" => AGENT_EXECUTION completed;
        "agent.invoke.error" | "agent.run.error" => AGENT_EXECUTION failed;
        "chain.start" => STEP started @ "chain";
        "chain.end" => STEP completed @ "chain";
        "chain.error" => STEP failed @ "chain";
        "langgraph.invoke.start" | "langgraph.graph_start" => WORKFLOW started @ "graph";
        "langgraph.invoke.end" | "langgraph.graph_end" => WORKFLOW completed @ "graph";
        "langgraph.invoke.error" | "langgraph.graph_error" => WORKFLOW failed @ "graph";
        "langgraph.node.start" | "graph.node.start" => STEP started @ "node";
        "langgraph.node.end" | "graph.node.end" => STEP completed @ "node";
        "langgraph.node.error" => STEP failed @ "node";
        "graph.node.update" | "graph.state.update" => STEP snapshot @ "node";
        "langgraph.transition" | "graph.edge.traversal" => ROUTING selected;
        "langgraph.transition.error" => LOG error @ "transition";
        "retrieval.query" => RETRIEVAL_QUERY started;
        "retrieval.result" => RETRIEVAL_QUERY completed;
        "retrieval.error" => RETRIEVAL_QUERY failed;
        "user.message" | "user_message" => CONVERSATION_MESSAGE added;
        "system_message" => CONVERSATION_MESSAGE added @ "system";
        "user.feedback" => HUMAN_FEEDBACK received;
        "session.start" | "session_start" => SESSION started;
        "session.end" | "session_end" => SESSION completed;
        "conversation_start" => CONVERSATION_TURN started;
        "conversation_end" => CONVERSATION_TURN completed;
        "mcp.connection.open" | "mcp_connection_connect" => MCP_CONNECTION started;
        "mcp.connection.close" | "mcp_connection_disconnect" => MCP_CONNECTION completed;
        "mcp.connection.error" | "mcp_connection_error" => MCP_CONNECTION failed;
        "mcp.command.sent" | "mcp.command.received" | "mcp_command" => MCP_REQUEST started or MCP_REQUEST.completed MCP_REQUEST.failed;
        "mcp_heartbeat" => MCP heartbeat;
        "mcp_file_transfer" => MCP file_transfer;
        "mcp_agent_status_change" => MCP agent_status;
        "mcp_authentication" => MCP authenticated;
        "security.content.suspicious" => SECURITY warning;
        "security.content.dangerous" | "security_alert" => SECURITY alert;
        "process.exec" | "process.started" => PROCESS_EXEC started;
        "process.exec.error" => PROCESS_EXEC failed;
        "net.conn_open" => NETWORK_CONNECTION opened;
        "net.conn_error" => NETWORK_CONNECTION errored;
        "error" => LOG error;
        "warning" => LOG warning;
        "info" => LOG info;
        "performance_metric" => METRIC recorded;
    }
    AiTaskAgent {
        "pipeline.started" | "PipelineStartedEvent" => WORKFLOW started @ "pipeline";
        "pipeline.completed" | "PipelineCompletedEvent" => WORKFLOW completed @ "pipeline" or WORKFLOW.failed;
        "step.started" | "StepStartedEvent" => STEP started;
        "step.completed" | "StepCompletedEvent" => STEP completed or STEP.failed;
        "step.progress" | "StepProgressEvent" => STEP progress;
        "step.routing" | "StepRoutingEvent" => ROUTING selected @ "step";
        "step.validation" | "StepValidationEvent" => STEP validated;
        "llm.response" | "LlmResponseEvent" => LLM_CALL completed or LLM_CALL.chunk LLM_CALL.thinking;
        "tool.started" | "ToolStartedEvent" => TOOL_CALL started;
        "tool.completed" | "ToolCompletedEvent" => TOOL_CALL completed or TOOL_CALL.failed;
        "tag.started" | "TagStartedEvent" => TAG started @ "tag";
        "tag.completed" | "TagCompletedEvent" => TAG completed @ "tag" or TAG.failed;
        "context.snapshot" | "ContextSnapshotEvent" => STEP snapshot;
        "StepTraceEvent" => STEP retrying;
    }
    Scenario {
        "SCENARIO_RUN_STARTED" | "ScenarioRunStartedEvent" => WORKFLOW started @ "scenario";
        "SCENARIO_RUN_FINISHED" | "ScenarioRunFinishedEvent" => WORKFLOW completed @ "scenario" or WORKFLOW.failed WORKFLOW.canceled;
        "SCENARIO_MESSAGE_SNAPSHOT" | "ScenarioMessageSnapshotEvent" => CONVERSATION snapshot @ "scenario";
        "SCENARIO_TEXT_MESSAGE_START" => CONVERSATION_MESSAGE opened @ "scenario";
        "SCENARIO_TEXT_MESSAGE_CONTENT" => CONVERSATION_MESSAGE chunk @ "scenario";
        "SCENARIO_TEXT_MESSAGE_END" => CONVERSATION_MESSAGE added @ "scenario";
        "SCENARIO_TOOL_CALL_START" => TOOL_CALL announced @ "scenario";
        "SCENARIO_TOOL_CALL_ARGS" => TOOL_CALL chunk @ "scenario";
        "SCENARIO_TOOL_CALL_END" => TOOL_CALL sealed @ "scenario";
    }
}
