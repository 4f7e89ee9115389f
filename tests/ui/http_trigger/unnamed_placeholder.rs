use durable_functions::prelude::*;

#[http_trigger(route = "orchestrators/{function_name}")]
async fn start(functon_name: String) -> String {
    functon_name
}

#[http_trigger(route = "{from}/{to}")]
async fn copy(form: Option<String>) -> Option<String> {
    form
}

fn main() {}
