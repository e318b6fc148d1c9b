//! Where the file is when nobody says.
//!
//! Promise: `TRACING_GENAI_DB`, or else where the system keeps a user's data; never the working directory.

use std::{ffi::OsString, path::PathBuf};

/// Names the file, for a process or a test run.
pub(super) const VARIABLE: &str = "TRACING_GENAI_DB";

const FILE: [&str; 2] = ["tracing-genai", "events.db"];

/// The file of this user, or `None` if the environment says neither a file nor a home.
pub(super) fn default_path() -> Option<PathBuf> {
    path_for(std::env::consts::OS, |name| std::env::var_os(name))
}

fn path_for(os: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = set(VARIABLE) {
        return Some(path.into());
    }
    let under_home = |parts: &[&str]| {
        let mut path = PathBuf::from(set("HOME")?);
        path.extend(parts);
        Some(path)
    };
    let mut path = match os {
        "windows" => PathBuf::from(set("LOCALAPPDATA")?),
        "macos" | "ios" => under_home(&["Library", "Application Support"])?,
        // A relative XDG directory is to be ignored.
        _ => match set("XDG_DATA_HOME").map(PathBuf::from) {
            Some(path) if path.is_absolute() => path,
            _ => under_home(&[".local", "share"])?,
        },
    };
    path.extend(FILE);
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_has_its_place_and_the_variable_comes_first() {
        let home = ("HOME", "/home/ada");
        for (os, variables, expected) in [
            (
                "linux",
                vec![home],
                Some("/home/ada/.local/share/tracing-genai/events.db"),
            ),
            (
                "linux",
                vec![home, ("XDG_DATA_HOME", "/data")],
                Some("/data/tracing-genai/events.db"),
            ),
            (
                "freebsd",
                vec![home, ("XDG_DATA_HOME", "data")],
                Some("/home/ada/.local/share/tracing-genai/events.db"),
            ),
            (
                "linux",
                vec![home, ("XDG_DATA_HOME", "")],
                Some("/home/ada/.local/share/tracing-genai/events.db"),
            ),
            (
                "macos",
                vec![home],
                Some("/home/ada/Library/Application Support/tracing-genai/events.db"),
            ),
            (
                "windows",
                vec![("LOCALAPPDATA", "/local")],
                Some("/local/tracing-genai/events.db"),
            ),
            (
                "linux",
                vec![home, (VARIABLE, "/tmp/mine.db")],
                Some("/tmp/mine.db"),
            ),
            ("linux", vec![], None),
            ("windows", vec![home], None),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(
                path_for(os, variable),
                expected.map(PathBuf::from),
                "{os} {variables:?}"
            );
        }
    }
}
