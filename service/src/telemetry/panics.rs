//! Panics as events.

use std::{
    panic::{self, PanicHookInfo},
    thread,
};

/// Replaces the hook that prints what a panic said, which may quote a payload.
pub(super) fn install() {
    panic::set_hook(Box::new(log));
}

fn log(panicked: &PanicHookInfo<'_>) {
    let location = panicked.location().map(ToString::to_string);
    let thread = thread::current();
    tracing::error!(
        target: "sealane::panic",
        { panic.location = location.as_deref(), thread.name = thread.name() },
        "panicked; the text is withheld because it may quote payloads"
    );
    tracing::debug!(
        target: "sealane::panic_text",
        { panic.text = panicked.payload_as_str() },
        "panicked; this is the text"
    );
}
