use durable_functions::prelude::*;

struct Receipt;

#[activity_trigger]
async fn charge() -> Receipt {
    Receipt
}

#[activity_trigger]
async fn refund() -> Result<Receipt> {
    Ok(Receipt)
}

fn main() {}
