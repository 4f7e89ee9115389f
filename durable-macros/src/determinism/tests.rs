use quote::quote;

use super::*;

fn rewritten(tokens: TokenStream) -> (String, Vec<String>) {
    let mut diagnostics = Diagnostics::default();
    let body = rewrite(&Group::new(Delimiter::Brace, tokens), &mut diagnostics);
    (body.tokens.to_string(), diagnostics.messages())
}

#[track_caller]
fn becomes(before: TokenStream, after: TokenStream) {
    let (text, messages) = rewritten(before);
    assert_eq!(messages, [""; 0]);
    assert_eq!(text, Group::new(Delimiter::Brace, after).to_string());
}

#[track_caller]
fn stays(tokens: TokenStream) {
    becomes(tokens.clone(), tokens);
}

#[track_caller]
fn refused(tokens: TokenStream, path: &str, replacement: &str) {
    let (_, messages) = rewritten(tokens);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with(&format!("`{path}")), "{messages:?}");
    assert!(messages[0].contains(replacement), "{messages:?}");
}

#[test]
fn random_choice_becomes_ordered() {
    becomes(
        quote! { tokio::select! { a = b => c } },
        quote! { tokio::select! { biased; a = b => c } },
    );
    becomes(
        quote! { ::tokio::select!(a = b => c,) },
        quote! { ::tokio::select!(biased; a = b => c,) },
    );
    becomes(
        quote! { futures::select! { a = b => c } },
        quote! { futures::select_biased! { a = b => c } },
    );
    becomes(
        quote! { durable_functions::futures::select! { a = b => c } },
        quote! { durable_functions::futures::select_biased! { a = b => c } },
    );
    becomes(
        quote! { futures_util::select! { a = b => c } },
        quote! { futures_util::select_biased! { a = b => c } },
    );
}

#[test]
fn choice_inside_other_macros_and_choices_is_reached() {
    becomes(
        quote! { vec![tokio::select! { a = b => { futures::select! { c = d => e } } }] },
        quote! {
            vec![tokio::select! { biased; a = b => { futures::select_biased! { c = d => e } } }]
        },
    );
}

#[test]
fn ordered_choice_stays() {
    stays(quote! { tokio::select! { biased; a = b => c } });
    stays(quote! { futures::select_biased! { a = b => c } });
    stays(quote! { select(a, b).await; futures::future::select(a, b).await });
    stays(quote! { tokio::join!(a, b); tokio::try_join!(a, b)? });
}

#[test]
fn choice_of_unknown_origin_is_refused() {
    refused(
        quote! { select! { a = b => c } },
        "select!",
        "`tokio::select!`",
    );
    refused(
        quote! { t::select! { a = b => c } },
        "t::select!",
        "`tokio::select!`",
    );
    refused(
        quote! { pick! { Some(a) = b() => c, else => d } },
        "pick!",
        "`tokio::select!`",
    );
}

#[test]
fn macros_that_are_no_choice_stay() {
    stays(quote! { map! { "a" => 1, "b" => 2 }; matches!(a, A { b: 1 }); check!(a == b); });
    stays(quote! { m! { let a = 1; match a { _ => 2 } }; m!(a >= b => c); m!(a == b => c) });
    stays(quote! { assert!(a != b, "{a}"); vec![1; 2] });
}

#[test]
fn forbidden_paths_are_found() {
    refused(
        quote! { tokio::time::sleep(d).await },
        "tokio::time::sleep",
        "ctx.create_timer",
    );
    refused(
        quote! { ::tokio::time::sleep(d) },
        "::tokio::time::sleep",
        "ctx.create_timer",
    );
    refused(
        quote! { time::timeout(d, f) },
        "time::timeout",
        "with_timeout",
    );
    refused(
        quote! { 0..Utc::now() },
        "Utc::now",
        "ctx.current_utc_datetime",
    );
    refused(
        quote! { a.map(Utc::now) },
        "Utc::now",
        "ctx.current_utc_datetime",
    );
    refused(
        quote! { println!("{}", [Uuid::new_v4()]) },
        "Uuid::new_v4",
        "ctx.new_guid",
    );
    refused(
        quote! { rand::random::<u8>() },
        "rand::random",
        "ctx.new_guid",
    );
    refused(quote! { thread_rng() }, "thread_rng", "ctx.new_guid");
    refused(
        quote! { reqwest::Client::new() },
        "reqwest::Client::new",
        "ctx.call_http",
    );
    refused(quote! { std::fs::read(p) }, "std::fs::read", "an activity");
    refused(quote! { env::var("A") }, "env::var", "an activity");
    refused(
        quote! { tokio::spawn(f) },
        "tokio::spawn",
        "ctx.call_activity",
    );
    refused(
        quote! { fastrand::u32(..) },
        "fastrand::u32",
        "ctx.new_guid",
    );
}

#[test]
fn what_only_looks_like_it_stays() {
    stays(quote! { my::Utc::now_local(); Utc::from_now(); now(); sleep(d).await });
    stays(quote! { ctx.time::<u8>(); a.Utc::now; self.thread_rng(); thread_rng });
    stays(quote! { fn thread_rng() {} let x: DateTime<Utc> = y; });
    stays(quote! { fastrand::Rng::with_seed(1); Vec::<Utc>::now; use rand::{Rng, seq}; });
    stays(quote! { time::sleeper(); Time::sleep(); chrono::Duration::hours(1); });
}

#[test]
fn every_entry_of_the_table_is_found() {
    for (paths, replacement) in FORBIDDEN {
        for path in *paths {
            let path = path.join("::").replace('*', "u8");
            let tokens: TokenStream = format!("{path}(1)").parse().unwrap_or_default();
            refused(tokens, &path, replacement);
        }
    }
}

#[test]
fn the_attribute_lifts_one_statement() {
    let now = quote! { Utc::now() };
    becomes(
        quote! { #[allow_nondeterminism] let a = #now; let b = 1; },
        quote! { let a = #now; let b = 1; },
    );
    becomes(
        quote! { #[durable_functions::allow_nondeterminism] #now },
        quote! { #now },
    );
    becomes(
        quote! { #[allow(unused)] #[allow_nondeterminism] #[cfg(x)] let a = { #now; #now }; },
        quote! { #[allow(unused)] #[cfg(x)] let a = { #now; #now }; },
    );
    becomes(
        quote! { match a { #[allow_nondeterminism] B => #now, c => d } },
        quote! { match a { B => #now, c => d } },
    );
    refused(
        quote! { #[allow_nondeterminism] let a = #now; let b = #now; },
        "Utc::now",
        "ctx",
    );
    refused(
        quote! { #[allow_nondeterminism] if x { #now; } let b = #now; },
        "Utc::now",
        "ctx",
    );
    refused(
        quote! { f(#[allow_nondeterminism] #now, #now) },
        "Utc::now",
        "ctx",
    );
    refused(
        quote! { { #[allow_nondeterminism] #now } #now },
        "Utc::now",
        "ctx",
    );
}

#[test]
fn a_lifted_choice_is_still_ordered() {
    becomes(
        quote! { #[allow_nondeterminism] tokio::select! { a = b => c }; },
        quote! { tokio::select! { biased; a = b => c }; },
    );
    becomes(
        quote! { #[allow_nondeterminism] select! { a = b => c }; },
        quote! { select! { a = b => c }; },
    );
}

#[test]
fn an_untouched_body_keeps_its_tokens() {
    stays(quote! { let a: Vec<Vec<u8>> = b::<c>::d(|x| -> e { x }); a..=b; 'l: loop {} });
}

/// The second net must not have a hole where the first one has none.
#[test]
fn the_shipped_clippy_list_names_what_the_attribute_refuses() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/clippy.toml");
    let Ok(list) = std::fs::read_to_string(path) else {
        return; // A package has no `docs/` beside it.
    };
    // Types, and methods of traits or of the future, which `disallowed-methods` cannot name.
    let others = ["OsRng", "ThreadRng", "StdRng", "SmallRng", "rngs"];
    let later = ["sleep_ms", "sleep_until"];
    let mut missing = Vec::new();
    for (paths, _) in FORBIDDEN {
        for path in *paths {
            let [.., parent, last] = path else { continue };
            let named = match *last {
                "*" => format!("\"{parent}::"),
                "Client" | "ClientBuilder" | "Command" => format!("{last}::new\""),
                _ => format!("{parent}::{last}\""),
            };
            let named_elsewhere =
                others.contains(parent) || *parent == "thread" && later.contains(last);
            if !named_elsewhere && !list.contains(&named) {
                missing.push(path.join("::"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
