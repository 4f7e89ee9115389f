//! Sub-orchestrations: a parent that runs one child per device, side by side, and counts on what each returns.
//!
//! ```console
//! $ cargo run --example sub_orchestrations
//! $ curl -X POST http://127.0.0.1:7071/api/start_provisioning -d '["lamp", "lock"]'
//! $ curl "<statusQueryGetUri of the answer>"
//! {"name":"provision_all", .. "runtimeStatus":"Completed", .. "output":["lamp is ready","lock is ready"], ..}
//! ```

use durable_functions::prelude::*;

#[activity_trigger]
async fn install(device: String) -> String {
    device
}

#[activity_trigger]
async fn test_run(device: String) -> String {
    format!("{device} is ready")
}

#[orchestration_trigger]
async fn provision(ctx: OrchestrationContext, device: String) -> Result<String> {
    let installed = ctx.call_activity::<install>(device).await?;
    Ok(ctx.call_activity::<test_run>(installed).await?)
}

#[orchestration_trigger]
pub(crate) async fn provision_all(
    ctx: OrchestrationContext,
    devices: Vec<String>,
) -> Result<Vec<String>> {
    let children = devices.into_iter().map(|device| {
        // An id of one's own, so that each child is found by its device.
        let id = format!("{}-{device}", ctx.instance_id());
        ctx.call_sub_orchestrator::<provision>(device)
            .with_instance_id(id)
    });
    Ok(ctx.when_all(children).await?)
}

#[http_trigger(auth = "anonymous", methods = ["post"])]
async fn start_provisioning(
    req: HttpRequest,
    devices: Json<Vec<String>>,
    #[durable_client] client: DurableClient,
) -> Result<HttpResponse> {
    let id = client
        .start_new::<provision_all>(devices.into_inner())
        .await?;
    Ok(client.create_check_status_response(&req, &id))
}

durable_functions::main!();
