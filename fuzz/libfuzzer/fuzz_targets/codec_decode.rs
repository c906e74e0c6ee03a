#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sealane_fuzz::run("codec_decode", input));
