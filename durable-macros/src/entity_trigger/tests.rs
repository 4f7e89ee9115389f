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
fn a_block_is_operations_proxies_and_one_registration() {
    let text = expanded(
        quote! { name = "counter" },
        quote! {
            impl Counter {
                const STEP: i64 = 1;
                pub fn add(&mut self, n: i64) -> i64 { n }
                pub async fn get(&self) -> Result<i64> { todo!() }
                pub fn new() -> Self { todo!() }
                pub(crate) fn hidden(&self) {}
                fn private(&mut self) {}
            }
        },
    );
    has(
        &text,
        quote! { const STEP: i64 = 1; pub fn add(&mut self, n: i64) -> i64 { n } },
    );
    has(
        &text,
        quote! { impl ::root::__private::Entity for Counter { const NAME: &'static ::core::primitive::str = "counter"; } },
    );
    has(&text, quote! { &["add", "get", "delete"] });
    has(&text, quote! { type Input = i64; type Output = i64; });
    has(
        &text,
        quote! { type Output = <Result<i64> as ::root::__private::Fallible>::Ok; },
    );
    has(
        &text,
        quote! { <Counter>::add(&mut __durable_this, __durable_0) },
    );
    has(&text, quote! { <Counter>::get(&__durable_this,).await });
    assert_eq!(
        (
            text.matches(".keep(").count(),
            text.matches(".leave(").count()
        ),
        (1, 1),
        "`&self` changes nothing"
    );
    assert!(!text.contains("fnhidden(&self,)"), "not public");
    assert!(!text.contains("compile_error"));
}

#[test]
fn what_an_operation_takes_may_stand_in_any_order() {
    let text = expanded(
        quote! {},
        quote! {
            impl a::Counter {
                pub fn merge(
                    &mut self,
                    bank: State<Bank>,
                    ctx: &mut EntityContext,
                    #[durable_client(connection = "Main")] client: DurableClient,
                    (other, _): (Self, [u8; Self::N]),
                ) -> Option<Self> {}
            }
        },
    );
    has(
        &text,
        quote! { ctx: &mut EntityContext, client: DurableClient, (other, _): (Self, [u8; Self::N]) },
    );
    has(
        &text,
        quote! { type Input = (a::Counter, [u8; a::Counter::N]); },
    );
    has(&text, quote! { type Output = Option<a::Counter>; });
    has(
        &text,
        quote! { (&mut __durable_this, __durable_0, &mut __durable_context, __durable_2, __durable_3) },
    );
    has(
        &text,
        quote! { .client(::core::option::Option::None, ::core::option::Option::Some("Main")) },
    );
    has(
        &text,
        quote! { states: &[::root::__private::StateSpec::of::<Bank>()] },
    );
}

#[test]
fn an_own_delete_stands_for_the_one_that_every_entity_has() {
    let own = quote! { impl Counter { pub fn Delete(&mut self) -> u32 { 0 } } };
    let text = expanded(quote! {}, own);
    assert!(!text.contains("__durable_invocation.delete()"), "{text}");
    has(&text, quote! { &["delete"] });
    let none = quote! { impl Counter { pub fn get(&self) -> u32 { 0 } } };
    has(
        &expanded(quote! {}, none),
        quote! { "delete" => ::std::boxed::Box::pin(async move { __durable_invocation.delete() }) },
    );
}

#[test]
fn a_condition_of_an_operation_is_that_of_all_that_stands_for_it() {
    let text = expanded(
        quote! {},
        quote! {
            #[cfg(all())]
            impl Counter {
                #[cfg(unix)]
                pub fn add(&mut self, bank: State<Bank>) -> i64 { 0 }
            }
        },
    );
    has(&text, quote! { &[#[cfg(unix)] "add", "delete"] });
    has(&text, quote! { #[cfg(unix)] "add" => });
    has(&text, quote! { #[cfg(unix)] enum __durable_add {} });
    assert_eq!(text.matches("#[cfg(all())]").count(), 2);
    // The method, its types four times, its probe, call, signal, state, name and arm.
    assert_eq!(text.matches("#[cfg(unix)]").count(), 11);
}

#[test]
fn a_state_is_asked_for_once() {
    let text = expanded(
        quote! {},
        quote! {
            impl Counter {
                pub fn a(&mut self, bank: State<Bank>) {}
                pub fn b(&mut self, bank: State<Bank>, other: State<Other>) {}
            }
        },
    );
    assert_eq!(text.matches("StateSpec::of").count(), 2);
}

#[test]
fn a_function_is_data_and_one_call() {
    let text = expanded(
        quote! {},
        quote! {
            pub async fn relay(bank: State<Bank>, _ctx: &mut EntityContext) -> Result<Value> {}
        },
    );
    has(&text, quote! { pub struct relay {} });
    has(&text, quote! { impl ::root::__private::Entity for relay });
    has(&text, quote! { operations: &[] });
    has(
        &text,
        quote! { relay(__durable_0, &mut __durable_context).await },
    );
    has(
        &text,
        quote! { ::root::__private::finish_result(__durable_output) },
    );
    assert!(!text.contains("compile_error"));
}

#[test]
fn an_item_is_a_block_a_function_or_neither() {
    for (item, fits) in [
        (quote! { impl A { pub fn a(&self) {} } }, true),
        (
            quote! { #[cfg(x)] #[allow(y)] impl A { pub fn a(&self) {} } },
            true,
        ),
        (quote! { pub(crate) fn a(ctx: &mut EntityContext) {} }, true),
        (quote! { pub struct A { a: fn(u8) } }, false),
        (quote! { static A: i64 = 1; }, false),
        (quote! {}, false),
    ] {
        let text = expanded(quote! {}, item.clone());
        assert_eq!(!text.contains("compile_error"), fits, "{item}: {text}");
    }
}
