//! What may stand in `#[orchestration_trigger(..)]`, as it is written.

use crate::arguments::Text;

arguments! {
    /// The arguments of the attribute.
    struct OrchestrationArgs for "orchestration_trigger" {
        /// The name under which it is registered.
        name: Text,
        /// Which version of the function of that name this is.
        version: Text,
    }
}
