//! Event types of the application's own, with typed fields.
//!
//! Owns: [`event_types!`](crate::event_types), the trait it implements, how fields become attributes and come back.
//! Promise: a name that is no event type does not compile; an event reads back equal to what was written, through JSON too.
//! Never: calls an event its own when a field is missing.

use std::{fmt, ops::Deref, time::SystemTime};

use super::{Attrs, Channel, Event, EventData, EventType, Level, Phase, Subject};

/// An event type of the application's own. Implemented by [`event_types!`](crate::event_types).
pub trait CustomEvent: Sized {
    /// The event type, as printed.
    const TYPE: &'static str;

    /// The channel, if it is not the one its type implies.
    const CHANNEL: Option<&'static str>;

    /// The level, if it is not the one its type implies.
    const LEVEL: Option<Level>;

    /// The fields as attributes; those that are `None` are left out.
    fn into_attrs(self) -> Attrs;

    /// The fields from attributes; `None` if one that must be there is missing or of another type.
    fn from_attrs(attrs: &Attrs) -> Option<Self>;

    /// The event type.
    fn event_type() -> EventType {
        EventType::from_lossy(Self::TYPE)
    }

    /// The event this is when it happens at `time`: outside any span, from nobody.
    fn into_data(self, time: SystemTime) -> EventData {
        let mut data = EventData::new(Self::event_type(), time);
        if let Some(channel) = Self::CHANNEL {
            data.channel = Channel::new(channel);
        }
        if let Some(level) = Self::LEVEL {
            data.level = level;
        }
        data.attrs = self.into_attrs();
        data
    }
}

/// What a handler of a custom event type gets: the fields, by [`Deref`], and the event they came from.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CustomView<'e, T> {
    /// The event itself, with every attribute.
    pub event: &'e Event,
    /// The fields.
    pub fields: T,
}

impl<'e, T: CustomEvent> CustomView<'e, T> {
    /// Reads the event; `None` if it is of another type or lacks a field.
    pub fn read(event: &'e Event) -> Option<Self> {
        if event.ty != *T::TYPE {
            return None;
        }
        let fields = T::from_attrs(&event.attrs)?;
        Some(Self { event, fields })
    }
}

impl<T> Deref for CustomView<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fields
    }
}

impl<T: fmt::Debug> fmt::Debug for CustomView<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomView")
            .field("type", &format_args!("{}", self.event.ty))
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// Defines event types of the application's own: structs whose fields are the attributes.
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use tracing_genai::{bus::Bus, event::{CustomEvent, Event}, event_types};
///
/// event_types! {
///     /// A batch of rows was processed.
///     pub struct DataProcessed: "data.processed" in ETL {
///         /// How many rows it had.
///         pub rows: u64,
///         /// Where they came from.
///         pub source: String,
///         /// Written only if there is one.
///         pub note: Option<String>,
///     }
///
///     /// The budget ran out.
///     pub struct BudgetExhausted: "budget.exhausted" at Warn {
///         /// US dollars. An attribute of another name than the field.
///         pub limit: f64 as "budget.limit_usd",
///     }
/// }
///
/// let bus = Bus::new();
/// bus.on::<DataProcessed>(|data| {
///     assert_eq!(data.rows, 12);
///     assert_eq!(data.event.channel.as_str(), "ETL");
/// });
///
/// let data = DataProcessed { rows: 12, source: "s3".into(), note: None };
/// bus.publish(Event::new(data.into_data(SystemTime::now())));
/// bus.flush(Instant::now() + Duration::from_secs(5));
/// # assert!(bus.stats().handler_errors.is_empty());
/// ```
///
/// * After the name: the event type. `in CHANNEL` and `at LEVEL` (`Trace`, `Debug`, `Info`, `Warn`, `Error`, `Alert`) may follow,
///   in this order; without them the type decides ([`EventType::default_level`](crate::event::EventType::default_level)).
/// * A field may be of any type that implements [`FieldValue`](crate::event::FieldValue): truth values, numbers, text, lists, `Option`, [`serde_json::Value`], or
///   a type of your own. Its name is the attribute's, unless `as "another.name"` follows its type.
/// * The structs are `Debug`, `Clone` and `PartialEq`, plus what you derive; they implement [`CustomEvent`](crate::event::CustomEvent) and
///   [`EventSpec`](crate::event::EventSpec). `Debug` prints the fields as they are: keep content out of them.
/// * An event that has the type and lacks a field (that is not an `Option`), or has it with another type, is not one of these:
///   typed handlers do not get it. Attributes that are no field are left alone, and readable in [`CustomView::event`](crate::event::CustomView::event).
///
/// # What does not compile
///
/// A name that is not `[a-z][a-z0-9_]*` segments joined by dots, or longer than [`EventType::MAX_LEN`](crate::event::EventType::MAX_LEN):
///
/// ```compile_fail
/// tracing_genai::event_types! { struct Wrong: "Data Processed" {} }
/// ```
///
/// The name of a subject alone (`llm.call`), or of a phase alone (`started`); and the start or an end of a subject that has spans,
/// because those are told by the spans themselves. Moments of such subjects (`llm.call.cached`) are allowed.
///
/// ```compile_fail
/// tracing_genai::event_types! { struct Faked: "llm.call.completed" {} }
/// ```
///
/// Two fields for one attribute:
///
/// ```compile_fail
/// tracing_genai::event_types! { struct Twice: "data.copied" { a: u64, b: u64 as "a" } }
/// ```
#[macro_export]
macro_rules! event_types {
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => { ::core::stringify!($field) };
    (@option $some:expr) => { ::core::option::Option::Some($some) };
    (@option) => { ::core::option::Option::None };
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $ty:literal $(in $channel:ident)? $(at $level:ident)? {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $field_ty:ty $(as $key:literal)?),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $field_ty,)*
        }

        const _: () = {
            use $crate::event as __event;

            __event::check_type($ty);
            __event::check_keys(&[$($crate::event_types!(@key $field $($key)?)),*]);

            impl __event::CustomEvent for $name {
                const TYPE: &'static str = $ty;
                const CHANNEL: ::core::option::Option<&'static str> = $crate::event_types!(@option $(::core::stringify!($channel))?);
                const LEVEL: ::core::option::Option<__event::Level> = $crate::event_types!(@option $(__event::Level::$level)?);

                fn into_attrs(self) -> __event::Attrs {
                    #[allow(unused_mut, reason = "an event may have no field")]
                    let mut attrs = __event::Attrs::new();
                    $(
                        if let ::core::option::Option::Some(value) = __event::FieldValue::into_value(self.$field) {
                            attrs.set($crate::event_types!(@key $field $($key)?), value);
                        }
                    )*
                    attrs
                }

                #[allow(unused_variables, reason = "an event may have no field")]
                fn from_attrs(attrs: &__event::Attrs) -> ::core::option::Option<Self> {
                    ::core::option::Option::Some(Self {
                        $($field: __event::FieldValue::from_value(attrs.get($crate::event_types!(@key $field $($key)?)))?,)*
                    })
                }
            }

            impl __event::EventSpec for $name {
                const TYPE: &'static str = $ty;
                type View<'e> = __event::CustomView<'e, $name>;

                fn view(event: &__event::Event) -> ::core::option::Option<Self::View<'_>> {
                    __event::CustomView::read(event)
                }
            }
        };
    )*};
}

/// Stops the compiler at a name that [`event_types!`](crate::event_types) cannot define.
#[doc(hidden)]
pub const fn check_type(name: &str) {
    assert!(
        is_name(name),
        "an event type is segments of [a-z][a-z0-9_]* joined by dots, at most 255 bytes in all: \"data.processed\""
    );
    let (head, last) = split_last(name.as_bytes());
    assert!(
        subject(name.as_bytes()).is_none() && !(head.is_empty() && is_span_phase(last)),
        "an event type is a subject and a phase; this is the name of a subject or a phase alone"
    );
    if let Some(subject) = subject(head) {
        assert!(
            !(subject.has_span() && is_span_phase(last)),
            "the start and the ends of this subject are told by its spans; define a moment, or a subject of your own"
        );
    }
}

/// Stops the compiler when two fields are one attribute.
#[doc(hidden)]
pub const fn check_keys(keys: &[&str]) {
    let mut at = 0;
    while at < keys.len() {
        assert!(!keys[at].is_empty(), "an attribute needs a name");
        let mut before = 0;
        while before < at {
            assert!(
                !equal(keys[at].as_bytes(), keys[before].as_bytes()),
                "two fields have the same attribute"
            );
            before += 1;
        }
        at += 1;
    }
}

/// Whether `name` is of the grammar of [`EventType::parse`].
const fn is_name(name: &str) -> bool {
    let name = name.as_bytes();
    if name.len() > EventType::MAX_LEN {
        return false;
    }
    let (mut at, mut fresh) = (0, true);
    while at < name.len() {
        match name[at] {
            b'a'..=b'z' => fresh = false,
            b'0'..=b'9' | b'_' if !fresh => {}
            b'.' if !fresh => fresh = true,
            _ => return false,
        }
        at += 1;
    }
    !fresh
}

/// What comes before and after the last dot.
const fn split_last(name: &[u8]) -> (&[u8], &[u8]) {
    let mut at = name.len();
    while at > 0 {
        at -= 1;
        if name[at] == b'.' {
            let (head, tail) = name.split_at(at);
            return (head, tail.split_at(1).1);
        }
    }
    (&[], name)
}

/// The subject of this name, but for [`Subject::CUSTOM`], whose every phase is the application's.
const fn subject(name: &[u8]) -> Option<Subject> {
    let mut at = 0;
    while at < Subject::ALL.len() {
        let subject = Subject::ALL[at];
        if equal(subject.name().as_bytes(), name) {
            return Some(subject);
        }
        at += 1;
    }
    None
}

const fn is_span_phase(word: &[u8]) -> bool {
    let mut at = 0;
    while at < Phase::SPAN.len() {
        if equal(Phase::SPAN[at].as_str().as_bytes(), word) {
            return true;
        }
        at += 1;
    }
    false
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_compiler_and_the_parser_agree_on_what_a_name_is(text in "[a-zA-Z0-9_. é]{0,12}") {
            let parsed = EventType::parse(&text);
            let alone = parsed == Err(crate::event::ParseEventTypeError::Incomplete);
            prop_assert_eq!(is_name(&text), parsed.is_ok() || alone, "{:?}", text);
        }
    }

    #[test]
    fn names_end_where_event_types_end() {
        let name = |len| "a".repeat(len);
        assert!(is_name(&name(EventType::MAX_LEN)));
        assert!(!is_name(&name(EventType::MAX_LEN + 1)));
    }

    #[test]
    fn subjects_and_phases_alone_and_the_ends_of_spans_cannot_be_defined() {
        let refused = |name: &'static str| std::panic::catch_unwind(|| check_type(name)).is_err();
        for subject in Subject::ALL {
            assert!(refused(subject.name()), "{subject}");
            for phase in Phase::SPAN {
                let name: &'static str = format!("{subject}.{phase}").leak();
                assert_eq!(refused(name), subject.has_span(), "{name}");
            }
        }
        for name in ["started", "failed", "Data", "data..processed", ""] {
            assert!(refused(name), "{name}");
        }
        for name in [
            "llm.call.cached",
            "billing.invoice.failed",
            "custom.failed",
            "data",
        ] {
            assert!(!refused(name), "{name}");
        }
    }
}
