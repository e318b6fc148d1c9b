//! Building one of your own, and how it fails.

use std::borrow::Cow;

use serde_json::json;
use tracing_genai::event::Attrs;
use tracing_genai::security::redact::{Mask, RedactError, Redactor, Report, Secret};

fn text(redactor: &Redactor, text: &str) -> String {
    redactor.redact_str(text).into_owned()
}

#[test]
fn masks_show_what_they_say_on_real_findings() {
    let card = "4111 1111 1111 1111";
    for (rule, mask, found, shown) in [
        ("credit-card", Mask::Label, card, "[REDACTED:credit-card]"),
        ("credit-card", Mask::Full, card, "****"),
        ("credit-card", Mask::CreditCard, card, "****1111"),
        (
            "credit-card",
            Mask::text("[CREDIT_CARD]"),
            card,
            "[CREDIT_CARD]",
        ),
        (
            "email",
            Mask::Email,
            "ada@lovelace.dev",
            "a****@lovelace.dev",
        ),
        ("phone", Mask::Phone, "+49 30 901820", "+****20"),
        ("us-ssn", Mask::Ssn, "219-09-1234", "***-**-1234"),
        (
            "iban",
            Mask::Partial { keep: 4 },
            "DE89370400440532013000",
            "DE89****3000",
        ),
        (
            "sensitive-key",
            Mask::Partial { keep: 2 },
            r#"{"api_key":"abcdefgh"}"#,
            r#"{"api_key":"ab****gh"}"#,
        ),
    ] {
        let redactor = Redactor::builder()
            .mask(rule, mask.clone())
            .build()
            .unwrap();
        let once = text(&redactor, found);
        assert_eq!(once, shown, "{rule} {mask:?}");
        assert_eq!(text(&redactor, &once), once, "{rule} {mask:?} again");
    }
    let redactor = Redactor::builder()
        .default_mask(Mask::Full)
        .mask("email", Mask::Email)
        .build()
        .unwrap();
    assert_eq!(
        text(&redactor, "ada@lovelace.dev 4111111111111111"),
        "a****@lovelace.dev ****"
    );
}

#[test]
fn patterns_keys_exceptions_and_rules_are_your_own() {
    let redactor = Redactor::builder()
        .pattern("order", r"ORD-\d{6}", Mask::Label)
        .pattern("room", r"room (?P<secret>\d+)", Mask::Full)
        .keys(["employee_number"])
        .allow(["ada@lovelace.dev"])
        .allow_pattern(r".+@acme\.example")
        .allow_keys(["cookie"])
        .without("phone")
        .with("ip-address")
        .with("date-of-birth")
        .build()
        .unwrap();
    for (from, to) in [
        ("ORD-123456 in room 12", "[REDACTED:order] in room ****"),
        (
            "ada@lovelace.dev bob@acme.example eve@lovelace.dev",
            "ada@lovelace.dev bob@acme.example [REDACTED:email]",
        ),
        ("+49 30 901820", "+49 30 901820"),
        (
            "from 10.1.2.3 and 127.0.0.1",
            "from [REDACTED:ip-address] and 127.0.0.1",
        ),
        ("at 2001:db8::8a2e:370:7334.", "at [REDACTED:ip-address]."),
        (
            "date of birth: 10 December 1815",
            "date of birth: [REDACTED:date-of-birth]",
        ),
        (
            r#"{"hr":{"employeeNumber":"7","cookie":"c"},"o":"ORD-123456"}"#,
            r#"{"hr":{"employeeNumber":"[REDACTED:sensitive-key]","cookie":"c"},"o":"[REDACTED:order]"}"#,
        ),
        (
            "employee_number=a1b2c3d4e5",
            "employee_number=[REDACTED:credential]",
        ),
        (r#"{"order": 123}"#, r#"{"order": 123}"#),
    ] {
        assert_eq!(text(&redactor, from), to);
        assert_eq!(text(&redactor, to), to, "again");
    }
    let standard = Redactor::standard();
    assert_eq!(
        text(&standard, "10.1.2.3 born 1815-12-10"),
        "10.1.2.3 born 1815-12-10"
    );
}

#[test]
fn a_pattern_written_for_the_document_still_leaves_json() {
    let redactor = Redactor::builder()
        .pattern("pin", r#""pin":\s*"\d+""#, Mask::Label)
        .build()
        .unwrap();
    let out = text(&redactor, r#"{"pin": "1234"}"#);
    assert!(!out.contains("1234"), "{out}");
    serde_json::from_str::<serde_json::Value>(&out).unwrap();
    let numbers = Redactor::builder()
        .pattern("six", r"^\d{6}$", Mask::Label)
        .build()
        .unwrap();
    let mut value = json!({"a": 123456, "b": 12345});
    numbers.redact_json(&mut value);
    assert_eq!(value, json!({"a": "[REDACTED:six]", "b": 12345}));
}

#[test]
fn without_the_standard_rules_only_your_own_are_left() {
    let redactor = Redactor::builder()
        .without_standard()
        .with("email")
        .keys(["pin"])
        .build()
        .unwrap();
    assert_eq!(
        redactor.rules().collect::<Vec<_>>(),
        ["sensitive-key", "email"]
    );
    assert_eq!(
        text(&redactor, "password=hunter2 ada@lovelace.dev"),
        "password=hunter2 [REDACTED:email]"
    );
    assert_eq!(
        text(&redactor, r#"{"pin":"1","password":"p"}"#),
        r#"{"pin":"[REDACTED:sensitive-key]","password":"p"}"#
    );
    let nothing = Redactor::builder().without_standard().build().unwrap();
    assert_eq!(text(&nothing, "password=hunter2"), "password=hunter2");
}

#[test]
fn what_cannot_work_is_said_at_build() {
    let error = |builder: tracing_genai::security::redact::RedactorBuilder| {
        builder.build().unwrap_err().to_string()
    };
    let builder = Redactor::builder;
    for (error, says) in [
        (
            error(builder().pattern("x", "(", Mask::Label)),
            "pattern of rule \"x\": regex parse error",
        ),
        (
            error(builder().pattern("x", r"(?=a)", Mask::Label)),
            "look-around",
        ),
        (
            error(builder().pattern("x", "a*", Mask::Label)),
            "fits the empty text",
        ),
        (
            error(builder().pattern("x", "a".repeat(4097), Mask::Label)),
            "4096 at most",
        ),
        (
            error(builder().pattern("x", r"\w{5000}", Mask::Label)),
            "larger than 1 MiB",
        ),
        (
            error(builder().pattern("X y", "a", Mask::Label)),
            "rule name \"X y\": cannot stand in a marker",
        ),
        (
            error(builder().pattern("email", "a", Mask::Label)),
            "is a standard rule's",
        ),
        (
            error(
                builder()
                    .pattern("x", "a", Mask::Label)
                    .pattern("x", "b", Mask::Label),
            ),
            "is there twice",
        ),
        (
            error(builder().without("e-mail")),
            "there is no rule \"e-mail\"",
        ),
        (
            error(builder().with("\u{1b}[2J")),
            "there is no rule \"\\u{1b}[2J\"",
        ),
        (
            error(builder().mask("nothing", Mask::Full)),
            "there is no rule \"nothing\"",
        ),
        (
            error(builder().mask("phone", Mask::text("ada@lovelace.dev"))),
            "the mask of rule \"phone\" makes text that rule \"email\" finds",
        ),
        (error(builder().keys(["--"])), "key \"--\" has no letter"),
        (
            error(builder().allow_pattern("[")),
            "pattern of rule \"allow_pattern\"",
        ),
        (
            error((0..257).fold(builder(), |b, n| {
                b.pattern(format!("p{n}"), "ab", Mask::Label)
            })),
            "257 patterns",
        ),
    ] {
        assert!(error.contains(says), "{error} / {says}");
    }
    assert!(matches!(
        builder().without("x").build(),
        Err(RedactError::UnknownRule { .. })
    ));
}

#[test]
fn the_hook_sees_keys_and_redacted_text_and_has_the_last_word() {
    let redactor = Redactor::builder()
        .hook(|field| {
            assert!(!field.text().contains("lovelace") && !format!("{field:?}").contains("hello"));
            Ok(match field.key() {
                Some("user.name") => Some("someone".to_owned()),
                _ => None,
            })
        })
        .build()
        .unwrap();
    let mut attrs: Attrs = [
        ("user.name", "Ada"),
        ("note", "hello ada@lovelace.dev"),
        ("plain", "hello"),
    ]
    .into_iter()
    .collect();
    let report = redactor.redact_attrs(&mut attrs);
    assert_eq!((report.total(), report.failed()), (1, 0));
    let text = |key| attrs.get(key).and_then(|v| v.as_str()).unwrap();
    assert_eq!(
        (text("user.name"), text("note"), text("plain")),
        ("someone", "hello [REDACTED:email]", "hello")
    );
}

#[test]
fn a_hook_that_fails_or_panics_costs_its_value_and_nothing_else() {
    let redactor = Redactor::builder()
        .hook(|field| match field.text() {
            "panic" => panic!("on purpose"),
            "fail" => Err("with the text fail in it".into()),
            _ => Ok(None),
        })
        .build()
        .unwrap();
    let mut value = json!({"a": "panic", "b": ["fail", "fine"], "c": 1});
    let report = redactor.redact_json(&mut value);
    assert_eq!(
        value,
        json!({"a": "[REDACTED:error]", "b": ["[REDACTED:error]", "fine"], "c": 1})
    );
    assert_eq!(
        (report.failed(), report.total(), report.is_clean()),
        (2, 0, false)
    );
    let mut report = Report::new();
    assert_eq!(
        redactor.redact_field("k", "panic", &mut report),
        Cow::Borrowed("[REDACTED:error]")
    );
    assert_eq!(report.failed(), 1);
}

#[test]
fn no_debug_of_ours_shows_a_secret() {
    let canary = "c4nary-S3cret";
    let builder = Redactor::builder()
        .pattern("own", canary, Mask::text("[own]"))
        .keys([canary])
        .allow([format!("{canary}x")])
        .allow_keys([canary])
        .hook(|_| Ok(None));
    let shown = format!("{builder:?}");
    assert!(shown.contains("own") && !shown.contains(canary), "{shown}");
    let redactor = builder.build().unwrap();
    let mut report = Report::new();
    redactor.redact_field("password", canary, &mut report);
    redactor.redact_text(canary, &mut report);
    for shown in [
        format!("{redactor:?}"),
        format!("{report:?}"),
        format!("{:?}", Secret::new(canary)),
        format!("{:#?}", Some(Secret::from(canary.to_owned()))),
    ] {
        assert!(!shown.contains("c4nary"), "{shown}");
    }
    assert_eq!(
        report.iter().collect::<Vec<_>>(),
        [("sensitive-key", 1), ("own", 1)]
    );
}

#[test]
fn reports_add_up() {
    let redactor = Redactor::standard();
    let mut one = Report::new();
    redactor.redact_text("ada@lovelace.dev bob@lovelace.dev", &mut one);
    let mut two = Report::new();
    redactor.redact_text("eve@lovelace.dev 219-09-1234", &mut two);
    one.merge(&two);
    assert_eq!(
        (
            one.count("email"),
            one.count("us-ssn"),
            one.total(),
            one.count("iban")
        ),
        (3, 1, 4, 0)
    );
}

#[test]
fn overlapping_findings_are_replaced_as_one_and_never_shown_in_part() {
    let redactor = Redactor::builder()
        .mask("email", Mask::Email)
        .pattern("tail", r"dev and more", Mask::Label)
        .build()
        .unwrap();
    let mut report = Report::new();
    assert_eq!(
        redactor.redact_text("x ada@lovelace.dev and more y", &mut report),
        "x [REDACTED:email] y"
    );
    assert_eq!(report.total(), 1);
}
