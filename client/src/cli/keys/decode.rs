//! `sealane keys decode`.

mod document;

use std::{
    fs,
    io::{self, Read},
};

use clap::Args;
use sealane_service::exit;
use serde_json::Value;

use self::document::Sealed;
use crate::{
    cli::{CliError, Globals, output, session},
    decode::{Decoder, Unreadable},
    failure,
};

/// Decrypts the payloads in a JSON document, wherever in it they are: one payload, several, or a whole
/// history as `sealane workflow history` or `temporal workflow show` prints it with `--output json`.
/// Needs the keys and no server. Data stays base64, as JSON has payloads.
#[derive(Debug, Args)]
pub(in crate::cli) struct Decode {
    /// File with the document, `-` for standard input
    file: String,
}

impl Decode {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let settings = session::settings(globals.config.as_deref())?;
        let Some(keys) = session::keys(&settings.encryption).await? else {
            let message = "SEALANE_ENCRYPTION=off has no keys to decode with, expected required";
            return Err(CliError::new(exit::SETTINGS, message));
        };
        let mut document = self.document()?;
        let unread = self
            .open(&mut document, &Decoder::new(Some(keys.codec())))
            .await?;
        failure::restore(&mut document);
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::from)?;
        output::print(&text)?;
        match unread.first() {
            None => Ok(()),
            Some(first) => Err(left(unread.len(), first)),
        }
    }

    fn document(&self) -> Result<Value, CliError> {
        let text = match self.file.as_str() {
            "-" => stdin(),
            path => fs::read_to_string(path),
        };
        let text = text.map_err(|error| self.refuse(&format!("cannot be read: {error}")))?;
        let document = serde_json::from_str(&text);
        let document = document.map_err(|error| self.refuse(&format!("is not JSON: {error}")))?;
        if is_key_ring(&document) {
            return Err(self.refuse(
                "is a key ring and is not printed, expected payloads or a history; the keys to \
                 decode with are those of the settings",
            ));
        }
        Ok(document)
    }

    /// Decrypts in place, and returns why what stays encrypted does.
    async fn open(
        &self,
        document: &mut Value,
        decoder: &Decoder,
    ) -> Result<Vec<Unreadable>, CliError> {
        let mut unread = Vec::new();
        let sealed = document::sealed(document).map_err(|error| self.refuse(&error.to_string()))?;
        if sealed.is_empty() {
            eprintln!("sealane: {} holds no encrypted payload", self.name());
        }
        for Sealed { place, mut payload } in sealed {
            match decoder.open(&mut payload).await {
                Ok(()) => *place = document::to_json(&payload),
                Err(error) => unread.push(error),
            }
        }
        Ok(unread)
    }

    fn name(&self) -> &str {
        match self.file.as_str() {
            "-" => "standard input",
            path => path,
        }
    }

    fn refuse(&self, reason: &str) -> CliError {
        CliError::usage(format!("{} {reason}", self.name()))
    }
}

/// Whether somebody has mistaken what `document` is for: it would be printed as it is.
fn is_key_ring(document: &Value) -> bool {
    document.get("keys").is_some_and(Value::is_object)
}

fn stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

/// The document has been printed; this is about what in it is still encrypted.
fn left(count: usize, first: &Unreadable) -> CliError {
    let message = match count {
        1 => format!("one payload stays encrypted: {first}"),
        _ => format!("{count} payloads stay encrypted, the first because the {first}"),
    };
    CliError::new(exit::SETTINGS, message)
}
