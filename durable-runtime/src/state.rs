//! [`State`]: values given to the host and injected into functions.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value given to `Host::with_state`, as functions receive it. Cheap to clone.
///
/// ```
/// use durable_runtime::State;
///
/// struct Bank { name: String }
/// let bank = State::new(Bank { name: "main street".into() });
/// assert_eq!(bank.name, "main street");
/// ```
pub struct State<S: ?Sized>(Arc<S>);

impl<S> State<S> {
    /// Wraps a value, as a unit test does that calls a function by hand.
    pub fn new(value: S) -> Self {
        Self(Arc::new(value))
    }
}

impl<S: ?Sized> Deref for State<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S: ?Sized> Clone for State<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug + ?Sized> fmt::Debug for State<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All states of a host, by type.
#[derive(Clone, Default)]
pub struct States(BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// Adds a value; one of the same type is replaced.
    pub fn insert<S: Send + Sync + 'static>(&mut self, value: S) {
        self.0.insert(TypeId::of::<S>(), Arc::new(value));
    }

    /// The value of that type.
    #[must_use]
    pub fn get<S: Send + Sync + 'static>(&self) -> Option<State<S>> {
        let any = Arc::clone(self.0.get(&TypeId::of::<S>())?);
        any.downcast::<S>().ok().map(State)
    }

    /// Whether there is a value of that type.
    #[must_use]
    pub fn has(&self, type_id: TypeId) -> bool {
        self.0.contains_key(&type_id)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states", self.0.len())
    }
}
