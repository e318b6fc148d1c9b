//! Standard rules that are off unless they are asked for, because much of what they find is harmless.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A rule's name, its pattern, and what else has to hold for what it finds.
pub(super) type Optional = (&'static str, &'static str, fn(&str) -> bool);

/// Rules that are on only where they are asked for.
pub(super) const OFF: [Optional; 3] = [
    (
        "ip-address",
        r"(?-u:\b)(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?-u:\b)",
        is_ipv4,
    ),
    (
        "ip-address",
        r"[0-9A-Fa-f:]{3,39}(?:[0-9]{1,3}\.[0-9.]{5,11})?",
        is_ipv6,
    ),
    (
        "date-of-birth",
        r#"(?i)(?-u:\b)(?:date of birth|birth ?date|birthday|geburtsdatum|dob|born(?: on)?|geboren(?: am)?)(?-u:\b)["':= ]{1,6}(?P<secret>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2,4}|[0-9]{1,2}(?:st|nd|rd|th|\.)? [a-z]{3,9},? [0-9]{4}|[a-z]{3,9} [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4})"#,
        |_| true,
    ),
];

fn is_ipv4(text: &str) -> bool {
    text.parse::<Ipv4Addr>()
        .is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified() && !ip.is_broadcast())
}

fn is_ipv6(text: &str) -> bool {
    // `a::b` is a path in some languages.
    let colons = text.bytes().filter(|b| *b == b':').count();
    colons >= 3
        && text
            .parse::<Ipv6Addr>()
            .is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}
