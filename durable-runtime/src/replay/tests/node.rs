//! [`Node`]: an expression of a [`Program`](super::program::Program) under way in the model.

use super::program::{Call, Expr, Join, Race};
use super::world::{Value, World};

pub(super) enum Node {
    Call(usize),
    /// Not begun: the first look begins it.
    Lazy(Expr),
    Seq {
        rest: std::vec::IntoIter<Expr>,
        current: Option<Box<Node>>,
        values: Vec<String>,
    },
    Catch(Box<Node>),
    Join {
        kind: Join,
        children: Vec<Option<Node>>,
        /// The ends that each child had seen when it was last looked at.
        looked: Vec<Option<u64>>,
        values: Vec<(usize, Value)>,
    },
    Race {
        kind: Race,
        children: Vec<(usize, Node)>,
    },
    /// What is left of a race whose losers are awaited.
    Keep {
        rest: std::collections::VecDeque<Node>,
        values: Vec<String>,
    },
    Held {
        call: usize,
        then: Option<Box<Node>>,
        first: String,
    },
    /// Waits for locks.
    Locking {
        call: usize,
        then: Expr,
    },
    /// Has them, by the request of that id.
    Locked {
        request: i64,
        then: Box<Node>,
    },
    Ready(Value),
}

fn rendered(value: Value) -> String {
    value.unwrap_or_else(|error| format!("!{error}"))
}

impl Node {
    /// A call is made here and now; the rest when it is first looked at.
    pub(super) fn start(world: &mut World, expr: &Expr) -> Self {
        match expr {
            Expr::Await(call) => Self::Call(world.call(call)),
            other => Self::Lazy(other.clone()),
        }
    }

    fn begin(world: &mut World, expr: Expr) -> Self {
        world.moved = true;
        let said = |text: &str| Self::Ready(Ok(text.to_owned()));
        let sequence = |all: Vec<Expr>| Self::Seq {
            rest: all.into_iter(),
            current: None,
            values: Vec::new(),
        };
        match expr {
            Expr::Await(call) => Self::Call(world.call(&call)),
            Expr::Seq(all) => sequence(all),
            Expr::Repeat(n, of) => sequence(vec![*of; n.into()]),
            Expr::Catch(of) => Self::Catch(Box::new(Self::start(world, &of))),
            Expr::Join(kind, all) => Self::Join {
                kind,
                children: all
                    .iter()
                    .map(|expr| Some(Self::start(world, expr)))
                    .collect(),
                looked: vec![None; all.len()],
                values: Vec::new(),
            },
            Expr::Race(kind, all) => {
                let mut children: Vec<(usize, Self)> = all
                    .iter()
                    .map(|expr| Self::start(world, expr))
                    .enumerate()
                    .collect();
                if matches!(kind, Race::Select) {
                    children
                        .drain(2..)
                        .for_each(|(_, mut node)| node.leave(world));
                }
                Self::Race { kind, children }
            }
            Expr::Held(call, then) => {
                let call = world.call(&call);
                let then = Some(Box::new(Self::start(world, &then)));
                Self::Held {
                    call,
                    then,
                    first: String::new(),
                }
            }
            Expr::Forget(call) => {
                let call = world.call(&call);
                world.leave(call);
                said("forgotten")
            }
            Expr::Glance(call) => Self::Ready(glance(world, &call)),
            Expr::Lock(keys, then) => Self::Locking {
                call: world.lock(&keys),
                then: *then,
            },
            Expr::Signal(key, later) => {
                world.signal(key, later);
                said("signalled")
            }
            Expr::Locked => said(&world.locked().join("+")),
            Expr::Send => {
                world.one_way("send elsewhere hello");
                said("sent")
            }
            Expr::Start => {
                let id = world.guid().replace('-', "");
                world.one_way(&format!("start {id}"));
                said("started")
            }
            Expr::Guid => Self::Ready(Ok(world.guid())),
            Expr::Now => Self::Ready(Ok(world.now.to_string())),
            Expr::Status(status) => {
                world.status = Some(status.to_string());
                said("shown")
            }
        }
    }

    pub(super) fn look(&mut self, world: &mut World) -> Option<Value> {
        if let Self::Lazy(expr) = self {
            *self = Self::begin(world, expr.clone());
        }
        match self {
            Self::Call(call) => world.look(*call),
            Self::Lazy(_) => None,
            Self::Ready(value) => Some(value.clone()),
            Self::Seq {
                rest,
                current,
                values,
            } => loop {
                if current.is_none() {
                    let Some(next) = rest.next() else {
                        return Some(Ok(format!("({})", values.join(","))));
                    };
                    *current = Some(Box::new(Self::start(world, &next)));
                }
                match current.as_mut()?.look(world)? {
                    Ok(value) => values.push(value),
                    Err(error) => return Some(Err(error)),
                }
                *current = None;
            },
            Self::Catch(of) => of.look(world).map(|value| Ok(rendered(value))),
            Self::Join {
                kind,
                children,
                looked,
                values,
            } => {
                let mut order: Vec<usize> = (0..children.len()).collect();
                if matches!(kind, Join::Unordered) {
                    order = in_order_of_wakes(world, children, looked);
                }
                look_join(world, *kind, &order, children, values)
            }
            Self::Race { kind, children } => {
                let (position, value) = children
                    .iter_mut()
                    .enumerate()
                    .find_map(|(at, (_, node))| node.look(world).map(|value| (at, value)))?;
                let (index, _) = children.swap_remove(position);
                let mut rest: std::collections::VecDeque<Node> =
                    children.drain(..).map(|(_, node)| node).collect();
                if let Race::Keep = kind {
                    let values = vec![format!("{index}:{}", rendered(value))];
                    *self = Self::Keep { rest, values };
                    return self.look(world);
                }
                rest.iter_mut().for_each(|node| node.leave(world));
                Some(value.map(|value| format!("{{{index}:{value}}}")))
            }
            Self::Keep { rest, values } => {
                while let Some(first) = rest.front_mut() {
                    values.push(rendered(first.look(world)?));
                    rest.pop_front();
                }
                Some(Ok(format!("{{{}}}", values.join(","))))
            }
            Self::Held { call, then, first } => {
                if let Some(node) = then {
                    let value = node.look(world)?;
                    *then = None;
                    match value {
                        Ok(value) => *first = value,
                        Err(error) => {
                            world.leave(*call);
                            return Some(Err(error));
                        }
                    }
                }
                let held = world.look(*call)?;
                Some(held.map(|held| format!("<{first},{held}>")))
            }
            Self::Locking { call, then } => {
                if let Err(error) = world.look(*call)? {
                    return Some(Err(error));
                }
                *self = Self::Locked {
                    request: world.request(*call),
                    then: Box::new(Self::start(world, then)),
                };
                self.look(world)
            }
            Self::Locked { request, then } => {
                let value = then.look(world)?;
                world.leave_section(*request);
                Some(value.map(|value| format!("@{value}")))
            }
        }
    }

    /// The first end after `since` that woke this.
    fn woke(&self, world: &World, since: u64) -> Option<u64> {
        let of = |nodes: &mut dyn Iterator<Item = &Node>| {
            nodes.filter_map(|node| node.woke(world, since)).min()
        };
        match self {
            Self::Call(call) => world.woke(*call, since),
            Self::Lazy(_) | Self::Ready(_) => None,
            Self::Seq { current, .. } => of(&mut current.iter().map(|node| &**node)),
            Self::Catch(node) => node.woke(world, since),
            Self::Join { children, .. } => of(&mut children.iter().flatten()),
            Self::Race { children, .. } => of(&mut children.iter().map(|(_, node)| node)),
            Self::Keep { rest, .. } => of(&mut rest.iter()),
            Self::Held { call, then, .. } => {
                let then = of(&mut then.iter().map(|node| &**node));
                world.woke(*call, since).into_iter().chain(then).min()
            }
            Self::Locking { call, .. } => world.woke(*call, since),
            Self::Locked { then, .. } => then.woke(world, since),
        }
    }

    /// Dropped in the order in which Rust drops the futures that it stands for.
    pub(super) fn leave(&mut self, world: &mut World) {
        match self {
            Self::Call(call) => world.leave(*call),
            Self::Lazy(_) | Self::Ready(_) => {}
            Self::Seq { current, .. } => {
                if let Some(node) = current {
                    node.leave(world);
                }
            }
            Self::Catch(of) => of.leave(world),
            Self::Join { kind, children, .. } => {
                // A `FuturesUnordered` drops the newest first.
                if matches!(kind, Join::Unordered) {
                    children.reverse();
                }
                children
                    .iter_mut()
                    .flatten()
                    .for_each(|node| node.leave(world));
            }
            Self::Race { children, .. } => {
                children.iter_mut().for_each(|(_, node)| node.leave(world));
            }
            Self::Keep { rest, .. } => rest.iter_mut().for_each(|node| node.leave(world)),
            Self::Held { call, then, .. } => {
                if let Some(node) = then {
                    node.leave(world);
                }
                world.leave(*call);
            }
            Self::Locking { call, .. } => world.leave(*call),
            Self::Locked { request, then } => {
                then.leave(world);
                world.leave_section(*request);
            }
        }
    }
}

fn glance(world: &mut World, call: &Call) -> Value {
    let call = world.call(call);
    let value = world.look(call);
    if value.is_none() {
        world.leave(call);
    }
    value.unwrap_or_else(|| Ok("not yet".to_owned()))
}

/// A `FuturesUnordered` looks at its children in the order in which they were woken, at first in that of their making.
fn in_order_of_wakes(
    world: &World,
    children: &[Option<Node>],
    looked: &mut [Option<u64>],
) -> Vec<usize> {
    let mut order: Vec<(u64, usize)> = Vec::new();
    for (index, node) in children.iter().enumerate() {
        let Some(node) = node else { continue };
        let woke = match looked[index] {
            None => Some(0),
            Some(since) => node.woke(world, since),
        };
        order.push((woke.unwrap_or(u64::MAX), index));
        looked[index] = Some(world.ends);
    }
    order.sort_unstable();
    order.into_iter().map(|(_, index)| index).collect()
}

fn look_join(
    world: &mut World,
    kind: Join,
    order: &[usize],
    children: &mut [Option<Node>],
    values: &mut Vec<(usize, Value)>,
) -> Option<Value> {
    for &index in order {
        let Some(node) = &mut children[index] else {
            continue;
        };
        let Some(value) = node.look(world) else {
            continue;
        };
        children[index] = None;
        if let (Join::Try, Err(error)) = (kind, &value) {
            let error = error.clone();
            children
                .iter_mut()
                .flatten()
                .for_each(|node| node.leave(world));
            return Some(Err(error));
        }
        values.push((index, value));
    }
    if values.len() < children.len() {
        return None;
    }
    if !matches!(kind, Join::Unordered) {
        values.sort_by_key(|(index, _)| *index);
    }
    if let Join::WhenAll = kind
        && let Some((_, Err(error))) = values.iter().find(|(_, value)| value.is_err())
    {
        return Some(Err(error.clone()));
    }
    let values = values.drain(..).map(|(index, value)| match kind {
        Join::Unordered => format!("{index}:{}", rendered(value)),
        Join::All | Join::Try | Join::WhenAll => rendered(value),
    });
    let values: Vec<String> = values.collect();
    Some(Ok(format!("[{}]", values.join(","))))
}
