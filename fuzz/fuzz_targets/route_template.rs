#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    durable_http::fuzz::route_template(bytes);
});
