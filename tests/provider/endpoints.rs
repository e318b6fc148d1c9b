use tracing_genai::event::Value;
use tracing_genai::provider::{Api, Endpoint};

fn of(url: &str) -> (Api, String, Option<String>) {
    let endpoint = Endpoint::of_url(url).unwrap_or_else(|| panic!("{url}"));
    let bare = endpoint.bare();
    let model = bare.attrs.get("gen_ai.request.model");
    let model = model.and_then(Value::as_str).map(str::to_owned);
    (endpoint.api(), endpoint.provider().to_owned(), model)
}

#[test]
fn the_shape_is_told_by_the_path_and_the_provider_by_the_host() {
    for (url, api, provider) in [
        (
            "https://api.openai.com/v1/chat/completions",
            Api::OpenAiChat,
            "openai",
        ),
        (
            "https://api.openai.com/v1/completions",
            Api::OpenAiCompletions,
            "openai",
        ),
        (
            "https://api.openai.com/v1/embeddings",
            Api::OpenAiEmbeddings,
            "openai",
        ),
        (
            "https://x.openai.azure.com/openai/v1/responses",
            Api::OpenAiResponses,
            "azure.ai.openai",
        ),
        (
            "https://api.groq.com/openai/v1/chat/completions",
            Api::OpenAiChat,
            "groq",
        ),
        (
            "https://api.deepseek.com/chat/completions",
            Api::OpenAiChat,
            "deepseek",
        ),
        (
            "https://api.x.ai/v1/responses",
            Api::OpenAiResponses,
            "x_ai",
        ),
        (
            "https://api.perplexity.ai/chat/completions",
            Api::OpenAiChat,
            "perplexity",
        ),
        (
            "https://api.moonshot.cn/v1/chat/completions",
            Api::OpenAiChat,
            "moonshot_ai",
        ),
        (
            "https://api.mistral.ai/v1/chat/completions",
            Api::Mistral,
            "mistral_ai",
        ),
        (
            "https://api.mistral.ai/v1/embeddings",
            Api::OpenAiEmbeddings,
            "mistral_ai",
        ),
        (
            "https://api.cohere.ai/compatibility/v1/chat/completions",
            Api::OpenAiChat,
            "cohere",
        ),
        (
            "https://api.cohere.com/v2/embed",
            Api::CohereEmbeddings,
            "cohere",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            Api::OpenAiChat,
            "gcp.gemini",
        ),
        (
            "https://openrouter.ai/api/v1/chat/completions",
            Api::OpenAiChat,
            "openrouter",
        ),
        (
            "http://localhost:11434/v1/chat/completions",
            Api::OpenAiChat,
            "ollama",
        ),
        (
            "http://127.0.0.1:11434/api/generate",
            Api::OllamaGenerate,
            "ollama",
        ),
        (
            "http://[::1]:11434/api/embed",
            Api::OllamaEmbeddings,
            "ollama",
        ),
        (
            "http://localhost:8080/v1/chat/completions",
            Api::OpenAiChat,
            "openai",
        ),
        (
            "http://gateway.internal/llm/v1/messages",
            Api::AnthropicMessages,
            "anthropic",
        ),
    ] {
        let (found, owner, _) = of(url);
        assert_eq!((found, owner.as_str()), (api, provider), "{url}");
    }
}

#[test]
fn models_that_stand_in_the_path_are_found() {
    for (url, provider, model) in [
        (
            "https://x.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
            "azure.ai.openai",
            "my-gpt",
        ),
        (
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            "gcp.vertex_ai",
            "gemini-2.5-pro",
        ),
        (
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/claude-sonnet-4-5:rawPredict",
            "gcp.vertex_ai",
            "claude-sonnet-4-5",
        ),
        (
            "https://bedrock-runtime.eu-central-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Ainference-profile%2Fx/converse-stream",
            "aws.bedrock",
            "arn:aws:bedrock:eu:1:inference-profile/x",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/text-embedding-004:embedContent",
            "gcp.gemini",
            "text-embedding-004",
        ),
    ] {
        let (_, owner, found) = of(url);
        assert_eq!(
            (owner.as_str(), found.as_deref()),
            (provider, Some(model)),
            "{url}"
        );
    }
}

#[test]
fn only_the_hosts_of_bedrock_are_bedrock() {
    for (host, provider) in [
        ("bedrock-runtime.eu-west-1.amazonaws.com", "aws.bedrock"),
        (
            "bedrock-runtime-fips.us-east-1.amazonaws.com",
            "aws.bedrock",
        ),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
        (
            "vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            "aws.bedrock",
        ),
        // What people run behind a load balancer of their own.
        ("gateway-1.us-east-1.elb.amazonaws.com", "openai"),
        ("bedrock-runtime.example.com", "openai"),
    ] {
        let url = format!("https://{host}/openai/v1/chat/completions");
        assert_eq!(
            Endpoint::of_url(&url).unwrap().provider(),
            provider,
            "{host}"
        );
    }
}

#[test]
fn a_conversation_nobody_asked_for_is_passed_over_without_an_allocation() {
    let allocations = |messages: usize| {
        let body = serde_json::json!({
            "model": "m", "temperature": 0.5, "stream": true,
            "messages": vec![serde_json::json!({"role": "user", "content": "Take an umbrella."}); messages],
        });
        let body = serde_json::to_vec(&body).unwrap();
        let endpoint = Endpoint::new(Api::OpenAiChat, "openai");
        let mut model = None;
        let counted = allocation_counter::measure(|| {
            model = endpoint
                .request(&body, false)
                .attrs
                .get("gen_ai.request.model")
                .cloned();
        });
        assert_eq!(model, Some("m".into()));
        counted.count_total
    };
    assert_eq!(allocations(1), allocations(1_000));
}

#[test]
fn what_is_no_call_of_a_model_is_left_alone() {
    for url in [
        "https://api.openai.com/v1/models",
        "https://api.openai.com/v1/threads/t/messages",
        // Paths as plain as these may be anybody's.
        "https://shop.example.com/api/chat",
        "https://shop.example.com/api/generate",
        "https://shop.example.com/v2/chat",
        "https://api.openai.com/v1/responses/resp_1/cancel",
        "https://api.anthropic.com/v1/messages/batches",
        "https://api.anthropic.com/v1/messages/count_tokens",
        "https://example.com/",
        "https://example.com",
        "/v1/chat/completions",
        "not a url",
        "",
        "https://generativelanguage.googleapis.com/v1beta/models/gemini:countTokens",
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/%ff/converse-streams",
    ] {
        assert_eq!(Endpoint::of_url(url), None, "{url}");
    }
}

#[test]
fn nothing_of_a_query_or_of_userinfo_is_kept() {
    let url = "https://canary:canary@generativelanguage.googleapis.com/v1beta/models/gemini:generateContent?key=canary";
    let endpoint = Endpoint::of_url(url).unwrap();
    let told = format!("{endpoint:?} {:?}", endpoint.bare());
    assert!(!told.contains("canary"), "{told}");
}
