//! Bodies, up to the host's limit, from senders that go on sending.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::dev::{self, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::{Bytes, Payload};
use actix_web::{
    Error, FromRequest as _, HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _,
};
use futures::{Stream, stream};
use tokio::time::{Sleep, sleep};

/// For so long a sender may be silent before its body is whole. Nothing else ends one that stalls: the limit of the head's time is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole body; beyond `limit` bytes 413, one whose sender stalls 408, a broken one 400, all empty.
pub(crate) async fn read(payload: Payload, limit: usize) -> Result<Bytes, HttpResponse> {
    match payload.to_bytes_limited(limit).await {
        Err(_) => Err(HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE)),
        Ok(Err(error)) => Err(stalled(&error).unwrap_or_else(|| {
            let status = error.as_response_error().status_code();
            HttpResponse::new(status)
        })),
        Ok(Ok(bytes)) => Ok(bytes),
    }
}

/// The answer to a body whose sender fell silent, if that is why it could not be read.
pub(crate) fn stalled(error: &Error) -> Option<HttpResponse> {
    let error = error.as_error::<PayloadError>();
    // What comes after half a body is no request.
    error
        .filter(|error| is_stalled(error))
        .map(|_| HttpResponse::RequestTimeout().force_close().finish())
}

/// The status for a body that could not be read.
pub(crate) fn status_of(error: &PayloadError) -> StatusCode {
    if is_stalled(error) {
        StatusCode::REQUEST_TIMEOUT
    } else {
        error.status_code()
    }
}

fn is_stalled(error: &PayloadError) -> bool {
    matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

/// The body for a handler that asks who calls before it reads. One that says that it is too long is 413 as soon as it is read.
pub(crate) async fn take(req: &mut ServiceRequest, limit: usize) -> Result<Payload, Error> {
    let payload = req.take_payload();
    let mut payload = match said_length(req.request()) {
        Some(length) if length > limit as u64 => {
            streamed(stream::iter([Err(PayloadError::Overflow)]))
        }
        _ => watched(payload, limit, PATIENCE),
    };
    Payload::from_request(req.request(), &mut payload).await
}

/// The body for a function, however it is read: one that says that it is too long is 413 at once, one that does not say its
/// length breaks off where it is too long.
pub(crate) fn limited(
    req: &HttpRequest,
    payload: dev::Payload,
    limit: usize,
) -> Result<dev::Payload, HttpResponse> {
    if matches!(payload, dev::Payload::None) {
        return Ok(payload);
    }
    match said_length(req) {
        Some(length) if length > limit as u64 => {
            Err(HttpResponse::new(StatusCode::PAYLOAD_TOO_LARGE))
        }
        _ => Ok(watched(payload, limit, PATIENCE)),
    }
}

fn said_length(req: &HttpRequest) -> Option<u64> {
    let length = req.headers().get(CONTENT_LENGTH)?;
    length.to_str().ok()?.trim().parse().ok()
}

fn watched(payload: dev::Payload, limit: usize, patience: Duration) -> dev::Payload {
    if matches!(payload, dev::Payload::None) {
        return payload;
    }
    streamed(Watched {
        payload,
        left: limit,
        patience,
        silence: None,
    })
}

fn streamed(body: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> dev::Payload {
    dev::Payload::Stream {
        payload: Box::pin(body),
    }
}

/// A body that breaks off where it is too long, or where its sender is silent for too long.
struct Watched {
    payload: dev::Payload,
    left: usize,
    patience: Duration,
    /// Made when there is something to wait for: most bodies are there already.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Poll::Ready(next) = Pin::new(&mut this.payload).poll_next(cx) {
            this.silence = None;
            return Poll::Ready(next.map(|chunk| this.counted(chunk?)));
        }
        let patience = this.patience;
        let silence = this
            .silence
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        silence.as_mut().poll(cx).map(|()| {
            let text = format!("its sender was silent for {patience:?}");
            let stalled = io::Error::new(io::ErrorKind::TimedOut, text);
            Some(Err(PayloadError::Io(stalled)))
        })
    }
}

impl Watched {
    fn counted(&mut self, chunk: Bytes) -> Result<Bytes, PayloadError> {
        let left = self.left.checked_sub(chunk.len());
        self.left = left.ok_or(PayloadError::Overflow)?;
        Ok(chunk)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use actix_web::test::TestRequest;
    use futures::StreamExt as _;

    use super::*;

    /// `[`, and then nothing: neither a byte nor an end.
    pub(crate) fn half_sent() -> dev::Payload {
        let half = stream::iter([Ok(Bytes::from_static(b"["))]);
        let payload = streamed(half.chain(stream::pending()));
        watched(payload, 100, Duration::from_millis(1))
    }

    async fn whole(mut payload: dev::Payload) -> Payload {
        let req = TestRequest::default().to_http_request();
        Payload::from_request(&req, &mut payload).await.unwrap()
    }

    #[tokio::test]
    async fn body_that_stalls_is_408_and_ends_the_connection() {
        let answer = read(whole(half_sent()).await, 100).await.unwrap_err();
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
        assert!(!answer.head().keep_alive());
    }

    #[tokio::test]
    async fn body_that_keeps_coming_is_read_whole() {
        // Not ready when it is first asked for, each time.
        let slow = stream::iter([&b"a"[..], b"bc", b""]).then(|part| async move {
            tokio::task::yield_now().await;
            Ok(Bytes::from_static(part))
        });
        let payload = watched(streamed(slow), 3, Duration::from_secs(3600));
        let bytes = read(whole(payload).await, 3).await.unwrap();
        assert_eq!(bytes, "abc");
    }

    #[tokio::test]
    async fn body_without_a_length_breaks_off_at_the_limit() {
        let long = stream::repeat_with(|| Ok(Bytes::from_static(b"12345")));
        let mut payload = watched(streamed(long), 12, PATIENCE);
        assert!(payload.next().await.unwrap().is_ok() && payload.next().await.unwrap().is_ok());
        let third = payload.next().await.unwrap();
        assert!(matches!(third, Err(PayloadError::Overflow)), "{third:?}");
    }
}
