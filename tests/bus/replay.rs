//! Replay: the same events again, recognisable, counted apart.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use tracing_genai::{
    bus::{Bus, Filter},
    event::Event,
};

use crate::support::*;

#[test]
fn replayed_events_keep_who_they_are_and_everybody_can_tell() {
    let bus = Bus::new();
    let mut recorded = data("llm.call.completed", 7);
    recorded.seq = 3;
    recorded.name = "chat gpt-4o".into();
    let recorded = Event::new(recorded);
    let mut subscription = bus.subscribe();
    let (sender, handled) = mpsc::channel();
    let tapped = sender.clone();
    bus.on_event(move |event| sender.send(event.clone()).unwrap());
    bus.tap(Filter::new(), move |event| {
        tapped.send(event.clone()).unwrap()
    });

    bus.replay([recorded.clone()]);
    flush(&bus);
    let read = subscription.try_recv().unwrap().into_event().unwrap();
    for shown in handled.try_iter().chain([read]) {
        assert!(shown.replay);
        assert_eq!(
            (shown.id, shown.seq, shown.cursor, shown.time),
            (recorded.id, 3, 7, recorded.time)
        );
        let mut data = shown.into_data();
        data.replay = false;
        assert_eq!(Event::new(data), recorded, "nothing else is different");
    }
    assert!(!recorded.replay, "what was recorded is as it was");
    let stats = bus.stats();
    assert_eq!((stats.published, stats.replayed), (1, 1));
}

#[test]
fn a_handler_with_side_effects_can_skip_what_is_only_shown_again() {
    let bus = Bus::new();
    let charged = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&charged);
    bus.on_event(move |event| {
        if !event.replay {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    publish(&bus, 0..2);
    bus.replay((0..5).map(|number| event("step.completed", number)));
    flush(&bus);
    assert_eq!(charged.load(Ordering::SeqCst), 2);
    let stats = bus.stats();
    assert_eq!((stats.published, stats.replayed, stats.handled), (7, 5, 7));
}
