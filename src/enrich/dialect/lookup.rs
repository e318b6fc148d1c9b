//! Finds the row of a name.
//!
//! Promise: a name that is in no table costs a hash of four of its bytes and, mostly, no comparison.

use std::sync::LazyLock;

use super::table::{PREFIXES, ROWS, Row};

/// A power of two, some twice the number of rows: most buckets hold one row or none.
const BUCKETS: usize = 512;

static INDEX: LazyLock<Vec<Vec<&'static Row>>> = LazyLock::new(|| {
    let mut index = vec![Vec::new(); BUCKETS];
    for row in ROWS {
        if let Some(bucket) = index.get_mut(bucket(row.name)) {
            bucket.push(row);
        }
    }
    index
});

/// Names differ in their length, in the middle and at the end; their beginnings are all alike.
#[inline]
fn bucket(name: &str) -> usize {
    let bytes = name.as_bytes();
    let letter = |at: usize| bytes.get(at).copied().unwrap_or_default() as usize;
    let len = bytes.len();
    let sum = len * 37
        + letter(len / 2) * 11
        + letter(len.wrapping_sub(1)) * 5
        + letter(len.wrapping_sub(4)) * 3
        + letter(len * 3 / 4);
    sum % BUCKETS
}

/// The row of `name`, or of the prefix it begins with.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    let exact = INDEX
        .get(bucket(name))
        .and_then(|rows| rows.iter().find(|row| row.name == name))
        .copied();
    exact.or_else(|| {
        // The longest of the short prefixes; shorter names belong to no list.
        let may =
            name.len() > 9 && matches!(name.as_bytes().first(), Some(b'g' | b'l' | b'r' | b't'));
        may.then(|| PREFIXES.iter().find(|row| below(name, row.name)))
            .flatten()
    })
}

/// Whether `name` is an entry of the list `prefix`: `llm.input_messages.0.message.role` of `llm.input_messages`.
fn below(name: &str, prefix: &str) -> bool {
    let rest = name
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit()) || prefix.ends_with("variables")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_no_name_has_two() {
        for row in ROWS {
            let found = find(row.name).map(|found| std::ptr::from_ref(found).addr());
            assert_eq!(found, Some(std::ptr::from_ref(row).addr()), "{}", row.name);
        }
    }

    #[test]
    fn buckets_are_short() {
        let longest = INDEX.iter().map(Vec::len).max();
        assert!(longest <= Some(5), "{longest:?}");
    }

    #[test]
    fn entries_of_a_list_are_found_by_the_list_and_names_that_only_begin_alike_are_not() {
        assert!(find("llm.input_messages.0.message.content").is_some());
        assert!(find("gen_ai.prompt.3.role").is_some());
        for name in [
            "gen_ai.prompt.name",
            "gen_ai.prompt.variable.city",
            "llm.input_messages_count",
            "model",
            "",
        ] {
            let found = find(name).filter(|row| row.content);
            assert!(found.is_none(), "{name}");
        }
    }
}
