//! A browser's part, as far as the wire goes.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::Value;

/// How long anything may take before a test gives up.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) async fn get(url: &str) -> (StatusCode, Value) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// One message of a live stream.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

/// A live stream, read message by message.
pub(crate) struct Live {
    answer: Response,
    buffer: String,
}

impl Live {
    pub(crate) async fn open(url: &str, query: &str) -> Self {
        let answer = reqwest::get(format!("{url}api/live{query}")).await.unwrap();
        Self::of(answer)
    }

    pub(crate) fn of(answer: Response) -> Self {
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            buffer: String::new(),
        }
    }

    /// The next message; `None` when the stream ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(message) = parse(&block) {
                    return Some(message);
                }
            }
            let chunk = tokio::time::timeout(SOON, self.answer.chunk())
                .await
                .expect("the stream said nothing for too long");
            self.buffer
                .push_str(std::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }

    pub(crate) async fn named(&mut self, name: &str) -> Message {
        loop {
            let message = self.next().await.expect("the stream ended");
            if message.name == name {
                return message;
            }
        }
    }

    /// The next message of changes in which `wanted` is found.
    pub(crate) async fn until<T>(&mut self, wanted: impl Fn(&Value) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = wanted(&self.named("changes").await.data) {
                    return found;
                }
            }
        };
        tokio::time::timeout(SOON, looking)
            .await
            .expect("it was not told in time")
    }

    /// The row of the run of this name, once it has ended.
    pub(crate) async fn ended(&mut self, name: &str) -> Value {
        self.until(|changes| {
            let ended = |run: &&Value| run["status"] != "open";
            run(changes, name).filter(ended).cloned()
        })
        .await
    }
}

fn parse(block: &str) -> Option<Message> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Message {
        name: field("event")?.to_owned(),
        id: field("id").map(str::to_owned),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}

/// The run of this name, in a message of changes.
pub(crate) fn run<'a>(changes: &'a Value, name: &str) -> Option<&'a Value> {
    let mut runs = changes["runs"].as_array()?.iter();
    runs.find(|run| run["name"] == name)
}

pub(crate) async fn text(url: &str) -> (reqwest::header::HeaderMap, String) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.headers().clone(), answer.text().await.unwrap())
}

/// Sends bytes as they are and reads what comes.
pub(crate) fn raw(address: std::net::SocketAddr, request: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
