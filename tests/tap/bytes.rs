//! The caller's bytes: the same, at the same time, in the same frames, whatever they are; and little memory for it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures_util::{StreamExt as _, stream};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::HeaderMap;
use proptest::prelude::*;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tracing_genai::Telemetry;
use tracing_genai::provider::Reader;
use tracing_genai::tap::{RequestBody, RequestBuilderExt as _, Tap, TapBody};
use tracing_genai::testing::{Capture, capture};
use tracing_subscriber::prelude::*;

use super::clients::{by_reqwest, hyper, post, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

/// Frames in, through a tower service with a tap, frames out.
fn through(capture: &Capture, content_type: &str, frames: Vec<Frame<Bytes>>) -> Vec<Frame<Bytes>> {
    let service = tower::service_fn(move |_: http::Request<Full<Bytes>>| {
        let frames = stream::iter(
            frames
                .iter()
                .map(copy)
                .map(Ok::<_, Infallible>)
                .collect::<Vec<_>>(),
        );
        let response = http::Response::builder().header("content-type", content_type);
        let response = response.body(StreamBody::new(frames)).unwrap();
        async { Ok::<_, Infallible>(response) }
    });
    let service = tower::Layer::layer(&Tap::new().layer(), service);
    let request = post(
        "https://api.openai.com/v1/chat/completions",
        Full::new(question(true).into()),
    );
    capture.record(|| {
        block_on(async {
            let mut body = service.oneshot(request).await.unwrap().into_body();
            let mut frames = Vec::new();
            while let Some(frame) = body.frame().await {
                frames.push(frame.unwrap());
            }
            frames
        })
    })
}

fn copy(frame: &Frame<Bytes>) -> Frame<Bytes> {
    match (frame.data_ref(), frame.trailers_ref()) {
        (Some(data), _) => Frame::data(data.clone()),
        (_, Some(trailers)) => Frame::trailers(trailers.clone()),
        _ => unreachable!("a frame is one or the other"),
    }
}

fn same(a: &[Frame<Bytes>], b: &[Frame<Bytes>]) -> bool {
    let parts = |frame: &Frame<Bytes>| (frame.data_ref().cloned(), frame.trailers_ref().cloned());
    a.iter().map(parts).eq(b.iter().map(parts))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_bytes_and_however_they_are_cut_they_come_out_as_they_went_in(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        content_type in prop::sample::select(vec!["application/json", "text/event-stream", "x"]),
        trailers in any::<bool>(),
    ) {
        let mut frames: Vec<_> = frames.into_iter().map(|bytes| Frame::data(bytes.into())).collect();
        if trailers {
            let mut map = HeaderMap::new();
            map.insert("x-checksum", "1".parse().unwrap());
            frames.push(Frame::trailers(map));
        }
        let capture = capture();
        let out = through(&capture, content_type, frames.iter().map(copy).collect());
        prop_assert!(same(&frames, &out));
        prop_assert_eq!(capture.spans().len(), 1);
    }

    #[test]
    fn however_a_stream_is_cut_it_says_the_same(cuts in prop::collection::vec(1_usize..400, 1..60)) {
        let whole = Bytes::from(stream(&WORDS, &usage(140, 32)).concat());
        let (mut rest, mut frames) = (whole.clone(), Vec::new());
        for cut in cuts {
            frames.push(Frame::data(rest.split_to(cut.min(rest.len()))));
        }
        frames.push(Frame::data(rest));
        let capture = capture();
        let out = through(&capture, "text/event-stream", frames);
        let out: Vec<u8> = out.into_iter().flat_map(|frame| frame.into_data().unwrap()).collect();
        prop_assert_eq!(&out[..], &whole[..]);
        let (_, span) = only_end(&capture);
        prop_assert_eq!(tokens(&span), (Some(140), Some(32), Some("wire")));
        prop_assert_eq!(chunk_events(&capture).len(), WORDS.len());
    }
}

#[test]
fn trailers_headers_version_url_and_status_are_the_servers() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", "abc".parse().unwrap());
    let reply = Reply::sse(stream(&WORDS, &usage(9, 4)))
        .status(203)
        .header("x-request-id", "r1")
        .header("trailer", "x-checksum")
        .then(Part::Trailers(trailers.clone()));
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        block_on(async {
            let mut request = post(&server.chat_url(), Full::new(Bytes::from(question(true))));
            request
                .headers_mut()
                .insert("te", "trailers".parse().unwrap());
            let response = hyper(&Tap::new()).oneshot(request).await.unwrap();
            assert_eq!(
                (
                    response.status().as_u16(),
                    &response.headers()["x-request-id"]
                ),
                (203, &"r1".parse().unwrap())
            );
            let collected = response.into_body().collect().await.unwrap();
            assert_eq!(collected.trailers(), Some(&trailers));

            let client = reqwest_client(server.port);
            let url = server.chat_url() + "?a=b#c";
            let bare = client.post(&url).body(question(true)).send().await.unwrap();
            let tapped = client
                .post(&url)
                .body(question(true))
                .send_tapped(&Tap::new())
                .await
                .unwrap();
            assert_eq!(bare.url(), tapped.url());
            assert_eq!(bare.status(), tapped.status());
            assert_eq!(bare.version(), tapped.version());
            assert_eq!(
                bare.remote_addr().map(|a| a.port()),
                tapped.remote_addr().map(|a| a.port())
            );
            assert_eq!(bare.content_length(), tapped.content_length());
            let names = |r: &reqwest::Response| r.headers().keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&bare), names(&tapped));
        });
    });
}

#[test]
fn the_size_and_the_end_of_a_body_are_told_as_before() {
    let capture = capture();
    let service = tower::service_fn(|_: http::Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from_static(b"{}"))))
    });
    let service = tower::Layer::layer(&Tap::new().layer(), service);
    let request = post(
        "https://api.openai.com/v1/chat/completions",
        Full::new(Bytes::new()),
    );
    capture.record(|| {
        block_on(async {
            let mut body: TapBody<Full<Bytes>> =
                service.oneshot(request).await.unwrap().into_body();
            assert_eq!(
                (body.size_hint().exact(), body.is_end_stream()),
                (Some(2), false)
            );
            body.frame().await.unwrap().unwrap();
            // Nobody asks for the frame after the last.
            assert!(body.is_end_stream());
            assert_eq!(capture.spans().len(), 1);
        });
    });
}

#[test]
fn a_frame_is_forwarded_when_it_is_there_and_not_when_the_next_one_is() {
    let go = Arc::new(Notify::new());
    let mut reply = Reply::sse([role(), word("Take ")]).then(Part::Wait(Arc::clone(&go)));
    for event in stream(&["an"], &usage(9, 4)).split_off(1) {
        reply = reply.then(Part::Bytes(event.into()));
    }
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(word("Take ").as_bytes()) {
                read.extend_from_slice(&response.chunk().await.unwrap().unwrap());
            }
            // The server goes on only because we have seen that much.
            go.notify_one();
            while response.chunk().await.unwrap().is_some() {}
        });
    });
    assert_eq!(
        tokens(&only_end(&capture).1),
        (Some(9), Some(4), Some("wire"))
    );
}

#[test]
fn a_slow_reader_is_waited_for_by_the_server_and_by_nobody_else() {
    let events = stream(&["x"; 2_000], &usage(9, 2_000));
    let (capture, server) = (capture(), Server::always(Reply::sse(events.clone())));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = Vec::new();
            while let Some(piece) = response.chunk().await.unwrap() {
                read.extend_from_slice(&piece);
                tokio::task::yield_now().await;
            }
            assert_eq!(read, events.concat().as_bytes());
        });
    });
    assert_eq!(
        tokens(&only_end(&capture).1),
        (Some(9), Some(2_000), Some("wire"))
    );
}

#[test]
fn a_streamed_request_body_is_not_touched_and_the_answer_still_read() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    let pieces = question(false)
        .into_bytes()
        .chunks(7)
        .map(Bytes::copy_from_slice)
        .collect::<Vec<_>>();
    capture.record(|| {
        let client = reqwest_client(server.port);
        let body =
            reqwest::Body::wrap_stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)));
        block_on(by_reqwest(&client, &Tap::new(), &server.chat_url(), body)).unwrap();
    });
    assert_eq!(server.asked()[0].body, question(false));
    let (_, span) = only_end(&capture);
    assert_eq!(
        text(&span, "gen_ai.request.model"),
        None,
        "it is in the body alone"
    );
    assert_eq!(text(&span, "gen_ai.response.model"), Some(ANSWERED_BY));
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
}

#[test]
fn a_boxed_request_body_is_read_where_the_request_says_what_it_is() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    let bytes = Bytes::from(question(false));
    capture.record(|| {
        block_on(async {
            let client =
                hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                    .build_http();
            let client = tower::Layer::layer(&Tap::new().layer(), client);
            let mut request = post(&server.chat_url(), Full::new(bytes.clone()).boxed());
            request.extensions_mut().insert(RequestBody(bytes.clone()));
            client
                .oneshot(request)
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap();
        });
    });
    assert_eq!(
        text(&only_end(&capture).1, "gen_ai.request.model"),
        Some(MODEL)
    );
    assert_eq!(server.asked()[0].body, bytes);
}

#[test]
fn a_hundred_megabytes_pass_and_are_not_kept() {
    const FRAME: usize = 1024 * 1024;
    let capture = capture();
    let frame = || Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'x'; FRAME])));
    for content_type in ["application/json", "text/event-stream"] {
        let service = tower::service_fn(move |_: http::Request<Full<Bytes>>| {
            let body = stream::repeat_with(frame).take(100);
            let response = http::Response::builder().header("content-type", content_type);
            let response = response.body(StreamBody::new(body)).unwrap();
            async { Ok::<_, Infallible>(response) }
        });
        let service = tower::Layer::layer(&Tap::new().layer(), service);
        let request = post(
            "https://api.openai.com/v1/chat/completions",
            Full::new(question(true).into()),
        );
        let mut read = 0;
        let memory = allocation_counter::measure(|| {
            capture.record(|| {
                block_on(async {
                    let mut body = service.oneshot(request).await.unwrap().into_body();
                    while let Some(frame) = body.frame().await {
                        read += frame.unwrap().into_data().unwrap().remaining();
                    }
                });
            });
        });
        assert_eq!(read, 100 * FRAME);
        // A buffer that grows by doubling holds its old and its new content for a moment.
        assert!(
            memory.bytes_max < 3 * Reader::LIMIT as u64,
            "{content_type}: {memory:?}"
        );
    }
    assert_eq!(capture.spans().len(), 2);
}

#[test]
fn a_request_of_a_hundred_megabytes_is_neither_copied_nor_read() {
    let capture = capture();
    let body = Bytes::from(vec![b' '; 100 * 1024 * 1024]);
    let service = tower::service_fn(|request: http::Request<Full<Bytes>>| async {
        // The service gets the caller's own bytes.
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, Infallible>(http::Response::new(Full::new(body)))
    });
    let service = tower::Layer::layer(&Tap::new().layer(), service);
    let request = post(
        "https://api.openai.com/v1/chat/completions",
        Full::new(body.clone()),
    );
    let memory = allocation_counter::measure(|| {
        capture.record(|| {
            block_on(async {
                let response = service.oneshot(request).await.unwrap();
                let frame = response.into_body().frame().await.unwrap().unwrap();
                assert_eq!(frame.data_ref().unwrap().as_ptr(), body.as_ptr());
            });
        });
    });
    assert!(memory.bytes_max < Reader::LIMIT as u64, "{memory:?}");
    assert_eq!(text(&only_end(&capture).1, "gen_ai.request.model"), None);
}

#[test]
fn an_endless_stream_takes_no_more_memory_the_longer_it_runs() {
    // Nobody listens on the bus: what a listener keeps is its own.
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let frame = Bytes::from(word("umbrella "));
    let service = tower::service_fn(move |_: http::Request<Full<Bytes>>| {
        let frame = frame.clone();
        let frames = stream::repeat_with(move || Ok::<_, Infallible>(Frame::data(frame.clone())));
        let response = http::Response::builder().header("content-type", "text/event-stream");
        let response = response.body(StreamBody::new(frames)).unwrap();
        async { Ok::<_, Infallible>(response) }
    });
    let service = tower::Layer::layer(&Tap::new().layer(), service);
    let request = post(
        "https://api.openai.com/v1/chat/completions",
        Full::new(question(true).into()),
    );
    block_on(async {
        let mut body = service.oneshot(request).await.unwrap().into_body();
        let mut read = async |frames| {
            for _ in 0..frames {
                body.frame().await.unwrap().unwrap();
            }
        };
        read(10_000).await;
        let held = allocation_counter::measure(|| {
            futures_util::FutureExt::now_or_never(read(100_000)).unwrap();
        });
        assert!(held.bytes_current < 16 * 1024, "{held:?}");
        assert!(held.bytes_max < 64 * 1024, "{held:?}");
    });
}
