use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn with_input(order: String) {
    drop(order);
}

#[timer_trigger(schedule = "0 0 * * * *")]
async fn with_context(ctx: ActivityContext) {
    drop(ctx);
}

fn main() {}
