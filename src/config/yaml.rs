//! From the text of a file to its values, each with its line.
//!
//! Promise: memory stays in proportion to [`BYTES`], whatever aliases would unfold to; a mistake has its line.
//! Never: quotes the text in an error, which may hold secrets.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::SettingsError;

/// The most bytes a file may have: a thousand times the largest one seen.
pub(super) const BYTES: usize = 1024 * 1024;
/// What all values may weigh when aliases are unfolded: their texts, and [`NODE`] for each.
const WEIGHT: usize = 4 * BYTES;
const NODE: usize = 16;
/// Mappings and lists in one another.
const DEPTH: usize = 32;

/// Values, and the lines that keys and items begin on, by path.
#[derive(Debug, Default, Clone)]
pub(super) struct Document {
    pub(super) values: Map<String, Value>,
    pub(super) lines: HashMap<String, u32>,
}

#[derive(Clone)]
struct Node {
    line: u32,
    weight: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A list or mapping that is not complete yet.
struct Open {
    anchor: usize,
    key: Option<String>,
    /// What is merged in from elsewhere, where nothing else is told.
    merged: Vec<(String, Node)>,
    node: Node,
}

fn wrong(line: u32, problem: impl Into<String>) -> SettingsError {
    let problem = problem.into();
    SettingsError::Yaml { line, problem }
}

pub(super) fn parse(text: &str) -> Result<Document, SettingsError> {
    if text.len() > BYTES {
        return Err(wrong(1, "the file is larger than 1 MiB"));
    }
    let mut loader = Loader::default();
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            // The words are the parser's own, but may name an anchor or a tag.
            let problem = crate::console::escape(error.info()).into_owned();
            wrong(error.marker().line() as u32, problem)
        })?;
        loader.event(event, span)?;
    }
    let mut document = Document::default();
    match loader.root {
        None => {}
        Some(Node {
            kind: Kind::Scalar(Value::Null),
            ..
        }) => {}
        Some(root) => {
            let line = root.line;
            let Value::Object(values) = plain(root, "", &mut document.lines) else {
                return Err(wrong(line, "the file is no mapping of keys to values"));
            };
            document.values = values;
        }
    }
    Ok(document)
}

#[derive(Default)]
struct Loader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    weight: usize,
    root: Option<Node>,
    documents: usize,
}

impl Loader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SettingsError> {
        let line = span.start.line() as u32;
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(wrong(line, "the file has more than one document"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_text =
                    tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let weight = text.len();
                let value = match style {
                    ScalarStyle::Plain if !is_text => scalar(&text),
                    _ => Value::String(text.into_owned()),
                };
                let node = self.node(line, weight, Kind::Scalar(value))?;
                self.put(node, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.open(line, anchor, Kind::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.open(line, anchor, Kind::Map(Vec::new()))?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut done) = self.open.pop() {
                    if let Kind::Map(entries) = &mut done.node.kind {
                        for (key, value) in done.merged {
                            if !entries.iter().any(|(known, _)| *known == key) {
                                entries.push((key, value));
                            }
                        }
                    }
                    self.put(done.node, done.anchor)?;
                }
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(wrong(line, "an alias stands inside what it stands for"));
                };
                self.weight = self.weight.saturating_add(node.weight);
                self.check(line)?;
                let node = self.anchors.get(&anchor).cloned();
                if let Some(node) = node {
                    self.put(Node { line, ..node }, 0)?;
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn check(&self, line: u32) -> Result<(), SettingsError> {
        if self.weight > WEIGHT {
            return Err(wrong(
                line,
                "the file holds, or its aliases unfold to, too much",
            ));
        }
        Ok(())
    }

    fn node(&mut self, line: u32, text: usize, kind: Kind) -> Result<Node, SettingsError> {
        let weight = NODE + text;
        self.weight += weight;
        self.check(line)?;
        Ok(Node { line, weight, kind })
    }

    fn open(&mut self, line: u32, anchor: usize, kind: Kind) -> Result<(), SettingsError> {
        if self.open.len() >= DEPTH {
            return Err(wrong(line, "values are nested more than 32 deep"));
        }
        let node = self.node(line, 0, kind)?;
        self.open.push(Open {
            anchor,
            key: None,
            merged: Vec::new(),
            node,
        });
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), SettingsError> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(above) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        above.node.weight = above.node.weight.saturating_add(node.weight);
        match &mut above.node.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match above.key.take() {
                None => above.key = Some(key(node)?),
                Some(key) if key == "<<" => {
                    if let Kind::Map(more) = node.kind {
                        above.merged.extend(more);
                    }
                }
                Some(key) => {
                    if entries.iter().any(|(known, _)| *known == key) {
                        let key = crate::console::escape(&key).into_owned();
                        return Err(wrong(node.line, format!("`{key}` is there twice")));
                    }
                    entries.push((key, node));
                }
            },
            Kind::Scalar(_) => {}
        }
        Ok(())
    }
}

fn key(node: Node) -> Result<String, SettingsError> {
    match node.kind {
        Kind::Scalar(Value::String(text)) => Ok(text),
        Kind::Scalar(Value::Null) => Ok("null".to_owned()),
        Kind::Scalar(value) => Ok(value.to_string()),
        Kind::List(_) | Kind::Map(_) => Err(wrong(node.line, "a key is a list or a mapping")),
    }
}

/// A plain scalar by the core schema of YAML 1.2.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let number = numeric.then(|| {
        let hex = text
            .strip_prefix("0x")
            .map(|hex| i64::from_str_radix(hex, 16));
        let octal = text
            .strip_prefix("0o")
            .map(|octal| i64::from_str_radix(octal, 8));
        let whole = hex.or(octal).unwrap_or_else(|| text.parse());
        let real = || text.parse::<f64>().ok().filter(|real| real.is_finite());
        match whole {
            Ok(whole) => Some(Number::from(whole)),
            Err(_) => real().and_then(Number::from_f64),
        }
    });
    match number.flatten() {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned()),
    }
}

fn plain(node: Node, path: &str, lines: &mut HashMap<String, u32>) -> Value {
    lines.insert(path.to_owned(), node.line);
    match node.kind {
        Kind::Scalar(value) => value,
        Kind::List(items) => {
            let item = |(at, item)| plain(item, &format!("{path}[{at}]"), lines);
            Value::Array(items.into_iter().enumerate().map(item).collect())
        }
        Kind::Map(entries) => {
            let entry = |(key, value): (String, Node)| {
                let value = plain(value, &super::join(path, &key), lines);
                (key, value)
            };
            Value::Object(entries.into_iter().map(entry).collect())
        }
    }
}
