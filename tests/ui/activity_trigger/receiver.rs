use durable_functions::prelude::*;

struct Greeter;

impl Greeter {
    #[activity_trigger]
    async fn greet(&self, _name: String) {}
}

fn main() {}
