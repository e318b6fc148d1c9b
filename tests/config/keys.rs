//! The table of keys: documented as it is.

use tracing_genai::config::{Config, Type};

fn takes(takes: Type) -> String {
    match takes {
        Type::Text => "text".into(),
        Type::Secret => "text, never shown".into(),
        Type::Flag => "flag".into(),
        Type::Whole(least, most) => format!("{least} to {most}"),
        Type::Level => "level".into(),
        Type::Word(words) => format!("`{}`", words.join("`, `")),
        Type::List => "texts".into(),
        _ => "section".into(),
    }
}

fn table() -> String {
    let mut table = String::from(
        "| Key | Takes | Default | Variable | What it does |\n| --- | --- | --- | --- | --- |\n",
    );
    let code = |text: &str| match text {
        "" => String::new(),
        text => format!("`{text}`"),
    };
    for key in Config::keys() {
        let live = if key.live { " *Live.*" } else { "" };
        let (default, variable) = (code(key.default), code(key.variable));
        let (path, takes) = (key.path, takes(key.takes));
        let meaning = key.meaning;
        table += &format!("| `{path}` | {takes} | {default} | {variable} | {meaning}{live} |\n");
    }
    table
}

#[test]
fn the_documented_table_of_keys_is_the_one_in_force() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/keys.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file, table()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(file).unwrap(),
        table(),
        "BLESS=1 writes it anew"
    );
}

#[test]
fn every_default_can_be_set_and_every_key_refuses_a_mapping_or_a_list() {
    for key in Config::keys() {
        let mut config = Config::new().environment(|_| None);
        let path = key.path.replace('*', "any");
        if !key.default.is_empty() {
            assert!(config.get(&path).is_some(), "{path}");
            config.set(&path, key.default).unwrap();
        }
        if !matches!(key.takes, Type::Section) {
            let mapping = serde_json::json!({ "a": 1 });
            assert!(config.set(&path, mapping).is_err(), "{path}");
        }
        if !matches!(key.takes, Type::Section | Type::List) {
            let list = serde_json::json!([[1]]);
            assert!(config.set(&path, list).is_err(), "{path}");
        }
    }
}
