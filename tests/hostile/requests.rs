//! What hostile senders send, by number: the same number is always the same request.

/// A request in the parts in which it is sent.
pub(crate) struct Attack {
    pub(crate) parts: Vec<Vec<u8>>,
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn of(number: usize) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ (number as u64 + 1).wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides.max(1) as u64)).unwrap_or(0)
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(self.roll(256)).unwrap_or(0))
            .collect()
    }
}

const PATHS: &[&str] = &[
    "/api/item",
    "/api/form",
    "/api/echo/x",
    "/api/guarded",
    "/api/hook",
    "/api/header/x",
    "/",
    "/admin/host/status",
    "/admin/functions/item",
    "/runtime/webhooks/durabletask/instances",
    "/runtime/webhooks/durabletask/orchestrators/nothing",
    "/nowhere",
];

const ODD: &[&str] = &[
    "%0d%0aX-Injected:%201",
    "%0aX-Injected:1",
    "%00",
    "%ff%fe",
    "%c0%af",
    "..%2f..%2fetc%2fpasswd",
    "%25%30%64",
    "%",
    "%zz",
    "%u0041",
    "+++",
    "{x}",
    "~/;,:@&=$!*()'",
];

const TYPES: &[&str] = &[
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=",
    "text/plain; charset=utf-16",
    "application/json; charset=\"",
    "\u{fffd}",
    "",
];

pub(crate) fn attack(number: usize) -> Attack {
    let mut dice = Dice::of(number);
    let parts = match number % 10 {
        0 => oversized_body(&mut dice),
        1 => oversized_head(&mut dice),
        2 => malformed_head(&mut dice),
        3 => malformed_body(&mut dice),
        4 => cut_off(&mut dice),
        5 => odd_path(&mut dice),
        6 => odd_headers(&mut dice),
        7 => wrong_encoding(&mut dice),
        8 => smuggled(&mut dice),
        _ => vec![noise(&mut dice)],
    };
    Attack { parts }
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut whole = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    )
    .into_bytes();
    whole.extend_from_slice(body);
    whole
}

fn oversized_body(dice: &mut Dice) -> Vec<Vec<u8>> {
    let path = dice.pick(PATHS);
    let json = "Content-Type: application/json\r\n";
    match dice.roll(3) {
        0 => vec![post(path, json, &vec![b'['; 70_000])],
        1 => {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n"
            );
            vec![head.into_bytes(), vec![b'x'; 1000]]
        }
        _ => {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            );
            let chunk = format!("11170\r\n{}\r\n0\r\n\r\n", "y".repeat(70_000));
            vec![head.into_bytes(), chunk.into_bytes()]
        }
    }
}

fn oversized_head(dice: &mut Dice) -> Vec<Vec<u8>> {
    let path = dice.pick(PATHS);
    let text = match dice.roll(4) {
        0 => format!(
            "GET {path}?{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "a".repeat(5000)
        ),
        1 => format!(
            "GET /api/echo/{} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
            "b/".repeat(2500)
        ),
        2 => format!(
            "GET {path} HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
            "c".repeat(200_000)
        ),
        _ => format!(
            "GET {path} HTTP/1.1\r\nHost: h\r\n{}\r\n",
            "X-Y: z\r\n".repeat(500)
        ),
    };
    vec![text.into_bytes()]
}

fn malformed_head(dice: &mut Dice) -> Vec<Vec<u8>> {
    let line = dice.pick(&[
        "GET",
        "GET /",
        "GET / HTTP/9.9",
        "GET / HTTP/1.1 HTTP/1.1",
        "G\u{0}T / HTTP/1.1",
        " GET / HTTP/1.1",
        "GET http://[::1/ HTTP/1.1",
        "GET //// HTTP/1.1",
        "GET \\ HTTP/1.1",
        "get /api/item http/1.1",
    ]);
    let header = dice.pick(&[
        "Host: h",
        "Host",
        ": h",
        "Host : h",
        "Host: h\u{0}",
        "Content-Length: -1",
        "Content-Length: x",
    ]);
    vec![format!("{line}\r\n{header}\r\n\r\n").into_bytes()]
}

fn malformed_body(dice: &mut Dice) -> Vec<Vec<u8>> {
    let body = match dice.roll(5) {
        0 => "[".repeat(30_000),
        1 => "{\"id\":1e999,\"text\":\"x\"}".to_owned(),
        2 => "{\"id\":1,\"id\":2,\"text\":null}".to_owned(),
        3 => "id=1&text=%zz&&&=&".to_owned(),
        _ => "--\r\nContent-Disposition: form-data; name=\"\r\n\r\n".to_owned(),
    };
    let headers = format!("Content-Type: {}\r\n", dice.pick(TYPES));
    vec![post(dice.pick(PATHS), &headers, body.as_bytes())]
}

fn complete(dice: &mut Dice) -> Vec<u8> {
    post(
        dice.pick(PATHS),
        "Content-Type: application/json\r\n",
        br#"{"id":1,"text":"x"}"#,
    )
}

/// What a sender that stalls has sent, and what it still has to send.
pub(crate) fn stalled(number: usize) -> (Vec<u8>, Vec<u8>) {
    let mut dice = Dice::of(number);
    let mut first = complete(&mut dice);
    let rest = first.split_off(1 + dice.roll(first.len() - 1));
    (first, rest)
}

fn cut_off(dice: &mut Dice) -> Vec<Vec<u8>> {
    let whole = complete(dice);
    let kept = dice.roll(whole.len());
    whole[..kept]
        .chunks(1 + dice.roll(20))
        .map(<[u8]>::to_vec)
        .collect()
}

fn odd_path(dice: &mut Dice) -> Vec<Vec<u8>> {
    let odd = dice.pick(ODD);
    let path = match dice.roll(6) {
        0 => format!("/api/header/{odd}"),
        1 => format!("/api/echo/{odd}?code={odd}"),
        2 => format!("/runtime/webhooks/durabletask/instances/{odd}?reason={odd}"),
        3 => format!("/admin/functions/{odd}/keys/{odd}"),
        4 => format!("/{odd}/../{odd}"),
        _ => format!("{}?{odd}", dice.pick(PATHS)),
    };
    let method = dice.pick(&["GET", "POST", "DELETE", "PUT", "OPTIONS", "BREW"]);
    vec![format!("{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").into_bytes()]
}

fn odd_headers(dice: &mut Dice) -> Vec<Vec<u8>> {
    let name = dice.pick(&[
        "x-functions-key",
        "x-ms-client-principal",
        "x-ms-continuation-token",
        "x-forwarded-host",
        "x-forwarded-proto",
        "traceparent",
        "x-hub-signature",
        "x-functions-clientid",
        "origin",
        "host",
    ]);
    let length = dice.roll(300);
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{name}: ",
        dice.pick(PATHS)
    )
    .into_bytes();
    head.extend(
        dice.bytes(length)
            .into_iter()
            .filter(|byte| *byte >= 32 && *byte != 127),
    );
    head.extend_from_slice(b"\r\nContent-Length: 0\r\n\r\n");
    vec![head]
}

fn wrong_encoding(dice: &mut Dice) -> Vec<Vec<u8>> {
    let length = dice.roll(2000);
    let body = dice.bytes(length);
    let headers = format!(
        "Content-Type: {}\r\nContent-Encoding: {}\r\n",
        dice.pick(TYPES),
        dice.pick(&["gzip", "br", "deflate", "identity", "x, y", ""])
    );
    vec![post(dice.pick(PATHS), &headers, &body)]
}

fn smuggled(dice: &mut Dice) -> Vec<Vec<u8>> {
    let path = dice.pick(PATHS);
    let headers = dice.pick(&[
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\nContent-Length: 5\r\n",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA\r\n",
    ]);
    let body = dice.pick(&[
        "0\r\n\r\nGET /admin/host/status HTTP/1.1\r\n\r\n",
        "fffffffffffffffff\r\nx",
        "-1\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "hello",
    ]);
    vec![format!("POST {path} HTTP/1.1\r\nHost: h\r\n{headers}\r\n{body}").into_bytes()]
}

fn noise(dice: &mut Dice) -> Vec<u8> {
    let length = 1 + dice.roll(3000);
    dice.bytes(length)
}
