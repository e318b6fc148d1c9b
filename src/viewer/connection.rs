//! The connections of clients: how many there are at once, and how long one may take.
//!
//! Promise: a flood of connections leaves the program its file descriptors, and one is closed on which no answer goes out, because
//! its client sends no request, sends one byte by byte, or reads nothing.
//! Never: closes a live stream of somebody who reads it: that says something more often.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::serve::{CLIENTS, KEEP_ALIVE};

/// Connections at once, at most; further ones wait to be accepted. Besides its live stream a page has one or two.
const CONNECTIONS: usize = 2 * CLIENTS;
/// How long nothing may go out, from the last that did or from the beginning of the next request.
const SILENCE: Duration = Duration::from_secs(2 * KEEP_ALIVE.as_secs());

pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // Nobody closes the semaphore.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // A small message is to be seen at once; where that cannot be had, it is seen later.
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            stream,
            silence: Box::pin(sleep(SILENCE)),
            asking: false,
            _place: place,
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

pub(super) struct Connection {
    stream: TcpStream,
    silence: Pin<Box<Sleep>>,
    /// A request has begun, and nothing was answered since.
    asking: bool,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// What came of reading or writing; an error if no answer went out for too long.
    fn noted<T>(
        &mut self,
        cx: &mut Context<'_>,
        came: Poll<io::Result<T>>,
        asking: bool,
    ) -> Poll<io::Result<T>> {
        if came.is_ready() {
            // The second byte of a request does not buy the third one time.
            if !(asking && self.asking) {
                self.silence.as_mut().reset(Instant::now() + SILENCE);
            }
            self.asking = asking;
            return came;
        }
        ready!(self.silence.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let came = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.noted(cx, came, true)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.noted(cx, went, false)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.noted(cx, went, false)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn pair() -> (TcpStream, Connection) {
        let mut door = Door::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let client = TcpStream::connect(door.local_addr().unwrap())
            .await
            .unwrap();
        (client, door.accept().await.0)
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_half_a_request_is_given_up() {
        let (mut client, mut served) = pair().await;
        client.write_all(b"GET / HTT").await.unwrap();
        let mut told = Vec::new();
        let begun = Instant::now();
        let end = served.read_to_end(&mut told).await.unwrap_err();
        assert_eq!(
            (end.kind(), &*told),
            (io::ErrorKind::TimedOut, &b"GET / HTT"[..])
        );
        assert!(begun.elapsed() >= SILENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_request_byte_by_byte_is_given_up() {
        let (mut client, mut served) = pair().await;
        let begun = Instant::now();
        let drip = async {
            while client.write_all(b"G").await.is_ok() {
                sleep(SILENCE / 3).await;
            }
        };
        let mut told = Vec::new();
        let end = tokio::select! {
            () = drip => unreachable!("the other end is here"),
            end = served.read_to_end(&mut told) => end.unwrap_err(),
        };
        assert_eq!(end.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() < 2 * SILENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn every_request_has_the_whole_time() {
        let (mut client, mut served) = pair().await;
        for _ in 0..5 {
            sleep(SILENCE * 9 / 10).await;
            client.write_all(b"G").await.unwrap();
            assert_eq!(served.read_u8().await.unwrap(), b'G');
            sleep(SILENCE * 9 / 10).await;
            served.write_all(b"H").await.unwrap();
            assert_eq!(client.read_u8().await.unwrap(), b'H');
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_given_up() {
        let (client, mut served) = pair().await;
        let end = served.write_all(&vec![0; 64 << 20]).await.unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::TimedOut);
        drop(client);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_told_something_now_and_then_stays() {
        let (mut client, mut served) = pair().await;
        for _ in 0..10 {
            let more = tokio::time::timeout(KEEP_ALIVE, served.read_u8()).await;
            assert!(more.is_err(), "{more:?}");
            served.write_all(b": keep-alive\n\n").await.unwrap();
            client.read_exact(&mut [0; 14]).await.unwrap();
        }
    }
}
