//! What may stand in `#[timer_trigger(..)]`, as it is written.

use crate::arguments::{Flag, Text};

arguments! {
    /// The arguments of the attribute.
    struct TimerArgs for "timer_trigger" {
        /// When it runs.
        schedule: Text,
        /// Whether it also runs at each start of the host.
        run_on_startup: Flag,
        /// The name under which it is registered.
        name: Text,
    }
}
