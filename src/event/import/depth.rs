//! How deep a document nests, found out without recursion: a document deep enough to matter would overflow the stack of
//! whoever clones, prints or drops it.

use serde_json::Value as Json;

/// The deepest a foreign document may nest: what `serde_json` reads from text.
pub const MAX_DEPTH: usize = 128;

/// Whether the document nests no deeper than [`MAX_DEPTH`].
pub(crate) fn is_shallow(json: &Json) -> bool {
    nests_within(json, MAX_DEPTH)
}

/// Whether the document nests no deeper than `max`.
pub(crate) fn nests_within(json: &Json, max: usize) -> bool {
    let mut open = vec![(json, 1)];
    while let Some((json, depth)) = open.pop() {
        if depth > max && (json.is_array() || json.is_object()) {
            return false;
        }
        match json {
            Json::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(fields) => open.extend(fields.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    true
}

/// Drops a document level by level.
pub(super) fn dismantle(json: Json) {
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.into_iter().map(|(_, item)| item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Json {
        (0..depth).fold(Json::Null, |inner, at| {
            if at % 2 == 0 {
                Json::Array(vec![inner])
            } else {
                Json::Object(serde_json::Map::from_iter([("a".to_owned(), inner)]))
            }
        })
    }

    #[test]
    fn what_serde_json_reads_is_shallow_and_what_overflows_a_stack_is_not() {
        assert!(is_shallow(&nested(MAX_DEPTH)));
        assert!(!is_shallow(&nested(MAX_DEPTH + 1)));
        let deep = nested(1_000_000);
        assert!(!is_shallow(&deep));
        dismantle(deep);
    }
}
