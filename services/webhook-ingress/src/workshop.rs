//! Where large bodies are read: apart from the threads that serve requests, and within bounds of memory, because a body
//! that became values takes many times the room of its text.

use std::{num::NonZero, sync::Arc, thread};

use patchbay_types::{Fault, fault::Code};
use tokio::sync::Semaphore;

/// Room for values, as a multiple of the room for bodies.
const ROOM_FOR_VALUES: usize = 8;
/// What one object or list takes at least, and one member of it, in bytes: nodes of trees are made for several members,
/// and lists are grown by half or more.
const CONTAINER: usize = 640;
const MEMBER: usize = 96;
/// Text that is copied once or twice on its way.
const COPIES: usize = 3;

/// Turns at reading, and the room for what is read.
#[derive(Debug)]
pub(crate) struct Workshop {
    turns: Arc<Semaphore>,
    /// One permit a byte.
    room: Arc<Semaphore>,
    size: usize,
}

impl Workshop {
    /// One turn a core; values have a fixed multiple of `in_flight_bytes`.
    pub(crate) fn new(in_flight_bytes: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let most = u32::MAX.try_into().unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let size = in_flight_bytes.saturating_mul(ROOM_FOR_VALUES).min(most);
        Self { turns: Arc::new(Semaphore::new(cores)), room: Arc::new(Semaphore::new(size)), size }
    }

    /// Does `work`, which takes about `weight` bytes, when there is a turn and room for it. A caller who goes away before
    /// that leaves nothing behind.
    pub(crate) async fn perform<T, E>(
        &self,
        weight: usize,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let stopped = |_| Fault::new(Code::Unavailable, "the body could not be read; send it again");
        let weight = u32::try_from(weight).ok().filter(|_| weight <= self.size).ok_or_else(too_heavy)?;
        let room = Arc::clone(&self.room).acquire_many_owned(weight).await.map_err(stopped)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(stopped)?;
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, room));
            done
        });
        work.await.map_err(|_| Fault::new(Code::Unavailable, "the body could not be read; send it again"))?
    }
}

/// What a body takes that is read without keeping its values.
pub(crate) fn weight_of_text(bytes: usize) -> usize {
    bytes.saturating_mul(COPIES)
}

/// What a JSON body takes once it is values, at most. Of a text that is no JSON any number will do.
pub(crate) fn weight_of_values(json: &[u8]) -> usize {
    let (mut containers, mut members) = (0_usize, 0_usize);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => containers += 1,
            b',' => members += 1,
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => drop(bytes.next()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let values = containers.saturating_mul(CONTAINER).saturating_add(members.saturating_mul(MEMBER));
    weight_of_text(json.len()).saturating_add(values)
}

fn too_heavy() -> Fault {
    Fault::new(Code::TooLarge, "the body has too many values to be read at once; send it in parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighs_values_and_not_what_strings_hold() {
        assert_eq!(weight_of_values(br#""{,[\",""#), weight_of_text(8));
        assert_eq!(weight_of_values(br#"[1,{"a":2}]"#), weight_of_text(11) + 2 * CONTAINER + MEMBER);
        assert_eq!(weight_of_values(br#""\"#), weight_of_text(2));
    }

    #[tokio::test]
    async fn what_is_too_heavy_is_refused_and_nothing_is_kept() {
        let workshop = Workshop::new(100);
        let done: Result<u8, Fault> = workshop.perform(800, || Ok(1)).await;
        assert_eq!(done, Ok(1));
        let refused: Result<u8, Fault> = workshop.perform(801, || Ok(1)).await;
        assert_eq!(refused.unwrap_err().code, Code::TooLarge);
        assert_eq!(workshop.room.available_permits(), 800);
    }
}
