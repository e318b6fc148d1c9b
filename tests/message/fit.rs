//! What fits a budget.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracing_genai::message::fit::{self, Cut, Unfit};
use tracing_genai::message::{Message, Part};

use super::{
    Schema, any_json, any_message, any_messages, any_part, any_text, assert_valid, text_message,
};

fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn what_fits_is_as_it_was_to_the_byte() {
    let written = "[ {\"role\" : \"user\",\"parts\":[ ] } ]";
    let fitted = fit::json_text(written, written.len()).unwrap();
    assert!(matches!(fitted.json, std::borrow::Cow::Borrowed(text) if text == written));
    assert!(fitted.cut.is_none());
}

#[test]
fn the_newest_messages_stay_whole_the_longest_and_older_ones_keep_their_roles() {
    let history = [
        Message::user("old ".repeat(100)),
        Message::assistant("middle ".repeat(100)),
        Message::user("What is the weather?"),
    ];
    let fitted = fit::messages(&history, 700).unwrap();
    let json = read(&fitted.json);
    let roles: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].clone())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(json[2]["parts"][0]["content"], "What is the weather?");
    assert_eq!(
        json[0]["parts"][0]["content"],
        "old old old old o…[cut 383 bytes]"
    );
    assert!(
        json[1]["parts"][0]["content"]
            .as_str()
            .unwrap()
            .starts_with("middle middle")
    );
    assert_eq!(fitted.cut.values, 2);
}

#[test]
fn messages_that_are_left_out_are_counted_in_one_that_stands_for_them() {
    let history: Vec<Message> = (0..1000)
        .map(|at| Message::user(format!("message {at} {}", "x".repeat(90))))
        .collect();
    let fitted = fit::messages(&history, 2000).unwrap();
    let json = read(&fitted.json);
    let gone = json[0]["parts"][0]["messages"].as_u64().unwrap();
    assert_eq!(json[0]["parts"][0]["type"], "cut");
    assert_eq!(gone, fitted.cut.messages);
    assert_eq!(gone as usize + json.as_array().unwrap().len() - 1, 1000);
    let last = json.as_array().unwrap().last().unwrap();
    assert_eq!(
        last["parts"][0]["content"].as_str().unwrap().len(),
        "message 999 ".len() + 90
    );
    assert_valid(Schema::Input, &json);
}

#[test]
fn parts_and_the_finish_reason_are_there_in_the_smallest_text_there_is() {
    let mut answer = Message::assistant("word ".repeat(1000)).finish_reason("max_tokens");
    answer
        .parts
        .extend((0..50).map(|_| Part::text("more ".repeat(50))));
    let least = (0..1000)
        .find(|max| fit::messages(std::slice::from_ref(&answer), *max).is_ok())
        .unwrap();
    assert!(least < 200, "{least}");
    for max in least..least + 500 {
        let fitted = fit::messages(std::slice::from_ref(&answer), max).unwrap();
        let json = read(&fitted.json);
        assert!(fitted.json.len() <= max);
        assert_eq!(json[0]["finish_reason"], "length");
        assert!(!json[0]["parts"].as_array().unwrap().is_empty());
        assert_valid(Schema::Output, &json);
    }
    assert_eq!(fit::messages(&[answer], least - 1), Err(Unfit::TooSmall));
}

#[test]
fn a_picture_is_whole_or_a_mark_and_gives_way_to_text() {
    let message = Message::user("What is on it?").part(Part::blob("image/png", "QUJD".repeat(100)));
    let json = read(
        &fit::messages(std::slice::from_ref(&message), 300)
            .unwrap()
            .json,
    );
    assert_eq!(json[0]["parts"][0]["content"], "What is on it?");
    assert_eq!(json[0]["parts"][1]["content"], "[cut 400 bytes]");
    let whole = fit::messages(&[message], 600).unwrap();
    assert!(whole.cut.is_none());
}

#[test]
fn arguments_are_cut_inside_their_strings_and_stay_an_object() {
    let arguments =
        json!({"path": "/tmp/a", "body": "x".repeat(5000), "mode": 7, "list": [1, 2, 3]});
    let fitted = fit::json(&arguments, 400).unwrap();
    let cut = read(&fitted.json);
    assert_eq!(
        (&cut["path"], &cut["mode"], &cut["list"]),
        (&json!("/tmp/a"), &json!(7), &json!([1, 2, 3]))
    );
    let body = cut["body"].as_str().unwrap();
    let (kept, mark) = body.split_once('…').unwrap();
    assert_eq!(mark, format!("[cut {} bytes]", 5000 - kept.len()));
    assert_eq!(fitted.cut.bytes, 5000 - kept.len() as u64);
}

#[test]
fn messages_in_a_providers_own_form_keep_the_newest_as_well() {
    let history = json!([
        {"role": "user", "content": "old ".repeat(200)},
        {"role": "assistant", "content": "new answer"},
    ]);
    let json = read(&fit::json_text(&history.to_string(), 250).unwrap().json);
    assert_eq!(json[1]["content"], "new answer");
    assert!(json[0]["content"].as_str().unwrap().contains("[cut "));
    assert_valid(Schema::Input, &json);
}

#[test]
fn messages_that_are_none_of_ours_are_cut_as_json_and_nothing_of_them_is_lost_unseen() {
    let odd = json!([{"role": "user", "parts": ["no part", {"type": "text", "content": "y".repeat(500)}]}]);
    let fitted = fit::json_text(&odd.to_string(), 150)
        .map(|fitted| read(&fitted.json))
        .unwrap();
    assert_eq!(fitted[0]["parts"][0], "no part");
}

#[test]
fn instructions_are_cut_from_their_end() {
    let parts = [Part::text("Rules first."), Part::text("and ".repeat(500))];
    let json = read(&fit::parts(&parts, 200).unwrap().json);
    assert_eq!(json[0]["content"], "Rules first.");
    assert_valid(Schema::System, &json);
    let foreign = json!(parts).to_string();
    assert_eq!(read(&fit::json_text(&foreign, 200).unwrap().json), json);
}

#[test]
fn text_that_is_no_json_is_said_to_be_none() {
    for bad in [
        "",
        "hello",
        "[{\"role\":",
        "{'a':1}",
        "[1,]",
        "\"\u{1}\"",
        "nul",
        "[1] x",
    ] {
        for max in [0, 3, 1000] {
            assert_eq!(
                fit::json_text(bad, max),
                Err(Unfit::NotJson),
                "{bad:?} {max}"
            );
        }
    }
}

#[test]
fn half_of_a_surrogate_pair_becomes_the_replacement_character_and_a_whole_one_stays() {
    for (given, wanted) in [
        (r#""cut \ud83d""#, r#""cut \ufffd""#),
        (r#""\ude00\uD83D x""#, r#""\ufffd\ufffd x""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
        (r#""\\ud83d""#, r#""\\ud83d""#),
        (r#""\u00e9\ud83d\n""#, r#""\u00e9\ufffd\n""#),
    ] {
        assert_eq!(fit::json_text(given, 100).unwrap().json, wanted);
    }
    let long = format!(r#"{{"a":"{}\ud83d"}}"#, "b".repeat(200));
    assert!(fit::json_text(&long, 100).is_ok());
}

#[test]
fn a_mark_is_not_taken_for_content_and_counts_what_is_missing() {
    let text = "é".repeat(100);
    let once = fit::text(&text, 80);
    assert!(once.len() <= 80);
    let (kept, mark) = once.split_once('…').unwrap();
    assert_eq!(mark, format!("[cut {} bytes]", 200 - kept.len()));
    for max in 0..210 {
        assert!(fit::text(&text, max).len() <= max);
    }
}

#[test]
fn nothing_cut_is_no_cut() {
    assert!(Cut::default().is_none());
    assert_eq!(fit::messages(&[], 2).unwrap().json, "[]");
    assert_eq!(fit::messages(&[], 1), Err(Unfit::TooSmall));
    assert_eq!(fit::parts(&[], 2).unwrap().json, "[]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn messages_fit_or_are_absent_and_stay_valid(messages in any_messages(), max in 0usize..1500) {
        let whole = serde_json::to_string(&messages).unwrap();
        match fit::messages(&messages, max) {
            Ok(fitted) => {
                prop_assert!(fitted.json.len() <= max);
                prop_assert_eq!(fitted.cut.is_none(), fitted.json == whole.as_str());
                let json = read(&fitted.json);
                assert_valid(Schema::Input, &json);
                let list = json.as_array().unwrap();
                let marks = usize::from(fitted.cut.messages > 0);
                prop_assert_eq!(list.len() - marks + fitted.cut.messages as usize, messages.len());
                for (left, given) in list.iter().rev().zip(messages.iter().rev()) {
                    prop_assert_eq!(left["role"].as_str(), Some(given.role.as_str()));
                    prop_assert_eq!(left["finish_reason"].as_str(), given.finish_reason.as_deref());
                }
                // Again, from its text as a foreign span's: unchanged, and the same each time.
                let again = fit::json_text(&fitted.json, max).unwrap();
                prop_assert_eq!(&again.json, &fitted.json);
                prop_assert!(again.cut.is_none());
                prop_assert_eq!(fit::messages(&messages, max).unwrap(), fitted);
            }
            Err(error) => {
                prop_assert_eq!(error, Unfit::TooSmall);
                prop_assert!(whole.len() > max);
            }
        }
    }

    #[test]
    fn output_messages_stay_valid_output(messages in prop::collection::vec(any_message(), 1..4), max in 100usize..900) {
        let all = super::conversation(messages).output_messages();
        if let Ok(fitted) = fit::json(&all, max) {
            prop_assert!(fitted.json.len() <= max);
            assert_valid(Schema::Output, &read(&fitted.json));
        }
    }

    #[test]
    fn instructions_fit_or_are_absent_and_stay_valid(parts in prop::collection::vec(any_part(), 0..6), max in 0usize..900) {
        if let Ok(fitted) = fit::parts(&parts, max) {
            prop_assert!(fitted.json.len() <= max);
            assert_valid(Schema::System, &read(&fitted.json));
            prop_assert_eq!(&fit::json_text(&fitted.json, max).unwrap().json, &fitted.json);
        } else {
            prop_assert!(serde_json::to_string(&parts).unwrap().len() > max);
        }
    }

    #[test]
    fn any_json_fits_from_48_bytes_on_and_is_json_of_its_kind(json in any_json(), max in 0usize..600) {
        match fit::json(&json, max) {
            Ok(fitted) => {
                prop_assert!(fitted.json.len() <= max, "{} > {max}: {}", fitted.json.len(), fitted.json);
                let cut = read(&fitted.json);
                prop_assert_eq!(std::mem::discriminant(&cut), std::mem::discriminant(&json));
                prop_assert_eq!(&fit::json_text(&fitted.json, max).unwrap().json, &fitted.json);
                prop_assert_eq!(fitted.cut.is_none(), cut == json);
            }
            Err(error) => {
                prop_assert_eq!(error, Unfit::TooSmall);
                prop_assert!(max < 48);
            }
        }
    }

    #[test]
    fn no_text_makes_it_fail(text in "(\\PC|[\\[\\]{}\",:\\\\ud8]){0,200}", more in any_text(), max in 0usize..300) {
        for text in [&text, &more, &format!("[\"{text}\",{{\"{more}")] {
            if let Ok(fitted) = fit::json_text(text, max) {
                prop_assert!(fitted.json.len() <= max);
                serde_json::from_str::<serde::de::IgnoredAny>(&fitted.json).unwrap();
            }
            prop_assert!(fit::text(text, max).len() <= max);
        }
    }
}

#[test]
fn a_foreign_conversation_of_a_single_text_keeps_its_form() {
    let json = json!([text_message("user", "hi")]).to_string();
    assert_eq!(fit::json_text(&json, 1000).unwrap().json, json);
}
