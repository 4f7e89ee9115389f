use durable_functions::prelude::*;

#[activity_trigger]
async fn waits() {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
