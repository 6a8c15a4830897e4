//! Opening connections before the first call.
//!
//! The HTTP stack opens a connection when a request finds none idle. So this module sends requests without a signature. AWS
//! rejects them before it checks permissions or counts anything. The rejection itself is ignored; its connection stays open.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::words::{Error, Result};

const TEXT: &[u8] = b"{}";

/// A request body that is sent once all of the requests have a connection. Otherwise an early answer would free its connection,
/// and a request still waiting for a new connection would reuse it.
struct Together {
    all_are_open: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    is_sent: bool,
}

impl Together {
    fn new(barrier: Arc<Barrier>) -> Together {
        let all_are_open = Box::pin(async move {
            barrier.wait().await;
        });
        Together { all_are_open, is_sent: false }
    }
}

impl Body for Together {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        if self.is_sent {
            return Poll::Ready(None);
        }
        ready!(self.all_are_open.as_mut().poll(context));
        self.is_sent = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(TEXT)))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_sent
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.is_sent { 0 } else { TEXT.len() as u64 })
    }
}

/// Opens `connections` connections to `url` in parallel.
///
/// # Errors
/// [`Error::Unavailable`] when one of them fails.
pub(super) async fn open(connector: &SharedHttpConnector, url: &str, connections: usize) -> Result<()> {
    let barrier = Arc::new(Barrier::new(connections));
    let mut openings = JoinSet::new();
    for _ in 0..connections {
        let mut request = Request::new(SdkBody::from_body_1_x(Together::new(barrier.clone())));
        request.set_method("POST").map_err(Error::internal)?;
        request.set_uri(url).map_err(Error::internal)?;
        let answer = connector.call(request);
        openings.spawn(async move {
            let answer = answer.await.map_err(Error::unavailable)?;
            // A connection is free for other requests once its answer has been read.
            ByteStream::new(answer.into_body()).collect().await.map_err(Error::unavailable)
        });
    }
    while let Some(opened) = openings.join_next().await {
        opened.map_err(Error::internal)??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// The HTTP stack polls a body once its connection is open.
    #[test]
    fn no_body_is_sent_before_all_connections_are_open() {
        let barrier = Arc::new(Barrier::new(3));
        let mut bodies: Vec<_> = (0..3).map(|_| Box::pin(Together::new(barrier.clone()))).collect();
        let mut is_sent = |at: usize| {
            let frame = bodies[at].as_mut().poll_frame(&mut Context::from_waker(Waker::noop()));
            frame.is_ready()
        };
        assert_eq!([is_sent(0), is_sent(1), is_sent(0), is_sent(2)], [false, false, false, true]);
        assert_eq!([is_sent(0), is_sent(1)], [true, true]);
    }
}
