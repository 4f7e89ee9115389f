//! Generated code does not mind what the names of std mean where it stands.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![forbid(unsafe_code)]
#![allow(dead_code, non_camel_case_types)]

struct Result;
struct Option;
struct Box;
struct String;
struct Vec;
struct Some;
struct None;
struct Ok;
struct Err;
struct str;
trait Send {}
trait From {}
trait Clone {}
trait Debug {}
struct Calls;
struct Signals;
struct C;
mod core {}
mod std {}
mod durable_functions {}

use ::durable_functions::{
    activity_trigger, entity_trigger, http_trigger, orchestration_trigger, timer_trigger,
};

#[activity_trigger(timeout = "1s", rate = "1/s", max_concurrency = 3)]
fn blocking(n: u32) -> ::std::string::String {
    n.to_string()
}

#[activity_trigger]
async fn fallible(n: u32) -> ::durable_functions::Result<u32> {
    ::core::result::Result::Ok(n)
}

#[orchestration_trigger(version = "1.0")]
async fn orchestrator(_ctx: ::durable_functions::OrchestrationContext, n: u32) -> u32 {
    n
}

mod entities {
    use ::durable_functions::entity_trigger;

    type Answer<T> = ::core::result::Result<T, ::std::string::String>;
    use Answer as Result;

    /// An operation's input.
    #[derive(::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct C;

    /// Named like its proxy.
    #[derive(::core::default::Default, ::serde::Serialize, ::serde::Deserialize)]
    pub(crate) struct Calls {
        value: u32,
    }

    #[entity_trigger]
    impl Calls {
        /// Both are the user's.
        pub fn merge(&mut self, _other: C) -> Result<Self> {
            self.value += 1;
            ::core::result::Result::Ok(Self { value: self.value })
        }
        /// A keyword.
        pub fn r#type(&self) -> u32 {
            self.value
        }
    }

    impl ::core::ops::Add<u32> for Calls {
        type Output = Self;

        fn add(self, _n: u32) -> Self {
            self
        }
    }
}

#[entity_trigger]
async fn relay(ctx: &mut ::durable_functions::EntityContext) -> ::durable_functions::Result<()> {
    ctx.entity::<entities::Calls>("x").signal().merge(entities::C);
    ::core::result::Result::Ok(())
}

#[http_trigger(route = "shadowed/{n}")]
async fn handler(n: u32) -> ::std::string::String {
    n.to_string()
}

#[timer_trigger(schedule = "0 0 * * * *", run_on_startup)]
async fn hourly(_timer: ::durable_functions::TimerInfo) -> ::durable_functions::Result<()> {
    ::core::result::Result::Ok(())
}

#[timer_trigger(schedule = "0 0 * * * *")]
fn daily() {}

fn main() {}
