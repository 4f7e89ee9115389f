use durable_functions::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Counter {
    value: i64,
}

#[entity_trigger]
impl Counter {
    pub async fn wait(&mut self) {
        let shared = std::rc::Rc::new(1);
        std::future::ready(()).await;
        self.value += *shared;
    }
}

fn main() {}
