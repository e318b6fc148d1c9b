//! The `genai` crate: its feature `otel` is all there is to do.

use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent, Tool, ToolResponse};
use genai::resolver::{AuthData, Endpoint, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use serde_json::json;
use tracing_genai_clients::{Failure, install, start_model};

#[tracing::instrument(skip_all, err, fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "weather"))]
async fn ask(client: &Client, question: &str) -> Result<String, Failure> {
    let tool = Tool::new("get_weather")
        .with_schema(json!({ "type": "object", "properties": { "city": { "type": "string" } } }));
    let request = ChatRequest::new(vec![ChatMessage::user(question)]).with_tools([tool]);
    let calls = client
        .exec_chat("gpt-4o-mini", request.clone(), None)
        .await?
        .into_tool_calls();
    let mut request = request.append_message(calls.clone());
    for call in calls {
        let result = tracing_genai::tool(&call.fn_name)
            .call_id(&call.call_id)
            .run(async { Ok::<_, Failure>("14 °C, light rain") })
            .await?;
        request = request.append_message(ToolResponse::new(call.call_id, result));
    }
    // Tokens of a stream are asked for, or the model's server does not tell them.
    let options = ChatOptions::default().with_capture_usage(true);
    let mut answer = client
        .exec_chat_stream("gpt-4o-mini", request, Some(&options))
        .await?
        .stream;
    let mut text = String::new();
    while let Some(event) = answer.next().await {
        if let ChatStreamEvent::Chunk(chunk) = event? {
            text.push_str(&chunk.content);
        }
    }
    Ok(text)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shown = install()?;
    let base_url = format!("{}/", start_model()?);
    let client = Client::builder()
        .with_service_target_resolver(ServiceTargetResolver::from_resolver_fn(
            move |target: ServiceTarget| -> Result<ServiceTarget, genai::resolver::Error> {
                Ok(ServiceTarget {
                    endpoint: Endpoint::from_owned(base_url.clone()),
                    auth: AuthData::from_single("no key"),
                    model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
                })
            },
        ))
        .build()?;
    println!(
        "{}\n",
        ask(&client, "Do I need an umbrella in Paris?").await?
    );
    print!("{}", shown.tree());
    Ok(())
}
