//! Reading the `OTEL_*` variables that concern sending.
//!
//! Promise: an empty variable is an absent one; what is set but not understood is an error that names it.
//! Never: reads the process environment by itself, so tests hand in a map.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;

use super::config::{Said, Settings};
use super::error::{OtlpConfigError, shown};
use super::headers;
use super::kinds::{Compression, Protocol, Signal};

/// Where variables are looked up; `&|name| std::env::var_os(name)` for the process's own.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What `OTEL_{TRACES,LOGS,METRICS}_EXPORTER` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExporterChoice {
    /// `otlp`.
    Otlp,
    /// `console` (or its older name `logging`).
    Console,
    /// `otlp,console`, in either order.
    Both,
    /// `none`: the signal is not exported.
    None,
}

impl ExporterChoice {
    /// Whether OTLP is asked for.
    pub fn otlp(self) -> bool {
        matches!(self, ExporterChoice::Otlp | ExporterChoice::Both)
    }

    /// Whether the console is asked for.
    pub fn console(self) -> bool {
        matches!(self, ExporterChoice::Console | ExporterChoice::Both)
    }
}

/// Batch and interval settings from the environment; what is absent is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tuning {
    /// `OTEL_BSP_SCHEDULE_DELAY`: 1 ms to 1 h.
    pub schedule_delay: Option<Duration>,
    /// `OTEL_BSP_MAX_QUEUE_SIZE`: records, 1 to 1,048,576.
    pub max_queue: Option<usize>,
    /// `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`: records, 1 to 65,536, not above the queue.
    pub max_export_batch: Option<usize>,
    /// `OTEL_METRIC_EXPORT_INTERVAL`: 1 ms to 24 h.
    pub metric_interval: Option<Duration>,
    /// `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`.
    pub temporality: Option<Temporality>,
}

impl Tuning {
    /// Reads all of them.
    ///
    /// # Errors
    ///
    /// When one is set to something that is not understood or out of range.
    pub fn from_env(env: Lookup<'_>) -> Result<Tuning, OtlpConfigError> {
        let millis =
            |name, max, instead| Ok(number(env, name, max, instead)?.map(Duration::from_millis));
        let count = |name, max, instead| {
            Ok(number(env, name, max, instead)?.and_then(|n| usize::try_from(n).ok()))
        };
        let batch_name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";
        let tuning = Tuning {
            schedule_delay: millis(
                "OTEL_BSP_SCHEDULE_DELAY",
                3_600_000,
                "milliseconds from 1 to 3600000",
            )?,
            max_queue: count(
                "OTEL_BSP_MAX_QUEUE_SIZE",
                1 << 20,
                "records from 1 to 1048576",
            )?,
            max_export_batch: count(batch_name, 1 << 16, "records from 1 to 65536")?,
            metric_interval: millis(
                "OTEL_METRIC_EXPORT_INTERVAL",
                86_400_000,
                "milliseconds from 1 to 86400000",
            )?,
            temporality: word(
                env,
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
                "cumulative, delta or lowmemory",
                |text| match text {
                    "cumulative" => Some(Temporality::Cumulative),
                    "delta" => Some(Temporality::Delta),
                    "lowmemory" => Some(Temporality::LowMemory),
                    _ => None,
                },
            )?,
        };
        match (tuning.max_export_batch, tuning.max_queue) {
            (Some(batch), Some(queue)) if batch > queue => Err(OtlpConfigError::Number {
                from: batch_name.into(),
                value: batch.to_string(),
                instead: "a number not above OTEL_BSP_MAX_QUEUE_SIZE",
            }),
            _ => Ok(tuning),
        }
    }
}

/// Reads `OTEL_{TRACES,LOGS,METRICS}_EXPORTER`.
///
/// # Errors
///
/// When it names an exporter this crate does not have.
pub fn exporter_choice(
    env: Lookup<'_>,
    signal: Signal,
) -> Result<Option<ExporterChoice>, OtlpConfigError> {
    let name = format!("OTEL_{}_EXPORTER", signal.env_part());
    word(env, &name, "otlp, console, otlp,console or none", |text| {
        let (mut otlp, mut console, mut none) = (false, false, false);
        for part in text.split(',').map(str::trim) {
            match part {
                "otlp" => otlp = true,
                "console" | "logging" => console = true,
                "none" => none = true,
                _ => return None,
            }
        }
        match (otlp, console, none) {
            (true, false, false) => Some(ExporterChoice::Otlp),
            (false, true, false) => Some(ExporterChoice::Console),
            (true, true, false) => Some(ExporterChoice::Both),
            (false, false, true) => Some(ExporterChoice::None),
            _ => None,
        }
    })
}

/// Whether the variable that holds an endpoint is set to anything.
pub(crate) fn has_endpoint(env: Lookup<'_>, signal: Option<Signal>) -> bool {
    let name = match signal {
        None => "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
        Some(signal) => format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", signal.env_part()),
    };
    !matches!(get(env, &name), Ok(None))
}

/// Reads the `OTEL_EXPORTER_OTLP_*` family: the general form, or one signal's.
pub(crate) fn settings(
    env: Lookup<'_>,
    signal: Option<Signal>,
) -> Result<Settings, OtlpConfigError> {
    let name = |suffix: &str| match signal {
        None => format!("OTEL_EXPORTER_OTLP_{suffix}"),
        Some(signal) => format!("OTEL_EXPORTER_OTLP_{}_{suffix}", signal.env_part()),
    };
    let text = |suffix: &str| {
        let name = name(suffix);
        Ok(get(env, &name)?.map(|value| Said {
            value,
            from: Cow::Owned(name),
        }))
    };
    let path = |suffix: &str| {
        let name = name(suffix);
        // Paths need not be Unicode.
        let value = env(&name).filter(|value| !value.is_empty());
        value.map(|value| Said {
            value: PathBuf::from(value),
            from: Cow::Owned(name),
        })
    };
    let headers = match text("HEADERS")? {
        None => None,
        Some(said) => Some(headers::parse_list(&said.value, said.from)?),
    };
    let timeout = number(env, &name("TIMEOUT"), MAX_TIMEOUT_MS, TIMEOUT_RANGE)?;
    Ok(Settings {
        endpoint: text("ENDPOINT")?,
        protocol: word(
            env,
            &name("PROTOCOL"),
            "grpc or http/protobuf",
            |text| match text {
                "grpc" => Some(Protocol::Grpc),
                "http/protobuf" => Some(Protocol::HttpProtobuf),
                _ => None,
            },
        )?,
        headers,
        timeout: timeout.map(|ms| Said {
            value: Duration::from_millis(ms),
            from: Cow::Owned(name("TIMEOUT")),
        }),
        compression: word(
            env,
            &name("COMPRESSION"),
            "gzip or none",
            |text| match text {
                "gzip" => Some(Compression::Gzip),
                "none" => Some(Compression::None),
                _ => None,
            },
        )?,
        ca: path("CERTIFICATE"),
        client_certificate: path("CLIENT_CERTIFICATE"),
        client_key: path("CLIENT_KEY"),
        insecure: word(env, &name("INSECURE"), "true or false", |text| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })?,
    })
}

/// A request that takes longer than ten minutes holds up everything behind it.
pub(crate) const MAX_TIMEOUT_MS: u64 = 600_000;
pub(crate) const TIMEOUT_RANGE: &str = "milliseconds from 1 to 600000";

fn get(env: Lookup<'_>, name: &str) -> Result<Option<String>, OtlpConfigError> {
    match env(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Some(Err(_)) => Err(OtlpConfigError::NotUnicode {
            from: Cow::Owned(name.to_owned()),
        }),
    }
}

fn word<T>(
    env: Lookup<'_>,
    name: &str,
    instead: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, OtlpConfigError> {
    let Some(text) = get(env, name)? else {
        return Ok(None);
    };
    match read(&text.trim().to_ascii_lowercase()) {
        Some(value) => Ok(Some(value)),
        None => Err(OtlpConfigError::Word {
            from: Cow::Owned(name.to_owned()),
            value: shown(&text),
            instead,
        }),
    }
}

fn number(
    env: Lookup<'_>,
    name: &str,
    max: u64,
    instead: &'static str,
) -> Result<Option<u64>, OtlpConfigError> {
    let Some(text) = get(env, name)? else {
        return Ok(None);
    };
    match text.trim().parse::<u64>() {
        Ok(number) if (1..=max).contains(&number) => Ok(Some(number)),
        _ => Err(OtlpConfigError::Number {
            from: Cow::Owned(name.to_owned()),
            value: shown(&text),
            instead,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(name: &'a str, value: &'a str) -> impl Fn(&str) -> Option<OsString> + 'a {
        move |asked| (asked == name).then(|| value.into())
    }

    #[test]
    fn the_exporter_is_chosen_by_name() {
        for (text, expected) in [
            ("otlp", Some(ExporterChoice::Otlp)),
            (" OTLP ", Some(ExporterChoice::Otlp)),
            ("console", Some(ExporterChoice::Console)),
            ("logging", Some(ExporterChoice::Console)),
            ("none", Some(ExporterChoice::None)),
            ("otlp,console", Some(ExporterChoice::Both)),
            ("console, otlp", Some(ExporterChoice::Both)),
            ("", None),
            ("  ", None),
        ] {
            let env = one("OTEL_LOGS_EXPORTER", text);
            assert_eq!(
                exporter_choice(&env, Signal::Logs).unwrap(),
                expected,
                "{text:?}"
            );
            assert_eq!(exporter_choice(&env, Signal::Traces).unwrap(), None);
        }
        for bad in ["zipkin", "prometheus", "none,otlp", "otlp,", "x\ny"] {
            let env = one("OTEL_METRICS_EXPORTER", bad);
            let error = exporter_choice(&env, Signal::Metrics)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with("OTEL_METRICS_EXPORTER is \""), "{error}");
            assert!(
                error.ends_with("write otlp, console, otlp,console or none"),
                "{error}"
            );
            assert!(!error.contains('\n'));
        }
    }

    #[test]
    fn tuning_is_read_and_what_is_absent_stays_absent() {
        assert_eq!(Tuning::from_env(&|_| None).unwrap(), Tuning::default());
        let env = |name: &str| {
            Some(OsString::from(match name {
                "OTEL_BSP_SCHEDULE_DELAY" => " 200 ",
                "OTEL_BSP_MAX_QUEUE_SIZE" => "1024",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => "512",
                "OTEL_METRIC_EXPORT_INTERVAL" => "60000",
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE" => "LowMemory",
                _ => return None,
            }))
        };
        assert_eq!(
            Tuning::from_env(&env).unwrap(),
            Tuning {
                schedule_delay: Some(Duration::from_millis(200)),
                max_queue: Some(1024),
                max_export_batch: Some(512),
                metric_interval: Some(Duration::from_secs(60)),
                temporality: Some(Temporality::LowMemory),
            }
        );
    }

    #[test]
    fn numbers_out_of_range_are_errors_that_say_the_range() {
        for name in [
            "OTEL_BSP_SCHEDULE_DELAY",
            "OTEL_BSP_MAX_QUEUE_SIZE",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            "OTEL_METRIC_EXPORT_INTERVAL",
        ] {
            for bad in [
                "0",
                "-1",
                "1.5",
                "5s",
                "99999999999",
                "18446744073709551616",
                "x",
            ] {
                let error = Tuning::from_env(&one(name, bad)).unwrap_err().to_string();
                assert!(
                    error.starts_with(&format!("{name} is \"{bad}\"; write ")),
                    "{error}"
                );
                assert!(error.contains("from 1 to"), "{error}");
            }
        }
    }

    #[test]
    fn a_batch_above_the_queue_is_an_error() {
        let env = |name: &str| {
            Some(OsString::from(match name {
                "OTEL_BSP_MAX_QUEUE_SIZE" => "100",
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => "101",
                _ => return None,
            }))
        };
        assert!(
            Tuning::from_env(&env)
                .unwrap_err()
                .to_string()
                .contains("not above")
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_variable_that_is_not_unicode_is_an_error_but_a_path_may_be() {
        use std::os::unix::ffi::OsStringExt as _;
        let env = |asked: &str| {
            (asked == "OTEL_EXPORTER_OTLP_ENDPOINT")
                .then(|| OsString::from_vec(b"http://\xff".to_vec()))
        };
        let Err(error) = settings(&env, None) else {
            panic!("accepted")
        };
        assert!(
            error
                .to_string()
                .starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is not valid UTF-8")
        );
        let env = |asked: &str| {
            (asked == "OTEL_EXPORTER_OTLP_CERTIFICATE")
                .then(|| OsString::from_vec(b"/\xff".to_vec()))
        };
        assert!(settings(&env, None).unwrap().ca.is_some());
    }

    #[test]
    fn words_that_are_not_understood_are_errors_that_say_which_are() {
        for (suffix, bad, instead) in [
            ("PROTOCOL", "http/json", "write grpc or http/protobuf"),
            ("PROTOCOL", "http", "write grpc or http/protobuf"),
            ("COMPRESSION", "zstd", "write gzip or none"),
            ("INSECURE", "yes", "write true or false"),
            ("TIMEOUT", "0", "milliseconds from 1 to 600000"),
            ("TIMEOUT", "10s", "milliseconds from 1 to 600000"),
            ("TIMEOUT", "600001", "milliseconds from 1 to 600000"),
        ] {
            for signal in [
                None,
                Some(Signal::Traces),
                Some(Signal::Logs),
                Some(Signal::Metrics),
            ] {
                let name = match signal {
                    None => format!("OTEL_EXPORTER_OTLP_{suffix}"),
                    Some(signal) => format!("OTEL_EXPORTER_OTLP_{}_{suffix}", signal.env_part()),
                };
                let Err(error) = settings(&one(&name, bad), signal) else {
                    panic!("{name}={bad}")
                };
                let error = error.to_string();
                assert!(
                    error.starts_with(&format!("{name} is \"{bad}\"")),
                    "{error}"
                );
                assert!(error.contains(instead), "{error}");
            }
        }
    }
}
