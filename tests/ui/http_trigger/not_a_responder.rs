use durable_functions::prelude::*;

struct Receipt;

#[http_trigger]
async fn charge() -> Receipt {
    Receipt
}

fn main() {}
