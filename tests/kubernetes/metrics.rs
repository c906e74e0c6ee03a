//! What is scraped is what there is to scrape, for both operators.

use crate::{object::Object, renderings, renderings::Rendering, selector};

/// A monitor without pods, or with a port that no pod has, is silent about it.
#[test]
fn every_monitor_finds_every_pod_and_its_port() {
    let mut monitors = 0;
    for rendering in renderings::of_overlays() {
        for monitor in rendering.of_kind("PodMonitor") {
            for pod in rendering.pods() {
                let at = format!("{}: {monitor}: {pod}", rendering.name());
                assert!(
                    selector::takes(monitor.at("/spec/selector"), pod.labels()),
                    "{at}"
                );
                assert!(pod.label(monitor.text("/spec/jobLabel")).is_some(), "{at}");
                for endpoint in monitor.list("/spec/podMetricsEndpoints") {
                    assert_eq!(&endpoint["port"], pod.main().at("/ports/0/name"), "{at}");
                    assert_eq!(endpoint["path"], "/metrics", "{at}");
                }
            }
            monitors += 1;
        }
        let asked = rendering.has("monitoring") || rendering.has("monitoring-azure");
        assert_eq!(
            rendering.of_kind("PodMonitor").count(),
            usize::from(asked),
            "{}",
            rendering.name()
        );
    }
    assert!(monitors > 10, "{monitors} monitors are too few");
}

/// Azure's Prometheus does not look at the other group, nor has it more fields.
#[test]
fn both_operators_scrape_the_same() {
    let of = |component| renderings::with("aks", &[component]);
    let monitor = |it: &'static Rendering| -> &Object { it.find("PodMonitor", "sealane") };
    let (operator, azure) = (monitor(of("monitoring")), monitor(of("monitoring-azure")));

    assert_eq!(operator.api_version(), "monitoring.coreos.com/v1");
    assert_eq!(azure.api_version(), "azmonitoring.coreos.com/v1");
    for field in ["selector", "jobLabel", "sampleLimit", "podMetricsEndpoints"] {
        let field = format!("/spec/{field}");
        assert_eq!(operator.at(&field), azure.at(&field), "{field}");
    }
    // A scrape with more is refused by Azure, all of it.
    for (limit, value) in [
        ("labelLimit", 63),
        ("labelNameLengthLimit", 511),
        ("labelValueLengthLimit", 1023),
    ] {
        assert_eq!(azure.at(&format!("/spec/{limit}")), value, "{limit}");
    }
}
