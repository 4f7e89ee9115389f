use durable_functions::prelude::*;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn waits() {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
