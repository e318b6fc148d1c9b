//! Events that follow from an imported one: verdicts a foreign system reports inside another event.
//!
//! Promise: each names the event it follows from as its cause.

use serde_json::Value as Json;

use crate::{
    event::{EventData, EventType, Phase, Subject, Value},
    semconv,
};

/// One `evaluation.result` per verdict in the event.
pub(super) fn following(event: &EventData) -> Vec<EventData> {
    match (event.ty.subject(), event.flavor.as_str()) {
        (Subject::EVALUATION, "agent") if event.phase == Phase::Completed => {
            vec![result(
                event,
                &["gen_ai.evaluation.", "gen_ai.agent.", "step."],
            )]
        }
        (Subject::WORKFLOW, "scenario") if event.phase.is_terminal() => scenario(event),
        _ => Vec::new(),
    }
}

/// A result with those attributes of the event whose names begin so.
fn result(event: &EventData, inherited: &[&str]) -> EventData {
    let ty = EventType::new(Subject::EVALUATION, Phase::from("result"));
    let mut result = EventData::new(ty, event.time);
    result.flavor = event.flavor.clone();
    result.visibility = event.visibility;
    result.who = event.who.clone();
    result.cx = event.cx;
    (result.cx.started_event, result.cx.triggered_by) = (None, Some(event.id));
    let handed_down = event
        .attrs
        .iter()
        .filter(|(name, _)| inherited.iter().any(|prefix| name.starts_with(prefix)));
    result
        .attrs
        .extend(handed_down.map(|(name, value)| (name.to_owned(), value.clone())));
    result
}

fn scenario(event: &EventData) -> Vec<EventData> {
    const IDS: &[&str] = &[
        "scenario.id",
        "scenario.run.",
        "scenario.batch_run.",
        "scenario.set.",
    ];
    let list = |name| {
        event
            .attr(name)
            .and_then(Value::as_array)
            .unwrap_or_default()
    };
    let undecided = list("scenario.criteria.inconclusive");
    // What could not be decided is listed as unmet as well.
    let unmet: Vec<_> = list("scenario.criteria.unmet")
        .iter()
        .filter(|criterion| !undecided.contains(criterion))
        .cloned()
        .collect();
    let verdicts = [
        (list("scenario.criteria.met"), "pass", Some(1.0)),
        (&unmet, "fail", Some(0.0)),
        (undecided, "inconclusive", None),
    ];
    let mut results = Vec::new();
    for (criteria, label, score) in verdicts {
        for criterion in criteria {
            let mut result = result(event, IDS);
            result
                .attrs
                .set(semconv::GEN_AI_EVALUATION_NAME, criterion.to_string());
            result
                .attrs
                .set(semconv::GEN_AI_EVALUATION_SCORE_LABEL, label);
            if let Some(score) = score {
                result
                    .attrs
                    .set(semconv::GEN_AI_EVALUATION_SCORE_VALUE, score);
            }
            results.push(result);
        }
    }
    for evaluation in list("scenario.evaluations") {
        if let Value::Json(Json::Object(fields)) = evaluation {
            let mut result = result(event, IDS);
            for (field, json) in fields.iter().filter(|(_, json)| !json.is_null()) {
                result.attrs.set(evaluation_attr(field), json.clone());
            }
            results.push(result);
        }
    }
    results
}

/// What a field of an evaluator's report is called here.
fn evaluation_attr(field: &str) -> String {
    match field {
        "name" => semconv::GEN_AI_EVALUATION_NAME.to_owned(),
        "score" => semconv::GEN_AI_EVALUATION_SCORE_VALUE.to_owned(),
        "label" => semconv::GEN_AI_EVALUATION_SCORE_LABEL.to_owned(),
        "details" | "reasoning" => semconv::GEN_AI_EVALUATION_EXPLANATION.to_owned(),
        other => format!("evaluation.{other}"),
    }
}
