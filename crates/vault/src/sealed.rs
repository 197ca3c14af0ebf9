//! Sealing and opening in format 1; the crate's words describe it byte by byte.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag};
use zeroize::Zeroizing;

use crate::context::Layer;
use crate::key::KEY_BYTES;
use crate::{Context, Error, KeyRing, Secret};

pub(crate) const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// A sealed secret, taken apart and not yet authenticated.
struct Parts<'a> {
    key_id_length: u8,
    key_id: &'a str,
    key_nonce: &'a [u8],
    wrapped_key: &'a [u8],
    content_nonce: &'a [u8],
    content: &'a [u8],
}

impl KeyRing {
    /// Seals a secret for one place under the first key.
    ///
    /// # Errors
    ///
    /// When the operating system gives no random bytes, or the secret is larger than the cipher takes.
    pub fn seal(&self, context: &Context, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let master = self.sealing_key();
        // Key ids have at most 64 bytes.
        let key_id_length = master.id().len() as u8;
        let mut data_key = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(data_key.as_mut_slice()).map_err(Error::Random)?;

        let overhead = 2 + master.id().len() + 2 * (NONCE_BYTES + TAG_BYTES) + KEY_BYTES;
        let mut sealed = Vec::with_capacity(overhead + plaintext.len());
        sealed.extend_from_slice(&[VERSION, key_id_length]);
        sealed.extend_from_slice(master.id().as_bytes());
        let key_layer = context.associated_data(Layer::Key, key_id_length, master.id());
        append_layer(&mut sealed, master.bytes(), &key_layer, data_key.as_slice())?;
        let content_layer = context.associated_data(Layer::Content, key_id_length, master.id());
        append_layer(&mut sealed, &data_key, &content_layer, plaintext)?;
        Ok(sealed)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    ///
    /// [`Error::Version`], [`Error::UnknownKey`], or [`Error::Damaged`] for everything that fails authentication.
    pub fn open(&self, context: &Context, sealed: &[u8]) -> Result<Secret, Error> {
        let parts = take_apart(sealed)?;
        let master = self.key(parts.key_id).ok_or_else(|| Error::UnknownKey { id: parts.key_id.to_owned() })?;
        let key_layer = context.associated_data(Layer::Key, parts.key_id_length, parts.key_id);
        let unwrapped = open_layer(master.bytes(), parts.key_nonce, &key_layer, parts.wrapped_key)?;
        let mut data_key = Zeroizing::new([0; KEY_BYTES]);
        data_key.copy_from_slice(&unwrapped);
        let content_layer = context.associated_data(Layer::Content, parts.key_id_length, parts.key_id);
        open_layer(&data_key, parts.content_nonce, &content_layer, parts.content).map(Secret::from)
    }
}

/// Appends a fresh nonce, the ciphertext and the tag. The plaintext is encrypted where it will stay: no copy is left.
fn append_layer(
    sealed: &mut Vec<u8>,
    key: &[u8; KEY_BYTES],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Result<(), Error> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(Error::Random)?;
    sealed.extend_from_slice(&nonce);
    let start = sealed.len();
    sealed.extend_from_slice(plaintext);
    let tag = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
        .encrypt_in_place_detached(Nonce::from_slice(&nonce), associated_data, &mut sealed[start..])
        .map_err(|_| Error::TooLarge)?;
    sealed.extend_from_slice(&tag);
    Ok(())
}

fn open_layer(
    key: &[u8; KEY_BYTES],
    nonce: &[u8],
    associated_data: &[u8],
    ciphertext_and_tag: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let length = ciphertext_and_tag.len().checked_sub(TAG_BYTES).ok_or(Error::Damaged)?;
    let (ciphertext, tag) = ciphertext_and_tag.split_at(length);
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key))
        .decrypt_in_place_detached(Nonce::from_slice(nonce), associated_data, &mut plaintext, Tag::from_slice(tag))
        .map_err(|_| Error::Damaged)?;
    Ok(plaintext)
}

fn take_apart(sealed: &[u8]) -> Result<Parts<'_>, Error> {
    let mut rest = sealed;
    let version = take(&mut rest, 1)?[0];
    if version != VERSION {
        return Err(Error::Version(version));
    }
    let key_id_length = take(&mut rest, 1)?[0];
    let key_id = take(&mut rest, usize::from(key_id_length))?;
    // Only what can be an id is repeated in an error.
    let key_id = std::str::from_utf8(key_id).map_err(|_| Error::Damaged)?;
    crate::key::check_id(key_id).map_err(|_| Error::Damaged)?;
    let key_nonce = take(&mut rest, NONCE_BYTES)?;
    let wrapped_key = take(&mut rest, KEY_BYTES + TAG_BYTES)?;
    let content_nonce = take(&mut rest, NONCE_BYTES)?;
    Ok(Parts { key_id_length, key_id, key_nonce, wrapped_key, content_nonce, content: rest })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Error> {
    let (taken, after) = rest.split_at_checked(length).ok_or(Error::Damaged)?;
    *rest = after;
    Ok(taken)
}
