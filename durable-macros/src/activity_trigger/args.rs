//! What may stand in `#[activity_trigger(..)]`, as it is written.

use crate::arguments::{Number, Text};

arguments! {
    /// The arguments of the attribute.
    struct ActivityArgs for "activity_trigger" {
        /// The name under which it is registered.
        name: Text,
        /// How long one delivery may take.
        timeout: Text,
        /// How many may run at once in a host.
        max_concurrency: Number,
        /// How many may begin in a span of time.
        rate: Text,
    }
}
