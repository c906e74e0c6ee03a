//! Ports and probe paths are those that the processes listen on.

use std::collections::BTreeSet;

use sealane_service::probes::{self, Health, Metrics};
use serde_json::Value;

use crate::{
    pod::Container,
    process::{self, Process},
    renderings,
};

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

#[test]
fn every_process_listens_where_its_port_says() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let at = format!("{}: {process}", rendering.name());
            let address = listens(&process)?;
            let port = process.container.at("/ports/0");

            assert_eq!(port["name"], "http", "{at}");
            assert_eq!(port["containerPort"], address.port(), "{at}");
            assert!(
                address.ip().is_unspecified(),
                "{at}: the kubelet cannot reach {address}"
            );
            assert_eq!(
                process.container.at("/ports").as_array().map(Vec::len),
                Some(1),
                "{at}"
            );
        }
    }
    Ok(())
}

/// The overlay `local` is also played by podman on the network of the host, where all of them share one address.
#[test]
fn no_two_processes_of_local_share_a_port() -> anyhow::Result<()> {
    let local = renderings::with("local", &[]);
    let mut ports = BTreeSet::new();
    for process in process::all(local) {
        assert!(ports.insert(listens(&process)?.port()), "{process}");
    }
    Ok(())
}

/// Asked of the router itself, which all four have.
#[tokio::test]
async fn every_probe_asks_for_a_path_that_is_served() -> anyhow::Result<()> {
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            for probe in PROBES {
                paths.extend(path(process.container, probe).map(str::to_owned));
            }
        }
    }
    assert_eq!(
        paths,
        BTreeSet::from(["/livez", "/readyz"].map(str::to_owned))
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = probes::router(Health::new(), Metrics::new());
    let serving = tokio::spawn(async { axum::serve(listener, router).await });

    let served = |path: String| async move {
        let answer = reqwest::get(format!("http://{address}{path}")).await?;
        anyhow::Ok(answer.status().as_u16())
    };

    for path in paths {
        let status = served(path.clone()).await?;
        assert!([200, 503].contains(&status), "{path}: {status}");
    }
    assert_eq!(
        served("/healthz".to_owned()).await?,
        404,
        "what is not served is refused"
    );
    serving.abort();
    Ok(())
}

/// Liveness that depends on the world restarts all pods when the world fails; readiness that does not tells nothing.
#[test]
fn every_probe_asks_what_it_is_for() {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let at = format!("{}: {process}", rendering.name());
            let is_job = process.pod.owner.kind() == "ScaledJob";
            assert_eq!(
                path(process.container, "livenessProbe"),
                Some("/livez"),
                "{at}"
            );
            assert_eq!(
                path(process.container, "startupProbe"),
                Some("/livez"),
                "{at}"
            );
            match path(process.container, "readinessProbe") {
                Some(path) => assert_eq!(path, "/readyz", "{at}"),
                None => assert!(is_job, "{at}: whether it is ready is not asked"),
            }
        }
    }
}

fn path<'a>(container: Container<'a>, probe: &str) -> Option<&'a str> {
    let asked = container.at(&format!("/{probe}/httpGet"));
    let port = asked.get("port").unwrap_or(&Value::Null);
    assert!(asked.is_null() || port == "http", "{probe} asks at {port}");
    asked.get("path")?.as_str()
}

fn listens(process: &Process<'_>) -> anyhow::Result<std::net::SocketAddr> {
    let settings = process.settings()?;
    Ok(match process.container.name() {
        "codec-server" => settings.codec_server.addr,
        _ => settings.http_addr,
    })
}
