//! Names of files: from what the user gave to where the file lies, and what its rotated fellows are called.
//!
//! Never: touches the disk, but to ask whether a directory exists.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::FileError;
use crate::event::to_rfc3339;

/// The longest name of an agent in a file name, in bytes: with what is added, well below the 255 file systems allow.
const LONGEST: usize = 100;

/// The file that `path` means.
pub(super) fn resolve(
    path: &Path,
    agent: &str,
    extension: &str,
    now: SystemTime,
) -> Result<PathBuf, FileError> {
    let last = path.as_os_str().as_encoded_bytes().last();
    let Some(last) = last else {
        return Err(FileError::NoPath);
    };
    let directory =
        std::path::is_separator(char::from(*last)) || path.file_name().is_none() || path.is_dir();
    Ok(if directory {
        let (agent, time) = (sanitised(agent), compact(now));
        path.join(format!("{agent}_monitoring_{time}.{extension}"))
    } else if path.extension().is_none_or(|given| given.is_empty()) {
        path.with_extension(extension)
    } else {
        path.to_owned()
    })
}

/// `app.jsonl` as the backup number `n`: `app.jsonl.1`.
pub(super) fn backup(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// `app.jsonl` of one day: `app.2026-11-25.jsonl`.
pub(super) fn dated(path: &Path, day: &str) -> PathBuf {
    let mut name = OsString::from(path.file_stem().unwrap_or_default());
    name.push(".");
    name.push(day);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The UTC day, `2026-11-25`.
pub(super) fn day(time: SystemTime) -> String {
    let mut text = to_rfc3339(time);
    text.truncate("2026-11-25".len());
    text
}

/// `20261125_100000`.
fn compact(time: SystemTime) -> String {
    let mut digits = to_rfc3339(time).replace(['-', ':'], "").replace('T', "_");
    digits.truncate("20261125_100000".len());
    digits
}

fn sanitised(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut name: String = name
        .trim()
        .chars()
        .map(|c| if kept(c) { c } else { '_' })
        .collect();
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    while name.len() > LONGEST {
        name.pop();
    }
    if name.is_empty() {
        name.push_str("agent");
    }
    name
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_600_800)
    }

    #[test]
    fn names_of_days_and_backups_keep_the_extension_where_people_look_for_it() {
        assert_eq!(day(at()), "2026-11-25");
        assert_eq!(compact(at()), "20261125_100000");
        for (path, daily, first) in [
            ("l/app.jsonl", "l/app.2026-11-25.jsonl", "l/app.jsonl.1"),
            ("a.b.log", "a.b.2026-11-25.log", "a.b.log.1"),
            ("/x/plain", "/x/plain.2026-11-25", "/x/plain.1"),
        ] {
            assert_eq!(dated(Path::new(path), &day(at())), Path::new(daily));
            assert_eq!(backup(Path::new(path), 1), Path::new(first));
        }
    }

    #[test]
    fn an_agent_never_names_another_directory() {
        for (name, expected) in [
            ("trip-planner", "trip-planner"),
            ("a/b\\c d:e", "a_b_c_d_e"),
            ("..", "_."),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("Zürich 東京", "Zürich_東京"),
            (" ", "agent"),
            ("a\0b\n", "a_b"),
        ] {
            assert_eq!(sanitised(name), expected, "{name:?}");
        }
        assert!(sanitised(&"é".repeat(500)).len() <= LONGEST);
    }
}
