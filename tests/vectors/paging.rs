//! Pages of instances, while instances come and go.

use std::collections::BTreeSet;

use durable_functions::reqwest::header::HeaderMap;
use serde_json::Value;

use crate::host::Fixture;

const BASE: &str = "/runtime/webhooks/durabletask";
const TOKEN: &str = "x-ms-continuation-token";

async fn page(fixture: &Fixture, query: &str, token: &str) -> (Vec<String>, String) {
    let url = format!("{}{BASE}/instances?code=sk-dt&{query}", fixture.base());
    let mut headers = HeaderMap::new();
    if !token.is_empty() {
        headers.insert(TOKEN, token.parse().unwrap());
    }
    let answer = fixture.http.get(url).headers(headers).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let next = answer.headers().get(TOKEN);
    let next = next.map_or("", |token| token.to_str().unwrap()).to_owned();
    let list: Vec<Value> = answer.json().await.unwrap();
    let ids = list
        .iter()
        .map(|one| one["instanceId"].as_str().unwrap().to_owned());
    (ids.collect(), next)
}

async fn start(fixture: &Fixture, id: &str) {
    let path = format!(
        "{BASE}/orchestrators/EchoOrchestrator/{id}?timeout=60&pollingInterval=1&code=sk-dt"
    );
    let answer = fixture.http.post(fixture.base() + &path).body("1").send();
    assert_eq!(answer.await.unwrap().status(), 200, "{id}");
}

async fn purge(fixture: &Fixture, id: &str) {
    let path = format!("{BASE}/instances/{id}?code=sk-dt");
    let answer = fixture.http.delete(fixture.base() + &path).send();
    assert_eq!(answer.await.unwrap().status(), 200, "{id}");
}

#[tokio::test]
async fn vector_67_every_instance_that_stays_is_on_exactly_one_page() {
    let fixture = Fixture::start(&[]).await;
    for (round, query) in [
        "top=3",
        "top=3&instanceIdPrefix=p",
        "top=3&runtimeStatus=Completed",
    ]
    .into_iter()
    .enumerate()
    {
        let ids: Vec<String> = (0..8).map(|index| format!("p{round}-{index}")).collect();
        for id in &ids {
            start(&fixture, id).await;
        }
        let (mut seen, mut token) = page(&fixture, query, "").await;
        // One that was on a page, one that is yet to come, and a new one.
        purge(&fixture, &ids[1]).await;
        purge(&fixture, &ids[5]).await;
        start(&fixture, &format!("p{round}-new")).await;
        let mut pages = 1;
        while !token.is_empty() {
            let (more, next) = page(&fixture, query, &token).await;
            assert!((1..=3).contains(&more.len()), "{more:?}");
            seen.extend(more);
            token = next;
            pages += 1;
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{query}: {seen:?}");
        for (index, id) in ids.iter().enumerate() {
            assert!(matches!(index, 1 | 5) || once.contains(id), "{query}: {id}");
        }
        assert!(pages >= 3, "{query}");
        for id in once {
            // The first page may show one that is gone by now.
            if *id != ids[1] {
                purge(&fixture, id).await;
            }
        }
    }
    fixture.stop().await;
}
