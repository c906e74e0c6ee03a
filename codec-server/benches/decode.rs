//! How fast payloads are decrypted.

fn main() {}
