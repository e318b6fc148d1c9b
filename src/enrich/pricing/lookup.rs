//! Finding a call's model in the price table.
//!
//! Owns: what the table calls a provider, and which spellings of a model are worth trying under it.
//! Promises: a provider the table knows is final: its unknown models stay unknown. Only a provider the table does
//! not know, or a gateway that resells others, falls back to the vendor named in front of the model, then to the
//! vendor whose models are named like it.
//! Never: prices a model on the user's own hardware by its maker's list.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use genai_prices::{Calculator, PriceRequest, Usage as Units};

use super::UnknownCost;
use crate::enrich::names;

/// A model the table has, by the words the table is to be asked with.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// The provider's id in the table.
    pub(crate) provider: Box<str>,
    /// The model, in the spelling that matched.
    pub(crate) model: Box<str>,
    /// The entry: `openai/gpt-4o-mini`.
    pub(crate) entry: Arc<str>,
}

/// Providers that pass calls on to others, so that a model they do not list may still have its vendor's price.
const GATEWAYS: &[&str] = &["litellm", "openrouter"];

/// Where a Bedrock inference profile may be: the first part of its id.
const BEDROCK_REGIONS: &[&str] = &[
    "apac.", "au.", "ca.", "eu.", "global.", "jp.", "sa.", "us-gov.", "us.",
];

/// Who a Bedrock model may be from: the first part of its id, or the second after a region.
const BEDROCK_VENDORS: &[&str] = &[
    "ai21.",
    "amazon.",
    "anthropic.",
    "cohere.",
    "deepseek.",
    "meta.",
    "mistral.",
    "openai.",
    "qwen.",
    "stability.",
    "writer.",
];

/// The ids the table may list a provider under, best first.
fn table_ids(canonical: &str) -> [Option<&str>; 2] {
    match canonical {
        "aws.bedrock" => [Some("aws"), None],
        "azure.ai.inference" => [Some("azure"), None],
        "azure.ai.openai" => [Some("azure"), Some("openai")],
        "gcp.gemini" | "gcp.gen_ai" | "gcp.vertex_ai" => [Some("google"), None],
        "mistral_ai" => [Some("mistral"), None],
        "moonshot_ai" => [Some("moonshotai"), None],
        "x_ai" => [Some("x-ai"), None],
        other => [Some(other), None],
    }
}

/// The provider as far as prices are concerned: `google` for Gemini and Vertex AI alike.
pub(crate) fn family(provider: &str) -> &str {
    let canonical = names::provider(provider);
    table_ids(canonical)[0].unwrap_or(canonical)
}

/// The table's entry for a model of a provider, both in any spelling.
pub(crate) fn find(
    prices: &Calculator,
    provider: Option<&str>,
    model: &str,
) -> Result<Found, UnknownCost> {
    let model = model.trim();
    if model.is_empty() {
        return Err(UnknownCost::UnknownModel);
    }
    if let Some(provider) = provider
        .map(names::provider)
        .filter(|provider| !provider.is_empty())
    {
        if names::is_self_hosted(provider) {
            return Err(UnknownCost::SelfHosted);
        }
        let mut known = false;
        for id in table_ids(provider).into_iter().flatten() {
            if matches!(prices.find_provider(Some(id), None), Ok(Some(_))) {
                known = true;
                if let Some(found) = under(prices, Some(id), model) {
                    return Ok(found);
                }
            }
        }
        if known && !GATEWAYS.contains(&provider) {
            return Err(UnknownCost::UnknownModel);
        }
    }
    by_model_alone(prices, model).ok_or(UnknownCost::UnknownModel)
}

fn by_model_alone(prices: &Calculator, model: &str) -> Option<Found> {
    if is_bedrock(model) {
        return under(prices, Some("aws"), model);
    }
    let vendor = model.split_once('/').and_then(|(vendor, rest)| {
        let listed = |id: &&str| prices.providers().any(|provider| provider.id() == *id);
        let ids = table_ids(names::provider(vendor));
        ids.into_iter()
            .flatten()
            .filter(listed)
            .find_map(|id| under(prices, Some(id), rest))
    });
    vendor.or_else(|| under(prices, None, model))
}

/// Tries the model's spellings under one provider, or under the one the model's name gives away.
fn under(prices: &Calculator, provider: Option<&str>, model: &str) -> Option<Found> {
    spellings(provider, model).into_iter().find_map(|spelling| {
        let nothing = Units::new();
        // Which model matches does not depend on the time; it is given so that the clock is not read.
        let mut request = PriceRequest::new(&spelling, &nothing).with_timestamp(UNIX_EPOCH);
        request.provider_id = provider;
        let matched = prices.calculate(&request).ok()?;
        let entry = Arc::from(format!("{}/{}", matched.provider_id, matched.model_id));
        Some(Found {
            provider: matched.provider_id.into(),
            model: spelling.as_ref().into(),
            entry,
        })
    })
}

/// A model's name as given, then without what its API puts around it, then without its date.
fn spellings<'a>(provider: Option<&str>, model: &'a str) -> Vec<Cow<'a, str>> {
    let mut spellings = vec![Cow::Borrowed(model)];
    // Bedrock ARNs and Google's resource names end in the model: `publishers/google/models/gemini-3-pro`.
    if let (Some("aws" | "google"), Some((_, last))) = (provider, model.rsplit_once('/')) {
        spellings.push(Cow::Borrowed(last));
    }
    // Vertex AI writes a version after an at sign.
    for at in 0..spellings.len() {
        if spellings[at].contains('@') {
            spellings.push(Cow::Owned(spellings[at].replace('@', "-")));
        }
    }
    for at in 0..spellings.len() {
        if let Some(family) = undated(&spellings[at]) {
            spellings.push(Cow::Owned(family.to_owned()));
        }
    }
    spellings
}

/// The family of a dated snapshot: `gpt-4o` of `gpt-4o-2024-08-06`, `claude-opus-4` of `claude-opus-4-20250514`.
fn undated(model: &str) -> Option<&str> {
    let dated = |length: usize| {
        let at = model.len().checked_sub(length)?;
        let (family, date) = (model.get(..at)?, model.get(at..)?.strip_prefix(['-', '@'])?);
        let digits: String = match date.len() {
            8 => date.to_owned(),
            _ => {
                let mut parts = date.split('-');
                let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
                (year.len() == 4 && month.len() == 2 && day.len() == 2)
                    .then(|| [year, month, day].concat())?
            }
        };
        let date = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.starts_with("20");
        (date && !family.is_empty()).then_some(family)
    };
    dated("-2024-08-06".len()).or_else(|| dated("-20240806".len()))
}

fn is_bedrock(model: &str) -> bool {
    if model.starts_with("arn:aws") {
        return true;
    }
    let vendor = BEDROCK_REGIONS
        .iter()
        .find_map(|region| model.strip_prefix(region))
        .unwrap_or(model);
    BEDROCK_VENDORS
        .iter()
        .any(|prefix| vendor.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(provider: Option<&str>, model: &str) -> Result<String, UnknownCost> {
        find(Calculator::bundled(), provider, model).map(|found| found.entry.to_string())
    }

    #[test]
    fn every_conventional_provider_leads_into_the_table() {
        for (provider, model, expected) in [
            ("openai", "gpt-4o", "openai/gpt-4o"),
            ("azure.ai.openai", "gpt-4o", "azure/gpt-4o"),
            ("azure.ai.inference", "gpt-4o", "azure/gpt-4o"),
            (
                "anthropic",
                "claude-sonnet-4-5-20250929",
                "anthropic/claude-sonnet-4-5",
            ),
            ("gcp.gen_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
            (
                "gcp.gemini",
                "models/gemini-2.5-pro",
                "google/gemini-2.5-pro",
            ),
            (
                "gcp.vertex_ai",
                "publishers/google/models/gemini-2.5-pro",
                "google/gemini-2.5-pro",
            ),
            (
                "gcp.vertex_ai",
                "claude-sonnet-4@20250514",
                "google/claude-4-sonnet",
            ),
            ("x_ai", "grok-3", "x-ai/grok-3"),
            ("deepseek", "deepseek-chat", "deepseek/deepseek-chat"),
            (
                "groq",
                "llama-3.3-70b-versatile",
                "groq/llama-3.3-70b-versatile",
            ),
            ("perplexity", "sonar", "perplexity/sonar"),
            ("cohere", "command-r", "cohere/command-r"),
        ] {
            assert_eq!(
                entry(Some(provider), model).as_deref(),
                Ok(expected),
                "{provider} {model}"
            );
        }
        for (provider, model) in [
            ("mistral_ai", "mistral-large-latest"),
            ("moonshot_ai", "kimi-k2-0905-preview"),
        ] {
            assert!(entry(Some(provider), model).is_ok(), "{provider} {model}");
        }
    }

    #[test]
    fn bedrock_ids_are_found_with_and_without_provider() {
        let sonnet = "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0";
        for model in [
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
        ] {
            assert_eq!(
                entry(Some("aws_bedrock"), model).as_deref(),
                Ok(sonnet),
                "{model}"
            );
            assert_eq!(entry(None, model).as_deref(), Ok(sonnet), "{model}");
        }
    }

    #[test]
    fn gateways_lead_to_the_vendor_in_front_of_the_model() {
        assert_eq!(entry(None, "openai/gpt-4o").as_deref(), Ok("openai/gpt-4o"));
        assert_eq!(
            entry(Some("acme-gateway"), "anthropic/claude-sonnet-4-5").as_deref(),
            Ok("anthropic/claude-sonnet-4-5")
        );
        assert_eq!(
            entry(Some("litellm"), "azure/gpt-4o").as_deref(),
            Ok("azure/gpt-4o")
        );
        assert_eq!(
            entry(Some("openrouter"), "openai/gpt-4o").as_deref(),
            Ok("openrouter/openai/gpt-4o")
        );
        assert_eq!(entry(None, "x-ai/grok-3").as_deref(), Ok("x-ai/grok-3"));
    }

    #[test]
    fn a_provider_the_table_does_not_know_is_dropped_and_the_model_asked_alone() {
        assert_eq!(
            entry(Some("AcmeGateway"), "gpt-4o-mini").as_deref(),
            Ok("openai/gpt-4o-mini")
        );
        assert_eq!(
            entry(None, "claude-sonnet-4-5").as_deref(),
            Ok("anthropic/claude-sonnet-4-5")
        );
        assert_eq!(
            entry(Some(""), "gpt-4o-mini").as_deref(),
            Ok("openai/gpt-4o-mini")
        );
    }

    #[test]
    fn an_unknown_model_of_a_known_provider_stays_unknown() {
        for (provider, model) in [
            (Some("openai"), "claude-sonnet-4-5"),
            (Some("openai"), "not-gpt-4o"),
            (Some("openai"), "gpt-4o-nonsense"),
            (Some("groq"), "gpt-4o"),
            (None, "my-own-model"),
            (None, "deepseek-ai/DeepSeek-R1"),
            (None, ""),
            (
                Some("aws"),
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
            ),
        ] {
            assert_eq!(
                entry(provider, model),
                Err(UnknownCost::UnknownModel),
                "{provider:?} {model}"
            );
        }
    }

    #[test]
    fn a_model_on_own_hardware_is_not_priced_by_its_makers_list() {
        assert_eq!(
            entry(Some("ollama"), "deepseek-r1:8b"),
            Err(UnknownCost::SelfHosted)
        );
        assert_eq!(entry(Some("vLLM"), "gpt-4o"), Err(UnknownCost::SelfHosted));
    }

    #[test]
    fn dated_snapshots_resolve_to_their_family() {
        for model in ["gpt-4o-2024-08-06", "gpt-4o-2031-01-02", "gpt-4o-20310102"] {
            assert_eq!(
                entry(Some("openai"), model).as_deref(),
                Ok("openai/gpt-4o"),
                "{model}"
            );
        }
        assert_eq!(undated("gpt-4o-2024-08-06"), Some("gpt-4o"));
        assert_eq!(undated("claude-opus-4@20250514"), Some("claude-opus-4"));
        for other in [
            "gpt-4-0613",
            "gpt-4o",
            "-2024-08-06",
            "2024-08-06",
            "x-12345678",
            "x-2024-8-061",
            "ä20250514",
            "-20250514",
        ] {
            assert_eq!(undated(other), None, "{other}");
        }
    }
}
