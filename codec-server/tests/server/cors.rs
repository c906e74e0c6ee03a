//! Which pages may read which answers: those of the list, all of them.

use axum::{body::Body, http::Request};
use futures_util::stream;
use sealane_codec_server::CodecCell;

use crate::support::{App, Asked, ORIGIN, one};

fn preflight(origin: &str, path: &str) -> Asked {
    Asked::new("OPTIONS", path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-namespace")
}

/// A body that never ends.
fn endless() -> Body {
    Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>())
}

#[tokio::test]
async fn a_preflight_of_an_allowed_page_says_all_that_the_web_ui_needs() {
    let app = App::with(&[]).await;
    for path in ["/decode", "/encode", "/download", "/orders/decode"] {
        let answer = app.send(preflight(ORIGIN, path).body("")).await;

        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        answer.assert_readable();
        assert_eq!(
            answer.header("access-control-allow-methods"),
            "POST, OPTIONS"
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            "content-type, x-namespace, authorization, authorization-extras"
        );
        assert_eq!(answer.header("access-control-max-age"), "3600");
        assert_eq!(answer.header("access-control-allow-private-network"), "");
    }
}

#[tokio::test]
async fn a_public_page_may_reach_a_private_address_if_it_is_allowed() {
    let app = App::with(&[]).await;
    let ask = |origin| {
        let request = preflight(origin, "/decode");
        app.send(
            request
                .header("access-control-request-private-network", "true")
                .body(""),
        )
    };

    let answer = ask(ORIGIN).await;
    assert_eq!(
        answer.header("access-control-allow-private-network"),
        "true"
    );
    ask("https://evil.example").await.assert_unreadable();
}

#[tokio::test]
async fn pages_that_are_not_on_the_list_get_no_leave() {
    let app = App::with(&[]).await;
    for origin in [
        "https://evil.example",
        "https://cloud.temporal.io.evil.example",
        "https://cloud.temporal.io:444",
        "http://cloud.temporal.io",
        "null",
        "*",
        "",
    ] {
        let answer = app.send(preflight(origin, "/decode").body("")).await;
        assert_eq!(answer.status, 204);
        answer.assert_unreadable();
        let post = Asked::post("/decode").header("origin", origin);
        let answer = app.send(post.body("{}")).await;
        assert_eq!(answer.status, 403);
        answer.assert_unreadable();
    }
    let answer = app.send(Asked::post("/decode").body("{}")).await;
    assert_eq!(answer.status, 200);
    answer.assert_unreadable();
}

#[tokio::test]
async fn the_dev_servers_own_page_is_allowed_until_the_list_says_otherwise() {
    for (settings, origin, is_allowed) in [
        (&[][..], "http://localhost:8233", true),
        (&[], "http://127.0.0.1:8233", true),
        (
            &[("SEALANE_CORS_ORIGINS", "https://ui.example")],
            "http://localhost:8233",
            false,
        ),
        (
            &[(
                "SEALANE_CORS_ORIGINS",
                "https://a.example,https://ui.example",
            )],
            "https://ui.example",
            true,
        ),
    ] {
        let app = App::with(settings).await;
        let request = Asked::post("/decode").header("origin", origin);
        let answer = app.send(request.body("{}")).await;
        let expected = if is_allowed { origin } else { "" };
        assert_eq!(answer.header("access-control-allow-origin"), expected);
    }
}

#[tokio::test]
async fn an_allowed_page_may_read_every_kind_of_answer() {
    let app = App::with(&[
        ("SEALANE_CODEC_MAX_BODY", "4096"),
        ("SEALANE_CODEC_MAX_PAYLOAD", "1024"),
    ])
    .await;
    let page = |path| Asked::post(path).by_page();
    let large = one(&"x".repeat(1100)).to_string();
    let too_large = one(&"x".repeat(5000)).to_string();
    for (status, request) in [
        (200, page("/decode").body("{}")),
        (400, page("/decode").body("[]")),
        (403, page("/others/decode").body("{}")),
        (404, page("/download").body("{}")),
        (404, Asked::new("GET", "/").by_page().body("")),
        (405, Asked::new("GET", "/decode").by_page().body("")),
        (413, page("/decode").body(large)),
        (413, page("/decode").body(too_large)),
        (415, Asked::new("POST", "/decode").by_page().body("{}")),
    ] {
        let answer = app.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.assert_readable();
    }
}

#[tokio::test]
async fn it_may_read_that_there_are_no_keys_yet() {
    let app = App::of(&[], CodecCell::default()).await;

    let answer = app.send(Asked::post("/decode").by_page().body("{}")).await;

    answer.assert_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    answer.assert_readable();
}

#[tokio::test(start_paused = true)]
async fn it_may_read_that_there_is_too_much_to_do_or_that_it_was_too_slow() {
    let app = App::with(&[("SEALANE_HTTP_MAX_CONCURRENT", "1")]).await;
    let slow: Request<Body> = Asked::post("/decode").by_page().body(endless());
    let slow = app.send(slow);
    tokio::pin!(slow);
    let busy = async {
        // The slow request, polled first, has taken the only place.
        let answer = app.send(Asked::post("/decode").by_page().body("{}")).await;
        answer.assert_problem(429, "too-many-requests");
        assert_eq!(answer.header("retry-after"), "1");
        answer.assert_readable();
        assert_eq!(
            app.send(preflight(ORIGIN, "/decode").body("")).await.status,
            204
        );
        std::future::pending::<()>().await;
    };

    let answer = tokio::select! {
        biased;
        answer = &mut slow => answer,
        () = busy => return,
    };

    answer.assert_problem(408, "request-timeout");
    answer.assert_readable();
}
