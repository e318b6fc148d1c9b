//! What the record of events promises: the edges between events, whatever order they come in, and a bound that leaves nothing
//! dangling.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

mod support;

use std::{
    collections::{HashSet, VecDeque},
    sync::atomic::{AtomicBool, Ordering},
    time::{Instant, SystemTime},
};

use proptest::prelude::*;
use support::waiting::{DEADLINE, within};
use tracing_genai::{
    bus::Bus,
    event::{Event, EventData, EventId, EventType},
    graph::{Edge, EventRecord},
};

fn id(n: u128) -> EventId {
    EventId::from_u128(n)
}

fn data(ty: &str, own: u128) -> EventData {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), SystemTime::UNIX_EPOCH);
    data.id = id(own);
    data
}

fn child(own: u128, parent: u128) -> Event {
    let mut data = data("step.started", own);
    data.cx.parent_event = Some(id(parent));
    data.into()
}

fn ids(events: &[Event]) -> Vec<u128> {
    events.iter().map(|event| event.id.as_u128()).collect()
}

fn record_of(events: impl IntoIterator<Item = Event>) -> EventRecord {
    events.into_iter().collect()
}

/// workflow 1 ⊃ step 2 ⊃ call 3 … 4 (its end), tool 5 … 6, then the step's end 7; a second step 8; the workflow's end 9.
/// Workflow 20 was triggered by the call's end.
fn a_run() -> Vec<Event> {
    let spans = [
        ("workflow.started", 1, None, None),
        ("step.started", 2, Some(1), None),
        ("llm.call.started", 3, Some(2), None),
        ("llm.call.completed", 4, Some(2), Some(3)),
        ("tool.call.started", 5, Some(2), None),
        ("tool.call.failed", 6, Some(2), Some(5)),
        ("step.completed", 7, Some(1), Some(2)),
        ("step.started", 8, Some(1), None),
        ("workflow.completed", 9, None, Some(1)),
    ];
    let mut previous = None;
    let mut events: Vec<Event> = spans
        .into_iter()
        .map(|(ty, own, parent, started)| {
            let mut event = data(ty, own);
            event.cx.parent_event = parent.map(id);
            event.cx.started_event = started.map(id);
            event.cx.previous = previous.replace(event.id);
            event.into()
        })
        .collect();
    let mut other = data("workflow.started", 20);
    other.cx.triggered_by = Some(id(4));
    events.push(other.into());
    events
}

#[test]
fn every_link_an_event_carries_becomes_an_edge_on_both_sides() {
    let record = record_of(a_run());
    assert_eq!(
        record.edges(id(4)),
        [
            (Edge::Parent, id(2)),
            (Edge::Trigger, id(20)),
            (Edge::Previous, id(3)),
            (Edge::Next, id(5)),
            (Edge::Started, id(3)),
        ]
    );
    assert_eq!(
        record.edges(id(2)),
        [
            (Edge::Parent, id(1)),
            (Edge::Child, id(3)),
            (Edge::Child, id(4)),
            (Edge::Child, id(5)),
            (Edge::Child, id(6)),
            (Edge::Previous, id(1)),
            (Edge::Next, id(3)),
            (Edge::CompletedBy, id(7)),
        ]
    );
    assert_eq!(record.edges(id(20)), [(Edge::TriggeredBy, id(4))]);
    assert_eq!(record.edges(id(99)), []);
}

#[test]
fn roots_descendants_and_the_way_up_are_those_of_the_tree() {
    let record = record_of(a_run());
    assert_eq!(ids(&record.roots()), [1, 9, 20]);
    assert_eq!(ids(&record.children(id(1))), [2, 7, 8]);
    assert_eq!(
        ids(&record.descendants(id(1))),
        [2, 7, 8, 3, 4, 5, 6],
        "breadth first: all children before any grandchild"
    );
    assert_eq!(ids(&record.ancestors(id(6))), [2, 1]);
    assert_eq!(ids(&record.ancestors(id(1))), []);
    assert_eq!(ids(&record.descendants(id(99))), []);
    assert_eq!(ids(&record.neighbors(id(1), Edge::CompletedBy)), [9]);
    assert_eq!(
        record.get(id(6)).unwrap().ty.to_string(),
        "tool.call.failed"
    );
    assert!(record.get(id(99)).is_none());
}

#[test]
fn a_parent_that_arrives_after_its_children_is_linked_when_it_arrives() {
    let forward = record_of(a_run());
    let backward = record_of(a_run().into_iter().rev());
    for event in a_run() {
        let sorted = |record: &EventRecord| {
            let mut edges = record.edges(event.id);
            edges.sort();
            edges
        };
        assert_eq!(sorted(&forward), sorted(&backward), "{event}");
    }
    let late = EventRecord::new();
    late.add(&child(2, 1));
    assert_eq!(ids(&late.roots()), [2]);
    late.add(&data("workflow.started", 1).into());
    assert_eq!(ids(&late.roots()), [1]);
    assert_eq!(ids(&late.descendants(id(1))), [2]);
}

#[test]
fn a_full_record_evicts_the_oldest_with_its_edges_on_both_sides() {
    let record = EventRecord::with_capacity(3);
    for event in [child(1, 0), child(2, 1), child(3, 1), child(4, 2)] {
        assert!(record.add(&event));
    }
    assert_eq!(ids(&record.to_events()), [2, 3, 4]);
    assert_eq!(ids(&record.roots()), [2, 3]);
    assert_eq!(record.edges(id(2)), [(Edge::Child, id(4))]);
    assert_eq!(record.edges(id(3)), []);
    assert_eq!(ids(&record.children(id(1))), []);
    assert!(!record.contains(id(1)));
    let stats = record.stats();
    assert_eq!((stats.kept, stats.recorded, stats.evicted), (3, 4, 1));

    record.add(&child(1, 0));
    assert_eq!(
        ids(&record.children(id(1))),
        [3],
        "what came back is linked to what is still there"
    );
    assert_eq!(record.stats().evicted, 2);
}

#[test]
fn a_record_keeps_one_event_at_least() {
    let record = EventRecord::with_capacity(0);
    record.add(&child(1, 0));
    record.add(&child(2, 1));
    assert_eq!(ids(&record.to_events()), [2]);
}

#[test]
fn the_first_event_of_an_id_stays_and_the_others_are_counted() {
    let record = EventRecord::new();
    assert!(record.add(&data("step.started", 1).into()));
    assert!(!record.add(&data("step.failed", 1).into()));
    assert!(!record.add(&child(1, 2)));
    assert_eq!(record.get(id(1)).unwrap().ty, "step.started");
    assert_eq!(record.edges(id(1)), []);
    let stats = record.stats();
    assert_eq!((stats.kept, stats.recorded, stats.duplicates), (1, 1, 2));
}

#[test]
fn replayed_events_are_not_recorded_again() {
    let record = EventRecord::new();
    let mut shown_again = data("step.started", 1);
    shown_again.replay = true;
    assert!(!record.add(&shown_again.into()));
    assert!(record.is_empty());
    assert_eq!(record.stats().replayed, 1);
}

#[test]
fn rings_and_self_references_end_every_walk() {
    within("walking a ring", || {
        let record = record_of([child(1, 3), child(2, 1), child(3, 2), child(9, 9)]);
        assert_eq!(ids(&record.descendants(id(1))), [2, 3]);
        assert_eq!(ids(&record.ancestors(id(1))), [3, 2]);
        assert_eq!(ids(&record.roots()), [9], "nobody is their own parent");
        assert_eq!(record.edges(id(9)), []);
        assert_eq!(ids(&record.descendants(id(9))), []);
    });
}

#[test]
fn a_chain_as_long_as_the_record_is_walked_without_recursion() {
    let record: EventRecord = (1..=100_000).map(|n| child(n, n - 1)).collect();
    assert_eq!(record.descendants(id(1)).len(), 99_999);
    assert_eq!(record.ancestors(id(100_000)).len(), 99_999);
}

#[test]
fn a_record_attached_to_a_bus_sees_what_the_bus_carries_until_it_is_taken_off() {
    let bus = Bus::new();
    let record = EventRecord::new();
    let handler = record.attach(&bus);
    for event in a_run() {
        bus.publish(event);
    }
    assert!(bus.flush(Instant::now() + DEADLINE).complete);
    assert_eq!(
        ids(&record.to_events()),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 20],
        "in the order of emission"
    );
    assert!(bus.off(handler));
    bus.publish(data("step.started", 30).into());
    assert!(bus.flush(Instant::now() + DEADLINE).complete);
    assert!(!record.contains(id(30)));
}

#[test]
fn a_record_survives_json_with_every_event_and_every_edge() {
    let mut run = a_run();
    run.extend((100..12_000).map(|n| child(n, 1)));
    let record = record_of(run.iter().cloned());
    let json = serde_json::to_string(&record).unwrap();
    assert!(json.starts_with('['), "a list of events");
    let back: EventRecord = serde_json::from_str(&json).unwrap();
    assert_eq!(back.to_events(), run, "more than the default capacity");
    for event in run.iter().take(20) {
        assert_eq!(back.edges(event.id), record.edges(event.id));
    }
    assert!(serde_json::from_str::<EventRecord>("{}").is_err());
}

#[test]
fn debug_output_shows_the_books_and_no_event() {
    let mut secret = data("llm.call.chunk", 1);
    secret.body = Some("CANARY".into());
    secret.attrs.set("note", "CANARY");
    let shown = format!("{:?}", record_of([secret.into()]));
    assert!(shown.contains("kept: 1"), "{shown}");
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[test]
fn walks_stay_consistent_while_other_threads_add_and_evict() {
    const KEPT: usize = 500;
    let record = EventRecord::with_capacity(KEPT);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let adders: Vec<_> = (1..=2_u128)
            .map(|thread| {
                let record = &record;
                scope.spawn(move || {
                    let base = thread << 64;
                    for n in 1..20_000 {
                        record.add(&child(base + n, base + n / 3));
                    }
                })
            })
            .collect();
        let walker = scope.spawn(|| {
            let mut walks = 0;
            while !done.load(Ordering::Acquire) || walks == 0 {
                let root = record.roots().first().map_or(id(0), |root| root.id);
                let found = record.descendants(root);
                let mut known = HashSet::from([root]);
                for event in &found {
                    assert!(known.contains(&event.cx.parent_event.unwrap()));
                    assert!(known.insert(event.id), "an event twice");
                }
                let all = record.to_events();
                for thread in 1..=2 {
                    let own = all
                        .iter()
                        .filter(|event| event.id.as_u128() >> 64 == thread);
                    assert!(own.map(|event| event.id).is_sorted_by(|a, b| a < b));
                }
                walks += 1;
            }
        });
        for adder in adders {
            adder.join().unwrap();
        }
        done.store(true, Ordering::Release);
        walker.join().unwrap();
    });
    let stats = record.stats();
    assert_eq!(stats.kept, KEPT);
    assert_eq!(stats.recorded, KEPT as u64 + stats.evicted);
    assert_eq!(stats.recorded, 2 * 19_999);
}

// === against a model that recomputes everything from the list of kept events ===

struct Model {
    capacity: usize,
    kept: VecDeque<Event>,
}

impl Model {
    fn add(&mut self, event: &Event) {
        if self.kept.iter().any(|known| known.id == event.id) {
            return;
        }
        self.kept.push_back(event.clone());
        if self.kept.len() > self.capacity {
            self.kept.pop_front();
        }
    }

    fn all(&self) -> Vec<Event> {
        self.kept.iter().cloned().collect()
    }

    fn says(event: &Event, edge: Edge, target: &Event) -> bool {
        let named = match edge {
            Edge::Parent => event.cx.parent_event,
            Edge::TriggeredBy => event.cx.triggered_by,
            Edge::Previous => event.cx.previous,
            Edge::Started => event.cx.started_event,
            _ => None,
        };
        event.id != target.id && named == Some(target.id)
    }

    fn neighbors(&self, from: &Event, edge: Edge) -> Vec<Event> {
        let linked =
            |to: &&Event| Self::says(from, edge, to) || Self::says(to, edge.inverse(), from);
        self.kept.iter().filter(linked).cloned().collect()
    }

    fn descendants(&self, from: &Event) -> Vec<Event> {
        let mut seen = HashSet::from([from.id]);
        let (mut level, mut found) = (vec![from.clone()], Vec::new());
        while !level.is_empty() {
            let mut next = Vec::new();
            for child in level.iter().flat_map(|up| self.neighbors(up, Edge::Child)) {
                if seen.insert(child.id) {
                    next.push(child);
                }
            }
            found.extend(next.iter().cloned());
            level = next;
        }
        found
    }
}

/// Events that name each other at random: themselves, each other in rings, ids that never come.
fn any_events(names: u128) -> impl Strategy<Value = Vec<Event>> {
    let link = move || prop::option::weighted(0.7, 0..names);
    prop::collection::vec((0..names, link(), link(), link(), link()), 0..32).prop_map(|events| {
        events
            .into_iter()
            .map(|(own, parent, cause, previous, started)| {
                let mut data = data("step.progress", own);
                data.cx.parent_event = parent.map(id);
                data.cx.triggered_by = cause.map(id);
                data.cx.previous = previous.map(id);
                data.cx.started_event = started.map(id);
                data.into()
            })
            .collect()
    })
}

/// A tree or forest in order: everybody's parent came before them.
fn forest() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any::<prop::sample::Index>(), 1..32).prop_map(|parents| {
        (1..)
            .zip(parents)
            .map(|(own, parent)| child(own, parent.index(own as usize) as u128))
            .collect()
    })
}

fn check(events: &[Event], capacity: usize) -> Result<(), TestCaseError> {
    let record = EventRecord::with_capacity(capacity);
    let mut model = Model {
        capacity,
        kept: VecDeque::new(),
    };
    for (n, event) in events.iter().enumerate() {
        record.add(event);
        model.add(event);
        if n % 7 == 0 {
            record.children(event.id); // Edges are linked when somebody asks.
        }
    }
    prop_assert_eq!(record.to_events(), model.all());
    let roots: Vec<Event> = model
        .kept
        .iter()
        .filter(|event| model.neighbors(event, Edge::Parent).is_empty())
        .cloned()
        .collect();
    prop_assert_eq!(record.roots(), roots);
    for event in &model.kept {
        for edge in Edge::ALL {
            prop_assert_eq!(
                record.neighbors(event.id, edge),
                model.neighbors(event, edge),
                "{} of {:?}",
                edge,
                event.id
            );
        }
        for (edge, target) in record.edges(event.id) {
            prop_assert!(record.contains(target));
            prop_assert!(record.edges(target).contains(&(edge.inverse(), event.id)));
        }
        prop_assert_eq!(record.descendants(event.id), model.descendants(event));
        for up in record.ancestors(event.id) {
            prop_assert!(record.descendants(up.id).contains(event));
        }
    }
    let stats = record.stats();
    prop_assert_eq!(stats.recorded, stats.kept as u64 + stats.evicted);
    prop_assert_eq!(stats.recorded + stats.duplicates, events.len() as u64);
    Ok(())
}

proptest! {
    #[test]
    fn random_forests_with_eviction_match_a_recomputation(events in forest(), capacity in 1_usize..40) {
        check(&events, capacity)?;
    }

    #[test]
    fn random_garbage_with_eviction_matches_a_recomputation(events in any_events(24), capacity in 1_usize..30) {
        check(&events, capacity)?;
    }
}
