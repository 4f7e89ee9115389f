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
fn a_timer_function_is_data_and_one_call() {
    let text = expanded(
        quote! { name = "Nightly", schedule = "%NIGHTLY%", run_on_startup },
        quote! {
            async fn nightly(
                _timer: TimerInfo,
                bank: State<Bank>,
                #[durable_client(connection = "Other")] client: DurableClient,
            ) -> Result<()> { Ok(()) }
        },
    );
    has(&text, quote! { name: "Nightly" });
    has(
        &text,
        quote! { schedule: "%NIGHTLY%", run_on_startup: true, states: &[::root::__private::StateSpec::of::<Bank>()] },
    );
    has(&text, quote! { .info() });
    has(&text, quote! { .state::<Bank>() });
    has(
        &text,
        quote! { .client(::core::option::Option::None, ::core::option::Option::Some("Other")) },
    );
    has(&text, quote! { ::root::__private::TimerRun::Async });
    has(
        &text,
        quote! { ::root::__private::finish_unit(__durable_output) },
    );
    assert!(
        !text.contains("struct") && !text.contains("compile_error"),
        "{text}"
    );
}

#[test]
fn it_may_take_nothing_and_give_nothing() {
    for output in [quote! {}, quote! { -> () }] {
        let text = expanded(
            quote! { schedule = "0 0 * * * *" },
            quote! { fn hourly() #output {} },
        );
        has(&text, quote! { name: "hourly" });
        has(&text, quote! { run_on_startup: false });
        has(&text, quote! { ::root::__private::TimerRun::Blocking });
        has(&text, quote! { let () = hourly(); });
        assert!(!text.contains("compile_error"), "{text}");
    }
}

#[test]
fn starting_up_may_be_said_in_three_ways() {
    for (flag, expected) in [
        (quote! { run_on_startup }, "run_on_startup:true"),
        (quote! { run_on_startup = true }, "run_on_startup:true"),
        (quote! { run_on_startup = false }, "run_on_startup:false"),
    ] {
        let text = expanded(
            quote! { schedule = "* * * * *", #flag },
            quote! { fn f() {} },
        );
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn results_of_any_name_and_error_are_taken() {
    for output in [
        quote! { Result<()> },
        quote! { std::result::Result<(), E> },
        quote! { io::Result<()> },
        quote! { app::Result },
    ] {
        let text = expanded(
            quote! { schedule = "* * * * *" },
            quote! { fn f() -> #output { g() } },
        );
        assert!(
            text.contains("finish_unit") && !text.contains("compile_error"),
            "{text}"
        );
    }
}

#[test]
fn schedules_in_settings_are_left_to_the_start() {
    for (schedule, is_fine) in [
        ("%A%", true),
        ("0 %MINUTE% * * * *", true),
        ("%A% %B%", true),
        ("%A", false),
        ("%A% 5%", false),
        ("%%", false),
        ("0 60 * * * *", false),
    ] {
        let text = expanded(quote! { schedule = #schedule }, quote! { fn f() {} });
        assert_eq!(!text.contains("compile_error"), is_fine, "{schedule}");
    }
}

#[test]
fn a_function_in_error_stays_and_is_not_registered() {
    let text = expanded(quote! {}, quote! { async fn f(input: String) -> u32 { 1 } });
    assert_eq!(text.matches("compile_error").count(), 3, "{text}");
    has(&text, quote! { async fn f(input: String) -> u32 { 1 } });
    assert!(!text.contains("submit"));
}

#[test]
fn fragments_of_macro_rules_are_seen_through() {
    use proc_macro2::{Delimiter, Group};
    let hidden = |tokens| Group::new(Delimiter::None, tokens);
    let (schedule, on) = (hidden(quote! { "0 0 * * * *" }), hidden(quote! { true }));
    let (ty, output) = (hidden(quote! { TimerInfo }), hidden(quote! { Result<()> }));
    let text = expanded(
        quote! { schedule = #schedule, run_on_startup = #on },
        quote! { async fn f(timer: #ty) -> #output {} },
    );
    assert!(!text.contains("compile_error"), "{text}");
    has(&text, quote! { run_on_startup: true });
}
