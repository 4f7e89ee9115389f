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

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Counter {
        orders: u32,
    }

    #[entity_trigger]
    impl Counter {
        pub fn count(&mut self) -> u32 {
            self.orders += 1;
            self.helper()
        }
        pub(crate) fn helper(&self) -> u32 {
            self.orders
        }
    }

    #[entity_trigger]
    async fn unseen(_ctx: &mut EntityContext) {}

    fn _within() {
        let _ = (hidden {}, unseen {});
    }
}

#[activity_trigger]
async fn seen() {}

#[orchestration_trigger]
async fn counts(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.entity::<inner::Counter>("a").count().await?)
}

fn main() {
    let _ = (seen {}, inner::seen {});
    drop((seen(), inner::seen(1)));
}
