//! A server on a raw socket, so that it can do what no library would.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use durable_functions::url::Url;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::host::TOKEN;

/// What requests come over.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// What arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    counts: Mutex<HashMap<String, u32>>,
    in_hand: AtomicUsize,
    peak: AtomicUsize,
    accepted: AtomicUsize,
}

/// Serves until it is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(None).await
    }

    /// Over TLS.
    pub async fn secure(tls: TlsAcceptor) -> Self {
        Self::with(Some(tls)).await
    }

    async fn with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let of_task = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&of_task);
                shared.accepted.fetch_add(1, Ordering::SeqCst);
                let tls = tls.clone();
                connections.spawn(async move {
                    match tls {
                        None => connection(stream, &shared).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                connection(stream, &shared).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            shared,
            address,
            task,
        }
    }

    /// The URL of a path here.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }

    /// Slow requests in hand at one time at most, and connections in all.
    pub fn load(&self) -> (usize, usize) {
        (
            self.shared.peak.load(Ordering::SeqCst),
            self.shared.accepted.load(Ordering::SeqCst),
        )
    }
}

async fn connection(mut stream: impl Stream, shared: &Shared) {
    let mut buffer = Vec::new();
    while let Some(request) = read(&mut stream, &mut buffer).await {
        shared.seen.lock().unwrap().push(request.clone());
        if !answer(&mut stream, &request, shared).await {
            return;
        }
    }
}

/// One request; `None` when there are no more.
async fn read(stream: &mut impl Stream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if buffer.first() == Some(&0x16) {
            // Somebody wants TLS.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return None;
        }
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        let count = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        buffer.extend_from_slice(&chunk[..count]);
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect()).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let url = Url::parse("http://h").unwrap().join(target).unwrap();
    let mut seen = Seen {
        method: method.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::new(),
    };
    let length: usize = seen
        .header("content-length")
        .map_or(0, |n| n.parse().unwrap());
    while buffer.len() < length {
        let mut chunk = [0; 4096];
        let count = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        buffer.extend_from_slice(&chunk[..count]);
    }
    seen.body = String::from_utf8(buffer.drain(..length).collect()).unwrap();
    Some(seen)
}

async fn respond(
    stream: &mut impl Stream,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
) -> bool {
    let mut head = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = stream.write_all(&[head.as_bytes(), body].concat()).await;
    sent.is_ok()
}

/// `zipped`, compressed.
const GZIP: [u8; 26] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 202, 44, 40, 72, 77, 1, 0, 87, 104, 194, 226, 6, 0, 0, 0,
];

/// Answers; `false`: the connection ends.
async fn answer(stream: &mut impl Stream, seen: &Seen, shared: &Shared) -> bool {
    let query = |name: &str| seen.query.get(name).map(String::as_str);
    let path: Vec<&str> = seen.path.trim_start_matches('/').split('/').collect();
    match path[..] {
        ["ok"] => {
            respond(
                stream,
                200,
                &[
                    ("X-Many", "1"),
                    ("x-many", "2"),
                    ("Content-Type", "text/plain"),
                ],
                b"fine",
            )
            .await
        }
        ["echo"] => {
            let body = json!({ "method": seen.method, "headers": seen.headers, "body": seen.body });
            respond(
                stream,
                200,
                &[("content-type", "application/json")],
                body.to_string().as_bytes(),
            )
            .await
        }
        ["status", code] => respond(stream, code.parse().unwrap(), &[], b"").await,
        ["head"] => {
            // The length of what a GET would get.
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                .await;
            true
        }
        ["slow", millis] => {
            let in_hand = shared.in_hand.fetch_add(1, Ordering::SeqCst) + 1;
            shared.peak.fetch_max(in_hand, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap())).await;
            shared.in_hand.fetch_sub(1, Ordering::SeqCst);
            respond(stream, 200, &[], b"late").await
        }
        ["never"] => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]).await;
            false
        }
        ["drip"] => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
                .await;
            let _ = stream.read(&mut [0; 1]).await;
            false
        }
        ["reset"] => false,
        ["half"] => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                .await;
            false
        }
        ["half-chunk"] => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal")
                .await;
            false
        }
        ["too-long"] => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine and more")
                .await;
            false
        }
        ["garbage"] => {
            let _ = stream.write_all(b"HELLO CLIENT\r\n\r\n").await;
            false
        }
        ["endless"] => {
            let mut sent = stream
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await;
            let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
            while sent.is_ok() {
                sent = stream.write_all(&chunk).await;
            }
            false
        }
        ["announced"] => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
                .await;
            let _ = stream.read(&mut [0; 1]).await;
            false
        }
        ["gzip"] => respond(stream, 200, &[("Content-Encoding", "gzip")], &GZIP).await,
        ["no-gzip"] => respond(stream, 200, &[("Content-Encoding", "gzip")], b"plain").await,
        ["binary"] => {
            respond(
                stream,
                200,
                &[("Content-Type", "image/png")],
                &[0x89, b'P', 0xff, 0],
            )
            .await
        }
        ["latin"] => {
            respond(
                stream,
                200,
                &[("Content-Type", "text/plain; charset=latin1")],
                b"caf\xe9",
            )
            .await
        }
        ["redirect", code] => {
            respond(
                stream,
                code.parse().unwrap(),
                &[("Location", query("to").unwrap())],
                b"elsewhere",
            )
            .await
        }
        ["loop"] => respond(stream, 302, &[("Location", "/loop")], b"").await,
        ["accepted"] => {
            let mut headers = vec![("Retry-After", query("after").unwrap_or("0"))];
            headers.extend(query("to").map(|to| ("Location", to)));
            respond(stream, 202, &headers, b"working").await
        }
        ["job", id] => {
            let count = count(shared, id);
            let location = format!("/job/{id}");
            match count {
                1 | 2 => {
                    respond(
                        stream,
                        202,
                        &[("Location", &location), ("Retry-After", "0")],
                        b"",
                    )
                    .await
                }
                _ => respond(stream, 200, &[], b"done").await,
            }
        }
        ["flaky", id, fails] => {
            let fails: u32 = fails.parse().unwrap();
            let status = if count(shared, id) > fails { 200 } else { 503 };
            respond(stream, status, &[], b"").await
        }
        ["only", number] => {
            let bearer = seen.header("authorization").unwrap_or_default();
            let fits = bearer.ends_with(&format!("{TOKEN}-{number}"));
            respond(stream, if fits { 200 } else { 401 }, &[], b"").await
        }
        ["identity"] | ["metadata", "identity", "oauth2", "token"] => {
            identity(stream, seen, shared).await
        }
        [tenant, "oauth2", "v2.0", "token"] => {
            let body = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": format!("{tenant}-wl-{TOKEN}") });
            respond(stream, 200, &[], body.to_string().as_bytes()).await
        }
        _ => respond(stream, 404, &[], b"no such script").await,
    }
}

fn count(shared: &Shared, key: &str) -> u32 {
    let mut counts = shared.counts.lock().unwrap();
    let count = counts.entry(key.to_owned()).or_default();
    *count += 1;
    *count
}

/// As App Service and the metadata service of a machine do it: a new token each time.
async fn identity(stream: &mut impl Stream, seen: &Seen, shared: &Shared) -> bool {
    let is_machine = seen.path.starts_with("/metadata");
    let (version, allowed) = if is_machine {
        ("2018-02-01", seen.header("metadata") == Some("true"))
    } else {
        (
            "2019-08-01",
            seen.header("x-identity-header") == Some("its-header"),
        )
    };
    let resource = seen.query.get("resource").cloned().unwrap_or_default();
    if !allowed || seen.query.get("api-version").map(String::as_str) != Some(version) {
        let body = json!({ "statusCode": 400, "message": "not asked as it should be" });
        return respond(stream, 400, &[], body.to_string().as_bytes()).await;
    }
    if resource == "unknown" {
        let body = json!({ "error": "invalid_resource", "error_description": "nobody knows it" });
        return respond(stream, 400, &[], body.to_string().as_bytes()).await;
    }
    let number = count(shared, &resource);
    let body = json!({
        "access_token": format!("mi-{}-{TOKEN}-{number}", self::word(&resource)), "expires_on": "4102444800",
        "resource": resource, "token_type": "Bearer", "client_id": "x",
    });
    respond(
        stream,
        200,
        &[("Content-Type", "application/json")],
        body.to_string().as_bytes(),
    )
    .await
}

fn word(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}
