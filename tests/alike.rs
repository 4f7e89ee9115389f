//! Texts that two crates hold because neither may depend on the other.

/// The attribute refuses exactly the schedules that the host would.
#[test]
fn the_attribute_and_the_runtime_read_one_grammar_of_schedules() {
    let runtime = include_str!("../durable-runtime/src/timer/ncrontab.rs");
    let macros = include_str!("../durable-macros/src/timer_trigger/ncrontab.rs");
    assert!(runtime == macros, "copy one `ncrontab.rs` over the other");
}
