//! Events by HTTP, against a real socket.

use std::time::Instant;

use serde_json::{Value, json};
use tracing_genai::Loss;
use tracing_genai::reporter::{HttpReporter, HttpReporterBuilder, HttpTarget};

use super::support::collector::{Answer, Collector, closed_address};
use super::*;

const KEY: &str = "canary-key-4711";

fn to(server: &Collector) -> HttpReporterBuilder {
    HttpReporter::builder()
        .endpoint(format!("{}/api/events?team=blue", server.endpoint()))
        .api_key(KEY)
}

/// Posts some events, and says how they fared and what was said.
fn post(
    reporter: HttpReporter,
    events: impl IntoIterator<Item = Event>,
) -> (tracing_genai::Tally, String) {
    let (builder, said) = queue(reporter);
    let reporting = builder.build().unwrap();
    reporting.listen().unwrap();
    events
        .into_iter()
        .for_each(|event| reporting.publish(event));
    assert!(reporting.drain(SOON).in_time);
    let said = said.lock().unwrap().clone();
    (reporting.stats(), said)
}

fn one() -> [Event; 1] {
    [event("workflow.started", "r", 1)]
}

#[test]
fn an_event_is_posted_as_its_json_with_the_key_in_both_headers() {
    let server = Collector::start();
    let sent = event("workflow.started", "r", 1);
    let (tally, _) = post(
        to(&server).header("x-team", "blue").build().unwrap(),
        [sent.clone()],
    );
    assert!(tally.is_complete());
    let request = &server.requests()[0];
    assert_eq!(request.path, "/api/events");
    assert_eq!(
        request.header("authorization"),
        Some("Bearer canary-key-4711")
    );
    assert_eq!(request.header("x-auth-token"), Some(KEY));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("x-team"), Some("blue"));
    let received: Event = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(received, sent);
    assert_eq!(received.time, sent.time, "given times are kept");
}

#[test]
fn statuses_are_permanent_or_tried_again() {
    for status in [300, 301, 304, 400, 401, 403, 404, 409, 410, 413, 422, 451] {
        let server = Collector::start();
        server.answer(Answer::with(
            status,
            &[("content-type", "application/json")],
            r#"{"message":"no such field"}"#,
        ));
        let (tally, said) = post(to(&server).build().unwrap(), one());
        assert_eq!(tally.dropped.get(&Loss::Permanent), Some(&1), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(&format!("HTTP {status}")), "{said}");
    }
    for status in [408, 429, 500, 502, 503, 504, 599] {
        let server = Collector::start();
        server.answer(Answer::status(status));
        let (tally, said) = post(to(&server).build().unwrap(), one());
        assert!(tally.is_complete(), "{status}: {tally}");
        assert_eq!(server.requests().len(), 2, "{status}");
        assert_eq!(said, "");
    }
}

#[test]
fn connections_that_are_refused_or_break_are_tried_again() {
    let server = Collector::start();
    server.answer(Answer::ResetUnread);
    server.answer(Answer::ResetRead);
    let (tally, _) = post(to(&server).build().unwrap(), one());
    assert!(tally.is_complete());
    assert_eq!(server.requests().len(), 3);

    let nobody = HttpReporter::builder()
        .endpoint(format!("http://{}", closed_address()))
        .build()
        .unwrap();
    let (tally, said) = post(nobody, one());
    assert_eq!(tally.dropped.get(&Loss::RetryExhausted), Some(&1));
    assert!(said.contains("refused"), "{said}");
}

#[test]
fn a_receiver_that_never_answers_is_given_up_after_the_timeout() {
    let server = Collector::start();
    (0..3).for_each(|_| server.answer(Answer::Hang));
    let (tally, said) = post(
        to(&server)
            .timeout(Duration::from_millis(50))
            .build()
            .unwrap(),
        one(),
    );
    assert_eq!(tally.dropped.get(&Loss::RetryExhausted), Some(&1));
    assert!(said.contains("no answer within 50ms"), "{said}");
}

#[test]
fn retry_after_is_waited_in_seconds_and_as_a_date() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    for after in ["1", &date] {
        let server = Collector::start();
        server.answer(Answer::with(429, &[("retry-after", after)], ""));
        let begun = Instant::now();
        let (tally, _) = post(to(&server).build().unwrap(), one());
        assert!(tally.is_complete());
        assert!(
            begun.elapsed() >= Duration::from_secs(1),
            "{after}: {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_2xx_is_delivered_whatever_its_body_is_and_no_more_of_it_is_read_than_allowed() {
    let endless = Answer::Drip(200);
    let large = Answer::with(
        200,
        &[("content-type", "application/json")],
        vec![b'x'; 20 << 20],
    );
    let bodies = [
        Answer::status(204),
        Answer::with(200, &[], ""),
        Answer::with(202, &[("content-type", "text/html")], "<html>"),
        Answer::with(200, &[("content-type", "application/json")], "not json"),
        large,
        endless,
    ];
    for answer in bodies {
        let server = Collector::start();
        server.answer(answer.clone());
        let read = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&read);
        let reporter =
            to(&server).on_response(move |response| *seen.lock().unwrap() = response.body().len());
        let (tally, said) = post(reporter.build().unwrap(), one());
        assert!(tally.is_complete(), "{tally}");
        assert_eq!((server.requests().len(), said.as_str()), (1, ""));
        assert!(*read.lock().unwrap() <= 64 * 1024);
    }
}

#[test]
fn a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    let (server, other) = (Collector::start(), Collector::start());
    let place = format!("{}/steal?token=secret", other.endpoint());
    for status in [301, 302, 303, 307, 308] {
        server.answer(Answer::with(status, &[("location", &place)], ""));
        let (tally, said) = post(to(&server).build().unwrap(), one());
        assert_eq!(tally.dropped.get(&Loss::Permanent), Some(&1));
        assert!(
            said.contains("redirects are not followed") && !said.contains("token=secret"),
            "{said}"
        );
    }
    assert_eq!(other.connections(), 0);
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn what_is_said_about_a_failure_has_no_key_no_content_and_no_payload() {
    let server = Collector::start();
    let audio = "UklGRiQA".repeat(64);
    let echo = format!("key {KEY} may not post data:audio/wav;base64,{audio}");
    server.answer(Answer::with(403, &[("content-type", "text/plain")], echo));
    let mut data = event("conversation.snapshot", "r", 1).into_data();
    data.body = Some(
        json!([{ "role": "user", "content": "CANARY" }, { "input_audio": { "data": audio } }])
            .into(),
    );
    let (_, said) = post(to(&server).build().unwrap(), [data.into()]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        !said.contains(KEY) && !said.contains("CANARY") && !said.contains("UklGRiQA"),
        "{said}"
    );
    assert!(
        said.contains("HTTP 403 (key [redacted] may not post <audio:"),
        "{said}"
    );
}

#[test]
fn the_answer_is_shown_once_a_batch_and_a_panic_there_costs_nothing() {
    let server = Collector::start();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&shown);
    for _ in 0..12 {
        server.answer(Answer::with(
            200,
            &[("content-type", "application/json")],
            r#"{"url":"https://watch.example/b"}"#,
        ));
    }
    let reporter = to(&server).on_response(move |response| {
        let url = response.json().unwrap()["url"].as_str().unwrap().to_owned();
        seen.lock().unwrap().push((
            response.batch_run_id().map(str::to_owned),
            url,
            response.status(),
        ));
    });
    let events = (0..12).map(|n| {
        let mut data = event("workflow.step", &format!("run {n}"), n).into_data();
        if n % 3 > 0 {
            data.attrs
                .set("scenario.batch_run.id", format!("batch {}", n % 3));
        }
        data.into()
    });
    let (tally, _) = post(reporter.build().unwrap(), events);
    assert!(tally.is_complete());
    let mut shown = shown.lock().unwrap().clone();
    shown.sort();
    let batches: Vec<_> = shown.iter().map(|(batch, ..)| batch.as_deref()).collect();
    assert_eq!(batches, [None, Some("batch 1"), Some("batch 2")]);
    assert!(
        shown
            .iter()
            .all(|(_, url, status)| url == "https://watch.example/b" && *status == 200)
    );

    let (voice, _) = Voice::captured();
    let reporter = to(&server)
        .voice(voice)
        .on_response(|_| panic!("a bug of the hook"));
    assert!(post(reporter.build().unwrap(), one()).0.is_complete());
}

#[test]
fn a_body_of_ones_own_is_posted_and_what_it_skips_is_no_loss() {
    let server = Collector::start();
    let reporter =
        to(&server).body(|event| (number(event) % 2 == 0).then(|| json!({ "n": number(event) })));
    let (tally, _) = post(
        reporter.build().unwrap(),
        (0..4).map(|n| event("workflow.step", "r", n)),
    );
    assert_eq!(
        (tally.delivered, tally.rejected, tally.total_dropped()),
        (2, 2, 0)
    );
    let bodies: Vec<Value> = server
        .requests()
        .iter()
        .map(|r| serde_json::from_slice(&r.body).unwrap())
        .collect();
    assert_eq!(bodies, [json!({ "n": 0 }), json!({ "n": 2 })]);
}

// === configuration ===

fn env(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
    let pairs: Vec<(String, String)> = pairs
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    move |name| {
        pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
    }
}

#[test]
fn each_systems_variables_say_where_to_with_its_own_key() {
    let server = Collector::start();
    let base = server.endpoint();
    let scenario = format!("{base}/mine");
    let keys = [
        ("LANGWATCH_API_KEY", "of-langwatch"),
        ("CYLESTIO_ACCESS_KEY", "of-cylestio"),
    ];
    for (variables, path, key) in [
        (
            vec![("SCENARIO_EVENTS_ENDPOINT", &*scenario)],
            "/mine",
            Some("of-langwatch"),
        ),
        (
            vec![("LANGWATCH_ENDPOINT", &*base)],
            "/api/scenario-events",
            Some("of-langwatch"),
        ),
        (
            vec![("LANGWATCH_ENDPOINT", &format!("{base}/"))],
            "/api/scenario-events",
            Some("of-langwatch"),
        ),
        (
            vec![
                ("SCENARIO_EVENTS_ENDPOINT", &*scenario),
                ("LANGWATCH_ENDPOINT", "http://nowhere.invalid"),
            ],
            "/mine",
            Some("of-langwatch"),
        ),
        (
            vec![
                ("SCENARIO_EVENTS_ENDPOINT", " "),
                ("LANGWATCH_ENDPOINT", &*base),
            ],
            "/api/scenario-events",
            Some("of-langwatch"),
        ),
        (
            vec![("CYLESTIO_TELEMETRY_ENDPOINT", &*base)],
            "/v1/telemetry",
            Some("of-cylestio"),
        ),
        (
            vec![(
                "CYLESTIO_TELEMETRY_ENDPOINT",
                &format!("{base}/v1/telemetry"),
            )],
            "/v1/telemetry",
            Some("of-cylestio"),
        ),
    ] {
        for with_keys in [true, false] {
            let mut all = variables.clone();
            if with_keys {
                all.extend(keys);
            }
            let reporter = HttpReporter::builder()
                .or_env_of(env(&all))
                .build()
                .unwrap();
            assert!(post(reporter, one()).0.is_complete(), "{variables:?}");
            let request = server.requests().pop().unwrap();
            assert_eq!(request.path, path, "{variables:?}");
            let key = key.filter(|_| with_keys);
            assert_eq!(request.header("x-auth-token"), key, "{variables:?}");
            assert_eq!(
                request.header("authorization"),
                key.map(|key| format!("Bearer {key}")).as_deref()
            );
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let cylestio = path.starts_with("/v1");
            assert_eq!(body["name"] == "workflow.started", cylestio, "{body}");
            assert_eq!(body["type"] == "SCENARIO_RUN_STARTED", !cylestio, "{body}");
        }
    }
    // Code goes first; without `or_env` no variable is read.
    let all = [
        ("SCENARIO_EVENTS_ENDPOINT", "http://nowhere.invalid"),
        ("LANGWATCH_API_KEY", "of-langwatch"),
    ];
    let reporter = HttpReporter::builder()
        .endpoint(&base)
        .api_key(KEY)
        .or_env_of(env(&all))
        .build()
        .unwrap();
    post(reporter, one());
    assert_eq!(
        server.requests().pop().unwrap().header("x-auth-token"),
        Some(KEY)
    );
    let reporter = HttpReporter::builder()
        .endpoint(&base)
        .or_env_of(env(&all))
        .build()
        .unwrap();
    post(reporter, one());
    assert_eq!(
        server.requests().pop().unwrap().header("x-auth-token"),
        Some("of-langwatch")
    );
    let reporter = HttpReporter::builder().endpoint(&base).build().unwrap();
    post(reporter, one());
    assert_eq!(
        server.requests().pop().unwrap().header("x-auth-token"),
        None
    );
}

#[test]
fn without_configuration_events_are_skipped_counted_and_said_once() {
    let (voice, said) = Voice::captured();
    let reporter = HttpReporter::builder()
        .voice(voice)
        .or_env_of(|_| None)
        .build()
        .unwrap();
    let (tally, warned) = post(reporter, (0..10).map(|n| event("workflow.step", "r", n)));
    assert_eq!(
        (tally.accepted, tally.rejected, tally.total_dropped()),
        (10, 10, 0)
    );
    let said = said.lock().unwrap();
    assert_eq!((said.lines().count(), warned.as_str()), (1, ""), "{said}");
    assert!(said.contains("SCENARIO_EVENTS_ENDPOINT"), "{said}");
}

#[test]
fn an_address_or_a_key_that_cannot_be_used_is_an_error_of_build_without_secrets() {
    let wrong = |builder: HttpReporterBuilder| {
        let debug = format!("{builder:?}");
        let error = builder.build().unwrap_err();
        let text = format!("{error} {error:?} {debug}");
        assert!(!text.contains("canary"), "{text}");
        error.to_string()
    };
    let good =
        || HttpReporter::builder().endpoint("https://user:canary@events.example/x?key=canary");
    for endpoint in [
        "ftp://h/canary",
        "http://",
        "https://h:0/",
        "https://h/\u{7f}",
        "h h",
        "https://user:canary@/?canary",
    ] {
        let text = wrong(HttpReporter::builder().endpoint(endpoint.replace("/canary", "/")));
        assert!(text.starts_with("endpoint is \""), "{text}");
    }
    assert!(
        wrong(HttpReporter::builder().endpoint("http://events.example")).contains("unencrypted")
    );
    for key in ["canary\r\nhost: evil", "canary\n", "canary\u{e9}"] {
        let text = wrong(good().api_key(key));
        assert!(text.starts_with("api_key: authorization has a "), "{text}");
    }
    assert!(wrong(good().header("x y", "canary")).contains("header"));
    assert!(wrong(good().header("host", "canary")).contains("host is set"));
    assert!(wrong(good().timeout(Duration::ZERO)).contains("`timeout`"));
    assert!(wrong(good().ca_certificate("/nowhere/ca.pem")).contains("/nowhere/ca.pem"));
    let env_key = [
        ("LANGWATCH_ENDPOINT", "https://events.example"),
        ("LANGWATCH_API_KEY", "canary\n"),
    ];
    assert!(
        wrong(HttpReporter::builder().or_env_of(env(&env_key))).starts_with("LANGWATCH_API_KEY: ")
    );
    let reporter = good().api_key("canary").build().unwrap();
    let target = HttpTarget::new("https://user:canary@events.example/?canary")
        .api_key("canary")
        .header("x", "canary");
    assert!(!format!("{reporter:?} {target:?}").contains("canary"));
    assert!(
        HttpReporter::builder()
            .endpoint("http://events.example")
            .allow_plaintext(true)
            .build()
            .is_ok()
    );
}

#[test]
fn a_scenario_run_arrives_as_its_own_documents_in_order_and_whole_though_it_is_tried_again() {
    use tracing_genai::Telemetry;
    use tracing_genai::content::CaptureMode;
    use tracing_genai::message::Message;
    use tracing_genai::scenario::{Results, Scenario, Snapshots};
    use tracing_subscriber::prelude::*;

    let server = Collector::start();
    // The second snapshot, a delta, is refused at first.
    for answer in [Answer::Ok, Answer::Ok, Answer::status(503)] {
        server.answer(answer);
    }
    let endpoint = server.endpoint();
    let variables = [
        ("SCENARIO_EVENTS_ENDPOINT", &*endpoint),
        ("LANGWATCH_API_KEY", "k"),
    ];
    let reporter = HttpReporter::builder()
        .or_env_of(env(&variables))
        .build()
        .unwrap();
    let telemetry = Telemetry::builder("scenarios")
        .environment(|_| None)
        .capture(CaptureMode::Redacted)
        .reporter(reporter)
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        let run = Scenario::new("weather query test")
            .snapshots(Snapshots::Delta)
            .start();
        let mut conversation = vec![Message::user("How is the weather?")];
        run.messages(&conversation);
        conversation.push(Message::assistant("Sunny."));
        run.messages(&conversation);
        run.finish(Results::success().met("Agent is helpful"));
    });
    let report = telemetry.shutdown();
    assert!(report.in_time, "{report}");
    let mut bodies: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    assert_eq!(bodies[2], bodies[3], "tried again unchanged");
    bodies.remove(2);
    let types: Vec<_> = bodies
        .iter()
        .map(|body| body["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "SCENARIO_RUN_STARTED",
            "SCENARIO_MESSAGE_SNAPSHOT",
            "SCENARIO_MESSAGE_SNAPSHOT",
            "SCENARIO_RUN_FINISHED",
        ]
    );
    assert_eq!(
        bodies[2]["messages"].as_array().unwrap().len(),
        2,
        "deltas are made whole"
    );
    assert_eq!(bodies[3]["results"]["verdict"], "success");
}
