use durable_functions::prelude::*;

struct Server;

impl Server {
    #[http_trigger]
    async fn index(&self) {}
}

fn main() {}
