//! What becomes large is named in the log: once, in the turn in which it does.

use super::Engine;
use super::resident::Resident;
use crate::replay::Size;

/// Of an execution; `before` is its generation and its size when the turn began.
pub(super) fn tell(engine: &Engine, resident: &Resident, before: (u64, Size)) {
    let (generation, now) = resident.size();
    // A new generation begins with nothing.
    let before = match before {
        (same, size) if same == generation => size,
        _ => Size::default(),
    };
    let settings = &engine.settings;
    let (function, instance_id) = (&*resident.record.name, &*resident.record.id);
    if passes(before.largest, now.largest, settings.large_payload_bytes) {
        tracing::warn!(
            function,
            instance_id,
            bytes = now.largest,
            limit = settings.max_payload_bytes,
            "a large value is in the history of the instance, and written and read with it: keep large data elsewhere and hand over where it is \
             (said once an execution, above `extensions.durableTask.limits.payloadWarningBytes`)"
        );
    }
    if passes(before.events, now.events, settings.long_history_events) {
        tracing::warn!(
            function,
            instance_id,
            events = now.events,
            "the history of the instance is long, and each load replays all of it: begin a new generation now and then, with `continue_as_new`, \
             or leave parts to sub-orchestrations (said once an execution, above `extensions.durableTask.limits.historyWarningEvents`)"
        );
    }
}

/// Of an entity whose state has changed from `before` bytes to `now`.
pub(super) fn tell_of_state(engine: &Engine, entity: &str, before: usize, now: usize) {
    if passes(before, now, engine.settings.large_payload_bytes) {
        tracing::warn!(
            instance_id = entity,
            bytes = now,
            limit = engine.settings.max_payload_bytes,
            "the state of the entity has become large, and every change writes all of it: divide it among several keys, or keep large data elsewhere"
        );
    }
}

const fn passes(before: usize, now: usize, threshold: usize) -> bool {
    before <= threshold && now > threshold
}
