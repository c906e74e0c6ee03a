#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sealane_fuzz::run("config_env", input));
