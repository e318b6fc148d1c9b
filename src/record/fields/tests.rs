use super::*;

const LIMITS: Limits = Limits {
    structure_bytes: 1 << 20,
    attributes: 4,
    value_bytes: 40,
    span_bytes: 200,
    events: 4,
    links: 4,
};

#[test]
fn the_last_write_of_a_name_wins_and_keeps_its_place() {
    let mut fields = Fields::default();
    fields.set_i64("a", 1, &LIMITS);
    fields.set_str("b", "one", &LIMITS);
    fields.set_str("a", "two", &LIMITS);
    let all: Vec<_> = fields.iter().collect();
    assert_eq!(
        all,
        [("a", FieldRef::Str("two")), ("b", FieldRef::Str("one"))]
    );
}

#[test]
fn attributes_beyond_the_limit_are_counted_but_known_names_can_still_be_written() {
    let mut fields = Fields::default();
    for name in ["a", "b", "c", "d", "e", "f"] {
        fields.set_bool(name, true, &LIMITS);
    }
    fields.set_i64("a", 7, &LIMITS);
    assert_eq!((fields.len(), fields.dropped()), (4, 2));
    assert_eq!(fields.get("a"), Some(FieldRef::I64(7)));
}

#[test]
fn a_long_text_is_cut_between_characters_and_marked() {
    let mut fields = Fields::default();
    fields.set_str("a", &"é".repeat(100), &LIMITS);
    let cut = fields.str("a").unwrap();
    assert!(cut.len() <= 40 && cut.ends_with(TRUNCATED) && cut.starts_with("éé"));
}

#[test]
fn text_beyond_the_spans_budget_is_dropped_and_counted() {
    let limits = Limits {
        attributes: 100,
        ..LIMITS
    };
    let mut fields = Fields::default();
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        fields.set_str(name, &"x".repeat(40), &limits);
    }
    assert_eq!((fields.len(), fields.dropped()), (5, 2));
}

#[test]
fn hostile_formatting_is_contained() {
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            panic!("in Debug")
        }
    }
    struct Errs;
    impl fmt::Debug for Errs {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    struct Endless;
    impl fmt::Debug for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("more and ")?;
            }
        }
    }
    let mut fields = Fields::default();
    fields.set_str("z", "kept", &LIMITS);
    fields.set_fmt("a", &Panics, &LIMITS);
    fields.set_fmt("b", &Errs, &LIMITS);
    fields.set_fmt("c", &Endless, &LIMITS);
    assert_eq!(fields.str("a"), Some(UNPRINTABLE));
    assert_eq!(fields.str("b"), Some(UNPRINTABLE));
    let cut = fields.str("c").unwrap();
    assert!(cut.len() <= 40 && cut.ends_with(TRUNCATED));
    assert_eq!(fields.str("z"), Some("kept"));
}

#[test]
fn a_name_written_for_hours_does_not_grow_the_buffer() {
    let limits = Limits::DEFAULT;
    let mut fields = Fields::default();
    fields.set_str("kept", "here", &limits);
    for i in 0..10_000 {
        fields.set_str("status", &format!("{i:0>100}"), &limits);
    }
    assert!(fields.text.len() <= 17 * 1024);
    assert_eq!(fields.str("kept"), Some("here"));
    assert!(fields.str("status").unwrap().ends_with("9999"));
}

#[test]
fn counts_are_read_from_numbers_and_digits_and_from_nothing_else() {
    let limits = Limits::DEFAULT;
    let mut fields = Fields::default();
    fields.set_i64("a", 3, &limits);
    fields.set_f64("b", 4.0, &limits);
    fields.set_str("c", " 1200 ", &limits);
    for (name, number) in [
        ("d", -1.0),
        ("e", f64::NAN),
        ("f", 0.5),
        ("g", f64::INFINITY),
    ] {
        fields.set_f64(name, number, &limits);
    }
    fields.set_i64("h", -3, &limits);
    let read = |name: &str| fields.get(name).and_then(FieldRef::as_count);
    assert_eq!(
        [read("a"), read("b"), read("c")],
        [Some(3), Some(4), Some(1200)]
    );
    assert!(
        ["d", "e", "f", "g", "h"]
            .into_iter()
            .all(|name| read(name).is_none())
    );
}

#[test]
fn an_entry_takes_two_machine_words_for_the_name_and_two_for_the_value() {
    assert_eq!(size_of::<Entry>(), 32);
}
