//! The server that the children have work done by: it outlives them, and answers 202 until the work is done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};

use durable_functions::actix_web::http::Method;
use durable_functions::actix_web::web::{Data, Path};
use durable_functions::actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, rt, web,
};

/// How often each `Idempotency-Key` arrived.
type Keys = Mutex<BTreeMap<String, usize>>;

pub(crate) struct Server {
    pub(crate) url: String,
    keys: Arc<Keys>,
    handle: ServerHandle,
}

impl Server {
    pub(crate) fn start() -> Self {
        let keys = Arc::<Keys>::default();
        let shared = Data::from(Arc::clone(&keys));
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
        Self { url, keys, handle }
    }

    pub(crate) fn keys(&self) -> BTreeMap<String, usize> {
        self.keys.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, path: Path<(u64, u64)>, keys: Data<Keys>) -> HttpResponse {
    let (left, value) = path.into_inner();
    if request.method() == Method::POST {
        let key = request.headers().get("idempotency-key").unwrap();
        let key = key.to_str().unwrap();
        *keys.lock().unwrap().entry(key.to_owned()).or_default() += 1;
    }
    match left {
        0 => HttpResponse::Ok().json(value),
        _ => HttpResponse::Accepted()
            .insert_header(("Location", format!("/jobs/{}/{value}", left - 1)))
            .insert_header(("Retry-After", "0"))
            .finish(),
    }
}
