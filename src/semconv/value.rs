//! Values of the attributes that have a known set of them, one module per attribute.
//!
//! Each module ends with `ALL`, in the order of the conventions. Where a set is open, other
//! values are legal and must be passed through.

/// Values of [`GEN_AI_OPERATION_NAME`](super::GEN_AI_OPERATION_NAME). Closed: conformance checks reject any other.
pub mod operation {
    /// Chat completion.
    pub const CHAT: &str = "chat";
    /// Multimodal content generation, as Gemini calls it.
    pub const GENERATE_CONTENT: &str = "generate_content";
    /// Completion of a bare text, the older API style.
    pub const TEXT_COMPLETION: &str = "text_completion";
    /// Vectors for texts.
    pub const EMBEDDINGS: &str = "embeddings";
    /// Search in a vector store or index.
    pub const RETRIEVAL: &str = "retrieval";
    /// Reading a stored response back. Uses no tokens.
    pub const FETCH_RESPONSE: &str = "fetch_response";
    /// Creating a hosted agent.
    pub const CREATE_AGENT: &str = "create_agent";
    /// One run of an agent.
    pub const INVOKE_AGENT: &str = "invoke_agent";
    /// One run of a tool.
    pub const EXECUTE_TOOL: &str = "execute_tool";
    /// One run of a workflow that groups agents or model calls.
    pub const INVOKE_WORKFLOW: &str = "invoke_workflow";
    /// An agent breaking its task down.
    pub const PLAN: &str = "plan";
    /// Search in a memory store.
    pub const SEARCH_MEMORY: &str = "search_memory";
    /// Adding memory records.
    pub const CREATE_MEMORY: &str = "create_memory";
    /// Changing memory records.
    pub const UPDATE_MEMORY: &str = "update_memory";
    /// Adding or changing memory records.
    pub const UPSERT_MEMORY: &str = "upsert_memory";
    /// Removing memory records.
    pub const DELETE_MEMORY: &str = "delete_memory";
    /// Creating a memory store.
    pub const CREATE_MEMORY_STORE: &str = "create_memory_store";
    /// Removing a memory store.
    pub const DELETE_MEMORY_STORE: &str = "delete_memory_store";
    /// Every value above.
    pub const ALL: &[&str] = &[
        CHAT,
        GENERATE_CONTENT,
        TEXT_COMPLETION,
        EMBEDDINGS,
        RETRIEVAL,
        FETCH_RESPONSE,
        CREATE_AGENT,
        INVOKE_AGENT,
        EXECUTE_TOOL,
        INVOKE_WORKFLOW,
        PLAN,
        SEARCH_MEMORY,
        CREATE_MEMORY,
        UPDATE_MEMORY,
        UPSERT_MEMORY,
        DELETE_MEMORY,
        CREATE_MEMORY_STORE,
        DELETE_MEMORY_STORE,
    ];
}

/// Well-known values of [`GEN_AI_PROVIDER_NAME`](super::GEN_AI_PROVIDER_NAME). Open: others use a name of their own.
pub mod provider {
    /// OpenAI.
    pub const OPENAI: &str = "openai";
    /// Google, when it is not known which of its endpoints.
    pub const GCP_GEN_AI: &str = "gcp.gen_ai";
    /// Google Vertex AI.
    pub const GCP_VERTEX_AI: &str = "gcp.vertex_ai";
    /// Google Gemini API (AI Studio).
    pub const GCP_GEMINI: &str = "gcp.gemini";
    /// Anthropic.
    pub const ANTHROPIC: &str = "anthropic";
    /// Cohere.
    pub const COHERE: &str = "cohere";
    /// Azure AI Inference.
    pub const AZURE_AI_INFERENCE: &str = "azure.ai.inference";
    /// Azure OpenAI.
    pub const AZURE_AI_OPENAI: &str = "azure.ai.openai";
    /// IBM watsonx.
    pub const IBM_WATSONX_AI: &str = "ibm.watsonx.ai";
    /// AWS Bedrock.
    pub const AWS_BEDROCK: &str = "aws.bedrock";
    /// Perplexity.
    pub const PERPLEXITY: &str = "perplexity";
    /// xAI.
    pub const X_AI: &str = "x_ai";
    /// DeepSeek.
    pub const DEEPSEEK: &str = "deepseek";
    /// Groq.
    pub const GROQ: &str = "groq";
    /// Mistral AI.
    pub const MISTRAL_AI: &str = "mistral_ai";
    /// Moonshot AI.
    pub const MOONSHOT_AI: &str = "moonshot_ai";
    /// Every value above.
    pub const ALL: &[&str] = &[
        OPENAI,
        GCP_GEN_AI,
        GCP_VERTEX_AI,
        GCP_GEMINI,
        ANTHROPIC,
        COHERE,
        AZURE_AI_INFERENCE,
        AZURE_AI_OPENAI,
        IBM_WATSONX_AI,
        AWS_BEDROCK,
        PERPLEXITY,
        X_AI,
        DEEPSEEK,
        GROQ,
        MISTRAL_AI,
        MOONSHOT_AI,
    ];
}

/// Values of [`GEN_AI_OUTPUT_TYPE`](super::GEN_AI_OUTPUT_TYPE).
pub mod output_type {
    /// Plain text.
    pub const TEXT: &str = "text";
    /// JSON, with or without a schema.
    pub const JSON: &str = "json";
    /// Image.
    pub const IMAGE: &str = "image";
    /// Speech.
    pub const SPEECH: &str = "speech";
    /// Every value above.
    pub const ALL: &[&str] = &[TEXT, JSON, IMAGE, SPEECH];
}

/// Values of [`GEN_AI_RESPONSE_STATUS`](super::GEN_AI_RESPONSE_STATUS).
pub mod response_status {
    /// Not started.
    pub const QUEUED: &str = "queued";
    /// Running.
    pub const IN_PROGRESS: &str = "in_progress";
    /// Done.
    pub const COMPLETED: &str = "completed";
    /// Ended early, e.g. at a token limit.
    pub const INCOMPLETE: &str = "incomplete";
    /// Ended in an error.
    pub const FAILED: &str = "failed";
    /// Stopped by the caller.
    pub const CANCELLED: &str = "cancelled";
    /// Every value above.
    pub const ALL: &[&str] = &[
        QUEUED,
        IN_PROGRESS,
        COMPLETED,
        INCOMPLETE,
        FAILED,
        CANCELLED,
    ];
}

/// Values of [`GEN_AI_TOKEN_MODALITY`](super::GEN_AI_TOKEN_MODALITY).
pub mod token_modality {
    /// Text tokens.
    pub const TEXT: &str = "text";
    /// Image tokens.
    pub const IMAGE: &str = "image";
    /// Audio tokens.
    pub const AUDIO: &str = "audio";
    /// The provider gave no breakdown.
    pub const UNKNOWN: &str = "unknown";
    /// Every value above.
    pub const ALL: &[&str] = &[TEXT, IMAGE, AUDIO, UNKNOWN];
}

/// Values of the older [`GEN_AI_TOKEN_TYPE`](super::GEN_AI_TOKEN_TYPE).
pub mod token_type {
    /// Tokens read.
    pub const INPUT: &str = "input";
    /// Tokens produced.
    pub const OUTPUT: &str = "output";
    /// Every value above.
    pub const ALL: &[&str] = &[INPUT, OUTPUT];
}

/// Well-known values of [`GEN_AI_TOOL_TYPE`](super::GEN_AI_TOOL_TYPE), which is a free string.
pub mod tool_type {
    /// Runs in the client, called with arguments the model wrote.
    pub const FUNCTION: &str = "function";
    /// Runs on the agent side and calls out to an API.
    pub const EXTENSION: &str = "extension";
    /// Reads data the agent has access to.
    pub const DATASTORE: &str = "datastore";
    /// Every value above.
    pub const ALL: &[&str] = &[FUNCTION, EXTENSION, DATASTORE];
}

/// Values of [`MCP_METHOD_NAME`](super::MCP_METHOD_NAME).
pub mod mcp_method {
    /// Either side gives up on a request.
    pub const NOTIFICATIONS_CANCELLED: &str = "notifications/cancelled";
    /// The client opens the session.
    pub const INITIALIZE: &str = "initialize";
    /// The client is ready.
    pub const NOTIFICATIONS_INITIALIZED: &str = "notifications/initialized";
    /// News of a long request.
    pub const NOTIFICATIONS_PROGRESS: &str = "notifications/progress";
    /// Is the other side there?
    pub const PING: &str = "ping";
    /// Which resources are there?
    pub const RESOURCES_LIST: &str = "resources/list";
    /// Which resource templates are there?
    pub const RESOURCES_TEMPLATES_LIST: &str = "resources/templates/list";
    /// Read one resource.
    pub const RESOURCES_READ: &str = "resources/read";
    /// The list of resources changed.
    pub const NOTIFICATIONS_RESOURCES_LIST_CHANGED: &str = "notifications/resources/list_changed";
    /// Ask to be told of changes to a resource.
    pub const RESOURCES_SUBSCRIBE: &str = "resources/subscribe";
    /// Stop being told of them.
    pub const RESOURCES_UNSUBSCRIBE: &str = "resources/unsubscribe";
    /// A subscribed resource changed.
    pub const NOTIFICATIONS_RESOURCES_UPDATED: &str = "notifications/resources/updated";
    /// Which prompts are there?
    pub const PROMPTS_LIST: &str = "prompts/list";
    /// Fetch one prompt, filled in.
    pub const PROMPTS_GET: &str = "prompts/get";
    /// The list of prompts changed.
    pub const NOTIFICATIONS_PROMPTS_LIST_CHANGED: &str = "notifications/prompts/list_changed";
    /// Which tools are there?
    pub const TOOLS_LIST: &str = "tools/list";
    /// Run a tool. The one method that is also an [`execute_tool`](super::operation::EXECUTE_TOOL).
    pub const TOOLS_CALL: &str = "tools/call";
    /// The list of tools changed.
    pub const NOTIFICATIONS_TOOLS_LIST_CHANGED: &str = "notifications/tools/list_changed";
    /// Set the level of the server's log messages.
    pub const LOGGING_SET_LEVEL: &str = "logging/setLevel";
    /// A log message of the server.
    pub const NOTIFICATIONS_MESSAGE: &str = "notifications/message";
    /// The server asks for a model call by the client's model.
    pub const SAMPLING_CREATE_MESSAGE: &str = "sampling/createMessage";
    /// Suggestions for completing an argument.
    pub const COMPLETION_COMPLETE: &str = "completion/complete";
    /// Which folders may the server work in?
    pub const ROOTS_LIST: &str = "roots/list";
    /// The list of roots changed.
    pub const NOTIFICATIONS_ROOTS_LIST_CHANGED: &str = "notifications/roots/list_changed";
    /// The server asks the user for input.
    pub const ELICITATION_CREATE: &str = "elicitation/create";
    /// Every value above.
    pub const ALL: &[&str] = &[
        NOTIFICATIONS_CANCELLED,
        INITIALIZE,
        NOTIFICATIONS_INITIALIZED,
        NOTIFICATIONS_PROGRESS,
        PING,
        RESOURCES_LIST,
        RESOURCES_TEMPLATES_LIST,
        RESOURCES_READ,
        NOTIFICATIONS_RESOURCES_LIST_CHANGED,
        RESOURCES_SUBSCRIBE,
        RESOURCES_UNSUBSCRIBE,
        NOTIFICATIONS_RESOURCES_UPDATED,
        PROMPTS_LIST,
        PROMPTS_GET,
        NOTIFICATIONS_PROMPTS_LIST_CHANGED,
        TOOLS_LIST,
        TOOLS_CALL,
        NOTIFICATIONS_TOOLS_LIST_CHANGED,
        LOGGING_SET_LEVEL,
        NOTIFICATIONS_MESSAGE,
        SAMPLING_CREATE_MESSAGE,
        COMPLETION_COMPLETE,
        ROOTS_LIST,
        NOTIFICATIONS_ROOTS_LIST_CHANGED,
        ELICITATION_CREATE,
    ];
}

/// Values of [`OPENAI_API_TYPE`](super::OPENAI_API_TYPE).
pub mod openai_api_type {
    /// `/chat/completions`.
    pub const CHAT_COMPLETIONS: &str = "chat_completions";
    /// `/responses`.
    pub const RESPONSES: &str = "responses";
    /// Every value above.
    pub const ALL: &[&str] = &[CHAT_COMPLETIONS, RESPONSES];
}

/// Well-known values of [`OPENAI_REQUEST_SERVICE_TIER`](super::OPENAI_REQUEST_SERVICE_TIER).
pub mod openai_service_tier {
    /// Left to OpenAI.
    pub const AUTO: &str = "auto";
    /// The standard tier.
    pub const DEFAULT: &str = "default";
    /// Every value above.
    pub const ALL: &[&str] = &[AUTO, DEFAULT];
}

/// Values of our own [`GENAI_COST_SOURCE`](super::GENAI_COST_SOURCE).
pub mod cost_source {
    /// The provider stated the amount.
    pub const PROVIDER: &str = "provider";
    /// Computed from the bundled price table.
    pub const TABLE: &str = "table";
    /// Computed from a price the application set.
    pub const OVERRIDE: &str = "override";
    /// Every value above.
    pub const ALL: &[&str] = &[PROVIDER, TABLE, OVERRIDE];
}

/// Values of [`ERROR_TYPE`](super::ERROR_TYPE) that this crate gives itself. Others are type names, status codes or the
/// application's own short words.
pub mod error_type {
    /// The error's type is not known: the conventions' fallback.
    pub const OTHER: &str = "_OTHER";
    /// The code panicked.
    pub const PANIC: &str = "panic";
    /// The time was up.
    pub const TIMEOUT: &str = "timeout";
    /// A policy stopped it.
    pub const BLOCKED: &str = "blocked";
    /// An MCP tool answered with a result that says it failed. The conventions' value for it.
    pub const TOOL_ERROR: &str = "tool_error";
    /// The process ended, killed or crashed, before the work did.
    pub const PROCESS_ENDED: &str = "process_ended";
    /// Every value above.
    pub const ALL: &[&str] = &[OTHER, PANIC, TIMEOUT, BLOCKED, TOOL_ERROR, PROCESS_ENDED];
}
