//! langchain-rust makes spans with names of its own, which the layer knows: nothing else is to be done.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use langchain_rust::agent::{AgentExecutor, OpenAiToolAgentBuilder};
use langchain_rust::chain::Chain as _;
use langchain_rust::llm::openai::{OpenAI, OpenAIConfig};
use langchain_rust::prompt_args;
use langchain_rust::tools::Tool;
use serde_json::Value;
use tracing_genai_clients::{Failure, install, start_model};

struct GetWeather;

#[async_trait]
impl Tool for GetWeather {
    fn name(&self) -> String {
        "get_weather".to_owned()
    }

    fn description(&self) -> String {
        "The weather in a city".to_owned()
    }

    async fn run(&self, _: Value) -> Result<String, Box<dyn Error>> {
        Ok("14 °C, light rain".to_owned())
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shown = install()?;
    let config = OpenAIConfig::new()
        .with_api_base(start_model()?)
        .with_api_key("no key");
    let model = OpenAI::default()
        .with_config(config)
        .with_model("gpt-4o-mini");
    let tools: [Arc<dyn Tool>; 1] = [Arc::new(GetWeather)];
    let agent = OpenAiToolAgentBuilder::new().tools(&tools).build(model)?;
    let answer = AgentExecutor::from_agent(agent)
        .invoke(prompt_args! { "input" => "Do I need an umbrella in Paris?" })
        .await?;
    println!("{answer}\n");
    print!("{}", shown.tree());
    Ok(())
}
