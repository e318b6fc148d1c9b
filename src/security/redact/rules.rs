//! The standard rules: secrets that are known by their shape.
//!
//! A row is found in three steps: a needle that all needles are searched for at once, a pattern anchored there, and the
//! entropy of what it caught. The shapes are those the providers document for secret scanning, as the rules of gitleaks and
//! GitHub's list of supported patterns have them.

use std::sync::{Arc, LazyLock};

use regex::Regex;

/// What may stand before a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Anything: the needle is unmistakable.
    Any,
    /// No letter or digit.
    Word,
    /// No letter, digit, `-` or `_`.
    Token,
}

/// One row.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) rule: &'static str,
    pub(super) needles: &'static [&'static str],
    /// Bytes of the secret before the needle.
    pub(super) back: usize,
    pub(super) left: Left,
    /// Bits per byte, see [`entropy`](super::check::entropy).
    pub(super) entropy: f32,
    pub(super) check: Check,
    /// No letter, digit or Base64 character may follow.
    pub(super) whole: bool,
    pattern: &'static str,
}

/// What else has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    None,
    /// `user:password` in Base64.
    Basic,
    /// Looks like noise, not like a word.
    Noise,
}

const fn row(
    rule: &'static str,
    needles: &'static [&'static str],
    pattern: &'static str,
    entropy: f32,
) -> Shape {
    Shape {
        rule,
        needles,
        back: 0,
        left: Left::Any,
        entropy,
        check: Check::None,
        whole: false,
        pattern,
    }
}

impl Shape {
    const fn left(mut self, left: Left) -> Self {
        self.left = left;
        self
    }

    const fn back(mut self, back: usize) -> Self {
        self.back = back;
        self
    }

    const fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }
}

/// To its end, or as far as its lines go. A single `-` may stand in a header line; five of them end the body, so that many
/// beginnings without an end take no longer than one.
const PEM: &str = r"(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:(?:[A-Za-z0-9+/=:,.\s\\]|-{1,4}[A-Za-z0-9+/=:,.\s\\])*-----END [A-Z0-9 ]*-----|(?:(?:\s|\\[nrt])*[A-Za-z0-9+/=]{16,})+)";

const WORD: Left = Left::Word;
const TOKEN: Left = Left::Token;

/// In the order of their say: where two overlap, the first names what is found.
#[rustfmt::skip]
pub(super) const SHAPES: &[Shape] = &[
    row("private-key", &["-----BEGIN "], PEM, 0.0),
    // Model providers.
    row("anthropic-key", &["sk-ant-"], r"[A-Za-z0-9_-]{20,}", 3.0),
    row("openai-key", &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"], r"[A-Za-z0-9_-]{20,}", 3.0),
    row("openrouter-key", &["sk-or-v1-"], r"[0-9a-f]{32,}", 2.5),
    row("langfuse-key", &["sk-lf-"], r"[0-9a-f-]{30,}", 2.5),
    row("langwatch-key", &["sk-lw-"], r"[A-Za-z0-9]{20,}", 3.0),
    row("openai-key", &["sk-"], r"[A-Za-z0-9]{32,}", 3.0).left(TOKEN),
    row("google-api-key", &["AIza"], r"[A-Za-z0-9_-]{35}", 3.0).left(WORD),
    row("google-oauth", &["ya29."], r"[A-Za-z0-9_-]{20,}", 3.0).left(WORD),
    row("google-oauth", &["GOCSPX-"], r"[A-Za-z0-9_-]{24,}", 3.0),
    row("huggingface-token", &["hf_", "api_org_"], r"[A-Za-z0-9]{30,}", 3.0).left(TOKEN),
    row("groq-key", &["gsk_"], r"[A-Za-z0-9]{40,}", 3.0).left(TOKEN),
    row("xai-key", &["xai-"], r"[A-Za-z0-9]{60,}", 3.0).left(TOKEN),
    row("perplexity-key", &["pplx-"], r"[A-Za-z0-9]{40,}", 3.0).left(TOKEN),
    row("replicate-token", &["r8_"], r"[A-Za-z0-9]{37,}", 3.0).left(TOKEN),
    row("nvidia-key", &["nvapi-"], r"[A-Za-z0-9_-]{60,}", 3.0),
    row("langsmith-key", &["lsv2_pt_", "lsv2_sk_"], r"[0-9a-f]{32}_[0-9a-f]{10}", 2.5),
    row("tavily-key", &["tvly-"], r"[A-Za-z0-9_-]{28,}", 3.0).left(TOKEN),
    row("pinecone-key", &["pcsk_"], r"[A-Za-z0-9_]{60,}", 3.0).left(TOKEN),
    row("databricks-token", &["dapi"], r"[0-9a-f]{32}(?:-\d)?", 2.5).left(WORD),
    // Clouds.
    row("aws-access-key", &["AKIA", "ASIA", "ABIA", "ACCA"], r"[A-Z2-7]{16}", 2.5).left(WORD),
    row("aws-secret-key", &["AKIA", "ASIA"], r#"[A-Z2-7]{16}[\s:,;"'|/]{1,5}([A-Za-z0-9/+]{40})"#, 4.0).whole().left(WORD),
    row("aws-secret-key", &["aws"], r#"[A-Za-z_ .-]{0,24}[\s:=>"'\\]{1,6}([A-Za-z0-9/+]{40})"#, 4.0).whole().left(WORD),
    row("azure-storage-key", &["AccountKey=", "SharedAccessKey="], r"([A-Za-z0-9+/]{40,}={0,2})", 3.5),
    row("azure-client-secret", &["Q~"], r"[A-Za-z0-9_~.-]{31,34}", 3.5).back(4),
    row("azure-key", &["JQQJ9"], r"[A-Za-z0-9]{27}", 3.0).back(52),
    row("digitalocean-token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"[0-9a-f]{64}", 2.5),
    row("vault-token", &["hvs.", "hvb."], r"[A-Za-z0-9_-]{24,}", 3.0).left(WORD),
    row("terraform-token", &[".atlasv1."], r"[A-Za-z0-9_=-]{60,}", 3.5).back(14),
    // Code hosts and package registries.
    row("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"[A-Za-z0-9]{36,}", 3.0).left(WORD),
    row("github-token", &["github_pat_"], r"[A-Za-z0-9_]{40,}", 3.0),
    row("gitlab-token", &["glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "glft-", "glimt-", "glagent-"], r"[A-Za-z0-9_.-]{20,}", 3.0),
    row("npm-token", &["npm_"], r"[A-Za-z0-9]{36}", 3.0).left(TOKEN),
    row("pypi-token", &["pypi-AgE"], r"[A-Za-z0-9_-]{50,}", 3.0),
    row("rubygems-key", &["rubygems_"], r"[0-9a-f]{48}", 2.5),
    row("docker-token", &["dckr_pat_", "dckr_oat_"], r"[A-Za-z0-9_-]{20,}", 3.0),
    row("atlassian-token", &["ATATT3"], r"[A-Za-z0-9_=-]{60,}", 3.0),
    // Messages, payment, operation.
    row("slack-token", &["xoxa-", "xoxb-", "xoxe-", "xoxe.", "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-"], r"[A-Za-z0-9-]{10,}", 2.0),
    row("slack-webhook", &["hooks.slack.com/"], r"(?:services|workflows|triggers)/([A-Za-z0-9/+]{30,})", 3.0),
    row("discord-webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], r"(\d{17,20}/[A-Za-z0-9_-]{50,})", 3.0),
    row("stripe-key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], r"[A-Za-z0-9]{16,}", 3.0),
    row("webhook-secret", &["whsec_"], r"[A-Za-z0-9+/=]{24,}", 3.0),
    row("sendgrid-key", &["SG."], r"[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}", 3.5).left(WORD),
    row("twilio-key", &["SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe", "SKf"], r"[0-9a-f]{31}", 2.5).whole().left(WORD),
    row("twilio-key", &["twilio"], r#"[A-Za-z0-9_ .,:=>"'\\-]{0,40}?[:=> "'\\]([0-9a-f]{32})"#, 2.5).whole(),
    row("mailgun-key", &["key-"], r"[0-9a-f]{32}", 2.5).whole().left(TOKEN),
    row("square-token", &["sq0atp-", "sq0csp-", "EAAAE"], r"[A-Za-z0-9_-]{22,}", 3.5).left(TOKEN),
    row("shopify-token", &["shpat_", "shpca_", "shppa_", "shpss_"], r"[0-9a-fA-F]{32}", 2.5),
    row("grafana-token", &["glsa_", "glc_"], r"[A-Za-z0-9_=+/-]{32,}", 3.0).left(TOKEN),
    row("sentry-token", &["sntrys_", "sntryu_"], r"[A-Za-z0-9_=+/-]{40,}", 3.0),
    row("newrelic-key", &["NRAK-"], r"[A-Z0-9]{27}", 3.0),
    row("postman-key", &["PMAK-"], r"[0-9a-f]{24}-[0-9a-f]{34}", 2.5),
    row("notion-token", &["ntn_"], r"[A-Za-z0-9]{40,}", 3.0).left(TOKEN),
    row("linear-key", &["lin_api_"], r"[A-Za-z0-9]{40}", 3.0),
    row("supabase-token", &["sbp_"], r"[0-9a-f]{40}", 2.5).left(TOKEN),
    row("telegram-token", &[":AA"], r"[A-Za-z0-9_-]{32,34}", 3.5).back(8),
    row("age-key", &["AGE-SECRET-KEY-1"], r"[A-Z0-9]{50,}", 3.0),
    // Anyone's.
    row("jwt", &["eyJ"], r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}", 3.5).left(TOKEN),
    row("bearer-token", &["bearer "], r"[ \t]*([A-Za-z0-9._~+/=-]{12,})", 2.8).left(WORD).check(Check::Noise),
    row("basic-auth", &["basic "], r"[ \t]*([A-Za-z0-9+/]{8,}={0,2})", 2.5).left(WORD).check(Check::Basic),
];

/// Needles of these rules are looked at whatever their case.
pub(super) fn any_case(needle: &str) -> bool {
    matches!(needle, "aws" | "twilio" | "bearer " | "basic ")
}

/// Every row with its pattern.
pub(super) fn compiled() -> &'static [(&'static Shape, Arc<Regex>)] {
    static COMPILED: LazyLock<Vec<(&Shape, Arc<Regex>)>> = LazyLock::new(|| {
        // A test holds that every pattern is one.
        SHAPES
            .iter()
            .filter_map(|shape| Some((shape, Arc::new(pattern(shape.pattern)?))))
            .collect()
    });
    &COMPILED
}

fn pattern(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{pattern})")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::marker;
    use super::*;

    #[test]
    fn every_pattern_is_one_and_every_name_can_be_in_a_marker() {
        assert_eq!(compiled().len(), SHAPES.len());
        for shape in SHAPES {
            assert!(marker::is_name(shape.rule), "{}", shape.rule);
            assert!(shape.needles.iter().all(|needle| needle.len() > 1));
        }
    }
}
