//! The environment variables every OpenTelemetry SDK knows, those of the exporter aside.
//!
//! Promise: a variable set to nonsense is ignored with one line on stderr, as the specification asks; an empty one counts
//! as unset. Builder settings win over all of them.
//! Never: reads the process's environment itself: it is handed in, so that tests need not change it.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{ResourceDetector as _, TelemetryResourceDetector};
use opentelemetry_sdk::trace::Sampler;

use crate::diagnostics;
use crate::record::Limits;

/// Where variables are looked up.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

fn set(env: Env<'_>, name: &str) -> Option<String> {
    env(name)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

fn number(env: Env<'_>, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| {
        let text = set(env, name)?;
        let number = text.parse().ok();
        if number.is_none() {
            diagnostics::say_once(
                name,
                format_args!("{name} is not a whole number and is ignored"),
            );
        }
        number
    })
}

/// Variables that switch everything off: the specification's, and those by which crewAI is told to be silent, so that who has
/// asked for silence once gets it here too.
const DISABLING: [&str; 3] = [
    "OTEL_SDK_DISABLED",
    "CREWAI_DISABLE_TELEMETRY",
    "CREWAI_DISABLE_TRACKING",
];

/// The variable that is `true`, if one is: nothing is recorded then, no thread is started.
pub(crate) fn disabled_by(env: Env<'_>) -> Option<&'static str> {
    let on = |name: &&str| set(env, name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    DISABLING.into_iter().find(on)
}

/// The span limits, `OTEL_SPAN_*` before `OTEL_*`.
pub(crate) fn limits(env: Env<'_>) -> Limits {
    let default = Limits::DEFAULT;
    let number = |names: &[&str], default| number(env, names).unwrap_or(default);
    Limits {
        attributes: number(
            &[
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                "OTEL_ATTRIBUTE_COUNT_LIMIT",
            ],
            default.attributes,
        ),
        value_bytes: number(
            &[
                "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            ],
            default.value_bytes,
        ),
        events: number(&["OTEL_SPAN_EVENT_COUNT_LIMIT"], default.events),
        links: number(&["OTEL_SPAN_LINK_COUNT_LIMIT"], default.links),
        ..default
    }
}

/// `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`; `None` for the default, `parentbased_always_on`.
pub(crate) fn sampler(env: Env<'_>) -> Option<Sampler> {
    let name = set(env, "OTEL_TRACES_SAMPLER")?;
    let ratio = || {
        let told = set(env, "OTEL_TRACES_SAMPLER_ARG").and_then(|arg| arg.parse::<f64>().ok());
        Sampler::TraceIdRatioBased(told.filter(|r| (0.0..=1.0).contains(r)).unwrap_or(1.0))
    };
    let below = |root: Sampler| Sampler::ParentBased(Box::new(root));
    match name.as_str() {
        "parentbased_always_on" => None,
        "always_on" => Some(Sampler::AlwaysOn),
        "always_off" => Some(Sampler::AlwaysOff),
        "traceidratio" => Some(ratio()),
        "parentbased_always_off" => Some(below(Sampler::AlwaysOff)),
        "parentbased_traceidratio" => Some(below(ratio())),
        other => {
            diagnostics::say_once(
                "OTEL_TRACES_SAMPLER",
                format_args!(
                    "OTEL_TRACES_SAMPLER names an unknown sampler, {other}, and is ignored"
                ),
            );
            None
        }
    }
}

/// The service's name by the environment: `OTEL_SERVICE_NAME`, else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`.
pub(crate) fn service_name(env: Env<'_>) -> Option<String> {
    set(env, "OTEL_SERVICE_NAME").or_else(|| {
        let all = resource_attributes(env);
        all.into_iter()
            .rev()
            .find(|(key, _)| key == "service.name")
            .map(|(_, value)| value)
    })
}

/// `OTEL_RESOURCE_ATTRIBUTES`, percent-decoded.
fn resource_attributes(env: Env<'_>) -> Vec<(String, String)> {
    let text = set(env, "OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (key.trim().to_owned(), percent_decode(value.trim())))
        .collect()
}

fn percent_decode(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// What produces the telemetry: the environment's attributes, then the builder's over them.
pub(crate) fn resource(
    env: Env<'_>,
    service: &str,
    instance: String,
    given: Vec<KeyValue>,
) -> Resource {
    let told = resource_attributes(env)
        .into_iter()
        .map(|(key, value)| KeyValue::new(key, value));
    Resource::builder_empty()
        .with_attributes(
            TelemetryResourceDetector
                .detect()
                .iter()
                .map(|(k, v)| KeyValue::new(k.clone(), v.clone())),
        )
        .with_attributes([
            KeyValue::new("telemetry.distro.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("telemetry.distro.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
        ])
        .with_attributes(told)
        .with_attributes([KeyValue::new("service.name", service.to_owned())])
        .with_attributes(given)
        .build()
}

/// `OTEL_PROPAGATORS`, of which `tracecontext`, `baggage` and `none` are known.
pub(crate) fn propagators(env: Env<'_>) -> Vec<String> {
    let text = set(env, "OTEL_PROPAGATORS").unwrap_or_else(|| "tracecontext,baggage".to_owned());
    text.split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(vars: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn resource_attributes_are_percent_decoded_and_the_builder_wins() {
        let env = env(&[(
            "OTEL_RESOURCE_ATTRIBUTES",
            "a=b%20c, service.name=other ,team=x%2Cy%zz",
        )]);
        let resource = resource(&env, "mine", "i".into(), vec![KeyValue::new("a", "built")]);
        let get = |key: &'static str| resource.get(&key.into()).map(|v| v.to_string());
        assert_eq!(get("team").as_deref(), Some("x,y%zz"));
        assert_eq!(get("a").as_deref(), Some("built"));
        assert_eq!(get("service.name").as_deref(), Some("mine"));
        assert_eq!(get("telemetry.sdk.language").as_deref(), Some("rust"));
        assert_eq!(service_name(&env).as_deref(), Some("other"));
    }

    #[test]
    fn limits_come_from_the_span_variable_before_the_general_one_and_nonsense_is_ignored() {
        let env = env(&[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "7"),
            ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "12"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "99"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "many"),
        ]);
        let limits = limits(&env);
        assert_eq!(
            (limits.attributes, limits.value_bytes, limits.events),
            (7, 12, 128)
        );
    }

    #[test]
    fn every_sampler_name_of_the_specification_is_known() {
        let sampler = |name: &str, arg: &str| {
            let vars = [
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", arg),
            ];
            format!("{:?}", super::sampler(&env(&vars)))
        };
        assert_eq!(sampler("parentbased_always_on", ""), "None");
        assert_eq!(sampler("always_off", ""), "Some(AlwaysOff)");
        assert_eq!(
            sampler("traceidratio", "0.25"),
            "Some(TraceIdRatioBased(0.25))"
        );
        assert_eq!(sampler("traceidratio", "2"), "Some(TraceIdRatioBased(1.0))");
        assert_eq!(
            sampler("parentbased_always_off", ""),
            "Some(ParentBased(AlwaysOff))"
        );
        assert_eq!(sampler("xray", ""), "None");
        assert!(
            disabled_by(&env(&[("OTEL_SDK_DISABLED", "TRUE")])).is_some()
                && disabled_by(&env(&[("OTEL_SDK_DISABLED", "1")])).is_none()
        );
    }
}
