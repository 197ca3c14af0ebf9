//! Where acknowledgements are written down: two files in turn, so that one is always whole.
//!
//! ```text
//! "PBACK001"   u64 generation   the acknowledgements   u32 CRC-32 of all before
//! ```
//! The higher generation counts. The files are overwritten in place: a file that replaces another frees blocks, which makes the
//! file system's next commits slow, and with them the publishers' syncs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::acknowledged::Acknowledged;
use super::disk::Disk;
use crate::Error;

const MAGIC: &[u8; 8] = b"PBACK001";

#[derive(Debug)]
pub(super) struct Notebook {
    directory: PathBuf,
    /// Of the last page that is whole on the medium.
    generation: u64,
}

impl Notebook {
    /// Opens a topic's notebook; nothing is in it when nothing was ever saved.
    pub(super) fn open(directory: &Path) -> Result<(Self, Option<Acknowledged>), Error> {
        let mut newest: Option<(u64, Acknowledged)> = None;
        let mut unreadable = 0;
        for generation in 0..2 {
            let path = page(directory, generation);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("read", &path, error)),
            };
            match decode(&bytes) {
                Some(found) if newest.as_ref().is_none_or(|newest| newest.0 < found.0) => newest = Some(found),
                Some(_) => {}
                None => unreadable += 1,
            }
        }
        // One bad page is a save that a crash cut; two are not.
        if unreadable == 2 {
            let what = "neither it nor its twin is whole";
            return Err(Error::Damaged { path: page(directory, 0), offset: 0, what });
        }
        let (generation, acknowledged) = newest.unzip();
        Ok((Self { directory: directory.to_path_buf(), generation: generation.unwrap_or(0) }, acknowledged))
    }

    /// Brings acknowledgements to the medium. After an error the page before it counts.
    pub(super) fn save(&mut self, disk: &dyn Disk, acknowledged: &Acknowledged) -> io::Result<()> {
        let generation = self.generation + 1;
        let file = File::options().write(true).create(true).truncate(false).open(page(&self.directory, generation))?;
        disk.write(&file, &encode(generation, acknowledged), 0)?;
        disk.sync(&file)?;
        self.generation = generation;
        Ok(())
    }
}

fn page(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("acknowledged.{}", generation % 2))
}

fn encode(generation: u64, acknowledged: &Acknowledged) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&generation.to_le_bytes());
    acknowledged.encode(&mut bytes);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// What follows a page is left over from a longer one.
fn decode(bytes: &[u8]) -> Option<(u64, Acknowledged)> {
    let (generation, content) = bytes.strip_prefix(MAGIC)?.split_first_chunk()?;
    let (acknowledged, rest) = Acknowledged::decode(content)?;
    let stored = u32::from_le_bytes(*rest.first_chunk()?);
    let covered = &bytes[..bytes.len() - rest.len()];
    (crc32fast::hash(covered) == stored).then(|| (u64::from_le_bytes(*generation), acknowledged))
}

#[cfg(test)]
mod tests {
    use super::super::disk::SystemDisk;
    use super::*;

    fn with_ranges(count: u64) -> Acknowledged {
        let mut acknowledged = Acknowledged::up_to(3);
        (0..count).for_each(|number| acknowledged.insert(10 + 2 * number));
        acknowledged
    }

    #[test]
    fn reads_the_last_page_also_after_longer_ones() {
        let directory = tempfile::tempdir().unwrap();
        let (mut notebook, nothing) = Notebook::open(directory.path()).unwrap();

        for count in [9, 8, 2] {
            notebook.save(&SystemDisk, &with_ranges(count)).unwrap();
            let (again, read) = Notebook::open(directory.path()).unwrap();
            assert_eq!((again.generation, read), (notebook.generation, Some(with_ranges(count))));
        }
        assert_eq!(nothing, None);
    }

    #[test]
    fn falls_back_to_the_page_before_a_torn_one_and_refuses_two() {
        let directory = tempfile::tempdir().unwrap();
        let (mut notebook, _) = Notebook::open(directory.path()).unwrap();
        notebook.save(&SystemDisk, &with_ranges(1)).unwrap();
        notebook.save(&SystemDisk, &with_ranges(2)).unwrap();

        fs::write(page(directory.path(), 2), b"PBACK001 torn").unwrap();
        let (_, one_left) = Notebook::open(directory.path()).unwrap();
        fs::write(page(directory.path(), 1), b"").unwrap();
        let none_left = Notebook::open(directory.path());

        assert_eq!(one_left, Some(with_ranges(1)));
        assert!(matches!(none_left, Err(Error::Damaged { .. })), "{none_left:?}");
    }
}
