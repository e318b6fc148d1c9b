//! The dashboards against real backends: a collector, a Prometheus that reads it, and a Jaeger for the traces.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::board::{Board, OBSERVABILITY};
use crate::feed;
use crate::http::{PATIENCE, eventually, get, until, variable};

/// What is there once everything else of the two services is.
const LAST: [&str; 2] = [
    "gen_ai_invoke_agent_duration_seconds_count{job=\"trip-planner\"}",
    "genai_security_findings_total{job=\"support-desk\"}",
];

/// The traces of the two services, once both are in Prometheus.
static FED: LazyLock<[String; 2]> = LazyLock::new(|| {
    // Every process has series of its own, and those of an earlier test may still be there. Two samples is the least that has
    // a rate.
    let processes = |series: &str| {
        let data = ask(&format!("count(count_over_time({series}[1h]) > 1)"));
        samples(&data).first().copied().unwrap_or(0.0)
    };
    let before = LAST.map(processes);
    let endpoint = variable("OTELCOL_HTTP_URL");
    let traces = [feed::quickstart(&endpoint), feed::support_desk(&endpoint)];
    for (series, before) in LAST.into_iter().zip(before) {
        eventually(series, || (processes(series) > before).then_some(()));
    }
    traces
});

/// What Prometheus answers to a query as a table or a number has it.
pub(crate) fn ask(query: &str) -> Value {
    let answer = get(
        &variable("PROMETHEUS_URL"),
        "/api/v1/query",
        &[("query", query)],
    );
    assert_eq!(answer["status"], "success", "{query}\n{}", answer["error"]);
    answer["data"].clone()
}

/// What Prometheus answers to a query as a graph of the last minutes has it.
pub(crate) fn ask_range(query: &str) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let (start, end) = ((now - 300).to_string(), now.to_string());
    let range = [
        ("query", query),
        ("start", &start),
        ("end", &end),
        ("step", "2"),
    ];
    let answer = get(&variable("PROMETHEUS_URL"), "/api/v1/query_range", &range);
    assert_eq!(answer["status"], "success", "{query}\n{}", answer["error"]);
    answer["data"].clone()
}

/// All samples there are.
pub(crate) fn samples(data: &Value) -> Vec<f64> {
    let series = data["result"].as_array().unwrap().iter();
    let values = series.flat_map(|series| {
        let many = series["values"].as_array().into_iter().flatten();
        many.chain(series.get("value"))
    });
    let numbers = values.map(|value| value[1].as_str().unwrap().parse::<f64>().unwrap());
    numbers.collect()
}

/// A query as Grafana sends it, with everything chosen.
pub(crate) fn filled(query: &str) -> String {
    let query = query
        .replace("$__rate_interval", "1m")
        .replace("$__range", "10m");
    let names = ["service", "provider", "model", "agent", "tool"];
    names.iter().fold(query, |query, name| {
        query.replace(&format!("${name}"), ".*")
    })
}

/// Queries for what has not happened, and in part cannot while the test runs: they are there, valid and empty.
fn may_be_empty(text: &str) -> bool {
    let never = [
        "otelcol_exporter_send_failed",
        "otelcol_exporter_enqueue_failed",
    ];
    never.iter().any(|name| text.contains(name))
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn every_panel_has_data_from_a_real_prometheus() {
    LazyLock::force(&FED);
    let (mut panels, mut queries, mut series) = (0, 0, 0);
    let mut wrong = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for board in Board::all() {
        for panel in board
            .panels()
            .filter(|p| p["datasource"]["type"] == "prometheus")
        {
            let title = format!("{}: {}", board.file, panel["title"].as_str().unwrap());
            panels += 1;
            for target in panel["targets"].as_array().unwrap() {
                let text = target["expr"].as_str().unwrap();
                let query = filled(text);
                assert!(!query.contains('$'), "{title}: {query}");
                let answer = || match target["instant"] == true {
                    true => ask(&query),
                    false => ask_range(&query),
                };
                queries += 1;
                // A collector that was just started has told of itself once, which is no rate yet.
                let found = until(deadline, || {
                    let data = answer();
                    let told = !samples(&data).is_empty() || may_be_empty(text);
                    told.then_some(data)
                });
                match found {
                    Some(data) => series += data["result"].as_array().unwrap().len(),
                    None => wrong.push(format!("{title}: {query}")),
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} without data\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{panels} panels, {queries} queries, {series} series");
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn no_panel_shows_nan_while_nothing_happens() {
    LazyLock::force(&FED);
    // The programs have ended, and the collector goes on to tell their last numbers. A range is idle once the samples in it are
    // all the same.
    let idle = |query: &str| {
        filled(
            &query
                .replace("$__range", "5s")
                .replace("$__rate_interval", "5s"),
        )
    };
    eventually("5 seconds without a model call", || {
        let query = idle("sum(increase(gen_ai_client_inference_duration_seconds_count[$__range]))");
        (samples(&ask(&query)) == [0.0]).then_some(())
    });
    let mut nan = Vec::new();
    for board in Board::all() {
        for query in board.queries().filter(|q| q.language == "prometheus") {
            if samples(&ask(&idle(query.text))).iter().any(|n| n.is_nan()) {
                nan.push(format!("{}: {}: {}", board.file, query.panel, query.text));
            }
        }
    }
    assert!(nan.is_empty(), "{}\n{}", nan.len(), nan.join("\n"));
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn what_a_program_did_that_lived_shorter_than_a_scrape_is_in_the_numbers() {
    LazyLock::force(&FED);
    let boards = Board::all();
    let shown: BTreeMap<_, _> = boards
        .iter()
        .flat_map(Board::panels)
        .filter(|panel| panel["type"] == "stat")
        .map(|panel| {
            let query = filled(panel["targets"][0]["expr"].as_str().unwrap());
            (panel["title"].as_str().unwrap(), samples(&ask(&query))[0])
        })
        .collect();
    // Prometheus extrapolates, so that these are near the truth and not it.
    for (panel, least) in [
        ("Model calls", 6.0),
        ("Tokens", 10_000.0),
        ("Cost", 0.02),
        ("Agent runs", 2.0),
        ("Dangerous", 1.0),
        ("Blocked", 1.0),
    ] {
        assert!(
            shown[panel] >= least * 0.9,
            "{panel} shows {}",
            shown[panel]
        );
    }
    for panel in [
        "Error rate",
        "Failed runs",
        "Failed tool calls",
        "Input from cache",
    ] {
        assert!(
            (0.01..1.0).contains(&shown[panel]),
            "{panel} shows {}",
            shown[panel]
        );
    }
    for panel in ["Lost before export", "Lost in export"] {
        assert_eq!(shown[panel], 0.0, "{panel}");
    }
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn every_variable_offers_what_is_there() {
    LazyLock::force(&FED);
    for board in Board::all() {
        for variable in board.variables().iter().filter(|v| v["type"] == "query") {
            let query = filled(variable["query"]["query"].as_str().unwrap());
            let inner = query
                .strip_prefix("label_values(")
                .and_then(|q| q.strip_suffix(')'));
            let (selector, label) = inner.unwrap().rsplit_once(',').unwrap();
            let path = format!("/api/v1/label/{}/values", label.trim());
            let values = get(
                &crate::http::variable("PROMETHEUS_URL"),
                &path,
                &[("match[]", selector)],
            );
            let values = values["data"].as_array().unwrap();
            let expected = match variable["name"].as_str().unwrap() {
                "service" => "support-desk",
                "provider" => "openai",
                "model" => "gpt-4o",
                "agent" => "trip-planner",
                "tool" => "find_hotel",
                other => panic!("no test for the variable {other}"),
            };
            assert!(
                values.contains(&expected.into()),
                "{}: {query}: {values:?}",
                board.file
            );
        }
    }
}

/// The spans of a trace in Jaeger: all attributes, the resource's too, and `status`.
fn spans(trace: &str) -> Vec<BTreeMap<String, Value>> {
    let path = format!("/api/traces/{trace}");
    let found = eventually("the trace in Jaeger", || {
        let answer = get(&variable("JAEGER_URL"), &path, &[]);
        let trace = answer["data"].get(0)?.clone();
        (trace["spans"].as_array()?.len() >= 6).then_some(trace)
    });
    let tags = |tags: &Value| -> Vec<(String, Value)> {
        let tags = tags.as_array().into_iter().flatten();
        let pair = |tag: &Value| {
            (
                tag["key"].as_str().unwrap().to_owned(),
                tag["value"].clone(),
            )
        };
        tags.map(pair).collect()
    };
    let spans = found["spans"].as_array().unwrap().iter().map(|span| {
        let process = &found["processes"][span["processID"].as_str().unwrap()];
        let mut all: BTreeMap<_, _> = tags(&span["tags"]).into_iter().collect();
        all.extend(tags(&process["tags"]));
        all.insert("service.name".to_owned(), process["serviceName"].clone());
        let failed = all
            .get("otel.status_code")
            .is_some_and(|code| code == "ERROR");
        all.insert(
            "status".to_owned(),
            if failed { "error" } else { "unset" }.into(),
        );
        all.insert("trace:id".to_owned(), trace.into());
        all
    });
    spans.collect()
}

/// Whether one condition of a TraceQL filter holds, of the kinds that the dashboards use.
fn holds(condition: &str, span: &BTreeMap<String, Value>) -> bool {
    let (name, rest) = condition.trim().split_once(' ').unwrap();
    let (operator, wanted) = rest.split_once(' ').unwrap();
    if name == "duration" {
        return true; // nothing here takes that long
    }
    let name = name
        .trim_start_matches("span.")
        .trim_start_matches("resource.");
    let Some(value) = span.get(name) else {
        return false;
    };
    let wanted = wanted.trim_matches('"');
    match operator {
        "=" => value == wanted,
        "=~" => [".*", ".+"].contains(&wanted) || wanted.split('|').any(|one| value == one),
        ">" => value
            .as_f64()
            .is_some_and(|value| value > wanted.parse().unwrap()),
        other => panic!("{other} in {condition}"),
    }
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn every_trace_query_finds_spans_of_the_runs_and_selects_attributes_they_have() {
    let fed = FED.iter().map(|id| (id, spans(id))).collect::<Vec<_>>();
    let mut checked = 0;
    for board in Board::all() {
        for query in board
            .queries()
            .filter(|q| q.language == "tempo" && q.text != "$trace")
        {
            let (filter, select) = query.text.split_once(" | select(").unwrap();
            let filter = filter
                .strip_prefix("{ ")
                .and_then(|f| f.strip_suffix(" }"))
                .unwrap()
                .replace(" } >> { ", " } && { ");
            let mut found = Vec::new();
            for (id, spans) in &fed {
                let filter = filled(&filter.replace("$trace", id));
                let matching = |filter: &str| -> Vec<_> {
                    let all = |span: &&BTreeMap<String, Value>| {
                        filter.split(" && ").all(|c| holds(c, span))
                    };
                    spans.iter().filter(all).collect()
                };
                // What is asked of a trace besides the spans that are shown.
                let mut parts: Vec<_> = filter.split(" } && { ").map(matching).collect();
                let shown = parts.pop().unwrap();
                if parts.iter().all(|spans| !spans.is_empty()) {
                    found.extend(shown);
                }
            }
            assert!(
                !found.is_empty(),
                "{} finds nothing: {}",
                query.panel,
                query.text
            );
            for attribute in select.trim_end_matches(')').split(", ") {
                let name = attribute.trim_start_matches("span.");
                let has = found.iter().any(|span| span.contains_key(name));
                assert!(has, "{} selects {name}, which no span has", query.panel);
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}

fn promtool(arguments: &[&str]) {
    let output = Command::new(variable("PROMTOOL_BIN"))
        .args(arguments)
        .output()
        .unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(
        output.status.success(),
        "{arguments:?}\n{}",
        said.join("\n")
    );
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn the_alerts_are_valid_and_fire_when_they_should() {
    promtool(&["check", "rules", &format!("{OBSERVABILITY}/alerts.yaml")]);
    promtool(&[
        "check",
        "config",
        &format!("{OBSERVABILITY}/prometheus.yaml"),
    ]);
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/alerts_test.yaml");
    promtool(&["test", "rules", tests]);
    // The finding that was fed is told by the Prometheus that runs.
    LazyLock::force(&FED);
    eventually("the alert about the blocked call", || {
        let firing = ask("ALERTS{alertname=\"GenAiDangerousFinding\", job=\"support-desk\"}");
        samples(&firing).first().copied()
    });
}

#[test]
#[ignore = "needs the real collector, Jaeger and Prometheus: .ci/backends"]
fn the_collector_takes_the_configurations_of_the_compose_file() {
    let base = concat!(env!("CARGO_MANIFEST_DIR"), "/otel-collector.yaml");
    let output = Command::new(variable("OTELCOL_BIN"))
        .args(["validate", "--config", base, "--config"])
        .arg(format!("{OBSERVABILITY}/names.yaml"))
        .arg("--config")
        .arg(format!("{OBSERVABILITY}/collector.yaml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
