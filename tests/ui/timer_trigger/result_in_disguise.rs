use durable_functions::prelude::*;

type Outcome = Result<()>;

#[timer_trigger(schedule = "0 0 * * * *")]
async fn disguised() -> Outcome {
    Ok(())
}

fn main() {}
