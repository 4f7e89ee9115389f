//! The server that the children have work done by: it outlives them, and answers 202 until the work is done.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, mpsc};

use durable_functions::actix_web::http::Method;
use durable_functions::actix_web::web::{Data, Path};
use durable_functions::actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, rt, web,
};

/// What arrived.
#[derive(Default)]
pub(crate) struct Seen {
    /// Every `Idempotency-Key`.
    pub(crate) keys: BTreeSet<String>,
    /// How many requests, polls included.
    pub(crate) requests: u64,
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
    handle: ServerHandle,
}

impl Server {
    pub(crate) fn start() -> Self {
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Data::from(Arc::clone(&seen));
        let (started, is_started) = mpsc::channel();
        std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let jobs = move || {
                    let app = App::new().app_data(shared.clone());
                    app.route("/jobs/{left}/{value}", web::to(answer))
                };
                let server = HttpServer::new(jobs).workers(1).disable_signals();
                let server = server.bind("127.0.0.1:0").unwrap();
                let url = format!("http://{}", server.addrs()[0]);
                let server = server.run();
                started.send((url, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (url, handle) = is_started.recv().unwrap();
        Self { url, seen, handle }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(
    request: HttpRequest,
    path: Path<(u64, u64)>,
    seen: Data<Mutex<Seen>>,
) -> HttpResponse {
    let (left, value) = path.into_inner();
    let mut seen = seen.lock().unwrap();
    seen.requests += 1;
    if request.method() == Method::POST {
        let key = request.headers().get("idempotency-key").unwrap();
        seen.keys.insert(key.to_str().unwrap().to_owned());
    }
    drop(seen);
    match left {
        0 => HttpResponse::Ok().json(value),
        _ => HttpResponse::Accepted()
            .insert_header(("Location", format!("/jobs/{}/{value}", left - 1)))
            .insert_header(("Retry-After", "0"))
            .finish(),
    }
}
