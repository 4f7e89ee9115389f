//! `/makeprimary`: a host that owns its hub alone is what the caller wants it to be.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::answer;

pub(super) fn make_primary() -> HttpResponse {
    answer::empty(StatusCode::OK)
}
