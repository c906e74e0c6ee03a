//! Payloads as [proto3 JSON](https://protobuf.dev/programming-guides/json/), which is what the Web UI and the CLI
//! send and expect.
//!
//! Read and written one payload at a time: a body of two thousand payloads never exists as two
//! thousand values in memory, and base64 goes straight from the text into the buffer that is
//! decrypted, and from the plaintext into the answer.

mod binary;
mod read;
mod write;

pub(crate) use self::{
    read::{Unread, each_payload},
    write::Answer,
};

#[cfg(test)]
mod tests;
