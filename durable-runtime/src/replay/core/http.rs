//! `call_http` inside its slot: what an answer leads to is asked for when the answer arrives, awaited or not.

use std::time::Duration;

use serde::Deserialize;

use super::{Action, Core, Slot, SlotId, State, What};
use crate::durable_http::{DurableHttpRequest, Sent, check, next_poll};
use crate::model::{HistoryEvent, Payload, TaskError};
use crate::replay::slot::{HttpExchange, Retry, Role};

/// What follows from an answer.
pub(super) enum Step {
    /// It is what the call gives.
    Answer,
    /// It says where to ask, and when.
    Poll(Duration, Box<DurableHttpRequest>),
}

/// All that is looked at in every answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status_code: u16,
}

impl Core {
    /// A request is to be sent. One that cannot be sent fails the call and takes no id.
    pub(in crate::replay) fn call_http(&self, request: DurableHttpRequest) -> SlotId {
        let state = &mut *self.state();
        if let Err(failure) = check(&request) {
            let what = What::Http(Box::new(HttpExchange::of(request.clone(), request)));
            return state.add(Slot::failed(what, TaskError::Failed(failure)));
        }
        let id = self.take_id(state);
        let retry = request.retry().map(|retry| {
            Box::new(Retry {
                policy: retry.policy().clone(),
                started: state.now,
                made: 1,
            })
        });
        let first = self.with_idempotency_key(&request, id);
        let exchange = HttpExchange::of(request, first);
        let fits = self.check("request", &exchange.input);
        let what = What::Http(Box::new(exchange));
        if let Err(text) = fits {
            return state.add(Slot::failed(what, TaskError::usage(text)));
        }
        let slot = state.add(Slot {
            retry,
            ..Slot::new(what, id)
        });
        state.schedule_attempt(&self.started.execution_id, slot, id);
        slot
    }

    /// The key names the first attempt, so it is the same over the retries of a policy; a key of the user's wins.
    fn with_idempotency_key(&self, request: &DurableHttpRequest, id: i64) -> DurableHttpRequest {
        let wants = self.limits.idempotency_keys
            && matches!(request.method(), "POST" | "PATCH")
            && request.headers().get("idempotency-key").is_none();
        let request = request.clone();
        if !wants {
            return request;
        }
        let key = format!("{}:{}:{id}", self.instance_id, self.started.execution_id);
        request.with_header("Idempotency-Key", key)
    }

    /// What the result of the task leads to; of an activity: nothing but that it is the result.
    pub(super) fn http_step(&self, state: &State, id: i64, result: &Payload) -> Step {
        let slot = state
            .routes
            .get(id)
            .and_then(|(slot, _)| state.slots.get(*slot));
        let Some(What::Http(exchange)) = slot.map(|slot| &slot.what) else {
            return Step::Answer;
        };
        let Ok(Status { status_code }) = result.read() else {
            return Step::Answer;
        };
        let HttpExchange { original, last, .. } = &**exchange;
        if status_code != 202 || !original.is_polling() {
            return Step::Answer;
        }
        let sent = Sent { original, last };
        match next_poll(sent, result, state.now, self.limits.poll_interval) {
            Some((wait, request)) => Step::Poll(wait, Box::new(request)),
            None => Step::Answer,
        }
    }

    /// The request is under way elsewhere: a durable timer, then the poll.
    pub(super) fn wait_for_poll(
        &self,
        state: &mut State,
        id: i64,
        wait: Duration,
        poll: DurableHttpRequest,
    ) {
        state.close(id);
        let Some((slot, _)) = state.routes.remove(id) else {
            return;
        };
        let timer = self.take_id(state);
        let fire_at = state.now.plus(wait);
        state.ask(Action {
            id: timer,
            event: HistoryEvent::TimerCreated { id: timer, fire_at },
            attempt: 0,
            scheduled_start: None,
        });
        state.routes.insert(timer, (slot, Role::PollTimer));
        if let Some(entry) = state.slots.get_mut(slot) {
            entry.current = timer;
            if let What::Http(exchange) = &mut entry.what {
                exchange.sends(poll);
            }
        }
    }

    /// The wait is over: the poll is sent, with the attempts of its own that the policy grants.
    pub(super) fn poll_again(&self, state: &mut State, slot: SlotId) {
        let id = self.take_id(state);
        let now = state.now;
        let Some(entry) = state.slots.get_mut(slot) else {
            return;
        };
        entry.current = id;
        if let Some(retry) = &mut entry.retry {
            retry.started = now;
            retry.made = 1;
        }
        state.schedule_attempt(&self.started.execution_id, slot, id);
    }
}
