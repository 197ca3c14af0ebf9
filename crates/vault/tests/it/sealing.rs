//! What is sealed opens only whole, in its place, and with its key.

use patchbay_vault::{Context, Error, KeyRing, MasterKey};

fn ring(id: &str) -> KeyRing {
    KeyRing::new(vec![MasterKey::generate(id).unwrap()]).unwrap()
}

fn context() -> Context {
    Context { workspace: 7, row: "connection/12".to_owned(), field: "credentials".to_owned() }
}

#[test]
fn opens_what_it_has_sealed() {
    let ring = ring("first");
    for plaintext in [&b""[..], b"s", "пароль".as_bytes(), &[0xff; 100_000]] {
        let sealed = ring.seal(&context(), plaintext).unwrap();
        assert_eq!(ring.open(&context(), &sealed).unwrap().expose(), plaintext);
    }
}

#[test]
fn writes_the_documented_layout() {
    let sealed = ring("first").seal(&context(), b"secret").unwrap();
    assert_eq!(sealed[..7], *b"\x01\x05first");
    assert_eq!(sealed.len(), 1 + 1 + 5 + 12 + 48 + 12 + 6 + 16);
    assert!(!sealed.windows(6).any(|window| window == b"secret"));
}

/// `known answer`, sealed after the documented layout by another implementation of AES-GCM.
const FIRST_RELEASE: &str = concat!(
    "01056669727374000102030405060708090a0b2367b07cad8ca870e12cf9e4c1980a1ef7a3f14388022507441a9bfa9d",
    "e8823185d2e5da25af80e54fa9b75c794d9aee32333435363738393a3b3c3d93fd513182549dcfa8dac3af5fe4d7f4d2",
    "a7c34def1d6a345471abc2",
);

#[test]
fn opens_a_secret_of_the_first_release() {
    let key: MasterKey = "first:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().unwrap();
    let sealed = bytes_of(FIRST_RELEASE);

    let opened = KeyRing::new(vec![key]).unwrap().open(&context(), &sealed).unwrap();

    assert_eq!(opened.expose_str(), Ok("known answer"));
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<char> = hexadecimal.chars().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap()).collect()
}

#[test]
fn seals_differently_each_time() {
    let ring = ring("first");
    assert_ne!(ring.seal(&context(), b"secret").unwrap(), ring.seal(&context(), b"secret").unwrap());
}

#[test]
fn refuses_every_flipped_bit() {
    let ring = ring("first");
    let sealed = ring.seal(&context(), b"secret").unwrap();
    for position in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[position] ^= 1 << bit;
            assert!(ring.open(&context(), &flipped).is_err(), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn refuses_every_truncation_and_an_extra_byte() {
    let ring = ring("first");
    let mut sealed = ring.seal(&context(), b"secret").unwrap();
    for length in 0..sealed.len() {
        assert!(matches!(ring.open(&context(), &sealed[..length]), Err(Error::Damaged)), "{length} bytes");
    }
    sealed.push(0);
    assert!(matches!(ring.open(&context(), &sealed), Err(Error::Damaged)));
}

#[test]
fn refuses_another_place() {
    let ring = ring("first");
    let sealed = ring.seal(&context(), b"secret").unwrap();
    let others = [
        Context { workspace: 8, ..context() },
        Context { row: "connection/13".to_owned(), ..context() },
        Context { field: "token".to_owned(), ..context() },
        // The same letters with another border between row and field.
        Context { row: "connection/12c".to_owned(), field: "redentials".to_owned(), ..context() },
        Context { row: String::new(), field: "connection/12credentials".to_owned(), ..context() },
    ];
    for other in others {
        assert!(matches!(ring.open(&other, &sealed), Err(Error::Damaged)), "{other:?}");
    }
}

#[test]
fn does_not_open_with_layers_of_two_secrets() {
    let ring = ring("first");
    let one = ring.seal(&context(), b"secret").unwrap();
    let two = ring.seal(&context(), b"hidden").unwrap();
    let border = 1 + 1 + 5 + 12 + 48;
    let mixed = [&one[..border], &two[border..]].concat();
    assert!(matches!(ring.open(&context(), &mixed), Err(Error::Damaged)));
}

#[test]
fn names_the_key_that_is_missing() {
    let sealed = ring("first").seal(&context(), b"secret").unwrap();
    let error = ring("second").open(&context(), &sealed).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secret is sealed with master key `first`, which is not in the key ring; add that key after the first"
    );
}

#[test]
fn refuses_another_key_under_the_same_id() {
    let sealed = ring("first").seal(&context(), b"secret").unwrap();
    assert!(matches!(ring("first").open(&context(), &sealed), Err(Error::Damaged)));
}

#[test]
fn refuses_an_unknown_version() {
    let ring = ring("first");
    let mut sealed = ring.seal(&context(), b"secret").unwrap();
    sealed[0] = 2;
    assert!(matches!(ring.open(&context(), &sealed), Err(Error::Version(2))));
}

#[test]
fn opens_with_an_old_key_and_seals_with_the_first() {
    let old = MasterKey::generate("old").unwrap();
    let new = MasterKey::generate("new").unwrap();
    let sealed = KeyRing::new(vec![old.clone()]).unwrap().seal(&context(), b"secret").unwrap();

    let rotated = KeyRing::new(vec![new.clone(), old.clone()]).unwrap();

    assert_eq!(rotated.open(&context(), &sealed).unwrap().expose(), b"secret");
    assert_eq!(rotated.seal(&context(), b"secret").unwrap()[..5], *b"\x01\x03new");
    assert_eq!(rotated.sealing_fingerprint(), new.fingerprint());
    assert_eq!(rotated.fingerprints(), [("new".to_owned(), new.fingerprint()), ("old".to_owned(), old.fingerprint())]);
}

#[test]
fn refuses_a_ring_without_keys_or_with_one_id_twice() {
    let twice = vec![MasterKey::generate("a").unwrap(), MasterKey::generate("a").unwrap()];
    assert!(matches!(KeyRing::new(Vec::new()), Err(Error::NoKey)));
    assert!(matches!(KeyRing::new(twice), Err(Error::DuplicateKey(id)) if id == "a"));
    assert!(matches!(MasterKey::generate("a:b"), Err(Error::KeyText(_))));
}
