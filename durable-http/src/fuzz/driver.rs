//! Drives the targets without a fuzzer: the corpus, then random changes of it, and of what those found.
//!
//! `FUZZ_SECONDS` says how long, `FUZZ_SEED` plays the same inputs again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::corpus;
use super::mutation::mutated;

/// Inputs of a run that nobody gave a time.
const FEW: usize = 2_000;
/// What was found readable and is changed further.
const KEPT: usize = 1_000;

struct Target {
    name: &'static str,
    run: fn(&[u8]) -> bool,
    /// Words of the language.
    words: &'static [&'static str],
}

impl Target {
    fn drive(&self) {
        let mut inputs = corpus::of(self.name);
        assert!(!inputs.is_empty(), "no corpus");
        for input in &inputs {
            self.attempt(input, "of the corpus");
        }
        let seed = number("FUZZ_SEED").unwrap_or_else(|| rand::rng().random());
        let until =
            number("FUZZ_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut random = StdRng::seed_from_u64(seed);
        let (mut tried, mut read) = (0, 0);
        while until.map_or(tried < FEW, |until| Instant::now() < until) {
            let chosen = &inputs[random.random_range(0..inputs.len())];
            let input = mutated(chosen, &inputs, self.words, &mut random);
            if self.attempt(&input, &format!("FUZZ_SEED={seed}, number {tried}")) {
                read += 1;
                if inputs.len() < KEPT {
                    inputs.push(input);
                } else {
                    let at = random.random_range(0..KEPT);
                    inputs[at] = input;
                }
            }
            tried += 1;
        }
        println!(
            "{}: {tried} inputs, {read} of them readable, FUZZ_SEED={seed}",
            self.name
        );
        assert!(
            read * 100 > tried,
            "hardly anything gets past the first letter"
        );
    }

    fn attempt(&self, input: &[u8], which: &str) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));
        outcome.unwrap_or_else(|panic| {
            eprintln!(
                "{} ({which}) fails for these bytes; put them into fuzz/corpus/{}:\n{}",
                self.name,
                self.name,
                input.escape_ascii()
            );
            std::panic::resume_unwind(panic)
        })
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number")),
    )
}

#[test]
fn route_templates_hold_whatever_is_written() {
    const WORDS: &[&str] = &[
        "{id}",
        "{id?}",
        "{*rest}",
        "{**rest}",
        "{a}.{b?}",
        ":int",
        ":long",
        ":bool",
        ":datetime",
        ":decimal",
        ":double",
        ":float",
        ":guid",
        ":alpha",
        ":minlength(2)",
        ":maxlength(3)",
        ":length(1,2)",
        ":min(1)",
        ":max(9)",
        ":range(1,9)",
        ":regex(^a{{2}}$)",
        ":required",
        ":file",
        ":nonfile",
        "=5",
        "?}",
        "{{",
        "}}",
        "~/",
        "%2F",
        "%C3%A9",
        "%zz",
        "4e2796ae-b865-4071-8a20-2a15cbaf856c",
        "2016-12-31",
        "12/31/2016",
        "\n/",
    ];
    Target {
        name: "route_template",
        run: super::route_template,
        words: WORDS,
    }
    .drive();
}

#[test]
fn queries_hold_whatever_is_written() {
    const WORDS: &[&str] = &[
        "createdTimeFrom=",
        "createdTimeTo=",
        "runtimeStatus=",
        "top=",
        "timeout=",
        "pollingInterval=",
        "showInput=",
        "reason=",
        "taskHub=",
        "true",
        "False",
        "Running",
        "Completed,Failed",
        "Unknown",
        "2020-01-01T00:00:00.000Z",
        "3/10/2018 10:01:00 AM",
        "%2B02:00",
        "%20",
        "%FF",
        "%",
        "&&",
        "==",
        "instances/",
        "orchestrators/",
        "entities/",
        "raiseEvent/",
        "/runtime/webhooks/durabletask/",
        "\n",
    ];
    Target {
        name: "query",
        run: super::query,
        words: WORDS,
    }
    .drive();
}

#[test]
fn keys_files_hold_whatever_is_written() {
    const WORDS: &[&str] = &[
        "\"masterKey\":",
        "\"functionKeys\":",
        "\"systemKeys\":",
        "\"functions\":",
        "\"functionKey\":",
        "\"keys\":",
        "\"key\":",
        "\"name\":",
        "\"value\":",
        "\"encrypted\":",
        "true",
        "false",
        "null",
        "{}",
        "[]",
        "{",
        "}",
        "\"default\"",
        "\"_master\"",
        "\\u0000",
        "\\ud800",
        "\u{feff}",
        "v1:",
        "AAAA",
    ];
    Target {
        name: "keys_file",
        run: super::keys_file,
        words: WORDS,
    }
    .drive();
}

#[test]
fn host_json_holds_whatever_is_written() {
    const WORDS: &[&str] = &[
        "\"version\": \"2.0\",",
        "\"extensions\":",
        "\"durableTask\":",
        "\"http\":",
        "\"hubName\":",
        "\"routePrefix\":",
        "\"functionTimeout\":",
        "\"customHeaders\":",
        "\"hsts\":",
        "\"retention\":",
        "\"httpSettings\":",
        "\"storageProvider\":",
        "\"tracing\":",
        "\"allowedHosts\":",
        "\"trustedProxies\":",
        "\"maxOutstandingRequests\":",
        "\"10.0.0.0/8\"",
        "\"00:05:00\"",
        "\"1.00:00:00\"",
        "\"%Given%\"",
        "%",
        "\"a.example\"",
        "-1",
        "null",
        "true",
        "{}",
        "[]",
        "\n",
        "\\\"",
        "\u{feff}",
    ];
    Target {
        name: "host_json",
        run: super::host_json,
        words: WORDS,
    }
    .drive();
}
