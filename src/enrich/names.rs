//! One spelling for each provider, and the user's own names for models.
//!
//! Owns: the table from every spelling seen in the wild to the value `gen_ai.provider.name` has in the conventions.
//! Promises: a name it does not know comes back as it was given, without surrounding white space.
//! Never: allocates, changes a model name that the user did not map, or guesses a provider from a part of a word.

use std::collections::HashMap;
use std::sync::Arc;

/// Spellings, lower-cased and without separators, by the conventional name they stand for.
///
/// Names below the conventions' own sixteen are not in their list, which allows others; they are written the way
/// most instrumentations write them. A name missing here is passed through, so the list may stay short.
const PROVIDERS: &[(&str, &[&str])] = &[
    (
        "openai",
        &[
            "openai",
            "openairesp",
            "openairesponses",
            "openaichat",
            "openaiapi",
        ],
    ),
    ("anthropic", &["anthropic", "claude", "anthropicai"]),
    (
        "aws.bedrock",
        &[
            "awsbedrock",
            "bedrock",
            "amazonbedrock",
            "aws",
            "bedrockruntime",
            "bedrockconverse",
            "amazonbedrockconverse",
            "awsbedrockconverse",
        ],
    ),
    (
        "azure.ai.inference",
        &[
            "azureaiinference",
            "azureai",
            "azureaifoundry",
            "azurefoundry",
            "azaiinference",
        ],
    ),
    (
        "azure.ai.openai",
        &[
            "azureaiopenai",
            "azure",
            "azureopenai",
            "azopenai",
            "microsoftazureopenai",
            "openaiazure",
        ],
    ),
    ("cohere", &["cohere", "coherev2", "cohereai"]),
    ("deepseek", &["deepseek"]),
    (
        "gcp.gemini",
        &[
            "gcpgemini",
            "gemini",
            "googlegemini",
            "googleaistudio",
            "aistudio",
            "googleaigemini",
        ],
    ),
    (
        "gcp.gen_ai",
        &[
            "gcpgenai",
            "google",
            "googlegenai",
            "googlegenerativeai",
            "googleai",
            "gcp",
        ],
    ),
    (
        "gcp.vertex_ai",
        &[
            "gcpvertexai",
            "vertexai",
            "vertex",
            "googlevertex",
            "googlevertexai",
            "gcpvertex",
            "vertexaibeta",
        ],
    ),
    ("groq", &["groq", "groqcloud"]),
    (
        "ibm.watsonx.ai",
        &["ibmwatsonxai", "ibmwatsonx", "watsonx", "watsonxai", "ibm"],
    ),
    ("mistral_ai", &["mistralai", "mistral", "mistralaiapi"]),
    ("moonshot_ai", &["moonshotai", "moonshot", "kimi"]),
    ("perplexity", &["perplexity", "perplexityai", "pplx"]),
    ("x_ai", &["xai", "grok"]),
    ("cerebras", &["cerebras"]),
    ("fireworks", &["fireworks", "fireworksai"]),
    ("huggingface", &["huggingface", "hf"]),
    ("litellm", &["litellm", "litellmproxy"]),
    ("llama_cpp", &["llamacpp", "llamacppserver"]),
    ("lm_studio", &["lmstudio"]),
    ("ollama", &["ollama", "ollamachat"]),
    ("openrouter", &["openrouter", "openrouterai"]),
    ("together", &["together", "togetherai", "togethercomputer"]),
    ("vllm", &["vllm", "hostedvllm"]),
];

/// Words that some clients append to the provider: the interface, not the vendor.
const INTERFACES: &[&str] = &[
    ".chat",
    ".responses",
    ".messages",
    ".completion",
    ".completions",
    ".embedding",
    ".embeddings",
];

/// Providers whose models run on hardware of the user's: the maker's list price says nothing about them.
const SELF_HOSTED: &[&str] = &[
    "llama_cpp",
    "llamafile",
    "lm_studio",
    "local",
    "localai",
    "mistralrs",
    "ollama",
    "sglang",
    "tgi",
    "vllm",
];

/// The longest spelling in the table, and room for one more word; longer names are nobody's we know.
const LONGEST: usize = 40;

/// The conventional `gen_ai.provider.name` for any spelling: `OpenAI`, `azure_openai`, `xai`, `vertexai`, ….
///
/// Case, `_`, `-`, `.`, `/` and spaces do not matter. A name that is not known is returned as it was given,
/// trimmed and with its case kept: what the user chose to call a provider is not ours to change.
///
/// ```
/// use tracing_genai::enrich::names::provider;
///
/// assert_eq!(provider("Azure-OpenAI"), "azure.ai.openai");
/// assert_eq!(provider("google"), "gcp.gen_ai");
/// assert_eq!(provider(" AcmeGateway "), "AcmeGateway");
/// ```
#[must_use]
pub fn provider(name: &str) -> &str {
    let trimmed = name.trim();
    if let Some((canonical, _)) = PROVIDERS
        .iter()
        .find(|(canonical, _)| *canonical == trimmed)
    {
        return canonical;
    }
    if let Some(canonical) = known(trimmed) {
        return canonical;
    }
    INTERFACES
        .iter()
        .find_map(|interface| {
            let at = trimmed.len().checked_sub(interface.len())?;
            let (vendor, suffix) = (trimmed.get(..at)?, trimmed.get(at..)?);
            suffix
                .eq_ignore_ascii_case(interface)
                .then(|| known(vendor))
                .flatten()
        })
        .unwrap_or(trimmed)
}

fn known(name: &str) -> Option<&'static str> {
    let mut folded = [0_u8; LONGEST];
    let mut length = 0;
    for byte in name
        .bytes()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b'.' | b'/' | b' '))
    {
        *folded.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    let folded = std::str::from_utf8(folded.get(..length)?).ok()?;
    PROVIDERS
        .iter()
        .find(|(_, spellings)| spellings.contains(&folded))
        .map(|(canonical, _)| *canonical)
}

/// Whether the provider's models run on hardware of the user's, in any spelling of the provider.
#[must_use]
pub fn is_self_hosted(name: &str) -> bool {
    let name = provider(name);
    SELF_HOSTED
        .iter()
        .any(|hosted| hosted.eq_ignore_ascii_case(name))
}

/// The user's own names for models, such as deployment names: exact matches only, nothing else is touched.
///
/// ```
/// use tracing_genai::enrich::ModelAliases;
///
/// let aliases = ModelAliases::new().with("prod-chat", "gpt-4o");
/// assert_eq!(aliases.resolve("prod-chat"), "gpt-4o");
/// assert_eq!(aliases.resolve("prod-chat-2"), "prod-chat-2");
/// ```
#[derive(Debug, Clone, Default)]
pub struct ModelAliases(HashMap<Arc<str>, Arc<str>>);

impl ModelAliases {
    /// No aliases: every model keeps its name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `alias` stand for `model`. The last one given for an alias wins; an alias of an alias is not followed.
    #[must_use]
    pub fn with(mut self, alias: impl Into<Arc<str>>, model: impl Into<Arc<str>>) -> Self {
        self.0.insert(alias.into(), model.into());
        self
    }

    /// The model `name` stands for, or `name` itself.
    #[must_use]
    pub fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, |model| model)
    }
}

impl<A: Into<Arc<str>>, M: Into<Arc<str>>> FromIterator<(A, M)> for ModelAliases {
    fn from_iter<I: IntoIterator<Item = (A, M)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(alias, model)| (alias.into(), model.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_leads_to_the_conventional_name() {
        for (spelling, canonical) in [
            ("OpenAI", "openai"),
            ("open_ai", "openai"),
            ("openai-responses", "openai"),
            ("openai.chat", "openai"),
            ("OpenAIResp", "openai"),
            ("azure", "azure.ai.openai"),
            ("azure_openai", "azure.ai.openai"),
            ("azure.openai", "azure.ai.openai"),
            ("azure-openai.responses", "azure.ai.openai"),
            ("az.ai.inference", "azure.ai.inference"),
            ("mistral", "mistral_ai"),
            ("mistralai", "mistral_ai"),
            ("Mistral AI", "mistral_ai"),
            ("xai", "x_ai"),
            ("x-ai", "x_ai"),
            ("xai.chat", "x_ai"),
            ("google", "gcp.gen_ai"),
            ("google.generative-ai", "gcp.gen_ai"),
            ("gemini", "gcp.gemini"),
            ("vertexai", "gcp.vertex_ai"),
            ("google.vertex.chat", "gcp.vertex_ai"),
            ("bedrock", "aws.bedrock"),
            ("aws_bedrock", "aws.bedrock"),
            ("amazon-bedrock", "aws.bedrock"),
            ("AWS", "aws.bedrock"),
            ("moonshot", "moonshot_ai"),
            ("Ollama", "ollama"),
            ("LM Studio", "lm_studio"),
            ("watsonx", "ibm.watsonx.ai"),
        ] {
            assert_eq!(provider(spelling), canonical, "{spelling}");
        }
    }

    #[test]
    fn the_conventional_names_are_fixed_points() {
        for (canonical, spellings) in PROVIDERS {
            assert_eq!(provider(canonical), *canonical);
            assert_eq!(provider(&canonical.to_uppercase()), *canonical);
            for spelling in *spellings {
                assert_eq!(provider(spelling), *canonical, "{spelling}");
                assert!(spelling.len() <= LONGEST);
            }
        }
    }

    #[test]
    fn an_unknown_name_is_only_trimmed() {
        let long = "a".repeat(100);
        for name in [
            "AcmeGateway",
            "",
            "mistralrs",
            "openai-but-not-really",
            "Ünïcode.chat",
            ".chat",
            &long,
        ] {
            assert_eq!(provider(name), name);
        }
        assert_eq!(provider("  Acme AI\n"), "Acme AI");
    }

    #[test]
    fn local_runtimes_are_told_from_vendors() {
        assert!(
            is_self_hosted("Ollama")
                && is_self_hosted("lm-studio")
                && is_self_hosted("hosted_vllm")
        );
        assert!(!is_self_hosted("mistral") && !is_self_hosted("acme"));
    }
}
