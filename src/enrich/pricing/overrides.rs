//! Prices the user sets: negotiated, self-hosted, gateways, models newer than the table.
//!
//! Owns: [`Override`], its JSON form, and which of several applies. Exact beats the longest prefix, a prefix beats
//! a regular expression, and any of them beats the table.
//! Promises: decimal text is taken over exactly; a mistake is an error when the override is given, not a wrong price.
//! Never: matches in the middle of a model's name.

use std::path::Path;
use std::sync::Arc;

use regex::Regex;

use super::rates::Rates;
use super::{ParseUsdError, PriceError, Usd, lookup, override_json, table};

/// The largest compiled size of a pattern, in bytes: ten times what a list of a hundred model names needs, and
/// small enough that a mistyped repetition is refused instead of filling memory.
const REGEX_BYTES: usize = 1 << 20;

/// A price of the user's for one model or a family of them, in US dollars per million tokens.
///
/// Rates are decimal text (`"0.20"`), kept exactly. `"0"` says that tokens are free; a rate left out says
/// nothing: without cache and reasoning rates those tokens cost what their side costs, and a call that used
/// tokens of a side without a rate is not priced. Service tiers and batch do not change an override.
///
/// ```
/// use tracing_genai::enrich::{Override, PriceTable};
///
/// let prices = PriceTable::bundled()
///     .with_override(Override::exact("house-model").input("0.20").output("0.60").cache_read("0.02"))?
///     .with_override(Override::prefix("qwen3").provider("ollama").input("0").output("0"))?;
/// # Ok::<(), tracing_genai::enrich::PriceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Override {
    pub(crate) pattern: Pattern,
    pub(crate) provider: Option<String>,
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) cache_read: Option<String>,
    pub(crate) cache_write: Option<String>,
    pub(crate) reasoning: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Exact(String),
    Prefix(String),
    Regex(String),
}

impl Override {
    /// For the model of this name, in any case, of the response or of the request.
    pub fn exact(model: impl Into<String>) -> Self {
        Self::of(Pattern::Exact(model.into()))
    }

    /// For every model whose name starts like this, in any case. The longest one wins; the empty one takes all.
    pub fn prefix(start: impl Into<String>) -> Self {
        Self::of(Pattern::Prefix(start.into()))
    }

    /// For every model whose whole name this matches, case as written. Where several match, the last given wins.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self::of(Pattern::Regex(pattern.into()))
    }

    fn of(pattern: Pattern) -> Self {
        Self {
            pattern,
            provider: None,
            input: None,
            output: None,
            cache_read: None,
            cache_write: None,
            reasoning: None,
        }
    }

    /// Only for this provider, in any spelling; `google` covers Gemini and Vertex AI, `azure` both of Azure's.
    /// It wins over an override of the same pattern without a provider. Default: any provider.
    #[must_use]
    pub fn provider(mut self, provider: impl Into<String>) -> Self {
        self.provider = Some(provider.into());
        self
    }

    /// Dollars per million input tokens.
    #[must_use]
    pub fn input(mut self, rate: impl Into<String>) -> Self {
        self.input = Some(rate.into());
        self
    }

    /// Dollars per million output tokens.
    #[must_use]
    pub fn output(mut self, rate: impl Into<String>) -> Self {
        self.output = Some(rate.into());
        self
    }

    /// Dollars per million input tokens read from a cache. Default: the input rate.
    #[must_use]
    pub fn cache_read(mut self, rate: impl Into<String>) -> Self {
        self.cache_read = Some(rate.into());
        self
    }

    /// Dollars per million input tokens written to a cache. Default: the input rate.
    #[must_use]
    pub fn cache_write(mut self, rate: impl Into<String>) -> Self {
        self.cache_write = Some(rate.into());
        self
    }

    /// Dollars per million output tokens of reasoning. Default: the output rate.
    #[must_use]
    pub fn reasoning(mut self, rate: impl Into<String>) -> Self {
        self.reasoning = Some(rate.into());
        self
    }

    /// Reads overrides from JSON: one object or an array of them.
    ///
    /// Keys: exactly one of `model`, `prefix`, `regex`; optionally `provider`, `note`; and the rates `input_per_mtok`,
    /// `output_per_mtok`, `cache_read_per_mtok`, `cache_write_per_mtok`, `reasoning_per_mtok`, as numbers or text.
    ///
    /// ```
    /// use tracing_genai::enrich::Override;
    ///
    /// let overrides = Override::from_json(br#"[{"prefix": "gpt-4o", "input_per_mtok": 2.1, "output_per_mtok": "8.40"}]"#)?;
    /// assert_eq!(overrides.len(), 1);
    /// # Ok::<(), tracing_genai::enrich::PriceError>(())
    /// ```
    ///
    /// # Errors
    /// [`PriceError::Overrides`] if it is not JSON or a key is unknown; [`PriceError::Pattern`] and
    /// [`PriceError::Rate`] for an override that says nothing or something impossible.
    pub fn from_json(json: &[u8]) -> Result<Vec<Self>, PriceError> {
        override_json::read(json, "overrides")
    }

    /// Reads overrides from a JSON file; see [`Override::from_json`]. Blocks on the file.
    ///
    /// # Errors
    /// As [`Override::from_json`], and [`PriceError::Read`] or [`PriceError::TooLarge`] for the file itself.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Vec<Self>, PriceError> {
        let path = path.as_ref();
        override_json::read(&table::read_file(path)?, &path.display().to_string())
    }

    pub(crate) fn compile(&self) -> Result<Compiled, PriceError> {
        let text = self.text();
        let wrong = |problem: String| PriceError::Pattern {
            pattern: text.clone(),
            problem,
        };
        let (matcher, empty) = match &self.pattern {
            Pattern::Exact(model) => (
                Matcher::Exact(model.trim().to_ascii_lowercase()),
                model.trim().is_empty(),
            ),
            Pattern::Prefix(start) => (
                Matcher::Prefix(start.trim_start().to_ascii_lowercase()),
                false,
            ),
            Pattern::Regex(pattern) => {
                let whole = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
                    .size_limit(REGEX_BYTES)
                    .build()
                    .map_err(|error| wrong(error.to_string()))?;
                (Matcher::Regex(whole), pattern.is_empty())
            }
        };
        if empty {
            return Err(wrong("names no model".to_owned()));
        }
        let rate = |field: &'static str, rate: &Option<String>| {
            let Some(rate) = rate else { return Ok(None) };
            let parsed = match rate.parse::<Usd>() {
                Ok(rate) if rate < Usd::ZERO => Err(ParseUsdError::NotANumber),
                other => other,
            };
            parsed.map(Some).map_err(|problem| PriceError::Rate {
                pattern: text.clone(),
                field,
                problem,
            })
        };
        let rates = Rates {
            input: rate("input", &self.input)?,
            output: rate("output", &self.output)?,
            cache_read: rate("cache_read", &self.cache_read)?,
            cache_write: rate("cache_write", &self.cache_write)?,
            reasoning: rate("reasoning", &self.reasoning)?,
            per_call: Usd::ZERO,
        };
        if rates.input.is_none() && rates.output.is_none() {
            return Err(wrong(
                "gives neither an input nor an output rate; write 0 for free".to_owned(),
            ));
        }
        let family = self
            .provider
            .as_deref()
            .map(|provider| lookup::family(provider).to_ascii_lowercase());
        Ok(Compiled {
            matcher,
            family,
            rates,
            text: Arc::from(text.as_str()),
            edition: Arc::from("overrides"),
        })
    }

    /// The override as it is shown in errors and on spans: `exact gpt-4o`, `prefix qwen3 (ollama)`.
    fn text(&self) -> String {
        let (kind, pattern) = match &self.pattern {
            Pattern::Exact(pattern) => ("exact", pattern),
            Pattern::Prefix(pattern) => ("prefix", pattern),
            Pattern::Regex(pattern) => ("regex", pattern),
        };
        match &self.provider {
            Some(provider) => format!("{kind} {pattern} ({provider})"),
            None => format!("{kind} {pattern}"),
        }
    }
}

/// An override that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    matcher: Matcher,
    family: Option<String>,
    pub(crate) rates: Rates,
    pub(crate) text: Arc<str>,
    /// What stands for the edition of the list on a cost, which the list had no part in.
    pub(crate) edition: Arc<str>,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact(String),
    Prefix(String),
    Regex(Regex),
}

impl Matcher {
    /// How well the pattern fits: its class, then its length. `None` if it does not.
    fn fit(&self, model: &str) -> Option<(u8, usize)> {
        match self {
            Self::Exact(name) => name.eq_ignore_ascii_case(model).then_some((2, 0)),
            Self::Prefix(start) => {
                let head = model.as_bytes().get(..start.len())?;
                head.eq_ignore_ascii_case(start.as_bytes())
                    .then_some((1, start.len()))
            }
            Self::Regex(regex) => regex.is_match(model).then_some((0, 0)),
        }
    }
}

/// All overrides in use, in the order they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides(Vec<Arc<Compiled>>);

impl Overrides {
    /// These and more, checked.
    pub(crate) fn and(&self, added: &[Override]) -> Result<Self, PriceError> {
        let mut all = self.0.clone();
        for one in added {
            all.push(Arc::new(one.compile()?));
        }
        Ok(Self(all))
    }

    /// These, then those.
    pub(crate) fn joined(&self, more: &Self) -> Self {
        Self(self.0.iter().chain(&more.0).cloned().collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The override that applies: the best fit, then one for this provider, then one for the response's model
    /// rather than the request's, then the last one given.
    pub(crate) fn find(
        &self,
        provider: Option<&str>,
        models: [Option<&str>; 2],
    ) -> Option<&Arc<Compiled>> {
        if self.0.is_empty() {
            return None;
        }
        let family = provider.map(lookup::family);
        let ranked = self.0.iter().enumerate().filter_map(|(index, one)| {
            let here = match (&one.family, family) {
                (Some(wanted), Some(family)) => {
                    wanted.eq_ignore_ascii_case(family).then_some(true)?
                }
                (Some(_), None) => return None,
                (None, _) => false,
            };
            let fit = |model: Option<&str>| model.and_then(|model| one.matcher.fit(model.trim()));
            let (fit, response) = match (fit(models[0]), fit(models[1])) {
                (Some(response), request) if request.is_none_or(|request| response >= request) => {
                    (response, true)
                }
                (_, Some(request)) => (request, false),
                _ => return None,
            };
            Some(((fit, here, response, index), one))
        });
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, one)| one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        overrides: &[Override],
        provider: Option<&str>,
        response: &str,
        request: &str,
    ) -> Option<String> {
        let all = Overrides::default().and(overrides).expect("valid");
        all.find(provider, [Some(response), Some(request)])
            .map(|one| one.text.to_string())
    }

    fn free(pattern: Override) -> Override {
        pattern.input("0").output("0")
    }

    #[test]
    fn exact_beats_the_longest_prefix_which_beats_a_regex() {
        let all = [
            free(Override::regex("gpt-.*")),
            free(Override::prefix("gpt")),
            free(Override::prefix("gpt-4o")),
            free(Override::exact("gpt-4o-mini")),
        ];
        for (model, expected) in [
            ("gpt-4o-mini", Some("exact gpt-4o-mini")),
            ("GPT-4o-Mini", Some("exact gpt-4o-mini")),
            ("gpt-4o-2024", Some("prefix gpt-4o")),
            ("gpt-5", Some("prefix gpt")),
            ("my-gpt-4o-mini", None),
        ] {
            assert_eq!(
                chosen(&all, None, model, model).as_deref(),
                expected,
                "{model}"
            );
        }
        assert_eq!(
            chosen(&all[..1], None, "gpt-5", "gpt-5").as_deref(),
            Some("regex gpt-.*")
        );
    }

    #[test]
    fn nothing_matches_in_the_middle_of_a_name() {
        let all = [
            free(Override::exact("gpt-4")),
            free(Override::regex("gpt-4")),
            free(Override::prefix("pt-4")),
        ];
        for model in ["gpt-4o", "my-gpt-4", "xgpt-4x", "ügpt-4", ""] {
            assert_eq!(chosen(&all, None, model, model), None, "{model}");
        }
        // A prefix that ends inside a character of the name is compared as bytes, not cut out of it.
        assert_eq!(chosen(&[free(Override::prefix("a"))], None, "ä", "ä"), None);
    }

    #[test]
    fn an_override_for_the_provider_wins_and_applies_to_no_other() {
        let all = [
            free(Override::exact("m").provider("Google")),
            free(Override::exact("m")),
        ];
        assert_eq!(
            chosen(&all, Some("vertexai"), "m", "m").as_deref(),
            Some("exact m (Google)")
        );
        assert_eq!(
            chosen(&all, Some("openai"), "m", "m").as_deref(),
            Some("exact m")
        );
        assert_eq!(chosen(&all[..1], None, "m", "m"), None);
    }

    #[test]
    fn the_last_one_given_wins_among_equals() {
        let all = [free(Override::regex("a.*")), free(Override::regex(".*b"))];
        assert_eq!(chosen(&all, None, "ab", "ab").as_deref(), Some("regex .*b"));
    }

    #[test]
    fn a_deployment_is_found_by_the_model_asked_for() {
        let all = [
            free(Override::exact("prod-chat")),
            free(Override::prefix("gpt-4o")),
        ];
        assert_eq!(
            chosen(&all, None, "gpt-4o-2024-08-06", "prod-chat").as_deref(),
            Some("exact prod-chat")
        );
        assert_eq!(
            chosen(&all, None, "gpt-4o-2024-08-06", "other").as_deref(),
            Some("prefix gpt-4o")
        );
    }

    #[test]
    fn mistakes_are_told_when_the_override_is_given() {
        let priced = |rate: &str| Override::exact("m").input(rate);
        for (broken, expected) in [
            (
                priced("0,20"),
                "override exact m: input is not a decimal number such as 0.20",
            ),
            (
                priced("-1"),
                "override exact m: input is not a decimal number such as 0.20",
            ),
            (
                priced("0.0000000000001"),
                "override exact m: input is more than 12 decimal places",
            ),
            (
                Override::exact("m"),
                "gives neither an input nor an output rate",
            ),
            (
                Override::exact("m").cache_read("1"),
                "gives neither an input nor an output rate",
            ),
            (free(Override::exact(" ")), "names no model"),
            (
                free(Override::regex("(")),
                "override regex (: regex parse error",
            ),
            (free(Override::regex(".{1,1000}{1,1000}")), "size limit"),
        ] {
            let error = Overrides::default()
                .and(&[broken])
                .expect_err("broken")
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
