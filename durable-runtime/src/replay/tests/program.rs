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
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let timeout = prop::option::weighted(0.3, 0..8u32);
    (1..4u32, 0..3u32, 1..4u32, 1..6u32, timeout).prop_map(
        |(attempts, first, coefficient, longest, timeout)| Policy {
            attempts,
            first,
            coefficient,
            longest,
            timeout,
        },
    )
}
