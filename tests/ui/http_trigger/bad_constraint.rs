use durable_functions::prelude::*;

#[http_trigger(route = "{a:integer}")]
async fn unknown() {}

#[http_trigger(route = "{a:int(4)}")]
async fn too_many() {}

#[http_trigger(route = "{a:min}")]
async fn too_few() {}

#[http_trigger(route = "{a:length(x)}")]
async fn no_number() {}

#[http_trigger(route = "{a:range(8,4)}")]
async fn backwards() {}

#[http_trigger(route = "{a:regex(x}")]
async fn not_closed() {}

fn main() {}
