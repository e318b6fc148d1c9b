//! Names borrowed from the general OpenTelemetry conventions.
//!
//! Promise: every general attribute that a GenAI or MCP span, event or metric may carry is
//! here, and the few resource and identity names back ends group by.

/// What kind of failure ended the operation: a status code, an error type, or `_OTHER` (string). Absent on success.
pub const ERROR_TYPE: &str = "error.type";

/// Type of the error or panic (string).
pub const EXCEPTION_TYPE: &str = "exception.type";

/// Message of the error or panic (string). May quote content.
pub const EXCEPTION_MESSAGE: &str = "exception.message";

/// Stack trace or error chain (string).
pub const EXCEPTION_STACKTRACE: &str = "exception.stacktrace";

/// Host the client calls (string).
pub const SERVER_ADDRESS: &str = "server.address";

/// Port the client calls (integer). Set together with [`SERVER_ADDRESS`].
pub const SERVER_PORT: &str = "server.port";

/// Host of the caller, seen from the server (string).
pub const CLIENT_ADDRESS: &str = "client.address";

/// Port of the caller, seen from the server (integer).
pub const CLIENT_PORT: &str = "client.port";

/// Transport below the protocol: `tcp`, `pipe`, `unix` … (string).
pub const NETWORK_TRANSPORT: &str = "network.transport";

/// Application protocol, lower case, e.g. `http` (string).
pub const NETWORK_PROTOCOL_NAME: &str = "network.protocol.name";

/// Version of [`NETWORK_PROTOCOL_NAME`], e.g. `2` (string).
pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";

/// JSON-RPC version (string). Set only when not `2.0`.
pub const JSONRPC_PROTOCOL_VERSION: &str = "jsonrpc.protocol.version";

/// Id of the JSON-RPC request, also when it was a number (string).
pub const JSONRPC_REQUEST_ID: &str = "jsonrpc.request.id";

/// Error code of a JSON-RPC answer, as text (string).
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";

/// Azure resource provider, e.g. `Microsoft.CognitiveServices` (string).
pub const AZURE_RESOURCE_PROVIDER_NAMESPACE: &str = "azure.resource_provider.namespace";

/// File name of the program a command tool ran (string).
pub const PROCESS_EXECUTABLE_NAME: &str = "process.executable.name";

/// Full path of the program a command tool ran (string).
pub const PROCESS_EXECUTABLE_PATH: &str = "process.executable.path";

/// Exit code of the program a command tool ran (integer).
pub const PROCESS_EXIT_CODE: &str = "process.exit.code";

/// Id of the user's session (string).
pub const SESSION_ID: &str = "session.id";

/// Id of the user (string).
pub const USER_ID: &str = "user.id";

/// Resource attribute: what the service is called (string).
pub const SERVICE_NAME: &str = "service.name";

/// Resource attribute: the group of services it belongs to (string).
pub const SERVICE_NAMESPACE: &str = "service.namespace";

/// Resource attribute: version of the service (string).
pub const SERVICE_VERSION: &str = "service.version";

/// Resource attribute: id unique to this running instance (string).
pub const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// Resource attribute: where it is deployed, e.g. `production` (string).
pub const DEPLOYMENT_ENVIRONMENT_NAME: &str = "deployment.environment.name";

/// The text of a `tracing` event.
pub const MESSAGE: &str = "message";

/// A span's exported name, as the `tracing` world spells it.
pub const OTEL_NAME: &str = "otel.name";

/// A span's exported kind (`client`, `server`, `internal`), as the `tracing` world spells it.
pub const OTEL_KIND: &str = "otel.kind";

/// `ERROR` or `OK`, as the `tracing` world spells a span's status.
pub const OTEL_STATUS_CODE: &str = "otel.status_code";

/// The description of an `ERROR` status. Content: leaves only where error messages may.
pub const OTEL_STATUS_DESCRIPTION: &str = "otel.status_description";

/// Status code of an HTTP answer (integer). Here on model calls that failed.
pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";

/// How often a request was sent again (integer). Set only from 1.
pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";

/// Prefix, used as `http.response.header.<name>`: a header of an HTTP answer (list of strings). Here `retry-after` alone.
pub const HTTP_RESPONSE_HEADER: &str = "http.response.header";
