//! As much HTTP as it takes to ask Prometheus and Jaeger.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: eval \"$(.ci/backends start collector jaeger prometheus)\"")
    })
}

/// The JSON that a GET answers, over HTTP/1.0, whose answers are never chunked.
pub(crate) fn get(base: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let mut query = String::new();
    for (name, value) in parameters {
        write!(query, "{}{name}=", if query.is_empty() { '?' } else { '&' }).unwrap();
        for byte in value.bytes() {
            write!(query, "%{byte:02X}").unwrap();
        }
    }
    let body = exchange(base, &format!("GET {path}{query}"), "");
    serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}: {body}"))
}

/// Sends JSON with a POST, which is to be accepted.
pub(crate) fn post(base: &str, path: &str, body: &Value) {
    let answer = exchange(base, &format!("POST {path}"), &body.to_string());
    assert!(!answer.contains("message"), "{path}: {answer}");
}

/// The body that is answered.
fn exchange(base: &str, request: &str, body: &str) -> String {
    let host = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "{request} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    body.to_owned()
}

/// Asks until there is an answer: the way through three processes takes its time.
pub(crate) fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until(Instant::now() + PATIENCE, ask).unwrap_or_else(|| panic!("{what}: nothing after 60 s"))
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The same, until it is too late.
pub(crate) fn until<T>(deadline: Instant, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
