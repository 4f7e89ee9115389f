//! A companion is as visible as its function, and stays where its function is.
use durable_functions::prelude::*;

mod inner {
    use durable_functions::prelude::*;

    #[activity_trigger]
    pub(crate) async fn seen(n: u32) -> u32 {
        n
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Order;

    #[activity_trigger]
    async fn hidden(_order: Order) {}

    fn _within() {
        let _ = hidden {};
    }
}

#[activity_trigger]
async fn seen() {}

fn main() {
    let _ = (seen {}, inner::seen {});
    drop((seen(), inner::seen(1)));
}
