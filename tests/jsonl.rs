//! Files of events: where they lie, that lines stay whole, and what becomes of them when things go wrong.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use support::waiting::DEADLINE;
use tracing_genai::EventWriter as _;
use tracing_genai::event::{ErrorInfo, Event, EventData, EventId, EventType, Visibility};
use tracing_genai::files::{EventFile, FileError, FileWriter, JsonFile, Rotation};
use tracing_genai::render::{Json, Line, Render as _};

/// 2026-11-25, 10:00:00 UTC.
const NOON: Duration = Duration::from_secs(1_795_600_800);
const DAY: Duration = Duration::from_secs(86_400);

fn event(number: u64) -> Event {
    sized(number, 0)
}

/// An event whose line grows with `size`.
fn sized(number: u64, size: usize) -> Event {
    let mut data = EventData::new(
        EventType::parse("step.progress").unwrap(),
        UNIX_EPOCH + NOON,
    );
    data.cursor = number;
    data.body = Some("x".repeat(size).into());
    Event::new(data)
}

fn line(event: &Event) -> String {
    let mut line = String::new();
    Json.render(event, &mut line).unwrap();
    line + "\n"
}

/// What a file holds; fails on a line that is no event.
fn read(path: &Path) -> Vec<Event> {
    JsonFile::read(path).unwrap().map(Result::unwrap).collect()
}

fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.cursor).collect()
}

/// `path` and its backups, oldest first.
fn rotated(path: &Path) -> Vec<PathBuf> {
    let backup = |n: &u32| PathBuf::from(format!("{}.{n}", path.display()));
    let last = (1..).take_while(|n| backup(n).exists()).last().unwrap_or(0);
    let backups = (1..=last).rev().map(|n| backup(&n));
    backups.chain([path.to_owned()]).collect()
}

fn read_all(path: &Path) -> Vec<Event> {
    rotated(path).iter().flat_map(|file| read(file)).collect()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn by_size(bytes: u64, backups: u32) -> Rotation {
    Rotation::Size { bytes, backups }
}

// === where it lies ===

#[test]
fn a_directory_gets_a_named_file_and_a_bare_name_gets_the_extension() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("there")).unwrap();
    let named = "trip_planner_monitoring_20261125_100000.jsonl";
    for (path, expected) in [
        ("there", format!("there/{named}")),
        ("new/", format!("new/{named}")),
        ("deep/er/still/", format!("deep/er/still/{named}")),
        ("there/..", named.to_owned()),
        ("log", "log.jsonl".into()),
        ("a/b/log", "a/b/log.jsonl".into()),
        ("log.", "log.jsonl".into()),
        (".hidden", ".hidden.jsonl".into()),
        ("log.json", "log.json".into()),
        ("v1.2", "v1.2".into()),
        ("~/log", "~/log.jsonl".into()),
    ] {
        let file = JsonFile::new(dir.path().join(path))
            .agent("trip planner")
            .clock(|| UNIX_EPOCH + NOON)
            .open()
            .unwrap();
        let expected = dir.path().join(expected);
        assert_eq!(
            fs::canonicalize(file.path()).unwrap(),
            fs::canonicalize(expected).unwrap(),
            "{path}"
        );
    }
    let text = EventFile::rendered(dir.path().join("text"), Line).open();
    assert!(text.unwrap().path().ends_with("text.log"));
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_only_and_what_exists_is_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = dir.path().join("new/er/log.jsonl");
    JsonFile::new(&path).open().unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&dir.path().join("new/er")), 0o700);
    assert_eq!(mode(&dir.path().join("new")), 0o700);
    assert_eq!(mode(dir.path()), 0o755);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut file = JsonFile::new(&path).rotation(by_size(1, 2)).open().unwrap();
    file.write(&[event(1), event(2)]).unwrap();
    assert_eq!(mode(&dir.path().join("new/er/log.jsonl.1")), 0o644);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_path_that_cannot_be_a_file_is_a_typed_error_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    assert!(matches!(JsonFile::new("").open(), Err(FileError::NoPath)));

    fs::create_dir(at("dir.jsonl")).unwrap();
    let error = JsonFile::new(at("dir")).open().unwrap_err();
    assert!(matches!(&error, FileError::NotAFile(path) if path.ends_with("dir.jsonl")));

    fs::write(at("plain"), "").unwrap();
    let error = JsonFile::new(at("plain/log.jsonl")).open().unwrap_err();
    assert!(matches!(error, FileError::Open { .. }));
    assert!(
        error
            .to_string()
            .contains("plain/log.jsonl cannot be opened for appending: ")
    );

    let error = JsonFile::new(at("nul\0.jsonl")).open().unwrap_err();
    assert!(matches!(error, FileError::Open { .. }));
    assert_eq!(names(dir.path()), ["dir.jsonl", "plain"]);
}

#[cfg(unix)]
#[test]
fn a_device_is_no_event_file() {
    for device in ["/dev/null", "/dev/full"] {
        // Its extension is its own business.
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("device.jsonl");
        std::os::unix::fs::symlink(device, &link).unwrap();
        let error = JsonFile::new(link).open().unwrap_err();
        assert!(matches!(error, FileError::NotAFile(_)), "{error}");
    }
}

// === what is in it ===

#[test]
fn every_event_reads_back_equal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let mut data = EventData::new(
        EventType::parse("tool.call.failed").unwrap(),
        SystemTime::now(),
    );
    (data.seq, data.cursor) = (3, u64::MAX);
    data.name = "execute_tool \"a\nb\" \u{2028}東京".into();
    data.who.agent_name = Some("planner".into());
    data.cx.previous = Some(EventId::from_u128(7));
    data.duration = Some(Duration::from_nanos(1));
    data.error = Some(ErrorInfo::new("timeout").with_message("after\r\n30 s"));
    data.body = Some(serde_json::json!({"args": [1, 2.5, null, "\n"]}).into());
    data.attrs
        .set("own.list", serde_json::json!(["a", {"b": 1}]));
    let mut hidden = event(2).into_data();
    hidden.visibility = Visibility::Internal;
    let events = [Event::new(data), Event::new(hidden)];
    let mut file = JsonFile::new(&path).fsync(true).open().unwrap();
    file.write(&events).unwrap();
    file.sync().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    assert_eq!(read(&path), events);
}

#[test]
fn a_line_that_is_no_event_is_an_error_with_its_number_and_the_next_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let whole = line(&event(1));
    let wrong_type = whole.replace("\"cursor\":1", "\"cursor\":\"CANARY\"");
    fs::write(
        &path,
        format!("{whole}{{\"CANARY\n\n{wrong_type}{{}}\n\u{0}\u{0}\n{whole}"),
    )
    .unwrap();
    let mut events = JsonFile::read(&path).unwrap();
    let read: Vec<_> = events
        .by_ref()
        .map(|line| line.map_err(|e| e.line))
        .collect();
    let good = || Ok(event(1).cursor);
    let read: Vec<_> = read
        .into_iter()
        .map(|line| line.map(|e| e.cursor))
        .collect();
    assert_eq!(read, [good(), Err(2), Err(4), Err(5), Err(6), good()]);
    assert!(!events.is_torn() && events.next().is_none());
    for error in JsonFile::read(&path).unwrap().filter_map(Result::err) {
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("CANARY") && shown.contains("line "),
            "{shown}"
        );
    }
}

#[test]
fn half_a_line_at_the_end_is_passed_over_and_the_next_writer_begins_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let (first, second) = (line(&event(1)), line(&event(2)));
    for cut in [1, second.len() / 2, second.len() - 2] {
        fs::write(&path, format!("{first}{}", &second[..cut])).unwrap();
        let mut events = JsonFile::read(&path).unwrap();
        assert_eq!(
            events
                .by_ref()
                .map(|e| e.unwrap().cursor)
                .collect::<Vec<_>>(),
            [1]
        );
        assert!(events.is_torn());

        let mut file = JsonFile::new(&path).open().unwrap();
        file.write(&[event(3)]).unwrap();
        let read: Vec<_> = JsonFile::read(&path)
            .unwrap()
            .map(|e| e.map(|e| e.cursor).ok())
            .collect();
        assert_eq!(read, [Some(1), None, Some(3)], "{cut}");
    }
    // A line that lacks nothing but its end is whole.
    fs::write(&path, first.trim_end()).unwrap();
    assert_eq!(numbers(&read(&path)), [1]);
    JsonFile::new(&path)
        .open()
        .unwrap()
        .write(&[event(2)])
        .unwrap();
    assert_eq!(numbers(&read(&path)), [1, 2]);
}

// === rotation ===

#[test]
fn a_file_is_full_at_the_exact_byte() {
    let length = line(&event(1)).len() as u64;
    for (limit, files) in [
        (2 * length, vec![vec![1, 2], vec![3, 4], vec![5]]),
        (2 * length + 1, vec![vec![1, 2], vec![3, 4], vec![5]]),
        (
            2 * length - 1,
            vec![vec![1], vec![2], vec![3], vec![4], vec![5]],
        ),
        (5 * length, vec![vec![1, 2, 3, 4, 5]]),
        (0, vec![vec![1], vec![2], vec![3], vec![4], vec![5]]),
    ] {
        // In one batch or one by one, into a new file or one that was there before.
        for batch in [1, 2, 5] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("log.jsonl");
            let events: Vec<_> = (1..=5).map(event).collect();
            for events in events.chunks(batch) {
                let options = JsonFile::new(&path).rotation(by_size(limit, 9));
                options.open().unwrap().write(events).unwrap();
            }
            let found: Vec<_> = rotated(&path).iter().map(|f| numbers(&read(f))).collect();
            assert_eq!(found, files, "limit {limit}, batches of {batch}");
        }
    }
}

#[test]
fn an_event_larger_than_the_limit_has_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let mut file = JsonFile::new(&path)
        .rotation(by_size(2_000, 9))
        .open()
        .unwrap();
    let sizes = [0, 0, 1 << 20, 3_000, 0];
    let events: Vec<_> = (1..).zip(sizes).map(|(n, size)| sized(n, size)).collect();
    file.write(&events).unwrap();
    let found: Vec<_> = rotated(&path).iter().map(|f| numbers(&read(f))).collect();
    assert_eq!(found, [vec![1, 2], vec![3], vec![4], vec![5]]);
    assert_eq!(read_all(&path), events);
}

#[test]
fn the_oldest_backup_goes() {
    for (backups, kept) in [(0, vec![6]), (1, vec![5, 6]), (3, vec![3, 4, 5, 6])] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut file = JsonFile::new(&path)
            .rotation(by_size(1, backups))
            .open()
            .unwrap();
        for n in 1..=6 {
            file.write(&[event(n)]).unwrap();
        }
        assert_eq!(numbers(&read_all(&path)), kept);
        assert_eq!(names(dir.path()).len(), kept.len());
    }
}

#[test]
fn without_rotation_the_file_grows_and_the_default_is_ten_mebibytes_and_five_backups() {
    assert_eq!(Rotation::default(), by_size(10 << 20, 5));
    let length = line(&event(1)).len();
    for (rotation, files) in [(None, 2), (Some(Rotation::Never), 1)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        // An empty line that leaves room for exactly one event.
        let padding = " ".repeat((10 << 20) - length - 1) + "\n";
        fs::write(&path, padding).unwrap();
        let options = JsonFile::new(&path);
        let options = rotation.into_iter().fold(options, JsonFile::rotation);
        let mut file = options.open().unwrap();
        file.write(&[event(1)]).unwrap();
        assert_eq!(rotated(&path).len(), 1);
        file.write(&[event(2)]).unwrap();
        assert_eq!(rotated(&path).len(), files);
        assert_eq!(numbers(&read_all(&path)), [1, 2]);
    }
}

#[test]
fn a_day_has_its_own_file_and_the_days_beyond_those_kept_go() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    fs::write(dir.path().join("log.notes.jsonl"), "").unwrap();
    fs::write(dir.path().join("log.2020-01-0x.jsonl"), "").unwrap();
    fs::write(dir.path().join("other.2020-01-01.jsonl"), "").unwrap();
    let now = Arc::new(AtomicU64::new(NOON.as_secs()));
    let clock = Arc::clone(&now);
    let mut file = JsonFile::new(&path)
        .rotation(Rotation::Daily { keep: 2 })
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)))
        .open()
        .unwrap();
    for n in 0..5 {
        file.write(&[event(2 * n)]).unwrap();
        file.write(&[event(2 * n + 1)]).unwrap();
        now.fetch_add(DAY.as_secs(), Ordering::Relaxed);
    }
    assert_eq!(
        names(dir.path()),
        [
            "log.2020-01-0x.jsonl",
            "log.2026-11-27.jsonl",
            "log.2026-11-28.jsonl",
            "log.2026-11-29.jsonl",
            "log.notes.jsonl",
            "other.2020-01-01.jsonl",
        ]
    );
    assert!(file.path().ends_with("log.2026-11-29.jsonl"));
    assert_eq!(numbers(&read(file.path())), [8, 9]);
    // Midnight is the border, and a restart goes on with the day's file.
    now.store(
        (NOON.as_secs() / 86_400 + 5) * 86_400 - 1,
        Ordering::Relaxed,
    );
    file.write(&[event(10)]).unwrap();
    assert_eq!(
        numbers(&read(&dir.path().join("log.2026-11-29.jsonl"))),
        [8, 9, 10]
    );
    now.fetch_add(1, Ordering::Relaxed);
    file.write(&[event(11)]).unwrap();
    assert_eq!(
        numbers(&read(&dir.path().join("log.2026-11-30.jsonl"))),
        [11]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_sizes_no_line_is_split_and_no_limit_overrun(
        sizes in prop::collection::vec(0usize..4_000, 1..40),
        limit in 0u64..8_000,
        batch in 1usize..10,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let events: Vec<_> = (0..).zip(&sizes).map(|(n, size)| sized(n, *size)).collect();
        let mut file = JsonFile::new(&path).rotation(by_size(limit, 99)).open().unwrap();
        for events in events.chunks(batch) {
            file.write(events).unwrap();
        }
        for file in rotated(&path) {
            let held = read(&file);
            prop_assert!(size(&file) <= limit || held.len() == 1);
        }
        prop_assert_eq!(read_all(&path), events);
    }
}

// === several writers ===

#[test]
fn two_writers_of_one_process_share_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let mut file = JsonFile::new(&path)
                .rotation(by_size(4_096, 9_999))
                .open()
                .unwrap();
            std::thread::spawn(move || {
                for n in 0..200 {
                    file.write(&[event(thread * 1_000 + n)]).unwrap();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_all_there_in_order(&path, 4, 200, 4_096);
}

/// Of each writer every event, in its order; no file beyond the limit.
fn assert_all_there_in_order(path: &Path, writers: u64, each: u64, limit: u64) {
    let mut next = HashMap::new();
    for event in read_all(path) {
        let (writer, n) = (event.cursor / 1_000, event.cursor % 1_000);
        let expected = next.entry(writer).or_insert(0);
        assert_eq!(n, *expected, "writer {writer}");
        *expected += 1;
    }
    assert_eq!(next, (0..writers).map(|writer| (writer, each)).collect());
    for file in rotated(path) {
        assert!(size(&file) <= limit, "{}", file.display());
    }
}

/// The tests below run themselves in other processes, which find their task here.
const TASK: &str = "TRACING_GENAI_TEST_TASK";

fn task() -> Option<Vec<String>> {
    let task = std::env::var(TASK).ok()?;
    Some(task.split('|').map(str::to_owned).collect())
}

fn command(test: &str, task: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(TASK, task.join("|"))
        .stdout(Stdio::piped());
    command
}

fn finish(mut child: Child) {
    let begun = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("the process is not done after {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn processes_share_a_file_through_every_rotation_and_no_line_is_lost_or_torn() {
    const TEST: &str = "processes_share_a_file_through_every_rotation_and_no_line_is_lost_or_torn";
    if let Some(task) = task() {
        let writer: u64 = task[1].parse().unwrap();
        let options = JsonFile::new(&task[0]).rotation(by_size(8_192, 9_999));
        let mut file = options.open().unwrap();
        let events: Vec<_> = (0..900).map(|n| event(writer * 1_000 + n)).collect();
        for batch in events.chunks(3) {
            file.write(batch).unwrap();
        }
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let children: Vec<_> = ["0", "1", "2", "3"]
        .map(|writer| {
            let mut command = command(TEST, &[path.to_str().unwrap(), writer]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .into();
    children.into_iter().for_each(finish);
    assert_all_there_in_order(&path, 4, 900, 8_192);
}

#[cfg(unix)]
#[test]
fn a_killed_process_loses_nothing_it_was_told_is_written() {
    const TEST: &str = "a_killed_process_loses_nothing_it_was_told_is_written";
    if let Some(task) = task() {
        let mut file = JsonFile::new(&task[0]).open().unwrap();
        let mut out = std::io::stdout();
        for n in 0.. {
            file.write(&[sized(n, 100_000)]).unwrap();
            writeln!(out, "written {n}").unwrap();
        }
    }
    for round in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.jsonl");
        let mut child = command(TEST, &[path.to_str().unwrap()]).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = format!("written {}", 20 + round);
        // Not at a border between two events: wherever it is by the time the signal arrives.
        assert!(told.by_ref().any(|line| line.unwrap().ends_with(&enough)));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = told
            .map(Result::unwrap)
            .filter(|line| line.contains("written"))
            .last();
        let last = last.unwrap_or(enough);
        let last: u64 = last.rsplit(' ').next().unwrap().parse().unwrap();

        let held = numbers(&read_all(&path));
        assert_eq!(held, (0..held.len() as u64).collect::<Vec<_>>());
        assert!(
            held.len() as u64 > last,
            "told of {last}, found {}",
            held.len()
        );

        let mut file = JsonFile::new(&path).open().unwrap();
        file.write(&[event(999)]).unwrap();
        let after = JsonFile::read(&path).unwrap().filter_map(Result::ok).last();
        assert_eq!(after.unwrap().cursor, 999);
    }
}

// === when things go wrong ===

#[test]
fn a_directory_that_vanishes_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/deep/log.jsonl");
    let mut file = JsonFile::new(&path).open().unwrap();
    file.write(&[event(1)]).unwrap();
    fs::remove_file(&path).unwrap();
    file.write(&[event(2)]).unwrap();
    assert_eq!(numbers(&read(&path)), [2]);
    fs::remove_dir_all(dir.path().join("logs")).unwrap();
    file.write(&[event(3)]).unwrap();
    file.write(&[event(4)]).unwrap();
    assert_eq!(numbers(&read(&path)), [3, 4]);
}

#[test]
fn while_there_is_no_way_to_write_events_are_lost_with_a_count_and_later_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/log.jsonl");
    let mut file = JsonFile::new(&path).open().unwrap();
    file.write(&[event(1)]).unwrap();
    fs::remove_dir_all(dir.path().join("logs")).unwrap();
    fs::write(dir.path().join("logs"), "in the way").unwrap();
    for n in 2..4 {
        let error = file.write(&[event(n), event(n)]).unwrap_err();
        assert_eq!(error.written, 0);
        assert!(std::error::Error::source(&error).is_some());
    }
    fs::remove_file(dir.path().join("logs")).unwrap();
    file.write(&[event(4)]).unwrap();
    assert_eq!(numbers(&read(&path)), [4]);
}

#[test]
fn a_file_that_cannot_be_rotated_grows_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    // A directory with something in it cannot be replaced by a file.
    fs::create_dir_all(dir.path().join("log.jsonl.1/in the way")).unwrap();
    let mut file = JsonFile::new(&path).rotation(by_size(1, 1)).open().unwrap();
    for n in 1..=3 {
        file.write(&[event(n)]).unwrap();
    }
    assert_eq!(numbers(&read(&path)), [1, 2, 3]);
    fs::remove_dir_all(dir.path().join("log.jsonl.1")).unwrap();
    file.write(&[event(4)]).unwrap();
    assert_eq!(numbers(&read_all(&path)), [1, 2, 3, 4]);
    assert_eq!(numbers(&read(&path)), [4]);
}

/// A process that may not write larger files stands for a full disk: a write stops in the middle, the next one fails.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_whole_lines_counts_the_rest_and_goes_on_when_there_is_room() {
    const TEST: &str =
        "a_full_disk_leaves_whole_lines_counts_the_rest_and_goes_on_when_there_is_room";
    if let Some(task) = task() {
        let path = PathBuf::from(&task[0]);
        let options = JsonFile::new(&path).rotation(Rotation::Never);
        let mut file = options.open().unwrap();
        let batch: Vec<_> = (0..10).map(event).collect();
        let (mut written, mut lost) = (0, 0);
        for _ in 0..1_000 {
            match file.write(&batch) {
                Ok(()) => written += batch.len(),
                Err(error) => {
                    written += error.written;
                    lost += batch.len() - error.written;
                }
            }
        }
        assert!(lost > 0 && written > 0);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.ends_with('\n'), "half a line was cut off again");
        assert_eq!(read(&path).len(), written);

        fs::remove_file(&path).unwrap();
        file.write(&[event(42)]).unwrap();
        assert_eq!(numbers(&read(&path)), [42]);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let test = command(TEST, &[path.to_str().unwrap()]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\""])
        .arg(test.get_program())
        .args(test.get_args())
        .env(TASK, path.to_str().unwrap())
        .stdout(Stdio::null());
    finish(limited.spawn().unwrap());
}

#[test]
fn debug_output_shows_no_event() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.jsonl");
    let options = JsonFile::new(&path);
    let shown = format!("{options:?}");
    let mut file: FileWriter<Json> = options.open().unwrap();
    let mut data = event(1).into_data();
    data.body = Some("CANARY".into());
    file.write(&[Event::new(data)]).unwrap();
    let events = JsonFile::read(&path).unwrap();
    let shown = format!("{shown} {file:?} {events:?}");
    assert!(!shown.contains("CANARY"), "{shown}");
}
