//! Decrypts payloads for those who may read them: the Temporal Web UI and CLI speak to it over HTTP.
