//! What generated code and the engine say to each other: typed names of functions, and the binding of an activity's parameters.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::activity::ActivityContext;
use crate::client::DurableClient;
use crate::error::Error;
use crate::model::Payload;
use crate::state::{State, States};

/// The type that names an activity in typed calls: the attribute makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activity",
    label = "must be the name of a function with `#[activity_trigger]`",
    note = "an activity of another program is called with `call_activity_by_name::<Output>(name, input)`"
)]
pub trait Activity: 'static {
    /// Its input; `()` for none.
    type Input: Serialize + DeserializeOwned + Send + 'static;
    /// What it returns.
    type Output: Serialize + DeserializeOwned + Send + 'static;
    /// Its registered name.
    const NAME: &'static str;
}

/// The type that names an orchestrator in typed calls: the attribute makes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestrator",
    label = "must be the name of a function with `#[orchestration_trigger]`",
    note = "an orchestrator of another program is called with the method's `_by_name` form"
)]
pub trait Orchestrator: 'static {
    /// Its input; `()` for none.
    type Input: Serialize + DeserializeOwned + Send + 'static;
    /// What it returns.
    type Output: Serialize + DeserializeOwned + Send + 'static;
    /// Its registered name.
    const NAME: &'static str;
    /// The version that it declares.
    const VERSION: Option<&'static str>;
}

/// What may be given as an input of type `T`: a `T`, and for a `String` also `&str` and `&String`.
pub trait IntoInput<T> {
    /// The input as JSON.
    ///
    /// # Errors
    /// What `Serialize` reports.
    fn into_payload(self) -> Result<Payload, serde_json::Error>;
}

impl<T: Serialize> IntoInput<T> for T {
    fn into_payload(self) -> Result<Payload, serde_json::Error> {
        Payload::of(&self)
    }
}

impl IntoInput<String> for &str {
    fn into_payload(self) -> Result<Payload, serde_json::Error> {
        Payload::of(self)
    }
}

impl IntoInput<String> for &String {
    fn into_payload(self) -> Result<Payload, serde_json::Error> {
        Payload::of(self)
    }
}

/// `Result`, whatever it is called where it is written.
pub trait Fallible {
    /// What it holds.
    type Ok;
    /// What it fails with.
    type Err;
    /// The result itself.
    ///
    /// # Errors
    /// Its own.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

/// Tells at compile time whether a type is a `Result` in disguise.
#[derive(Debug)]
pub struct ResultProbe<T>(PhantomData<T>);

/// The answer of [`ResultProbe`] for every type but `Result`.
pub trait NotResult {
    /// Whether it is one.
    const IS: bool = false;
}

impl<T> NotResult for ResultProbe<T> {}

impl<T, E> ResultProbe<Result<T, E>> {
    /// It is one.
    pub const IS: bool = true;
}

/// Serialises what an infallible function returned.
///
/// # Errors
/// A value that cannot be serialised: never retriable, never a stuck work item (spec 1.16).
pub fn finish<O: Serialize>(output: O) -> Result<Payload, Error> {
    Payload::of(&output).map_err(|e| {
        Error::non_retriable(Error::msg(format!("the output cannot be serialised: {e}")))
            .with_type("SerializationError")
    })
}

/// Serialises what a fallible function returned.
///
/// # Errors
/// The function's own, and those of [`finish`].
pub fn finish_result<O: Serialize, E: Into<Error>>(result: Result<O, E>) -> Result<Payload, Error> {
    finish(result.map_err(Into::into)?)
}

/// What a fallible function that returns nothing failed with.
///
/// # Errors
/// The function's own.
pub fn finish_unit<E: Into<Error>>(result: Result<(), E>) -> Result<(), Error> {
    result.map_err(Into::into)
}

pub(crate) fn read_input<T: DeserializeOwned>(
    input: Option<&Payload>,
    kind: &str,
    function: &str,
) -> Result<T, Error> {
    let read = input.map_or_else(|| serde_json::from_str("null"), Payload::read);
    read.map_err(|e| {
        let found = if input.is_none() {
            "there is none"
        } else {
            "it does not fit"
        };
        let text = format!(
            "the {kind} `{function}` takes an input of type `{}`, but {found}: {e}",
            crate::type_name::type_name::<T>()
        );
        Error::non_retriable(Error::msg(text)).with_type("DeserializationError")
    })
}

/// One delivery of an activity, from which its parameters are bound.
#[derive(Debug)]
pub struct ActivityInvocation {
    pub(crate) input: Option<Payload>,
    pub(crate) context: ActivityContext,
    pub(crate) host: Arc<Surroundings>,
}

/// What activities may ask of their host.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) states: Arc<States>,
    pub(crate) client: DurableClient,
}

impl ActivityInvocation {
    /// The input; an absent one reads as `null`.
    ///
    /// # Errors
    /// Another shape: never retriable.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read_input(self.input.as_ref(), "activity", self.context.name())
    }

    /// The context.
    #[must_use]
    pub fn context(&self) -> ActivityContext {
        self.context.clone()
    }

    /// A state.
    ///
    /// # Errors
    /// A state that nobody gave; a host reports that at its start.
    pub fn state<S: Send + Sync + 'static>(&self) -> Result<State<S>, Error> {
        let missing = || {
            Error::non_retriable(Error::msg(missing_state(
                self.context.name(),
                std::any::type_name::<S>(),
            )))
        };
        self.host.states.get::<S>().ok_or_else(missing)
    }

    /// A client of the hub.
    ///
    /// # Errors
    /// A task hub or connection that this host cannot reach.
    pub fn client(
        &self,
        task_hub: Option<&'static str>,
        connection: Option<&'static str>,
    ) -> Result<DurableClient, Error> {
        Ok(self.host.client.of(task_hub, connection)?)
    }
}

pub(crate) fn missing_state(function: &str, state: &str) -> String {
    format!(
        "the function `{function}` takes `State<{state}>`, which nobody gave; add `.with_state(..)` to the host"
    )
}
