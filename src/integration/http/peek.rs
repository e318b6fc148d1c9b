//! The body of a request, where it lies in memory.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::Extensions;
use http_body::Body as _;
use http_body_util::Full;

/// The bytes of a request's body, for the tap: an extension of the request, to be set where the body's type hides that it lies
/// in memory (a boxed body, axum's). A `String`, a `Full<Bytes>` and a `reqwest::Body` made of bytes need none.
///
/// ```
/// use bytes::Bytes;
/// use tracing_genai::tap::RequestBody;
///
/// let bytes = Bytes::from(r#"{"model":"gpt-4o-mini"}"#);
/// let mut request = http::Request::post("https://api.openai.com/v1/chat/completions").body(())?;
/// request.extensions_mut().insert(RequestBody(bytes.clone()));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone)]
pub struct RequestBody(pub Bytes);

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestBody(<{} bytes>)", self.0.len())
    }
}

/// Bytes of a body, not copied.
pub(super) enum Peeked<'a> {
    Shared(Bytes),
    Borrowed(&'a [u8]),
}

impl std::ops::Deref for Peeked<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Borrowed(bytes) => bytes,
        }
    }
}

/// The bytes of `body`, if they are there; the body stays untouched.
pub(super) fn bytes<'a, B: 'static>(body: &'a B, extensions: &'a Extensions) -> Option<Peeked<'a>> {
    if let Some(RequestBody(bytes)) = extensions.get() {
        return Some(Peeked::Borrowed(bytes));
    }
    let body: &dyn Any = body;
    if let Some(full) = body.downcast_ref::<Full<Bytes>>() {
        return whole(full.clone()).map(Peeked::Shared);
    }
    if let Some(text) = body.downcast_ref::<String>() {
        return Some(Peeked::Borrowed(text.as_bytes()));
    }
    #[cfg(feature = "reqwest")]
    if let Some(body) = body.downcast_ref::<::reqwest::Body>() {
        return body.as_bytes().map(Peeked::Borrowed);
    }
    None
}

/// A clone shares the bytes of its original, and gives them away without it.
fn whole(mut body: Full<Bytes>) -> Option<Bytes> {
    match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}
