//! Payloads as they are stored: bytes, compressed where that pays.

use crate::Error;

/// Shorter texts are kept as they are.
const WORTH_COMPRESSING: usize = 256;
const PLAIN: u8 = 0;
const LZ4: u8 = 1;
/// What a stored payload may grow to.
const LARGEST: usize = 64 * 1024 * 1024;

/// The stored form: one byte that names the form, then the bytes or their LZ4 block with its size before it.
#[must_use]
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    if bytes.len() >= WORTH_COMPRESSING {
        let mut packed = vec![0; 5 + lz4_flex::block::get_maximum_output_size(bytes.len())];
        if let (Ok(size), Ok(length)) =
            (lz4_flex::block::compress_into(bytes, &mut packed[5..]), u32::try_from(bytes.len()))
            && size + 4 < bytes.len()
        {
            packed[0] = LZ4;
            packed[1..5].copy_from_slice(&length.to_le_bytes());
            packed.truncate(5 + size);
            return packed;
        }
    }
    let mut packed = Vec::with_capacity(1 + bytes.len());
    packed.push(PLAIN);
    packed.extend_from_slice(bytes);
    packed
}

/// How many bytes were packed.
#[must_use]
pub fn unpacked_bytes(packed: &[u8]) -> usize {
    match packed {
        [LZ4, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
        other => other.len().saturating_sub(1),
    }
}

/// The bytes that were packed.
///
/// # Errors
/// When they are not such a form.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, Error> {
    let damaged = |reason: String| Error::Damaged(format!("payload: {reason}"));
    match packed {
        [PLAIN, bytes @ ..] => Ok(bytes.to_vec()),
        [LZ4, a, b, c, d, block @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            if length > LARGEST {
                return Err(damaged(format!("claims {length} bytes")));
            }
            lz4_flex::block::decompress(block, length).map_err(|error| damaged(error.to_string()))
        }
        _ => Err(damaged("unknown form".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_took() {
        for bytes in [Vec::new(), b"short".to_vec(), vec![b'a'; 5_000], (0..=255).cycle().take(300).collect()] {
            assert_eq!(unpack(&pack(&bytes)).unwrap(), bytes);
            assert_eq!(unpacked_bytes(&pack(&bytes)), bytes.len());
        }
    }

    #[test]
    fn long_texts_shrink() {
        assert!(pack(&[b'a'; 5_000]).len() < 200);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        assert!(unpack(&[]).is_err());
        assert!(unpack(&[7, 1]).is_err());
        assert!(unpack(&[LZ4, 255, 255, 255, 255, 0]).is_err());
        assert!(unpack(&[LZ4, 10, 0, 0, 0, 1, 2]).is_err());
    }
}
