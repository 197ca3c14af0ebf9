//! Packed answers: which they are, and unpacking them piece by piece within a limit.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The longest name of a coding that is shown, in characters.
const LONGEST_NAME: usize = 40;

/// How a body is packed (RFC 9110, section 8.4).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
    /// Any other, or several.
    Unknown(String),
}

impl Coding {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(CONTENT_ENCODING) {
            return Self::Plain;
        }
        let all = headers.get_all(CONTENT_ENCODING);
        let text: Vec<_> = all.iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        let text = text.join(",").to_ascii_lowercase();
        let named = |coding: &&str| !coding.is_empty() && *coding != "identity";
        let codings: Vec<&str> = text.split(',').map(str::trim).filter(named).collect();
        match codings[..] {
            [] => Self::Plain,
            ["gzip" | "x-gzip"] => Self::Gzip,
            _ => Self::Unknown(shown(&codings.join(", "))),
        }
    }
}

fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect()
}

/// Why a packed body was not taken whole.
pub(crate) enum UnpackError {
    TooLarge,
    Damaged(io::Error),
}

/// Unpacks what is put in, any number of members (RFC 1952, section 2.2), and stops at the limit.
pub(crate) struct Unpacker {
    decoder: MultiGzDecoder<Bounded>,
}

/// Takes so many bytes and no more.
struct Bounded {
    taken: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl Unpacker {
    pub(crate) fn new(limit: usize) -> Self {
        Self { decoder: MultiGzDecoder::new(Bounded { taken: Vec::new(), limit, is_over: false }) }
    }

    pub(crate) fn put(&mut self, piece: &[u8]) -> Result<(), UnpackError> {
        self.decoder.write_all(piece).map_err(|error| self.why(error))
    }

    /// The whole body. A stream that breaks off, or whose checksum is wrong, is damaged.
    pub(crate) fn finish(mut self) -> Result<Bytes, UnpackError> {
        self.decoder.try_finish().map_err(|error| self.why(error))?;
        Ok(std::mem::take(&mut self.decoder.get_mut().taken).into())
    }

    fn why(&self, error: io::Error) -> UnpackError {
        if self.decoder.get_ref().is_over { UnpackError::TooLarge } else { UnpackError::Damaged(error) }
    }
}

impl Write for Bounded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() > self.limit - self.taken.len() {
            self.is_over = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.taken.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn coding(values: &[&str]) -> Coding {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, value.parse().unwrap());
        }
        Coding::of(&headers)
    }

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Result<Bytes, &'static str> {
        let mut unpacker = Unpacker::new(limit);
        let why = |error| match error {
            UnpackError::TooLarge => "too large",
            UnpackError::Damaged(_) => "damaged",
        };
        for piece in pieces {
            unpacker.put(piece).map_err(why)?;
        }
        unpacker.finish().map_err(why)
    }

    #[test]
    fn reads_the_coding() {
        assert_eq!(coding(&[]), Coding::Plain);
        for plain in [&["identity"][..], &[""], &["identity", " , Identity"]] {
            assert_eq!(coding(plain), Coding::Plain, "{plain:?}");
        }
        for gzip in [&["gzip"][..], &["GZip "], &["x-gzip"], &["identity, gzip"], &["", "gzip"]] {
            assert_eq!(coding(gzip), Coding::Gzip, "{gzip:?}");
        }
        assert_eq!(coding(&["br"]), Coding::Unknown("br".to_owned()));
        assert_eq!(coding(&["gzip", "gzip"]), Coding::Unknown("gzip, gzip".to_owned()));
        assert_eq!(coding(&[&"x".repeat(99)]), Coding::Unknown("x".repeat(40)));
    }

    #[test]
    fn unpacks_byte_by_byte_and_one_member_after_another() {
        let mut bytes = packed(b"first, ");
        bytes.extend(packed(b""));
        bytes.extend(packed(b"second"));
        assert_eq!(unpacked([&bytes[..]], 13), Ok(Bytes::from_static(b"first, second")));
        assert_eq!(unpacked(bytes.chunks(1), 13), Ok(Bytes::from_static(b"first, second")));
        assert_eq!(unpacked([&bytes[..]], 12), Err("too large"));
    }

    #[test]
    fn every_truncation_is_damage() {
        let bytes = packed(b"a body of some length, a body of some length");
        for end in 0..bytes.len() {
            assert_eq!(unpacked([&bytes[..end]], 1000), Err("damaged"), "{end} bytes");
        }
        let mut two = bytes.clone();
        two.extend(&bytes[..5]);
        assert_eq!(unpacked([&two[..]], 1000), Err("damaged"));
    }

    #[test]
    fn a_wrong_checksum_and_garbage_are_damage() {
        let mut bytes = packed(b"body");
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        assert_eq!(unpacked([&bytes[..]], 1000), Err("damaged"));
        assert_eq!(unpacked([&b"{\"plain\":true}"[..]], 1000), Err("damaged"));
        let mut followed = packed(b"body");
        followed.extend(b"garbage that is no member");
        assert_eq!(unpacked([&followed[..]], 1000), Err("damaged"));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let bomb = packed(&vec![0; 64 * 1024 * 1024]);
        let mut unpacker = Unpacker::new(100_000);
        assert!(matches!(unpacker.put(&bomb), Err(UnpackError::TooLarge)));
        assert!(unpacker.decoder.get_ref().taken.len() <= 100_000);
    }
}
