//! The key file of a data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{Error, KeyRing, MasterKey};

impl KeyRing {
    /// Reads the key file, or creates it with one new key when there is none.
    ///
    /// The file has one `id:base64` a line, the sealing key first; empty lines and lines that begin with `#` are skipped.
    /// It is created with mode 0600, whole or not at all, and an existing file is never written to.
    ///
    /// # Errors
    ///
    /// When the file can't be read or created, a line is not a key (with its number), or there is no key or one twice.
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        match read(path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => create(path),
            read_or_refused => read_or_refused,
        }
    }
}

fn read(path: &Path) -> Result<KeyRing, Error> {
    let text = fs::read_to_string(path).map(Zeroizing::new).map_err(failed("read", path))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<KeyRing, Error> {
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.parse::<MasterKey>().map_err(|source| Error::KeyFileLine {
            path: path.to_owned(),
            line: index + 1,
            source,
        })?;
        keys.push(key);
    }
    KeyRing::new(keys).map_err(|source| Error::KeyFile { path: path.to_owned(), source: Box::new(source) })
}

fn create(path: &Path) -> Result<KeyRing, Error> {
    let suffix = getrandom::u32().map_err(Error::Random)?;
    // Unlike in every other installation, so that a file of another one is told by the id and not by a failed opening.
    let key = MasterKey::generate(&format!("k-{suffix:08x}"))?;
    let temporary = temporary_beside(path, suffix);
    let written = write_new(&temporary, &key).and_then(|()| {
        // A link instead of a rename: if another process was faster, its file stays.
        fs::hard_link(&temporary, path)
    });
    let removed = fs::remove_file(&temporary);
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return read(path),
        Err(error) => return Err(failed("create", path)(error)),
    }
    removed.and_then(|()| sync_directory_of(path)).map_err(failed("create", path))?;
    KeyRing::new(vec![key])
}

fn write_new(path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.to_text().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn temporary_beside(path: &Path, suffix: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix:08x}.new"));
    PathBuf::from(name)
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(directory)?.sync_all()
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { verb, path, source }
}
