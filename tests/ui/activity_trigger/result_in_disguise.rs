use durable_functions::prelude::*;

type Answer = Result<String>;

#[activity_trigger]
async fn disguised() -> Answer {
    Ok(String::new())
}

fn main() {}
