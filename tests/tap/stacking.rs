//! Where the tap stands among others and among layers that retry.

use tracing_genai::tap::Tap;
use tracing_genai::testing::capture;

use super::clients::{by_middleware, hyper, middleware, reqwest_client};
use super::server::{Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

#[test]
fn a_second_tap_further_in_does_nothing() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(9, 4)))),
    );
    let tap = Tap::new();
    capture.record(|| {
        block_on(async {
            // A middleware's tap around a tap around a tap.
            let client = middleware(reqwest_client(server.port), &tap);
            let client = reqwest_middleware::ClientBuilder::from_client(client)
                .with(tap.clone())
                .build();
            by_middleware(&client, &server.chat_url(), question(true))
                .await
                .unwrap();

            let twice = tower::Layer::layer(&tap.layer(), hyper(&tap));
            let request = super::clients::post(
                &server.chat_url(),
                http_body_util::Full::new(question(true).into()),
            );
            let response = tower::ServiceExt::oneshot(twice, request).await.unwrap();
            http_body_util::BodyExt::collect(response.into_body())
                .await
                .unwrap();
        });
    });
    let spans = capture.spans();
    assert_eq!(spans.len(), 2, "{}", capture.tree());
    for span in spans {
        assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
    }
    assert_eq!(chunk_events(&capture).len(), 2 * WORDS.len());
}

#[test]
fn a_tap_behind_a_queue_of_another_task_finds_the_span_of_the_tap_before_it() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    let tap = Tap::new();
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let inner = {
                let (client, tap) = (client.clone(), tap.clone());
                tower::service_fn(move |request: reqwest::Request| {
                    let (client, tap) = (client.clone(), tap.clone());
                    let task = async move { tap.send(&client, request).await };
                    let task = tracing::Instrument::in_current_span(task);
                    async move { tokio::spawn(task).await.unwrap() }
                })
            };
            let service = tower::Layer::layer(&tap.layer(), inner);
            let request = client.post(server.chat_url()).body(question(false));
            let response = tower::ServiceExt::oneshot(service, request.build().unwrap());
            response.await.unwrap().bytes().await.unwrap();
        });
    });
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
}

#[test]
fn a_tap_above_a_retry_sees_one_call_and_below_it_one_for_each_attempt() {
    let refused = Reply::json(r#"{"error":{"code":"rate_limit_exceeded"}}"#).status(429);
    let replies = vec![refused, Reply::json(answer(usage(9, 4)))];
    let run = |above: bool| {
        let (capture, server) = (capture(), Server::script(replies.clone()));
        let (inner, outer) = if above {
            (None, Some(Tap::new()))
        } else {
            (Some(Tap::new()), None)
        };
        capture.record(|| {
            let client = reqwest_client(server.port);
            let retry = {
                let client = client.clone();
                tower::service_fn(move |request: reqwest::Request| {
                    let (client, inner) = (client.clone(), inner.clone());
                    async move {
                        loop {
                            let attempt = request.try_clone().unwrap();
                            let response = match &inner {
                                Some(tap) => tap.send(&client, attempt).await?,
                                None => client.execute(attempt).await?,
                            };
                            if response.status() != 429 {
                                return Ok::<_, reqwest::Error>(response);
                            }
                        }
                    }
                })
            };
            let request = client
                .post(server.chat_url())
                .body(question(false))
                .build()
                .unwrap();
            block_on(async {
                let response = match outer {
                    Some(tap) => {
                        let service = tower::Layer::layer(&tap.layer(), retry);
                        tower::ServiceExt::oneshot(service, request).await
                    }
                    None => tower::ServiceExt::oneshot(retry, request).await,
                };
                response.unwrap().bytes().await.unwrap();
            });
        });
        capture
            .tree()
            .lines()
            .map(|line| line.split(" cost").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // Nobody reads the refusal, so its status is all that is known of it.
    assert_eq!(run(true), ["chat gpt-4o-mini  in=9 out=4"]);
    assert_eq!(
        run(false),
        [
            "chat gpt-4o-mini  error=429",
            "chat gpt-4o-mini  in=9 out=4"
        ]
    );
}
