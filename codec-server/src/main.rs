//! `sealane-codec-server`.

fn main() {}
