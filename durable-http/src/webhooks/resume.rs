//! `POST /instances/{id}/resume`: lets a suspended instance go on.

use actix_web::HttpResponse;
use durable_runtime::ClientError;
use durable_runtime::client::Control;

use super::{Call, control};

pub(super) async fn resume(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let reason = call.reason();
    control::tell(call, id, Control::Resume { reason }).await
}
