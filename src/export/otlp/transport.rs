//! One request over the network, and what its answer means.
//!
//! Promise: every call ends within the target's timeout, reads at most 4 MiB, follows no redirect, and
//! returns a verdict, never an error. Never: retries, queues or counts; that is the sender's.
//!
//! Built and used inside the telemetry thread's runtime: connections are tasks of that runtime.

use std::fmt;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::write::GzEncoder;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use http_body_util::Full;
use hyper_util::client::legacy::connect::capture_connection;

use super::client::{self, Contents, HttpClient, PRODUCT, Secrets};
use super::error::OtlpConfigError;
use super::judge::{self, Cause, Verdict};
use super::kinds::{Compression, Protocol, Signal};
use super::resolve::{Resolved, Target};
use super::sender::Deliver;
use super::tls::TlsFiles;

/// What a request may have before compression; receivers refuse more, and so does the specification.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// What is read of an answer. A real one has a few hundred bytes; this stops a hostile one.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// What is read of an error's body, for its message: the verdict stands without it.
const MAX_ERROR: usize = 64 * 1024;

/// How long an error's body is waited for.
const ERROR_BODY: Duration = Duration::from_millis(500);

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// The way to a collector, for all signals that are sent.
pub struct Transport {
    routes: [Option<Route>; 3],
}

/// A target with the client that reaches it. Signals with the same protocol and TLS files share one.
struct Route {
    client: HttpClient,
    target: Target,
    /// What the receiver may not make us repeat: header values.
    secrets: Secrets,
}

/// An answer that was read to its end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    contents: Contents,
}

impl Transport {
    /// Prepares clients for all targets; reads certificate files, opens no connection.
    ///
    /// # Errors
    ///
    /// When a certificate or key file cannot be used.
    pub fn new(resolved: &Resolved) -> Result<Transport, OtlpConfigError> {
        let mut clients: Vec<((Protocol, bool, TlsFiles), HttpClient)> = Vec::new();
        let mut routes = [None, None, None];
        for signal in Signal::ALL {
            let Some(target) = resolved.target(signal).cloned() else {
                continue;
            };
            let https = target.endpoint.is_https();
            // Without https the files are not read: they may be for other signals, or left over.
            let files = if https {
                target.tls.clone()
            } else {
                TlsFiles::default()
            };
            let key = (target.protocol, https, files);
            let client = match clients.iter().find(|(known, _)| *known == key) {
                Some((_, client)) => client.clone(),
                None => {
                    let http2_only = target.protocol == Protocol::Grpc;
                    let client = client::new(http2_only, https.then_some(&key.2))?;
                    clients.push((key, client.clone()));
                    client
                }
            };
            let secrets = Secrets::of(&target.headers);
            routes[signal.index()] = Some(Route {
                client,
                target,
                secrets,
            });
        }
        Ok(Transport { routes })
    }

    /// Sends one encoded request body and judges the answer. A signal without a target is dropped.
    pub async fn send(&self, signal: Signal, body: Bytes) -> Verdict {
        match &self.routes[signal.index()] {
            Some(route) => {
                let mut verdict = route.send(signal, body).await;
                route.scrub(&mut verdict);
                verdict
            }
            None => Verdict::Drop(Cause::Connection(format!("{signal} have no endpoint"))),
        }
    }
}

impl Deliver for Transport {
    fn deliver(&self, signal: Signal, body: Bytes) -> impl Future<Output = Verdict> + Send {
        self.send(signal, body)
    }

    fn shown(&self, signal: Signal) -> String {
        let route = self.routes[signal.index()].as_ref();
        route
            .map(|route| route.target.shown().to_owned())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets = self.routes.iter().flatten().map(|route| &route.target);
        f.debug_list().entries(targets).finish()
    }
}

impl Route {
    async fn send(&self, signal: Signal, body: Bytes) -> Verdict {
        if body.len() > MAX_REQUEST {
            return Verdict::Drop(Cause::RequestTooLarge(body.len()));
        }
        let mut request = self.request(body);
        // Known once connected: a connection whose answer never came must not serve the next request.
        let connection = capture_connection(&mut request);
        let timeout = self.target.timeout;
        match tokio::time::timeout(timeout, self.exchange(signal, request)).await {
            Ok(verdict) => verdict,
            Err(_) => {
                if let Some(connected) = connection.connection_metadata().as_ref() {
                    connected.poison();
                }
                Verdict::Retry {
                    after: None,
                    cause: Cause::Timeout(timeout),
                }
            }
        }
    }

    async fn exchange(&self, signal: Signal, request: Request<Full<Bytes>>) -> Verdict {
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) => return broken(&error),
        };
        let (head, body) = answer.into_parts();
        let mut answer = Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            contents: Contents::default(),
        };
        if head.status.is_success() {
            match answer.contents.read(body, MAX_ANSWER).await {
                Ok(true) => {}
                Ok(false) => return Verdict::Drop(Cause::AnswerTooLarge),
                // Accepted perhaps, but nobody said so: sent again, at the price of a duplicate.
                Err(error) => return broken(&error),
            }
        } else {
            // The status has decided; a body that breaks, hangs or never ends changes nothing.
            let _ = tokio::time::timeout(ERROR_BODY, answer.contents.read(body, MAX_ERROR)).await;
        }
        match self.target.protocol {
            Protocol::Grpc => judge::grpc(
                signal,
                answer.status,
                &answer.headers,
                &answer.contents.body,
                answer.contents.trailers.as_ref(),
            ),
            Protocol::HttpProtobuf => judge::http(
                signal,
                answer.status,
                &answer.headers,
                &answer.contents.body,
                SystemTime::now(),
            ),
        }
    }

    fn request(&self, body: Bytes) -> Request<Full<Bytes>> {
        let gzip = self.target.compression == Compression::Gzip;
        let mut headers = self.target.headers.clone();
        headers.entry(USER_AGENT).or_insert(PRODUCT);
        let body = match self.target.protocol {
            Protocol::HttpProtobuf => {
                headers.insert(CONTENT_TYPE, PROTOBUF);
                headers.insert(ACCEPT, PROTOBUF);
                if gzip {
                    headers.insert(CONTENT_ENCODING, GZIP);
                    compressed(BytesMut::new(), &body).freeze()
                } else {
                    body
                }
            }
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, GRPC);
                headers.insert(TE, HeaderValue::from_static("trailers"));
                headers.insert(GRPC_TIMEOUT, grpc_timeout(self.target.timeout));
                if gzip {
                    headers.insert(GRPC_ENCODING, GZIP);
                }
                framed(&body, gzip)
            }
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.endpoint.uri.clone();
        *request.headers_mut() = headers;
        if self.target.protocol == Protocol::Grpc {
            *request.version_mut() = Version::HTTP_2;
        }
        request
    }

    /// Takes our own secrets out of what the receiver said: some repeat the key they refused.
    fn scrub(&self, verdict: &mut Verdict) {
        let text = match verdict {
            Verdict::Delivered { message, .. } => message.as_mut(),
            Verdict::Retry { cause, .. } | Verdict::Drop(cause) | Verdict::Refused(cause) => {
                cause.text_mut()
            }
        };
        if let Some(text) = text {
            self.secrets.take_out_of(text);
        }
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Verdict {
    Verdict::Retry {
        after: None,
        cause: Cause::Connection(with_hint(client::whole_text(error))),
    }
}

/// Says what it most often means that the other side speaks something else: ports other than 4317 and 4318 do not tell the protocol.
fn with_hint(text: String) -> String {
    // What hyper says of an HTTP/2 frame read as HTTP/1, after the request or before it, and of the other way round.
    let frame = ["invalid HTTP version", "unexpected message from connection"];
    if frame.iter().any(|said| text.contains(said)) {
        text + " (if it speaks gRPC, say so: OTEL_EXPORTER_OTLP_PROTOCOL=grpc)"
    } else if text.contains("frame with invalid size") {
        text + " (if it speaks HTTP, say so: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
    } else {
        text
    }
}

/// A gRPC message: one byte "compressed", four bytes length, the bytes.
fn framed(body: &[u8], gzip: bool) -> Bytes {
    let mut out = BytesMut::with_capacity(if gzip {
        5 + body.len() / 4
    } else {
        5 + body.len()
    });
    out.put_u8(u8::from(gzip));
    out.put_u32(0);
    if gzip {
        out = compressed(out, body);
    } else {
        out.extend_from_slice(body);
    }
    // At most 64 MiB plus gzip's few bytes, so the length fits.
    let length = u32::try_from(out.len() - 5).unwrap_or(u32::MAX);
    out[1..5].copy_from_slice(&length.to_be_bytes());
    out.freeze()
}

fn compressed(out: BytesMut, body: &[u8]) -> BytesMut {
    // Level 1: on telemetry, higher levels win a few per cent of size for several times the CPU.
    let mut encoder = GzEncoder::new(out.writer(), flate2::Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(body);
    encoder
        .finish()
        .map(bytes::buf::Writer::into_inner)
        .unwrap_or_default()
}

/// The timeout as gRPC writes it: at most eight digits, so milliseconds.
fn grpc_timeout(timeout: Duration) -> HeaderValue {
    HeaderValue::try_from(format!("{}m", timeout.as_millis().min(99_999_999)))
        .unwrap_or(HeaderValue::from_static("10S"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_grpc_message_carries_its_length_compressed_or_not() {
        assert_eq!(&framed(b"abc", false)[..], b"\0\0\0\0\x03abc");
        let body = b"abc".repeat(1000);
        let gzipped = framed(&body, true);
        assert_eq!(gzipped[0], 1);
        let length = u32::from_be_bytes(gzipped[1..5].try_into().unwrap()) as usize;
        assert_eq!(length, gzipped.len() - 5);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&gzipped[5..])
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain, body);
    }

    #[test]
    fn a_grpc_timeout_has_at_most_eight_digits() {
        assert_eq!(grpc_timeout(Duration::from_secs(10)), "10000m");
        assert_eq!(grpc_timeout(Duration::MAX), "99999999m");
    }
}
