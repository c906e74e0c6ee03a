//! From settings to the SDK's worker options.

use std::{collections::HashMap, fs::Metadata, time::UNIX_EPOCH};

use sealane_service::settings::{Deployment, Pollers, Settings, Worker};
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion,
};
use temporalio_sdk::{
    WorkerOptions,
    runtime::{
        AutoscalingOptions, PollerBehavior,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};

use crate::{told, traces};

/// Nexus tasks are not served; the SDK wants a number all the same.
const NEXUS_SLOTS: usize = 1;

/// Where autoscaling starts and how far it goes down: one poll keeps an idle worker reachable, five
/// are the SDK's fixed default.
const POLLERS_AT_LEAST: usize = 1;
const POLLERS_AT_START: usize = 5;

/// Returns options with everything set that settings decide, and nothing registered yet.
pub(crate) fn worker_options(settings: &Settings) -> WorkerOptions {
    let worker = &settings.worker;
    let pollers = poller_behavior(&worker.pollers);
    let versioning = match &settings.temporal.deployment {
        Some(deployment) => versioned(deployment),
        None => WorkerDeploymentOptions::from_build_id(build_id()),
    };
    let options = WorkerOptions::new(settings.temporal.task_queue.clone())
        .deployment_options(versioning)
        .tuner(tuner(worker))
        .max_cached_workflows(worker.max_cached_workflows)
        .workflow_task_poller_behavior(pollers)
        .activity_task_poller_behavior(pollers)
        .graceful_shutdown_period(worker.drain_timeout)
        // The SDK would have what is too large tried again for ever; the connection fails it once.
        .disable_payload_error_limit(true);
    let mut options = options.build();
    traces::follow(&mut options);
    told::tell(&mut options);
    options
}

/// Tells builds apart in histories: name, size and time of the executable. The SDK's default is a
/// checksum of the whole file, for which it reads a hundred megabytes at every start.
fn build_id() -> String {
    let Ok(path) = std::env::current_exe() else {
        return "unknown".to_owned();
    };
    let name = path.file_name().unwrap_or_default().display().to_string();
    let found = path.metadata();
    let size = found.as_ref().map_or(0, Metadata::len);
    let changed = found
        .and_then(|found| found.modified())
        .unwrap_or(UNIX_EPOCH);
    let seconds = changed
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!("{name}-{size:x}-{seconds:x}")
}

fn tuner(worker: &Worker) -> TunerHolder {
    TunerHolder::builder()
        .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(worker.max_workflow_tasks.get()))
        .activity_task_slot_supplier(FixedSizeSlotSupplier::new(worker.max_activities.get()))
        .local_activity_task_slot_supplier(FixedSizeSlotSupplier::new(
            worker.max_local_activities.get(),
        ))
        .nexus_task_slot_supplier(FixedSizeSlotSupplier::new(NEXUS_SLOTS))
        .build()
}

fn poller_behavior(pollers: &Pollers) -> PollerBehavior {
    match pollers {
        Pollers::Autoscaling { max } => PollerBehavior::Autoscaling(
            AutoscalingOptions::builder()
                .minimum(POLLERS_AT_LEAST)
                .maximum(max.get())
                .initial(POLLERS_AT_START.min(max.get()))
                .build(),
        ),
        Pollers::Fixed(count) => PollerBehavior::SimpleMaximum(count.get()),
    }
}

/// Workflows stay on the version they started on; a workflow that should move says so itself.
fn versioned(deployment: &Deployment) -> WorkerDeploymentOptions {
    let version = WorkerDeploymentVersion::builder()
        .deployment_name(deployment.name.clone())
        .build_id(deployment.build_id.clone())
        .build();
    WorkerDeploymentOptions::new(version)
        .use_worker_versioning(true)
        .default_versioning_behavior(VersioningBehavior::Pinned)
        .build()
}

/// Returns the labels by which a per-version autoscaler finds this worker's metrics. Names and the
/// replaced slash are those of Temporal's worker controller (its `internal/demo/util/observability.go`).
pub(crate) fn metric_labels(settings: &Settings) -> HashMap<String, String> {
    let Some(deployment) = &settings.temporal.deployment else {
        return HashMap::new();
    };
    HashMap::from([
        (
            "temporal_worker_deployment_name".to_owned(),
            deployment.name.replace('/', "_"),
        ),
        (
            "temporal_worker_build_id".to_owned(),
            deployment.build_id.clone(),
        ),
        (
            "temporal_namespace".to_owned(),
            settings.temporal.namespace.clone(),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, time::Duration};

    use sealane_service::settings::Settings;
    use temporalio_common::worker::VersioningBehavior;
    use temporalio_sdk::runtime::PollerBehavior;

    use super::{metric_labels, worker_options};

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::load(None, |name| {
            let all = [("SEALANE_ENCRYPTION", "off")];
            let found = variables
                .iter()
                .chain(&all)
                .find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
        .unwrap()
    }

    #[test]
    fn pollers_follow_the_load_unless_a_number_is_set() {
        let automatic = worker_options(&settings(&[]));
        assert!(matches!(
            automatic.activity_task_poller_behavior,
            Some(PollerBehavior::Autoscaling(range)) if range.minimum == 1 && range.maximum == 100
        ));

        let fixed = worker_options(&settings(&[("SEALANE_POLLERS", "7")]));
        assert_eq!(
            fixed.workflow_task_poller_behavior,
            Some(PollerBehavior::SimpleMaximum(7))
        );
    }

    #[test]
    fn a_deployment_turns_versioning_on_and_pins_workflows() {
        let plain = worker_options(&settings(&[]));
        assert!(!plain.deployment_options.use_worker_versioning);

        let settings = settings(&[
            ("TEMPORAL_DEPLOYMENT_NAME", "shop/orders"),
            ("TEMPORAL_WORKER_BUILD_ID", "v1.2"),
        ]);
        let deployment = worker_options(&settings).deployment_options;

        assert!(deployment.use_worker_versioning);
        assert_eq!(deployment.version.deployment_name, "shop/orders");
        assert_eq!(deployment.version.build_id, "v1.2");
        assert_eq!(
            deployment.default_versioning_behavior,
            Some(VersioningBehavior::Pinned)
        );
        let labels = metric_labels(&settings);
        assert_eq!(labels["temporal_worker_deployment_name"], "shop_orders");
    }

    #[test]
    fn activities_get_the_drain_timeout_and_not_for_ever() {
        let options = worker_options(&settings(&[("SEALANE_DRAIN_TIMEOUT", "40s")]));

        assert_eq!(
            options.graceful_shutdown_period,
            Some(Duration::from_secs(40))
        );
    }
}
