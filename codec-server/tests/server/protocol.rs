//! What the Web UI and the CLI may rely on.

use serde_json::{Value, json};

use crate::support::{App, Asked, data, one};

async fn app() -> App {
    App::with(&[("SEALANE_CODEC_NAMESPACES", "orders,payments")]).await
}

#[tokio::test]
async fn what_was_encoded_decodes_at_any_depth_and_whatever_the_query() {
    let app = app().await;
    let sealed = app.sealed("\"Ada\"").await;
    assert_ne!(data(&sealed), "\"Ada\"");

    for path in [
        "/decode",
        "/decode?preserveStorageRefs=true",
        "/orders/decode",
        "/deep/down/below/orders/decode?decode=/encode",
        "/%6Frder%73/decode",
    ] {
        let answer = app.post(path, &sealed).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.json(), one("\"Ada\""), "{path}");
    }
}

#[tokio::test]
async fn header_and_path_name_a_namespace_that_has_to_be_served() {
    let app = app().await;
    let sealed = app.sealed("1").await;
    let ask = |path, namespace| {
        let request = Asked::post(path).header("x-namespace", namespace);
        app.send(request.body(sealed.to_string()))
    };

    for (path, namespace, status) in [
        ("/decode", "orders", 200),
        ("/decode", "", 200),
        ("/orders/decode", "orders", 200),
        ("/behind/a/proxy/decode", "orders", 200),
        ("/orders/decode", "payments", 400),
        ("/decode", "others", 403),
        ("/orders/decode", "others", 403),
        ("/others/decode", "others", 403),
        ("/others/decode", "", 403),
    ] {
        let answer = ask(path, namespace).await;
        assert_eq!(answer.status, status, "{path} {namespace}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_namespace_named_twice_or_not_in_utf8_is_refused() {
    let app = app().await;
    let twice = Asked::post("/decode").header("x-namespace", "orders");
    let twice = twice.header("x-namespace", "orders").body("{}");

    app.send(twice).await.assert_problem(400, "bad-request");
    app.send(Asked::post("/%ff/decode").body("{}"))
        .await
        .assert_problem(400, "bad-request");
}

#[tokio::test]
async fn other_paths_and_methods_are_none_of_ours() {
    let app = app().await;
    for path in [
        "/",
        "/download",
        "/orders/download",
        "/decode/",
        "/decode/more",
    ] {
        app.post(path, &json!({}))
            .await
            .assert_problem(404, "not-found");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "BREW"] {
        let answer = app
            .send(Asked::new(method, "/orders/decode").body(""))
            .await;
        answer.assert_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), "POST, OPTIONS", "{method}");
    }
    let answer = app.send(Asked::new("OPTIONS", "/decode").body("")).await;
    assert_eq!(
        (answer.status, answer.header("allow")),
        (204, "POST, OPTIONS")
    );
}

#[tokio::test]
async fn anything_but_json_is_refused_before_it_is_read() {
    let app = app().await;
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let request = Asked::new("POST", "/decode").header("content-type", media);
        app.send(request.body("{}"))
            .await
            .assert_problem(415, "unsupported-media-type");
    }
    let answer = app.send(Asked::new("POST", "/decode").body("{}")).await;
    answer.assert_problem(415, "unsupported-media-type");
    for media in ["application/json; charset=utf-8", "Application/JSON"] {
        let request = Asked::new("POST", "/decode").header("content-type", media);
        assert_eq!(app.send(request.body("{}")).await.status, 200, "{media}");
    }
}

#[tokio::test]
async fn empty_lists_and_empty_payloads_come_back_as_the_web_ui_expects() {
    let app = app().await;
    let empty = json!({"payloads": []});
    for body in ["{}", r#"{"payloads":[]}"#, r#"{"payloads":null}"#] {
        for path in ["/decode", "/encode"] {
            let answer = app.send(Asked::post(path).body(body)).await;
            assert_eq!(answer.json(), empty, "{path} {body}");
        }
    }
    let answer = app.post("/decode", &json!({"payloads": [{}]})).await;
    assert_eq!(
        answer.json(),
        json!({"payloads": [{"metadata": {}, "data": ""}]})
    );
}

#[tokio::test]
async fn a_page_with_one_unreadable_payload_still_shows_the_rest() {
    let app = app().await;
    let mut sealed = app.sealed("\"first\"").await;
    let foreign = App::with(&[]).await.sealed("\"foreign\"").await["payloads"][0].clone();
    let payloads = sealed["payloads"].as_array_mut().unwrap();
    payloads.push(foreign.clone());
    payloads.push(one("\"plain\"")["payloads"][0].clone());

    let answer = app.post("/decode", &sealed).await;

    assert_eq!(answer.status, 200);
    let shown = &answer.json()["payloads"];
    assert_eq!(shown[0], one("\"first\"")["payloads"][0]);
    assert_eq!(shown[1], foreign);
    assert_eq!(shown[2], one("\"plain\"")["payloads"][0]);
}

#[tokio::test]
async fn an_unreadable_payload_by_itself_is_an_error_that_names_place_and_key() {
    let app = app().await;
    let foreign = App::with(&[]).await.sealed("\"foreign\"").await;

    let answer = app.post("/decode", &foreign).await;

    answer.assert_problem(400, "payload-unreadable");
    let problem = answer.json();
    assert_eq!(problem["index"], 0);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(r#""test-key""#), "{detail}");
    let data = foreign["payloads"][0]["data"].as_str().unwrap();
    assert!(!answer.body.contains(&data[..12]), "{}", answer.body);
}

#[tokio::test]
async fn mistakes_in_the_body_are_told_without_quoting_it() {
    let app = app().await;
    for body in [
        "canary",
        r#"{"payloads":"canary"}"#,
        r#"{"payloads":[{"data":"canary!"}]}"#,
    ] {
        let answer = app.send(Asked::post("/decode").body(body)).await;
        answer.assert_problem(400, "bad-request");
        assert!(!answer.body.contains("canary"), "{}", answer.body);
    }
}

#[tokio::test]
async fn answers_are_kept_by_no_cache() {
    let app = app().await;

    let answer = app
        .post("/decode", &Value::Object(Default::default()))
        .await;

    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn the_work_is_counted_beside_what_the_edge_counts() {
    let app = app().await;
    app.post("/decode", &app.sealed("1").await).await;

    let text = app.metrics.render().await;

    for series in [
        r#"sealane_codec_server_payloads_total{operation="decode",outcome="done"} 1"#,
        r#"sealane_codec_server_payloads_total{operation="encode",outcome="done"} 1"#,
        r#"sealane_codec_server_payloads_total{operation="encode",outcome="failed"} 0"#,
    ] {
        assert!(
            text.lines().any(|line| line == series),
            "{series} in\n{text}"
        );
    }
    assert!(text.contains("sealane_http_requests_total{"), "{text}");
}
