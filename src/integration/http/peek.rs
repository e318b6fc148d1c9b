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

/// The bytes of `body`, if they are there: copied by reference, the body untouched.
pub(super) fn bytes<B: 'static>(body: &B, extensions: &Extensions) -> Option<Bytes> {
    if let Some(RequestBody(bytes)) = extensions.get() {
        return Some(bytes.clone());
    }
    let body: &dyn Any = body;
    if let Some(full) = body.downcast_ref::<Full<Bytes>>() {
        return whole(full.clone());
    }
    if let Some(text) = body.downcast_ref::<String>() {
        return Some(Bytes::copy_from_slice(text.as_bytes()));
    }
    #[cfg(feature = "reqwest")]
    if let Some(body) = body.downcast_ref::<::reqwest::Body>() {
        return body.as_bytes().map(Bytes::copy_from_slice);
    }
    None
}

fn whole(mut body: Full<Bytes>) -> Option<Bytes> {
    match Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
        _ => None,
    }
}
