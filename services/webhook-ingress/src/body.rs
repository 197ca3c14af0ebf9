//! Reading a body within bounds of size, memory and time.

use std::time::Duration;

use axum::{body::Body, http::HeaderMap, http::header::CONTENT_LENGTH};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use patchbay_types::{Fault, fault::Code};
use tokio::sync::{Semaphore, SemaphorePermit};

/// What bodies may take.
#[derive(Debug)]
pub(crate) struct Bounds {
    largest: usize,
    deadline: Duration,
    /// One permit a byte, over all requests.
    memory: Semaphore,
}

/// A body with its share of the memory, which is given back when that is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    pub(crate) bytes: Bytes,
    pub(crate) memory: Option<SemaphorePermit<'a>>,
}

impl Bounds {
    pub(crate) fn new(largest: usize, deadline: Duration, memory: usize) -> Self {
        Self { largest, deadline, memory: Semaphore::new(memory) }
    }

    /// Reads the whole body. One that arrives in one piece is not copied.
    pub(crate) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held<'_>, Fault> {
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.largest) {
            return Err(self.too_large());
        }
        match tokio::time::timeout(self.deadline, self.gather(body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Fault::new(Code::Timeout, "the body took too long to arrive; send it again")),
        }
    }

    async fn gather(&self, mut body: Body) -> Result<Held<'_>, Fault> {
        let mut memory: Option<SemaphorePermit<'_>> = None;
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Fault::invalid("the body ended before it was complete"))?;
            let Ok(chunk) = frame.into_data() else { continue };
            if first.len().max(all.len()) + chunk.len() > self.largest {
                return Err(self.too_large());
            }
            let share = self.take(chunk.len())?;
            match &mut memory {
                Some(memory) => memory.merge(share),
                None => memory = Some(share),
            }
            if first.is_empty() {
                first = chunk;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
        let bytes = if all.is_empty() { first } else { all.freeze() };
        Ok(Held { bytes, memory })
    }

    /// A share of the memory.
    pub(crate) fn take(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Fault> {
        let bytes = u32::try_from(bytes).map_err(|_| self.too_large())?;
        self.memory
            .try_acquire_many(bytes)
            .map_err(|_| Fault::new(Code::Unavailable, "too many bodies are being received now; try again"))
    }

    fn too_large(&self) -> Fault {
        Fault::new(Code::TooLarge, format!("the body is larger than the {} bytes that are taken", self.largest))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::http::HeaderValue;
    use futures_util::{StreamExt, stream};

    use super::*;

    fn bounds() -> Bounds {
        Bounds::new(8, Duration::from_millis(20), 12)
    }

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, io::Error>(Bytes::from_static(piece.as_bytes()))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    async fn code(bounds: &Bounds, body: Body) -> Code {
        bounds.read(&HeaderMap::new(), body).await.unwrap_err().code
    }

    #[tokio::test]
    async fn puts_pieces_together() {
        for (body, whole) in
            [(pieces(&[]), ""), (pieces(&["abc"]), "abc"), (pieces(&["ab", "", "cdef", "gh"]), "abcdefgh")]
        {
            assert_eq!(bounds().read(&HeaderMap::new(), body).await.unwrap().bytes, whole);
        }
    }

    #[tokio::test]
    async fn refuses_what_is_too_large() {
        assert_eq!(code(&bounds(), pieces(&["abcdefghi"])).await, Code::TooLarge);
        assert_eq!(code(&bounds(), pieces(&["abcdef", "gh", "i"])).await, Code::TooLarge);
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("9"))]);
        let error =
            bounds().read(&headers, Body::from_stream(stream::pending::<io::Result<Bytes>>())).await.unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
    }

    #[tokio::test]
    async fn refuses_a_sender_that_stands_still() {
        let slow = stream::iter([io::Result::Ok(Bytes::from_static(b"ab"))]).chain(stream::pending());
        assert_eq!(code(&bounds(), Body::from_stream(slow)).await, Code::Timeout);
    }

    #[tokio::test]
    async fn refuses_a_body_that_breaks_off() {
        let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err(io::Error::other("reset"))]);
        assert_eq!(code(&bounds(), Body::from_stream(broken)).await, Code::InvalidArgument);
    }

    #[tokio::test]
    async fn gives_memory_back_with_the_body() {
        let bounds = bounds();
        let first = bounds.read(&HeaderMap::new(), pieces(&["abcd", "efgh"])).await.unwrap();
        assert_eq!(code(&bounds, pieces(&["12345"])).await, Code::Unavailable);
        drop(first);
        assert_eq!(bounds.read(&HeaderMap::new(), pieces(&["12345"])).await.unwrap().bytes, "12345");
        assert_eq!(bounds.memory.available_permits(), 12);
    }
}
