//! What the attributes say about mistakes, one file for each, and what they accept.

/// Run with `TRYBUILD=overwrite` after a message was changed, and read the difference.
#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/*_*/*.rs");
}
