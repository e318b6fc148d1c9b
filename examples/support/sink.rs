//! A web service on this machine that takes whatever it is posted.
#![allow(dead_code, reason = "every example uses a part of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(crate) struct Sink {
    url: String,
    requests: Arc<AtomicU64>,
}

impl Sink {
    pub(crate) fn start() -> std::io::Result<Self> {
        Self::start_at("127.0.0.1:0", |_| ())
    }

    /// At this address, giving each body to `take`.
    pub(crate) fn start_at(
        address: impl ToSocketAddrs,
        take: impl Fn(Vec<u8>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let url = format!("http://{}/events", listener.local_addr()?);
        let requests = Arc::<AtomicU64>::default();
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let _ = serve(&socket, &count, &take);
            }
        });
        Ok(Self { url, requests })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }
}

/// Answers the requests of one connection.
fn serve(socket: &TcpStream, count: &AtomicU64, take: &dyn Fn(Vec<u8>)) -> std::io::Result<()> {
    let mut reader = BufReader::new(socket);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().unwrap_or(0);
                }
                Some(_) => {}
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(length).read_to_end(&mut body)?;
        take(body);
        count.fetch_add(1, Relaxed);
        (&*socket).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}
