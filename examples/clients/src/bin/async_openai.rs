//! async-openai has no telemetry of its own: the tap reads its requests and answers as they pass.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, ChatCompletionStreamOptions,
    CreateChatCompletionRequestArgs,
};
use futures_util::StreamExt as _;
use tower::service_fn;
use tracing_genai::tap::Tap;
use tracing_genai_clients::{Failure, install, start_model};

/// The client, with the tap between it and the network.
fn client(base_url: String) -> Client<OpenAIConfig> {
    let (tap, http) = (Tap::new(), reqwest::Client::new());
    let config = OpenAIConfig::new()
        .with_api_base(base_url)
        .with_api_key("no key");
    Client::with_config(config).with_http_service(service_fn(move |request: HttpRequestFactory| {
        let (tap, http) = (tap.clone(), http.clone());
        async move { Ok::<_, OpenAIError>(tap.send(&http, request.build().await?).await?) }
    }))
}

#[tracing::instrument(skip_all, err, fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "poet"))]
async fn ask(client: &Client<OpenAIConfig>, question: &str) -> Result<String, Failure> {
    let request = |stream: bool| {
        let message = ChatCompletionRequestUserMessageArgs::default()
            .content(question)
            .build()?;
        let mut request = CreateChatCompletionRequestArgs::default();
        request
            .model("gpt-4o-mini")
            .messages([message.into()])
            .temperature(0.2);
        if stream {
            request.stream_options(ChatCompletionStreamOptions {
                include_usage: Some(true),
                include_obfuscation: None,
            });
        }
        request.build()
    };
    client.chat().create(request(false)?).await?;
    let mut answer = client.chat().create_stream(request(true)?).await?;
    let mut text = String::new();
    while let Some(chunk) = answer.next().await {
        for choice in chunk?.choices {
            text.push_str(choice.delta.content.as_deref().unwrap_or_default());
        }
    }
    Ok(text)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shown = install()?;
    let client = client(start_model()?);
    println!("{}\n", ask(&client, "A line about rain in Paris?").await?);
    print!("{}", shown.tree());
    Ok(())
}
