//! What can be said of the files without anything running.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::board::{Board, OBSERVABILITY, read, variables_in};
use crate::metrics::{known_labels, known_metrics, named};

#[test]
fn every_dashboard_and_panel_has_an_id_of_its_own_and_its_place() {
    let mut uids = BTreeSet::new();
    for board in Board::all() {
        let (file, json) = (&board.file, &board.json);
        assert!(
            uids.insert(json["uid"].as_str().unwrap().to_owned()),
            "{file}"
        );
        for field in ["title", "description"] {
            assert!(!json[field].as_str().unwrap().is_empty(), "{file}: {field}");
        }
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in json["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}");
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24, "{file}: {title} is beyond the right edge");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{file}: {title} lies on another panel");
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for board in Board::all() {
        for panel in board.panels() {
            let title = format!("{}: {}", board.file, panel["title"]);
            assert!(
                panel["description"].as_str().unwrap().ends_with('.'),
                "{title}"
            );
            let kind = panel["type"].as_str().unwrap();
            let defaults = &panel["fieldConfig"]["defaults"];
            if ["stat", "timeseries"].contains(&kind) {
                assert!(defaults["unit"].is_string(), "{title} has no unit");
            }
            if kind == "stat" {
                assert!(defaults["thresholds"]["steps"].is_array(), "{title}");
            }
            let targets = panel["targets"].as_array().unwrap();
            let refs: BTreeSet<_> = targets
                .iter()
                .map(|t| t["refId"].as_str().unwrap())
                .collect();
            assert_eq!(
                refs.len(),
                targets.len(),
                "{title}: two queries have one name"
            );
            for target in targets {
                if kind == "timeseries" {
                    assert!(target["legendFormat"].is_string(), "{title} has no legend");
                }
                assert_eq!(
                    panel["datasource"], target["datasource"],
                    "{title} asks two data sources"
                );
            }
        }
    }
}

#[test]
fn every_variable_that_is_used_is_defined_and_the_other_way_round() {
    for board in Board::all() {
        let defined = board.variables().iter();
        let defined: BTreeSet<_> = defined.map(|v| v["name"].as_str().unwrap()).collect();
        let text = board.json.to_string();
        let used: BTreeSet<_> = variables_in(&text).into_iter().collect();
        assert_eq!(used, defined, "{}", board.file);
    }
}

/// `- uid:` of every data source that is provisioned, with its type.
fn provisioned() -> BTreeMap<String, String> {
    let text = read("grafana/provisioning/datasources/genai.yaml");
    let values = |key: &str| -> Vec<String> {
        let start = format!("    {key}: ");
        let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
        lines.map(str::to_owned).collect()
    };
    values("uid").into_iter().zip(values("type")).collect()
}

#[test]
fn every_data_source_is_chosen_by_a_variable_whose_default_is_provisioned() {
    let provisioned = provisioned();
    assert_eq!(provisioned.len(), 4);
    for board in Board::all() {
        let variable = |name: &str| board.variables().iter().find(|v| v["name"] == name);
        for query in board
            .panels()
            .flat_map(|p| p["targets"].as_array().unwrap())
        {
            let source = &query["datasource"];
            let name = source["uid"].as_str().unwrap();
            let name = name
                .strip_prefix("${")
                .and_then(|n| n.strip_suffix('}'))
                .unwrap();
            let variable = variable(name).unwrap_or_else(|| panic!("{}: {name}", board.file));
            assert_eq!(variable["type"], "datasource");
            assert_eq!(variable["query"], source["type"]);
            let default = variable["current"]["value"].as_str().unwrap();
            assert_eq!(Value::from(provisioned[default].as_str()), source["type"]);
        }
    }
    // And the sources lead to each other by names that exist.
    let text = read("grafana/provisioning/datasources/genai.yaml");
    for line in text.lines().filter(|line| line.contains("datasourceUid:")) {
        let uid = line.split(':').nth(1).unwrap().trim();
        assert!(provisioned.contains_key(uid), "{uid}");
    }
}

/// What must be in every query: nothing may depend on a name that nobody emits.
fn check(place: &str, query: &str) {
    let (series, labels) = named(query);
    assert!(!series.is_empty(), "{place} asks for nothing: {query}");
    let unknown: Vec<_> = series.difference(&known_metrics()).cloned().collect();
    assert!(
        unknown.is_empty(),
        "{place} asks for {unknown:?}, which nobody emits"
    );
    let unknown: Vec<_> = labels.difference(&known_labels()).cloned().collect();
    assert!(
        unknown.is_empty(),
        "{place} asks for labels {unknown:?}, which nobody sets"
    );
}

#[test]
fn every_query_names_metrics_and_labels_that_are_emitted() {
    for board in Board::all() {
        for query in board.queries().filter(|q| q.language == "prometheus") {
            check(&format!("{}: {}", board.file, query.panel), query.text);
        }
    }
}

/// Loki refuses a selector that nothing narrows, `.*` included.
#[test]
fn a_log_query_is_valid_while_everything_is_chosen() {
    let mut checked = 0;
    for board in Board::all() {
        let all = |name: &str| {
            let variable = board.variables().iter().find(|v| v["name"] == name);
            variable.unwrap()["allValue"].as_str().unwrap().to_owned()
        };
        for query in board.queries().filter(|q| q.language == "loki") {
            let selector = query.text.split(['{', '}']).nth(1).unwrap();
            let narrows = |matcher: &str| {
                let (_, value) = matcher.split_once("=~").unwrap();
                let name = value.trim_matches('"').strip_prefix('$').unwrap();
                all(name) == ".+"
            };
            assert!(selector.split(',').any(narrows), "{}", query.text);
            checked += 1;
        }
    }
    assert_eq!(checked, 2);
}

#[test]
fn what_was_renamed_is_read_under_both_names() {
    let renamed = [
        (
            "gen_ai_client_inference_duration",
            "gen_ai_client_operation_duration",
        ),
        (
            "gen_ai_client_inference_time_to_first_chunk",
            "gen_ai_client_operation_time_to_first_chunk",
        ),
        (
            "gen_ai_client_inference_time_per_output_chunk",
            "gen_ai_client_operation_time_per_output_chunk",
        ),
        (
            "gen_ai_client_inference_usage_input_tokens",
            "gen_ai_client_token_usage",
        ),
        (
            "gen_ai_client_inference_usage_output_tokens",
            "gen_ai_client_token_usage",
        ),
        ("gen_ai_usage_cost_sum", "gen_ai_usage_cost_USD_sum"),
    ];
    let boards = Board::all();
    let queries = boards.iter().flat_map(Board::queries);
    let panels = queries.map(|q| (q.panel.to_owned(), q.text.to_owned()));
    for (place, query) in panels.chain(alerts()) {
        for (latest, before) in renamed {
            assert!(
                !query.contains(latest) || query.contains(before),
                "{place}: {latest}"
            );
        }
    }
}

/// Name and expression of every alert.
fn alerts() -> Vec<(String, String)> {
    let text = read("alerts.yaml");
    let alerts = text.split("      - alert: ").skip(1);
    let parts = alerts.map(|alert| {
        let (name, rest) = alert.split_once('\n').unwrap();
        let end =
            ["        for:", "        labels:"].map(|key| rest.find(key).unwrap_or(rest.len()));
        let expression = rest[..end[0].min(end[1])]
            .trim()
            .strip_prefix("expr: ")
            .unwrap();
        (
            name.to_owned(),
            expression.trim_start_matches('|').to_owned(),
        )
    });
    parts.collect()
}

#[test]
fn every_alert_names_metrics_that_are_emitted_and_is_tested() {
    let alerts = alerts();
    assert!(alerts.len() >= 10, "{alerts:?}");
    let tests = include_str!("../data/alerts_test.yaml");
    for (name, expression) in alerts {
        check(&name, &expression);
        let tested = [
            format!("alertname: {name}\n"),
            format!("alertname=\"{name}\""),
        ];
        assert!(
            tested.iter().any(|text| tests.contains(text)),
            "{name} is not tested"
        );
    }
}

#[test]
fn what_may_not_have_happened_shows_zero_and_not_nothing() {
    for board in Board::all() {
        for panel in board.panels() {
            let text = panel["targets"].to_string();
            let losses = [
                "error_type!=",
                "genai_security_findings",
                "genai_cost_unknown",
                "refused",
            ];
            let table_of_all =
                panel["targets"].as_array().unwrap().len() > 1 && panel["type"] == "table";
            if panel["datasource"]["type"] == "prometheus"
                && losses.iter().any(|name| text.contains(name))
                && !table_of_all
            {
                assert!(
                    text.contains("vector(0)"),
                    "{}: {}",
                    board.file,
                    panel["title"]
                );
            }
        }
    }
}

#[test]
fn the_compose_file_mounts_files_that_exist_and_opens_loopback_only() {
    let compose = read("compose.yaml");
    let items = || {
        compose
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("- "))
    };
    let mut mounted = 0;
    for mount in items().filter(|item| item.starts_with('.')) {
        let (from, to) = mount.split_once(':').unwrap();
        assert!(Path::new(OBSERVABILITY).join(from).exists(), "{mount}");
        let target = to
            .strip_suffix(":ro")
            .expect("a configuration is mounted read-only");
        assert!(target.starts_with('/'));
        mounted += 1;
    }
    assert_eq!(mounted, 9);
    let port = |item: &&str| item.contains(':') && item.as_bytes()[0].is_ascii_digit();
    for port in items().filter(port) {
        assert!(port.starts_with("127.0.0.1:"), "{port}");
    }
    let images = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "));
    let images: Vec<_> = images.collect();
    assert_eq!(images.len(), 6);
    for image in images {
        let tag = image.split_once(':').unwrap().1;
        assert!(
            tag.trim_start_matches('v')
                .starts_with(|c: char| c.is_ascii_digit()),
            "{image}"
        );
    }
    let home = compose.split("/etc/grafana/dashboards/").nth(1).unwrap();
    let home = home.split_whitespace().next().unwrap();
    assert!(
        Board::all().iter().any(|board| board.file == home),
        "{home}"
    );
    assert!(compose.contains(":/etc/grafana/dashboards:ro"));
    assert!(
        read("grafana/provisioning/dashboards/genai.yaml")
            .contains("path: /etc/grafana/dashboards\n")
    );
}

#[test]
fn the_guide_has_a_section_for_every_dashboard_and_a_line_for_every_alert() {
    let guide = read("README.md");
    for board in Board::all() {
        let title = board.json["title"].as_str().unwrap();
        assert!(guide.contains(&format!("### {title}\n")), "{title}");
    }
    for (name, _) in alerts() {
        assert!(guide.contains(&format!("| `{name}` |")), "{name}");
    }
}
