//! Random programs under random deliveries: the core does what the model says, resident or loaded before any turn.
//!
//! `PROGRAMS` says how many (2,000), `PROGRAMS_SEED` which; the seed is printed when one fails.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::drive::{Played, play};
use super::interpret::registry;
use super::program::programs;

/// What has to come about in a thousand programs.
const KINDS: [&str; 16] = [
    "TaskCompleted",
    "TaskFailed",
    "TimerFired",
    "SubOrchestrationInstanceCompleted",
    "EventRaised",
    "EventSent",
    "EntityOperationCalled",
    "EntityOperationSignaled",
    "EntityOperationCompleted",
    "EntityOperationFailed",
    "EntityLockGranted",
    "EntityUnlockSent",
    "call under locks",
    "request",
    "request elsewhere",
    "call of nobody",
];

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// What `PROGRAMS_SEED` says, else another one each time.
pub(super) fn seed() -> u64 {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    setting("PROGRAMS_SEED").unwrap_or_else(|| clock().as_micros() as u64 / 8 * 8)
}

/// One part of the programs, so that the parts run side by side.
fn check(part: u64, parts: u64) {
    let cases = setting("PROGRAMS").unwrap_or(2_000).div_ceil(parts);
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(seed + part).to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let registry = registry();
    let strategy = (programs(), prop::collection::vec(any::<u16>(), 0..40));
    let all = RefCell::new(Played::default());
    let result = runner.run(&strategy, |(program, tape)| {
        let played = play(&registry, &program, &tape).map_err(TestCaseError::fail)?;
        all.borrow_mut().add(&played);
        Ok(())
    });
    let all = all.into_inner();
    println!("PROGRAMS_SEED={seed}: {cases} programs, {all:?}");
    match result {
        Ok(()) if cases < 1_000 => {}
        // They are no proof of what they never did.
        Ok(()) => {
            for kind in KINDS {
                let count = all.kinds.get(kind).copied().unwrap_or_default();
                assert!(count >= 10, "PROGRAMS_SEED={seed}: {count} of {kind}");
            }
        }
        Err(TestError::Fail(reason, least)) => {
            panic!("PROGRAMS_SEED={seed}: {reason}\nof {least:?}")
        }
        Err(error) => panic!("PROGRAMS_SEED={seed}: {error}"),
    }
}

#[test]
fn random_programs_do_what_the_model_says_in_any_mode() {
    check(0, 2);
}

#[test]
fn more_random_programs_do_what_the_model_says_in_any_mode() {
    check(1, 2);
}
