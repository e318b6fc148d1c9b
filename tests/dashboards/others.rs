//! The dashboards with the metrics of emitters that are not this crate.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::board::Board;
use crate::http::{eventually, post, variable};
use crate::live::{ask, filled, samples};

const DURATION: &str = "gen_ai.client.operation.duration";
const TOKENS: &str = "gen_ai.client.token.usage";

type Labels<'a> = &'a [(&'a str, &'a str)];

fn nanoseconds() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos()
}

/// One histogram of OTLP: `count` values that add up to `sum`, all of them below the bound `below`.
fn histogram(
    name: &str,
    unit: &str,
    labels: Labels<'_>,
    (count, sum, below): (u64, f64, f64),
) -> Value {
    let now = nanoseconds();
    let attributes = labels
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }));
    json!({ "name": name, "unit": unit, "histogram": { "aggregationTemporality": 2, "dataPoints": [{
        "startTimeUnixNano": (now - 20_000_000_000).to_string(),
        "timeUnixNano": now.to_string(),
        "attributes": attributes.collect::<Vec<_>>(),
        "count": count.to_string(), "sum": sum,
        "explicitBounds": [below], "bucketCounts": [count.to_string(), "0"],
    }] } })
}

/// Five calls, one of which failed, and their 900 tokens, as this emitter labels them.
fn calls(labels: Labels<'_>, unit: &str) -> Vec<Value> {
    let with = |label| [labels, &[label]].concat();
    vec![
        histogram(DURATION, "s", labels, (4, 2.0, 1.0)),
        histogram(
            DURATION,
            "s",
            &with(("error.type", "timeout")),
            (1, 0.5, 1.0),
        ),
        histogram(
            TOKENS,
            unit,
            &with(("gen_ai.token.type", "input")),
            (4, 800.0, 1024.0),
        ),
        histogram(
            TOKENS,
            unit,
            &with(("gen_ai.token.type", "output")),
            (4, 100.0, 1024.0),
        ),
    ]
}

fn send(service: &str, metrics: &[Value]) {
    let id = format!("{service}-{}", std::process::id());
    let resource = [("service.name", service), ("service.instance.id", &id)];
    let resource =
        resource.map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } }));
    let body = json!({ "resourceMetrics": [{
        "resource": { "attributes": resource },
        "scopeMetrics": [{ "scope": { "name": "others" }, "metrics": metrics }],
    }] });
    post(&variable("OTELCOL_HTTP_URL"), "/v1/metrics", &body);
}

/// A query with these values chosen, as Grafana fills them in: what a regular expression would read is escaped, for a string of
/// PromQL once more.
fn chosen(query: &str, values: &[(&str, &str)]) -> String {
    let fill = |query: String, (name, value): &(&str, &str)| {
        let escape = |c: char| match "$^*{}[]'+?.()|".contains(c) {
            true => format!("\\\\{c}"),
            false => c.to_string(),
        };
        let escaped: String = value.chars().map(escape).collect();
        query.replace(&format!("${name}"), &format!("({escaped}|other)"))
    };
    filled(&values.iter().fold(query.to_owned(), fill))
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn emitters_of_other_makers_are_shown_by_model_and_provider() {
    let bedrock = "anthropic.claude-3-5-sonnet-20241022-v2:0";
    let local = "org/model.v1+q4:latest";
    let emitters: [(&str, &str, &str, &str, Labels<'_>); 3] = [
        // The conventions before the latest ones, without a response model.
        (
            "conventional",
            "aws.bedrock",
            bedrock,
            "{token}",
            &[
                ("gen_ai.operation.name", "chat"),
                ("gen_ai.provider.name", "aws.bedrock"),
                ("gen_ai.request.model", bedrock),
            ],
        ),
        // The names before those, and only the model that answered.
        (
            "old",
            "openai",
            "gpt-4o-mini-2024-07-18",
            "token",
            &[
                ("gen_ai.operation.name", "completion"),
                ("gen_ai.system", "openai"),
                ("gen_ai.response.model", "gpt-4o-mini-2024-07-18"),
                ("stream", "false"),
            ],
        ),
        // No operation.
        (
            "terse",
            "ollama",
            local,
            "{token}",
            &[
                ("gen_ai.system", "ollama"),
                ("gen_ai.request.model", local),
                ("gen_ai.response.model", local),
            ],
        ),
    ];
    let boards = Board::all();
    let overview = boards.iter().find(|board| board.file == "overview.json");
    let queries: BTreeMap<_, Vec<_>> =
        overview
            .unwrap()
            .queries()
            .fold(BTreeMap::new(), |mut all, query| {
                all.entry(query.panel)
                    .or_insert_with(Vec::new)
                    .push(query.text);
                all
            });
    for (service, provider, model, unit, labels) in emitters {
        send(service, &calls(labels, unit));
        let choice = [
            ("service", service),
            ("provider", provider),
            ("model", model),
        ];
        let ask = |panel: &str, at: usize| ask(&chosen(queries[panel][at], &choice));
        let shown = eventually(service, || {
            let calls = samples(&ask("Model calls", 0));
            (calls[0] > 4.5).then_some(calls[0])
        });
        assert!((4.5..5.5).contains(&shown), "{service}: {shown} calls");
        for (panel, at_least, at_most) in [
            ("Tokens", 810.0, 990.0),
            ("Error rate", 0.19, 0.21),
            ("Latency p95", 0.5, 1.0),
            ("Cost", 0.0, 0.0),
        ] {
            let shown = samples(&ask(panel, 0));
            let fits = shown.len() == 1 && (at_least..=at_most).contains(&shown[0]);
            assert!(fits, "{service}: {panel} shows {shown:?}");
        }
        for at in 0..5 {
            let rows = ask("Models", at);
            let rows = rows["result"].as_array().unwrap();
            assert_eq!(rows.len(), 1, "{service}: {rows:?}");
            assert_eq!(rows[0]["metric"]["gen_ai_request_model"], model);
            assert_eq!(rows[0]["metric"]["gen_ai_provider_name"], provider);
        }
    }
}

/// Differences in place of totals, which some exporters prefer: the collector adds them up.
#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn an_emitter_of_deltas_is_shown_with_its_totals() {
    let labels: Labels<'_> = &[
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-4o"),
    ];
    // Each begins where the one before ended.
    let mut began = nanoseconds() - 20_000_000_000;
    for (count, sum) in [(2, 1.0), (3, 1.5)] {
        let mut metric = histogram(DURATION, "s", labels, (count, sum, 1.0));
        metric["histogram"]["aggregationTemporality"] = json!(1);
        let point = &mut metric["histogram"]["dataPoints"][0];
        point["startTimeUnixNano"] = json!(began.to_string());
        began = point["timeUnixNano"].as_str().unwrap().parse().unwrap();
        send("deltas", &[metric]);
    }
    let query = "sum(gen_ai_client_operation_duration_seconds_count{job=\"deltas\"})";
    eventually("both deltas", || {
        (samples(&ask(query)) == [5.0]).then_some(())
    });
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn who_sends_both_generations_of_names_is_counted_once() {
    let labels: Labels<'_> = &[
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.response.model", "gpt-4o-2024-08-06"),
    ];
    let old = [labels, &[("gen_ai.system", "openai")]].concat();
    let new = [labels, &[("gen_ai.provider.name", "openai")]].concat();
    let mut metrics = calls(&old, "{token}");
    metrics.push(histogram(
        "gen_ai.client.inference.duration",
        "s",
        &new,
        (4, 2.0, 1.0),
    ));
    let failed = [&new[..], &[("error.type", "timeout")]].concat();
    metrics.push(histogram(
        "gen_ai.client.inference.duration",
        "s",
        &failed,
        (1, 0.5, 1.0),
    ));
    send("both", &metrics);
    let boards = Board::all();
    let overview = boards.iter().find(|board| board.file == "overview.json");
    let calls = overview
        .unwrap()
        .queries()
        .find(|q| q.panel == "Model calls");
    let query = chosen(calls.unwrap().text, &[("service", "both")]);
    let shown = eventually("the calls", || {
        let shown = samples(&ask(&query))[0];
        (shown > 4.5).then_some(shown)
    });
    assert!(shown < 5.5, "{shown} calls");
}
