//! What may stand in `#[http_trigger(..)]`, as it is written.

use crate::arguments::{Text, Texts};

arguments! {
    /// The arguments of the attribute.
    struct HttpArgs for "http_trigger" {
        /// Who may call it.
        auth: Text,
        /// Which methods it answers.
        methods: Texts,
        /// Where it is.
        route: Text,
        /// The name under which it is registered.
        name: Text,
        /// The kind of sender whose calls it takes.
        webhook: Text,
    }
}
