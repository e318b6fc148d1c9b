//! Typed views: an event of a known type, its attributes read into fields.
//!
//! Owns: the tables of views, one file a theme; each row is a field and where it is read from, or an event type.
//! Promise: a view borrows the event and keeps it at hand, so unknown attributes stay readable.
//! Never: fails on a missing or ill-typed attribute; its field is `None`, or empty. `Debug` never shows content.
//!
//! Views of one subject are shared by its phases: what only the end knows is empty on the start.

use super::Event;

/// A type of event, and how to read it.
///
/// Implement it to read a known type in a way of your own; for an event type of your own,
/// [`event_types!`](crate::event_types) writes it:
///
/// ```
/// use tracing_genai::event::{Event, EventSpec};
///
/// struct InvoicePaid;
///
/// impl EventSpec for InvoicePaid {
///     const TYPE: &'static str = "billing.invoice.paid";
///     type View<'e> = Option<&'e str>;
///
///     fn view(event: &Event) -> Option<Self::View<'_>> {
///         (event.ty == Self::TYPE).then(|| event.attr("invoice.id").and_then(|id| id.as_str()))
///     }
/// }
/// ```
pub trait EventSpec {
    /// The event type, as printed. A text that is no event type (`*.failed`) stands for several;
    /// [`view`](EventSpec::view) decides.
    const TYPE: &'static str;

    /// What a handler gets.
    type View<'e>;

    /// Reads the event; `None` if it is of another type.
    fn view(event: &Event) -> Option<Self::View<'_>>;
}

/// One table: views, the fields they have (and, apart, those that carry content), and the event types they read. A type may
/// be narrowed to one flavor.
macro_rules! views {
    ($(
        $(#[$doc:meta])*
        $view:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $read:expr;)*
        } content {
            $($(#[$content_doc:meta])* $content:ident: $content_type:ty = $content_read:expr;)*
        } {
            $($(#[$spec_doc:meta])* $spec:ident = $text:literal $(of $flavor:literal)?;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        #[non_exhaustive]
        pub struct $view<'e> {
            /// The event itself, with every attribute.
            pub event: &'e Event,
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$content_doc])* pub $content: $content_type,)*
        }

        impl<'e> $view<'e> {
            fn read(event: &'e Event) -> Self {
                Self {
                    event,
                    $($field: ($read)(event),)*
                    $($content: ($content_read)(event),)*
                }
            }

            /// Whether it went well: `true` for what completed, `false` for what failed, was blocked or was canceled.
            /// `None` for what has not been decided: starts, moments, and pauses.
            pub fn success(&self) -> Option<bool> {
                self.event.phase.success()
            }
        }

        impl fmt::Debug for $view<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut out = f.debug_struct(stringify!($view));
                out.field("type", &format_args!("{}", self.event.ty));
                $(out.field(stringify!($field), &self.$field);)*
                $(if $crate::event::view::Content::is_there(&self.$content) {
                    out.field(stringify!($content), &format_args!("<content>"));
                })*
                out.finish_non_exhaustive()
            }
        }

        $(
            $(#[$spec_doc])*
            #[doc = concat!("\n\nThe type `", $text, "`", $(", flavor `", $flavor, "`",)? ", read as [`", stringify!($view), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $spec;

            impl EventSpec for $spec {
                const TYPE: &'static str = $text;
                type View<'e> = $view<'e>;

                fn view(event: &Event) -> Option<$view<'_>> {
                    let is_one = event.ty == $text $(&& event.flavor.as_str() == $flavor)?;
                    is_one.then(|| $view::read(event))
                }
            }
        )*
    )*
        #[cfg(test)]
        pub(super) const TYPES: &[(&str, &str)] = &[$($(($text, concat!("", $($flavor)?)),)*)*];
    };
}

mod a2a;
mod agent;
mod checkpoint;
mod failure;
mod human;
mod knowledge;
mod llm;
mod mcp;
mod plan;
mod read;
mod scenario;
mod security;
mod session;
mod skill;
mod step;
mod system;
mod tool;
mod workflow;

pub use self::{
    a2a::*, agent::*, checkpoint::*, failure::*, human::*, knowledge::*, llm::*, mcp::*, plan::*,
    scenario::*, security::*, session::*, skill::*, step::*, system::*, tool::*, workflow::*,
};

/// A field whose text `Debug` withholds, but not that there is one.
trait Content {
    fn is_there(&self) -> bool;
}

impl<T> Content for Option<T> {
    fn is_there(&self) -> bool {
        self.is_some()
    }
}

impl<T> Content for Vec<T> {
    fn is_there(&self) -> bool {
        !self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::event::{EventType, Phase, Subject};

    fn types() -> impl Iterator<Item = (EventType, &'static str)> {
        [
            a2a::TYPES,
            agent::TYPES,
            checkpoint::TYPES,
            human::TYPES,
            knowledge::TYPES,
            llm::TYPES,
            mcp::TYPES,
            plan::TYPES,
            scenario::TYPES,
            security::TYPES,
            session::TYPES,
            skill::TYPES,
            step::TYPES,
            system::TYPES,
            tool::TYPES,
            workflow::TYPES,
        ]
        .into_iter()
        .flatten()
        .map(|(text, flavor)| (EventType::parse(text).unwrap(), *flavor))
    }

    #[test]
    fn every_view_is_of_a_type_the_subject_table_knows_and_no_two_are_of_the_same() {
        let mut seen = HashSet::new();
        for (ty, flavor) in types() {
            let listed = ty.subject().phases().contains(&ty.phase().as_str());
            let ends = ty.subject().has_span() && !ty.phase().is_moment();
            assert!(listed || ends, "{ty}");
            assert_ne!(ty.subject(), Subject::CUSTOM, "{ty}");
            assert!(seen.insert((ty.clone(), flavor)), "{ty} {flavor}");
        }
    }

    #[test]
    fn a_subject_with_views_has_one_for_every_phase_of_its_row_and_for_a_dropped_span() {
        let known: HashSet<_> = types().map(|(ty, _)| ty).collect();
        let subjects: HashSet<_> = known.iter().map(EventType::subject).collect();
        for subject in subjects {
            let dropped = subject.has_span().then_some("canceled");
            for phase in subject.phases().iter().copied().chain(dropped) {
                let ty = EventType::new(subject, Phase::from(phase));
                let created_only = subject == Subject::AGENT && phase == "canceled";
                assert!(known.contains(&ty) || created_only, "{ty} has no view");
            }
        }
    }
}
