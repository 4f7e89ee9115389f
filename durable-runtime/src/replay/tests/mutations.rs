//! Whether those who watch the random programs see anything: each fault that is put in on purpose has to be reported, by the one whose it is.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::drive::{Fault, play_with};
use super::interpret::registry;
use super::program::programs;
use crate::model::{HistoryEvent as H, Payload, Timestamp};
use crate::replay::End;

/// Programs among which a fault has to be noticed.
const COUNT: usize = 400;

/// The first report that has `part` in it, among programs that are always the same.
#[track_caller]
fn is_reported(fault: Fault, part: &str) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let registry = registry();
    let strategy = (programs(), prop::collection::vec(any::<u16>(), 0..40));
    let mut reports = Vec::new();
    for _ in 0..COUNT {
        let (program, tape) = strategy.new_tree(&mut runner).unwrap().current();
        match play_with(&registry, &program, &tape, fault) {
            Err(report) if report.contains(part) => return,
            Err(report) => reports.push(report),
            Ok(_) => {}
        }
    }
    panic!("nobody says `{part}`, but {:?}", reports.first());
}

#[test]
fn a_core_that_differs_from_the_model_is_reported() {
    let losing = |batch: &mut Vec<H>| batch.retain(|event| event.answers().is_none());
    let garbling = |batch: &mut Vec<H>| {
        for event in batch {
            if let H::TaskCompleted { result, .. } = event {
                *result = Payload::of(&"garbled").unwrap();
            }
        }
    };
    for inbound in [losing, garbling] {
        let fault = Fault {
            inbound,
            ..Fault::NONE
        };
        is_reported(fault, "the model says");
    }
    let forgetting = |turn: &mut crate::replay::Turn| turn.forget_last();
    let ending = |turn: &mut crate::replay::Turn| {
        if let Some(End::Completed(output)) = &mut turn.end {
            *output = Payload::of(&"garbled").unwrap();
        }
    };
    let status = |turn: &mut crate::replay::Turn| drop(turn.custom_status.take());
    for turn in [forgetting, ending, status] {
        let fault = Fault {
            turn,
            ..Fault::NONE
        };
        is_reported(fault, "the model says");
    }
}

#[test]
fn an_instance_that_is_loaded_as_another_is_reported() {
    let fault = Fault {
        loaded: |history| {
            for turn in history {
                turn.retain(|event| !matches!(event, H::TaskCompleted { .. }));
            }
        },
        ..Fault::NONE
    };
    is_reported(fault, "of the one that was loaded");
}

/// All events between the bounds of their turns, in one.
fn all(history: &mut Vec<Vec<H>>) -> &mut Vec<H> {
    let at = Timestamp::from_micros(1_735_787_045_000_000);
    let events = std::mem::take(history).into_iter().flatten();
    let inner = events.filter(|event| !event.kind().starts_with("Orchestrator"));
    let mut turn = vec![H::OrchestratorStarted { at }];
    turn.extend(inner);
    turn.push(H::OrchestratorCompleted);
    history.push(turn);
    &mut history[0]
}

/// One turn for each event.
fn each_apart(history: &mut Vec<Vec<H>>) {
    let mut turn = std::mem::take(all(history));
    let (first, last) = (turn.remove(0), turn.pop().unwrap());
    *history = turn
        .into_iter()
        .map(|event| vec![first.clone(), event, last.clone()])
        .collect();
}

#[test]
fn each_history_that_the_engine_must_not_write_is_reported() {
    type Spoil = fn(&mut Vec<Vec<H>>);
    let spoilt: [(&str, Spoil); 15] = [
        ("a turn without bounds", |history| drop(history[0].pop())),
        ("the clock goes back", |history| {
            if let Some(H::OrchestratorStarted { at }) =
                history.last_mut().and_then(|turn| turn.first_mut())
            {
                *at = Timestamp::MIN;
            }
        }),
        ("an event after the end", |history| {
            let turn = history[0].clone();
            history.push(turn);
        }),
        ("ExecutionStarted is not the first, once", |history| {
            drop(history[0].remove(1))
        }),
        ("an id that does not ascend", |history| {
            each_apart(history);
            let asks = |turn: &Vec<H>| turn[1].task_id().is_some();
            if let Some(asked) = history.iter().position(asks) {
                let turn = history[asked].clone();
                history.insert(asked, turn);
            }
        }),
        ("it answers nothing open", |history| {
            each_apart(history);
            history.retain(|turn| !matches!(turn[1], H::TaskScheduled { .. }));
        }),
        ("an inbound event after an action", |history| {
            all(history);
        }),
        ("a bound inside", |history| {
            history[0].insert(2, H::OrchestratorCompleted)
        }),
        ("an end that locks out", |history| {
            each_apart(history);
            history.retain(|turn| !matches!(turn[1], H::EntityUnlockSent { .. }));
        }),
        ("a call under locks that are not held", |history| {
            each_apart(history);
            history.retain(|turn| {
                !matches!(
                    turn[1],
                    H::EntityLockRequested { .. }
                        | H::EntityLockGranted { .. }
                        | H::EntityUnlockSent { .. }
                )
            });
        }),
        ("nothing is locked", |history| {
            each_apart(history);
            history.retain(|turn| {
                !matches!(
                    turn[1],
                    H::EntityLockRequested { .. } | H::EntityLockGranted { .. }
                )
            });
        }),
        ("locks out of order", |history| {
            for event in history.iter_mut().flatten() {
                if let H::EntityLockRequested { entities, .. } = event {
                    entities.reverse();
                }
            }
        }),
        ("it lets go of what is not granted", |history| {
            each_apart(history);
            history.retain(|turn| !matches!(turn[1], H::EntityLockGranted { .. }));
        }),
        ("locks inside a section", |history| {
            each_apart(history);
            let locks = |turn: &Vec<H>| matches!(turn[1], H::EntityLockRequested { .. });
            if let Some(asked) = history.iter().position(locks) {
                let turn = history[asked].clone();
                history.insert(asked, turn);
            }
        }),
        ("it lets go of something else", |history| {
            for event in history.iter_mut().flatten() {
                if let H::EntityUnlockSent { entity, .. } = event {
                    *entity = "@thing@z".into();
                }
            }
        }),
    ];
    for (part, recorded) in spoilt {
        let fault = Fault {
            recorded,
            ..Fault::NONE
        };
        is_reported(fault, part);
    }
}
