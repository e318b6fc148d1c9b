//! The tools a request offers to the model.

use serde_json::Value as Json;

use super::convert::{Converted, Place, Reason};
use super::reading::{MAX_DEPTH, Reading};
use crate::event::import::nests_within;
use crate::provider::content::definition;

/// Where each format keeps a function's parameters.
const PARAMETERS: [&str; 5] = [
    "/parameters",
    "/input_schema",
    "/parametersJsonSchema",
    "/inputSchema/json",
    "/inputSchema",
];

/// Reads the tools of a request into the form of `gen_ai.tool.definitions`: type, name, description and parameters.
///
/// Takes the request (its `tools`) or the list, in the form of [OpenAI's chat and Responses
/// APIs](https://platform.openai.com/docs/guides/function-calling), of Anthropic, Gemini, Bedrock or MCP. Tools that the provider
/// runs itself keep their type, which is their name where they have no other. The conventions recommend to record type and name
/// only, unless asked; see [`plain_tools`].
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::tool_definitions;
///
/// let request = json!({"tools": [{"name": "get_weather", "input_schema": {"type": "object"}}, {}]});
/// let tools = tool_definitions(&request);
/// assert_eq!(tools.value, [json!({"type": "function", "name": "get_weather", "parameters": {"type": "object"}})]);
/// assert_eq!(tools.problems[0].to_string(), "tools[1].name: is missing");
/// ```
pub fn tool_definitions(json: &Json) -> Converted<Vec<Json>> {
    let mut cx = Reading::default();
    let root = Place::root("tools");
    let mut out = Vec::new();
    if !nests_within(json, MAX_DEPTH) {
        cx.log.lost(&root, Reason::TooDeep);
        return cx.log.with(out);
    }
    let list = match json {
        Json::Array(list) => list,
        Json::Object(fields) => cx.items(fields, "tools", &Place::root("request")),
        _ => cx.list(json, &root).unwrap_or_default(),
    };
    for (at, tool) in list.iter().enumerate() {
        let place = root.at(at);
        // Gemini groups its functions; its other tools are named by their only field.
        if let Some(Json::Array(functions)) = tool.get("functionDeclarations") {
            let place = place.field("functionDeclarations");
            for (at, function) in functions.iter().enumerate() {
                out.extend(one(function, &place.at(at), &mut cx));
            }
        } else if let Some(function) = tool.get("function") {
            out.extend(one(function, &place.field("function"), &mut cx));
        } else if let Some(spec) = tool.get("toolSpec") {
            out.extend(one(spec, &place.field("toolSpec"), &mut cx));
        } else {
            out.extend(one(tool, &place, &mut cx));
        }
    }
    cx.log.with(out)
}

fn one(tool: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Json> {
    cx.object(tool, place)?;
    let found = definition(tool, &PARAMETERS);
    if found.is_none() {
        cx.log.lost(&place.field("name"), Reason::Missing);
    }
    found
}

/// Tool definitions with type and name only, which is what the conventions recommend to record by default.
pub fn plain_tools(definitions: &[Json]) -> Vec<Json> {
    let names = ["type", "name"];
    let plain = |tool: &Json| {
        names
            .iter()
            .map(|name| ((*name).to_owned(), tool[*name].clone()))
            .collect()
    };
    definitions.iter().map(plain).map(Json::Object).collect()
}
