//! The dashboards as the tests read them.

use serde_json::Value;

pub(crate) const OBSERVABILITY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/observability");

/// A file of the example, by its path in there.
pub(crate) fn read(path: &str) -> String {
    let path = format!("{OBSERVABILITY}/{path}");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) struct Board {
    pub(crate) file: String,
    pub(crate) json: Value,
}

pub(crate) struct Query<'a> {
    pub(crate) panel: &'a str,
    /// `prometheus`, `tempo` or `loki`.
    pub(crate) language: &'a str,
    pub(crate) text: &'a str,
}

impl Board {
    /// All there are, in the order of their file names.
    pub(crate) fn all() -> Vec<Self> {
        let directory = std::fs::read_dir(format!("{OBSERVABILITY}/grafana/dashboards")).unwrap();
        let mut files: Vec<_> = directory
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert!(files.len() >= 4, "{files:?}");
        let board = |file: String| {
            let text = read(&format!("grafana/dashboards/{file}"));
            let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
            Self { file, json }
        };
        files.into_iter().map(board).collect()
    }

    pub(crate) fn variables(&self) -> &[Value] {
        self.json["templating"]["list"].as_array().unwrap()
    }

    /// Everything that shows data.
    pub(crate) fn panels(&self) -> impl Iterator<Item = &Value> {
        let panels = self.json["panels"].as_array().unwrap();
        panels.iter().filter(|panel| panel["type"] != "row")
    }

    pub(crate) fn queries(&self) -> impl Iterator<Item = Query<'_>> {
        self.panels().flat_map(|panel| {
            panel["targets"].as_array().unwrap().iter().map(|target| {
                let text = target["expr"].as_str().or(target["query"].as_str());
                Query {
                    panel: panel["title"].as_str().unwrap(),
                    language: target["datasource"]["type"].as_str().unwrap(),
                    text: text.unwrap(),
                }
            })
        })
    }
}

/// The names of the variables in a text: `$name` and `${name…}`, without Grafana's own.
pub(crate) fn variables_in(text: &str) -> Vec<&str> {
    let after = text.split('$').skip(1);
    let names = after.map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    });
    names
        .filter(|name| !name.is_empty() && !name.starts_with("__"))
        .collect()
}
