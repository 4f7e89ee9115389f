//! What is fuzzed: each target takes any bytes and panics if something is wrong; it returns whether they were what it reads, which tells a
//! fuzzer what is worth changing further. `fuzz/` hands them to libFuzzer; `cargo test` drives them with random bytes made from the same
//! corpus.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod driver;
#[cfg(test)]
mod mutation;

/// A `host.json`, read as a host that starts reads it.
pub fn host_json(bytes: &[u8]) -> bool {
    crate::host::fuzz_host_json(bytes)
}

/// A file of keys; the same text as a key file and as an encrypted value.
pub fn keys_file(bytes: &[u8]) -> bool {
    crate::keys::fuzz_keys_file(bytes)
}

/// Three lines: a query, a path and a continuation token of the management webhooks.
pub fn query(bytes: &[u8]) -> bool {
    crate::webhooks::fuzz_query(bytes)
}

/// Two lines: a route template and a path.
pub fn route_template(bytes: &[u8]) -> bool {
    crate::routes::fuzz_route_template(bytes)
}
