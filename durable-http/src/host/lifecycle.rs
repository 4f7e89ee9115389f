//! [`Lifecycle`]: whether a running host serves, drains, or is to start once more.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use thread_local::ThreadLocal;
use tokio::sync::Notify;

/// While this file is in the script root the application is offline, and the file is what callers see.
const PAGE_FILE: &str = "app_offline.htm";
const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Host is offline</title></head>\n\
    <body><h1>Host is offline</h1><p>The application was taken offline by its administrator.</p></body></html>\n";

/// Whether a running host serves, drains, or is to start once more.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    started: Instant,
    file: PathBuf,
    offline: AtomicBool,
    page: RwLock<Bytes>,
    draining: AtomicBool,
    stopping: AtomicBool,
    invocations: ThreadLocal<Count>,
    /// Counted where somebody will ask.
    requests: ThreadLocal<Count>,
    /// Whether whoever runs the host also starts it once more.
    restarts: AtomicBool,
    restart: Notify,
}

/// What a change of state came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Yes,
    Already,
}

/// What is under way on one thread, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicUsize);

impl Count {
    fn sum(all: &ThreadLocal<Self>) -> usize {
        let counts = all.iter().map(|count| count.0.load(Ordering::Relaxed));
        counts.sum()
    }
}

/// A request that is there; dropped, it has been answered.
#[derive(Debug)]
pub(crate) struct Arrived<'a>(&'a AtomicUsize);

impl Drop for Arrived<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lifecycle {
    /// Of a host that starts now; offline, if it was left so.
    pub(crate) fn new(script_root: &Path) -> Self {
        let file = script_root.join(PAGE_FILE);
        let page = std::fs::read(&file).ok();
        Self {
            started: Instant::now(),
            file,
            offline: AtomicBool::new(page.is_some()),
            page: RwLock::new(page.map_or_else(Bytes::new, Bytes::from)),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            invocations: ThreadLocal::new(),
            requests: ThreadLocal::new(),
            restarts: AtomicBool::new(false),
            restart: Notify::new(),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire)
    }

    /// What callers see instead of the application; `None` while it is online.
    pub(crate) fn page(&self) -> Option<Bytes> {
        let page = || self.page.read().unwrap_or_else(PoisonError::into_inner);
        self.is_offline().then(|| page().clone())
    }

    /// Takes the application offline, now and after a restart.
    ///
    /// # Errors
    /// A script root that cannot be written to.
    pub(crate) fn go_offline(&self) -> io::Result<Changed> {
        let mut page = self.page.write().unwrap_or_else(PoisonError::into_inner);
        if self.is_offline() {
            return Ok(Changed::Already);
        }
        if !self.file.exists() {
            std::fs::write(&self.file, PAGE)?;
        }
        *page = std::fs::read(&self.file)?.into();
        self.offline.store(true, Ordering::Release);
        Ok(Changed::Yes)
    }

    /// Brings the application back.
    ///
    /// # Errors
    /// A script root that cannot be written to.
    pub(crate) fn go_online(&self) -> io::Result<Changed> {
        let _page = self.page.write().unwrap_or_else(PoisonError::into_inner);
        if !self.is_offline() {
            return Ok(Changed::Already);
        }
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.offline.store(false, Ordering::Release);
        Ok(Changed::Yes)
    }

    /// Says whether the host is being drained, and what was said before.
    pub(crate) fn set_draining(&self, draining: bool) -> bool {
        self.draining.swap(draining, Ordering::AcqRel)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Says that the host stops: from now on requests are refused.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Whether no function of the hub may begin.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_offline() || self.is_draining()
    }

    /// Counts an invocation that begins on this thread, where it also ends.
    pub(crate) fn begin(&self) {
        let count = self.invocations.get_or_default();
        count.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes back a [`Self::begin`] of this thread.
    pub(crate) fn end(&self) {
        let count = self.invocations.get_or_default();
        count.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// HTTP invocations that run.
    pub(crate) fn invocations(&self) -> usize {
        Count::sum(&self.invocations)
    }

    /// Counts a request, of whatever kind, until what it returns is dropped.
    pub(crate) fn arrive(&self) -> Arrived<'_> {
        let count = &self.requests.get_or_default().0;
        count.fetch_add(1, Ordering::Relaxed);
        Arrived(count)
    }

    /// Resolves when no request was there for a while.
    pub(crate) async fn quiet(&self, span: Duration) {
        let mut since = Instant::now();
        while since.elapsed() < span {
            tokio::time::sleep(span / 10).await;
            if Count::sum(&self.requests) > 0 {
                since = Instant::now();
            }
        }
    }

    /// Asks whoever runs the host to start it once more; `false`: nobody would.
    pub(crate) fn ask_for_restart(&self) -> bool {
        let heard = self.restarts.load(Ordering::Acquire);
        if heard {
            self.restart.notify_one();
        }
        heard
    }

    /// Resolves when a restart was asked for, which from now on may be done.
    pub(crate) async fn restart_asked_for(&self) {
        self.restarts.store(true, Ordering::Release);
        self.restart.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_outlives_a_restart_and_shows_the_file_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let host = Lifecycle::new(folder.path());
        assert_eq!(host.page(), None);
        assert_eq!(host.go_offline().unwrap(), Changed::Yes);
        assert_eq!(host.go_offline().unwrap(), Changed::Already);
        let page = Lifecycle::new(folder.path()).page().unwrap();
        assert!(page.windows(15).any(|text| text == b"Host is offline"));
        assert_eq!(host.go_online().unwrap(), Changed::Yes);
        assert_eq!(host.go_online().unwrap(), Changed::Already);
        std::fs::write(folder.path().join(PAGE_FILE), "back at noon").unwrap();
        let own = Lifecycle::new(folder.path()).page();
        assert_eq!(own.as_deref(), Some(&b"back at noon"[..]));
    }

    #[test]
    fn a_restart_is_refused_where_nobody_would_do_it() {
        let folder = tempfile::tempdir().unwrap();
        let host = Lifecycle::new(folder.path());
        assert!(!host.ask_for_restart());
        let asked = host.restart_asked_for();
        let mut asked = std::pin::pin!(asked);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asked.as_mut().poll(&mut context).is_pending());
        assert!(host.ask_for_restart());
        assert!(asked.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn invocations_count_until_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let host = Lifecycle::new(folder.path());
        host.begin();
        std::thread::scope(|threads| {
            let other = threads.spawn(|| {
                host.begin();
                assert_eq!(host.invocations(), 2);
                host.end();
            });
            other.join().unwrap();
        });
        assert_eq!(host.invocations(), 1);
        host.end();
        assert_eq!(host.invocations(), 0);
    }
}
