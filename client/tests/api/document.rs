//! The OpenAPI document, docs/http-api.md, and what is really there.

use std::collections::BTreeSet;

use sealane_client::api;
use sealane_service::http::Kind;
use serde_json::{Value, json};

use crate::{answer::document, service::Service};

const DOCS: &str = include_str!("../../../docs/http-api.md");

/// Every operation: method, path, description.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each = |(path, item): (&String, &Value)| {
        let operations = item.as_object().cloned().unwrap_or_default();
        let path = path.clone();
        operations
            .into_iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    };
    paths.flat_map(each).collect()
}

#[tokio::test]
async fn every_documented_route_is_there_and_takes_no_other_method() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let served = service.get("/openapi.json").await.is(200);

    assert_eq!(served, document());
    assert_eq!(served["openapi"], "3.1.0");
    let operations = operations(&served);
    assert!(operations.len() >= 16, "{} operations", operations.len());
    let known: BTreeSet<_> = operations.iter().map(|it| (&it.0, &it.1)).collect();
    for (method, path, _) in &operations {
        let target = path.replace('{', "nothing-").replace('}', "");
        let answer = service.send(method, &target, |request| request).await;
        // Somebody may say that there is no such workflow, but not that there is no such route.
        assert!(!answer.text.contains("problem:not-found"), "{answer}");
        assert_ne!(answer.status, 405, "{answer}");
        for other in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !known.contains(&(&other.to_owned(), path)) {
                let answer = service.send(other, &target, |request| request).await;
                answer.is_problem(405, "method-not-allowed");
                assert!(answer.header("allow").contains(method.as_str()), "{answer}");
            }
        }
    }
    Ok(())
}

#[test]
fn every_operation_says_who_may_call_and_what_can_go_wrong() {
    let document = document();
    let ids: BTreeSet<_> = operations(&document)
        .iter()
        .map(|(_, _, operation)| operation["operationId"].to_string())
        .collect();
    assert_eq!(
        ids.len(),
        operations(&document).len(),
        "ids repeat: {ids:?}"
    );
    for (method, path, operation) in operations(&document) {
        let is_open = operation["tags"] == json!(["about"]);
        let security = if is_open {
            Value::Null
        } else {
            json!([{"bearer": []}])
        };
        assert_eq!(operation["security"], security, "{method} {path}");
        let answers = operation["responses"].as_object().unwrap();
        assert_eq!(answers.contains_key("401"), !is_open, "{method} {path}");
        for (status, answer) in answers {
            let media = if status.starts_with('2') {
                "application/json"
            } else {
                "application/problem+json"
            };
            let schema = &answer["content"][media]["schema"];
            assert!(schema.is_object(), "{method} {path} {status}: {answer}");
        }
    }
}

#[test]
fn no_reference_leads_nowhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// A client that is generated from the document uses a type of the format, and must be able to send the maximum with it.
#[test]
fn no_number_may_be_larger_than_its_format_can_hold() {
    let mut left = vec![document()];
    let mut numbers = 0;
    while let Some(schema) = left.pop() {
        if let (Some(format), Some(maximum)) =
            (schema["format"].as_str(), schema["maximum"].as_i64())
        {
            let largest = match format {
                "int32" => i32::MAX.into(),
                "int64" => i64::MAX,
                _ => panic!("{schema}"),
            };
            assert!(maximum <= largest, "{schema}");
            numbers += 1;
        }
        match schema {
            Value::Array(parts) => left.extend(parts),
            Value::Object(parts) => left.extend(parts.into_iter().map(|(_, part)| part)),
            _ => {}
        }
    }
    assert!(numbers >= 3, "{numbers} numbers with a maximum");
}

#[test]
fn the_documentation_lists_every_route() {
    let routes: BTreeSet<_> = operations(&document())
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();

    assert_eq!(rows_of("Routes", 1), routes);
}

#[test]
fn the_documentation_lists_every_problem() {
    let common = Kind::COMMON.map(|it| (it.uri(), it.status().as_u16()));
    let own = api::problems();
    let own = own.into_iter().map(|(uri, status, _)| (uri, status));
    let known: BTreeSet<_> = own
        .chain(common)
        .map(|(uri, status)| {
            let slug = uri.trim_start_matches("urn:sealane:problem:").to_owned();
            format!("{slug} {status}")
        })
        .collect();

    assert_eq!(rows_of("Problems", 2), known);
}

/// The code spans and numbers in the first `columns` columns of the tables below the heading.
fn rows_of(heading: &str, columns: usize) -> BTreeSet<String> {
    let (_, section) = DOCS
        .split_once(&format!("\n## {heading}\n"))
        .expect("there is such a heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ").take(columns);
        let cells: Vec<_> = cells
            .map(|cell| cell.trim_matches([' ', '`', '|']))
            .collect();
        cells.join(" ")
    })
    .collect()
}

#[tokio::test]
async fn the_page_to_browse_it_is_served_whole_from_here() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    let moved = service.get("/docs").await;
    let page = service.get("/docs/").await;
    assert_eq!((moved.status, moved.header("location")), (303, "/docs/"));
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    let linked = page
        .text
        .split(['"', '\''])
        .filter(|it| it.ends_with(".js") || it.ends_with(".css"));
    let mut files = 0;
    for file in linked {
        let path = format!("/docs/{}", file.trim_start_matches("./"));
        assert_eq!(service.get(&path).await.status, 200, "{path}");
        files += 1;
    }
    assert!(files >= 4, "{files} files in {}", page.text);
    Ok(())
}

#[tokio::test]
async fn a_caller_finds_the_way_from_the_root() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    let index = service.get("/").await.is(200);
    let ping = service.get("/ping").await.is(200);

    for (name, path) in index.as_object().unwrap() {
        let path = path.as_str().unwrap();
        let answer = service.get(path).await;
        assert!(!matches!(answer.status, 404 | 500..), "{name}: {answer}");
    }
    assert_eq!(ping["version"], env!("CARGO_PKG_VERSION"));
    Ok(())
}
