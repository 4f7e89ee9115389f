//! `POST /instances/{id}/terminate`: ends an instance, with `recursive=true` its children too.

use actix_web::HttpResponse;
use durable_runtime::ClientError;
use durable_runtime::client::Control;

use super::{Call, control};

pub(super) async fn terminate(call: &Call<'_>, id: &str) -> Result<HttpResponse, ClientError> {
    let reason = call.reason();
    let recursive = call.query.flag("recursive") == Some(true);
    control::tell(call, id, Control::Terminate { reason, recursive }).await
}
