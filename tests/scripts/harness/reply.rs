//! What a stand-in does.

use std::path::Path;

use serde_json::{Value, json};

/// The answer to one call.
#[derive(Clone, Debug)]
pub(crate) struct Reply(Value);

impl Reply {
    /// Prints `stdout` and ends with 0.
    pub(crate) fn ok(stdout: impl Into<String>) -> Self {
        Self(json!({"stdout": stdout.into(), "code": 0}))
    }

    /// Prints `document` and ends with 0.
    pub(crate) fn json(document: &Value) -> Self {
        Self::ok(format!("{document}\n"))
    }

    /// Prints `stderr` as an error and ends with `code`.
    pub(crate) fn fail(code: u8, stderr: impl Into<String>) -> Self {
        Self(json!({"stderr": format!("{}\n", stderr.into()), "code": code}))
    }

    /// Prints `stdout`, and then stays until it is killed.
    pub(crate) fn hang(stdout: impl Into<String>) -> Self {
        Self(json!({"stdout": stdout.into(), "hang": true}))
    }

    /// Becomes the real `program`.
    pub(crate) fn exec<'a>(program: &Path, args: impl IntoIterator<Item = &'a str>) -> Self {
        Self(json!({"exec": program, "args": args.into_iter().collect::<Vec<_>>()}))
    }

    /// Ends with `code` all the same.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.0["code"] = json!(code);
        self
    }

    pub(super) fn line(&self) -> String {
        format!("{}\n", self.0)
    }
}

impl From<&str> for Reply {
    fn from(stdout: &str) -> Self {
        Self::ok(format!("{stdout}\n"))
    }
}

impl From<Value> for Reply {
    fn from(document: Value) -> Self {
        Self::json(&document)
    }
}
