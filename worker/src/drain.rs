//! How a drain goes, for as long as there is somebody left to ask.
//!
//! A counter of drains that took too long would be gone before anyone reads it: the process ends with
//! the drain. So what is shown is the drain itself, while it lasts.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use prometheus::{
    Gauge, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

/// When the drain began, if it has. Clones share it.
#[derive(Clone)]
pub(crate) struct Drain {
    began: Arc<OnceLock<Instant>>,
    draining: Gauge,
    elapsed: Gauge,
    timeout: Gauge,
}

impl Drain {
    /// Returns a drain that has not begun, shown in `registry` from now on.
    pub(crate) fn shown_in(registry: &Registry, timeout: Duration) -> Self {
        let drain = Self {
            began: Arc::default(),
            draining: gauge("sealane_worker_draining", "Whether the worker drains"),
            elapsed: gauge(
                "sealane_worker_drain_seconds",
                "How long the worker has been draining, 0 if it does not",
            ),
            timeout: gauge(
                "sealane_worker_drain_timeout_seconds",
                "SEALANE_DRAIN_TIMEOUT: activities that take longer are cancelled",
            ),
        };
        drain.timeout.set(timeout.as_secs_f64());
        let registered = registry.register(Box::new(drain.clone()));
        registered.expect("a process has one worker, and nothing else has these names");
        drain
    }

    /// The worker takes no more work from now on.
    pub(crate) fn begin(&self) {
        self.began.get_or_init(Instant::now);
        self.draining.set(1.0);
    }

    fn gauges(&self) -> [&Gauge; 3] {
        [&self.draining, &self.elapsed, &self.timeout]
    }
}

impl Collector for Drain {
    fn desc(&self) -> Vec<&Desc> {
        self.gauges().into_iter().flat_map(Gauge::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        if let Some(began) = self.began.get() {
            self.elapsed.set(began.elapsed().as_secs_f64());
        }
        self.gauges().into_iter().flat_map(Gauge::collect).collect()
    }
}

fn gauge(name: &str, help: &str) -> Gauge {
    Gauge::new(name, help).expect("names of this file are valid")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::{Registry, TextEncoder};

    use super::Drain;

    fn value(registry: &Registry, name: &str) -> f64 {
        let text = TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn a_drain_shows_how_long_it_takes_and_may_take() {
        let registry = Registry::new();
        let drain = Drain::shown_in(&registry, Duration::from_millis(2500));
        assert!(value(&registry, "sealane_worker_draining ") < 0.5);
        assert!(value(&registry, "sealane_worker_drain_seconds ") <= 0.0);
        assert!(value(&registry, "sealane_worker_drain_timeout_seconds ") > 2.4);

        drain.begin();

        assert!(value(&registry, "sealane_worker_draining ") > 0.5);
        let first = value(&registry, "sealane_worker_drain_seconds ");
        assert!(first > 0.0);
        drain.begin();
        assert!(value(&registry, "sealane_worker_drain_seconds ") > first);
    }
}
