//! Server-sent events: the exact bytes, the signs of life, and what is said about what is missing.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use futures_util::{Stream, StreamExt as _, stream};
use support::waiting::block_on;
use tracing_genai::bus::{Bus, Overflow};
use tracing_genai::event::{Event, EventData, EventId, EventType, Visibility};
use tracing_genai::frame::{Frame, FrameItem, Sse};
use tracing_genai::testing::capture;
use tracing_genai::workflow;

fn data(cursor: u64) -> EventData {
    let mut data = EventData::new(EventType::parse("llm.call.chunk").unwrap(), UNIX_EPOCH);
    data.id = EventId::from_u128(0x7000_8000_0000_0000_0000 + u128::from(cursor));
    data.cursor = cursor;
    data
}

fn frame(cursor: u64) -> Frame {
    Frame::of(&Event::new(data(cursor))).unwrap()
}

fn frames(cursors: impl IntoIterator<Item = u64>) -> impl Stream<Item = Frame> {
    stream::iter(cursors.into_iter().map(frame).collect::<Vec<_>>())
}

fn body<S>(sse: Sse<S>) -> String
where
    S: Stream,
    S::Item: Into<Option<FrameItem>>,
{
    block_on(sse.collect::<Vec<_>>()).concat()
}

/// The `seq` of every `data:` line.
fn sequence(body: &str) -> Vec<u64> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|json| serde_json::from_str::<Frame>(json).unwrap().seq)
        .collect()
}

#[test]
fn the_bytes_are_these() {
    let mut chunk = data(7);
    chunk.body = Some("one\ntwo\r\n\"three\"".into());
    let chunk = Frame::of(&Event::new(chunk)).unwrap();
    let items = [FrameItem::Frame(chunk), FrameItem::Lagged(12)];
    assert_eq!(
        body(Sse::new(stream::iter(items))),
        concat!(
            ": connected\n\n",
            r#"data: {"id":"00000000-0000-7000-8000-000000000007","seq":7,"type":"llm.call.chunk","channel":"llm","#,
            r#""namespace":[],"timestamp":"1970-01-01T00:00:00.000000000Z","data":{},"#,
            r#""content":"one\ntwo\r\n\"three\""}"#,
            "\n\n",
            "event: lagged\ndata: {\"missed\":12}\n\n",
        )
    );
}

#[test]
fn ids_names_and_the_time_to_reconnect_are_there_when_asked_for() {
    let json = |cursor| serde_json::to_string(&frame(cursor)).unwrap();
    let sse = Sse::new(frames([7, 0]))
        .ids()
        .event_names()
        .end_event()
        .retry(Duration::from_secs(3));
    assert_eq!(
        body(sse),
        format!(
            ": connected\n\nretry: 3000\n\nid: 7\nevent: llm.call.chunk\ndata: {}\n\nevent: llm.call.chunk\ndata: {}\n\n\
             event: end\ndata: {{}}\n\n",
            json(7),
            json(0), // nobody counted it
        )
    );
    assert_eq!(
        Sse::<stream::Empty<Frame>>::CONTENT_TYPE,
        "text/event-stream"
    );
}

#[test]
fn a_reader_that_comes_back_sees_each_frame_once() {
    // What a history has, then what a subscription has that is older than the query.
    let both = || frames([1, 2, 3, 4]).chain(frames([3, 4, 5, 0, 6]));
    assert_eq!(
        sequence(&body(Sse::new(both()).resume_after("2"))),
        [3, 4, 5, 0, 6]
    );
    assert_eq!(
        sequence(&body(Sse::new(both()).resume_after(" x"))),
        [1, 2, 3, 4, 5, 0, 6]
    );
    assert_eq!(
        sequence(&body(Sse::new(both()))),
        [1, 2, 3, 4, 3, 4, 5, 0, 6]
    );
}

#[test]
fn a_subscription_is_streamed_without_hidden_events_and_with_what_was_missed() {
    let bus = Bus::new();
    let subscription = bus.subscribe_with(2, Overflow::DropOldest);
    for cursor in 1..=4 {
        let mut data = data(cursor);
        if cursor == 3 {
            data.visibility = Visibility::Internal;
        }
        bus.publish(Event::new(data));
    }
    bus.close();
    let text = body(Sse::new(subscription));
    let json = serde_json::to_string(&frame(4)).unwrap();
    assert_eq!(
        text,
        format!(": connected\n\nevent: lagged\ndata: {{\"missed\":2}}\n\ndata: {json}\n\n")
    );
}

#[test]
fn a_run_is_streamed_to_its_end() {
    let capture = capture();
    capture.record(|| {
        let work = async { Ok::<_, std::io::Error>(()) };
        let run =
            tracing_genai::frame::stream(capture.telemetry().bus(), workflow("trip").root(), work);
        assert_eq!(sequence(&body(Sse::new(run))).len(), 2);
    });
}

#[test]
fn a_silent_stream_says_that_it_lives_and_then_goes_on() {
    let bus = Bus::new();
    // No timer in this runtime: the heartbeat needs none.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sse = Sse::new(bus.subscribe()).heartbeat(Some(Duration::from_millis(5)));
        let mut sse = std::pin::pin!(sse);
        assert_eq!(sse.next().await.unwrap(), ": connected\n\n");
        for _ in 0..3 {
            assert_eq!(sse.next().await.unwrap(), ": keep-alive\n\n");
        }
        bus.publish(Event::new(data(1)));
        assert!(sse.next().await.unwrap().starts_with("data: "));
        assert_eq!(sse.next().await.unwrap(), ": keep-alive\n\n");
        bus.close();
        let rest = sse.collect::<Vec<_>>().await;
        assert!(
            rest.iter().all(|text| text == ": keep-alive\n\n"),
            "{rest:?}"
        );
    });
}

#[test]
fn without_a_heartbeat_and_within_its_time_nothing_is_said() {
    use futures_util::FutureExt as _;
    assert_eq!(
        Sse::<stream::Empty<Frame>>::HEARTBEAT,
        Duration::from_secs(15)
    );
    for silence in [None, Some(Duration::from_secs(15)), Some(Duration::MAX)] {
        let silent = stream::pending::<Frame>();
        let mut sse = std::pin::pin!(Sse::new(silent).heartbeat(silence));
        assert!(sse.next().now_or_never().is_some());
        assert!(sse.next().now_or_never().is_none());
    }
}
