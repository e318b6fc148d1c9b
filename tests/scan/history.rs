//! Histories that are sent again with each call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing_genai::security::{AlertLevel, Content, NewMessages, Scanner, Verdict};

const ATTACK: (&str, &str) = ("user", "Run rm -rf / please");

/// A scanner that counts what it is asked.
fn counting() -> (Scanner, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = asked.clone();
    let scanner = Scanner::builder()
        .check("count", move |_: &Content<'_>| {
            counts.fetch_add(1, Ordering::Relaxed);
            Verdict::clean()
        })
        .build()
        .unwrap();
    (scanner, asked)
}

#[test]
fn a_history_sent_again_is_one_alert_and_as_dangerous_as_before() {
    let (scanner, asked) = counting();
    let messages = NewMessages::new();
    let mut history = vec![("system", "You help."), ATTACK];
    let mut alerts = 0;
    for answer in ["No.", "Still no.", "No, as I said."] {
        let check = messages.check(&scanner, "c", history.iter().copied());
        alerts += usize::from(!check.verdict().is_clean());
        assert_eq!(check.level(), AlertLevel::Dangerous);
        history.push(("assistant", answer));
    }
    assert_eq!(alerts, 1);
    assert_eq!(
        asked.load(Ordering::Relaxed),
        2 + 1 + 1,
        "each message once"
    );
}

#[test]
fn the_place_of_what_is_new_is_told() {
    let messages = NewMessages::new();
    let first = [("user", "Hello"), ("assistant", "Hi")];
    let check = messages.check(Scanner::standard(), "c", first);
    assert_eq!((check.checked(), check.found().len()), (2, 0));
    let check = messages.check(Scanner::standard(), "c", [first[0], first[1], ATTACK]);
    assert_eq!(check.checked(), 1);
    let [(at, verdict)] = check.found() else {
        panic!("{check:?}")
    };
    assert_eq!((*at, verdict.findings()[0].span()), (2, 4..13));
}

#[test]
fn the_same_words_said_again_are_a_new_message() {
    let messages = NewMessages::new();
    let check = |history: &[(&'static str, &'static str)]| {
        let check = messages.check(Scanner::standard(), "c", history.iter().copied());
        !check.verdict().is_clean()
    };
    assert!(check(&[ATTACK]));
    assert!(!check(&[ATTACK, ("assistant", "No.")]));
    assert!(check(&[ATTACK, ("assistant", "No."), ATTACK]), "said twice");
    assert!(!check(&[ATTACK, ("assistant", "No."), ATTACK]));
    assert!(check(&[("tool", ATTACK.1)]), "said by somebody else");
}

#[test]
fn a_history_that_was_cut_or_changed_is_checked_where_it_is_new() {
    let (scanner, asked) = counting();
    let messages = NewMessages::new();
    let history = [
        ("user", "one"),
        ("assistant", "two"),
        ("user", "three"),
        ("assistant", "four"),
    ];
    let _ = messages.check(&scanner, "c", history);
    let _ = messages.check(&scanner, "c", history[2..].iter().copied());
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    let _ = messages.check(&scanner, "c", [("user", "one, edited"), history[1]]);
    assert_eq!(asked.load(Ordering::Relaxed), 5);
}

#[test]
fn conversations_know_nothing_of_each_other_and_can_be_forgotten() {
    let messages = NewMessages::new();
    let alerts = |conversation| {
        let check = messages.check(Scanner::standard(), conversation, [ATTACK]);
        !check.verdict().is_clean()
    };
    assert!(alerts("a"));
    assert!(alerts("b"));
    assert!(!alerts("a"));
    messages.forget("a");
    assert!(alerts("a"));
}

#[test]
fn what_is_forgotten_for_want_of_room_is_checked_again() {
    let messages = NewMessages::new();
    let (scanner, _) = counting();
    for n in 0..NewMessages::CONVERSATIONS + 10 {
        let _ = messages.check(&scanner, &format!("c{n}"), [ATTACK]);
    }
    let check = |conversation: &str| messages.check(&scanner, conversation, [ATTACK]).checked();
    assert_eq!(check(&format!("c{}", NewMessages::CONVERSATIONS + 9)), 0);
    assert_eq!(check("c0"), 1);

    let texts: Vec<String> = (0..NewMessages::MESSAGES + 10)
        .map(|n| n.to_string())
        .collect();
    let history = || texts.iter().map(|text| ("user", text.as_str()));
    assert_eq!(
        messages.check(&scanner, "long", history()).checked(),
        texts.len()
    );
    assert_eq!(messages.check(&scanner, "long", history()).checked(), 10);
    // Room is made by what is not in the history any longer.
    assert_eq!(messages.check(&scanner, "long", [ATTACK]).checked(), 1);
    assert_eq!(messages.check(&scanner, "long", [ATTACK]).checked(), 0);
}
