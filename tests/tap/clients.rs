//! The clients under test, each with a tap: `reqwest`, hyper under `tower`, and `reqwest-middleware`.

use std::error::Error;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tower::ServiceExt as _;
use tracing_genai::tap::{RequestBuilderExt as _, Tap, TapService};

use super::server::Server;
use super::wire_text::question;

pub type Failure = Box<dyn Error + Send + Sync>;

/// An answer, read to its end.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// A client that sends to 127.0.0.1 whatever the host.
pub fn reqwest_client(port: u16) -> reqwest::Client {
    let hosts = [
        "api.openai.com",
        "api.anthropic.com",
        "api.cohere.com",
        "api.mistral.ai",
        "generativelanguage.googleapis.com",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "localhost",
    ];
    let builder = hosts
        .into_iter()
        .fold(reqwest::Client::builder().no_proxy(), |builder, host| {
            builder.resolve(host, ([127, 0, 0, 1], port).into())
        });
    builder.build().unwrap()
}

pub async fn by_reqwest(
    client: &reqwest::Client,
    tap: &Tap,
    url: &str,
    body: impl Into<reqwest::Body>,
) -> Result<Answer, reqwest::Error> {
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(body);
    read(request.send_tapped(tap).await?).await
}

pub async fn read(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    Ok(Answer {
        status: response.status().as_u16(),
        body: response.bytes().await?,
    })
}

pub type Hyper = TapService<Client<HttpConnector, Full<Bytes>>>;

pub fn hyper(tap: &Tap) -> Hyper {
    let client = Client::builder(TokioExecutor::new()).build_http();
    tower::Layer::layer(&tap.layer(), client)
}

pub fn post<B>(url: &str, body: B) -> http::Request<B> {
    let request = http::Request::post(url).header("content-type", "application/json");
    request.body(body).unwrap()
}

pub async fn by_hyper(client: Hyper, url: &str, body: impl Into<Bytes>) -> Result<Answer, Failure> {
    let response = client.oneshot(post(url, Full::new(body.into()))).await?;
    Ok(Answer {
        status: response.status().as_u16(),
        body: response.into_body().collect().await?.to_bytes(),
    })
}

pub fn middleware(client: reqwest::Client, tap: &Tap) -> ClientWithMiddleware {
    ClientBuilder::new(client).with(tap.clone()).build()
}

pub async fn by_middleware(
    client: &ClientWithMiddleware,
    url: &str,
    body: impl Into<reqwest::Body>,
) -> Result<Answer, Failure> {
    let request = client.post(url).header("content-type", "application/json");
    Ok(read(request.body(body).send().await?).await?)
}

/// One chat by `reqwest`, read to its end.
pub async fn ask(server: &Server, stream: bool) -> Result<Answer, reqwest::Error> {
    let client = reqwest_client(server.port);
    by_reqwest(&client, &Tap::new(), &server.chat_url(), question(stream)).await
}
