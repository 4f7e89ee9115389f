//! The orchestrator that runs a [`Program`] through the real context.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, join_all, try_join_all};
use futures::stream::{FuturesUnordered, StreamExt};

use super::program::{
    Call, ChildId, ENTITIES, ENTITY, EVENTS, Expr, HEADERS, Join, Policy, Program, Race, START,
};
use crate::durable_http::{DurableHttpRequest, DurableHttpResponse, HttpRetryPolicy};
use crate::entity::EntityInvocation;
use crate::error::Error;
use crate::function::finish;
use crate::model::{EntityId, Payload, TaskError};
use crate::registry::{
    ActivityRun, ActivitySpec, EntitySpec, Kind, Orchestrator, OrchestratorSpec, Registration,
    Registry,
};
use crate::replay::{ContinueOptions, OrchestrationContext, RetryPolicy};

pub(super) const ACTIVITY: &str = "work";
pub(super) const ORCHESTRATOR: &str = "program";

/// All that entities were asked to do.
static OPERATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// How often orchestrators were polled on this thread: for each execution a function of its history.
    pub(super) static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// The interpreter, and the activity and entities that it calls.
pub(super) fn registry() -> Arc<Registry> {
    registry_with(|invocation| count(invocation, 1).boxed())
}

/// The same, but that its entities do as if somebody else had them count between any two operations: as if locks locked nobody out.
pub(super) fn disturbed_registry() -> Arc<Registry> {
    registry_with(|invocation| count(invocation, 2).boxed())
}

fn registry_with(
    entity: fn(EntityInvocation) -> BoxFuture<'static, Result<Payload, Error>>,
) -> Arc<Registry> {
    let registration = |name, kind| Registration {
        name,
        module: module_path!(),
        file: file!(),
        line: line!(),
        kind,
    };
    let activity = ActivitySpec {
        timeout: None,
        max_concurrency: None,
        rate: None,
        states: &[],
        run: ActivityRun::Async(|call| answer(call.context().task_id()).boxed()),
    };
    let entity = EntitySpec {
        operations: &[],
        states: &[],
        run: entity,
    };
    let all = [
        registration(ORCHESTRATOR, Kind::Orchestrator(code().spec)),
        registration(ACTIVITY, Kind::Activity(activity)),
        registration(ENTITY, Kind::Entity(entity)),
    ];
    Registry::of(all.iter()).unwrap()
}

/// Some answers come later than others, and some are failures.
async fn answer(task_id: i64) -> Result<Payload, Error> {
    for _ in 0..task_id % 7 {
        tokio::task::yield_now().await;
    }
    match task_id % 6 {
        1 => Err(Error::msg(format!("f{task_id}"))),
        5 => Err(Error::non_retriable(Error::msg("for good"))),
        _ => finish(task_id),
    }
}

/// Answers with the number of the operation among those that did not fail.
async fn count(invocation: EntityInvocation, by: u64) -> Result<Payload, Error> {
    let context = invocation.context();
    let count = context.state::<u64>()?.unwrap_or_default() + by;
    context.set_state(&count)?;
    if OPERATIONS.fetch_add(1, Ordering::Relaxed) % 6 == 3 {
        return Err(Error::msg("no"));
    }
    finish(count)
}

pub(super) fn code() -> Orchestrator {
    Orchestrator {
        name: "program",
        spec: OrchestratorSpec { version: None, run },
        file: file!(),
        line: line!(),
    }
}

fn run(ctx: OrchestrationContext) -> BoxFuture<'static, Result<Payload, Error>> {
    let mut inner = interpret(ctx).boxed();
    let counted = move |cx: &mut std::task::Context<'_>| {
        POLLS.set(POLLS.get() + 1);
        inner.as_mut().poll(cx)
    };
    futures::future::poll_fn(counted).boxed()
}

async fn interpret(ctx: OrchestrationContext) -> Result<Payload, Error> {
    let mut program: Program = ctx.input()?;
    let second = Duration::from_micros(program.second.into());
    let value = start(
        &Scope {
            ctx: ctx.clone(),
            second,
        },
        &program.parts[program.at],
    )
    .await
    .map_err(Error::msg)?;
    program.so_far.push(value);
    program.at += 1;
    if program.at == program.parts.len() {
        return finish(program.so_far.join(";"));
    }
    let mut options = ContinueOptions::new();
    if program.discard {
        options = options.discard_events();
    }
    ctx.continue_as_new_with(program, options)
}

/// The context, and what a second is.
#[derive(Clone)]
struct Scope {
    ctx: OrchestrationContext,
    second: Duration,
}

impl std::ops::Deref for Scope {
    type Target = OrchestrationContext;

    fn deref(&self) -> &OrchestrationContext {
        &self.ctx
    }
}

type Value = Result<String, String>;

fn text(error: &TaskError) -> String {
    match error {
        TaskError::Timeout => "timeout".to_owned(),
        TaskError::Failed(failure) if failure.error_type == "UsageError" => "usage".to_owned(),
        TaskError::Failed(failure) => failure.message.clone(),
    }
}

/// A call is made here and now; the rest when it is first polled.
fn start(ctx: &Scope, expr: &Expr) -> BoxFuture<'static, Value> {
    if let Expr::Await(call) = expr {
        return make(ctx, call);
    }
    let (ctx, expr) = (ctx.clone(), expr.clone());
    async move {
        match &expr {
            Expr::Await(call) => make(&ctx, call).await,
            Expr::Seq(all) => in_sequence(&ctx, all.iter()).await,
            Expr::Repeat(n, of) => in_sequence(&ctx, std::iter::repeat_n(&**of, (*n).into())).await,
            Expr::Catch(of) => Ok(rendered(start(&ctx, of).await)),
            Expr::Join(kind, all) => join(&ctx, *kind, all).await,
            Expr::Race(kind, all) => race(&ctx, *kind, all).await,
            Expr::Held(call, then) => {
                let held = make(&ctx, call);
                let first = start(&ctx, then).await?;
                Ok(format!("<{first},{}>", held.await?))
            }
            Expr::Forget(call) => {
                drop(make(&ctx, call));
                Ok("forgotten".to_owned())
            }
            Expr::Glance(call) => match futures::poll!(make(&ctx, call)) {
                std::task::Poll::Ready(value) => value,
                std::task::Poll::Pending => Ok("not yet".to_owned()),
            },
            Expr::Lock(keys, of) => {
                let locks = ctx.lock_entities(keys.iter().map(|key| entity(*key)));
                let guard = locks.await.map_err(|error| text(&error))?;
                let value = start(&ctx, of).await;
                guard.release();
                Ok(format!("@{}", value?))
            }
            Expr::Signal(key, later) => {
                let signal = ctx.signal_entity(&entity(*key), "count", 1);
                if let Some(seconds) = later {
                    signal.at(ctx.current_utc_datetime() + ctx.second * *seconds);
                }
                Ok("signalled".to_owned())
            }
            Expr::Locked => {
                let locked = ctx.locked_entities();
                let locked: Vec<String> = locked.iter().map(EntityId::to_string).collect();
                Ok(locked.join("+"))
            }
            Expr::Send => {
                ctx.send_event("elsewhere", "hello", 1);
                Ok("sent".to_owned())
            }
            Expr::Start => {
                let _ = ctx.start_orchestration_by_name(ORCHESTRATOR, ());
                Ok("started".to_owned())
            }
            Expr::Guid => Ok(ctx.new_guid().to_string()),
            Expr::Now => Ok(ctx.current_utc_datetime().timestamp_micros().to_string()),
            Expr::Status(status) => {
                ctx.set_custom_status(status);
                Ok("shown".to_owned())
            }
        }
    }
    .boxed()
}

fn entity(key: u8) -> EntityId {
    ENTITIES[usize::from(key)].parse().unwrap()
}

fn rendered(value: Value) -> String {
    value.unwrap_or_else(|error| format!("!{error}"))
}

async fn in_sequence<'a>(ctx: &Scope, all: impl Iterator<Item = &'a Expr>) -> Value {
    let mut values = Vec::new();
    for expr in all {
        values.push(start(ctx, expr).await?);
    }
    Ok(format!("({})", values.join(",")))
}

async fn join(ctx: &Scope, kind: Join, all: &[Expr]) -> Value {
    let started: Vec<_> = all.iter().map(|expr| start(ctx, expr)).collect();
    let values = match kind {
        Join::All => join_all(started).await.into_iter().map(rendered).collect(),
        Join::Try => try_join_all(started).await?,
        Join::WhenAll => {
            let failing = started.into_iter().map(|future| {
                future.map(|value| {
                    let failure = |text| crate::model::FailureDetails::new("E", text);
                    value.map_err(|text| TaskError::Failed(failure(text)))
                })
            });
            ctx.when_all(failing).await.map_err(|error| text(&error))?
        }
        Join::Unordered => {
            let numbered = started
                .into_iter()
                .enumerate()
                .map(|(index, future)| future.map(move |value| (index, value)));
            let pool: FuturesUnordered<_> = numbered.collect();
            let done: Vec<(usize, Value)> = pool.collect().await;
            done.into_iter()
                .map(|(index, value)| format!("{index}:{}", rendered(value)))
                .collect()
        }
    };
    Ok(format!("[{}]", values.join(",")))
}

async fn race(ctx: &Scope, kind: Race, all: &[Expr]) -> Value {
    let started: Vec<_> = all.iter().map(|expr| start(ctx, expr)).collect();
    match kind {
        Race::Any => {
            let (value, index, rest) = ctx.when_any(started).await;
            drop(rest);
            Ok(format!("{{{index}:{}}}", value?))
        }
        Race::Keep => {
            let (value, index, rest) = ctx.when_any(started).await;
            let mut values = vec![format!("{index}:{}", rendered(value))];
            for future in rest {
                values.push(rendered(future.await));
            }
            Ok(format!("{{{}}}", values.join(",")))
        }
        Race::Select => {
            let mut started = started.into_iter();
            let (Some(first), Some(second)) = (started.next(), started.next()) else {
                return Err("a race of less than two".to_owned());
            };
            drop(started);
            let (index, value) = tokio::select! {
                biased;
                value = first => (0, value),
                value = second => (1, value),
            };
            Ok(format!("{{{index}:{}}}", value?))
        }
    }
}

fn make(ctx: &Scope, call: &Call) -> BoxFuture<'static, Value> {
    let done = |outcome: Result<serde_json::Value, TaskError>| match outcome {
        Ok(value) => Ok(value.to_string()),
        Err(error) => Err(text(&error)),
    };
    let span = |seconds: &u32| ctx.second * *seconds;
    match call {
        Call::Activity { retry, timeout } => {
            let mut call = ctx.call_activity_by_name::<serde_json::Value>(ACTIVITY, 1);
            if let Some(policy) = retry {
                call = call.with_retry(policy.of(ctx.second));
            }
            if let Some(timeout) = timeout {
                call = call.with_timeout(span(timeout));
            }
            call.map(done).boxed()
        }
        Call::Child { id, retry, timeout } => {
            let mut call = ctx.call_sub_orchestrator_by_name::<serde_json::Value>(ORCHESTRATOR, ());
            match id {
                ChildId::Automatic => {}
                ChildId::Named(n) => call = call.with_instance_id(format!("child{n}")),
                ChildId::Own => call = call.with_instance_id(ctx.instance_id().to_uppercase()),
            }
            if let Some(policy) = retry {
                call = call.with_retry(policy.of(ctx.second));
            }
            if let Some(timeout) = timeout {
                call = call.with_timeout(span(timeout));
            }
            call.map(done).boxed()
        }
        Call::Timer(seconds) => ctx
            .create_timer(span(seconds))
            .map(|()| Ok("rang".to_owned()))
            .boxed(),
        Call::Event { name, timeout } => {
            let name = EVENTS[usize::from(*name)].to_uppercase();
            let mut wait = ctx.wait_for_external_event::<serde_json::Value>(&name);
            if let Some(timeout) = timeout {
                wait = wait.with_timeout(span(timeout));
            }
            wait.map(done).boxed()
        }
        Call::Unknown => ctx
            .call_activity_by_name::<serde_json::Value>("nobody", ())
            .map(done)
            .boxed(),
        Call::Entity(key) => ctx
            .call_entity::<serde_json::Value>(&entity(*key), "count", 1)
            .map(done)
            .boxed(),
        Call::Http { post, polls, retry } => {
            let method = if *post { "POST" } else { "GET" };
            let mut request = DurableHttpRequest::new(method, START);
            for (name, value) in HEADERS {
                request = request.with_header(name, value);
            }
            if !polls {
                request = request.without_polling();
            }
            if let Some(policy) = retry {
                request = request.with_retry(policy.of_http(ctx.second));
            }
            let answered = |outcome: Result<DurableHttpResponse, TaskError>| match outcome {
                Ok(answer) => Ok(format!("{}:{}", answer.status, answer.content)),
                Err(error) => Err(text(&error)),
            };
            ctx.call_http(request).map(answered).boxed()
        }
    }
}

impl Policy {
    fn of_http(self, second: Duration) -> HttpRetryPolicy {
        let span = |seconds: u32| second * seconds;
        let policy = HttpRetryPolicy::new(self.attempts, span(self.first))
            .with_backoff_coefficient(self.coefficient.into())
            .with_max_interval(span(self.longest));
        match self.timeout {
            Some(timeout) => policy.with_timeout(span(timeout)),
            None => policy,
        }
    }

    fn of(self, second: Duration) -> RetryPolicy {
        let span = |seconds: u32| second * seconds;
        let policy = RetryPolicy::new(self.attempts, span(self.first))
            .with_backoff_coefficient(self.coefficient.into())
            .with_max_interval(span(self.longest));
        match self.timeout {
            Some(timeout) => policy.with_timeout(span(timeout)),
            None => policy,
        }
    }
}
