use serde_json::json;
use tracing_genai::event::Usage;
use tracing_genai::testing::capture;
use tracing_genai::{agent, chat, embeddings};

use super::{attr, events};

// A framework and the client under it both tell of one call: it is one call, and no backend can add it twice.
#[test]
fn a_framework_and_its_client_make_one_call() {
    let capture = capture();
    capture
        .record(|| {
            agent("a").in_scope(|_| {
                let outer = chat("openai", "gpt-4o-mini").start();
                outer.in_scope(|| {
                    let inner = chat("openai", "gpt-4o-mini").start();
                    inner
                        .usage(Usage::new().input(100).output(20))
                        .finish_reason("stop")
                        .response_id("r1")
                        .complete();
                });
                outer.complete();
                Ok::<_, String>(())
            })
        })
        .unwrap();
    let spans = capture.spans();
    let told: Vec<_> = spans
        .iter()
        .filter(|s| s.attr("gen_ai.usage.input_tokens").is_some())
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(attr(told[0], "gen_ai.response.id"), json!("r1"));
    assert_eq!(
        attr(told[0], "gen_ai.response.finish_reasons"),
        json!(["stop"])
    );
    assert!(told[0].attr("gen_ai.usage.cost").is_some());
    let inner = spans
        .iter()
        .find(|s| s.parent_id == told[0].span_id)
        .unwrap();
    assert_eq!(attr(inner, "gen_ai.operation.name"), json!(null));
    let completed = events(&capture)
        .into_iter()
        .filter(|ty| ty == "llm.call.completed");
    assert_eq!(completed.count(), 1);
    assert_eq!(
        attr(&capture.span("invoke_agent a"), "llm.total_calls"),
        json!(1)
    );
}

#[test]
fn attempts_inside_one_call_are_added_up() {
    let capture = capture();
    capture.record(|| {
        let outer = chat("openai", "gpt-4o-mini").start();
        outer.in_scope(|| {
            for output in [5, 20] {
                chat("openai", "gpt-4o-mini")
                    .start()
                    .usage(Usage::new().input(100).output(output))
                    .complete();
            }
        });
        outer.complete();
    });
    let spans = capture.spans();
    let outer = spans
        .iter()
        .find(|s| s.attr("gen_ai.usage.input_tokens").is_some())
        .unwrap();
    assert_eq!(attr(outer, "gen_ai.usage.input_tokens"), json!(200));
    assert_eq!(attr(outer, "gen_ai.usage.output_tokens"), json!(25));
}

#[test]
fn embeddings_and_agents_inside_a_call_are_their_own() {
    let capture = capture();
    capture.record(|| {
        let outer = chat("openai", "gpt-4o-mini").start();
        outer.in_scope(|| {
            embeddings("openai", "text-embedding-3-small")
                .start()
                .usage(Usage::new().input(8))
                .complete();
            agent("inner")
                .in_scope(|_| {
                    chat("openai", "gpt-4o")
                        .start()
                        .usage(Usage::new().input(1).output(1))
                        .complete();
                    Ok::<_, String>(())
                })
                .unwrap();
        });
        outer.usage(Usage::new().input(100).output(20)).complete();
    });
    let told = capture
        .spans()
        .into_iter()
        .filter(|s| s.attr("gen_ai.usage.input_tokens").is_some());
    assert_eq!(told.count(), 3, "{}", capture.tree());
}

#[test]
fn a_call_that_outlives_the_one_around_it_keeps_what_it_knows() {
    let capture = capture();
    capture.record(|| {
        let outer = chat("openai", "gpt-4o-mini").start();
        let inner = outer.in_scope(|| chat("openai", "gpt-4o-mini").start());
        outer.complete();
        inner.usage(Usage::new().input(100).output(20)).complete();
    });
    let told = capture
        .spans()
        .into_iter()
        .filter(|s| s.attr("gen_ai.usage.input_tokens").is_some());
    assert_eq!(told.count(), 1);
}

#[test]
fn a_call_that_begins_below_one_that_has_ended_is_a_call_of_its_own() {
    for _ in 0..20 {
        let capture = capture();
        capture.record(|| {
            let first = chat("openai", "gpt-4o-mini").start();
            first.usage(Usage::new().input(1).output(1)).complete();
            first.in_scope(|| {
                chat("openai", "gpt-4o")
                    .start()
                    .usage(Usage::new().input(9).output(4))
                    .complete();
            });
        });
        let told = capture
            .spans()
            .into_iter()
            .filter(|s| s.attr("gen_ai.usage.input_tokens").is_some());
        assert_eq!(told.count(), 2, "{}", capture.tree());
    }
}
