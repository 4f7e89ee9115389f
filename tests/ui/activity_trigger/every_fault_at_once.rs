use durable_functions::prelude::*;

#[activity_trigger(timeout = "soon", rate = "often", colour = "red")]
unsafe fn everything<T>(a: &str, b: u32, client: DurableClient) -> impl Sized {
    (a, b, client)
}

fn main() {}
