//! Entities: state and operations in, state and outcomes out. Pure: no clock, no I/O, no tokio.
//!
//! What users write is bound by [`EntityInvocation`] and sees [`EntityContext`]; how others reach it is [`Entity`] and the typed proxies of
//! [`EntityObject`]; what the engine keeps of one entity, and which of its messages comes next, is `mailbox::Mailbox`.

mod context;
mod invocation;
mod mailbox;
mod object;
mod signal;
mod unsaved;

pub use context::{EntityContext, EntitySender};
pub use invocation::EntityInvocation;
pub use object::{Entity, EntityCalls, EntityObject, EntityRef, EntitySignals, OperationTypes};
pub use signal::EntitySignal;

pub(crate) use context::{Operation, Sent, misuse};
pub(crate) use mailbox::{Answer, Mailbox, Outbox, Outgoing, Running};
pub(crate) use unsaved::{Rollback, Unsaved};
