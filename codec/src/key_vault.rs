//! Keys from Azure Key Vault: the versions of one secret are the keys of one ring.
//!
//! A version's value is a key in base64. Its id is `<secret name>/<version>`, or what the tag
//! [`ID_TAG`] says. When versions encrypt and when they only decrypt is decided by
//! [`rotation`](crate::rotation); this module lists, fetches and remembers.
//!
//! A secret can also hold a text that is not a key, such as an API key: a [`TextSource`] keeps it as
//! the newest valid version has it.
//!
//! The vault is never waited for while a payload is: a [`Source`] refreshes in the background. As
//! long as that fails, the ring stays as it is.

mod error;
mod ids;
mod keys;
mod listing;
mod loader;
mod secret;
mod source;
mod status;
mod text;
mod text_error;

#[cfg(test)]
mod scripted;

pub use error::{BadValue, LoadError, VaultKeyError};
pub use listing::ID_TAG;
pub use secret::VaultSecret;
pub use source::{Source, SourceOptions};
pub use status::{Failing, SharedStatus, Status, VersionStatus};
pub use text::{SharedTextStatus, Text, TextOptions, TextSource, TextStatus};
pub use text_error::{TextError, TextProblem};
