//! F11: whatever is in the files. Never a panic, never a damaged batch; what is whole comes out, what is not is counted.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tracing_genai::otlp::internal::{Losses, scan};

use super::*;

const HEADER: usize = 16;
const FRAME: usize = 36;

/// A frame, written down from the format's description and not by the code that is tested.
fn frame(sequence: u64, records: u32, length: u32, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0xff, b'g', b'f', 0xfe];
    frame.extend(sequence.to_le_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    frame.extend((now.unwrap().as_millis() as u64).to_le_bytes());
    frame.extend(records.to_le_bytes());
    frame.extend(length.to_le_bytes());
    frame.extend(crc32fast::hash(body).to_le_bytes());
    frame.extend(crc32fast::hash(&frame).to_le_bytes());
    frame.extend(body);
    frame
}

fn batch(sequence: u32) -> Vec<u8> {
    let body = body(sequence, 10 + sequence as usize);
    frame(u64::from(sequence), 10 * sequence, body.len() as u32, &body)
}

fn header(version: u32) -> Vec<u8> {
    let mut header = b"\x89TGSPL\r\n".to_vec();
    header.extend(version.to_le_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header
}

fn segment(frames: &[Vec<u8>]) -> Vec<u8> {
    [header(1), frames.concat()].concat()
}

/// A directory in which a process died that had these files in its queue.
fn dead(files: &[(&str, &[u8])]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let queue = dir.path().join("1-0123456789abcdef/traces");
    fs::create_dir_all(&queue).unwrap();
    fs::write(queue.parent().unwrap().join("lock"), "").unwrap();
    for (name, bytes) in files {
        fs::write(queue.join(name), bytes).unwrap();
    }
    (dir, queue)
}

const FIRST: &str = "0000000000000001.seg";
const SECOND: &str = "0000000000000002.seg";

/// Drains what is in the directory: the numbers of the batches, records recovered, and the losses. What was recovered was
/// delivered or is counted.
fn recover(dir: &TempDir) -> (Vec<u32>, u64, Losses) {
    let (_spool, mut queue) = open(&config(dir.path()));
    let recovered = queue.recovered();
    assert_eq!(queue.pending(), recovered);
    let taken = drain(&mut queue);
    let delivered: u64 = taken.iter().map(|taken| u64::from(taken.records)).sum();
    let losses = queue.losses();
    assert_eq!(recovered, delivered + losses.corrupt + losses.expired);
    assert_eq!(queue.pending(), 0);
    for taken in &taken {
        assert_eq!(u64::from(number(taken)), taken.sequence);
        assert_eq!(u64::from(taken.records), 10 * taken.sequence);
    }
    (taken.iter().map(number).collect(), recovered, losses)
}

fn three() -> Vec<u8> {
    segment(&[batch(1), batch(2), batch(3)])
}

/// The frame each byte of [`three`] belongs to; 0 is the header.
fn owner(at: usize) -> u32 {
    let ends: Vec<usize> = (0..=3)
        .map(|n| HEADER + (1..=n).map(|n| batch(n).len()).sum::<usize>())
        .collect();
    ends.iter().position(|end| at < *end).unwrap() as u32
}

#[test]
fn the_files_are_what_the_description_of_the_format_says() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    for n in 1..=3_u32 {
        queue.append(&body(n, 10 + n as usize), 10 * n).unwrap();
    }
    let written = fs::read(spool.directory().join("traces").join(FIRST)).unwrap();
    let mut ours = three();
    // All but the time, and the sum over it.
    let mut at = HEADER;
    for n in 1..=3 {
        for masked in [at + 12..at + 20, at + 32..at + 36] {
            ours[masked.clone()].copy_from_slice(&written[masked]);
        }
        at += batch(n).len();
    }
    assert_eq!(written, ours);
    queue.take().unwrap();
    queue.ack();
    let cursor = fs::read(spool.directory().join("traces/cursor")).unwrap();
    let slot = |through: u64| {
        [
            &through.to_le_bytes()[..],
            &crc32fast::hash(&through.to_le_bytes()).to_le_bytes(),
        ]
        .concat()
    };
    assert_eq!(cursor, [slot(1), slot(0)].concat());
}

#[test]
fn an_undamaged_segment_is_recovered_whole() {
    let (dir, _) = dead(&[(FIRST, &three())]);
    assert_eq!(recover(&dir), (vec![1, 2, 3], 60, NO_LOSSES));
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn any_single_bit_that_is_flipped_costs_at_most_its_own_batch() {
    let whole = three();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (dir, _) = dead(&[(FIRST, &bytes)]);
        let (numbers, recovered, losses) = recover(&dir);
        let hit = owner(bit / 8);
        let expected: Vec<u32> = (1..=3).filter(|n| *n != hit).collect();
        assert_eq!(numbers, expected, "bit {bit}");
        // It is told: by its records where its header is whole, by its bytes otherwise.
        let told = losses.corrupt > 0 || losses.unreadable_bytes > 0;
        assert!(told, "bit {bit}: {losses:?}");
        assert!(
            losses.corrupt == 0 || losses.corrupt == u64::from(10 * hit),
            "bit {bit}"
        );
        assert!(recovered <= 60);
        assert!(tree(dir.path()).is_empty(), "bit {bit}");
    }
}

#[test]
fn any_single_byte_that_is_replaced_costs_at_most_its_own_batch() {
    let whole = three();
    for at in 0..whole.len() {
        for value in [0x00, 0xff, b'g', 0xfe] {
            let mut bytes = whole.clone();
            if std::mem::replace(&mut bytes[at], value) == value {
                continue;
            }
            let found = scan(&bytes);
            let numbers: Vec<u32> = found.frames.iter().map(|(n, ..)| *n as u32).collect();
            let expected: Vec<u32> = (1..=3).filter(|n| *n != owner(at)).collect();
            assert_eq!(numbers, expected, "byte {at}");
        }
    }
}

#[test]
fn any_truncation_keeps_the_batches_before_it() {
    let whole = three();
    for len in 0..=whole.len() {
        let (dir, _) = dead(&[(FIRST, &whole[..len])]);
        let (numbers, _, losses) = recover(&dir);
        let expected: Vec<u32> = (1..=3)
            .filter(|n| (HEADER + (1..=*n).map(|n| batch(n).len()).sum::<usize>()) <= len)
            .collect();
        assert_eq!(numbers, expected, "{len} bytes");
        let ends = expected.last().map_or(HEADER, |last| {
            HEADER + (1..=*last).map(|n| batch(n).len()).sum::<usize>()
        });
        let clean = len == 0 || len == ends;
        assert_eq!(clean, losses == NO_LOSSES, "{len} bytes: {losses:?}");
        assert!(tree(dir.path()).is_empty(), "{len} bytes");
    }
}

#[test]
fn any_stretch_of_bytes_that_is_missing_costs_what_it_touches() {
    let whole = three();
    for from in 0..whole.len() {
        for gone in [1, 2, 7, 36, 60] {
            let mut bytes = whole.clone();
            bytes.drain(from..(from + gone).min(whole.len()));
            for (sequence, records, body) in scan(&bytes).frames {
                assert_eq!(u64::from(records), sequence * 10);
                assert_eq!(body, super::body(sequence as u32, 10 + sequence as usize));
            }
        }
    }
}

#[test]
fn zeros_and_garbage_between_and_behind_batches_are_skipped_and_counted() {
    for garbage in [
        vec![0; 5000],
        vec![0xff; 100],
        b"text".to_vec(),
        batch(9)[..30].to_vec(),
    ] {
        let bytes = segment(&[batch(1), garbage.clone(), batch(2), garbage.clone()]);
        let (dir, _) = dead(&[(FIRST, &bytes)]);
        let expected = Losses {
            unreadable_bytes: 2 * garbage.len() as u64,
            ..NO_LOSSES
        };
        assert_eq!(recover(&dir), (vec![1, 2], 30, expected));
    }
}

#[test]
fn a_batch_across_the_windows_of_the_search_is_found() {
    let near = 64 * 1024;
    for extra in 0..100 {
        let garbage = vec![0xff; near - 60 + extra];
        let found = scan(&segment(&[batch(1), garbage, batch(2)]));
        assert_eq!(found.frames.len(), 2, "{extra}");
    }
}

#[test]
fn a_length_is_not_believed_beyond_the_file_or_the_limit() {
    let beyond = frame(1, 10, 1_000_000, b"short");
    let (dir, _) = dead(&[(FIRST, &segment(&[beyond, batch(2)]))]);
    let expected = Losses {
        corrupt: 10,
        ..NO_LOSSES
    };
    assert_eq!(recover(&dir), (vec![2], 30, expected));
    let huge = frame(1, 10, u32::MAX, b"");
    let (dir, _) = dead(&[(FIRST, &segment(&[huge, batch(2)]))]);
    let expected = Losses {
        unreadable_bytes: 36,
        ..NO_LOSSES
    };
    assert_eq!(recover(&dir), (vec![2], 20, expected));
}

#[test]
fn a_frame_inside_a_batch_is_part_of_it() {
    let body = batch(7);
    let outer = frame(1, 1, body.len() as u32, &body);
    let found = scan(&segment(&[outer.clone(), batch(2)]));
    assert_eq!(
        found.frames.iter().map(|(n, ..)| *n).collect::<Vec<_>>(),
        [1, 2]
    );
    // Also when its own body is damaged: its length is believed.
    let mut damaged = segment(&[outer, batch(2)]);
    let inside = HEADER + FRAME + 50;
    damaged[inside] ^= 1;
    let found = scan(&damaged);
    assert_eq!(
        found.frames.iter().map(|(n, ..)| *n).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(found.corrupt, 1);
}

#[test]
fn a_batch_that_is_there_twice_comes_once() {
    let bytes = segment(&[batch(1), batch(2), batch(1), batch(2), batch(3)]);
    let (dir, _) = dead(&[(FIRST, &bytes), (SECOND, &bytes)]);
    let (numbers, ..) = recover(&dir);
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn damage_in_one_segment_does_not_reach_the_next() {
    let first = segment(&[batch(1)]);
    for at in 0..first.len() {
        let mut bytes = first.clone();
        bytes[at..].fill(0xa5);
        let (dir, _) = dead(&[(FIRST, &bytes), (SECOND, &segment(&[batch(2), batch(3)]))]);
        let (numbers, ..) = recover(&dir);
        assert_eq!(numbers, [2, 3], "{at}");
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let newer = [header(2), b"whatever it has".to_vec()].concat();
    let (dir, queue) = dead(&[
        (FIRST, &segment(&[batch(1)])),
        (
            "0000000000000009.seg",
            b"a shopping list, which somebody put here",
        ),
        ("000000000000000a.seg", &newer),
        ("notes.txt", b"hello"),
        ("11.seg", b"hello"),
        ("000000000000000B.SEG", b"hello"),
    ]);
    fs::create_dir(queue.join("0000000000000003.seg")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", queue.join("0000000000000004.seg")).unwrap();
    let before = tree(dir.path());
    assert_eq!(recover(&dir), (vec![1], 10, NO_LOSSES));
    let mut expected = before;
    expected.remove(&format!("1-0123456789abcdef/traces/{FIRST}"));
    let mut after = tree(dir.path());
    // The cursor was made for what there was, and stays for the newer version.
    after.remove("1-0123456789abcdef/traces/cursor");
    assert_eq!(after, expected);
    assert_eq!(recover(&dir), (vec![], 0, NO_LOSSES), "a second time");
}

#[test]
fn an_empty_or_unwritten_segment_is_removed() {
    for bytes in [&[][..], &[0; 4096], b"\x89TG", &header(1), &header(1)[..15]] {
        let (dir, _) = dead(&[(FIRST, bytes)]);
        let (numbers, recovered, _) = recover(&dir);
        assert_eq!((numbers.len(), recovered), (0, 0));
        assert!(tree(dir.path()).is_empty(), "{bytes:?}");
    }
}

#[test]
fn other_directories_and_files_beside_those_of_processes_are_left_alone() {
    let (dir, _) = dead(&[(FIRST, &three())]);
    for name in [
        "backup",
        "1-xyz",
        "x-0123456789abcdef",
        "1-0123456789ABCDEF0",
    ] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("file"), "").unwrap();
    }
    fs::write(dir.path().join("2-0123456789abcdef"), "a file").unwrap();
    std::os::unix::fs::symlink("/tmp", dir.path().join("3-0123456789abcdef")).unwrap();
    assert_eq!(recover(&dir).0, [1, 2, 3]);
    assert_eq!(tree(dir.path()).len(), 10);
}

// === the cursor ===

fn slot(through: u64) -> Vec<u8> {
    let bytes = through.to_le_bytes();
    [&bytes[..], &crc32fast::hash(&bytes).to_le_bytes()].concat()
}

#[test]
fn the_larger_right_slot_of_the_cursor_counts() {
    for (slots, expected) in [
        ([slot(1), slot(2)].concat(), vec![3]),
        ([slot(2), slot(1)].concat(), vec![3]),
        ([slot(2), vec![0; 12]].concat(), vec![3]),
        ([vec![0xff; 12], slot(1)].concat(), vec![2, 3]),
        (slot(1), vec![2, 3]),
        ([slot(1), slot(2)[..11].to_vec()].concat(), vec![2, 3]),
        (vec![0; 24], vec![1, 2, 3]),
        (vec![], vec![1, 2, 3]),
        ([slot(3), slot(2)].concat(), vec![]),
    ] {
        let (dir, _) = dead(&[(FIRST, &three()), ("cursor", &slots)]);
        assert_eq!(recover(&dir).0, expected, "{slots:?}");
        assert!(tree(dir.path()).is_empty());
    }
}

#[test]
fn a_damaged_cursor_sends_a_batch_twice_rather_than_never() {
    let whole = [slot(1), slot(2)].concat();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let (dir, _) = dead(&[(FIRST, &three()), ("cursor", &bytes)]);
        let expected: &[u32] = if bit / 8 < 12 { &[3] } else { &[2, 3] };
        assert_eq!(recover(&dir).0, expected, "bit {bit}");
    }
}

#[test]
fn the_slot_that_counts_is_not_the_one_written_next() {
    for slots in [[slot(1), slot(0)].concat(), [slot(0), slot(1)].concat()] {
        let (dir, queue) = dead(&[(FIRST, &three()), ("cursor", &slots)]);
        let (_spool, mut traces) = open(&config(dir.path()));
        assert_eq!(number(&traces.take().unwrap()), 2);
        traces.ack();
        let after = fs::read(queue.join("cursor")).unwrap();
        let newest = after.chunks(12).position(|written| written == slot(2));
        let kept = after.chunks(12).position(|written| written == slot(1));
        assert!(newest.is_some() && kept.is_some(), "{after:?}");
    }
}

// === while it is running ===

#[test]
fn what_is_damaged_while_the_process_runs_is_counted_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    for n in 1..=3_u32 {
        queue.append(&body(n, 10 + n as usize), 10 * n).unwrap();
    }
    let path = spool.directory().join("traces").join(FIRST);
    let mut bytes = fs::read(&path).unwrap();
    // The header of the second: how many records it had is not in the file any more.
    bytes[HEADER + batch(1).len() + 6] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert_eq!(numbers(&mut queue), [1, 3]);
    let lost = batch(2).len() as u64;
    assert_eq!(
        queue.losses(),
        Losses {
            corrupt: 20,
            unreadable_bytes: lost,
            ..NO_LOSSES
        }
    );
    assert_eq!(queue.pending(), 0);
    queue.append(&body(4, 10), 1).unwrap();
    assert_eq!(numbers(&mut queue), [4]);
}

#[test]
fn a_segment_that_is_cut_or_removed_while_the_process_runs_is_counted_exactly() {
    for cut in [
        0,
        5,
        HEADER,
        HEADER + 1,
        HEADER + batch(1).len(),
        HEADER + batch(1).len() + 40,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (spool, mut queue) = open(&config(dir.path()));
        for n in 1..=3_u32 {
            queue.append(&body(n, 10 + n as usize), 10 * n).unwrap();
        }
        let path = spool.directory().join("traces").join(FIRST);
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(cut as u64)
            .unwrap();
        let left = numbers(&mut queue);
        assert!(left.len() <= 1);
        let delivered = left.len() as u64 * 10;
        assert_eq!(delivered + queue.losses().corrupt, 60, "{cut}");
        queue.append(&body(4, 10), 1).unwrap();
        assert_eq!(numbers(&mut queue), [4], "{cut}");
        drop((spool, queue));
        assert!(tree(dir.path()).is_empty(), "{cut}");
    }
}

#[test]
fn a_spool_that_somebody_deletes_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    queue.append(&body(1, 10), 5).unwrap();
    fs::remove_dir_all(spool.directory().join("traces")).unwrap();
    assert_eq!(queue.take(), None);
    assert_eq!(
        queue.losses(),
        Losses {
            corrupt: 5,
            ..NO_LOSSES
        }
    );
    assert_eq!(queue.pending(), 0);
    let _ = queue.append(&body(2, 10), 1);
    let _ = drain(&mut queue);
    queue.append(&body(3, 10), 1).unwrap();
    assert_eq!(numbers(&mut queue), [3]);
}
