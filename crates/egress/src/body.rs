//! Taking a body in, within its limit.

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::gzip::{Coding, UnpackError, Unpacker};

/// By how much a packed body may be longer than its limit unpacked.
const PACKING: usize = 64 * 1024;

/// Why a body was not taken whole.
pub(crate) enum BodyError {
    TooLarge,
    Broken(hyper::Error),
    Damaged(std::io::Error),
    UnknownCoding(String),
}

/// Reads the body to its end, so that the connection can be used again, and unpacks it.
pub(crate) async fn collect(body: Incoming, coding: Coding, limit: usize) -> Result<Bytes, BodyError> {
    // Answers to HEAD tell of a coding, too.
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match coding {
        Coding::Plain => plain(body, limit).await,
        Coding::Gzip => unpacked(body, limit).await,
        Coding::Unknown(name) => Err(BodyError::UnknownCoding(name)),
    }
}

/// A body of one piece is not copied.
async fn plain(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let announced = announced(&body, limit)?;
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(BodyError::Broken)?.into_data() else {
            continue;
        };
        if piece.len() > limit - first.len() - whole.len() {
            return Err(BodyError::TooLarge);
        }
        if first.is_empty() && whole.is_empty() {
            first = piece;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(first.len() + piece.len()));
            whole.extend_from_slice(&std::mem::take(&mut first));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

async fn unpacked(mut body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    let most = limit.saturating_add(PACKING);
    announced(&body, most)?;
    let mut unpacker = Unpacker::new(limit);
    let mut packed = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(BodyError::Broken)?.into_data() else {
            continue;
        };
        packed += piece.len();
        if packed > most {
            return Err(BodyError::TooLarge);
        }
        unpacker.put(&piece)?;
    }
    // A chunked body may turn out to be none.
    if packed == 0 { Ok(Bytes::new()) } else { Ok(unpacker.finish()?) }
}

/// The length that the body has at least.
fn announced(body: &Incoming, limit: usize) -> Result<usize, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit { Err(BodyError::TooLarge) } else { Ok(announced) }
}

impl From<UnpackError> for BodyError {
    fn from(error: UnpackError) -> Self {
        match error {
            UnpackError::TooLarge => Self::TooLarge,
            UnpackError::Damaged(error) => Self::Damaged(error),
        }
    }
}
