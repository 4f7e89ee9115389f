//! One request with a key through the service: routed, authorised, executed, answered. No socket, no parsing, no writing.

use actix_web::App;
use actix_web::dev::Service as _;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service};
use anyhow::ensure;
use durable_functions::prelude::*;
use futures::FutureExt as _;

use crate::counted::counted;
use crate::key;

const REQUESTS: usize = 1000;

#[http_trigger(auth = "function", methods = ["get"], route = "guarded")]
async fn guarded() -> HttpResponse {
    HttpResponse::Ok().body("Hello!")
}

pub(crate) fn walk() -> anyhow::Result<usize> {
    let folder = tempfile::tempdir()?;
    let key = key::at("/functions/guarded/default", folder.path())?;
    actix_web::rt::System::new().block_on(async {
        let host = Host::new().with_script_root(folder.path()).without_http();
        let host = host.start().await.map_err(anyhow::Error::msg)?;
        let service = init_service(App::new().configure(host.service())).await;
        let request = |key: &str| {
            let request = TestRequest::get().uri("/api/guarded");
            request.insert_header(("x-functions-key", key)).to_request()
        };
        // Nothing in it waits for anything.
        let status = |request| {
            let response = service.call(request).now_or_never()?.ok()?;
            Some(response.status())
        };
        ensure!(status(request("another")) == Some(StatusCode::UNAUTHORIZED));
        ensure!(status(request(&key)) == Some(StatusCode::OK));
        let requests = (0..REQUESTS).map(|_| request(&key)).collect();
        let mut answered = 0;
        counted(requests, |request| {
            answered += usize::from(status(request) == Some(StatusCode::OK));
        });
        ensure!(
            answered == REQUESTS,
            "{answered} of {REQUESTS} were answered"
        );
        host.shutdown().await.map_err(anyhow::Error::msg)?;
        Ok(answered)
    })
}
