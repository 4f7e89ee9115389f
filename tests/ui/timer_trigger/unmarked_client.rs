use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn starts(client: DurableClient) {
    drop(client);
}

fn main() {}
