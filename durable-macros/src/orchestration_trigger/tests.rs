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
fn an_orchestrator_is_data_and_one_call() {
    let text = expanded(
        quote! { version = "2.0" },
        quote! { async fn monitor(ctx: OrchestrationContext, mut job: Order) -> Result<()> { ctx } },
    );
    has(
        &text,
        quote! { async fn monitor(ctx: OrchestrationContext, mut job: Order) -> Result<()> { ctx } },
    );
    has(
        &text,
        quote! { impl ::root::__private::Orchestrator for monitor },
    );
    has(&text, quote! { type Input = Order; });
    has(&text, quote! { ::core::option::Option::Some("2.0") });
    has(&text, quote! { let __durable_input: Order });
    assert!(!text.contains("compile_error"));
}

#[test]
fn without_input_it_is_unit() {
    let text = expanded(
        quote! {},
        quote! { async fn f(_ctx: OrchestrationContext) {} },
    );
    has(&text, quote! { type Input = (); type Output = (); });
}

#[test]
fn the_body_is_rewritten_also_in_error() {
    let body = quote! { #[allow_nondeterminism] let a = Utc::now(); tokio::select! { a = b => c } };
    for (args, errors) in [(quote! {}, 0), (quote! { colour = "red" }, 1)] {
        let text = expanded(
            args,
            quote! { async fn f(ctx: OrchestrationContext) { #body } },
        );
        has(
            &text,
            quote! { { let a = Utc::now(); tokio::select! { biased; a = b => c } } },
        );
        assert_eq!(text.matches("compile_error").count(), errors);
    }
}
