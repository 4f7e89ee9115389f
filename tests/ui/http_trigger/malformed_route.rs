use durable_functions::prelude::*;

#[http_trigger(route = "a/{b")]
async fn not_closed() {}

#[http_trigger(route = "a}/b")]
async fn not_opened() {}

#[http_trigger(route = "a//b")]
async fn empty_segment() {}

#[http_trigger(route = "a?b=1")]
async fn query() {}

#[http_trigger(route = "{a}{b}")]
async fn adjacent() {}

#[http_trigger(route = "{}")]
async fn no_name() {}

#[http_trigger(route = "{a/b}")]
async fn slash_in_name() {}

#[http_trigger(route = "{a{b}}")]
async fn nested() {}

#[http_trigger(route = "~a")]
async fn tilde() {}

#[http_trigger(route = "{id}/{ID}")]
async fn twice() {}

fn main() {}
