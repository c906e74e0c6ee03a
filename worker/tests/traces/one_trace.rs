use std::net::{SocketAddr, TcpListener};

use anyhow::bail;
use axum::{
    Router,
    extract::{Path, State},
    routing::post,
};
use opentelemetry::trace::FutureExt;
use sealane_client::{
    api::{self, ApiError},
    workflow::{Execution, Workflows},
};
use sealane_dev::ServiceThread;
use sealane_service::{
    http::{Edge, Server},
    probes::Metrics,
};
use sealane_tests::{TestWorker, World, orders::patiently, traced};
use serde_json::json;

use crate::scene::{Asker, collector, has, only, result, start, worker, workflows, world};

/// How many free ports are tried.
const PORTS: usize = 5;

#[tokio::test]
async fn a_start_its_workflow_and_its_activities_are_one_trace() -> anyhow::Result<()> {
    let world = world().await;
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let start = start(&world, "GreetingWorkflow", &json!("Ada"));
    let starting = workflows.start(start).with_context(asker.context());
    let execution = starting.await?.execution();
    result(&workflows, &execution).await?;
    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(0));
    let enough = |spans: &[_]| has(spans, "StartWorkflow:GreetingWorkflow") && spans.len() >= 8;
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let started = only(&spans, "StartWorkflow:GreetingWorkflow");
    assert_eq!(started.parent_id, asker.span_id());
    assert_eq!(started.service, "caller");
    let id = Some(execution.workflow_id.as_str());
    assert_eq!(started.attribute("temporalWorkflowID"), id);
    let run = only(&spans, "RunWorkflow:GreetingWorkflow");
    assert_eq!(run.parent_id, started.span_id);
    assert_eq!(run.service, "sealane-worker");
    assert_eq!(run.attribute("temporalRunID"), execution.run_id.as_deref());
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    let activities = names.iter().filter(|name| name.starts_with("RunActivity:"));
    assert_eq!(activities.count(), 3, "{names:?}");
    for name in names
        .iter()
        .filter_map(|it| it.strip_prefix("RunActivity:"))
    {
        let scheduled = only(&spans, &format!("StartActivity:{name}"));
        let ran = only(&spans, &format!("RunActivity:{name}"));
        assert_eq!(scheduled.parent_id, run.span_id);
        assert_eq!(ran.parent_id, scheduled.span_id);
        assert!(ran.is_server && !ran.is_error);
    }
    Ok(())
}

async fn start_traced(
    State((workflows, world)): State<(Workflows, &'static World)>,
    Path(id): Path<String>,
) -> String {
    let mut start = start(world, "TracedWorkflow", &json!(null));
    start.workflow_id = id;
    workflows
        .start(start)
        .await
        .map_or_else(|error| error.to_string(), |started| started.run_id)
}

#[tokio::test]
async fn the_trace_of_a_request_goes_on_behind_it() -> anyhow::Result<()> {
    let world: &'static World = Box::leak(Box::new(world().await));
    let worker = TestWorker::start(world.settings(), traced::register);
    let workflows = workflows(world).await?;
    let router = Router::new()
        .route("/traced/{id}", post(start_traced))
        .with_state((workflows.clone(), world));
    let edge = Edge::new(&world.settings().http, &Metrics::new(), "test");
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)), edge.protect(router)).await?;
    let url = format!("http://{}/traced", server.address());
    let serving = tokio::spawn(server.serve(std::future::pending()));
    let asker = Asker::new();

    let id = world.id("by-request");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client
        .post(format!("{url}/{id}?card=4111"))
        .header("traceparent", asker.traceparent())
        .header("baggage", "card=4111");
    let answer = patiently("the answer", request.send()).await?;
    assert_eq!(answer.status(), 200);
    let execution = Execution {
        workflow_id: id,
        run_id: None,
    };
    result(&workflows, &execution).await?;
    worker.stop().await?;
    serving.abort();

    let enough =
        |spans: &[_]| has(spans, "POST /traced/{id}") && has(spans, "RunWorkflow:TracedWorkflow");
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let request = only(&spans, "POST /traced/{id}");
    assert_eq!(request.parent_id, asker.span_id());
    assert!(request.is_server);
    assert_eq!(request.attribute("http.response.status_code"), Some("200"));
    assert_eq!(request.attribute("http.route"), Some("/traced/{id}"));
    let started = only(&spans, "StartWorkflow:TracedWorkflow");
    assert_eq!(started.parent_id, request.span_id);
    let run = only(&spans, "RunWorkflow:TracedWorkflow");
    assert_eq!(run.parent_id, started.span_id);
    let ran = only(&spans, "RunActivity:look");
    assert_eq!(ran.parent_id, only(&spans, "StartActivity:look").span_id);
    assert!(!collector().await.has_seen("card=4111"));
    Ok(())
}

/// The API is of this process, the worker is one of its own.
#[tokio::test]
async fn an_http_request_and_the_activities_it_leads_to_are_one_trace() -> anyhow::Result<()> {
    let mut world = world().await;
    let worker = worker(&world).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (api, address) = start_api(&mut world, &client).await?;
    let asker = Asker::new();

    let request = client
        .get(format!("http://{address}/sync?name=Ada"))
        .header("traceparent", asker.traceparent());
    let answer = patiently("the greeting", request.send()).await?;
    assert_eq!(answer.status(), 200);
    let greeting = patiently("the greeting", answer.text()).await?;
    assert!(greeting.contains("Hello, Ada!"));
    worker.signal("TERM").await?;
    worker.ends().await?;
    patiently("the end of the API", api.stop()).await?;

    let enough = |spans: &[_]| has(spans, "GET /sync") && spans.len() >= 9;
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let request = only(&spans, "GET /sync");
    assert_eq!(request.parent_id, asker.span_id());
    let started = only(&spans, "StartWorkflow:GreetingWorkflow");
    assert_eq!(started.parent_id, request.span_id);
    let run = only(&spans, "RunWorkflow:GreetingWorkflow");
    assert_eq!(run.parent_id, started.span_id);
    let scheduled = only(&spans, "StartActivity:greet");
    assert_eq!(scheduled.parent_id, run.span_id);
    let ran = only(&spans, "RunActivity:greet");
    assert_eq!(ran.parent_id, scheduled.span_id);
    assert_eq!(ran.service, "sealane-worker");
    Ok(())
}

/// Starts the API, and returns where it answers. Somebody else may take a free port before it does: then it ends, and is
/// started elsewhere.
async fn start_api(
    world: &mut World,
    client: &reqwest::Client,
) -> anyhow::Result<(ServiceThread<ApiError>, SocketAddr)> {
    for _ in 0..PORTS {
        let free = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        world.set("SEALANE_HTTP_ADDR", free.to_string());
        let mut api = ServiceThread::api(world.settings(), api::Options::default())?;
        tokio::select! {
            ended = api.ended() => eprintln!("the API at {free} ended: {ended:?}"),
            () = patiently("the API", ready(client, free)) => return Ok((api, free)),
        }
    }
    bail!("{PORTS} ports that were free are taken")
}

async fn ready(client: &reqwest::Client, address: SocketAddr) {
    let url = format!("http://{address}/readyz");
    loop {
        match client.get(&url).send().await {
            Ok(answer) if answer.status() == 200 => return,
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn messages_to_a_workflow_are_part_of_the_senders_trace() -> anyhow::Result<()> {
    let world = world().await;
    let worker = TestWorker::start(world.settings(), sealane_tests::canary::register);
    let workflows = workflows(&world).await?;
    let start = start(&world, "CountingWorkflow", &json!(2));
    let execution = workflows.start(start).await?.execution();
    let asker = Asker::new();
    let number = |number: u64| vec![sealane_client::payload::from_json(&json!(number))];

    let talking = async {
        workflows.query(&execution, "more_than", number(7)).await?;
        workflows
            .update(&execution, "set", "u-1", number(1))
            .await?;
        workflows.signal(&execution, "add", number(1)).await?;
        anyhow::Ok(())
    };
    patiently("the talk", talking.with_context(asker.context())).await?;
    result(&workflows, &execution).await?;
    worker.stop().await?;

    let handled = [
        "HandleQuery:more_than",
        "HandleUpdate:set",
        "HandleSignal:add",
    ];
    let enough = |spans: &[_]| handled.iter().all(|name| has(spans, name));
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    for (sent, handled) in [
        ("QueryWorkflow:more_than", "HandleQuery:more_than"),
        ("StartWorkflowUpdate:set", "HandleUpdate:set"),
        ("SignalWorkflow:add", "HandleSignal:add"),
    ] {
        let sent = only(&spans, sent);
        assert_eq!(sent.parent_id, asker.span_id());
        assert_eq!(only(&spans, handled).parent_id, sent.span_id);
    }
    Ok(())
}

#[tokio::test]
async fn code_runs_within_its_span_and_its_ids() -> anyhow::Result<()> {
    let world = world().await;
    let worker = TestWorker::start(world.settings(), traced::register);
    let workflows = workflows(&world).await?;

    let start = start(&world, "TracedWorkflow", &json!(null));
    let execution = workflows.start(start).await?.execution();
    let seen = result(&workflows, &execution).await?;
    worker.stop().await?;

    let run_id = execution.run_id.as_deref().unwrap_or_default();
    let text = |of: usize, what: &str| seen[of][what].as_str().unwrap_or_default().to_owned();
    for of in [0, 1] {
        assert!(text(of, "ids").contains(&execution.workflow_id), "{seen}");
        assert!(text(of, "ids").contains(run_id), "{seen}");
        assert_eq!(text(of, "traceparent")[..36], text(0, "traceparent")[..36]);
    }
    assert!(text(1, "ids").contains("look"), "{seen}");
    let trace_id = &text(0, "traceparent")[3..35];
    let enough = |spans: &[_]| has(spans, "RunActivity:look");
    let spans = collector().await.trace(trace_id, enough).await?;
    assert!(text(1, "traceparent").contains(&only(&spans, "RunActivity:look").span_id));
    Ok(())
}
