//! Schedules under a clock that is turned by hand. Nothing here waits for real time: a test goes on when a function has reported, or when
//! the schedule sleeps until the instant that is expected of it.

mod given;
mod lasting;
mod positions;
mod running;
