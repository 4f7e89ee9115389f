//! A hub in which nothing happens does nothing.

use tokio::runtime;

use super::super::virtual_clock::VirtualClock;
use super::*;

/// Longer than the time between two looks at slow turns, and much longer than that between two looks for idle instances.
const WATCH: Duration = Duration::from_millis(2_500);

/// The clock stands still, so nobody waits for a time but those who tick by themselves, and each tick ends a rest of the only worker.
#[test]
fn nothing_ticks_where_all_instances_wait_and_have_left_memory() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let hub = runtime.block_on(async {
        let settings = Settings {
            idle_timeout: Duration::from_millis(100),
            ..Settings::default()
        };
        let options = options(Arc::new(store(&folder)), settings);
        let clock = Arc::new(VirtualClock::still());
        let hub = Hub::start_by(clock, options, &DurableClient::unbound()).unwrap();
        for _ in 0..10 {
            hub.client().start_new::<patient>(1).await.unwrap();
        }
        hub
    });
    let rests = || runtime.metrics().worker_park_count(0);
    let began = std::time::Instant::now();
    loop {
        let before = rests();
        std::thread::sleep(WATCH);
        let after = rests();
        if before == after && hub.resident() == 0 {
            break;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{} in memory, the worker was woken {} times within {WATCH:?}",
            hub.resident(),
            after - before
        );
    }
    runtime.block_on(hub.shutdown());
}
