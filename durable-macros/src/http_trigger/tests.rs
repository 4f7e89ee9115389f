use quote::quote;

use super::*;

fn expanded(args: TokenStream, item: TokenStream) -> String {
    expand(quote! { crate = ::root, #args }, item)
        .to_string()
        .replace([' ', '\n'], "")
}

#[track_caller]
fn has(text: &str, part: TokenStream) {
    let part = part.to_string().replace([' ', '\n'], "");
    assert!(text.contains(&part), "{part}\nis not in\n{text}");
}

#[test]
fn a_function_is_data_and_one_call() {
    let text = expanded(
        quote! { auth = "Anonymous", methods = ["get", "POST"], route = "a/{id:int?}" },
        quote! {
            async fn order(_id: Option<u32>, body: Bytes, bank: State<Bank>) -> impl Responder { body }
        },
    );
    has(
        &text,
        quote! { auth: ::root::__private::AuthLevel::Anonymous },
    );
    has(&text, quote! { methods: &["GET", "POST"] });
    has(
        &text,
        quote! { route: ::core::option::Option::Some("a/{id:int?}") },
    );
    has(&text, quote! { placeholders: &["id"] });
    has(
        &text,
        quote! { states: &[::root::__private::StateSpec::of::<Bank>()] },
    );
    has(&text, quote! { .optional_placeholder::<u32>("id") });
    has(&text, quote! { .extract::<Bytes>("body").await });
    assert!(!text.contains("struct"));
    assert!(!text.contains("compile_error"));
}

#[test]
fn the_answer_fits_the_output_as_written() {
    for (output, method) in [
        (quote! {}, "respond_unit()"),
        (quote! { -> () }, "respond_unit()"),
        (
            quote! { -> Result<()> },
            "respond_unit_result(__durable_output)",
        ),
        (
            quote! { -> actix_web::Result<(), E> },
            "respond_unit_result(__durable_output)",
        ),
        (quote! { -> String }, "respond(__durable_output)"),
        (
            quote! { -> Result<impl Responder> },
            "respond_result(__durable_output)",
        ),
    ] {
        let text = expanded(quote! {}, quote! { fn f() #output { g() } });
        assert!(text.contains(method), "{method}: {text}");
        assert!(text.contains("=f();") || text.contains("f();"), "{text}");
    }
}

#[test]
fn without_a_route_nothing_is_a_placeholder() {
    let text = expanded(
        quote! { route = " " },
        quote! { async fn f(text: String) {} },
    );
    has(&text, quote! { route: ::core::option::Option::None });
    has(&text, quote! { .extract::<String>("text") });
}

#[test]
fn a_placeholder_is_found_whatever_its_case() {
    let text = expanded(
        quote! { route = "{Type}" },
        quote! { async fn f(r#type: String) {} },
    );
    has(&text, quote! { .placeholder::<String>("Type") });
}

#[test]
fn a_client_wins_over_a_placeholder_of_its_name() {
    let text = expanded(
        quote! { route = "{client}" },
        quote! { async fn f(#[durable_client] client: DurableClient) {} },
    );
    has(&text, quote! { placeholders: &[] });
}

#[test]
fn text_beside_a_path_extractor_is_the_body() {
    let text = expanded(
        quote! { route = "{a}/{b}" },
        quote! { async fn f(body: String, path: web::Path<(String, u32)>) {} },
    );
    assert!(!text.contains("compile_error"), "{text}");
}

#[test]
fn fragments_of_macro_rules_are_seen_through() {
    use proc_macro2::{Delimiter, Group};
    let hidden = |tokens| Group::new(Delimiter::None, tokens);
    let (route, method) = (hidden(quote! { "x/{v?}" }), hidden(quote! { "get" }));
    let (ty, output) = (
        hidden(quote! { Option<u32> }),
        hidden(quote! { Result<()> }),
    );
    let text = expanded(
        quote! { route = #route, methods = [#method] },
        quote! { async fn f(v: #ty) -> #output {} },
    );
    assert!(!text.contains("compile_error"), "{text}");
    has(&text, quote! { placeholders: &["v"] });
    assert!(text.contains("respond_unit_result"));
}

#[test]
fn no_methods_are_all_with_a_warning() {
    let text = expanded(quote! { methods = [] }, quote! { async fn f() {} });
    assert!(text.contains("deprecated"));
    assert!(!text.contains("compile_error"));
}
