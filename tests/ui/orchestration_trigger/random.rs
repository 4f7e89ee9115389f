use durable_functions::prelude::*;

mod rand {
    pub(crate) fn random<T: Default>() -> T {
        T::default()
    }
    pub(crate) fn thread_rng() {}
}
use rand::thread_rng;

#[orchestration_trigger]
async fn rolls(_ctx: OrchestrationContext) -> u8 {
    rand::thread_rng();
    thread_rng();
    rand::random::<u8>()
}

fn main() {}
