//! Asking: each filter, order and cut, the same on both stores.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tracing_genai::event::{Event, EventData, EventType, Level, TraceId};
use tracing_genai::history::{By, History};

use super::events::{at, event, numbers, on_both};

/// Nine events of three agents, told apart by `n`.
fn story() -> Vec<Event> {
    type Change = fn(&mut EventData);
    let rows: [(&str, u64, Change); 9] = [
        ("agent.execution.started", 0, |e| {
            e.who.agent_id = Some("my-agent".into());
            e.who.agent_name = Some("planner".into());
        }),
        ("llm.call.started", 1, |e| {
            e.who.agent_id = Some("my-agent".into());
            e.who.agent_name = Some("planner".into());
            e.who.session_id = Some("s1".into());
            e.cx.trace = TraceId::from_bytes([7; 16]);
        }),
        ("llm.call.completed", 2, |e| {
            e.who.agent_id = Some("my-agent".into());
            e.who.session_id = Some("s1".into());
            e.attrs.set("gen_ai.response.model", "gpt-4o");
            e.attrs.set("user.id", "ada");
        }),
        ("tool.call.failed", 3, |e| {
            e.who.agent_name = Some("coder".into());
            e.who.conversation_id = Some("c1".into());
            e.body = Some(json!({"error": [{"reason": "the TimeOut of the socket"}]}).into());
        }),
        ("security.alert", 4, |e| {
            e.who.agent_name = Some("coder".into());
            e.who.conversation_id = Some("c1".into());
        }),
        ("llm.call.started", 5, |e| {
            e.who.agent_id = Some("other".into());
            e.channel = "my_channel".into();
        }),
        ("llm.call.failed", 6, |e| {
            e.who.agent_id = Some("other".into());
            e.cx.trace = TraceId::from_bytes([7; 16]);
            e.attrs.set("user.id", "bob");
        }),
        ("workflow.started", 7, |e| e.flavor = "crew".into()),
        ("billing.invoice.paid", 8, |e| {
            e.attrs.set("note", "50% \"off\" für_alle\n\\o/");
        }),
    ];
    rows.into_iter()
        .enumerate()
        .map(|(n, (ty, seconds, change))| {
            event(ty, seconds, |data| {
                data.attrs.set("n", n);
                change(data);
            })
        })
        .collect()
}

/// Checks, on both stores, that the view of the story is these events, oldest first.
#[track_caller]
fn expect(what: &str, view: impl Fn(&History) -> History, expected: &[i64]) {
    on_both(|on| {
        on.store.append(&story()).unwrap();
        let view = view(&on.history);
        let found = numbers(&view.oldest_first().fetch().unwrap());
        assert_eq!(found, expected, "{what} in {}", on.kind);
        let newest: Vec<_> = expected.iter().rev().copied().collect();
        assert_eq!(
            numbers(&view.fetch().unwrap()),
            newest,
            "{what} in {}",
            on.kind
        );
        assert_eq!(
            view.count().unwrap(),
            expected.len() as u64,
            "{what} in {}",
            on.kind
        );
    });
}

#[test]
fn without_a_filter_everything_is_returned_newest_first() {
    expect("all", History::clone, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn an_agent_is_found_by_its_id_and_by_its_name() {
    expect("id", |h| h.agent("my-agent"), &[0, 1, 2]);
    expect("name beside an id", |h| h.agent("planner"), &[0, 1]);
    expect("name alone", |h| h.agent("coder"), &[3, 4]);
    expect("nobody", |h| h.agent("nobody"), &[]);
    expect("empty", |h| h.agent(""), &[]);
}

#[test]
fn types_are_found_by_name_and_by_pattern_and_add_up() {
    let of = |ty: &'static str| move |h: &History| h.event_type(ty).unwrap();
    expect("type", of("llm.call.started"), &[1, 5]);
    expect("all phases", of("llm.call.*"), &[1, 2, 5, 6]);
    expect("all failures", of("*.failed"), &[3, 6]);
    expect("own type", of("billing.invoice.paid"), &[8]);
    expect("everything", of("*"), &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect("a type nobody emitted", of("memory.query.started"), &[]);
    expect(
        "two",
        |h| {
            h.event_type("llm.call.failed")
                .unwrap()
                .event_type("tool.*")
                .unwrap()
        },
        &[3, 6],
    );
    expect(
        "overlapping",
        |h| {
            h.event_type("llm.*")
                .unwrap()
                .event_type("llm.call.started")
                .unwrap()
        },
        &[1, 2, 5, 6],
    );
}

#[test]
fn the_seeds_names_for_types_are_accepted() {
    let of = |ty: &'static str| move |h: &History| h.event_type(ty).unwrap();
    expect("Cylestio's", of("LLM_call_start"), &[1, 5]);
    // A name that implies a flavor finds events of that flavor only.
    expect("crewAI's", of("crew_kickoff_started"), &[7]);
    expect("a pipeline is no crew", of("pipeline.started"), &[]);
}

#[test]
fn channel_level_session_conversation_user_and_trace_filter() {
    expect("channel", |h| h.channel("llm"), &[1, 2, 6]);
    expect("own channel", |h| h.channel("My_Channel"), &[5]);
    expect("exact level", |h| h.level(Level::Error), &[3, 6]);
    expect("level and above", |h| h.min_level(Level::Warn), &[3, 4, 6]);
    expect("alert alone", |h| h.min_level(Level::Alert), &[4]);
    expect("session", |h| h.session("s1"), &[1, 2]);
    expect("conversation", |h| h.conversation("c1"), &[3, 4]);
    expect("user", |h| h.user("ada"), &[2]);
    expect("trace", |h| h.trace(TraceId::from_bytes([7; 16])), &[1, 6]);
    expect(
        "outside any trace",
        |h| h.trace(TraceId::INVALID),
        &[0, 2, 3, 4, 5, 7, 8],
    );
}

#[test]
fn filters_of_different_kinds_must_all_hold() {
    expect(
        "agent, type, channel, session",
        |h| {
            h.agent("my-agent")
                .event_type("llm.*")
                .unwrap()
                .channel("LLM")
                .session("s1")
        },
        &[1, 2],
    );
    expect(
        "trace and level",
        |h| {
            h.trace(TraceId::from_bytes([7; 16]))
                .min_level(Level::Error)
        },
        &[6],
    );
    expect(
        "the last of a kind counts",
        |h| {
            h.agent("coder")
                .agent("other")
                .level(Level::Info)
                .level(Level::Error)
        },
        &[6],
    );
}

#[test]
fn times_include_their_beginning_and_exclude_their_end() {
    expect("between", |h| h.between(at(2), at(5)), &[2, 3, 4]);
    expect("since", |h| h.since(at(6)), &[6, 7, 8]);
    expect("before", |h| h.before(at(2)), &[0, 1]);
    expect("in the last hour", |h| h.last_hours(1), &[]);
    expect(
        "since ever",
        |h| h.last(Duration::MAX),
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    let nano = Duration::from_nanos(1);
    expect(
        "to the nanosecond",
        |h| h.between(at(2) + nano, at(3) + nano),
        &[3],
    );
}

#[test]
fn the_last_hours_and_days_end_now() {
    on_both(|on| {
        let ago = |n: i64, hours: u64| {
            let time = SystemTime::now() - Duration::from_secs(hours * 3600);
            let mut data = EventData::new(EventType::parse("a.b").unwrap(), time);
            data.attrs.set("n", n);
            data.into()
        };
        on.store
            .append(&[ago(0, 200), ago(1, 40), ago(2, 5)])
            .unwrap();
        let of = |view: History| numbers(&view.fetch().unwrap());
        assert_eq!(of(on.history.last_hours(24)), [2], "{}", on.kind);
        assert_eq!(of(on.history.last_days(7)), [2, 1], "{}", on.kind);
        assert_eq!(of(on.history.last_days(30)), [2, 1, 0], "{}", on.kind);
    });
}

#[test]
fn text_is_found_in_nested_bodies_and_any_case() {
    expect("nested", |h| h.search("timeout"), &[3]);
    expect("type", |h| h.search("LLM.CALL.S"), &[1, 5]);
    expect("attribute", |h| h.search("GPT"), &[2]);
    expect("wildcards are letters", |h| h.search("%"), &[8]);
    expect("another", |h| h.search("r_a"), &[8]);
    expect(
        "quotes and line feeds",
        |h| h.search("\"OFF\" für_alle\n\\O/"),
        &[8],
    );
    expect(
        "keys are not searched",
        |h| h.search("gen_ai.response"),
        &[],
    );
    expect("nor the JSON around", |h| h.search("\":\""), &[]);
    expect("beyond ASCII case counts", |h| h.search("FÜR"), &[]);
    expect(
        "nothing is everywhere",
        |h| h.search(""),
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
}

#[test]
fn limit_and_offset_cut_what_is_fetched_and_not_what_is_counted() {
    on_both(|on| {
        on.store.append(&story()).unwrap();
        let page = on.history.limit(3).offset(2);
        assert_eq!(numbers(&page.fetch().unwrap()), [6, 5, 4], "{}", on.kind);
        assert_eq!(
            numbers(&page.oldest_first().fetch().unwrap()),
            [2, 3, 4],
            "{}",
            on.kind
        );
        assert_eq!(page.count().unwrap(), 9, "{}", on.kind);
        assert_eq!(page.offset(8).fetch().unwrap().len(), 1, "{}", on.kind);
        assert!(page.limit(0).fetch().unwrap().is_empty(), "{}", on.kind);
        assert!(page.offset(100).fetch().unwrap().is_empty(), "{}", on.kind);
    });
}

#[test]
fn statistics_are_the_fold_over_the_events() {
    on_both(|on| {
        on.store.append(&story()).unwrap();
        let stats = on.history.stats().unwrap();
        assert_eq!(stats.events, 9, "{}", on.kind);
        assert_eq!((stats.first, stats.last), (Some(at(0)), Some(at(8))));
        let nothing = on.history.agent("nobody").stats().unwrap();
        assert_eq!(
            (nothing.events, nothing.first, nothing.last),
            (0, None, None)
        );

        let agents: Vec<_> = on
            .history
            .agents()
            .unwrap()
            .into_iter()
            .map(|agent| (agent.agent, agent.events, agent.first, agent.last))
            .collect();
        assert_eq!(
            agents,
            [
                ("other".to_owned(), 2, at(5), at(6)),
                ("coder".to_owned(), 2, at(3), at(4)),
                ("my-agent".to_owned(), 3, at(0), at(2)),
            ],
            "{}",
            on.kind
        );

        let by = |by| on.history.distribution(by).unwrap();
        let counts = |pairs: &[(&str, u64)]| {
            let pair = |(name, n): &(&str, u64)| (str::to_owned(name), *n);
            pairs.iter().map(pair).collect::<Vec<_>>()
        };
        assert_eq!(
            by(By::Level),
            counts(&[("INFO", 6), ("ERROR", 2), ("ALERT", 1)])
        );
        assert_eq!(
            by(By::Agent),
            counts(&[("my-agent", 3), ("", 2), ("coder", 2), ("other", 2)])
        );
        assert_eq!(by(By::Channel)[0], ("LLM".to_owned(), 3));
        assert_eq!(by(By::Type)[0], ("llm.call.started".to_owned(), 2));
        assert_eq!(
            on.history.agent("other").distribution(By::Type).unwrap(),
            counts(&[("llm.call.failed", 1), ("llm.call.started", 1)])
        );
    });
}

#[test]
fn a_second_time_and_a_replay_change_nothing() {
    on_both(|on| {
        let story = story();
        assert_eq!(on.store.append(&story).unwrap(), 9, "{}", on.kind);
        assert_eq!(on.store.append(&story[2..]).unwrap(), 0, "{}", on.kind);
        let mut replayed = event("llm.call.started", 99, |_| ()).into_data();
        replayed.replay = true;
        assert_eq!(
            on.store.append(&[replayed.into()]).unwrap(),
            0,
            "{}",
            on.kind
        );
        assert_eq!(on.history.count().unwrap(), 9, "{}", on.kind);
        let more = [story[0].clone(), event("a.b", 100, |_| ())];
        assert_eq!(on.store.append(&more).unwrap(), 1, "{}", on.kind);
    });
}

#[test]
fn a_view_stands_for_itself() {
    on_both(|on| {
        on.store.append(&story()).unwrap();
        let llm = on.history.channel("LLM");
        assert_eq!(llm.agent("my-agent").count().unwrap(), 2, "{}", on.kind);
        assert_eq!(llm.count().unwrap(), 3, "{}", on.kind);
        assert_eq!(on.history.count().unwrap(), 9, "{}", on.kind);
    });
}
