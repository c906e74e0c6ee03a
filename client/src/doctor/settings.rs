//! Whether the settings can be used at all.

use std::{ffi::OsString, path::Path};

use sealane_service::{
    exit,
    settings::{Problem, Settings},
};

use super::{Finding, remedy};

const CHECK: &str = "settings";

/// The webhook's to set, so that there is nothing in it to correct.
const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Returns a finding for each problem, or one that there is none.
pub(super) fn check(
    config: Option<&Path>,
    env: &impl Fn(&str) -> Option<OsString>,
) -> Vec<Finding> {
    match Settings::load(config, env) {
        Ok(_) => vec![Finding::pass(CHECK, "can be used")],
        Err(error) => error.problems().iter().map(finding).collect(),
    }
}

fn finding(problem: &Problem) -> Finding {
    let remedy = match problem {
        Problem::Missing { name, .. } if name.starts_with("AZURE_") => remedy::NOT_INJECTED,
        Problem::Invalid { name, .. } if *name == TOKEN_FILE => remedy::NOT_INJECTED,
        Problem::Both { .. } => "remove one; `sealane config check` shows where each comes from",
        _ => "correct it; `sealane config check` shows where each value comes from",
    };
    Finding::fail(CHECK, exit::SETTINGS, problem.to_string(), remedy)
}
