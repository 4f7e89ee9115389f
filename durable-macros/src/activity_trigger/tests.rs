use quote::quote;

use super::*;

/// The expansion as text without spaces, so that tokens can be looked for in it.
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
fn an_activity_is_data_and_one_call() {
    let text = expanded(
        quote! { name = "Square", timeout = "5m", max_concurrency = 4, rate = "10/s" },
        quote! { pub fn square(n: u64) -> u64 { n * n } },
    );
    has(&text, quote! { pub fn square(n: u64) -> u64 { n * n } });
    has(&text, quote! { pub struct square {} });
    has(
        &text,
        quote! { impl ::root::__private::Activity for square },
    );
    has(&text, quote! { type Input = u64; type Output = u64; });
    has(&text, quote! { name: "Square" });
    has(
        &text,
        quote! { timeout: ::core::option::Option::Some(::core::time::Duration::new(300u64, 0u32)) },
    );
    has(
        &text,
        quote! { max_concurrency: ::core::option::Option::Some(4u32) },
    );
    has(&text, quote! { count: 10u32 });
    has(&text, quote! { ::root::__private::ActivityRun::Blocking });
    assert!(!text.contains("compile_error"));
}

#[test]
fn each_parameter_has_its_source() {
    let text = expanded(
        quote! {},
        quote! {
            async fn charge(
                bank: State<Bank>,
                (a, b): (i64, i64),
                #[durable_client(task_hub = "Other")] client: DurableClient,
                ctx: crate::ActivityContext,
            ) -> Result<Receipt> { todo!() }
        },
    );
    has(
        &text,
        quote! { async fn charge(bank: State<Bank>, (a, b): (i64, i64), client: DurableClient, ctx: crate::ActivityContext,) },
    );
    has(&text, quote! { type Input = (i64, i64); });
    has(
        &text,
        quote! { type Output = <Result<Receipt> as ::root::__private::Fallible>::Ok; },
    );
    has(
        &text,
        quote! { states: &[::root::__private::StateSpec::of::<Bank>()] },
    );
    has(
        &text,
        quote! { .client(::core::option::Option::Some("Other"), ::core::option::Option::None) },
    );
    has(&text, quote! { ::root::__private::ActivityRun::Async });
}

#[test]
fn conditions_and_docs_are_carried_over() {
    let text = expanded(
        quote! {},
        quote! { /** Does. */ #[cfg(x)] #[inline] async fn does() {} },
    );
    assert_eq!(text.matches("#[cfg(x)]").count(), 3);
    assert_eq!(text.matches("Does.").count(), 2);
    assert_eq!(text.matches("#[inline]").count(), 1);
}

#[test]
fn a_function_in_error_keeps_its_companion_and_is_not_registered() {
    let text = expanded(
        quote! { colour = "red" },
        quote! { async fn say(city: String) -> String { city } },
    );
    assert_eq!(text.matches("compile_error").count(), 1);
    has(
        &text,
        quote! { async fn say(city: String) -> String { city } },
    );
    has(&text, quote! { type Input = String; type Output = String; });
    assert!(!text.contains("submit"));
}

#[test]
fn the_mark_of_a_function_finds_its_parameter() {
    for mark in [
        quote! { #[durable_client] },
        quote! { #[__durable_client()] },
    ] {
        let text = expanded(
            quote! {},
            quote! { #mark async fn go(client: DurableClient) {} },
        );
        has(
            &text,
            quote! { .client(::core::option::Option::None, ::core::option::Option::None) },
        );
        assert!(!text.contains("compile_error"));
        assert!(!text.contains("#[durable_client"));
    }
}

#[test]
fn an_item_that_is_no_function_stays() {
    let text = expanded(quote! {}, quote! { struct Order; });
    has(&text, quote! { struct Order; });
    assert_eq!(text.matches("compile_error").count(), 1);
}

#[test]
fn a_body_out_of_macro_rules_is_seen_through() {
    use proc_macro2::{Delimiter, Group};
    let hidden = |tokens| Group::new(Delimiter::None, tokens);
    let body = hidden(quote! { { 1 } });
    let output = hidden(quote! { Result<u32> });
    let text = expanded(quote! {}, quote! { async fn f(_n: u32) -> #output #body });
    assert!(!text.contains("compile_error"), "{text}");
    let item = hidden(quote! { async fn f() {} });
    let text = expanded(quote! {}, quote! { #item });
    assert!(!text.contains("compile_error"), "{text}");
}
