//! Workflows of any type: `/api/v1/workflows`.

pub(super) mod end;
pub(super) mod inspect;
pub(super) mod message;
pub(super) mod start;
pub(super) mod update;

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::extract::{Name, RunId};
use crate::workflow::Execution;

/// Which of the runs of a workflow is meant.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Run {
    /// Id of the run. Default: the latest.
    #[param(value_type = Option<RunId>)]
    run_id: Option<RunId>,
}

/// Arguments for a handler of a workflow, encrypted before they leave this process.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"input": ["ordered twice"]}))]
pub(super) struct Message {
    /// Arguments, in order: any JSON.
    #[serde(default)]
    #[schema(value_type = Vec<serde_json::Value>)]
    input: Vec<Box<RawValue>>,
}

fn execution(workflow_id: Name, run_id: Option<RunId>) -> Execution {
    Execution {
        workflow_id: workflow_id.into(),
        run_id: run_id.map(String::from),
    }
}
