//! Rewinding failed instances: what failed runs again, what succeeded does not.

use durable_runtime::{ClientError, RuntimeStatus};
use serde_json::json;

use crate::functions::counter;
use crate::host::{Host, Residency};
use crate::lifecycle_functions::*;
use crate::scenarios::{scenarios, until};

async fn fails(host: &Host, id: &str) {
    let end = host.end(id).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Failed, "{end:?}");
}

async fn completes(host: &Host, id: &str) -> serde_json::Value {
    let end = host.end(id).await;
    assert_eq!(end.runtime_status, RuntimeStatus::Completed, "{end:?}");
    assert_eq!(end.failure, None);
    end.output.unwrap_or_default()
}

scenarios! {
    a_failed_activity_runs_again_and_a_successful_one_does_not(host) {
        let id = fresh("steps");
        let b = format!("{id}-b");
        fail_next(&b, 2);
        host.client.start_new::<two_steps>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        let before = host.client.get_status(&id).await.unwrap().unwrap();
        host.client.rewind(&id, "once").await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "twice").await.unwrap();
        assert_eq!(completes(&host, &id).await, json!([format!("{id}-a"), b]));
        assert_eq!((runs(&format!("{id}-a")), runs(&b)), (1, 3));
        let after = host.client.get_status(&id).await.unwrap().unwrap();
        assert_ne!(before.execution_id, after.execution_id);
        assert_eq!(before.created_time, after.created_time);
        let kinds = host.kinds(&id).await;
        assert_eq!(kinds.iter().filter(|kind| **kind == "ExecutionRewound").count(), 2, "{kinds:?}");
        assert!(!kinds.contains(&"TaskFailed"), "{kinds:?}");
    }

    all_that_failed_side_by_side_runs_again(host; PerSender: they run side by side) {
        let id = fresh("side");
        let key = |n: &str| format!("{id}-{n}");
        fail_next(&key("a"), 1);
        fail_next(&key("c"), 1);
        host.client.start_new::<side_by_side>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "").await.unwrap();
        assert_eq!(completes(&host, &id).await, json!([key("a"), key("b"), key("c")]));
        assert_eq!(["a", "b", "c"].map(|n| runs(&key(n))), [2, 1, 2]);
    }

    the_last_attempt_of_a_retried_call_runs_again(host) {
        let id = fresh("retried");
        let key = format!("{id}-a");
        fail_next(&key, 3);
        host.client.start_new::<tries_thrice>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "").await.unwrap();
        assert_eq!(completes(&host, &id).await, json!(key));
        assert_eq!(runs(&key), 4);
    }

    a_failure_that_was_compensated_runs_again(host) {
        let id = fresh("saga");
        let key = |n: &str| format!("{id}-{n}");
        fail_next(&key("b"), 2);
        host.client.start_new::<compensates>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "").await.unwrap();
        fails(&host, &id).await;
        assert_eq!(["a", "b", "undo"].map(|n| runs(&key(n))), [1, 2, 2]);
        host.client.rewind(&id, "").await.unwrap();
        assert_eq!(completes(&host, &id).await, json!(key("b")));
        assert_eq!(["a", "b", "undo"].map(|n| runs(&key(n))), [1, 3, 2]);
    }

    a_failure_of_code_alone_runs_its_last_turn_again(host) {
        let id = fresh("alone");
        fail_next(&id, 1);
        host.client.start_new::<fails_by_itself>(()).with_instance_id(&id).await.unwrap();
        host.client.raise_event(&id, "data", "x").await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "").await.unwrap();
        assert_eq!(completes(&host, &id).await, json!("x"));
        let first = fresh("first");
        fail_next(&first, 1);
        host.client.start_new::<fails_at_once>(()).with_instance_id(&first).await.unwrap();
        fails(&host, &first).await;
        host.client.rewind(&first, "").await.unwrap();
        assert_eq!(completes(&host, &first).await, json!(1));
    }

    failed_children_are_rewound_and_purged_ones_begin_anew(host; PerSender: two children) {
        let id = fresh("tree");
        let (one, two) = (format!("{id}-p-1"), format!("{id}-p-2"));
        fail_next(&format!("{one}-b"), 1);
        fail_next(&format!("{two}-b"), 1);
        host.client.start_new::<grandparent>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        assert_eq!(host.client.purge_instance(&two).await.unwrap(), 1);
        host.client.rewind(&id, "again").await.unwrap();
        let steps = |child: &str| json!([format!("{child}-a"), format!("{child}-b")]);
        assert_eq!(completes(&host, &id).await, json!([steps(&one), steps(&two)]));
        assert_eq!(["a", "b"].map(|n| runs(&format!("{one}-{n}"))), [1, 2]);
        assert_eq!(["a", "b"].map(|n| runs(&format!("{two}-{n}"))), [2, 2]);
    }

    children_that_still_run_find_the_rewound_parent(host; PerSender: two children) {
        let id = fresh("impatient");
        let slow = format!("{id}-slow");
        fail_next(&format!("{id}-fast-a"), 2);
        host.client.start_new::<impatient>(()).with_instance_id(&id).await.unwrap();
        fails(&host, &id).await;
        host.client.rewind(&id, "").await.unwrap();
        fails(&host, &id).await;
        // This one ends while its parent has failed and cannot be told.
        host.client.raise_event(&slow, "data", "x").await.unwrap();
        completes(&host, &slow).await;
        host.client.rewind(&id, "").await.unwrap();
        let fast = [format!("{id}-fast-a"), format!("{id}-fast-b")];
        assert_eq!(completes(&host, &id).await, json!([fast, "x"]));
    }

    only_failed_instances_are_rewound(host) {
        let missing = host.client.rewind("nobody", "").await;
        assert!(matches!(missing, Err(ClientError::NotFound(id)) if id == "nobody"));
        let id = host.client.start_new::<counter>(0).await.unwrap();
        until(&host, &id, RuntimeStatus::Running).await;
        let running = host.client.rewind(&id, "").await;
        assert!(matches!(running, Err(ClientError::InvalidState { status: RuntimeStatus::Running, .. })), "{running:?}");
        host.client.raise_event(&id, "end", ()).await.unwrap();
        host.end(&id).await;
        let ended = host.client.rewind(&id, "").await;
        assert!(matches!(ended, Err(ClientError::InvalidState { status: RuntimeStatus::Completed, .. })), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewound_instance_outlives_its_host() {
    let host = Host::new(Residency::Resident);
    let id = fresh("survivor");
    fail_next(&format!("{id}-fast-a"), 1);
    host.client
        .start_new::<impatient>(())
        .with_instance_id(&id)
        .await
        .unwrap();
    fails(&host, &id).await;
    host.client.rewind(&id, "").await.unwrap();
    let host = host.restart(Residency::Resident).await;
    let slow = format!("{id}-slow");
    host.client.raise_event(&slow, "data", "x").await.unwrap();
    completes(&host, &id).await;
}
