//! What all readers of messages need: looking at JSON that may be anything, and who answered whom.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::convert::{Converted, Log, Place, Reason};
use super::{Conversation, Message, Modality, Part};
use crate::event::import::nests_within;

/// The deepest that JSON with messages may nest: 64 levels. Messages nest five, and a person's or a tool's arguments rarely ten;
/// what is deeper is made to overflow somebody's stack. Readers of JSON stop at 128.
pub const MAX_DEPTH: usize = 64;
/// The deepest a value inside a part may nest, so that what is around it fits below [`MAX_DEPTH`] in every format.
pub(super) const DEEPEST: usize = MAX_DEPTH - 8;

/// A document being read.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) log: Log,
    calls: HashSet<String>,
    ids: HashSet<String>,
    /// The document goes on where another ended, whose calls are not in it.
    pub(super) continues: bool,
}

/// Reads a document with `read`, unless it nests deeper than [`MAX_DEPTH`].
pub(super) fn document(
    json: &Json,
    read: impl FnOnce(&Json, &mut Reading) -> Conversation,
) -> Converted<Conversation> {
    let mut cx = Reading::default();
    if !nests_within(json, MAX_DEPTH) {
        cx.log.lost(&Place::root("messages"), Reason::TooDeep);
        return cx.log.with(Conversation::default());
    }
    let conversation = read(json, &mut cx);
    cx.log.with(conversation)
}

impl Reading {
    pub(super) fn object<'j>(
        &mut self,
        json: &'j Json,
        place: &Place<'_>,
    ) -> Option<&'j Map<String, Json>> {
        self.typed(json.as_object(), place, "an object")
    }

    pub(super) fn list<'j>(&mut self, json: &'j Json, place: &Place<'_>) -> Option<&'j [Json]> {
        self.typed(json.as_array().map(Vec::as_slice), place, "a list")
    }

    pub(super) fn typed<T>(
        &mut self,
        value: Option<T>,
        place: &Place<'_>,
        expected: &'static str,
    ) -> Option<T> {
        if value.is_none() {
            self.log.lost(place, Reason::Not(expected));
        }
        value
    }

    /// A field that may be absent or null, and is text otherwise.
    pub(super) fn text<'j>(
        &mut self,
        fields: &'j Map<String, Json>,
        name: &'static str,
        place: &Place<'_>,
    ) -> Option<&'j str> {
        match fields.get(name) {
            None | Some(Json::Null) => None,
            Some(json) => self.typed(json.as_str(), &place.field(name), "a string"),
        }
    }

    /// A field that has to be text.
    pub(super) fn required<'j>(
        &mut self,
        fields: &'j Map<String, Json>,
        name: &'static str,
        place: &Place<'_>,
    ) -> Option<&'j str> {
        match fields.get(name) {
            None | Some(Json::Null) => {
                self.log.lost(&place.field(name), Reason::Missing);
                None
            }
            Some(json) => self.typed(json.as_str(), &place.field(name), "a string"),
        }
    }

    /// The items of a list that may be absent or null.
    pub(super) fn items<'j>(
        &mut self,
        fields: &'j Map<String, Json>,
        name: &'static str,
        place: &Place<'_>,
    ) -> &'j [Json] {
        match fields.get(name) {
            None | Some(Json::Null) => &[],
            Some(json) => self.list(json, &place.field(name)).unwrap_or_default(),
        }
    }

    /// A tool call was made.
    pub(super) fn call(&mut self, id: Option<&str>, place: &Place<'_>) {
        if let Some(id) = id
            && !self.calls.insert(id.to_owned())
        {
            self.log.kept(place, Reason::Duplicate);
        }
    }

    /// A tool call was answered.
    pub(super) fn result(&mut self, id: Option<&str>, place: &Place<'_>) {
        if let Some(id) = id
            && !self.continues
            && !self.calls.contains(id)
        {
            self.log.kept(place, Reason::NoCall);
        }
    }

    /// A message has an id.
    pub(super) fn message_id(&mut self, id: Option<&str>, place: &Place<'_>) {
        if let Some(id) = id
            && !self.ids.insert(id.to_owned())
        {
            self.log.kept(place, Reason::Duplicate);
        }
    }

    /// Arguments, which some send as JSON text. Text that is no JSON stays text; no text at all is no arguments.
    pub(super) fn arguments(&mut self, json: &Json, place: &Place<'_>) -> Json {
        match json {
            Json::String(text) if text.trim().is_empty() => Json::Object(Map::new()),
            Json::String(text) => match serde_json::from_str(text) {
                // So deep that the message around it could not be read back stays text.
                Ok(read) if !nests_within(&read, DEEPEST) => {
                    self.log.kept(place, Reason::TooDeep);
                    json.clone()
                }
                Ok(read) => read,
                Err(_) => {
                    self.log.kept(place, Reason::NotJson);
                    json.clone()
                }
            },
            other => other.clone(),
        }
    }

    /// Data in base64.
    pub(super) fn blob(&mut self, mime: Option<&str>, data: &str, place: &Place<'_>) -> Part {
        if !is_base64(data) {
            self.log.kept(place, Reason::NotBase64);
        }
        Part::blob(mime.unwrap_or_default(), data).with_mime(mime)
    }

    /// Data by its address; a `data:` address holds it.
    pub(super) fn uri(&mut self, modality: Modality, uri: &str, place: &Place<'_>) -> Part {
        let Some((mime, data)) = uri
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"))
        else {
            return Part::uri(modality, uri);
        };
        let mut part = self.blob(Some(mime).filter(|mime| !mime.is_empty()), data, place);
        if mime.is_empty()
            && let super::Content::Blob { modality: kind, .. } = &mut part.content
        {
            *kind = modality;
        }
        part
    }

    /// A part of a type of its provider's, as it is.
    pub(super) fn other(&mut self, json: &Json, place: &Place<'_>) -> Option<Part> {
        let fields = self.object(json, place)?;
        let kind = self.required(fields, "type", place)?;
        Some(Part::other(kind, fields.clone()))
    }
}

/// Fields of `fields` that are not among `known`.
pub(super) fn rest<'j>(
    fields: &'j Map<String, Json>,
    known: &'j [&str],
) -> impl Iterator<Item = (String, Json)> + 'j {
    fields
        .iter()
        .filter(|(name, value)| !known.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
}

/// Where the messages are in a document: a list, an object that holds the list under `name`, or one message.
pub(super) enum Found<'j> {
    List(&'j [Json]),
    One(&'j Json),
    Nothing,
}

pub(super) fn find<'j>(json: &'j Json, name: &'static str, cx: &mut Reading) -> Found<'j> {
    let place = Place::root(name);
    match json {
        Json::Array(list) => Found::List(list),
        Json::Object(fields) if fields.contains_key(name) => match &fields[name] {
            Json::Array(list) => Found::List(list),
            _ => {
                cx.log.lost(&place, Reason::Not("a list"));
                Found::Nothing
            }
        },
        Json::Object(_) => Found::One(json),
        _ => {
            cx.log.lost(&place, Reason::Not("a list"));
            Found::Nothing
        }
    }
}

/// Reads every message of a list or the one there is.
pub(super) fn messages(
    found: Found<'_>,
    cx: &mut Reading,
    mut read: impl FnMut(&Json, &Place<'_>, &mut Reading) -> Option<Message>,
) -> Vec<Message> {
    let root = Place::root("messages");
    match found {
        Found::List(list) => {
            let each = list.iter().enumerate();
            each.filter_map(|(at, json)| read(json, &root.at(at), cx))
                .collect()
        }
        Found::One(json) => read(json, &Place::root("message"), cx)
            .into_iter()
            .collect(),
        Found::Nothing => Vec::new(),
    }
}

/// Whether a text is base64, of either alphabet, padded or not. White space is not.
pub(super) fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    body.bytes().all(alphabet)
        && body.len() % 4 != 1
        && (padding == 0 || padding <= 2 && text.len().is_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use super::is_base64;

    #[test]
    fn base64_is_told_from_what_only_looks_like_it() {
        for good in ["", "QQ==", "QUI=", "QUJD", "QQ", "_-8=", "QUJDRA=="] {
            assert!(is_base64(good), "{good}");
        }
        for bad in ["Q", "QQ=", "QQ===", "Q=Q=", "QU JD", "QUJD\n", "é", "===="] {
            assert!(!is_base64(bad), "{bad}");
        }
    }
}
