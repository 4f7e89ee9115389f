//! [`Lines`]: log lines on their way to a file or a pipe, many with one system call, and none lost where a program ends in order.

use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long lines wait for others; so much may be missing after `kill -9`.
const GATHERING: Duration = Duration::from_millis(5);
/// Bytes from which on whoever adds a line writes all of them, so that a log that is read slowly holds up those who write it.
const MOST: usize = 64 * 1024;

/// Lines that wait to be written to `W`. Warnings and errors do not wait.
#[derive(Debug)]
pub(super) struct Lines<W> {
    waiting: Mutex<Vec<u8>>,
    filled: Condvar,
    /// Locked before `waiting`, by whoever writes. With what the last write emptied.
    sink: Mutex<(W, Vec<u8>)>,
    /// Nobody gathers: each line is written at once.
    through: AtomicBool,
}

impl<W: Write + Send + 'static> Lines<W> {
    /// Lives as long as the process, as the thread that writes does.
    pub(super) fn start(sink: W) -> &'static Self {
        let lines: &'static Self = Box::leak(Box::new(Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            sink: Mutex::new((sink, Vec::new())),
            through: AtomicBool::new(false),
        }));
        let name = "durable-log".to_owned();
        let gathering = thread::Builder::new().name(name).spawn(|| lines.gather());
        if gathering.is_err() {
            lines.finish();
        }
        lines
    }

    fn gather(&self) {
        while !self.through.load(Ordering::Acquire) {
            let waiting = self.lock();
            let idle =
                |waiting: &mut Vec<u8>| waiting.is_empty() && !self.through.load(Ordering::Acquire);
            drop(self.filled.wait_while(waiting, idle));
            // Woken once for all that come meanwhile, not once for each.
            thread::sleep(GATHERING);
            self.flush();
        }
    }

    fn add(&self, line: &[u8], now: bool) {
        let mut waiting = self.lock();
        let first = waiting.is_empty();
        waiting.extend_from_slice(line);
        let full = waiting.len() >= MOST;
        drop(waiting);
        if now || full || self.through.load(Ordering::Acquire) {
            self.flush();
        } else if first {
            self.filled.notify_one();
        }
    }

    /// Writes all that waits.
    pub(super) fn flush(&self) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        let (sink, spare) = &mut *sink;
        mem::swap(&mut *self.lock(), spare);
        // Where a log cannot be written, nobody can be told.
        let _ = sink.write_all(spare).and_then(|()| sink.flush());
        spare.clear();
    }

    /// Writes all that waits, and from now on each line as it comes.
    pub(super) fn finish(&self) {
        self.through.store(true, Ordering::Release);
        self.filled.notify_one();
        self.flush();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one line is written to.
#[derive(Debug)]
pub(super) struct Line<W: 'static> {
    lines: &'static Lines<W>,
    now: bool,
}

impl<W: Write + Send + 'static> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.add(line, self.now);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes [`Line`]s.
#[derive(Debug)]
pub(super) struct Gathered<W: 'static>(pub(super) &'static Lines<W>);

impl<W: Write + Send + 'static> MakeWriter<'_> for Gathered<W> {
    type Writer = Line<W>;

    fn make_writer(&self) -> Line<W> {
        Line {
            lines: self.0,
            now: false,
        }
    }

    fn make_writer_for(&self, meta: &Metadata<'_>) -> Line<W> {
        Line {
            lines: self.0,
            now: *meta.level() <= Level::WARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Sends on what is written to it.
    struct Sent(Sender<String>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            self.0.send(text).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> (&'static Lines<Sent>, Receiver<String>) {
        let (send, written) = channel();
        (Lines::start(Sent(send)), written)
    }

    #[test]
    fn lines_are_written_in_their_order_though_nobody_asks_for_it() {
        let (lines, written) = lines();
        let all: String = (0..100).map(|n| format!("{n}\n")).collect();
        all.split_inclusive('\n')
            .for_each(|line| lines.add(line.as_bytes(), false));
        let mut read = String::new();
        while read.len() < all.len() {
            read += &written.recv().unwrap();
        }
        assert_eq!(read, all);
    }

    #[test]
    fn what_waits_is_written_at_the_end_and_what_comes_later_at_once() {
        let (lines, written) = lines();
        lines.add(b"before\n", false);
        lines.finish();
        lines.add(b"after\n", false);
        let read: String = written.try_iter().collect();
        assert_eq!(read, "before\nafter\n");
    }

    #[test]
    fn a_log_that_fills_is_written_by_whoever_fills_it() {
        let (lines, written) = lines();
        lines.add(&[b'x'; MOST], false);
        let read: String = written.try_iter().collect();
        assert_eq!(read.len(), MOST);
    }

    #[test]
    fn a_warning_is_written_with_all_before_it_when_it_has_been_given() {
        let (lines, written) = lines();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Gathered(lines))
            .with_target(false)
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("one");
            tracing::warn!("two");
        });
        let read: String = written.try_iter().collect();
        assert_eq!(read, " INFO one\n WARN two\n");
    }
}
