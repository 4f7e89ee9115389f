//! Timer functions: their schedules, and what they are told. `hub/schedule.rs` runs them.

mod info;
mod invocation;
mod ncrontab;
mod schedule;
mod timetable;
mod zone;

#[cfg(test)]
mod tests;

pub use info::TimerInfo;
pub use invocation::TimerInvocation;
pub use schedule::Schedule;
pub use timetable::{ScheduledTimer, Timetable};
pub use zone::Zone;
