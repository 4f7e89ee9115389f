//! What others are told of orchestrations: each step once, in order, never before it is durable and whatever dies in between (vector 87).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use durable_runtime::hub::{Notification, Notifications, Notifier, Settings, Told};
use durable_runtime::model::{LifecycleEvent, LifecycleStep, LifecycleStep::*};
use durable_runtime::store::Store as _;
use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::functions::*;
use crate::host::{Host, Residency, open_on, open_store};
use crate::killed::Dying;
use crate::lifecycle_functions::{fail_next, fresh, two_steps};

type Answer = Box<dyn Fn(&[(String, LifecycleEvent)]) -> Told + Send + Sync>;

/// Remembers what it is told, and answers as it is made to.
struct Receiver {
    heard: Mutex<Vec<(String, LifecycleEvent)>>,
    changed: Notify,
    answer: Answer,
}

impl Receiver {
    fn new(
        answer: impl Fn(&[(String, LifecycleEvent)]) -> Told + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::default(),
            changed: Notify::new(),
            answer: Box::new(answer),
        })
    }

    fn taking() -> Arc<Self> {
        Self::new(|_| Told::Taken)
    }

    fn steps(&self, of: &str) -> Vec<LifecycleStep> {
        let heard = self.heard.lock().unwrap();
        let own = heard.iter().filter(|(id, _)| id == of);
        own.map(|(_, event)| event.step).collect()
    }

    /// Resolves once it has been told so many times of that instance.
    async fn until(&self, of: &str, count: usize) -> Vec<LifecycleStep> {
        self.until_so(|| self.steps(of).len() >= count).await;
        self.steps(of)
    }

    /// Resolves once it has been told so many times.
    async fn until_all(&self, count: usize) {
        let told = || self.heard.lock().unwrap().len();
        self.until_so(|| told() >= count).await;
    }

    async fn until_so(&self, is_so: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            if is_so() {
                return;
            }
            changed.await;
        }
    }
}

impl Notifier for Receiver {
    fn notify<'a>(&'a self, notification: Notification<'a>) -> BoxFuture<'a, Told> {
        Box::pin(async move {
            assert_eq!(notification.hub_name, "TestHubName");
            let told = {
                let mut heard = self.heard.lock().unwrap();
                let event = notification.event.clone();
                heard.push((notification.instance_id.to_owned(), event));
                (self.answer)(&heard)
            };
            self.changed.notify_waiters();
            told
        })
    }
}

fn told_by(receiver: &Arc<Receiver>, retries: u32) -> impl FnOnce(&mut Settings) + use<> {
    let mut notifications = Notifications::new(Arc::clone(receiver) as Arc<dyn Notifier>);
    notifications.retries = retries;
    notifications.interval = Duration::ZERO;
    move |settings| settings.notifications = Some(notifications)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_is_told_once_in_order_and_generations_are_none() {
    let receiver = Receiver::taking();
    // The child of `parent_of_fails` among them.
    let all = 8;
    for (hosts, residency) in (1..).zip([Residency::Resident, Residency::Evicted]) {
        let host = Host::with(residency, told_by(&receiver, 0));
        let name = |kind: &str| format!("{kind} {residency:?}");
        let started = host.client.start_new::<generations>(50u32);
        started.with_instance_id(name("completes")).await.unwrap();
        let started = host.client.start_new::<parent_of_fails>(());
        started.with_instance_id(name("fails")).await.unwrap();
        let started = host.client.start_new::<counter>(0);
        started.with_instance_id(name("is ended")).await.unwrap();
        host.client
            .terminate(name("is ended"), "enough")
            .await
            .unwrap();
        for (kind, step) in [
            ("completes", Completed),
            ("fails", Failed),
            ("is ended", Terminated),
        ] {
            assert_eq!(
                receiver.until(&name(kind), 2).await,
                [Started, step],
                "{kind}"
            );
        }
        receiver.until_all(hosts * all).await;
        host.hub.shutdown().await;
    }
    let heard = receiver.heard.lock().unwrap();
    let reason = |id: &str, step| {
        let event = heard
            .iter()
            .find(|(of, e)| of == id && e.step == step)
            .unwrap();
        event.1.reason.clone()
    };
    assert_eq!(reason("is ended Resident", Terminated), "enough");
    assert_eq!(reason("is ended Resident", Started), "");
    let why = reason("fails Resident", Failed);
    assert!(why.contains("fails"), "{why}");
    // Each once, never the same event.
    let ids: BTreeSet<_> = heard.iter().map(|(_, event)| event.id).collect();
    assert_eq!((ids.len(), heard.len()), (2 * all, 2 * all));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_before_it_began_was_not_started() {
    let receiver = Receiver::taking();
    let host = Host::with(Residency::Resident, told_by(&receiver, 0));
    let later = Utc::now() + Duration::from_secs(3600);
    let id = host
        .client
        .start_new::<empty>(())
        .scheduled_at(later)
        .await
        .unwrap();
    host.client
        .terminate(&id, "no longer wanted")
        .await
        .unwrap();
    assert_eq!(receiver.until(&id, 1).await, [Terminated]);
    host.hub.shutdown().await;
    assert_eq!(receiver.steps(&id), [Terminated]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewound_instance_starts_again() {
    let receiver = Receiver::taking();
    let host = Host::with(Residency::Resident, told_by(&receiver, 0));
    let id = fresh("told");
    fail_next(&format!("{id}-b"), 1);
    let started = host.client.start_new::<two_steps>(());
    started.with_instance_id(&id).await.unwrap();
    host.end(&id).await;
    host.client.rewind(&id, "").await.unwrap();
    let steps = receiver.until(&id, 4).await;
    assert_eq!(steps, [Started, Failed, Started, Completed]);
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_steps_that_are_asked_for_are_told() {
    let receiver = Receiver::taking();
    let told = told_by(&receiver, 0);
    let host = Host::with(Residency::Resident, |settings| {
        told(settings);
        if let Some(notifications) = &mut settings.notifications {
            notifications.steps = vec![Failed];
        }
    });
    let good = host.client.start_new::<empty>(()).await.unwrap();
    host.end(&good).await;
    let bad = host.client.start_new::<fails>(()).await.unwrap();
    assert_eq!(receiver.until(&bad, 1).await, [Failed]);
    host.hub.shutdown().await;
    assert_eq!(receiver.heard.lock().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_not_taken_is_told_again_and_holds_up_only_its_own() {
    // "slow" is taken the third time; "lost" never.
    let receiver = Receiver::new(|heard| {
        let (id, last) = heard.last().unwrap();
        let times = heard
            .iter()
            .filter(|(_, event)| event.id == last.id)
            .count();
        match id.as_str() {
            "slow" if times < 3 => Told::Later("busy".to_owned()),
            "lost" => Told::Later("busy".to_owned()),
            "refused" => Told::Never("unwanted".to_owned()),
            _ => Told::Taken,
        }
    });
    let host = Host::with(Residency::Resident, told_by(&receiver, 2));
    for id in ["slow", "lost", "refused", "good"] {
        let started = host.client.start_new::<empty>(());
        started.with_instance_id(id).await.unwrap();
    }
    let thrice = |one, other| [one, one, one, other, other, other].to_vec();
    assert_eq!(receiver.until("slow", 6).await, thrice(Started, Completed));
    assert_eq!(receiver.until("lost", 6).await, thrice(Started, Completed));
    assert_eq!(receiver.until("refused", 2).await, [Started, Completed]);
    assert_eq!(receiver.until("good", 2).await, [Started, Completed]);
    // All is settled: the next host has nothing to tell.
    let host = host
        .restart_with(Residency::Resident, told_by(&receiver, 2))
        .await;
    let before = receiver.heard.lock().unwrap().len();
    let id = host.client.start_new::<empty>(()).await.unwrap();
    receiver.until(&id, 2).await;
    assert_eq!(receiver.heard.lock().unwrap().len(), before + 2);
    host.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_durable_is_told_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::taking();
    let dying = Arc::new(Dying {
        inner: open_store(folder.path()),
        dead: Arc::default(),
        died: Arc::default(),
    });
    let (hub, client) = open_on(
        dying.clone(),
        Residency::Resident,
        &Arc::default(),
        told_by(&receiver, 0),
    );
    let start = client.start_new::<empty>(()).with_instance_id("it");
    let start = tokio::spawn(std::future::IntoFuture::into_future(start));
    dying.died.notified().await;
    drop((hub, client));
    dying.close().await;
    start.abort();
    assert_eq!(receiver.steps("it"), []);
    let (hub, _client) = open_on(
        Arc::new(open_store(folder.path())),
        Residency::Resident,
        &Arc::default(),
        told_by(&receiver, 0),
    );
    assert_eq!(receiver.until("it", 2).await, [Started, Completed]);
    hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_and_not_written_down_is_told_again_as_the_same() {
    let receiver = Receiver::new(|heard| match heard.len() {
        // As good as a process that dies while it waits for the answer.
        1 => Told::Later("gone".to_owned()),
        _ => Told::Taken,
    });
    let told = told_by(&receiver, 1);
    let host = Host::with(Residency::Resident, |settings| {
        told(settings);
        if let Some(notifications) = &mut settings.notifications {
            notifications.interval = Duration::from_secs(3600);
        }
    });
    let id = host.client.start_new::<empty>(()).await.unwrap();
    assert_eq!(receiver.until(&id, 1).await, [Started]);
    let host = host
        .restart_with(Residency::Resident, told_by(&receiver, 0))
        .await;
    assert_eq!(receiver.until(&id, 3).await, [Started, Started, Completed]);
    host.hub.shutdown().await;
    let heard = receiver.heard.lock().unwrap();
    assert_eq!(heard[0].1, heard[1].1);
}
