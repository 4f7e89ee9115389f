//! [`Program`]: what a random orchestrator does, as data.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// The input of the orchestrator that interprets it: one expression for each generation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Program {
    pub(super) parts: Vec<Expr>,
    /// The part that this generation runs.
    pub(super) at: usize,
    /// Whether unread events are dropped between generations.
    pub(super) discard: bool,
    /// What earlier generations gave.
    pub(super) so_far: Vec<String>,
    /// Microseconds in what the program takes for a second.
    pub(super) second: u32,
}

/// One call of the context.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Call {
    Activity {
        retry: Option<Policy>,
        timeout: Option<u32>,
    },
    Child {
        id: ChildId,
        retry: Option<Policy>,
        timeout: Option<u32>,
    },
    /// Seconds.
    Timer(u32),
    Event {
        name: u8,
        timeout: Option<u32>,
    },
    /// An activity that is not registered.
    Unknown,
    /// An operation of one of [`ENTITIES`].
    Entity(u8),
    Http {
        post: bool,
        /// Whether a 202 is followed.
        polls: bool,
        retry: Option<Policy>,
    },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum ChildId {
    Automatic,
    Named(u8),
    /// The caller's own: not allowed.
    Own,
}

/// Whole seconds and whole coefficients.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) attempts: u32,
    pub(super) first: u32,
    pub(super) coefficient: u32,
    pub(super) longest: u32,
    pub(super) timeout: Option<u32>,
}

/// Everything but a call begins to run when it is first polled, as an `async` block does; a call is made where it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Expr {
    Await(Call),
    /// One after another; ends at the first failure, as `?` does.
    Seq(Vec<Expr>),
    Repeat(u8, Box<Expr>),
    /// A failure becomes a value.
    Catch(Box<Expr>),
    Join(Join, Vec<Expr>),
    /// Of two at least.
    Race(Race, Vec<Expr>),
    /// Called first, awaited last.
    Held(Call, Box<Expr>),
    /// Called and dropped before any poll.
    Forget(Call),
    /// Called, polled once, and dropped unless it was ready.
    Glance(Call),
    /// A critical section over some of [`ENTITIES`], asked for when it begins to run.
    Lock(Vec<u8>, Box<Expr>),
    /// To one of [`ENTITIES`]; seconds from now.
    Signal(u8, Option<u32>),
    /// What is locked.
    Locked,
    Send,
    Start,
    Guid,
    Now,
    Status(u8),
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Join {
    /// `futures::future::join_all`.
    All,
    /// `futures::future::try_join_all`: the first failure drops the rest.
    Try,
    /// `OrchestrationContext::when_all`.
    WhenAll,
    /// `FuturesUnordered`, results in the order of completion.
    Unordered,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Race {
    /// `OrchestrationContext::when_any`, losers dropped.
    Any,
    /// The same, losers awaited one after another.
    Keep,
    /// `tokio::select! { biased; .. }` of the first two.
    Select,
}

pub(super) const EVENTS: [&str; 3] = ["go", "stop", "été"];

pub(super) const ENTITY: &str = "thing";

/// Instance ids, not in their order; the last is of no function.
pub(super) const ENTITIES: [&str; 4] = ["@thing@b", "@thing@A", "@thing@a", "@nobody@a"];

/// The index of the one that is of no function.
pub(super) const NOBODY: u8 = 3;

/// The server of every first request, where that goes, and a server to which the first may point.
pub(super) const SERVER: &str = "http://server.example";
pub(super) const START: &str = "http://server.example/start";
pub(super) const OTHER: &str = "http://other.example";

/// What every request says of itself: the first two are for its own server alone, the second in its first request alone.
pub(super) const HEADERS: [(&str, &str); 3] = [
    ("authorization", "mine"),
    ("x-functions-key", "mine"),
    ("x-job", "7"),
];

pub(super) fn programs() -> impl Strategy<Value = Program> {
    // What fails is caught more often than not: a program that fails soon shows little.
    let part = prop_oneof![1 => expr(), 3 => expr().prop_map(|of| Expr::Catch(Box::new(of)))];
    (prop::collection::vec(part, 1..4), any::<bool>()).prop_map(|(parts, discard)| Program {
        parts,
        at: 0,
        discard,
        so_far: Vec::new(),
        second: 1_000_000,
    })
}

fn expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        10 => call().prop_map(Expr::Await),
        1 => call().prop_map(Expr::Forget),
        1 => call().prop_map(Expr::Glance),
        1 => prop_oneof![
            Just(Expr::Send),
            Just(Expr::Start),
            Just(Expr::Guid),
            Just(Expr::Now),
            any::<u8>().prop_map(Expr::Status)
        ],
        2 => prop_oneof![
            4 => (entity(), prop::option::weighted(0.3, 0..5u32))
                .prop_map(|(key, later)| Expr::Signal(key, later)),
            1 => Just(Expr::Locked),
        ],
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let many = |least| prop::collection::vec(inner.clone(), least..5);
        prop_oneof![
            6 => many(1).prop_map(Expr::Seq),
            1 => (1..4u8, inner.clone()).prop_map(|(n, of)| Expr::Repeat(n, Box::new(of))),
            4 => inner.clone().prop_map(|of| Expr::Catch(Box::new(of))),
            4 => (join(), many(0)).prop_map(|(kind, of)| Expr::Join(kind, of)),
            4 => (race(), many(2)).prop_map(|(kind, of)| Expr::Race(kind, of)),
            3 => (call(), inner.clone()).prop_map(|(call, of)| Expr::Held(call, Box::new(of))),
            3 => section(inner.clone()),
        ]
    })
}

fn join() -> impl Strategy<Value = Join> {
    prop_oneof![
        Just(Join::All),
        Just(Join::Try),
        Just(Join::WhenAll),
        Just(Join::Unordered)
    ]
}

fn race() -> impl Strategy<Value = Race> {
    prop_oneof![Just(Race::Any), Just(Race::Keep), Just(Race::Select)]
}

fn entity() -> impl Strategy<Value = u8> {
    prop_oneof![24 => 0..NOBODY, 1 => Just(NOBODY)]
}

/// One or two of the entities, seldom none.
fn locks() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => Just(Vec::new()),
        15 => prop::collection::vec(entity(), 1..3),
    ]
}

/// A critical section: calls of what is locked, among anything.
fn section(inner: impl Strategy<Value = Expr>) -> impl Strategy<Value = Expr> {
    let step = prop_oneof![
        1 => (0..5u8, any::<usize>()).prop_map(Err),
        1 => inner.prop_map(Ok),
    ];
    (locks(), prop::collection::vec(step, 0..5)).prop_map(|(keys, steps)| {
        let locked = |(way, nth): (u8, usize)| {
            let key = keys.get(nth % keys.len().max(1)).copied();
            let call = Call::Entity(key.unwrap_or_default());
            match way {
                0 => Expr::Forget(call),
                1 => Expr::Glance(call),
                _ => Expr::Await(call),
            }
        };
        let steps = steps.into_iter().map(|step| step.unwrap_or_else(locked));
        let steps = steps.collect();
        Expr::Lock(keys, Box::new(Expr::Seq(steps)))
    })
}

fn call() -> impl Strategy<Value = Call> {
    let timeout = || prop::option::weighted(0.3, 0..5u32);
    let child = prop_oneof![
        8 => Just(ChildId::Automatic),
        6 => (0..3u8).prop_map(ChildId::Named),
        1 => Just(ChildId::Own)
    ];
    prop_oneof![
        12 => (prop::option::weighted(0.3, policy()), timeout())
            .prop_map(|(retry, timeout)| Call::Activity { retry, timeout }),
        5 => (child, prop::option::weighted(0.3, policy()), timeout())
            .prop_map(|(id, retry, timeout)| Call::Child { id, retry, timeout }),
        6 => (0..5u32).prop_map(Call::Timer),
        10 => (0..3u8, timeout()).prop_map(|(name, timeout)| Call::Event { name, timeout }),
        1 => Just(Call::Unknown),
        8 => entity().prop_map(Call::Entity),
        6 => (any::<bool>(), prop::bool::weighted(0.8), prop::option::weighted(0.4, policy()))
            .prop_map(|(post, polls, retry)| Call::Http { post, polls, retry }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let timeout = prop::option::weighted(0.3, 0..8u32);
    (1..4u32, 1..3u32, 1..4u32, 1..6u32, timeout).prop_map(
        |(attempts, first, coefficient, longest, timeout)| Policy {
            attempts,
            first,
            coefficient,
            longest,
            timeout,
        },
    )
}
