//! The attributes of `durable-functions`, which an application takes from that crate's prelude.
//!
//! Each attribute is one folder: `args.rs` is what was written, `model.rs` what is valid, and
//! `expand.rs` the code that comes out: data for the registry and one call of the function.
//! Behaviour lives in the runtime. Nothing here depends on the other crates; `paths.rs` spells
//! what generated code names in them.

use proc_macro::TokenStream;

#[macro_use]
mod arguments;
mod activity_trigger;
mod companion;
mod determinism;
mod diagnostics;
mod durable_client;
mod entity_trigger;
mod http_trigger;
mod orchestration_trigger;
mod paths;
mod route;
mod signature;
mod timer_trigger;

/// Serves a function over HTTP.
#[proc_macro_attribute]
pub fn http_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    http_trigger::expand(args.into(), item.into()).into()
}

/// Registers a function as an orchestrator.
#[proc_macro_attribute]
pub fn orchestration_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    orchestration_trigger::expand(args.into(), item.into()).into()
}

/// Registers a function as an activity.
///
/// - `name = ".."`: what histories and lists show; else the function's own.
/// - `timeout = "5m"` (also `ms`, `s`, `h`, `d`, `hh:mm:ss`): one delivery may take so long, or as long as the host's `functionTimeout` (30
///   minutes unless `host.json` says otherwise), if that is shorter. Then `ActivityContext::cancellation_token` fires, and the activity has
///   5 seconds to end by itself; after them, ended or not, it has failed with `FunctionTimeout`, which a retry policy may try again. An
///   `async` one is dropped at its next `.await` then; a plain `fn` cannot be interrupted and runs on until it returns.
/// - `max_concurrency = N`, `rate = "10/s"`: on this host; calls beyond them wait, and never fail for it.
#[proc_macro_attribute]
pub fn activity_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    activity_trigger::expand(args.into(), item.into()).into()
}

/// Runs a function on a schedule.
#[proc_macro_attribute]
pub fn timer_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    timer_trigger::expand(args.into(), item.into()).into()
}

/// Registers an entity: a small piece of state that is known by a key and changed by operations, one at a time.
///
/// On the `impl` block of a type that is `Default + Serialize + DeserializeOwned`, every `pub` method with `&mut self` or `&self` is an
/// operation, async or not: it takes at most one input, then what it needs of `&mut EntityContext`, `State<S>` and a
/// `#[durable_client]`, in any order, and returns nothing, a value or a `Result`. `&self` changes nothing. The operation `delete` removes
/// the state, unless the type defines its own. The methods stay ordinary methods, and `entity::<Counter>(key)` of orchestrators,
/// clients and entities has one for each:
///
/// ```ignore
/// #[derive(Default, Serialize, Deserialize)]
/// struct Counter {
///     value: i64,
/// }
///
/// #[entity_trigger]
/// impl Counter {
///     pub fn add(&mut self, n: i64) -> i64 {
///         self.value += n;
///         self.value
///     }
/// }
///
/// let value = ctx.entity::<Counter>("apples").add(5).await?;
/// ```
///
/// On a function `async fn(ctx: &mut EntityContext [, State<S>..])` all operations are one: it looks at `ctx.operation()`, reads
/// `ctx.input()` and `ctx.state()`, and what it returns is the answer.
///
/// `name = ".."` replaces the type's or the function's name.
#[proc_macro_attribute]
pub fn entity_trigger(args: TokenStream, item: TokenStream) -> TokenStream {
    entity_trigger::expand(args.into(), item.into()).into()
}

/// Marks the parameter that receives the client of a task hub.
#[proc_macro_attribute]
pub fn durable_client(args: TokenStream, item: TokenStream) -> TokenStream {
    durable_client::expand(args.into(), item.into()).into()
}

/// Lets one statement of an orchestrator call what is not deterministic.
#[proc_macro_attribute]
pub fn allow_nondeterminism(args: TokenStream, item: TokenStream) -> TokenStream {
    determinism::misplaced(args.into(), item.into()).into()
}
