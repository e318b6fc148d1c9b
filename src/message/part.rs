//! What a message is made of.
//!
//! Owns: the parts of the conventions' message schemas, and their JSON.
//! Promise: a part that was read comes out as it came in, fields this version does not know included.
//! Never: shows content. `Debug` prints lengths.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value as Json};

/// A part of a message: its content, and the fields beside it that the conventions do not name.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// What it says.
    pub content: Content,
    /// Other fields of its JSON object: `signature`, `is_error`, `cache_control`. Never one of the part's own names.
    pub extra: Map<String, Json>,
}

/// What a part says, one variant for each part of the conventions that has content of its own.
///
/// Everything else (`server_tool_call`, `compaction`, what a provider made up yesterday) is [`Content::Other`], with all its
/// fields in [`Part::extra`].
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Content {
    /// `text`.
    Text(String),
    /// `reasoning`: what the model thought.
    Reasoning(String),
    /// `tool_call`: the model wants a tool called.
    ToolCall {
        /// Ties the result to the call. Some providers give none.
        id: Option<String>,
        /// The tool.
        name: String,
        /// Usually an object; a string where what the model wrote is no JSON; null where there are none.
        arguments: Json,
    },
    /// `tool_call_response`: what the tool said.
    ToolCallResponse {
        /// The call it answers.
        id: Option<String>,
        /// The result: text, or any JSON.
        response: Json,
    },
    /// `blob`: data sent inline.
    Blob {
        /// What it is, roughly.
        modality: Modality,
        /// What it is, exactly.
        mime_type: Option<String>,
        /// The data in base64.
        content: String,
    },
    /// `file`: data the provider has.
    File {
        /// What it is, roughly.
        modality: Modality,
        /// What it is, exactly.
        mime_type: Option<String>,
        /// The provider's id of it.
        file_id: String,
    },
    /// `uri`: data that is elsewhere.
    Uri {
        /// What it is, roughly.
        modality: Modality,
        /// What it is, exactly.
        mime_type: Option<String>,
        /// Where it is.
        uri: String,
    },
    /// A part of another type. Its fields are in [`Part::extra`].
    Other {
        /// Its type.
        kind: String,
    },
}

/// What data is, roughly.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Modality {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// Anything one reads.
    Document,
    /// A word the conventions do not name, as it came.
    Other(String),
}

// === impl Part ===

impl Part {
    fn of(content: Content) -> Self {
        let extra = Map::new();
        Self { content, extra }
    }

    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Content::Text(text.into()))
    }

    /// What the model thought.
    pub fn reasoning(text: impl Into<String>) -> Self {
        Self::of(Content::Reasoning(text.into()))
    }

    /// The model wants a tool called. Without an id, say `None::<String>`.
    pub fn tool_call(
        id: Option<impl Into<String>>,
        name: impl Into<String>,
        arguments: impl Into<Json>,
    ) -> Self {
        Self::of(Content::ToolCall {
            id: id.map(Into::into),
            name: name.into(),
            arguments: arguments.into(),
        })
    }

    /// What a tool said.
    pub fn tool_call_response(id: Option<impl Into<String>>, response: impl Into<Json>) -> Self {
        Self::of(Content::ToolCallResponse {
            id: id.map(Into::into),
            response: response.into(),
        })
    }

    /// Data in base64, as it is: nothing is encoded here.
    pub fn blob(mime_type: impl Into<String>, base64: impl Into<String>) -> Self {
        let mime_type = mime_type.into();
        Self::of(Content::Blob {
            modality: Modality::of_mime(&mime_type),
            mime_type: Some(mime_type),
            content: base64.into(),
        })
    }

    /// Data the provider has, by its id.
    pub fn file(modality: Modality, file_id: impl Into<String>) -> Self {
        Self::of(Content::File {
            modality,
            mime_type: None,
            file_id: file_id.into(),
        })
    }

    /// Data that is elsewhere.
    pub fn uri(modality: Modality, uri: impl Into<String>) -> Self {
        Self::of(Content::Uri {
            modality,
            mime_type: None,
            uri: uri.into(),
        })
    }

    /// A part of any type, with its fields.
    pub fn other(kind: impl Into<String>, fields: Map<String, Json>) -> Self {
        let content = Content::Other { kind: kind.into() };
        Self::of(content).with_extra(fields)
    }

    /// Adds fields beside the content. One that has the name of a field of the content is left out.
    #[must_use]
    pub fn with_extra(mut self, fields: impl IntoIterator<Item = (String, Json)>) -> Self {
        let own = self.content.own_fields();
        let fields = fields.into_iter();
        self.extra
            .extend(fields.filter(|(name, _)| name != "type" && !own.contains(&name.as_str())));
        self
    }

    pub(super) fn with_mime(mut self, mime: Option<&str>) -> Self {
        if let Content::Blob { mime_type, .. }
        | Content::File { mime_type, .. }
        | Content::Uri { mime_type, .. } = &mut self.content
        {
            *mime_type = mime.map(str::to_owned);
        }
        self
    }

    /// The extra fields that are written. One that was set by hand does not stand beside the one it is named after.
    pub(super) fn extra_fields(&self) -> impl Iterator<Item = (&str, &Json)> {
        let own = self.content.own_fields();
        let fields = self.extra.iter().map(|(name, json)| (name.as_str(), json));
        fields.filter(move |(name, _)| *name != "type" && !own.contains(name))
    }

    /// The text, if this is text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The type as JSON says it: `text`, `tool_call`.
    pub fn kind(&self) -> &str {
        self.content.kind()
    }

    /// Reads a part from the conventions' JSON. `None` if it is no object, or has no type.
    ///
    /// A part of a known type whose fields are of the wrong type is kept as [`Content::Other`].
    pub fn from_json(json: &Json) -> Option<Self> {
        let fields = json.as_object()?;
        let kind = fields.get("type")?.as_str()?;
        let content = read(kind, fields).unwrap_or_else(|| Content::Other {
            kind: kind.to_owned(),
        });
        let own = content.own_fields();
        let mut extra = Map::new();
        for (name, value) in fields {
            if name != "type" && !own.contains(&name.as_str()) {
                extra.insert(name.clone(), value.clone());
            }
        }
        Some(Self { content, extra })
    }
}

/// The content, if all its fields are there and of their type.
fn read(kind: &str, fields: &Map<String, Json>) -> Option<Content> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str).map(str::to_owned);
    // Absent and null are the same; anything else but text is not.
    let optional = |name: &str| match fields.get(name) {
        None | Some(Json::Null) => Some(None),
        Some(Json::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let any = |name: &str| fields.get(name).cloned();
    let modality = || text("modality").map(|word| Modality::from(word.as_str()));
    Some(match kind {
        "text" => Content::Text(text("content")?),
        "reasoning" => Content::Reasoning(text("content")?),
        "tool_call" => Content::ToolCall {
            id: optional("id")?,
            name: text("name")?,
            arguments: any("arguments").unwrap_or_default(),
        },
        "tool_call_response" => Content::ToolCallResponse {
            id: optional("id")?,
            response: any("response")?,
        },
        "blob" => Content::Blob {
            modality: modality()?,
            mime_type: optional("mime_type")?,
            content: text("content")?,
        },
        "file" => Content::File {
            modality: modality()?,
            mime_type: optional("mime_type")?,
            file_id: text("file_id")?,
        },
        "uri" => Content::Uri {
            modality: modality()?,
            mime_type: optional("mime_type")?,
            uri: text("uri")?,
        },
        _ => return None,
    })
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind())?;
        match &self.content {
            Content::Text(text) | Content::Reasoning(text) => {
                map.serialize_entry("content", text)?
            }
            Content::ToolCall {
                id,
                name,
                arguments,
            } => {
                if let Some(id) = id {
                    map.serialize_entry("id", id)?;
                }
                map.serialize_entry("name", name)?;
                if !arguments.is_null() {
                    map.serialize_entry("arguments", arguments)?;
                }
            }
            Content::ToolCallResponse { id, response } => {
                if let Some(id) = id {
                    map.serialize_entry("id", id)?;
                }
                map.serialize_entry("response", response)?;
            }
            Content::Blob {
                modality,
                mime_type,
                content: data,
            }
            | Content::File {
                modality,
                mime_type,
                file_id: data,
            }
            | Content::Uri {
                modality,
                mime_type,
                uri: data,
            } => {
                map.serialize_entry("modality", modality.as_str())?;
                if let Some(mime_type) = mime_type {
                    map.serialize_entry("mime_type", mime_type)?;
                }
                map.serialize_entry(self.content.data_field(), data)?;
            }
            Content::Other { .. } => {}
        }
        for (name, value) in self.extra_fields() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        Self::from_json(&json).ok_or_else(|| de::Error::custom("a part is an object with a type"))
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Part");
        out.field("content", &self.content);
        if !self.extra.is_empty() {
            out.field("extra", &format_args!("<{} fields>", self.extra.len()));
        }
        out.finish()
    }
}

// === impl Content ===

impl Content {
    /// The type as JSON says it.
    pub fn kind(&self) -> &str {
        match self {
            Self::Text(_) => "text",
            Self::Reasoning(_) => "reasoning",
            Self::ToolCall { .. } => "tool_call",
            Self::ToolCallResponse { .. } => "tool_call_response",
            Self::Blob { .. } => "blob",
            Self::File { .. } => "file",
            Self::Uri { .. } => "uri",
            Self::Other { kind } => kind,
        }
    }

    /// The fields that are read into the variant, and so are never extra.
    fn own_fields(&self) -> &'static [&'static str] {
        match self {
            Self::Text(_) | Self::Reasoning(_) => &["content"],
            Self::ToolCall { .. } => &["id", "name", "arguments"],
            Self::ToolCallResponse { .. } => &["id", "response"],
            Self::Blob { .. } => &["modality", "mime_type", "content"],
            Self::File { .. } => &["modality", "mime_type", "file_id"],
            Self::Uri { .. } => &["modality", "mime_type", "uri"],
            Self::Other { .. } => &[],
        }
    }

    /// The field that holds the data, or says where it is.
    pub(super) fn data_field(&self) -> &'static str {
        match self {
            Self::File { .. } => "file_id",
            Self::Uri { .. } => "uri",
            _ => "content",
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text(<{} bytes>)", text.len()),
            Self::Reasoning(text) => write!(f, "Reasoning(<{} bytes>)", text.len()),
            Self::ToolCall { id, name, .. } => write!(f, "ToolCall({name:?}, id {id:?})"),
            Self::ToolCallResponse { id, .. } => write!(f, "ToolCallResponse(id {id:?})"),
            Self::Blob {
                modality, content, ..
            } => write!(f, "Blob({modality:?}, <{} bytes>)", content.len()),
            Self::File { modality, .. } => write!(f, "File({modality:?})"),
            Self::Uri { modality, .. } => write!(f, "Uri({modality:?})"),
            Self::Other { kind } => write!(f, "Other({kind:?})"),
        }
    }
}

// === impl Modality ===

impl Modality {
    /// The word: `image`, `video`, `audio`, `document`; an unknown one as it came.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Other(word) => word,
        }
    }

    /// What data of this MIME type is: a document, unless the type says otherwise.
    pub fn of_mime(mime_type: &str) -> Self {
        match mime_type.split('/').next() {
            Some("image") => Self::Image,
            Some("video") => Self::Video,
            Some("audio") => Self::Audio,
            _ => Self::Document,
        }
    }
}

impl From<&str> for Modality {
    fn from(word: &str) -> Self {
        match word {
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" => Self::Audio,
            "document" => Self::Document,
            _ => Self::Other(word.to_owned()),
        }
    }
}
