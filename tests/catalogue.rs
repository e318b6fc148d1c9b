//! Every event of the five systems: read, of the right type, every field in its place, through JSON and back, and written
//! under its own name again.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

mod support;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;
use support::catalogue::{self, Row, assert_landed};
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{
    Dialect, Event, EventData, EventType, Flavor, Level, Phase, SpanKind, Subject, import,
};
use tracing_genai::testing::capture_with;

fn read(row: &Row, document: &Json) -> EventData {
    let mut events =
        import(row.dialect, document).unwrap_or_else(|error| panic!("{}: {error}", row.label()));
    events.remove(0)
}

#[test]
fn every_event_of_the_catalogue_is_read_and_no_field_of_it_is_lost() {
    for row in catalogue::rows() {
        for name in &row.names {
            let label = format!("{} as {name}", row.label());
            let document = row.document(name);
            let event = read(row, &document.json);

            assert_eq!(event.ty, *row.event_type, "{label}");
            assert_eq!(event.flavor.as_str(), row.flavor, "{label}");
            assert_eq!(event.channel.as_str(), row.channel, "{label}");
            assert_eq!(event.level.severity_text(), row.level, "{label}");
            assert_eq!(event.kind, event.ty.kind(), "{label}");
            assert_eq!(&event.phase, event.ty.phase(), "{label}");
            assert_landed(&label, &event, &document.lands);
            assert_nothing_else(&label, row, &event, &document);

            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(
                serde_json::from_str::<EventData>(&json).unwrap(),
                event,
                "{label}"
            );
            assert!(
                serde_json::from_str::<Json>(&json).unwrap()["time"]
                    .as_str()
                    .is_some_and(|time| time.ends_with('Z')),
                "{label}"
            );
        }
    }
}

/// No attribute that no field asked for: neither a field kept under its own name although it has a place, nor one in two.
fn assert_nothing_else(label: &str, row: &Row, event: &EventData, document: &catalogue::Document) {
    let wanted: BTreeSet<&str> = document
        .lands
        .iter()
        .filter_map(|landing| match landing {
            catalogue::Landing::Attr(name, _) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    let found: BTreeSet<&str> = event.attrs.iter().map(|(name, _)| name).collect();
    assert_eq!(found, wanted, "{label}: {:?}", row.fields);
}

#[test]
fn every_event_of_the_catalogue_has_the_signal_and_the_span_it_says() {
    for row in catalogue::rows() {
        let label = row.label();
        let ty = EventType::parse(&row.event_type).unwrap();
        match row.signal.as_str() {
            "start" => assert_eq!(ty.phase(), &Phase::Started, "{label}"),
            "end" => assert!(ty.phase().is_terminal(), "{label}"),
            _ => assert!(ty.phase().is_moment(), "{label}"),
        }
        let Some(span) = &row.span else {
            continue;
        };
        let kind = match ty.subject().span_kind() {
            SpanKind::Client => "CLIENT",
            SpanKind::Server => "SERVER",
            _ => "INTERNAL",
        };
        assert_eq!(kind, span.kind, "{label}");
        if !span.name.starts_with('{') {
            let word = ty.subject().span_name_word().unwrap();
            assert!(span.name.starts_with(word), "{label}: {word}");
        }
        let has_rest = span.name.contains('{');
        assert_eq!(
            ty.subject().span_name_key().is_some() || span.name.starts_with('{'),
            has_rest,
            "{label}"
        );
    }
}

#[test]
fn every_name_resolves_and_its_event_is_written_under_the_first_name_again() {
    for row in catalogue::rows() {
        let ty = EventType::parse(&row.event_type).unwrap();
        if ty.subject() == Subject::CUSTOM {
            assert_eq!(row.dialect.resolve(&row.names[0]), None, "{}", row.label());
            continue;
        }
        // Some names stand for several outcomes, and some outcomes have a plainer name; what is written is always read again
        // as an event of the same subject.
        let written = ty
            .alias(row.dialect, &Flavor::new(row.flavor.clone()))
            .unwrap();
        let resolved = row.dialect.resolve(&row.names[0]).unwrap();
        let again = row.dialect.resolve(written).unwrap();
        if ty == resolved.ty {
            assert_eq!(again, resolved, "{}", row.label());
        } else {
            assert_eq!(again.flavor, resolved.flavor, "{}", row.label());
        }
        for name in &row.names {
            let named = row
                .dialect
                .resolve(name)
                .unwrap_or_else(|| panic!("{name}"));
            assert_eq!(named, resolved, "{name}");
            assert!(EventType::from_alias(name).is_some(), "{name}");
        }
    }
}

#[test]
fn within_a_dialect_no_two_events_are_written_alike() {
    for dialect in Dialect::ALL {
        let mut written: HashMap<&str, (EventType, Flavor)> = HashMap::new();
        for name in dialect.names() {
            let resolved = dialect.resolve(name).unwrap();
            let alias = resolved.ty.alias(*dialect, &resolved.flavor).unwrap();
            let event = (resolved.ty, resolved.flavor);
            let earlier = written.entry(alias).or_insert_with(|| event.clone());
            assert_eq!(*earlier, event, "{dialect}: {alias} from {name}");
        }
    }
}

#[test]
fn looking_a_name_up_and_writing_it_back_allocates_nothing() {
    let names: Vec<_> = Dialect::ALL
        .iter()
        .flat_map(|dialect| dialect.names().map(move |name| (*dialect, name)))
        .collect();
    assert!(EventType::from_alias("crew_kickoff_started").is_some());
    let counted = allocation_counter::measure(|| {
        for (dialect, name) in &names {
            let resolved = dialect.resolve(name).unwrap();
            assert!(resolved.ty.alias(*dialect, &resolved.flavor).is_some());
            assert!(EventType::from_alias(name).is_some());
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn the_catalogue_covers_every_name_of_every_dialect_and_nothing_else() {
    let rows = catalogue::rows();
    for dialect in Dialect::ALL {
        let listed: BTreeSet<&str> = rows
            .iter()
            .filter(|row| row.dialect == *dialect)
            .filter(|row| EventType::parse(&row.event_type).unwrap().subject() != Subject::CUSTOM)
            .flat_map(|row| row.names.iter().map(String::as_str))
            .collect();
        let known: BTreeSet<&str> = dialect.names().collect();
        assert_eq!(listed, known, "{dialect}");
    }
    let sources: BTreeSet<_> = rows.iter().map(|row| (row.dialect, &row.source)).collect();
    assert_eq!(sources.len(), 236);
}

#[test]
fn an_event_keeps_its_fields_in_the_order_of_the_document() {
    let row = catalogue::rows()
        .iter()
        .find(|row| row.names[0] == "memory_query_started")
        .unwrap();
    let event = Event::new(read(row, &row.document("memory_query_started").json));
    let names: Vec<_> = event.attrs.iter().map(|(name, _)| name).collect();
    let query = names
        .iter()
        .position(|name| *name == "gen_ai.memory.query.text");
    let limit = names.iter().position(|name| *name == "memory.limit");
    assert!(
        query < limit && names[0] == "source.fingerprint",
        "{names:?}"
    );
}

#[test]
fn every_event_of_the_catalogue_can_be_emitted_by_its_name_with_its_fields() {
    let mut emitted = 0;
    for row in catalogue::rows() {
        for name in &row.names {
            let label = format!("{} as {name}", row.label());
            let (own, lands) = row.own();
            // A name that is this library's own type, or another system's too, is read as theirs.
            let first = Dialect::ALL.iter().find(|d| d.resolve(name).is_some());
            let ours = EventType::from_alias(name).is_some_and(|known| known.ty == **name);
            if ours || first.is_some_and(|first| *first != row.dialect) {
                continue;
            }
            emitted += 1;
            let capture =
                capture_with(|builder| builder.capture(CaptureMode::Redacted).error_messages(true));
            // Level and channel of a custom event are the caller's to say.
            let told = |field: &str| row.given.get(field).and_then(Json::as_str);
            let mut builder = tracing_genai::event(name.clone()).data(own);
            if let Some(level) = told("level") {
                builder = builder.level(Level::from_str_lossy(level));
            }
            if let Some(channel) = told("channel") {
                builder = builder.channel(channel.to_owned());
            }
            capture.record(|| builder.emit().unwrap());
            let event = capture.events().remove(0);
            assert!(event.ty == *row.event_type, "{label}: {}", event.ty);
            assert_eq!(event.flavor.as_str(), row.flavor, "{label}");
            assert_eq!(event.level.severity_text(), row.level, "{label}");
            assert_landed(&label, &event, &lands);
        }
    }
    assert!(emitted > 250, "{emitted}");
}
