//! Who may look, and what everybody is told by every answer.

use reqwest::header::{COOKIE, HOST, SET_COOKIE};
use tracing_genai::viewer::Viewer;
use tracing_genai::{ConfigError, Telemetry};

use super::client::{raw, text};
use super::{builder, url};

async fn status(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_of_build_and_nothing_has_started() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Telemetry::builder("x")
        .environment(|_| None)
        .viewer(address.to_string())
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::Viewer(_)));
    let told = error.to_string();
    assert!(
        told.contains(&address.to_string()) && told.contains("port 0"),
        "{told}"
    );
}

#[test]
fn an_address_that_others_reach_is_refused_unless_it_is_asked_for() {
    let build = |viewer: Viewer| {
        Telemetry::builder("x")
            .environment(|_| None)
            .viewer(viewer)
            .build()
    };
    let told = build("0.0.0.0:0".into()).unwrap_err().to_string();
    assert!(
        told.contains("beyond_loopback") && told.contains("0.0.0.0:0"),
        "{told}"
    );
    let telemetry = build(Viewer::new("0.0.0.0:0").beyond_loopback()).unwrap();
    let viewer = telemetry.viewer().unwrap();
    assert!(
        viewer.url().starts_with("http://127.0.0.1:") && viewer.url().contains("/?token="),
        "{}",
        viewer.url()
    );
    let token = viewer.url().split_once("token=").unwrap().1;
    assert!(
        !format!("{telemetry:?}{viewer:?}").contains(token),
        "Debug tells the token"
    );
}

#[test]
fn a_disabled_installation_serves_nothing() {
    let telemetry = Telemetry::builder("x")
        .environment(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
        .viewer("127.0.0.1:0")
        .build()
        .unwrap();
    assert!(telemetry.viewer().is_none());
}

#[tokio::test]
async fn without_the_token_nothing_is_told() {
    const TOKEN: &str = "correct-horse-battery";
    let telemetry = builder()
        .viewer(Viewer::new("127.0.0.1:0").token(TOKEN))
        .build()
        .unwrap();
    let address = telemetry.viewer().unwrap().address();
    let at = |path: &str| format!("http://{address}{path}");
    let client = reqwest::Client::new();
    for path in [
        "/",
        "/assets/app.js",
        "/api/live",
        "/api/search?q=",
        "/api/runs/1",
        "/?token=wrong-horse-batterie",
        "/?token=",
        "/api/search?q=&token=correct",
    ] {
        assert_eq!(status(client.get(at(path))).await, 403, "{path}");
    }
    // The address that the program told, once; then its cookie.
    let first = client
        .get(telemetry.viewer().unwrap().url())
        .send()
        .await
        .unwrap();
    assert_eq!(first.status(), 200);
    let cookie = first.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(
        status(
            client
                .get(at("/api/search?q="))
                .header(COOKIE, format!("other=1; {pair}"))
        )
        .await,
        200
    );
    assert_eq!(
        status(
            client
                .get(at("/api/search?q="))
                .header(COOKIE, format!("{pair}x"))
        )
        .await,
        403
    );
    assert_eq!(
        status(client.get(at("/api/search?q=")).bearer_auth(TOKEN)).await,
        200
    );
    assert_eq!(
        status(client.get(at("/api/search?q=")).bearer_auth("nobody")).await,
        403
    );
}

#[tokio::test]
async fn a_name_that_somebody_pointed_at_this_machine_is_refused() {
    let telemetry = builder().build().unwrap();
    let client = reqwest::Client::new();
    for (host, expected) in [
        ("evil.example", 403),
        ("127.0.0.1.nip.io", 403),
        ("localhost:1", 200),
        ("[::1]", 200),
    ] {
        let request = client
            .get(format!("{}api/search?q=", url(&telemetry)))
            .header(HOST, host);
        assert_eq!(status(request).await, expected, "{host}");
    }
    let answer = raw(
        telemetry.viewer().unwrap().address(),
        "GET / HTTP/1.0\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.0 403"), "{answer}");
}

#[tokio::test]
async fn other_sites_pages_are_not_answered_but_links_are_followed() {
    let telemetry = builder().build().unwrap();
    let client = reqwest::Client::new();
    let from = |path: &str, site: &str, mode: &str| {
        let request = client.get(format!("{}{path}", url(&telemetry)));
        status(
            request
                .header("sec-fetch-site", site.to_owned())
                .header("sec-fetch-mode", mode.to_owned()),
        )
    };
    assert_eq!(from("api/live", "cross-site", "cors").await, 403);
    assert_eq!(from("assets/app.js", "cross-site", "no-cors").await, 403);
    assert_eq!(from("api/search?q=", "same-site", "navigate").await, 403);
    assert_eq!(from("", "cross-site", "navigate").await, 200);
    assert_eq!(from("api/search?q=", "same-origin", "cors").await, 200);
}

#[tokio::test]
async fn every_answer_forbids_what_the_page_does_not_need() {
    let telemetry = builder().build().unwrap();
    for path in [
        "",
        "assets/app.js",
        "assets/nothing",
        "nowhere",
        "api/search?q=",
        "api/runs/none",
    ] {
        let (headers, _) = text(&format!("{}{path}", url(&telemetry))).await;
        let policy = headers["content-security-policy"].to_str().unwrap();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}

#[cfg(feature = "config")]
#[test]
fn a_file_says_where_the_page_is_and_only_a_token_opens_it_to_others() {
    use tracing_genai::config::Config;
    let build = |text: &str| {
        let config = Config::from_yaml(text).unwrap().environment(|_| None);
        let builder = Telemetry::builder("x").environment(|_| None);
        builder.config(config).build()
    };
    let telemetry = build("outputs: {viewer: \"127.0.0.1:0\"}").unwrap();
    assert!(url(&telemetry).starts_with("http://127.0.0.1:"));
    let told = build("outputs: {viewer: \"0.0.0.0:0\"}").unwrap_err();
    assert!(told.to_string().contains("loopback"), "{told}");
    let token = "correct-horse-battery";
    let text = format!("outputs: {{viewer: \"0.0.0.0:0\", viewer_token: {token}}}");
    let telemetry = build(&text).unwrap();
    assert!(url(&telemetry).ends_with(token));
    // What code says goes before it.
    let config = Config::from_yaml("outputs: {viewer: nonsense}").unwrap();
    assert!(builder().config(config).build().is_ok());
}
