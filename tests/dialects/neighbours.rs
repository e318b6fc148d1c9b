use serde_json::json;
use tracing::instrument;
use tracing_genai::testing::capture;

use super::{attr, events};

#[test]
fn a_span_of_the_applications_own_with_plain_names_stays_what_it_is() {
    let capture = capture();
    capture.record(|| {
        tracing::info_span!(target: "my_app", "load", model = "car", provider = "acme", prompt_tokens = 3, error = "none", tool = "hammer", input.value = "x")
            .in_scope(|| {});
        tracing::info_span!(target: "my_app", "tool", otel.name = "tool.X").in_scope(|| {});
        tracing::info_span!(target: "my_app", "llm.generate", provider = "acme", model = "car").in_scope(|| {});
    });
    let span = capture.span("load");
    assert_eq!(attr(&span, "model"), json!("car"));
    assert_eq!(attr(&span, "provider"), json!("acme"));
    assert_eq!(attr(&span, "prompt_tokens"), json!(3));
    assert_eq!(attr(&span, "input.value"), json!("x"));
    assert_eq!(attr(&span, "gen_ai.request.model"), json!(null));
    assert!(events(&capture).iter().all(|ty| ty.starts_with("step.")));
}

#[instrument(err, fields(genai.subject = "step"))]
fn load(fail: bool) -> Result<u32, String> {
    if fail { Err("no".to_owned()) } else { Ok(1) }
}

#[instrument(err, fields(gen_ai.operation.name = "execute_tool", gen_ai.tool.name = "search"))]
async fn search() -> Result<u32, String> {
    Ok(1)
}

#[test]
fn a_plain_instrumented_step_tells_its_start_and_its_end() {
    let capture = capture();
    capture.record(|| {
        load(false).unwrap();
        load(true).unwrap_err();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(search()).unwrap();
    });
    assert_eq!(
        events(&capture),
        [
            "step.started",
            "step.completed",
            "step.started",
            "step.failed",
            "tool.call.started",
            "tool.call.completed"
        ]
    );
}
