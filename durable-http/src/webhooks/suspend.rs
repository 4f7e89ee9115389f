//! `POST /instances/{id}/suspend`: halts an instance.

use actix_web::HttpResponse;
use durable_runtime::ClientError;
use durable_runtime::client::Control;

use super::{Call, control};

pub(super) async fn suspend(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let reason = call.reason();
    control::tell(call, id, Control::Suspend { reason }).await
}
