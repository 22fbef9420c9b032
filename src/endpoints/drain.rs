//! Bodies that nobody wants.

use std::pin::pin;
use std::time::Duration;

use bytes::Buf;
use http::HeaderMap;
use http::header::EXPECT;
use http_body::Body;
use http_body_util::BodyExt;

/// Reads the rest of a body and throws it away: up to 16 MiB, and for up to five seconds.
///
/// For before an early answer. A client that is still sending when the server closes the
/// connection loses the answer along with it (RFC 9112, section 9.6).
///
/// Not for a request that [waits for leave to send](waits_for_leave) and whose body nobody has
/// read from: to read is to give leave.
pub async fn drain<B: Body>(body: B) {
    let mut body = pin!(body);
    let reading = async {
        let mut left = MAX_DRAINED;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Buf::remaining);
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Whoever sends slower than that has to live with a connection that is closed.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
}

/// Whether the client sends its body only after `100 Continue` (RFC 9110, section 10.1.1).
#[must_use]
pub fn waits_for_leave(headers: &HeaderMap) -> bool {
    headers.contains_key(EXPECT)
}

const MAX_DRAINED: usize = 16 * 1024 * 1024;

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::Frame;

    use super::*;

    /// A body without an end: of pieces of a size, or of none at all.
    struct Endless {
        piece: usize,
        read: usize,
    }

    impl Body for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.piece == 0 {
                return Poll::Pending;
            }
            self.read += self.piece;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; self.piece])))))
        }
    }

    #[tokio::test]
    async fn a_body_without_an_end_is_left_at_the_bound() {
        let mut body = Endless {
            piece: 100_000,
            read: 0,
        };
        drain(Pin::new(&mut body)).await;
        assert!(body.read > MAX_DRAINED && body.read < MAX_DRAINED + 200_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_left_after_a_while() {
        let begun = tokio::time::Instant::now();
        drain(Endless { piece: 0, read: 0 }).await;
        assert_eq!(begun.elapsed().as_secs(), PATIENCE.as_secs());
    }
}
