use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn twice(one: TimerInfo, two: TimerInfo) {
    drop((one, two));
}

fn main() {}
