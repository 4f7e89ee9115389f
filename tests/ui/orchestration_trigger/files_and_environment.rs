use durable_functions::prelude::*;

#[orchestration_trigger]
async fn reads(_ctx: OrchestrationContext) {
    drop(std::fs::read_to_string("a"));
    drop(std::fs::File::open("a"));
    drop(std::env::var("A"));
    drop(std::process::Command::new("a"));
    drop(std::net::TcpStream::connect("localhost:1"));
    let _ = std::io::stdin();
}

fn main() {}
