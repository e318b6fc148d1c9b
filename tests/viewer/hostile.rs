//! What hostile names, requests and clients can do: nothing.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tracing_genai::chat;
use tracing_genai::content::CaptureMode;
use tracing_genai::message::Message;

use super::client::{Live, SOON, get, raw, run, text};
use super::{builder, record, url};

const NAMES: [&str; 6] = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "a\u{202e}gnp.exe\u{200b}",
    "data: {}\n\nevent: bye\ndata: {}\n\n",
    "\u{0}\u{feff}{{constructor}}",
];

#[tokio::test]
async fn hostile_names_arrive_as_the_text_they_are() {
    let telemetry = builder().capture(CaptureMode::Full).build().unwrap();
    record(&telemetry, || {
        for name in NAMES {
            chat("openai", name)
                .messages(&[Message::user(name)])
                .start()
                .fail_as(name);
        }
    });
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let changes = live
        .until(|changes| {
            (changes["runs"].as_array()?.len() == NAMES.len()).then(|| changes.clone())
        })
        .await;
    for name in NAMES {
        let row = run(&changes, &format!("chat {name}"))
            .unwrap_or_else(|| panic!("{name:?} in {changes:#}"));
        assert_eq!(row["status"], "failed");
    }
    let (headers, page) = text(&url(&telemetry)).await;
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(
        !page.contains("alert(1)"),
        "what happened is no part of the page's markup"
    );
    let (headers, _) = text(&format!("{}api/search?q=%3Cscript", url(&telemetry))).await;
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn requests_that_mean_nothing_are_answered_and_change_nothing() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || chat("openai", "gpt-4o").start().complete());
    telemetry.flush(SOON);
    let address = telemetry.viewer().unwrap().address();
    let long = "a".repeat(20_000);
    for (request, expected) in [
        ("POST /api/search?q= HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_owned(), "405"),
        ("DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "405"),
        ("GET /assets/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "404"),
        ("GET /assets/%ff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "400"),
        ("GET /api/runs/zz/yy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "404"),
        ("GET /api/search?q=%ff%00&limit=-1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "200"),
        ("GET /api/search?limit=999999999999999999999 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_owned(), "200"),
        (format!("GET /api/search?q={long} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "200"),
        ("\u{0}\u{1}\u{2} nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = raw(address, &request);
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert_eq!(status, expected, "{:.80}", request);
    }
    let (_, found) = get(&format!("{}api/search?q=", url(&telemetry))).await;
    assert_eq!(found["spans"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn clients_that_never_read_hold_nobody_up() {
    let telemetry = builder().build().unwrap();
    let address = telemetry.viewer().unwrap().address();
    let silent: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream
                .write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    let half = TcpStream::connect(address).unwrap();
    (&half).write_all(b"GET /api/live HTTP/1.1\r\nHo").unwrap();
    let mut live = Live::open(&url(&telemetry), "").await;
    record(&telemetry, || {
        for _ in 0..10_000 {
            chat("openai", "gpt-4o").start().complete();
        }
        chat("openai", "last").start().complete();
    });
    assert!(telemetry.flush(SOON).is_complete());
    live.until(|changes| run(changes, "chat last").map(|_| ()))
        .await;
    let begun = Instant::now();
    let report = telemetry.shutdown();
    assert!(report.is_complete() && report.is_balanced(), "{report}");
    let shown = report.viewer.unwrap();
    assert!(shown.delivered >= 10_001 && shown.is_balanced(), "{shown}");
    println!(
        "shut down in {:?} beside {} clients that do not read",
        begun.elapsed(),
        silent.len()
    );
    std::net::TcpListener::bind(address).unwrap();
}

#[tokio::test]
async fn more_pages_than_anybody_opens_are_turned_away() {
    let telemetry = builder().build().unwrap();
    let mut open = Vec::new();
    for _ in 0..64 {
        let mut live = Live::open(&url(&telemetry), "").await;
        live.named("hello").await;
        open.push(live);
    }
    let turned_away = reqwest::get(format!("{}api/live", url(&telemetry)))
        .await
        .unwrap();
    assert_eq!(turned_away.status(), 503);
    open.clear();
    // Their places are free again as soon as their connections are seen to be closed.
    let deadline = Instant::now() + SOON;
    while reqwest::get(format!("{}api/live", url(&telemetry)))
        .await
        .unwrap()
        .status()
        != 200
    {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn the_pages_files_are_small_and_load_nothing_from_elsewhere() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/viewer/assets");
    let mut sum = 0;
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        sum += text.len();
        for elsewhere in [
            "https://",
            "http://",
            "//cdn",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
        ] {
            let allowed = elsewhere == "http://"
                && text.matches("http://").count()
                    == text.matches("http://www.w3.org/2000/svg").count();
            assert!(
                allowed || !text.contains(elsewhere),
                "{} has {elsewhere}",
                path.display()
            );
        }
    }
    println!("the page's files are {sum} bytes");
    assert!(sum < 150_000, "{sum}");
}
