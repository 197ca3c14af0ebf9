//! The key file is created once and read with care.

use std::error::Error as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use patchbay_vault::{Error, KeyRing};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn creates_the_file_once_with_mode_0600_and_reads_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.keys");

    let created = KeyRing::load_or_create(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let read = KeyRing::load_or_create(&path).unwrap();

    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o7777, metadata.nlink()), (0o600, 1));
    assert_eq!(read.fingerprints(), created.fingerprints());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn all_of_many_creators_have_the_same_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.keys");
    let fingerprints: Vec<_> = std::thread::scope(|scope| {
        let creators: Vec<_> = (0..8).map(|_| scope.spawn(|| KeyRing::load_or_create(&path).unwrap())).collect();
        creators.into_iter().map(|creator| creator.join().unwrap().sealing_fingerprint()).collect()
    });
    assert_eq!(fingerprints, [fingerprints[0]; 8]);
}

#[test]
fn two_installations_have_keys_of_different_ids() {
    let directory = tempfile::tempdir().unwrap();
    let one = KeyRing::load_or_create(&directory.path().join("one")).unwrap().fingerprints();
    let two = KeyRing::load_or_create(&directory.path().join("two")).unwrap().fingerprints();
    assert_ne!(one[0].0, two[0].0);
}

#[test]
fn reads_several_keys_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.keys");
    fs::write(&path, format!("# rotated in spring\r\nnew:{KEY}\r\n\nold:{KEY}")).unwrap();

    let ring = KeyRing::load_or_create(&path).unwrap();

    let ids: Vec<_> = ring.fingerprints().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["new", "old"]);
}

#[test]
fn names_the_line_that_can_not_be_read_and_leaves_the_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.keys");
    let broken = format!("good:{KEY}\n\nbad:hush!");
    fs::write(&path, &broken).unwrap();

    let error = KeyRing::load_or_create(&path).unwrap_err();

    assert_eq!(error.to_string(), format!("line 3 of key file {} can't be read", path.display()));
    assert_eq!(error.source().unwrap().to_string(), "the part after the colon is not base64");
    assert_eq!(fs::read_to_string(&path).unwrap(), broken);
}

#[test]
fn refuses_a_file_without_keys_or_with_one_id_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.keys");
    let cases = [
        (String::new(), "a key ring needs at least one master key"),
        ("# nothing\n".to_owned(), "a key ring needs at least one master key"),
        (format!("a:{KEY}\na:{KEY}\n"), "master key id `a` is there twice"),
    ];
    for (text, reason) in cases {
        fs::write(&path, &text).unwrap();
        let error = KeyRing::load_or_create(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("key file {} holds no usable keys", path.display()));
        assert_eq!(error.source().unwrap().to_string(), reason);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn says_when_the_file_can_not_be_created_or_read() {
    let directory = tempfile::tempdir().unwrap();
    let dangling = directory.path().join("dangling");
    symlink(directory.path().join("nowhere"), &dangling).unwrap();

    let missing_directory = KeyRing::load_or_create(&directory.path().join("no/master.keys"));
    let a_directory = KeyRing::load_or_create(directory.path());

    assert!(matches!(missing_directory, Err(Error::Io { verb: "create", .. })));
    assert!(matches!(a_directory, Err(Error::Io { verb: "read", .. })));
    assert!(matches!(KeyRing::load_or_create(&dangling), Err(Error::Io { verb: "read", .. })));
}
