//! An answer that is read piece by piece.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::error::{Kind, SendError, Sent};

/// The head of an answer, and its body as it comes.
#[derive(Debug)]
pub struct Streamed {
    /// The HTTP status.
    pub status: u16,
    body: Incoming,
    host: String,
}

impl Streamed {
    pub(crate) fn new(answer: http::Response<Incoming>, host: String) -> Self {
        Self { status: answer.status().as_u16(), body: answer.into_body(), host }
    }

    /// The next piece; nothing when the answer has ended.
    ///
    /// # Errors
    ///
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Bytes>, SendError> {
        while let Some(frame) = self.body.frame().await {
            let broken =
                || SendError::new(Kind::Reset, Sent::Maybe, format!("the answer of host {} broke off", self.host));
            if let Ok(piece) = frame.map_err(|error| broken().caused_by(error))?.into_data() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}
