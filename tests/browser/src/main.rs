//! A program with a page, driven by lines on its standard input; answers are lines of JSON on its standard output.
//!
//! `fixture [ADDRESS [CAPTURE]]` tells `{"url": …}`, then obeys: `run`, `fail`, `hostile`, `open`, `close`, `many N`, `runs N`,
//! `rate PER_SECOND SECONDS`, `words`, `numbers`, `large`, `deep N`, `progress N`, `quit`. `run` answers with what was exported, which is what the page has to show.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::{SpanId, Value as Attribute};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::time::sleep;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::Usage;
use tracing_genai::message::{Message, Part};
use tracing_genai::viewer::Viewer;
use tracing_genai::{
    ActiveSpan, Plain, Telemetry, agent, chat, retrieval, starters, step, tool, workflow,
};

type Failure = Box<dyn Error>;

const SOON: Duration = Duration::from_secs(20);

/// A call of a model, streamed in three pieces.
async fn think(question: &str, asks: bool) {
    let mut messages = vec![Message::user(question)];
    if !asks {
        messages.push(Message::tool("call_1", "14 °C and light rain in Paris"));
    }
    let call = chat("openai", "gpt-4o-mini")
        .system(
            "You plan trips. My key is sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL.",
        )
        .messages(&messages)
        .temperature(0.2)
        .streaming()
        .start();
    for piece in ["Bring ", "an ", "umbrella."] {
        sleep(Duration::from_millis(30)).await;
        call.chunk(piece);
    }
    let answer = if asks {
        Message::new(tracing_genai::message::Role::Assistant).part(Part::tool_call(
            Some("call_1"),
            "get_weather",
            json!({ "city": "Paris" }),
        ))
    } else {
        Message::assistant("Bring an umbrella.")
    };
    let (usage, reason) = if asks {
        (Usage::new().input(136).output(48), "tool_calls")
    } else {
        (Usage::new().input(257).output(22).cache_read(256), "stop")
    };
    call.response_model("gpt-4o-mini-2024-07-18")
        .usage(usage)
        .output(&[answer])
        .finish_reason(reason)
        .complete();
}

/// A trip planned: a step with a call, a tool with a plain span inside, a search, a check, another call.
async fn trip(fails: bool) {
    let run = agent("trip-planner")
        .session_id("session-1")
        .conversation_id("conversation-1")
        .start();
    let _ = run
        .run(async {
            let thinking = step("think").start();
            let _ = thinking
                .run(async {
                    think("A rainy weekend in Paris, please.", true).await;
                    Ok::<_, String>(())
                })
                .await;
            thinking.event("plan.refined").attr("tools", 1).emit();
            thinking.complete();
            let weather = tool("get_weather")
                .call_id("call_1")
                .arguments(json!({ "city": "Paris" }))
                .start();
            weather.progress("asking", 1, 2);
            let _ = weather
                .run(async {
                    let request =
                        tracing::info_span!("GET", otel.kind = "client", url.path = "/weather");
                    sleep(Duration::from_millis(20)).await;
                    drop(request);
                    Ok::<_, String>(())
                })
                .await;
            weather.result("14 °C and light rain in Paris").complete();
            let _ = retrieval("guides")
                .run(async {
                    sleep(Duration::from_millis(5)).await;
                    Ok::<_, String>(())
                })
                .await;
            let check = starters::guardrail("pii").start();
            check.allow();
            check.complete();
            if fails {
                chat("openai", "gpt-4o-mini")
                    .start()
                    .fail_as("rate_limit_exceeded");
            } else {
                think("And a hotel?", false).await;
            }
            Ok::<_, String>(())
        })
        .await;
    if fails {
        run.fail_as("rate_limit_exceeded");
    } else {
        run.complete();
    }
}

/// Names and texts that would like to be more than text.
fn hostile() {
    const NAMES: [&str; 5] = [
        "<script>window.pwned = 1</script>",
        "<img src=x onerror='window.pwned = 1'>",
        "\u{1b}[31mred\u{1b}[0m \u{1b}]0;owned\u{7}",
        "invoice\u{202e}fdp.exe\u{200b}\u{2066}",
        "javascript:window.pwned=1 __proto__ constructor \"'>{{7*7}}",
    ];
    let _ = agent("<b onmouseover=window.pwned=1>agent</b>").in_scope(|_| {
        for name in NAMES {
            let call = chat("openai", name)
                .messages(&[Message::user(name)])
                .start();
            call.set("app.note", name)
                .output(&[Message::assistant(name)])
                .event("note.taken")
                .message(name)
                .emit();
            call.fail_as(name);
            let _ = tool(name)
                .arguments(json!({ name: name }))
                .in_scope(|_| Err::<(), _>(name));
        }
        step(&"long name ".repeat(400)).start().complete();
        Ok::<_, String>(())
    });
}

/// A run that fails because a tool says why, in words.
fn told() {
    let run = agent("booker").start();
    let _ = run.in_scope(|| {
        tool("book_hotel").in_scope(|_| {
            Err::<(), _>(std::io::Error::other(
                "the hotel answered 503: closed for the winter",
            ))
        })
    });
    run.fail(&std::io::Error::other(
        "no room was found: the hotel answered 503",
    ));
}

/// Numbers that a browser would round.
fn numbers() {
    let _ = agent("counter").in_scope(|run| {
        run.set("app.order", 9_007_199_254_740_993_i64);
        tool("lookup")
            .arguments(json!({ "order": 12_345_678_901_234_567_890_u64, "rate": 1.5 }))
            .start()
            .complete();
        Ok::<_, String>(())
    });
}

/// Steps in steps.
fn deep(n: usize) {
    if n > 0 {
        let _ = step(&format!("level {n}")).in_scope(|_| {
            deep(n - 1);
            Ok::<_, String>(())
        });
    }
}

/// A megabyte of text, in a name, in a prompt, and of what has no ink.
fn large() {
    let text = "All work and no play. ".repeat(48_000);
    let _ = agent(&text).in_scope(|_| {
        let call = chat("openai", "gpt-4o")
            .messages(&[Message::user(&text)])
            .start();
        call.output(&[Message::assistant("\0".repeat(1_000_000))])
            .complete();
        tool(&text).start().fail_as(&text);
        Ok::<_, String>(())
    });
}

/// One run with `n` spans of every kind.
fn many(n: usize) {
    let _ = workflow("nightly").in_scope(|_| {
        let mut left = n.saturating_sub(1);
        let mut batch = 0;
        while left > 0 {
            let group = step(&format!("batch {batch}")).start();
            left -= 1;
            batch += 1;
            group.in_scope(|| {
                for i in 0..left.min(49) {
                    left -= 1;
                    one(batch * 50 + i);
                }
            });
            group.complete();
        }
        Ok::<_, String>(())
    });
}

/// A short span, of a kind that goes by its number.
fn one(i: usize) {
    match i % 4 {
        0 => {
            let call = chat("openai", "gpt-4o").start();
            call.usage(Usage::new().input(i as u64).output(7))
                .complete();
        }
        1 => tool("lookup").start().complete(),
        2 => drop(tracing::info_span!("SELECT", otel.kind = "client")),
        _ => {
            let search = retrieval("docs").start();
            if i % 97 == 3 {
                search.fail_as("timeout")
            } else {
                search.complete()
            }
        }
    }
}

/// So many spans a second, in one run that is open meanwhile.
async fn rate(per_second: usize, seconds: u64) {
    let run = agent("busy").start();
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(seconds) {
        let due = (start.elapsed().as_secs_f64() * per_second as f64) as usize;
        run.in_scope(|| {
            while done < due {
                done += 1;
                one(done);
            }
        });
        sleep(Duration::from_millis(5)).await;
    }
    run.complete();
}

// === what was exported ===

fn attribute(span: &SpanData, name: &str) -> Option<Value> {
    let found = span.attributes.iter().find(|kv| kv.key.as_str() == name)?;
    match &found.value {
        Attribute::I64(n) => Some(json!(n)),
        Attribute::F64(x) => Some(json!(x)),
        Attribute::Bool(yes) => Some(json!(yes)),
        other => Some(json!(other.to_string())),
    }
}

fn pick(span: &SpanData, names: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let found = names
        .iter()
        .filter_map(|(short, name)| Some(((*short).to_owned(), attribute(span, name)?)));
    found.collect()
}

fn exported(exporter: &InMemorySpanExporter) -> Result<Value, Failure> {
    let spans = exporter.get_finished_spans()?;
    let row = |span: &SpanData| {
        let mut row = pick(
            span,
            &[
                ("input", "gen_ai.usage.input_tokens"),
                ("output", "gen_ai.usage.output_tokens"),
                ("cached", "gen_ai.usage.cache_read.input_tokens"),
                ("cost", "gen_ai.usage.cost"),
                ("ttfc", "gen_ai.response.time_to_first_chunk"),
            ],
        );
        row.insert(
            "id".to_owned(),
            json!(span.span_context.span_id().to_string()),
        );
        row.insert("name".to_owned(), json!(span.name));
        // Times leave in whole microseconds since the epoch, as the page gets them.
        let micros = |at: SystemTime| {
            at.duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_micros()
        };
        let lived = micros(span.end_time) - micros(span.start_time);
        row.insert("micros".to_owned(), json!(lived as u64));
        row
    };
    let root = spans
        .iter()
        .find(|span| span.parent_span_id == SpanId::INVALID)
        .ok_or("nothing was exported")?;
    let totals = pick(
        root,
        &[
            ("calls", "llm.total_calls"),
            ("tools", "llm.total_tool_calls"),
            ("input", "gen_ai.aggregated_usage.input_tokens"),
            ("output", "gen_ai.aggregated_usage.output_tokens"),
            ("cost", "gen_ai.aggregated_usage.cost"),
        ],
    );
    Ok(json!({
        "trace": root.span_context.trace_id().to_string(),
        "root": root.span_context.span_id().to_string(),
        "spans": spans.iter().map(row).collect::<Vec<_>>(),
        "totals": totals,
    }))
}

fn tell(what: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}")?;
    out.flush()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let capture = match arguments.next().as_deref() {
        Some("metadata") => CaptureMode::Metadata,
        Some("redacted") => CaptureMode::Redacted,
        Some("full") => CaptureMode::Full,
        _ => CaptureMode::Off,
    };
    let token = arguments.next();
    let viewer = token
        .iter()
        .fold(Viewer::new(address), |viewer, token| viewer.token(token));
    let exporter = InMemorySpanExporter::default();
    let telemetry = Telemetry::builder("browser-test")
        .environment(|_| None)
        .capture(capture)
        .span_exporter(exporter.clone())
        .viewer(viewer)
        .build()?;
    telemetry.install()?;
    let url = telemetry
        .viewer()
        .ok_or("there is no page")?
        .url()
        .to_owned();
    tell(&json!({ "url": url }))?;

    let mut open: Option<(ActiveSpan<Plain>, ActiveSpan<Plain>)> = None;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        exporter.reset();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| {
            words
                .get(at)
                .and_then(|word| word.parse::<usize>().ok())
                .unwrap_or(1)
        };
        match words.first().copied().unwrap_or_default() {
            "run" => trip(false).await,
            "fail" => trip(true).await,
            "hostile" => hostile(),
            "words" => told(),
            "numbers" => numbers(),
            "large" => large(),
            "deep" => {
                let _ = agent("diver").in_scope(|_| {
                    deep(number(1));
                    Ok::<_, String>(())
                });
            }
            "progress" => {
                if let Some((_, wait)) = &open {
                    wait.event("waiting").attr("left", number(1) as i64).emit();
                }
            }
            "many" => many(number(1)),
            "runs" => {
                for i in 0..number(1) {
                    let _ = agent(&format!("agent-{}", i % 5)).in_scope(|_| {
                        one(i * 4);
                        Ok::<_, String>(())
                    });
                }
            }
            "rate" => rate(number(1), number(2) as u64).await,
            "open" => {
                let run = agent("waiting").start();
                let wait = run.in_scope(|| tool("ask_a_person").start());
                open = Some((run, wait));
            }
            "close" => {
                if let Some((run, wait)) = open.take() {
                    wait.complete();
                    run.complete();
                }
            }
            "quit" => break,
            other => tell(&json!({ "error": format!("what is {other:?}?") }))?,
        }
        let report = telemetry.flush(SOON);
        tell(&exported(&exporter).unwrap_or_else(
            |why| json!({ "nothing": why.to_string(), "delivered": report.is_complete() }),
        ))?;
    }
    telemetry.shutdown_async().await;
    Ok(())
}
