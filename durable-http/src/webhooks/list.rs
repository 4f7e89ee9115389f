//! `GET /instances`: a page of instances that a filter lets through.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use durable_runtime::ClientError;
use durable_runtime::model::Timestamp;
use durable_runtime::store::{Cursor, InstanceRecord, ListQuery};
use serde::{Deserialize, Serialize};

use super::query::StatusFilter;
use super::status_object::StatusObject;
use super::{Call, answer};

pub(super) const CONTINUATION: HeaderName = HeaderName::from_static("x-ms-continuation-token");

const PAGE: i32 = 100;
/// However many are asked for: a page is held in memory.
const LARGEST_PAGE: usize = 10_000;

pub(super) async fn list(call: &Call<'_>) -> Result<HttpResponse, ClientError> {
    let query = call.query;
    let StatusFilter::Any(statuses) = query.statuses("runtimeStatus") else {
        return Ok(answer::bad_argument(
            "'Unknown' is no status of an instance",
        ));
    };
    let page = match usize::try_from(query.int("top").unwrap_or(PAGE)) {
        Ok(page @ 1..) => page.min(LARGEST_PAGE),
        _ => return Ok(answer::bad_argument("'top' must be greater than zero")),
    };
    let token = call
        .header(CONTINUATION.as_str())
        .filter(|token| !token.is_empty());
    let after = match token.map(read) {
        None => None,
        Some(Some(cursor)) => Some(cursor),
        Some(None) => {
            return Ok(answer::wrong(
                "the continuation token is not one of this host's",
            ));
        }
    };
    let input = query.flag("showInput").unwrap_or(true);
    let filter = ListQuery {
        statuses,
        created_from: query.time("createdTimeFrom"),
        created_to: query.time("createdTimeTo"),
        id_prefix: query
            .get("instanceIdPrefix")
            .filter(|prefix| !prefix.is_empty())
            .map(Into::into),
        entities: true,
        // One more, to know whether there is a next page.
        limit: page + 1,
        after,
        input,
        ..ListQuery::default()
    };
    let found = call.client.records(filter).await?;
    let shown = found.get(..page).unwrap_or(&found);
    let objects: Vec<_> = shown
        .iter()
        .map(|record| StatusObject::of(record, input))
        .collect();
    let mut response = answer::json(StatusCode::OK, &objects);
    if let Some(last) = shown.last().filter(|_| found.len() > page)
        && let Ok(token) = HeaderValue::try_from(token_after(last))
    {
        response.headers_mut().insert(CONTINUATION, token);
    }
    Ok(response)
}

/// What a token holds: the last row of its page. Filters are not in it.
#[derive(Serialize, Deserialize)]
struct Token {
    created: i64,
    id: String,
}

fn token_after(last: &InstanceRecord) -> String {
    let token = Token {
        created: last.created.micros(),
        id: last.id.to_string(),
    };
    STANDARD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

pub(super) fn read(token: &str) -> Option<Cursor> {
    let bytes = STANDARD.decode(token).ok()?;
    let Token { created, id } = serde_json::from_slice(&bytes).ok()?;
    let created = Timestamp::from_micros(created);
    Some(Cursor { created, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_tokens_are_read() {
        let text = STANDARD.encode(r#"{"created":5,"id":"ä"}"#);
        let cursor = read(&text).unwrap();
        assert_eq!((cursor.created.micros(), &*cursor.id), (5, "ä"));
        for other in ["XXXX", "", "%%%", &STANDARD.encode("{}")] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
