//! A model server on 127.0.0.1 that answers as a test tells it to, frame by frame, over real sockets.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode, server::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::sync::Notify;

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Part {
    /// A frame of the body, which goes out alone.
    Bytes(Bytes),
    /// Nothing until the test says so.
    Wait(Arc<Notify>),
    /// A moment, so that what came before is read apart from what comes after.
    Pause,
    /// The connection breaks.
    Cut,
    Trailers(HeaderMap),
    /// This frame, over and over, for as long as anybody reads.
    Forever(Bytes),
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub parts: Vec<Part>,
}

impl Reply {
    pub fn new(content_type: &str, parts: Vec<Part>) -> Self {
        let headers = vec![(CONTENT_TYPE.as_str(), content_type.to_owned())];
        Self {
            status: 200,
            headers,
            parts,
        }
    }

    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new("application/json", vec![Part::Bytes(body.into())])
    }

    /// Server-sent events, each a frame of its own.
    pub fn sse<B: Into<Bytes>>(events: impl IntoIterator<Item = B>) -> Self {
        let parts = events.into_iter().map(|event| Part::Bytes(event.into()));
        Self::new("text/event-stream", parts.collect())
    }

    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn then(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Answers = dyn Fn(usize) -> Reply + Send + Sync;

#[derive(Clone)]
pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers every request so.
    pub fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    /// Answers the requests one after the other so; the last reply serves all further ones.
    pub fn script(replies: Vec<Reply>) -> Self {
        Self::start(move |n| replies[n.min(replies.len() - 1)].clone())
    }

    /// Runs on a thread of its own until the process ends.
    fn start(answers: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
        };
        let (this, answers): (_, Arc<Answers>) = (server.clone(), Arc::new(answers));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(this.serve(listener, answers));
        });
        server
    }

    async fn serve(self, listener: std::net::TcpListener, answers: Arc<Answers>) {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            socket.set_nodelay(true).unwrap();
            let (this, answers) = (self.clone(), Arc::clone(&answers));
            let service = service_fn(move |request| this.clone().answer(request, answers.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    }

    async fn answer(
        self,
        request: Request<Incoming>,
        answers: Arc<Answers>,
    ) -> Result<Response<UnsyncBoxBody<Bytes, io::Error>>, hyper::Error> {
        let headers = request.headers().clone();
        let body = request.into_body().collect().await?.to_bytes();
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(Asked { headers, body });
            asked.len() - 1
        };
        let reply = answers(number);
        let parts = stream::iter(reply.parts).flat_map(|part| match part {
            Part::Forever(frame) => stream::repeat(Part::Bytes(frame)).boxed(),
            part => stream::once(async { part }).boxed(),
        });
        let frames = parts.filter_map(|part| async move {
            match part {
                Part::Bytes(bytes) => Some(Ok(Frame::data(bytes))),
                Part::Trailers(trailers) => Some(Ok(Frame::trailers(trailers))),
                Part::Wait(until) => {
                    until.notified().await;
                    None
                }
                Part::Pause => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    None
                }
                Part::Cut => Some(Err(io::Error::other("cut"))),
                Part::Forever(_) => None,
            }
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
        for (name, value) in reply.headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Ok(response)
    }

    /// What OpenAI's clients take for the base URL, and the path of its chat completions.
    pub fn chat_url(&self) -> String {
        self.url("/v1/chat/completions")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}
