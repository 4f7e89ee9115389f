//! What may stand in `#[entity_trigger(..)]`, as it is written.

use crate::arguments::Text;

arguments! {
    /// The arguments of the attribute.
    struct EntityArgs for "entity_trigger" {
        /// The name under which it is registered.
        name: Text,
    }
}
