//! rig makes spans of its own. The layer understands them, and the tap, a middleware of its HTTP client, adds what they lack:
//! finish reasons, the time to the first chunk, errors.

use reqwest_middleware::ClientBuilder;
use rig::prelude::*;
use rig::providers::openai::{OpenAI, OpenAIConfig, Route};
use rig::rig_reqwest::ReqwestMiddlewareClient;
use rig::tool::{ToolContext, ToolExecutionError};
use tracing_genai::tap::Tap;
use tracing_genai_clients::{Failure, install, start_model};

struct GetWeather;

impl Tool for GetWeather {
    const NAME: &'static str = "get_weather";
    type Error = ToolExecutionError;
    type Args = serde_json::Value;
    type Output = String;

    fn description(&self) -> String {
        "The weather in a city".to_owned()
    }

    fn parameters(&self) -> serde_json::Value {
        serde_json::json!({ "type": "object", "properties": { "city": { "type": "string" } } })
    }

    async fn call(&self, _: &mut ToolContext, _: Self::Args) -> Result<String, Self::Error> {
        Ok("14 °C, light rain".to_owned())
    }
}

/// The client, with the tap in it.
fn client(base_url: String) -> OpenAI {
    let http = ClientBuilder::new(Default::default())
        .with(Tap::new())
        .build();
    OpenAIConfig::new("no key")
        .with_base_url(base_url)
        .with_route(Route::Chat)
        .connect(ReqwestMiddlewareClient::from(http))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shown = install()?;
    let model = client(start_model()?).completion("gpt-4o-mini");
    let agent = AgentBuilder::new(model)
        .name("weather")
        .tool(GetWeather)
        .default_max_turns(4)
        .build();
    let answer = agent.prompt("Do I need an umbrella in Paris?").await?;
    println!("{}\n", answer.output());
    print!("{}", shown.tree());
    println!("\nWhat the tap adds to rig's own spans");
    for call in shown.spans() {
        if let Some(reasons) = call.attr("gen_ai.response.finish_reasons") {
            println!("{}: {reasons}", call.name);
        }
    }
    Ok(())
}
