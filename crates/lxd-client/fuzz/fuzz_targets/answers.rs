//! What a server sends, to every parser of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lxd_client::read_anything(data));
