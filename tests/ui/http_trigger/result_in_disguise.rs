use durable_functions::prelude::*;

type Answer = Result<String>;

#[http_trigger]
async fn disguised() -> Answer {
    Ok(String::new())
}

fn main() {}
