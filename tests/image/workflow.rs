//! A workflow of GitHub Actions, read as far as these tests ask.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::Value;

use crate::repository::text;

/// Folder of the workflows.
pub(crate) const FOLDER: &str = ".github/workflows";

/// One workflow.
#[derive(Debug)]
pub(crate) struct Workflow {
    /// Name of its file, without the ending.
    pub(crate) name: String,
    text: String,
    content: Value,
}

/// A job or a step, and where it is.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// For messages.
    pub(crate) place: String,
    /// What stands there.
    pub(crate) content: &'a Value,
}

impl Workflow {
    /// Reads the workflow of that name.
    pub(crate) fn read(name: &str) -> anyhow::Result<Self> {
        let text = text(format!("{FOLDER}/{name}.yml"))?;
        let content = serde_saphyr::from_str(&text).with_context(|| name.to_owned())?;
        Ok(Self {
            name: name.to_owned(),
            text,
            content,
        })
    }

    /// Reads all workflows.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        ["build-and-publish", "ci", "deploy", "reap"]
            .map(Self::read)
            .into_iter()
            .collect()
    }

    /// Returns its lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// Returns its text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns what starts it.
    pub(crate) fn triggers(&self) -> BTreeSet<&str> {
        names(&self.content["on"])
    }

    /// Returns what is under `on` for a trigger.
    pub(crate) fn trigger(&self, name: &str) -> &Value {
        &self.content["on"][name]
    }

    /// Returns what all jobs may that say nothing else.
    pub(crate) fn permissions(&self) -> &Value {
        &self.content["permissions"]
    }

    /// Returns the job of that name.
    pub(crate) fn job(&self, name: &str) -> &Value {
        &self.content["jobs"][name]
    }

    /// Returns the jobs.
    pub(crate) fn jobs(&self) -> Vec<Part<'_>> {
        let jobs = self.content["jobs"].as_object().into_iter().flatten();
        jobs.map(|(name, content)| Part {
            place: format!("{}/{name}", self.name),
            content,
        })
        .collect()
    }
}

impl Part<'_> {
    /// Returns the steps of a job.
    pub(crate) fn steps(&self) -> Vec<Part<'_>> {
        let steps = self.content["steps"].as_array().into_iter().flatten();
        let place = |number: usize| format!("{}, step {}", self.place, number + 1);
        steps
            .enumerate()
            .map(|(number, content)| Part {
                place: place(number),
                content,
            })
            .collect()
    }

    /// Returns the action that a step uses, without its version.
    pub(crate) fn action(&self) -> Option<&str> {
        self.content["uses"]
            .as_str()
            .and_then(|it| it.split('@').next())
    }

    /// Returns the script that a step runs.
    pub(crate) fn script(&self) -> Option<&str> {
        self.content["run"].as_str()
    }
}

fn names(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(name) => BTreeSet::from([name.as_str()]),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    }
}
