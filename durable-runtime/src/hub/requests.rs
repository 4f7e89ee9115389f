//! What clients ask of the engine. Each answer comes after the commit that makes it true.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Engine;
use super::cell::{Create, Inbound};
use super::commit;
use super::fresh_id::fresh_id;
use super::reply::Reply;
use super::waiters::End;
use crate::client::{ClientError, check_instance_id, check_no_entity, dress, unknown_orchestrator};
use crate::model::{
    EntityMessage, ExecutionStarted, FailureDetails, HistoryEvent, Payload, RuntimeStatus,
    Timestamp,
};
use crate::store::{
    Change, Done, Error, InstanceKey, InstanceRecord, ListQuery, NewInstance, NewMessage, Parts,
    Purge, Receipt, Reuse, is_entity,
};

/// A client's start.
#[derive(Debug, Clone, Default)]
pub(crate) struct StartRequest {
    pub(crate) name: String,
    pub(crate) input: Option<Payload>,
    pub(crate) instance_id: Option<String>,
    pub(crate) scheduled_at: Option<Timestamp>,
    pub(crate) version: Option<String>,
    pub(crate) trace_parent: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Engine {
    /// Starts an instance: it is stored, first turn included, when this resolves (spec 4.1). What resolves holds nothing of the request: very
    /// many may wait at one time.
    pub(crate) fn start(
        self: &Arc<Self>,
        request: StartRequest,
    ) -> impl Future<Output = Result<String, ClientError>> + use<> {
        let (reply, stored) = Reply::when_stored();
        let submitted = self.submit_start(request, reply);
        async move {
            let id = submitted?;
            until_stored(stored).await?;
            Ok(id.to_string())
        }
    }

    /// Starts an instance and waits for its end: its id, and what it ended as; without that if the time is over first, or the hub
    /// closes. It is stored when this returns, and nothing wakes the caller in between.
    pub(crate) async fn start_to_end(
        self: &Arc<Self>,
        request: StartRequest,
        timeout: Duration,
    ) -> Result<(String, Option<End>), ClientError> {
        let (reply, stored, end) = Reply::at_end();
        let id = self.submit_start(request, reply)?;
        // However this ends: who asked may have gone away.
        let _leaving = self.waiters.leaving(&id);
        let closed = self.until_closed();
        let ended = tokio::select! {
            // First, so that an end that is there is told whatever the hub does.
            biased;
            ended = tokio::time::timeout(timeout, self.skipping(end)) => ended.ok().and_then(Result::ok),
            () = closed.cancelled() => None,
        };
        if ended.is_none() {
            until_stored(stored).await?;
        }
        Ok((id.to_string(), ended))
    }

    /// Begins to store an instance; gives its id.
    fn submit_start(
        self: &Arc<Self>,
        request: StartRequest,
        reply: Reply,
    ) -> Result<Arc<str>, ClientError> {
        self.check_open()?;
        if let Err(known) = self.registry.check_start(&request.name) {
            let known = known.into_iter().map(str::to_owned).collect();
            tracing::debug!("{}", unknown_orchestrator(&request.name, &self.registry));
            return Err(ClientError::UnknownFunction {
                name: request.name,
                known,
            });
        }
        if let Some(id) = &request.instance_id {
            check_instance_id(id)
                .map_err(|fault| ClientError::InvalidArgument(fault.to_string()))?;
        }
        if let Some(input) = &request.input {
            self.check_payload("input", input)?;
        }
        let due = request.scheduled_at.filter(|at| *at > self.clock.now());
        let instance = self.new_instance(request);
        let id = Arc::clone(&instance.id);
        match due {
            Some(_) => self.store_pending(instance, reply),
            None => self.begin(instance, reply),
        }
        Ok(id)
    }

    fn new_instance(&self, request: StartRequest) -> NewInstance {
        let created = self.clock.now();
        let id: Arc<str> = request
            .instance_id
            .map_or_else(|| fresh_id(created), Into::into);
        let name = self
            .registry
            .orchestrator(
                &request.name,
                request.version.as_deref().unwrap_or_default(),
            )
            .map_or(&*request.name, |o| o.name);
        let started = ExecutionStarted {
            name: name.into(),
            version: request
                .version
                .or_else(|| self.settings.default_version.clone())
                .unwrap_or_default(),
            execution_id: fresh_id(created),
            parent: None,
            scheduled_start: request.scheduled_at,
            generation: 0,
            tags: request.tags,
            trace_parent: request.trace_parent,
            input: request.input,
        };
        NewInstance {
            key: InstanceKey(self.store.ids().next()),
            id,
            started,
            created,
            reuse: self.reuse(),
            on_refused: None,
        }
    }

    /// What becomes of an instance whose id is wanted again.
    pub(super) fn reuse(&self) -> Reuse {
        if self.settings.overridable_any_state {
            Reuse::Any
        } else {
            Reuse::NonRunning
        }
    }

    /// Makes the first turn here and now; start and turn share a commit. While another turn of that id is under way, its outcome decides.
    fn begin(self: &Arc<Self>, instance: NewInstance, reply: Reply) {
        let id = Arc::clone(&instance.id);
        let create = Box::new(Create { instance, reply });
        loop {
            let cell = self.cells.get_or_insert(&id);
            let mut state = cell.lock();
            if state.removed {
                continue;
            }
            state.queued.push_back(create);
            commit::settle(self, &cell, &mut state);
            return;
        }
    }

    /// Stores an instance without running it: its time has not come, or no function here fits it.
    pub(super) fn store_pending(self: &Arc<Self>, instance: NewInstance, mut reply: Reply) {
        let (engine, id, due) = (
            Arc::downgrade(self),
            Arc::clone(&instance.id),
            instance.started.scheduled_start,
        );
        let done: Done = Box::new(move |result| match (result, engine.upgrade()) {
            (Ok(_), Some(engine)) => {
                reply.expect_end(&id, &engine.waiters);
                reply.stored();
                match due {
                    Some(due) => engine.look_at(&id, due),
                    // It finds out what is to become of an instance that no function here fits.
                    None => engine.poke(&id),
                }
            }
            (Ok(_), None) => reply.stored(),
            (Err(error), _) => reply.refused(error),
        });
        self.submit_change(Change::Create(Box::new(instance)), done);
    }

    /// Tells an orchestration something; stored when this returns.
    pub(crate) async fn send(
        self: &Arc<Self>,
        id: &str,
        event: HistoryEvent,
        accepted: &[RuntimeStatus],
    ) -> Result<(), ClientError> {
        check_no_entity(id)?;
        self.send_message(id, event, accepted).await
    }

    /// Puts a message into an instance's inbox; stored when this returns.
    async fn send_message(
        self: &Arc<Self>,
        id: &str,
        event: HistoryEvent,
        accepted: &[RuntimeStatus],
    ) -> Result<(), ClientError> {
        self.check_open()?;
        let to: Arc<str> = id.into();
        let message = NewMessage {
            id: self.store.ids().next(),
            to: Arc::clone(&to),
            execution_id: None,
            event: event.clone(),
            created: self.clock.now(),
        };
        let arrived = Inbound {
            event,
            inbox: Some(message.id),
            execution_id: None,
        };
        let change = Change::Message {
            message,
            accepted: accepted.to_vec(),
        };
        let engine = Arc::downgrade(self);
        // By the store, not by the caller: one who goes away leaves a message that is stored and that nobody hands over,
        // one who is slow hands it over when a turn has taken it from the store long since.
        let deliver = move |_: &Receipt| {
            if let Some(engine) = engine.upgrade() {
                engine.deliver(&to, arrived);
            }
        };
        self.submit_then(change, deliver).await?;
        Ok(())
    }

    /// Tells an entity something; stored when this returns.
    pub(crate) async fn send_to_entity(
        self: &Arc<Self>,
        id: &str,
        message: EntityMessage,
    ) -> Result<(), ClientError> {
        let event = HistoryEvent::Entity(Box::new(message));
        self.send_message(id, event, &[RuntimeStatus::Running])
            .await
    }

    /// Where the answer to an entity's call will come.
    pub(crate) fn expect_answer(self: &Arc<Self>, request: Arc<str>) -> ExpectedAnswer {
        ExpectedAnswer {
            answer: self.entities.expect(Arc::clone(&request)),
            engine: Arc::clone(self),
            request,
        }
    }

    /// Removes instances; one that still ran leaves memory with it.
    pub(crate) async fn purge(self: &Arc<Self>, purge: Purge) -> Result<u64, ClientError> {
        self.check_open()?;
        let entity = match &purge {
            Purge::EmptyEntity { id } | Purge::One { id, .. } if is_entity(id) => Some(id.clone()),
            _ => None,
        };
        let ran: Option<Arc<str>> = match &purge {
            Purge::One { id, running: true } if entity.is_none() => Some(id.as_str().into()),
            _ => None,
        };
        let engine = Arc::clone(self);
        let receipt = self
            .submit_then(Change::Purge(purge), move |_| {
                if let Some(id) = ran {
                    engine.renew_cell(&id);
                }
                if let Some(cell) = entity.and_then(|id| engine.cells.get(&id)) {
                    // What is in memory is of a row that is gone.
                    cell.lock().entity = None;
                }
            })
            .await?;
        Ok(receipt.count)
    }

    /// What memory knows of an instance is void, since the store was told something else: it is looked at afresh.
    pub(super) fn renew_cell(&self, id: &Arc<str>) {
        let mut dropped = None;
        self.with_cell(id, |state| {
            dropped = state.unload();
            std::mem::take(&mut state.running)
                .into_values()
                .for_each(|token| token.cancel());
            // A start of that id that has not been made yet is none of the store's business so far.
            if state.create.is_none() {
                state.mailbox.clear();
            }
            state.snapshot = None;
        });
        drop(dropped);
    }

    /// Does `then` in the order of the commits, once the change is durable: before anybody is told of what follows in the store. Who reads
    /// may have seen it.
    pub(super) async fn submit_then(
        self: &Arc<Self>,
        change: Change,
        then: impl FnOnce(&Receipt) + Send + 'static,
    ) -> Result<Receipt, ClientError> {
        let (sender, answer) = oneshot::channel();
        let done: Done = Box::new(move |result| {
            if let Ok(receipt) = &result {
                then(receipt);
            }
            let _ = sender.send(result);
        });
        self.submit_change(change, done);
        let stopped = |_| {
            ClientError::Unavailable("the host stopped before the change was stored".to_owned())
        };
        answer.await.map_err(stopped)?.map_err(client_error)
    }

    /// The instance as the last commit left it: from memory if it is there.
    pub(crate) async fn find(
        &self,
        id: &str,
        parts: Parts,
    ) -> Result<Option<Arc<InstanceRecord>>, ClientError> {
        if let Some(record) = self.in_memory(id) {
            return Ok(Some(record));
        }
        let mut found = self.store.find(id, parts).await.map_err(client_error)?;
        if let Some(record) = &mut found {
            dress(record);
        }
        // What was read may be a commit that memory is not told of yet: whoever asks again would go back in time.
        Ok(self.in_memory(id).or_else(|| found.map(Arc::new)))
    }

    /// The instance as the last commit left it of which memory was told, unless the store knows better.
    fn in_memory(&self, id: &str) -> Option<Arc<InstanceRecord>> {
        let cell = self.cells.get(id)?;
        let state = cell.lock();
        let is_current = !state.removed && state.resident.is_some() || state.in_flight > 0;
        state.snapshot.clone().filter(|_| is_current)
    }

    pub(crate) async fn list(&self, query: ListQuery) -> Result<Vec<InstanceRecord>, ClientError> {
        let mut records = self.store.list(query).await.map_err(client_error)?;
        records.iter_mut().for_each(dress);
        Ok(records)
    }

    /// Recorded turns, oldest first.
    pub(crate) async fn history(
        &self,
        id: &str,
    ) -> Result<Option<Vec<Vec<HistoryEvent>>>, ClientError> {
        Ok(self
            .store
            .load(id)
            .await
            .map_err(client_error)?
            .map(|loaded| loaded.history))
    }

    /// Resolves at the instance's end; woken by the commit.
    pub(crate) async fn wait(
        &self,
        id: &str,
        timeout: Duration,
    ) -> Result<Arc<InstanceRecord>, ClientError> {
        let _leaving = self.waiters.leaving(id);
        let end = self.waiters.wait(id);
        let found = self.find(id, Parts::ALL).await;
        match found {
            Ok(Some(record)) if record.status.is_terminal() => Ok(record),
            Ok(Some(_)) => match tokio::time::timeout(timeout, self.skipping(end)).await {
                Ok(Ok(record)) => Ok(record),
                Ok(Err(_)) | Err(_) => Err(ClientError::Timeout),
            },
            Ok(None) => Err(ClientError::NotFound(id.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Refuses what is larger than a value may be.
    pub(crate) fn check_payload(&self, what: &str, payload: &Payload) -> Result<(), ClientError> {
        let fits = payload.check(self.settings.max_payload_bytes);
        fits.map_err(|error| {
            ClientError::InvalidArgument(format!("the {what} is too large: {error}"))
        })
    }

    /// A hub that stops, or whose queue is full, takes nothing new (law 8).
    pub(super) fn check_open(&self) -> Result<(), ClientError> {
        if self.stopping.load(Ordering::Acquire) {
            return Err(ClientError::Unavailable("the host is stopping".to_owned()));
        }
        if self.store.backlog() > self.settings.max_backlog
            || self.queue.len() > self.settings.max_backlog
        {
            return Err(ClientError::Unavailable(format!(
                "the hub has more than {} changes waiting for the disk; try again later",
                self.settings.max_backlog
            )));
        }
        Ok(())
    }
}

async fn until_stored(stored: oneshot::Receiver<Result<(), Error>>) -> Result<(), ClientError> {
    match stored.await {
        Ok(outcome) => outcome.map_err(client_error),
        Err(_) => Err(ClientError::Unavailable(
            "the host stopped before the start was stored".to_owned(),
        )),
    }
}

/// The answer to a call of an entity, on its way.
pub(crate) struct ExpectedAnswer {
    engine: Arc<Engine>,
    request: Arc<str>,
    answer: oneshot::Receiver<Result<Payload, FailureDetails>>,
}

impl ExpectedAnswer {
    /// Waits for it.
    pub(crate) async fn within(mut self, timeout: Duration) -> Result<Payload, ClientError> {
        let answer = self.engine.skipping(&mut self.answer);
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(Ok(answer))) => Ok(answer),
            Ok(Ok(Err(failure))) => Err(ClientError::Failed(failure)),
            Ok(Err(_)) => Err(ClientError::Unavailable(
                "the host stopped before the entity answered; the operation may have run"
                    .to_owned(),
            )),
            Err(_) => Err(ClientError::Timeout),
        }
    }
}

impl Drop for ExpectedAnswer {
    fn drop(&mut self) {
        self.engine.entities.forget(&self.request);
    }
}

pub(crate) fn client_error(error: Error) -> ClientError {
    match error {
        Error::AlreadyExists { status, .. } => ClientError::AlreadyExists(format!(
            "An Orchestration instance with the status {status} already exists."
        )),
        Error::NotFound(id) => ClientError::NotFound(id),
        Error::InvalidState { id, status } => ClientError::InvalidState { id, status },
        Error::Content(text) => ClientError::InvalidArgument(text),
        other => ClientError::Unavailable(other.to_string()),
    }
}
