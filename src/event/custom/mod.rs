//! Event types of the application's own, with typed fields.
//!
//! Owns: [`event_types!`](crate::event_types), the trait it implements, how fields become attributes and come back.
//! Promise: a name that is no event type does not compile; an event reads back equal to what was written, through JSON too.
//! Never: calls an event its own when a field is missing.

mod check;

use std::{fmt, ops::Deref, time::SystemTime};

pub use self::check::{check_keys, check_type};
use super::{Attrs, Channel, Event, EventData, EventType, Level};

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
