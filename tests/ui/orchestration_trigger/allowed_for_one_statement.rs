use durable_functions::prelude::*;

#[orchestration_trigger]
async fn once(_ctx: OrchestrationContext) {
    #[allow_nondeterminism]
    let _wall = std::time::SystemTime::now();
    let _again = std::time::SystemTime::now();
}

fn main() {}
