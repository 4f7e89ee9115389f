//! The 202 loop (vectors 75, 77 to 79).

use durable_functions::prelude::*;

use crate::host::Caller;
use crate::server::{Seen, Server};

fn kinds(history: &[Value]) -> Vec<&str> {
    history
        .iter()
        .map(|row| row["EventType"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_is_polled_until_it_is_done() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    let request = DurableHttpRequest::post(server.url("/job/1")).with_text("x");
    let (id, outcome) = caller.called(request).await;
    assert_eq!(outcome.answer().content, "done");
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
    let round = ["TaskCompleted", "TimerCreated", "TimerFired"];
    let expected = [
        &["ExecutionStarted"][..],
        &round,
        &round,
        &["TaskCompleted", "ExecutionCompleted"],
    ]
    .concat();
    assert_eq!(kinds(&caller.history(&id).await), expected);
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn location_is_seen_from_the_last_redirect() {
    let (caller, here, there) = (
        Caller::start().await,
        Server::start().await,
        Server::start().await,
    );
    let to = there.url("/accepted?to=ok");
    let url = here.url(&format!("/redirect/307?to={}", escaped(&to)));
    let answer = caller.call(DurableHttpRequest::get(url)).await.answer();
    assert_eq!(answer.content, "fine");
    assert_eq!(
        (here.paths(), there.paths()),
        (
            vec!["/redirect/307".into()],
            vec!["/accepted".into(), "/ok".into()]
        )
    );
    caller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_is_the_answer_when_there_is_nothing_to_poll() {
    let (caller, server) = (Caller::start().await, Server::start().await);
    for request in [
        DurableHttpRequest::get(server.url("/accepted")),
        DurableHttpRequest::get(server.url("/accepted?to=file:///etc/passwd")),
        DurableHttpRequest::get(server.url("/accepted?to=ftp://h/")),
        DurableHttpRequest::get(server.url("/accepted?to=http://")),
        DurableHttpRequest::get(server.url("/accepted?to=/ok")).without_polling(),
    ] {
        let answer = caller.call(request).await.answer();
        assert_eq!((answer.status, answer.content.as_str()), (202, "working"));
    }
    assert_eq!(server.seen().len(), 5);
    caller.stop().await;
}

fn credentials(seen: &Seen) -> Vec<&str> {
    let names = [
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-functions-key",
        "content-type",
        "x-own",
    ];
    names
        .into_iter()
        .filter(|name| seen.header(name).is_some())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_stay_with_the_origin_over_polls_and_redirects() {
    let (caller, home, away) = (
        Caller::start().await,
        Server::start().await,
        Server::start().await,
    );
    let request = |url: String| {
        DurableHttpRequest::post(url)
            .with_header("Authorization", "1")
            .with_header("Cookie", "2")
            .with_header("Proxy-Authorization", "3")
            .with_header("x-functions-key", "4")
            .with_header("x-own", "5")
            .with_text("body")
    };
    // Home, polled at home, polled away, redirected there to itself, polled at home once more.
    let last = home.url("/ok");
    let third = away.url(&format!("/accepted?to={}", escaped(&last)));
    let second = away.url(&format!("/redirect/302?to={}", escaped(&third)));
    let first = home.url(&format!("/accepted?to={}", escaped(&second)));
    caller
        .call(request(
            home.url(&format!("/accepted?to={}", escaped(&first))),
        ))
        .await
        .answer();
    let at_home: Vec<Vec<String>> = home
        .seen()
        .iter()
        .map(|seen| owned(credentials(seen)))
        .collect();
    let kept = owned(vec![
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-own",
    ]);
    let all = owned(vec![
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-functions-key",
        "content-type",
        "x-own",
    ]);
    assert_eq!(at_home, [all, kept.clone(), kept]);
    let abroad: Vec<Vec<String>> = away
        .seen()
        .iter()
        .map(|seen| owned(credentials(seen)))
        .collect();
    assert_eq!(abroad, [owned(vec!["x-own"]), owned(vec!["x-own"])]);

    // A redirect away and back, without polls.
    let back = away.url(&format!("/redirect/307?to={}", escaped(&home.url("/ok"))));
    caller
        .call(request(
            home.url(&format!("/redirect/307?to={}", escaped(&back))),
        ))
        .await
        .answer();
    let (home, away) = (home.seen(), away.seen());
    assert_eq!(credentials(home.last().unwrap()).len(), 6);
    assert_eq!(credentials(away.last().unwrap()), ["content-type", "x-own"]);
    assert_eq!(home.last().unwrap().body, "body");
    caller.stop().await;
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

pub fn escaped(url: &str) -> String {
    durable_functions::url::form_urlencoded::byte_serialize(url.as_bytes()).collect()
}
